//! Scalars of our own: positions, moments; and ids as they are read from arguments.

use std::str::FromStr;

use async_graphql::{ID, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parlance_domain::{IdError, Timestamp};

use crate::errors::Wrong;

/// The first byte of a position's outside form, so that another form can follow.
const POSITION_VERSION: u8 = 1;

/// A position's outside form, with what tells positions from before a restore apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Raised when the installation is restored from a backup.
    pub(crate) epoch: u32,
    pub(crate) position: parlance_domain::Position,
}

impl Position {
    fn text(self) -> String {
        let mut bytes = vec![POSITION_VERSION];
        bytes.extend(self.epoch.to_be_bytes());
        bytes.extend(self.position.number().to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&POSITION_VERSION, rest) = bytes.split_first()? else { return None };
        let (epoch, rest) = rest.split_first_chunk()?;
        let position = parlance_domain::Position::new(u64::from_be_bytes(rest.try_into().ok()?));
        Some(Self { epoch: u32::from_be_bytes(*epoch), position })
    }
}

/// A place in the account's history: the more has happened, the later the place. A mutation's payload has the
/// position from which on its change is shown; a query with `atLeast` waits, for a short time, until that
/// position is shown. The text is opaque: keep it and send it back as it is.
#[Scalar(name = "Position")]
impl ScalarType for Position {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Self::read(text)
                .ok_or_else(|| InputValueError::custom("not a position; use one that a payload gave")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.text())
    }
}

/// A moment, for the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(Timestamp);

impl From<DateTime> for Timestamp {
    fn from(at: DateTime) -> Self {
        at.0
    }
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// A moment, written as RFC 3339 says. Answers have it in UTC with microseconds: `2026-03-01T09:30:00.000000Z`;
/// arguments may have any offset.
#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let read = Timestamp::from_rfc3339(text);
        read.map(Self).ok_or_else(|| InputValueError::custom("not a moment as RFC 3339 writes it"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An id from a field of an input.
pub(crate) fn id<T: FromStr<Err = IdError>>(text: &ID, field: &'static str) -> Result<T, Wrong> {
    text.as_str().parse().map_err(|error| Wrong::id(error, field))
}

/// A count as GraphQL's `Int` can carry it.
pub(crate) fn count(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_back_and_nothing_else_is() {
        let position = Position { epoch: 3, position: parlance_domain::Position::new(1_234) };
        let value = position.to_value();
        assert_eq!(Position::parse(value).unwrap(), position);
        for wrong in ["", "1234", "AQAAAAMAAAAAAAAE", "AgAAAAMAAAAAAAAE0g", "AQAAAAMAAAAAAAAE0gA", "***"] {
            assert!(Position::parse(Value::String(wrong.to_owned())).is_err(), "{wrong}");
        }
        assert!(Position::parse(Value::from(7)).is_err());
    }

    #[test]
    fn a_moment_is_read_in_any_offset() {
        let read = |text: &str| DateTime::parse(Value::String(text.to_owned())).map(|at| at.0.to_string());
        assert_eq!(read("2026-03-01T09:30:00.000000Z").unwrap(), "2026-03-01T09:30:00.000000Z");
        assert_eq!(read("2026-03-01T10:30:00+01:00").unwrap(), "2026-03-01T09:30:00.000000Z");
        for wrong in ["", "2026-03-01", "2026-03-01T10:30:00", "yesterday", "2026-13-01T00:00:00Z"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(DateTime::parse(Value::from(7)).is_err());
    }

    #[test]
    fn counts_beyond_an_int_stay_at_its_end() {
        assert_eq!(count(7), 7);
        assert_eq!(count(u64::MAX), i32::MAX);
    }
}
