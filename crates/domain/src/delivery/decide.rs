//! The rules of a kept delivery.

use super::{
    Delivery, DeliveryCommand, DeliveryContent, DeliveryError, DeliveryEvent, DeliveryKept, DeliveryReplayed,
    DeliverySkipped, Fate,
};
use crate::{Actor, Issued, Personal, Surroundings};

pub(super) fn decide(
    state: &Delivery,
    issued: &Issued<DeliveryCommand>,
    around: &Surroundings,
) -> Result<Vec<DeliveryEvent>, DeliveryError> {
    if !matches!(issued.by, Actor::Operator(_) | Actor::System(_)) {
        return Err(DeliveryError::NotPermitted);
    }
    let event = match (&issued.order, state.fate) {
        (DeliveryCommand::Keep { connection, because, expires_at, content }, Fate::Unknown) => {
            if around.connection(*connection).kind.is_none() {
                return Err(DeliveryError::UnknownConnection);
            }
            if content.body.len() > DeliveryContent::BODY_BYTES_MAX {
                return Err(DeliveryError::TooLarge);
            }
            DeliveryKept {
                connection: *connection,
                because: *because,
                bytes: content.body.len() as u64,
                expires_at: *expires_at,
                content: Personal::open(content.clone()),
            }
            .into()
        }
        (DeliveryCommand::Keep { .. }, _) => return Err(DeliveryError::AlreadyKept),
        (_, Fate::Unknown) => return Err(DeliveryError::NotFound),
        (DeliveryCommand::MarkReplayed, Fate::Kept) => DeliveryReplayed {}.into(),
        (DeliveryCommand::MarkReplayed, Fate::Replayed) | (DeliveryCommand::Skip { .. }, Fate::Skipped) => {
            return Ok(Vec::new());
        }
        (DeliveryCommand::MarkReplayed, Fate::Skipped) => return Err(DeliveryError::AlreadySkipped),
        (DeliveryCommand::Skip { because }, Fate::Kept) => DeliverySkipped { because: *because }.into(),
        (DeliveryCommand::Skip { .. }, Fate::Replayed) => return Err(DeliveryError::AlreadyReplayed),
    };
    Ok(vec![event])
}
