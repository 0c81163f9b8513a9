//! Why a connection says no.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    #[error("there is no such connection")]
    NotFound,
    #[error("the connection exists already")]
    AlreadyAdded,
    #[error("this needs account settings access")]
    NotPermitted,
    #[error("a signing secret and a webhook token are needed")]
    SecretMissing,
}
