//! A webhook delivery that was authentic but could not be turned into events, kept whole until it is
//! replayed, skipped or expires. Each has a stream and a data key of its own: kept bodies neither slow nor
//! outlive anything else, and a connection's state does not grow with its dead letters.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::{
    command::DeliveryCommand,
    error::DeliveryError,
    event::{
        DeliveryContent, DeliveryEvent, DeliveryKept, DeliveryReplayed, DeliverySkipped, KeptBecause,
        SkippedBecause,
    },
};
use crate::{Decider, StreamRef, StreamType, aggregate::aggregate};

/// What became of a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    #[default]
    Unknown,
    Kept,
    Replayed,
    Skipped,
}

/// A delivery's state. The default is one never kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    pub fate: Fate,
}

aggregate!(Delivery, DeliveryCommand, DeliveryEvent, DeliveryError, "delivery");

impl Decider for Delivery {
    const STREAM: StreamType = StreamType::Delivery;

    fn consults(&self, command: &Self::Command) -> Vec<StreamRef> {
        match &command.order {
            DeliveryCommand::Keep { connection, .. } => vec![(*connection).into()],
            _ => Vec::new(),
        }
    }
}
