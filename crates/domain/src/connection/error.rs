//! Why a connection says no.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    #[error("there is no such connection")]
    NotFound,
    #[error("the connection exists already")]
    AlreadyAdded,
    #[error("this needs account settings access")]
    NotPermitted,
    #[error("somebody else rotated the secrets meanwhile; look again")]
    RotatedMeanwhile,
    #[error("a signing secret and a webhook token are needed")]
    SecretMissing,
}
