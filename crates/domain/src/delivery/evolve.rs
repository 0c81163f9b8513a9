//! How a kept delivery changes.

use super::{Delivery, DeliveryEvent, Fate};
use crate::Stamped;

pub(super) fn evolve(state: &mut Delivery, stamped: &Stamped<DeliveryEvent>) {
    state.fate = match &stamped.event {
        DeliveryEvent::DeliveryKept(_) => Fate::Kept,
        DeliveryEvent::DeliveryReplayed(_) => Fate::Replayed,
        DeliveryEvent::DeliverySkipped(_) => Fate::Skipped,
    };
}
