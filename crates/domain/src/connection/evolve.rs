//! How a connection changes.

use super::{Connection, ConnectionEvent};
use crate::Stamped;

pub(super) fn evolve(state: &mut Connection, stamped: &Stamped<ConnectionEvent>) {
    match &stamped.event {
        ConnectionEvent::ConnectionAdded(e) => {
            state.kind = Some(e.kind);
            state.secrets = e.secrets.clone();
        }
        ConnectionEvent::SecretsRotated(e) => state.secrets = e.secrets.clone(),
    }
}
