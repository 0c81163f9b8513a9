//! Who can sign in: every member who joins is entered into the directory of e-mail addresses, if they are not there
//! yet; what let a removed member in goes, and their sockets are closed. Joining enters by itself, so this finds
//! what is older, and what another server or a failure left undone.

use parlance_domain::{AccountId, Event, MemberId, RecordedEvent, member::MemberEvent};
use parlance_store::{Store, StoreError};

use super::{Policy, PolicyError};
use crate::{
    front::{Asker, FrontError},
    sign_in::SignIn,
};

/// Keeps the directory.
pub struct Directory<S> {
    sign_in: SignIn<S>,
}

impl<S> Directory<S> {
    pub(crate) fn new(sign_in: SignIn<S>) -> Self {
        Self { sign_in }
    }
}

impl<S: Store + Clone> Policy for Directory<S> {
    const NAME: &'static str = "directory";
    const EVENTS: &'static [&'static str] = &["MemberJoined", "MemberRemoved"];

    /// `true`: the event let somebody in or took them out.
    async fn react(&self, account: AccountId, recorded: &RecordedEvent) -> Result<bool, PolicyError> {
        let by = Asker { account, member: MemberId::new(recorded.stream.id) };
        match recorded.decode().map_err(|error| StoreError::Corrupt(error.to_string()))? {
            Event::Member(MemberEvent::MemberJoined(_)) => match self.sign_in.email_of(by).await {
                Ok(email) => self.sign_in.enter(by, &email).await?,
                Err(FrontError::Store(error)) => return Err(error.into()),
                // Whose profile was erased signs in no more.
                Err(_) => {}
            },
            Event::Member(MemberEvent::MemberRemoved(_)) => {
                self.sign_in.removed(by, recorded.recorded_at).await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
