//! One provider application with its secrets. Its webhook address names it; its secrets verify what arrives.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::{
    command::ConnectionCommand,
    error::ConnectionError,
    event::{ConnectionAdded, ConnectionEvent, ConnectionSecrets, SecretsRotated},
};
use crate::{Decider, Personal, PersonalPart, StreamRef, StreamType, aggregate::aggregate};

/// The providers' products that Parlance speaks. Stored by name, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Messenger,
    WhatsappTwilio,
}

impl ChannelKind {
    pub const ALL: [Self; 2] = [Self::Messenger, Self::WhatsappTwilio];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Messenger => "messenger",
            Self::WhatsappTwilio => "whatsapp_twilio",
        }
    }
}

/// A connection's state. The default is one that was never added.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub kind: Option<ChannelKind>,
    pub secrets: Personal<ConnectionSecrets>,
}

aggregate!(Connection, ConnectionCommand, ConnectionEvent, ConnectionError, "connection");

impl Decider for Connection {
    const STREAM: StreamType = StreamType::Connection;

    fn consults(&self, command: &Self::Command) -> Vec<StreamRef> {
        command.by.stream().into_iter().collect()
    }

    fn personal_parts(&mut self) -> Vec<(u32, &mut dyn PersonalPart)> {
        vec![(1, &mut self.secrets)]
    }
}
