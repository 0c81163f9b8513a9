//! Personal content: everything a person wrote or is. It is sealed wherever it rests, and whoever reads an
//! event copes with three cases: open, sealed, erased.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{KeyId, StreamRef};

/// A value of a person. `Erased` says that there was, or may have been, something that nobody can read any
/// more (or, in a state, that nothing is known).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Personal<T> {
    Open(Box<T>),
    Sealed(Box<Sealed>),
    #[default]
    Erased,
}

/// Ciphertext as it stands in the log, with what is needed to open it: the key's id and the place it was
/// sealed for (the associated data, besides the account). Read models carry it as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub key: KeyId,
    pub stream: StreamRef,
    pub version: u64,
    /// The event's type, or the name of the derived value it was sealed for.
    pub kind: String,
    /// Format byte, nonce, ciphertext.
    pub bytes: Vec<u8>,
}

/// Opened bytes that are no value of the expected shape.
#[derive(Debug, thiserror::Error)]
#[error("personal content does not have the expected shape: {0}")]
pub struct OpenError(#[from] serde_json::Error);

impl<T> Personal<T> {
    pub fn open(value: T) -> Self {
        Self::Open(Box::new(value))
    }

    /// The value, where it is open.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Open(value) => Some(value),
            _ => None,
        }
    }
}

/// What sealing needs of a [`Personal`], whatever it holds.
pub trait PersonalPart {
    /// The bytes to seal; `None` unless open.
    fn plaintext(&self) -> Option<Vec<u8>>;
    fn sealed(&self) -> Option<&Sealed>;
    fn seal(&mut self, sealed: Sealed);
    /// Takes opened bytes; the way back of [`Self::plaintext`].
    fn set_plaintext(&mut self, plaintext: &[u8]) -> Result<(), OpenError>;
    fn erase(&mut self);
}

impl<T: Serialize + DeserializeOwned> PersonalPart for Personal<T> {
    fn plaintext(&self) -> Option<Vec<u8>> {
        self.value().map(|value| {
            serde_json::to_vec(value)
                .expect("personal values hold only strings, numbers and lists: always JSON")
        })
    }

    fn sealed(&self) -> Option<&Sealed> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            _ => None,
        }
    }

    fn seal(&mut self, sealed: Sealed) {
        *self = Self::Sealed(Box::new(sealed));
    }

    fn set_plaintext(&mut self, plaintext: &[u8]) -> Result<(), OpenError> {
        *self = Self::open(serde_json::from_slice(plaintext)?);
        Ok(())
    }

    fn erase(&mut self) {
        *self = Self::Erased;
    }
}
