//! Why a reading says no.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadingError {
    #[error("there is no such conversation")]
    NotFound,
}
