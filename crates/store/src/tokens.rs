//! Tokens that people and operators show. Only their hashes are stored. They are no events and no read model:
//! a rebuild leaves them alone.

use std::future::Future;

use parlance_domain::{AccountId, MemberId, OperatorId, Timestamp};

use crate::StoreError;

/// Tokens of one kind that a member may have at a time; one more is `Refused`.
pub const TOKENS_PER_MEMBER_MAX: usize = 64;

/// SHA-256 of a token's whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// What a member's token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// Asks as the member.
    Api,
    /// Lets the invited member join, once.
    Invitation,
}

impl TokenKind {
    pub const ALL: [Self; 2] = [Self::Api, Self::Invitation];

    /// Its stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Invitation => "invitation",
        }
    }
}

/// What is known of a member's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredToken {
    pub kind: TokenKind,
    pub member: MemberId,
    pub created_at: Timestamp,
    /// `None`: it counts until it is removed.
    pub expires_at: Option<Timestamp>,
}

/// The tables of the tokens. What was answered with success is durable.
pub trait Tokens: Send + Sync + 'static {
    /// Stores a token. `Refused` for a hash that is there already, and beyond [`TOKENS_PER_MEMBER_MAX`].
    fn put_token(
        &self,
        account: AccountId,
        hash: TokenHash,
        token: StoredToken,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn find_token(
        &self,
        account: AccountId,
        hash: TokenHash,
    ) -> impl Future<Output = Result<Option<StoredToken>, StoreError>> + Send;

    /// Removes a member's tokens of a kind; how many there were. Of several who remove the same one exactly one
    /// is told that it was there.
    fn remove_tokens(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// Puts a token in the place of the one with hash `given`, and of all that the same member has of its kind, all
    /// or nothing. `false`, and nothing is changed: there is none with that hash. Of several who give the same
    /// one exactly one is told `true`.
    fn exchange_token(
        &self,
        account: AccountId,
        given: TokenHash,
        hash: TokenHash,
        token: StoredToken,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores an operator's token. `Refused` for a hash that is there already.
    fn put_operator_token(
        &self,
        hash: TokenHash,
        operator: OperatorId,
        created_at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn find_operator_token(
        &self,
        hash: TokenHash,
    ) -> impl Future<Output = Result<Option<OperatorId>, StoreError>> + Send;
}
