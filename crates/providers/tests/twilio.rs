//! The official npm package `twilio` signs, Parlance verifies: 1,000 random forms. Its generator is in
//! `tests/twilio/` at the repository's top, and runs where `npm ci` was run there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use parlance_app::ingestion::{Provider as _, SignedRequest};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde::Deserialize;

use crate::support::{secrets, twilio};

/// Twilio's own example, as in the generator.
const TOKEN: &str = "12345";
const FORM: &str = "application/x-www-form-urlencoded";
const COUNT: usize = 1_000;
const SEED: u32 = 20_260_101;

#[derive(Deserialize)]
struct Signed {
    url: String,
    body: String,
    signature: String,
}

impl Signed {
    fn is_verified(&self, url: &str, signature: &str, body: &[u8]) -> bool {
        let request = SignedRequest { url, content_type: FORM, signatures: &[signature], body };
        twilio().verify(&secrets(TOKEN), &request).is_ok()
    }
}

fn generator() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/twilio")
}

/// `None`: the official client is not installed here, and need not be.
fn signed() -> Option<Vec<Signed>> {
    let generator = generator();
    if !generator.join("node_modules/twilio").is_dir() {
        let required = std::env::var("PARLANCE_REQUIRE_NODE").is_ok_and(|required| required == "1");
        assert!(!required, "the official client is required: run `npm ci` in tests/twilio");
        eprintln!("PASSED OVER: the official client is not installed; run `npm ci` in tests/twilio");
        return None;
    }
    let output = Command::new("node")
        .arg("sign.mjs")
        .args([SEED.to_string(), COUNT.to_string()])
        .current_dir(&generator)
        .output()
        .expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("JSON is text");
    let signed: Vec<Signed> =
        lines.lines().map(|line| serde_json::from_str(line).expect("a signed request")).collect();
    assert_eq!(signed.len(), COUNT);
    Some(signed)
}

/// `text` with one bit of one byte changed, so that ASCII stays ASCII.
fn changed(text: &str, rng: &mut StdRng) -> Option<Vec<u8>> {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        return None;
    }
    let at = rng.random_range(0..bytes.len());
    bytes[at] ^= 1 << rng.random_range(0..7);
    Some(bytes)
}

/// What is signed of a form, read by another implementation: names and values with nothing between them.
fn run_together(body: &[u8]) -> String {
    let mut fields: Vec<_> = form_urlencoded::parse(body).collect();
    fields.sort();
    fields.dedup();
    fields.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

#[test]
fn what_the_official_client_signs_is_verified() {
    for (number, signed) in signed().unwrap_or_default().iter().enumerate() {
        let Signed { url, body, signature, .. } = signed;
        assert!(signed.is_verified(url, signature, body.as_bytes()), "request {number} of seed {SEED}");
        let parts = twilio().parse(FORM, body.as_bytes());
        assert_eq!(parts.len(), 1, "request {number} of seed {SEED}");
    }
}

#[test]
fn with_one_byte_changed_it_is_not_verified() {
    let mut rng = StdRng::seed_from_u64(SEED.into());
    let (mut bodies, mut others) = (0, 0);
    for (number, signed) in signed().unwrap_or_default().iter().enumerate() {
        let Signed { url, body, signature, .. } = signed;
        let at = format!("request {number} of seed {SEED}");
        if let Some(other) = changed(body, &mut rng)
            // Some changes are none: `%4a` for `%4A`, or a field that moves past its name's end.
            && run_together(&other) != run_together(body.as_bytes())
        {
            assert!(!signed.is_verified(url, signature, &other), "{at}: another body");
            bodies += 1;
        }
        let extended = [body.as_bytes(), b"&Extra=1"].concat();
        assert!(!signed.is_verified(url, signature, &extended), "{at}: a field more");
        let url_of = |bytes| String::from_utf8(bytes).ok();
        let path = url.rfind('/').expect("a path");
        if let Some(end) = changed(&url[path..], &mut rng).and_then(url_of)
            && !end.contains('#')
        {
            let other = [&url[..path], &end].concat();
            assert!(!signed.is_verified(&other, signature, body.as_bytes()), "{at}: another address");
            others += 1;
        }
        let other = changed(signature, &mut rng).and_then(url_of).expect("a signature");
        assert!(!signed.is_verified(url, &other, body.as_bytes()), "{at}: another signature");
    }
    eprintln!("{bodies} bodies and {others} addresses with one byte changed were refused");
}
