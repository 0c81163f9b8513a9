//! Hints as text. A payload is the form's letter, the sender (16 hex digits), and hints behind semicolons: `A` account
//! (32 hex digits) position (hex), `S` the same, `E` account member, `M`. A form or a kind that is not known, because
//! a newer server tells it, is taken as [`Hint::Missed`].

use std::fmt::Write as _;

use parlance_domain::{AccountId, MemberId, Position};
use parlance_store::Hint;
use uuid::Uuid;

const FORM: &str = "a";

/// PostgreSQL takes payloads of less than 8,000 bytes.
const BYTES_MAX: usize = 7_900;
/// The longest hint: its semicolon, its letter, two ids.
const HINT_BYTES_MAX: usize = 2 + 2 * 32;

/// The hints in as many payloads as they need.
pub(super) fn write(me: u64, hints: &[Hint]) -> Vec<String> {
    let begin = || format!("{FORM}{me:016x}");
    let mut payloads = Vec::new();
    let mut payload = begin();
    for hint in hints {
        if payload.len() + HINT_BYTES_MAX > BYTES_MAX {
            payloads.push(std::mem::replace(&mut payload, begin()));
        }
        match hint {
            Hint::Appended { account, position } => {
                write!(payload, ";A{}{:x}", account.uuid().simple(), position.number())
            }
            Hint::Shown { account, position } => {
                write!(payload, ";S{}{:x}", account.uuid().simple(), position.number())
            }
            Hint::Ended { account, member } => {
                write!(payload, ";E{}{}", account.uuid().simple(), member.uuid().simple())
            }
            Hint::Missed => write!(payload, ";M"),
        }
        .expect("a string takes everything");
    }
    payloads.push(payload);
    payloads
}

/// What the others tell; nothing when it was told by `me`.
pub(super) fn read(me: u64, payload: &str) -> Vec<Hint> {
    let Some(rest) = payload.strip_prefix(FORM) else { return vec![Hint::Missed] };
    let mut parts = rest.split(';');
    let sender = parts.next().and_then(|sender| u64::from_str_radix(sender, 16).ok());
    if sender == Some(me) {
        return Vec::new();
    }
    parts.map(|part| hint(part).unwrap_or(Hint::Missed)).collect()
}

fn hint(part: &str) -> Option<Hint> {
    let (kind, rest) = part.split_at_checked(1)?;
    if kind == "M" {
        return Some(Hint::Missed);
    }
    let (account, rest) = rest.split_at_checked(32)?;
    let account = AccountId::new(Uuid::try_parse(account).ok()?);
    let position = || Some(Position::new(u64::from_str_radix(rest, 16).ok()?));
    match kind {
        "A" => Some(Hint::Appended { account, position: position()? }),
        "S" => Some(Hint::Shown { account, position: position()? }),
        "E" => Some(Hint::Ended { account, member: MemberId::new(Uuid::try_parse(rest).ok()?) }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Hint> {
        let account = AccountId::new(Uuid::from_u128(0xA));
        let last = Position::new(u64::MAX);
        vec![
            Hint::Appended { account, position: last },
            Hint::Shown { account: AccountId::new(Uuid::max()), position: Position::START },
            Hint::Ended { account, member: MemberId::new(Uuid::max()) },
            Hint::Missed,
        ]
    }

    #[test]
    fn what_is_told_is_heard_by_all_but_the_teller() {
        let payloads = write(7, &all());
        assert_eq!(payloads.len(), 1);
        assert_eq!(read(8, &payloads[0]), all());
        assert_eq!(read(7, &payloads[0]), []);
    }

    #[test]
    fn many_hints_are_several_payloads_none_of_them_too_long() {
        let many: Vec<_> = (0..1_000).flat_map(|_| all()).collect();
        let payloads = write(u64::MAX, &many);
        assert!(payloads.iter().all(|payload| payload.len() < 8_000), "PostgreSQL's bound");
        assert!(payloads.len() > 10);
        let heard: Vec<_> = payloads.iter().flat_map(|payload| read(0, payload)).collect();
        assert_eq!(heard, many);
    }

    #[test]
    fn what_is_not_understood_means_look_everywhere() {
        for (odd, count) in [("", 1), ("b0123", 1), ("a0;Z", 1), ("a0;A12", 1), ("a0;M;", 2), ("aé;É", 1)] {
            assert_eq!(read(7, odd), vec![Hint::Missed; count], "{odd}");
        }
    }
}
