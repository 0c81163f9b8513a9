//! Passwords: which are taken (NIST SP 800-63B, section 5.1.1.2: length counts, composition does not), and how one
//! is made up for somebody.

use parlance_domain::Email;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// Fewer characters are guessed too soon, even behind a slow hash.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Room for any passphrase; more is no better, and costs time to take in.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// Those that are long enough and tried first all the same.
const COMMON: [&str; 20] = [
    "0123456789",
    "0987654321",
    "1234567890",
    "12345678910",
    "123456789a",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "administrator",
    "changeme123",
    "iloveyou123",
    "jelszo12345",
    "jelszó12345",
    "letmein123",
    "password12",
    "password123",
    "password1234",
    "qwertyuiop",
    "qwertzuiop",
    "welcome123",
];

/// Without those that look alike: 32 of them, so that five random bits choose one.
const LETTERS: [u8; 32] = *b"abcdefghijkmnpqrstuvwxyz23456789";
/// 20 characters of five bits: a hundred random bits.
const GROUPS: usize = 4;
const GROUP_CHARS: usize = 5;

/// Why a new password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is shorter than {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    #[error("the password is longer than {PASSWORD_CHARS_MAX} characters")]
    TooLong,
    #[error("the password is among the first that anybody would try")]
    TooEasy,
}

/// A password as somebody typed it. It is wiped when it is dropped, and never printed.
#[derive(Clone)]
pub struct Typed(Zeroizing<String>);

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Zeroizing<String>> for Typed {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl Typed {
    pub(super) fn into_text(self) -> Zeroizing<String> {
        self.0
    }

    /// As a new password of whoever has this address.
    pub(super) fn chosen(&self, email: &Email) -> Result<Password, PasswordError> {
        if self.0.chars().count() > PASSWORD_CHARS_MAX {
            return Err(PasswordError::TooLong);
        }
        let password = self.composed();
        if password.0.chars().count() < PASSWORD_CHARS_MIN {
            return Err(PasswordError::TooShort);
        }
        let lower = Zeroizing::new(password.0.to_lowercase());
        let one_character = lower.chars().all(|char| lower.starts_with(char));
        if one_character || *lower == email.folded() || COMMON.contains(&lower.as_str()) {
            return Err(PasswordError::TooEasy);
        }
        Ok(password)
    }

    /// As something to be checked; `None`: it can be nobody's password.
    pub(super) fn tried(&self) -> Option<Password> {
        (self.0.chars().count() <= PASSWORD_CHARS_MAX).then(|| self.composed())
    }

    /// The same characters are the same password, whatever keyboard they come from (SP 800-63B: NFKC).
    fn composed(&self) -> Password {
        Password(Zeroizing::new(self.0.nfkc().collect()))
    }
}

/// A password in the form in which it is hashed.
#[derive(Clone)]
pub(super) struct Password(Zeroizing<String>);

impl Password {
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A strong password, as `xxxxx-xxxxx-xxxxx-xxxxx`.
pub(super) fn made_up(entropy: &Entropy) -> Zeroizing<String> {
    let random = Zeroizing::new(entropy.bytes::<{ GROUPS * GROUP_CHARS }>());
    let letters = Zeroizing::new(random.map(|byte| LETTERS[usize::from(byte % 32)]));
    let groups = letters.chunks(GROUP_CHARS).map(|group| group.iter().map(|letter| char::from(*letter)));
    let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP_CHARS + 1)));
    for (place, group) in groups.enumerate() {
        if place > 0 {
            text.push('-');
        }
        text.extend(group);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Result<Vec<u8>, PasswordError> {
        let email = Email::new("Éva.Kovács@example.hu").unwrap();
        Typed::from(text.to_owned()).chosen(&email).map(|password| password.bytes().to_vec())
    }

    #[test]
    fn length_counts_and_composition_does_not() {
        assert_eq!(chosen("éljen soká"), Ok("éljen soká".as_bytes().to_vec()));
        assert_eq!(chosen("kilenc jel"[1..].into()), Err(PasswordError::TooShort));
        assert_eq!(chosen("    spaces are characters    "), Ok(b"    spaces are characters    ".to_vec()));
        assert!(chosen(&format!("x{}", "é".repeat(255))).is_ok());
        assert_eq!(chosen(&"éa".repeat(129)), Err(PasswordError::TooLong));
    }

    #[test]
    fn what_is_tried_first_is_not_taken() {
        for easy in ["Password123", "QWERTZUIOP", "aaaaaaaaaaaa", "AaAaAaAaAaAa", "éva.kovács@EXAMPLE.hu"] {
            assert_eq!(chosen(easy), Err(PasswordError::TooEasy), "{easy}");
        }
    }

    #[test]
    fn one_password_typed_on_two_keyboards_is_one() {
        let decomposed = "e\u{301}ljen soka\u{301} \u{fb01}n";
        assert_eq!(chosen(decomposed), chosen("éljen soká fin"));
        let tried = Typed::from(decomposed.to_owned()).tried().unwrap();
        assert_eq!(tried.bytes(), "éljen soká fin".as_bytes());
        assert!(Typed::from("x".repeat(257)).tried().is_none());
    }

    #[test]
    fn one_that_is_made_up_is_strong_and_another_every_time() {
        let entropy = Entropy::seeded(1);
        let (one, other) = (made_up(&entropy), made_up(&entropy));
        assert_eq!(one.len(), 23);
        assert!(one.split('-').all(|group| group.len() == 5 && group.bytes().all(|c| LETTERS.contains(&c))));
        assert_ne!(one, other);
        assert!(chosen(&one).is_ok());
    }
}
