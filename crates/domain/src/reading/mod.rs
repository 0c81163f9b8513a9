//! How far one member has read one conversation. A stream of its own, so that reading marks never disturb a
//! conversation's version.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::{
    command::ReadingCommand,
    error::ReadingError,
    event::{ConversationSeen, ReadingEvent},
};
use crate::{Decider, Position, StreamRef, StreamType, aggregate::aggregate};

/// A reading's state. The default has read nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub up_to: Position,
}

aggregate!(Reading, ReadingCommand, ReadingEvent, ReadingError, "reading");

impl Decider for Reading {
    const STREAM: StreamType = StreamType::Reading;

    fn consults(&self, command: &Self::Command) -> Vec<StreamRef> {
        let ReadingCommand::MarkSeen { conversation, channel, .. } = &command.order;
        let mut consulted: Vec<_> = command.by.stream().into_iter().collect();
        consulted.extend([StreamRef::from(*channel), (*conversation).into()]);
        consulted
    }
}
