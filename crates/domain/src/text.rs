//! Short texts that people type: names and e-mail addresses, checked once, at the door.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::personal::unspoken;

unspoken!(Name, Email);

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("is empty")]
    Empty,
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("holds a control character")]
    ControlCharacter,
    #[error("is not an e-mail address")]
    NotAnEmail,
}

fn checked(text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        Err(TextError::Empty)
    } else if text.chars().count() > max {
        Err(TextError::TooLong(max))
    } else if text.chars().any(char::is_control) {
        Err(TextError::ControlCharacter)
    } else {
        Ok(text.to_owned())
    }
}

/// A name of a person, page or company: 1 to 200 characters, trimmed, no control characters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Long enough for any real name, short enough for one line of a list.
    pub const CHARS_MAX: usize = 200;

    pub fn new(text: &str) -> Result<Self, TextError> {
        checked(text, Self::CHARS_MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address as typed; 3 to 254 characters with one `@` between two parts (RFC 5321's bound; whether
/// it exists only a mail can tell).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    pub const CHARS_MAX: usize = 254;

    pub fn new(text: &str) -> Result<Self, TextError> {
        let text = checked(text, Self::CHARS_MAX)?;
        match text.split_once('@') {
            Some((local, host))
                if !local.is_empty()
                    && !host.is_empty()
                    && !host.contains('@')
                    && !text.chars().any(char::is_whitespace) =>
            {
                Ok(Self(text))
            }
            _ => Err(TextError::NotAnEmail),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two addresses are the same, whatever keyboard they come from: compatibility-composed
    /// (NFKC), every character in its lower case. It decides the member's id, for ever.
    pub fn folded(&self) -> String {
        self.0.nfkc().flat_map(char::to_lowercase).nfkc().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(Name::new("  Kovács Éva ").unwrap().as_str(), "Kovács Éva");
        assert_eq!(Name::new(" \t"), Err(TextError::Empty));
        assert_eq!(Name::new(&"é".repeat(201)), Err(TextError::TooLong(200)));
        assert!(Name::new(&"é".repeat(200)).is_ok());
        assert_eq!(Name::new("a\u{0}b"), Err(TextError::ControlCharacter));
    }

    #[test]
    fn one_address_has_one_folded_form() {
        let email = Email::new(" Éva@Example.HU ").unwrap();
        assert_eq!(email.as_str(), "Éva@Example.HU");
        assert_eq!(email.folded(), "éva@example.hu");
        assert_eq!(Email::new("E\u{301}va@EXAMPLE.hu").unwrap().folded(), email.folded(), "decomposed");
        assert_eq!(Email::new("ΣΑΣ@example.gr").unwrap().folded(), "σασ@example.gr", "no final form");
        for wrong in ["eva", "@example.hu", "eva@", "a@b@c", "a b@c"] {
            assert_eq!(Email::new(wrong), Err(TextError::NotAnEmail), "{wrong}");
        }
    }
}
