//! Why a kept delivery says no.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    #[error("there is no such delivery")]
    NotFound,
    #[error("the delivery is kept already")]
    AlreadyKept,
    #[error("the body is larger than a delivery may be")]
    TooLarge,
    #[error("its connection does not exist")]
    UnknownConnection,
    #[error("only an operator or the system decides about deliveries")]
    NotPermitted,
    #[error("the delivery was replayed already")]
    AlreadyReplayed,
    #[error("the delivery was skipped already; its content is gone")]
    AlreadySkipped,
}
