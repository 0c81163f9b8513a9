//! The command path: an account's commands wait in its queue; a flush takes all that wait, decides them one
//! after the other, each on what its predecessor left, seals, and appends everything in one batch. While one
//! flush is under way the next gathers. Conflicts can only come from another server.

mod cache;
mod decide;
mod elsewhere;
mod flush;
mod load;
mod path;
mod queue;
mod record;
mod state;

use parlance_domain::{
    AccountId, Actor, Command, CommandId, CorrelationId, Position, Refusal,
    conversation::ConversationCommand, delivery::DeliveryCommand,
};
use parlance_store::{AccountKeys, StoreError};

pub use self::path::{CommandPath, PathOptions};

/// A command, with who asks, and the ids its events will carry.
#[derive(Clone, Debug)]
pub struct Ask {
    pub account: AccountId,
    /// Names this asking: stored as the causation of its events.
    pub id: CommandId,
    /// The request or delivery it came from.
    pub correlation: CorrelationId,
    pub by: Actor,
    /// Taken together: all or nothing.
    pub commands: Vec<Command>,
    /// For the command that creates an account: its keys.
    pub create_account: Option<AccountKeys>,
}

impl Ask {
    /// Whether it asks for something to be erased.
    fn deletes(&self) -> bool {
        self.commands.iter().any(|command| match command {
            Command::Conversation(_, command) => matches!(command, ConversationCommand::Delete),
            Command::Delivery(_, command) => {
                matches!(command, DeliveryCommand::MarkReplayed | DeliveryCommand::Skip { .. })
            }
            _ => false,
        })
    }
}

/// What came of a command that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Its events have these positions.
    Recorded { first: Position, last: Position },
    /// It already was so; nothing was recorded. True as of `head`.
    Unchanged { head: Position },
    /// What it tells had been told before: recorded at `original`.
    Duplicate { original: Position },
}

impl Receipt {
    /// The position whose read models show what the command asked for.
    pub fn position(&self) -> Position {
        match self {
            Self::Recorded { last, .. } => *last,
            Self::Unchanged { head } => *head,
            Self::Duplicate { original } => *original,
        }
    }
}

/// Why a command was not taken, or not known to be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is no such account")]
    NoSuchAccount,
    /// The account's queue stayed full. Nothing was done; try again later.
    #[error("too many commands are waiting; try again later")]
    Busy,
    /// Other servers were faster, again and again. Nothing was done; try again.
    #[error("others changed the same things too often; try again")]
    Contended,
    /// The store's answer; `Unknown` alone leaves open whether it was done.
    #[error(transparent)]
    Store(#[from] StoreError),
}
