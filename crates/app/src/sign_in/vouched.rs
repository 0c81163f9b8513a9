//! Signing in by the word of somebody else, who has proved whose e-mail address it is: an OpenID Connect issuer. Also
//! what is carried by the person's own browser meanwhile, sealed.

use std::net::IpAddr;

use parlance_domain::{AccountId, Email};
use parlance_store::StoreError;

use super::{SignIn, SignedIn};
use crate::front::{FrontError, Principal};

impl<S: parlance_store::Store + Clone> SignIn<S> {
    /// Takes one of the sign-ins that may be tried from an address; `TooManyAttempts`.
    pub fn may_try(&self, address: Option<IpAddr>) -> Result<(), FrontError> {
        self.0.limits.sign_in_from(address)
    }

    /// Signs in whoever was proved to have this e-mail address, to one of their accounts (to `account`, where they
    /// want that one), whether they have a password or not. `SignInRefused` for an address that is not known, and for
    /// one whose members have not joined or were removed. `instead_of`: the token of a session of the same browser,
    /// which ends.
    pub async fn vouched(
        &self,
        email: &Email,
        account: Option<AccountId>,
        instead_of: Option<&str>,
    ) -> Result<SignedIn, FrontError> {
        let mut memberships = self.memberships(email).await?;
        memberships.retain(|by| account.is_none_or(|account| account == by.account));
        let by = match memberships.as_slice() {
            [] => return Err(FrontError::SignInRefused),
            [by] => *by,
            several => {
                let mut choices = Vec::with_capacity(several.len());
                for by in several {
                    choices.push(self.choice(*by).await?);
                }
                return Ok(SignedIn::Choose(choices));
            }
        };
        let begun = self.begin(by).await?;
        if let Some(token) = instead_of {
            match self.authenticate(token).await {
                Ok(Principal::Member(by, credential)) => self.end(by, credential).await?,
                Ok(Principal::Operator(_)) | Err(FrontError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(SignedIn::Session(begun))
    }

    /// Seals what a browser carries for us, for one purpose. It opens on every server of the installation.
    pub async fn seal(&self, purpose: &'static str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(self.secrets().await?.seal_carried(&self.0.entropy, purpose, plain))
    }

    /// `None`: it was not sealed by this installation for this purpose, or was changed since.
    pub async fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.secrets().await?.open_carried(purpose, sealed))
    }
}
