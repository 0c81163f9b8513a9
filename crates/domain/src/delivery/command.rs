//! What can be asked of a kept delivery.

use super::{DeliveryContent, KeptBecause, SkippedBecause};
use crate::{ConnectionId, Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub enum DeliveryCommand {
    /// By the system, when a body with a valid signature cannot become events.
    Keep { connection: ConnectionId, because: KeptBecause, expires_at: Timestamp, content: DeliveryContent },
    /// By an operator, or the system after a channel was connected: its events are in the log now.
    MarkReplayed,
    /// By an operator, or the system when its retention ends. Its content is destroyed.
    Skip { because: SkippedBecause },
}
