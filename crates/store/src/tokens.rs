//! Tokens that people and operators show. Only their hashes are stored. They are no events and no read model:
//! a rebuild leaves them alone.

use std::future::Future;

use parlance_domain::{AccountId, MemberId, OperatorId, Timestamp, TokenId};

use crate::{StoreError, StoredPassword};

/// Tokens of one kind that a member may have at a time; one more is `Refused`.
pub const TOKENS_PER_MEMBER_MAX: usize = 64;

/// SHA-256 of a token's whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// What a member's token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// Asks as the member, for a program of theirs.
    Api,
    /// Lets the invited member join, once.
    Invitation,
    /// Asks as the member, who has signed in.
    Session,
}

impl TokenKind {
    pub const ALL: [Self; 3] = [Self::Api, Self::Invitation, Self::Session];

    /// Its stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Invitation => "invitation",
            Self::Session => "session",
        }
    }
}

/// What is known of a member's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// What it is named by outside; one token of an account has it.
    pub id: TokenId,
    pub kind: TokenKind,
    pub member: MemberId,
    /// What its member calls it, sealed.
    pub name: Option<Vec<u8>>,
    /// What it may be used for, by names of the shell's.
    pub scopes: String,
    pub created_at: Timestamp,
    /// `None`: it counts until it is removed.
    pub expires_at: Option<Timestamp>,
    /// Roughly: not every use is written down.
    pub last_used_at: Option<Timestamp>,
}

/// The tables of the tokens. What was answered with success is durable.
pub trait Tokens: Send + Sync + 'static {
    /// Stores a token. `Refused` for a hash or an id that is there already, and beyond [`TOKENS_PER_MEMBER_MAX`].
    fn put_token(
        &self,
        account: AccountId,
        hash: TokenHash,
        token: StoredToken,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The same, but where the member has `most` of its kind already, those that were used (or else made) longest
    /// ago go; their hashes.
    fn put_token_for_oldest(
        &self,
        account: AccountId,
        hash: TokenHash,
        token: StoredToken,
        most: usize,
    ) -> impl Future<Output = Result<Vec<TokenHash>, StoreError>> + Send;

    fn find_token(
        &self,
        account: AccountId,
        hash: TokenHash,
    ) -> impl Future<Output = Result<Option<StoredToken>, StoreError>> + Send;

    /// Those of the tokens that there are, in no order; one statement. `Refused` beyond
    /// [`NAMED_MAX`](crate::NAMED_MAX) hashes.
    fn find_tokens(
        &self,
        account: AccountId,
        hashes: Vec<TokenHash>,
    ) -> impl Future<Output = Result<Vec<(TokenHash, StoredToken)>, StoreError>> + Send;

    /// A member's tokens of a kind, oldest first; at most [`TOKENS_PER_MEMBER_MAX`].
    fn list_tokens(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
    ) -> impl Future<Output = Result<Vec<(TokenHash, StoredToken)>, StoreError>> + Send;

    /// Writes down that tokens were used, where nothing later is written yet. `Refused` beyond
    /// [`NAMED_MAX`](crate::NAMED_MAX) hashes.
    fn touch_tokens(
        &self,
        account: AccountId,
        hashes: Vec<TokenHash>,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes one token of a member; its hash. Of several who remove the same one exactly one is told it.
    fn remove_token(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
        id: TokenId,
    ) -> impl Future<Output = Result<Option<TokenHash>, StoreError>> + Send;

    /// Removes a member's tokens of a kind, but for the one with hash `but`; how many there were. Of several who
    /// remove the same one exactly one is told that it was there.
    fn remove_tokens(
        &self,
        account: AccountId,
        member: MemberId,
        kind: TokenKind,
        but: Option<TokenHash>,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// Puts a token in the place of the one with hash `given`, and of all that the same member has of its kind, and
    /// with it the member's password, if there is one; all or nothing. `false`, and nothing is changed: there is
    /// none with that hash. Of several who give the same one exactly one is told `true`.
    fn exchange_token(
        &self,
        account: AccountId,
        given: TokenHash,
        hash: TokenHash,
        token: StoredToken,
        password: Option<StoredPassword>,
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
