//! Twilio's signature: the base64 HMAC-SHA1, under the auth token, of the address followed by every field's name and
//! value. A body that is no form is covered by its hash in the address instead (`bodySHA256`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use parlance_app::ingestion::{NotAuthentic, SignedRequest};
use parlance_domain::connection::ConnectionSecrets;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{form::Form, parse::is_form};
use crate::hex;

/// The name of the address's parameter with the body's hash.
const BODY_HASH: &str = "bodySHA256";

pub(super) fn verify(secrets: &ConnectionSecrets, request: &SignedRequest<'_>) -> Result<(), NotAuthentic> {
    let [signature] = request.signatures else { return Err(NotAuthentic::Unsigned) };
    match verified(secrets, request, signature) {
        Some(true) => Ok(()),
        Some(false) | None => Err(NotAuthentic::WrongSignature),
    }
}

/// `None`: the request is not of a form that can be verified.
fn verified(secrets: &ConnectionSecrets, request: &SignedRequest<'_>, signature: &str) -> Option<bool> {
    let told: [u8; 20] = STANDARD.decode(signature).ok()?.try_into().ok()?;
    let url = request.url.split_once('#').map_or(request.url, |(url, _)| url);
    let fields = fields(url, request)?;
    // Twilio signs the address with the port or without it, depending on the product.
    let urls = [without_port(url), with_port(url)];
    let secrets = [Some(secrets.signing.as_str()), secrets.signing_previous.as_deref()];
    let mut verified = false;
    // All are always tried, so that the time taken does not tell which one it was.
    for secret in secrets.into_iter().flatten().filter(|secret| !secret.is_empty()) {
        for url in &urls {
            verified |= mac(secret, url, &fields).verify_slice(&told).is_ok();
        }
    }
    Some(verified)
}

/// The fields that the signature covers. A body is covered one way or the other, or the request is refused.
fn fields<'a>(url: &str, request: &SignedRequest<'a>) -> Option<Form<'a>> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let parameters = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut hashes = parameters.filter(|(name, _)| *name == BODY_HASH).map(|(_, hash)| hash);
    match (hashes.next(), hashes.next()) {
        (Some(hash), None) => {
            let told: [u8; 32] = hex::decode(hash)?;
            let same: bool = Sha256::digest(request.body).as_slice().ct_eq(&told).into();
            same.then(|| Form::read(b"")).flatten()
        }
        (Some(_), Some(_)) => None,
        (None, _) if is_form(request.content_type) => Form::read(request.body),
        (None, _) => request.body.is_empty().then(|| Form::read(b"")).flatten(),
    }
}

fn mac(secret: &str, url: &str, fields: &Form<'_>) -> Hmac<Sha1> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    for (name, value) in fields.pairs() {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac
}

/// Where the authority's port would begin, and where the authority ends.
fn authority(url: &str) -> Option<(usize, usize)> {
    let start = url.find("://")? + "://".len();
    let end = url[start..].find(['/', '?']).map_or(url.len(), |length| start + length);
    let host = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    // The colons of an IPv6 address are in brackets.
    let bracket = url[host..end].rfind(']').map_or(host, |at| host + at + 1);
    let port = url[bracket..end].find(':').map_or(end, |at| bracket + at);
    Some((port, end))
}

fn without_port(url: &str) -> String {
    authority(url).map_or_else(|| url.to_owned(), |(port, end)| [&url[..port], &url[end..]].concat())
}

/// The address with its own port, or with its scheme's where it has none.
fn with_port(url: &str) -> String {
    match authority(url) {
        Some((port, end)) if port == end => {
            let is_tls = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
            [&url[..end], if is_tls { ":443" } else { ":80" }, &url[end..]].concat()
        }
        _ => url.to_owned(),
    }
}
