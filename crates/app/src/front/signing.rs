//! What interfaces ask about signing in: the trait [`Signing`], a part of [`Front`](super::Front), and its answers
//! by the desk.

use std::net::IpAddr;

use futures_util::{FutureExt as _, future::BoxFuture};
use parlance_domain::{
    Command, TokenId,
    member::{Member, MemberCommand},
};
use parlance_store::{Store, TokenKind};

use super::{Answer, Asker, Credential, Desk, Done, FrontError, Principal};
use crate::{
    sign_in::{ApiTokenView, Attempt, Begun, NewApiToken, SessionView, SignedIn, Typed},
    tokens::{self, Presented},
};

/// What accepting an invitation gives.
pub struct Accepted {
    pub asker: Asker,
    pub given: Given,
}

/// How a new member is known from now on. Its text is shown once.
pub enum Given {
    /// An API token for everything: for who set no password.
    ApiToken(String),
    Session(Begun),
}

/// Who comes in, and how. Everything but coming in is for sessions only: `SessionRequired` by an API token.
pub trait Signing: Send + Sync + 'static {
    /// Whom an API token, an operator's token or a session's names; `NotFound` for a token that is none (any more).
    fn authenticate<'a>(&'a self, token: &'a str) -> Answer<'a, Principal>;

    /// Resolves once the principal's credential does not count any more: it ran out or was revoked, or its member
    /// was removed. At once, but for what another server does: that is seen a few seconds later at most.
    fn ended(&self, principal: Principal) -> BoxFuture<'static, ()>;

    /// Tries to sign in; see [`SignIn::sign_in`](crate::sign_in::SignIn::sign_in).
    fn sign_in(&self, attempt: Attempt, instead_of: Option<(Asker, Credential)>) -> Answer<'_, SignedIn>;

    /// Ends the session that asks, or all of the member's.
    fn sign_out(&self, by: Asker, credential: Credential, everywhere: bool) -> Answer<'_, ()>;

    /// Changes the password; the member's other sessions end.
    fn change_password(
        &self,
        by: Asker,
        credential: Credential,
        current: Typed,
        new: Typed,
    ) -> Answer<'_, ()>;

    /// The member's sessions, oldest first.
    fn sessions(&self, by: Asker, credential: Credential) -> Answer<'_, Vec<SessionView>>;

    fn end_session(&self, by: Asker, credential: Credential, id: TokenId) -> Answer<'_, ()>;

    /// The member's API tokens, oldest first.
    fn api_tokens(&self, by: Asker, credential: Credential) -> Answer<'_, Vec<ApiTokenView>>;

    /// Makes an API token; gives it with its text, which is shown once.
    fn create_api_token(
        &self,
        by: Asker,
        credential: Credential,
        wanted: NewApiToken,
    ) -> Answer<'_, (ApiTokenView, String)>;

    fn revoke_api_token(&self, by: Asker, credential: Credential, id: TokenId) -> Answer<'_, ()>;

    /// For whoever holds an invitation's token. With a password: it becomes the member's, and they are signed in.
    fn accept_invitation(
        &self,
        token: String,
        password: Option<Typed>,
        address: Option<IpAddr>,
    ) -> Answer<'_, Done<Accepted>>;
}

impl<S: Store + Clone> Desk<S> {
    async fn accept(
        &self,
        token: &str,
        password: Option<Typed>,
        address: Option<IpAddr>,
    ) -> Result<Done<Accepted>, FrontError> {
        self.sign_in.may_accept(address)?;
        let Some(Presented::Member { kind: TokenKind::Invitation, account, hash }) = tokens::parse(token)
        else {
            return Err(FrontError::InvitationInvalid);
        };
        let found = self.store.find_token(account, hash).await?.ok_or(FrontError::InvitationInvalid)?;
        let (now, member) = (self.clock.now(), self.member(account, found.member).await?);
        // Who joined by it and never saw the answer may ask again.
        let joined_by_it = member.is_active()
            && member.joined_at.is_some_and(|at| at >= found.created_at)
            && found.expires_at.is_none_or(|end| now < end);
        if !tokens::counts(&found, &member, now) && !joined_by_it {
            return Err(FrontError::InvitationInvalid);
        }
        let asker = Asker { account, member: found.member };
        // Before they join: a password that is not taken leaves the invitation as it was.
        let password = match &password {
            Some(typed) => Some(self.sign_in.new_password(asker, typed).await?),
            None => None,
        };
        let receipt = self.one(asker, Command::Member(found.member, MemberCommand::Join)).await?;
        let member = self.member(account, found.member).await?;
        self.enter(asker, &member).await?;
        let given = match password {
            Some(password) => self.sign_in.join(asker, hash, &password).await?.map(Given::Session),
            None => {
                let joined = (found.member, &*member);
                let made =
                    tokens::accept_invitation(&self.store, &self.entropy, account, hash, joined, now).await?;
                made.map(Given::ApiToken)
            }
        };
        let given = given.ok_or(FrontError::InvitationInvalid)?;
        Ok(Done { value: Accepted { asker, given }, position: receipt.position() })
    }

    /// A member who has joined is found by their address from now on.
    async fn enter(&self, by: Asker, member: &Member) -> Result<(), FrontError> {
        match member.profile.value() {
            Some(profile) => Ok(self.sign_in.enter(by, &profile.email).await?),
            // Whose profile cannot be read cannot sign in either.
            None => Ok(()),
        }
    }
}

impl<S: Store + Clone> Signing for Desk<S> {
    fn authenticate<'a>(&'a self, token: &'a str) -> Answer<'a, Principal> {
        self.sign_in.authenticate(token).boxed()
    }

    fn ended(&self, principal: Principal) -> BoxFuture<'static, ()> {
        self.sign_in.clone().ended(principal).boxed()
    }

    fn sign_in(&self, attempt: Attempt, instead_of: Option<(Asker, Credential)>) -> Answer<'_, SignedIn> {
        self.sign_in.sign_in(attempt, instead_of).boxed()
    }

    fn sign_out(&self, by: Asker, credential: Credential, everywhere: bool) -> Answer<'_, ()> {
        self.sign_in.sign_out(by, credential, everywhere).boxed()
    }

    fn change_password(
        &self,
        by: Asker,
        credential: Credential,
        current: Typed,
        new: Typed,
    ) -> Answer<'_, ()> {
        async move { self.sign_in.change_password(by, credential, &current, &new).await }.boxed()
    }

    fn sessions(&self, by: Asker, credential: Credential) -> Answer<'_, Vec<SessionView>> {
        self.sign_in.sessions(by, credential).boxed()
    }

    fn end_session(&self, by: Asker, credential: Credential, id: TokenId) -> Answer<'_, ()> {
        self.sign_in.end_session(by, credential, id).boxed()
    }

    fn api_tokens(&self, by: Asker, credential: Credential) -> Answer<'_, Vec<ApiTokenView>> {
        self.sign_in.api_tokens(by, credential).boxed()
    }

    fn create_api_token(
        &self,
        by: Asker,
        credential: Credential,
        wanted: NewApiToken,
    ) -> Answer<'_, (ApiTokenView, String)> {
        self.sign_in.create_api_token(by, credential, wanted).boxed()
    }

    fn revoke_api_token(&self, by: Asker, credential: Credential, id: TokenId) -> Answer<'_, ()> {
        self.sign_in.revoke_api_token(by, credential, id).boxed()
    }

    fn accept_invitation(
        &self,
        token: String,
        password: Option<Typed>,
        address: Option<IpAddr>,
    ) -> Answer<'_, Done<Accepted>> {
        async move { self.accept(&token, password, address).await }.boxed()
    }
}
