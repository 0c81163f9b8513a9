//! How long a provider's id may be.

/// Bytes. Meta's message ids have under 200 and Twilio's 34; room for both to grow, and none to be abused as a store.
const BYTES_MAX: usize = 512;

/// Whether this can be the id of a contact, a page or a message.
pub(crate) fn is_usable(id: &str) -> bool {
    !id.is_empty() && id.len() <= BYTES_MAX
}
