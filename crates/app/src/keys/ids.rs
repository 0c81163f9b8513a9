//! Derived ids: UUIDv8 (RFC 9562) from HMAC-SHA-256 under the account's own id key, of a label and
//! length-prefixed fields. The same page, contact or message always has the same id, and without the key an
//! id cannot be turned back into a phone number.

use hmac::{Hmac, KeyInit as _, Mac as _};
use parlance_domain::{
    ChannelId, ConnectionId, ConversationId, DedupeToken, DeliveryId, Email, KeyId, MemberId, MessageId,
    ReadingId, StreamRef, connection::ChannelKind,
};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

/// An account's id key: made with the account, never replaced.
pub struct IdKey(Zeroizing<[u8; 32]>);

impl IdKey {
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    fn derive(&self, label: &str, fields: &[&[u8]]) -> [u8; 16] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes a key of any length");
        for field in std::iter::once(label.as_bytes()).chain(fields.iter().copied()) {
            mac.update(&(field.len() as u64).to_be_bytes());
            mac.update(field);
        }
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        id
    }

    fn id(&self, label: &str, fields: &[&[u8]]) -> Uuid {
        uuid::Builder::from_custom_bytes(self.derive(label, fields)).into_uuid()
    }

    pub fn channel(&self, kind: ChannelKind, provider_id: &str) -> ChannelId {
        ChannelId::new(self.id("channel", &[kind.code().as_bytes(), provider_id.as_bytes()]))
    }

    /// `provider_contact_id`: the page-scoped id, or Twilio's `From`, exactly as signed.
    pub fn conversation(&self, channel: ChannelId, provider_contact_id: &str) -> ConversationId {
        ConversationId::new(self.id("conversation", &[&channel.bytes(), provider_contact_id.as_bytes()]))
    }

    pub fn message(&self, channel: ChannelId, provider_message_id: &str) -> MessageId {
        MessageId::new(self.id("message", &[&channel.bytes(), provider_message_id.as_bytes()]))
    }

    pub fn member(&self, email: &Email) -> MemberId {
        MemberId::new(self.id("member", &[email.folded().as_bytes()]))
    }

    pub fn reading(&self, member: MemberId, conversation: ConversationId) -> ReadingId {
        ReadingId::new(self.id("reading", &[&member.bytes(), &conversation.bytes()]))
    }

    /// What a provider told about a message, told at most once: `what` names the kind, `fields` tell which.
    pub fn token(&self, channel: ChannelId, what: &str, fields: &[&[u8]]) -> DedupeToken {
        let channel = channel.bytes();
        let all: Vec<&[u8]> =
            [channel.as_slice(), what.as_bytes()].into_iter().chain(fields.iter().copied()).collect();
        DedupeToken::from_bytes(self.derive("token", &all))
    }

    /// A body that was kept of what came to a connection.
    pub fn delivery(&self, connection: ConnectionId, body: &[u8]) -> DeliveryId {
        DeliveryId::new(self.id("delivery", &[&connection.bytes(), body]))
    }

    /// The `number`th data key of a stream.
    pub(super) fn key(&self, stream: StreamRef, number: u32) -> KeyId {
        let fields: [&[u8]; 3] =
            [stream.kind.as_str().as_bytes(), stream.id.as_bytes(), &number.to_be_bytes()];
        KeyId::new(self.id("key", &fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_for_ever() {
        let key = IdKey::new([1; 32]);
        let channel = key.channel(ChannelKind::Messenger, "682498302938465");
        assert_eq!(channel.to_string(), "chan_cb2628e450c98743839d2296012f6cd1");
        assert_eq!(key.message(channel, "mid.1").to_string(), "msg_159d909422df8fe7901dbe63b0e11ed0");
        assert_eq!(channel.uuid().get_version_num(), 8);
        let conversation = key.conversation(channel, "PSID1");
        assert_eq!(conversation.to_string(), "conv_5cb90ab7d8e283abb7b54ca34b131152");
        let member = key.member(&Email::new("Éva@example.hu").unwrap());
        assert_eq!(member.to_string(), "memb_c698854324ff85f796adaace502726d0");
        assert_eq!(key.reading(member, conversation).to_string(), "read_d39ad8305d5d8d12b1250502e65378bb");
        assert_eq!(
            format!("{:?}", key.token(channel, "read", &[b"17"])),
            "token_03ed1d5319f1dd6462fd2564ef3a3156"
        );
        assert_eq!(key.key(conversation.into(), 2).to_string(), "key_35c8ab0ec2b58493a5148bb4f3ec9f16");
    }

    #[test]
    fn fields_do_not_run_into_each_other_and_accounts_differ() {
        let key = IdKey::new([1; 32]);
        let (a, b) =
            (key.channel(ChannelKind::Messenger, "1"), key.channel(ChannelKind::WhatsappTwilio, "1"));
        assert_ne!(a, b);
        assert_ne!(key.token(a, "read", &[b"ab", b"c"]), key.token(a, "read", &[b"a", b"bc"]));
        assert_ne!(a, IdKey::new([2; 32]).channel(ChannelKind::Messenger, "1"));
        let eva = |text| key.member(&Email::new(text).unwrap());
        assert_eq!(eva("Eva@Example.hu"), eva("eva@example.HU"));
    }
}
