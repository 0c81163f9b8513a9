//! How a conversation changes.

use super::{Assignment, Conversation, ConversationEvent, Phase};
use crate::{ChannelId, Stamped, Timestamp};

pub(super) fn evolve(state: &mut Conversation, stamped: &Stamped<ConversationEvent>) {
    match &stamped.event {
        ConversationEvent::MessageReceived(e) => {
            message(state, e.incarnation, e.channel);
            let at = e.provider_at.map_or(stamped.at, |at| at.min(stamped.at));
            state.last_contact_at = state.last_contact_at.max(Some(at));
        }
        ConversationEvent::MessageEchoed(e) => message(state, e.incarnation, e.channel),
        ConversationEvent::ContactProfileChanged(e) => {
            state.incarnation = e.incarnation;
            state.profile = e.profile.clone();
        }
        ConversationEvent::Assigned(e) => {
            state.assignment = Some(Assignment { assignee: e.assignee, by: stamped.by, at: stamped.at });
        }
        ConversationEvent::Unassigned(_) => state.assignment = None,
        ConversationEvent::Closed(_) => state.phase = Phase::Closed,
        ConversationEvent::Reopened(_) => state.phase = Phase::Open,
        ConversationEvent::Deleted(e) => {
            *state = Conversation {
                phase: Phase::Deleted,
                incarnation: e.incarnation,
                channel: state.channel,
                deleted_at: later(state.deleted_at, stamped.at),
                ..Conversation::default()
            };
        }
        // Recorded before anything else, these still say which incarnation's key seals them.
        ConversationEvent::MessageReacted(e) => state.incarnation = e.incarnation,
        ConversationEvent::MessageEdited(e) => state.incarnation = e.incarnation,
        ConversationEvent::MessageUnsent(e) => state.incarnation = e.incarnation,
        ConversationEvent::MessageDelivered(e) => state.incarnation = e.incarnation,
        ConversationEvent::MessageRead(e) => state.incarnation = e.incarnation,
        ConversationEvent::MessageSkipped(_) => {}
    }
}

/// A message of either side: the first of an incarnation begins it.
fn message(state: &mut Conversation, incarnation: u32, channel: ChannelId) {
    if state.phase == Phase::NotBegun || state.phase == Phase::Deleted {
        state.phase = Phase::Open;
    }
    state.incarnation = incarnation;
    state.channel = Some(channel);
    state.thread_version += 1;
}

fn later(known: Option<Timestamp>, at: Timestamp) -> Option<Timestamp> {
    known.max(Some(at))
}
