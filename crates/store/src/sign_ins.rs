//! What signing in needs: passwords of memberships, the operator's directory of e-mail addresses (as keyed hashes),
//! and the key of those hashes, wrapped. No events and no read model: a rebuild leaves them alone.

use std::future::Future;

use parlance_domain::{AccountId, MemberId, Timestamp};

use crate::{StoreError, TokenHash};

/// Memberships of one e-mail address that are told; nobody works for more companies on one installation.
pub const MEMBERSHIPS_MAX: usize = 64;

/// A keyed hash of an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailHash(pub [u8; 32]);

/// What a member's password is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPassword {
    /// How it was computed, by a number of the shell's.
    pub recipe: u32,
    pub salt: [u8; 16],
    pub verifier: [u8; 32],
    pub set_at: Timestamp,
}

/// What becomes of a member's sessions when their password changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    Keep,
    /// All end, but for the one with this hash.
    End {
        but: Option<TokenHash>,
    },
}

/// The tables of signing in. What was answered with success is durable.
pub trait SignIns: Send + Sync + 'static {
    /// Sets a member's password in the place of the one before, and ends their sessions as told, all or nothing.
    /// With `instead_of`, only where that one still is the password: `false`, and nothing is changed.
    fn set_password(
        &self,
        account: AccountId,
        member: MemberId,
        password: StoredPassword,
        instead_of: Option<StoredPassword>,
        sessions: Sessions,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    fn password(
        &self,
        account: AccountId,
        member: MemberId,
    ) -> impl Future<Output = Result<Option<StoredPassword>, StoreError>> + Send;

    /// Removes the password, the sessions and the API tokens that a member has from before a moment: they were
    /// removed then.
    fn forget_member(
        &self,
        account: AccountId,
        member: MemberId,
        before: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Enters a membership into the directory; once more changes nothing.
    fn enter_membership(
        &self,
        email: EmailHash,
        account: AccountId,
        member: MemberId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The memberships of an e-mail address in the order of the accounts, at most [`MEMBERSHIPS_MAX`].
    fn memberships(
        &self,
        email: EmailHash,
    ) -> impl Future<Output = Result<Vec<(AccountId, MemberId)>, StoreError>> + Send;

    /// The wrapped sign-in key; where there is none yet, `new` becomes it. Of several who come with one, all are
    /// told the same.
    fn sign_in_key(&self, new: Vec<u8>) -> impl Future<Output = Result<Vec<u8>, StoreError>> + Send;
}
