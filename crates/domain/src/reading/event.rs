//! What can have happened to a reading.

use serde::{Deserialize, Serialize};

use crate::{
    ConversationId, MemberId, Position, StreamType,
    event::{clear, events},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConversationSeen {
    pub conversation: ConversationId,
    pub member: MemberId,
    pub up_to: Position,
}

events! {
    ReadingEvent of StreamType::Reading => {
        ConversationSeen = 1,
    }
}

clear!(ConversationSeen);
