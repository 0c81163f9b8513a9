//! The rules of a reading.

use super::{ConversationSeen, Reading, ReadingCommand, ReadingError, ReadingEvent};
use crate::{
    Issued, Surroundings,
    permissions::{Action, permitted},
};

pub(super) fn decide(
    state: &Reading,
    issued: &Issued<ReadingCommand>,
    around: &Surroundings,
) -> Result<Vec<ReadingEvent>, ReadingError> {
    let ReadingCommand::MarkSeen { conversation, channel, up_to } = &issued.order;
    let seen = around.conversation(*conversation);
    if !seen.is_visible() || seen.channel != Some(*channel) {
        return Err(ReadingError::NotFound);
    }
    let member = permitted(Action::UseConversation, issued.by, around, Some(&around.channel(*channel)))
        .ok_or(ReadingError::NotFound)?;
    // What is not recorded yet cannot have been seen.
    let up_to = (*up_to).min(around.head);
    if up_to <= state.up_to {
        return Ok(Vec::new());
    }
    Ok(vec![ConversationSeen { conversation: *conversation, member, up_to }.into()])
}
