//! Whom a token names.

use std::time::Duration;

use parlance_domain::member::Member;
use parlance_store::{Store, TokenHash, TokenKind};

use super::Queries;
use crate::{
    front::{Asker, Credential, CredentialKind, FrontError, Principal, TokenScopes},
    tokens::{self, Presented},
};

/// How often a credential that is in use all the time, by a socket, is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl<S: Store + Clone> Queries<S> {
    /// Whom a bearer token names; `NotFound` for one that is none, or does not count (any more).
    pub async fn authenticate(&self, token: &str) -> Result<Principal, FrontError> {
        match tokens::parse(token).ok_or(FrontError::NotFound)? {
            Presented::Operator { hash } => {
                let operator = self.store.find_operator_token(hash).await?;
                operator.map(Principal::Operator).ok_or(FrontError::NotFound)
            }
            presented => {
                let Presented::Member { hash, .. } = presented else { return Err(FrontError::NotFound) };
                let asker = self.counting(presented, TokenKind::Api).await?.ok_or(FrontError::NotFound)?;
                let kind = CredentialKind::ApiToken;
                Ok(Principal::Member(asker, Credential { hash, kind, scopes: TokenScopes::all() }))
            }
        }
    }

    /// Resolves once the credential does not count any more; it is looked at again every few seconds.
    pub async fn ended(self, principal: Principal) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let counts = match principal {
                // An operator's token is never taken back.
                Principal::Operator(_) => Ok(true),
                Principal::Member(by, Credential { hash, .. }) => self.still_counts(by, hash).await,
            };
            // A store that does not answer says nothing about a credential.
            if matches!(counts, Ok(false)) {
                return;
            }
        }
    }

    async fn still_counts(&self, by: Asker, hash: TokenHash) -> Result<bool, FrontError> {
        let Some(token) = self.store.find_token(by.account, hash).await? else { return Ok(false) };
        let member = self.commands.peek::<Member>(by.account, by.member.uuid()).await?;
        Ok(tokens::counts(&token, &member, self.clock.now()))
    }

    /// Who is invited by this token; `InvitationInvalid` for one that is none, was used, or is too old.
    pub async fn invited(&self, token: &str) -> Result<Asker, FrontError> {
        let presented = tokens::parse(token).ok_or(FrontError::InvitationInvalid)?;
        let asker = self.counting(presented, TokenKind::Invitation).await?;
        asker.ok_or(FrontError::InvitationInvalid)
    }

    /// Whose token it is, if it is one of the wanted kind and counts.
    async fn counting(&self, presented: Presented, wanted: TokenKind) -> Result<Option<Asker>, FrontError> {
        let Presented::Member { kind, account, hash } = presented else { return Ok(None) };
        if kind != wanted {
            return Ok(None);
        }
        let Some(token) = self.store.find_token(account, hash).await? else { return Ok(None) };
        let member = self.commands.peek::<Member>(account, token.member.uuid()).await?;
        let counts = token.kind == wanted && tokens::counts(&token, &member, self.clock.now());
        Ok(counts.then_some(Asker { account, member: token.member }))
    }
}
