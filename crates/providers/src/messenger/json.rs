//! Pieces of JSON, read strictly where Meta documents a shape and leniently where its own examples disagree. Values
//! that nobody reads are skipped without recursion, so that depth costs nothing.

use parlance_domain::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::id;

/// Milliseconds of 2000-01-01 and 2100-01-01: what lies outside is no time of a message. The same numbers read as
/// seconds do not overlap with them, so one look tells the unit.
const MILLIS_MIN: i64 = 946_684_800_000;
const MILLIS_MAX: i64 = 4_102_444_800_000;

/// An object. Nothing else will do: serde would read a struct's fields from a list, too.
pub(super) fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

/// The elements of a list, cut out as they stand.
pub(super) fn list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

/// An id: a string, as documented, or a number, as older examples have it.
pub(super) fn id(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    let told = if number { text.to_owned() } else { string(raw)? };
    id::is_usable(&told).then_some(told)
}

/// A string, or nothing.
pub(super) fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// A number, also as a string.
pub(super) fn number(raw: &RawValue) -> Option<i64> {
    let text = raw.get();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).parse().ok()
}

/// A time in milliseconds, or in seconds as in Meta's example of a postback. An absurd one is none.
pub(super) fn time(raw: &RawValue) -> Option<Timestamp> {
    let told = number(raw)?;
    let millis = [told, told.saturating_mul(1_000)];
    let millis = millis.into_iter().find(|millis| (MILLIS_MIN..MILLIS_MAX).contains(millis))?;
    Some(Timestamp::from_millis(millis))
}
