//! Content, opened at the last moment: parts are gathered while rows are read, and opened all together.

use parlance_domain::{AccountId, Sealed};
use parlance_store::Store;
use serde::de::DeserializeOwned;

use super::Queries;
use crate::front::FrontError;

/// Sealed parts that are wanted.
#[derive(Default)]
pub(super) struct Opening(Vec<Sealed>);

/// Where a wanted part will be found.
#[derive(Clone, Copy)]
pub(super) struct Part(usize);

impl Opening {
    pub fn add(&mut self, sealed: Option<Sealed>) -> Option<Part> {
        self.0.push(sealed?);
        Some(Part(self.0.len() - 1))
    }
}

/// The parts, as far as anybody can open them.
pub(super) struct Opened(Vec<Option<Vec<u8>>>);

impl Opened {
    /// `None`: there was no such part, or it is erased.
    pub fn value<T: DeserializeOwned>(&self, part: Option<Part>) -> Option<T> {
        let bytes = self.0.get(part?.0)?.as_ref()?;
        let value = serde_json::from_slice(bytes);
        if value.is_err() {
            // The error's own text could show a piece of the content.
            tracing::error!(wanted = std::any::type_name::<T>(), "opened content does not have its shape");
        }
        value.ok()
    }
}

impl<S: Store + Clone> Queries<S> {
    pub(super) async fn open(&self, account: AccountId, wanted: Opening) -> Result<Opened, FrontError> {
        Ok(Opened(self.keyring.open_many(&self.store, account, &wanted.0).await?))
    }
}
