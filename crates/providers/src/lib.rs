//! What the providers speak. Verifying and parsing what arrives is pure; checking credentials asks the provider,
//! through the only door to the outside ([`Outbound`]).
//!
//! One folder a provider, with the same files in each: `verify` (is it really them?), `parse` (what do they say?),
//! `check` (do these credentials open this page or number?). Another provider is another folder, and one more
//! implementation of [`parlance_app::ingestion::Provider`].

mod hex;
mod id;
mod location;
pub mod messenger;
mod outbound;
pub mod twilio;

pub use messenger::Messenger;
pub use outbound::{Outbound, trusting_nobody};
pub use reqwest::Url;
pub use twilio::Twilio;
