//! Why a channel says no.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    #[error("there is no such channel")]
    NotFound,
    #[error("this needs account settings access")]
    NotPermitted,
    #[error("only the channel's installer, with account settings access, can change this")]
    OnlyInstaller,
    #[error("the connection does not exist, or is of another kind than the channel")]
    ConnectionMismatch,
    #[error("the channel is disconnected; connect it again first")]
    Disconnected,
    #[error("the new installer must be an active member")]
    NewInstallerNotActive,
    #[error("the channel's identity cannot be read at the moment, so it cannot be changed; connect it again")]
    IdentityUnreadable,
    #[error("a retention is 1 to 3,650 days")]
    RetentionOutOfRange,
}
