//! Whom a token names.

use parlance_domain::member::Member;
use parlance_store::{Store, TokenKind};

use super::Queries;
use crate::{
    front::{Asker, FrontError, Principal},
    tokens::{self, Presented},
};

impl<S: Store + Clone> Queries<S> {
    /// Whom a bearer token names; `NotFound` for one that is none, or does not count (any more).
    pub async fn authenticate(&self, token: &str) -> Result<Principal, FrontError> {
        match tokens::parse(token).ok_or(FrontError::NotFound)? {
            Presented::Operator { hash } => {
                let operator = self.store.find_operator_token(hash).await?;
                operator.map(Principal::Operator).ok_or(FrontError::NotFound)
            }
            presented => {
                let asker = self.counting(presented, TokenKind::Api).await?;
                asker.map(Principal::Member).ok_or(FrontError::NotFound)
            }
        }
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
