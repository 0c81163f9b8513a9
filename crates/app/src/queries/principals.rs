//! Whom a token names.

use parlance_store::Store;

use super::Queries;
use crate::front::{Asker, FrontError, Principal};

impl<S: Store + Clone> Queries<S> {
    /// Whom a bearer token names; `NotFound` for one that is none, or does not count (any more).
    pub async fn authenticate(&self, token: &str) -> Result<Principal, FrontError> {
        self.sign_in.authenticate(token).await
    }

    /// Who is invited by this token; `InvitationInvalid` for one that is none, was used, or is too old.
    pub async fn invited(&self, token: &str) -> Result<Asker, FrontError> {
        self.sign_in.invited(token).await
    }
}
