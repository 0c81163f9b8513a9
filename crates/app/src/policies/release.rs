//! Coming and going: whoever is removed or loses access to a channel is unassigned from every conversation
//! concerned, closed ones included, by the system, page by page.

use std::time::Duration;

use parlance_domain::{
    AccountId, Actor, Command, CommandId, ConversationId, Event, MemberId, RecordedEvent, SystemReason,
    channel::{ChannelEvent, Visibility},
    conversation::{ConversationCommand, LossCause},
    member::MemberEvent,
};
use parlance_projections::members::{self, MemberRow};
use parlance_store::{EventLog, FIRST_GENERATION, Keys, ReadModels, StoreError};
use uuid::Uuid;

use super::{Policy, PolicyError};
use crate::{
    command::{Ask, CommandError, CommandPath},
    entropy::Entropy,
    projections::Projections,
};

/// Members looked up in one go.
const PAGE: usize = 1_000;
/// Conversations taken from somebody in one go: they share one flush.
const HELD_PAGE: usize = 256;
/// How long the inbox may take to catch up before the account is tried again later.
const CATCH_UP: Duration = Duration::from_secs(10);

/// Unassigns what those who lost access still hold.
pub struct Release<S> {
    store: S,
    path: CommandPath<S>,
    projections: Projections,
    entropy: Entropy,
}

impl<S: EventLog + Keys + ReadModels + Clone> Policy for Release<S> {
    const NAME: &'static str = "release";
    const EVENTS: &'static [&'static str] = &["MemberRemoved", "VisibilityChanged", "InstallerChanged"];

    /// `true`: the event took access away from somebody.
    async fn react(&self, account: AccountId, recorded: &RecordedEvent) -> Result<bool, PolicyError> {
        let event = recorded.decode().map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let (channel, losers, cause) = match event {
            Event::Member(MemberEvent::MemberRemoved(_)) => {
                (None, vec![MemberId::new(recorded.stream.id)], LossCause::AssigneeRemoved)
            }
            Event::Channel(ChannelEvent::VisibilityChanged(e)) if e.visibility == Visibility::Private => {
                (Some(recorded.stream.id), self.members(account).await?, LossCause::AccessLost)
            }
            Event::Channel(ChannelEvent::InstallerChanged(e)) => {
                (Some(recorded.stream.id), vec![e.previous], LossCause::AccessLost)
            }
            _ => return Ok(false),
        };
        // What they hold is looked up in the inbox, which must know of everything before this event.
        let passed = self.projections.passed(account, recorded.position, CATCH_UP).await;
        passed.map_err(|_| PolicyError::Behind)?;
        for member in losers {
            self.release(account, member, channel, cause, recorded).await?;
        }
        Ok(true)
    }
}

impl<S: EventLog + Keys + ReadModels + Clone> Release<S> {
    pub(crate) fn new(store: S, path: CommandPath<S>, projections: Projections, entropy: Entropy) -> Self {
        Self { store, path, projections, entropy }
    }

    /// Every member there ever was; those who kept access are passed over by the rules.
    async fn members(&self, account: AccountId) -> Result<Vec<MemberId>, PolicyError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page =
                self.store.scan_rows(account, FIRST_GENERATION, &members::MEMBERS, after, PAGE).await?;
            for row in &page {
                let row = MemberRow::from_row(row).map_err(|error| StoreError::Corrupt(error.to_string()))?;
                all.push(row.member);
            }
            match page.last() {
                Some(row) if page.len() == PAGE => after = Some(row[..members::MEMBERS.key.len()].to_vec()),
                _ => return Ok(all),
            }
        }
    }

    async fn release(
        &self,
        account: AccountId,
        member: MemberId,
        channel: Option<Uuid>,
        cause: LossCause,
        event: &RecordedEvent,
    ) -> Result<(), PolicyError> {
        let mut after = None;
        loop {
            let held = self
                .store
                .held_conversations(account, FIRST_GENERATION, member.uuid(), channel, after, HELD_PAGE)
                .await?;
            let mut asked = tokio::task::JoinSet::new();
            for conversation in &held {
                let command = ConversationCommand::Release { member, cause };
                let ask = Ask {
                    account,
                    id: CommandId::new(self.entropy.id(event.recorded_at)),
                    correlation: event.correlation,
                    by: Actor::System(SystemReason::AccessLost),
                    commands: vec![Command::Conversation(ConversationId::new(*conversation), command)],
                    create_account: None,
                };
                let path = self.path.clone();
                asked.spawn(async move { path.submit(ask).await });
            }
            while let Some(answered) = asked.join_next().await {
                match answered.map_err(|error| StoreError::Unavailable(error.to_string()))? {
                    Ok(_) => {}
                    // Of one conversation; asking again would not help, and the others must not wait for it.
                    Err(error @ (CommandError::Refused(_) | CommandError::Store(StoreError::Corrupt(_)))) => {
                        tracing::error!(%error, %account, %member, "a conversation cannot be released");
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            match held.last() {
                Some(last) if held.len() == HELD_PAGE => after = Some(*last),
                _ => return Ok(()),
            }
        }
    }
}
