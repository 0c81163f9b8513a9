//! Personal content: everything a person wrote or is. It is sealed wherever it rests, and whoever reads an
//! event copes with three cases: open, sealed, erased.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{KeyId, StreamRef, StreamType};

/// Types that never print what they hold: an error or a log line that shows one shows only that it was there.
macro_rules! unspoken {
    ($($name:ident),* $(,)?) => { $(impl std::fmt::Debug for $name {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(concat!(stringify!($name), "(…)"))
        }
    })* };
}

pub(crate) use unspoken;

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

impl Sealed {
    /// One column's worth of bytes: key (16), version (8, big endian), stream id (16), then stream type and
    /// kind each behind a length byte, then the ciphertext.
    pub fn to_bytes(&self) -> Vec<u8> {
        let stream_type = self.stream.kind.as_str();
        let mut out = Vec::with_capacity(42 + stream_type.len() + self.kind.len() + self.bytes.len());
        out.extend_from_slice(&self.key.bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(self.stream.id.as_bytes());
        for text in [stream_type, &self.kind] {
            let length = u8::try_from(text.len()).expect("names of streams and events are short literals");
            out.push(length);
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(&self.bytes);
        out
    }

    /// The way back of [`Self::to_bytes`]; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
            let (length, rest) = bytes.split_first()?;
            let (text, rest) = rest.split_at_checked(usize::from(*length))?;
            Some((std::str::from_utf8(text).ok()?, rest))
        }
        let (key, rest) = bytes.split_first_chunk::<16>()?;
        let (version, rest) = rest.split_first_chunk::<8>()?;
        let (stream, rest) = rest.split_first_chunk::<16>()?;
        let (stream_type, rest) = text(rest)?;
        let (kind, rest) = text(rest)?;
        Some(Self {
            key: KeyId::from_bytes(*key),
            stream: StreamRef::new(StreamType::parse(stream_type)?, Uuid::from_bytes(*stream)),
            version: u64::from_be_bytes(*version),
            kind: kind.to_owned(),
            bytes: rest.to_vec(),
        })
    }
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
pub trait PersonalPart: Send + Sync {
    /// The bytes to seal; `None` unless open.
    fn plaintext(&self) -> Option<Vec<u8>>;
    fn sealed(&self) -> Option<&Sealed>;
    fn seal(&mut self, sealed: Sealed);
    /// Takes opened bytes; the way back of [`Self::plaintext`].
    fn set_plaintext(&mut self, plaintext: &[u8]) -> Result<(), OpenError>;
    fn erase(&mut self);
}

impl<T: Serialize + DeserializeOwned + Send + Sync> PersonalPart for Personal<T> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertext_survives_its_column_and_a_cut_column_is_refused() {
        let sealed = Sealed {
            key: KeyId::new(Uuid::from_u128(1)),
            stream: StreamRef::new(StreamType::Conversation, Uuid::from_u128(2)),
            version: 300,
            kind: "MessageReceived".to_owned(),
            bytes: vec![1, 2, 3],
        };
        let column = sealed.to_bytes();
        assert_eq!(Sealed::from_bytes(&column), Some(sealed));
        for cut in 0..column.len() - 3 {
            assert_eq!(Sealed::from_bytes(&column[..cut]), None, "cut at {cut}");
        }
    }
}
