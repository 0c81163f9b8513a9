//! How a reading changes.

use super::{Reading, ReadingEvent};
use crate::Stamped;

pub(super) fn evolve(state: &mut Reading, stamped: &Stamped<ReadingEvent>) {
    let ReadingEvent::ConversationSeen(e) = &stamped.event;
    state.up_to = state.up_to.max(e.up_to);
}
