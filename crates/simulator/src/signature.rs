//! How the two providers sign. Nothing here compares: checking a signature is the business of whoever receives it.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// `X-Hub-Signature-256` of a body: `sha256=` and the lower-case hex HMAC-SHA256 of its bytes under the app secret
/// (PROTOCOLS 4.1).
pub fn meta(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac_sha256_hex(app_secret, body))
}

/// `X-Hub-Signature` of a body, which Meta still sends beside the newer one: `sha1=` and the hex HMAC-SHA1.
pub fn meta_sha1(app_secret: &str, body: &[u8]) -> String {
    format!("sha1={}", hex(&hmac_sha1(app_secret, body)))
}

/// The `appsecret_proof` of a call to the Graph API: hex HMAC-SHA256 of the access token under the app secret.
pub fn appsecret_proof(app_secret: &str, access_token: &str) -> String {
    hmac_sha256_hex(app_secret, access_token.as_bytes())
}

/// `X-Twilio-Signature`: base64 of HMAC-SHA1, under the auth token, of the address without its fragment followed by
/// every parameter's name and value, sorted by name; a name's several values are told once each, sorted
/// (PROTOCOLS 4.2). `params` are decoded. A JSON body has none: its address carries `bodySHA256` instead.
pub fn twilio(auth_token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in params {
        sorted.entry(name).or_default().insert(value);
    }
    let mut signed = without_fragment(url).to_owned();
    for (name, values) in sorted {
        for value in values {
            signed.push_str(name);
            signed.push_str(value);
        }
    }
    BASE64_STANDARD.encode(hmac_sha1(auth_token, signed.as_bytes()))
}

/// The address as it is called: what follows `#` stays with the provider.
pub(crate) fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(address, _)| address)
}

/// Hex SHA-256, of which the simulator makes ids that look like the providers'.
pub(crate) fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hmac_sha256_hex(key: &str, text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text);
    hex(&mac.finalize().into_bytes())
}

fn hmac_sha1(key: &str, text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn twilio_signs_as_its_own_library_expects() {
        let call = params(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
            ("Caller", "+14158675309"),
        ]);
        let address = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(twilio("12345", address, &call), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        for (base, signature) in [
            ("https://mycompany.com:443", "kvajT1Ptam85bY51eRf/AJRuM3w="),
            ("http://mycompany.com:1234", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
            ("http://mycompany.com:80", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ] {
            assert_eq!(twilio("12345", &format!("{base}/myapp.php?foo=1&bar=2"), &call), signature, "{base}");
        }
    }

    #[test]
    fn the_fragment_of_an_address_is_not_signed() {
        let plain = twilio("12345", "https://mycompany.com/a?b=1", &[]);
        assert_eq!(twilio("12345", "https://mycompany.com/a?b=1#rc=5&rp=all", &[]), plain);
    }

    #[test]
    fn repeated_names_are_signed_in_order_of_their_values() {
        let pairs = [
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ];
        let address = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(twilio("12345", address, &params(&pairs)), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    }

    #[test]
    fn a_json_body_is_signed_by_its_hash_in_the_address() {
        let address = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=\
                       0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
        assert_eq!(twilio("12345", address, &[]), "a9nBmqA0ju/hNViExpshrM61xv4=");
    }

    #[test]
    fn values_are_signed_decoded_and_in_utf_8() {
        let inbound = params(&[
            ("MessageSid", "SM00000000000000000000000000000001"),
            ("From", "whatsapp:+36201234567"),
            ("To", "whatsapp:+14155238886"),
            ("Body", "Jó napot! 100% & more"),
            ("NumMedia", "0"),
            ("ProfileName", "Kovács Éva"),
            ("WaId", "36201234567"),
        ]);
        let address = "https://inbox.example.com/webhooks/twilio/whatsapp";
        assert_eq!(twilio("12345", address, &inbound), "Qs2dtthQph3n/jkwerH9ydup1eU=");
        let status = params(&[
            ("MessageSid", "SM00000000000000000000000000000002"),
            ("MessageStatus", "undelivered"),
            ("ErrorCode", "63016"),
            ("To", "whatsapp:+36201234567"),
            ("From", "whatsapp:+14155238886"),
            ("AccountSid", "AC00000000000000000000000000000000"),
        ]);
        let address = "https://inbox.example.com/webhooks/twilio/status";
        assert_eq!(twilio("12345", address, &status), "Dji1OMO/wwGLoczWCNDM6cX8sr4=");
    }

    #[test]
    fn meta_signs_the_bytes_it_sends() {
        for (secret, body, signature) in [
            (
                "It's a Secret to Everybody",
                "Hello, World!",
                "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            ),
            (
                "test_app_secret",
                r#"{"text":"J\u00f3 napot \/ \u20ac"}"#,
                "cb163c5e773a3dfc41bbf726a03850f50138494a604957eea7366ba80dc630bf",
            ),
            (
                "test_app_secret",
                r#"{"text":"Jó napot / €"}"#,
                "16b3ddf2655fbdb0070bd2d371e72ea26efc2bf7c7339ef722d7fb31f593df9f",
            ),
        ] {
            assert_eq!(meta(secret, body.as_bytes()), format!("sha256={signature}"));
        }
    }
}
