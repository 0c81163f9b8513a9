//! Credentials of members: whom one names, which a member has, how one is made and ended.

use std::{collections::HashSet, sync::Mutex};

use parlance_domain::{AccountId, Name, Timestamp, TokenId, member::Member};
use parlance_store::{RefusedBecause, Store, StoreError, StoredToken, TokenHash, TokenKind};

use super::{SignIn, USE_WRITTEN_EVERY_MICROS};
use crate::{
    front::{Asker, Credential, CredentialKind, FrontError, Principal, TokenScopes},
    tokens::{self, Presented},
};

/// Uses on their way to the store; while there are more, a use is written down the next time.
const USES_MAX: usize = 1_024;

/// Tokens whose use is being written down.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashSet<TokenHash>>);

/// A session, as its member sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    pub id: TokenId,
    pub created_at: Timestamp,
    /// Unless it is used before.
    pub ends_at: Timestamp,
    /// To within ten minutes.
    pub last_used_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// An API token, as its member sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenView {
    pub id: TokenId,
    /// `None`: it never had one, or it cannot be read.
    pub name: Option<String>,
    pub scopes: TokenScopes,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// To within ten minutes; `None`: never.
    pub last_used_at: Option<Timestamp>,
}

/// An API token that a member wants.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    pub name: Name,
    pub scopes: TokenScopes,
    pub expires_at: Option<Timestamp>,
}

/// Passwords, sessions and tokens are a session's to see and change.
pub(super) fn by_session(credential: Credential) -> Result<(), FrontError> {
    match credential.kind {
        CredentialKind::Session => Ok(()),
        CredentialKind::ApiToken => Err(FrontError::SessionRequired),
    }
}

impl<S: Store + Clone> SignIn<S> {
    /// Whom a token names; `NotFound` for one that is none, or does not count (any more).
    pub async fn authenticate(&self, token: &str) -> Result<Principal, FrontError> {
        match tokens::parse(token).ok_or(FrontError::NotFound)? {
            Presented::Operator { hash } => {
                let operator = self.0.store.find_operator_token(hash).await?;
                operator.map(Principal::Operator).ok_or(FrontError::NotFound)
            }
            Presented::Member { kind, account, hash } => {
                let credential = match kind {
                    TokenKind::Api => CredentialKind::ApiToken,
                    TokenKind::Session => CredentialKind::Session,
                    TokenKind::Invitation => return Err(FrontError::NotFound),
                };
                let found = self.counting(account, hash, kind).await?;
                let (by, token) = found.ok_or(FrontError::NotFound)?;
                self.used(account, hash, &token);
                let scopes = match credential {
                    CredentialKind::Session => TokenScopes::all(),
                    CredentialKind::ApiToken => TokenScopes::from_stored(&token.scopes),
                };
                Ok(Principal::Member(by, Credential { hash, kind: credential, scopes }))
            }
        }
    }

    /// Who is invited by this token; `InvitationInvalid` for one that is none, was used, or is too old.
    pub async fn invited(&self, token: &str) -> Result<Asker, FrontError> {
        let Some(Presented::Member { kind: kind @ TokenKind::Invitation, account, hash }) =
            tokens::parse(token)
        else {
            return Err(FrontError::InvitationInvalid);
        };
        let found = self.counting(account, hash, kind).await?;
        found.map(|(by, _)| by).ok_or(FrontError::InvitationInvalid)
    }

    /// Whose token it is, if it is of the wanted kind and counts.
    async fn counting(
        &self,
        account: AccountId,
        hash: TokenHash,
        kind: TokenKind,
    ) -> Result<Option<(Asker, StoredToken)>, StoreError> {
        let Some(token) = self.token(account, hash).await? else { return Ok(None) };
        let member = self.0.commands.peek::<Member>(account, token.member.uuid()).await?;
        let counts = token.kind == kind && tokens::counts(&token, &member, self.0.clock.now());
        Ok(counts.then_some((Asker { account, member: token.member }, token)))
    }

    /// The token as the store has it, or had it a moment ago. An invitation is always asked for: it is taken once.
    async fn token(&self, account: AccountId, hash: TokenHash) -> Result<Option<StoredToken>, StoreError> {
        if let Some(token) = self.0.known.find(account, hash) {
            return Ok(Some(token));
        }
        let asked = self.0.known.ask();
        let found = self.0.store.find_token(account, hash).await?;
        if let Some(token) = found.as_ref().filter(|token| token.kind != TokenKind::Invitation) {
            self.0.known.keep(account, hash, token, &asked);
        }
        Ok(found)
    }

    /// Writes down, beside the request, that a token is used; not more often than every ten minutes.
    fn used(&self, account: AccountId, hash: TokenHash, token: &StoredToken) {
        let now = self.0.clock.now();
        let fresh = token.last_used_at.is_some_and(|used| now < used.plus_micros(USE_WRITTEN_EVERY_MICROS));
        if fresh {
            return;
        }
        {
            let mut uses = self.0.uses.0.lock().expect("no panic while locked");
            if uses.len() >= USES_MAX || !uses.insert(hash) {
                return;
            }
        }
        let this = self.clone();
        tokio::spawn(async move {
            match this.0.store.touch_tokens(account, vec![hash], now).await {
                Ok(()) => this.0.known.used(account, hash, now),
                Err(error) => tracing::warn!(%error, %account, "a token's use could not be written down"),
            }
            this.0.uses.0.lock().expect("no panic while locked").remove(&hash);
        });
    }

