//! What can be asked of a connection.

use super::{ChannelKind, ConnectionSecrets};

#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionCommand {
    /// By a member with account settings access.
    Add { kind: ChannelKind, secrets: ConnectionSecrets },
    /// By a member with account settings access. A gapless rotation keeps the old secret as `previous`. `instead_of`:
    /// the signing secret that was seen; if it is another by now, nothing is changed.
    RotateSecrets { secrets: ConnectionSecrets, instead_of: Option<String> },
}
