//! The canonical form of a row: one byte string a recorded event, the same on every store and for ever. It is
//! what gets copied; what gets hashed is the same with SHA-256 of the payload and of the sealed bytes in their
//! places, so that a proof needs neither.
//!
//! Fields in order, integers big endian: form (1 byte, 1) · account (16) · position (8) · stream type (text) ·
//! stream id (16) · version (8) · event type (text) · schema version (2) · recorded at (8, µs) · actor kind
//! (text) · actor id (optional 16) · actor reason (optional text) · correlation (16) · causation (16) ·
//! payload (bytes) · sealed (optional bytes) · key (optional 16) · dedupe (optional 16). A text or bytes is
//! its length (4 bytes) and itself; an optional is one byte, 0 or 1, and then the value.

use parlance_domain::{
    AccountId, Actor, CommandId, CorrelationId, DedupeToken, KeyId, Position, RecordedEvent, StreamRef,
    StreamType, Timestamp,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const FORM: u8 = 1;

/// Bytes that are no row in canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a row in canonical form")]
pub struct NotCanonical;

/// The row's bytes.
pub fn encode(row: &RecordedEvent) -> Vec<u8> {
    with_content(row, &row.payload, row.sealed.as_deref())
}

/// SHA-256 over the canonical form of the row with the SHA-256 of `payload` and of `sealed` in their places.
pub fn hash(row: &RecordedEvent) -> [u8; 32] {
    let sealed = row.sealed.as_ref().map(Sha256::digest);
    Sha256::digest(with_content(row, &Sha256::digest(&row.payload), sealed.as_deref())).into()
}

fn with_content(row: &RecordedEvent, payload: &[u8], sealed: Option<&[u8]>) -> Vec<u8> {
    fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("parts of an event are bounded far below 4 GiB");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(bytes);
    }
    fn optional<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
        out.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(out, value);
        }
    }
    let (actor_kind, actor_id, actor_reason) = row.actor.to_columns();
    let mut out = Vec::with_capacity(256 + payload.len() + sealed.map_or(0, <[u8]>::len));
    out.push(FORM);
    out.extend_from_slice(&row.account.bytes());
    out.extend_from_slice(&row.position.number().to_be_bytes());
    bytes(&mut out, row.stream.kind.as_str().as_bytes());
    out.extend_from_slice(row.stream.id.as_bytes());
    out.extend_from_slice(&row.version.to_be_bytes());
    bytes(&mut out, row.event_type.as_bytes());
    out.extend_from_slice(&row.schema_version.to_be_bytes());
    out.extend_from_slice(&row.recorded_at.micros().to_be_bytes());
    bytes(&mut out, actor_kind.as_bytes());
    optional(&mut out, actor_id, |out, id| out.extend_from_slice(id.as_bytes()));
    optional(&mut out, actor_reason, |out, reason| bytes(out, reason.as_bytes()));
    out.extend_from_slice(&row.correlation.bytes());
    out.extend_from_slice(&row.causation.bytes());
    bytes(&mut out, payload);
    optional(&mut out, sealed, bytes);
    optional(&mut out, row.key, |out, key| out.extend_from_slice(&key.bytes()));
    optional(&mut out, row.dedupe, |out, token| out.extend_from_slice(&token.bytes()));
    out
}

/// The way back of [`encode`]; refuses anything that `encode` would not have written.
pub fn decode(bytes: &[u8]) -> Result<RecordedEvent, NotCanonical> {
    let mut read = Reader(bytes);
    let row = read.row().ok_or(NotCanonical)?;
    if read.0.is_empty() { Ok(row) } else { Err(NotCanonical) }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).ok()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.array::<1>()? {
            [0] => Some(None),
            [1] => read(self).map(Some),
            _ => None,
        }
    }

    fn row(&mut self) -> Option<RecordedEvent> {
        if self.array()? != [FORM] {
            return None;
        }
        Some(RecordedEvent {
            account: AccountId::from_bytes(self.array()?),
            position: Position::new(u64::from_be_bytes(self.array()?)),
            stream: StreamRef::new(StreamType::parse(self.text()?)?, Uuid::from_bytes(self.array()?)),
            version: u64::from_be_bytes(self.array()?),
            event_type: self.text()?.to_owned(),
            schema_version: u16::from_be_bytes(self.array()?),
            recorded_at: Timestamp::from_micros(i64::from_be_bytes(self.array()?)),
            actor: {
                let kind = self.text()?;
                let id = self.optional(|read| read.array().map(Uuid::from_bytes))?;
                let reason = self.optional(Self::text)?;
                Actor::from_columns(kind, id, reason)?
            },
            correlation: CorrelationId::from_bytes(self.array()?),
            causation: CommandId::from_bytes(self.array()?),
            payload: self.bytes()?.to_vec(),
            sealed: self.optional(|read| read.bytes().map(<[u8]>::to_vec))?,
            key: self.optional(|read| read.array().map(KeyId::from_bytes))?,
            dedupe: self.optional(|read| read.array().map(DedupeToken::from_bytes))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use parlance_domain::SystemReason;

    use super::*;

    fn full() -> RecordedEvent {
        RecordedEvent {
            account: AccountId::new(Uuid::from_u128(1)),
            position: Position::new(2),
            stream: StreamRef::new(StreamType::Conversation, Uuid::from_u128(3)),
            version: 4,
            event_type: "Unassigned".to_owned(),
            schema_version: 1,
            recorded_at: Timestamp::from_micros(1_700_000_000_000_001),
            actor: Actor::System(SystemReason::ReopenRule),
            correlation: CorrelationId::new(Uuid::from_u128(5)),
            causation: CommandId::new(Uuid::from_u128(6)),
            payload: br#"{"incarnation":1}"#.to_vec(),
            sealed: Some(vec![1, 2, 3]),
            key: Some(KeyId::new(Uuid::from_u128(7))),
            dedupe: Some(DedupeToken::from_bytes([8; 16])),
        }
    }

    fn bare() -> RecordedEvent {
        RecordedEvent {
            actor: Actor::Contact(parlance_domain::ConversationId::new(Uuid::from_u128(9))),
            sealed: None,
            key: None,
            dedupe: None,
            ..full()
        }
    }

    #[test]
    fn the_form_is_for_ever() {
        let hex = |row| hash(&row).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(full()), "f18fa6aed764d9f67d9bbcbc2157b49a10b87ce5a647933a2ea1f4d4934201cf");
        assert_eq!(hex(bare()), "9f2c2e47c97037cab75cd075e8e53a756cd15435be99211a83c6c0861bb646d5");
    }

    #[test]
    fn a_row_survives_and_nothing_but_a_whole_row_is_one() {
        for row in [full(), bare()] {
            let bytes = encode(&row);
            assert_eq!(decode(&bytes), Ok(row));
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), Err(NotCanonical), "cut at {cut}");
            }
            let mut longer = bytes.clone();
            longer.push(0);
            assert_eq!(decode(&longer), Err(NotCanonical));
        }
    }

    #[test]
    fn every_byte_counts() {
        let bytes = encode(&full());
        for place in 0..bytes.len() {
            let mut other = bytes.clone();
            other[place] ^= 1;
            assert_ne!(decode(&other), Ok(full()), "byte {place}");
        }
    }
}