    /// The sessions of a member that count, oldest first.
    pub async fn sessions(&self, by: Asker, credential: Credential) -> Result<Vec<SessionView>, FrontError> {
        by_session(credential)?;
        let (member, now) = (self.member(by).await?, self.0.clock.now());
        let sessions = self.0.store.list_tokens(by.account, by.member, TokenKind::Session).await?;
        let counting = sessions.into_iter().filter(|(_, token)| tokens::counts(token, &member, now));
        let view = |(hash, token): (TokenHash, StoredToken)| SessionView {
            id: token.id,
            created_at: token.created_at,
            ends_at: tokens::ends_at(&token).unwrap_or(token.created_at),
            last_used_at: token.last_used_at.unwrap_or(token.created_at),
            current: hash == credential.hash,
        };
        Ok(counting.map(view).collect())
    }

    /// Ends one of a member's sessions; `NotFound` for what is none of theirs.
    pub async fn end_session(
        &self,
        by: Asker,
        credential: Credential,
        id: TokenId,
    ) -> Result<(), FrontError> {
        by_session(credential)?;
        self.remove(by, TokenKind::Session, id).await
    }

    /// Ends the session that asks, or all of the member's.
    pub async fn sign_out(
        &self,
        by: Asker,
        credential: Credential,
        everywhere: bool,
    ) -> Result<(), FrontError> {
        by_session(credential)?;
        if everywhere {
            let _told = self.telling(by);
            self.0.store.remove_tokens(by.account, by.member, TokenKind::Session, None).await?;
            return Ok(());
        }
        self.end(by, credential).await
    }

    /// Ends the session that a credential is of, if it is one and has not ended.
    pub(super) async fn end(&self, by: Asker, credential: Credential) -> Result<(), FrontError> {
        if credential.kind != CredentialKind::Session {
            return Ok(());
        }
        let found = self.0.store.find_token(by.account, credential.hash).await?;
        match found {
            None => Ok(()),
            Some(token) => match self.remove(by, TokenKind::Session, token.id).await {
                Err(FrontError::NotFound) => Ok(()),
                removed => removed,
            },
        }
    }

    async fn remove(&self, by: Asker, kind: TokenKind, id: TokenId) -> Result<(), FrontError> {
        let _told = self.telling(by);
        let removed = self.0.store.remove_token(by.account, by.member, kind, id).await?;
        removed.map(|_| ()).ok_or(FrontError::NotFound)
    }

    /// A member's API tokens, oldest first; those whose time is up included, until they are revoked.
    pub async fn api_tokens(
        &self,
        by: Asker,
        credential: Credential,
    ) -> Result<Vec<ApiTokenView>, FrontError> {
        by_session(credential)?;
        let member = self.member(by).await?;
        let secrets = self.secrets().await?;
        let stored = self.0.store.list_tokens(by.account, by.member, TokenKind::Api).await?;
        // One from an earlier membership is none of theirs any more.
        let theirs = |token: &StoredToken| member.joined_at.is_some_and(|joined| joined <= token.created_at);
        let tokens = stored.into_iter().map(|(_, token)| token).filter(theirs);
        let view = |token: StoredToken| ApiTokenView {
            id: token.id,
            name: token.name.and_then(|sealed| secrets.open_name(by.account, token.id, &sealed)),
            scopes: TokenScopes::from_stored(&token.scopes),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
        };
        Ok(tokens.map(view).collect())
    }

    /// Makes an API token; gives it with its text, which is shown once. `NoScope`, `AlreadyPast`, `TooManyTokens`.
    pub async fn create_api_token(
        &self,
        by: Asker,
        credential: Credential,
        wanted: NewApiToken,
    ) -> Result<(ApiTokenView, String), FrontError> {
        by_session(credential)?;
        let (member, now) = (self.member(by).await?, self.0.clock.now());
        if wanted.scopes.is_empty() {
            return Err(FrontError::NoScope);
        }
        if wanted.expires_at.is_some_and(|end| end <= now) {
            return Err(FrontError::AlreadyPast);
        }
        let created_at = tokens::created_at(&member, now);
        let id = TokenId::new(self.0.entropy.id(created_at));
        let minted = tokens::mint(&self.0.entropy, by.account, TokenKind::Api);
        let name = self.secrets().await?.seal_name(&self.0.entropy, by.account, id, wanted.name.as_str());
        let token = StoredToken {
            id,
            kind: TokenKind::Api,
            member: by.member,
            name: Some(name),
            scopes: wanted.scopes.stored(),
            created_at,
            expires_at: wanted.expires_at,
            last_used_at: None,
        };
        match self.0.store.put_token(by.account, minted.hash, token).await {
            Err(StoreError::Refused(RefusedBecause::TooMany { .. })) => {
                return Err(FrontError::TooManyTokens);
            }
            put => put?,
        }
        let view = ApiTokenView {
            id,
            name: Some(wanted.name.as_str().to_owned()),
            scopes: wanted.scopes,
            created_at,
            expires_at: wanted.expires_at,
            last_used_at: None,
        };
        Ok((view, minted.text))
    }

    /// Revokes one of a member's API tokens; `NotFound` for what is none of theirs.
    pub async fn revoke_api_token(
        &self,
        by: Asker,
        credential: Credential,
        id: TokenId,
    ) -> Result<(), FrontError> {
        by_session(credential)?;
        self.remove(by, TokenKind::Api, id).await
    }
}
