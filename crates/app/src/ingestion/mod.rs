//! What providers tell, on its way into the log: whose address it came to, whether it is authentic, what it
//! says, what is asked for it, and what is kept because it could not be taken.
//!
//! To add a provider: implement [`Provider`] in the crate `providers`, and give it to [`Providers`].

mod address;
mod commands;
mod take;
mod told;

use std::sync::Arc;

use parlance_domain::connection::ChannelKind;

pub use self::{
    address::webhook_token,
    take::{Addressed, Ingestion, Taken, WebhookError},
    told::{
        Alone, CheckError, Checked, Checking, Credentials, News, NotAuthentic, Part, Provider, SignedRequest,
        Told, ToldKind, ToldMessage,
    },
};

/// The providers, one for every kind of channel.
#[derive(Clone)]
pub struct Providers(Arc<[Box<dyn Provider>]>);

impl Providers {
    /// Panics unless there is exactly one for every kind: an installation without is a mistake in the wiring.
    pub fn new(providers: Vec<Box<dyn Provider>>) -> Self {
        for kind in ChannelKind::ALL {
            let count = providers.iter().filter(|provider| provider.kind() == kind).count();
            assert_eq!(count, 1, "one provider speaks for {}", kind.code());
        }
        Self(providers.into())
    }

    pub fn of(&self, kind: ChannelKind) -> &dyn Provider {
        let found = self.0.iter().find(|provider| provider.kind() == kind);
        found.expect("there is one for every kind: it was looked at when they were put together").as_ref()
    }
}
