//! Meta's signature: `sha256=` and the lower-case hexadecimal HMAC-SHA256 of the raw body under the app secret. The
//! bytes are never parsed first: Meta signs its own escapes, which no other writer of JSON repeats.

use hmac::{Hmac, KeyInit as _, Mac as _};
use parlance_app::ingestion::{NotAuthentic, SignedRequest};
use parlance_domain::connection::ConnectionSecrets;
use sha2::Sha256;

use crate::hex;

pub(super) fn verify(secrets: &ConnectionSecrets, request: &SignedRequest<'_>) -> Result<(), NotAuthentic> {
    let [signature] = request.signatures else { return Err(NotAuthentic::Unsigned) };
    let told: [u8; 32] =
        signature.strip_prefix("sha256=").and_then(hex::decode).ok_or(NotAuthentic::WrongSignature)?;
    let signed = |secret: &str| !secret.is_empty() && mac(secret, request.body).verify_slice(&told).is_ok();
    // Both are always tried, so that the time taken does not tell which one it was.
    let current = signed(&secrets.signing);
    let previous = secrets.signing_previous.as_deref().is_some_and(signed);
    if current | previous { Ok(()) } else { Err(NotAuthentic::WrongSignature) }
}

/// What the app secret signs: bodies here, access tokens in the Graph API's `appsecret_proof`.
pub(super) fn mac(secret: &str, bytes: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(bytes);
    mac
}
