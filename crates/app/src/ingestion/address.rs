//! Webhook addresses: the secret token in the path names account and connection, and proves that whoever calls
//! was given the address. The signature is checked besides.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parlance_domain::{AccountId, ConnectionId};
use uuid::Uuid;

use crate::entropy::Entropy;

/// Account (32 hex digits), connection (32), then 32 random bytes in base64url (43 characters).
const TOKEN_CHARS: usize = 32 + 32 + 43;

/// Makes a connection's token.
pub fn webhook_token(account: AccountId, connection: ConnectionId, entropy: &Entropy) -> String {
    let secret = URL_SAFE_NO_PAD.encode(entropy.bytes::<32>());
    format!("{}{}{secret}", account.uuid().simple(), connection.uuid().simple())
}

/// Whose token this says it is. The secret in it is still to be compared.
pub(super) fn named_by(token: &str) -> Option<(AccountId, ConnectionId)> {
    if token.len() != TOKEN_CHARS || !token.is_ascii() {
        return None;
    }
    let id = |text: &str| Uuid::try_parse(text).ok();
    Some((AccountId::new(id(&token[..32])?), ConnectionId::new(id(&token[32..64])?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_account_and_connection_and_nothing_else_does() {
        let (account, connection) =
            (AccountId::new(Uuid::from_u128(1)), ConnectionId::new(Uuid::from_u128(2)));
        let token = webhook_token(account, connection, &Entropy::seeded(1));
        assert_eq!(named_by(&token), Some((account, connection)));
        assert_ne!(token, webhook_token(account, connection, &Entropy::seeded(2)));
        for cut in 0..token.len() {
            assert_eq!(named_by(&token[..cut]), None);
        }
        assert_eq!(named_by(&format!("{token}x")), None);
        assert_eq!(named_by(&"é".repeat(TOKEN_CHARS)), None);
        assert_eq!(named_by(&"z".repeat(TOKEN_CHARS)), None);
    }
}
