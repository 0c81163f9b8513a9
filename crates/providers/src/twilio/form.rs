//! The fields of a form as Twilio signs them: percent-decoded, distinct and sorted.

use std::borrow::Cow;

/// A field that stands there with two different values is whatever its reader likes: nothing, here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguous;

/// Distinct pairs of name and value, sorted by both.
pub(super) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// `None`: not UTF-8. Twilio's own validators put replacement characters there, which makes different bodies
    /// equal under one signature; Twilio itself sends nothing but UTF-8.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut pairs = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(equals + 1..).unwrap_or_default();
            pairs.push((decoded(&pair[..equals])?, decoded(value)?));
        }
        // The official client for Node sorts by UTF-16 units, as JavaScript and Java do.
        pairs.sort_by(|(name, value), (other_name, other_value)| {
            let name = name.encode_utf16().cmp(other_name.encode_utf16());
            name.then_with(|| value.encode_utf16().cmp(other_value.encode_utf16()))
        });
        pairs.dedup();
        Some(Self(pairs))
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// A field's value; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, Ambiguous> {
        let mut values = self.pairs().filter(|(other, _)| *other == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Ambiguous),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }
}

/// `+` is a space and `%` with two digits is a byte; a `%` without them stands for itself.
fn decoded(text: &[u8]) -> Option<Cow<'_, str>> {
    if !text.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let escaped = (*byte == b'%').then(|| digit(at + 1).zip(digit(at + 2))).flatten();
        if let Some((high, low)) = escaped {
            bytes.push(u8::try_from(high << 4 | low).expect("two digits are a byte"));
            at += 3;
        } else {
            bytes.push(if *byte == b'+' { b' ' } else { *byte });
            at += 1;
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
