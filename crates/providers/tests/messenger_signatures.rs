//! Meta's signature: every known vector, and everything that is nearly one.

use parlance_app::ingestion::{NotAuthentic, Provider as _, SignedRequest};
use parlance_domain::connection::ConnectionSecrets;

use crate::support::{messenger, rotated, secrets};

const SECRET: &str = "test_app_secret";
const BODY: &str = r#"{"object":"page","entry":[{"id":"682498302938465","time":1518479195594,"messaging":[{"sender":{"id":"PSID1"},"recipient":{"id":"682498302938465"},"timestamp":1518479195308,"message":{"mid":"mid.$cAAJdkrCd2ORnva8ErFhjGm0X_Q_c","text":"hello, world!"}}]}]}"#;
const SIGNATURE: &str = "sha256=850ec7415b74ca1c4ad0258108aee154327955d5eb50095ec69a132fbb2d6deb";
const ESCAPED: &str = r#"{"text":"J\u00f3 napot \/ \u20ac"}"#;
const ESCAPED_SIGNATURE: &str = "sha256=cb163c5e773a3dfc41bbf726a03850f50138494a604957eea7366ba80dc630bf";
const PLAIN: &str = r#"{"text":"Jó napot / €"}"#;
const PLAIN_SIGNATURE: &str = "sha256=16b3ddf2655fbdb0070bd2d371e72ea26efc2bf7c7339ef722d7fb31f593df9f";

fn verify(secrets: &ConnectionSecrets, signatures: &[&str], body: &str) -> Result<(), NotAuthentic> {
    let request = SignedRequest {
        url: "https://inbox.example.com/webhooks/token",
        content_type: "application/json",
        signatures,
        body: body.as_bytes(),
    };
    messenger().verify(secrets, &request)
}

#[test]
fn the_published_greeting_is_verified() {
    let secrets = secrets("It's a Secret to Everybody");
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(verify(&secrets, &[signature], "Hello, World!"), Ok(()));
}

#[test]
fn a_documented_message_is_verified() {
    assert_eq!(BODY.len(), 254);
    assert_eq!(verify(&secrets(SECRET), &[SIGNATURE], BODY), Ok(()));
}

#[test]
fn escapes_are_verified_as_they_were_sent() {
    assert_eq!(verify(&secrets(SECRET), &[ESCAPED_SIGNATURE], ESCAPED), Ok(()));
    assert_eq!(verify(&secrets(SECRET), &[PLAIN_SIGNATURE], PLAIN), Ok(()));
}

#[test]
fn equal_json_in_other_bytes_is_not_verified() {
    let wrong = Err(NotAuthentic::WrongSignature);
    assert_eq!(verify(&secrets(SECRET), &[PLAIN_SIGNATURE], ESCAPED), wrong);
    assert_eq!(verify(&secrets(SECRET), &[ESCAPED_SIGNATURE], PLAIN), wrong);
    let value: serde_json::Value = serde_json::from_str(ESCAPED).expect("JSON");
    assert_eq!(verify(&secrets(SECRET), &[ESCAPED_SIGNATURE], &value.to_string()), wrong);
}

#[test]
fn the_secret_before_the_rotation_still_verifies() {
    assert_eq!(verify(&rotated("a newer secret", SECRET), &[SIGNATURE], BODY), Ok(()));
    assert_eq!(verify(&rotated(SECRET, "an older secret"), &[SIGNATURE], BODY), Ok(()));
}

#[test]
fn a_secret_two_rotations_back_does_not_verify() {
    let secrets = rotated("a newer secret", "another");
    assert_eq!(verify(&secrets, &[SIGNATURE], BODY), Err(NotAuthentic::WrongSignature));
}

#[test]
fn without_exactly_one_signature_a_request_is_unsigned() {
    assert_eq!(verify(&secrets(SECRET), &[], BODY), Err(NotAuthentic::Unsigned));
    assert_eq!(verify(&secrets(SECRET), &[SIGNATURE, SIGNATURE], BODY), Err(NotAuthentic::Unsigned));
    assert_eq!(verify(&secrets(SECRET), &[SIGNATURE, "sha256=00"], BODY), Err(NotAuthentic::Unsigned));
}

#[test]
fn a_signature_of_another_form_is_wrong() {
    let digits = SIGNATURE.strip_prefix("sha256=").expect("the prefix");
    let others = [
        String::new(),
        "sha256=".into(),
        digits.into(),
        format!("SHA256={digits}"),
        format!("sha1={digits}"),
        format!("sha256={}", digits.to_uppercase()),
        format!(" {SIGNATURE}"),
        format!("{SIGNATURE} "),
        format!("{SIGNATURE},{SIGNATURE}"),
        format!("{SIGNATURE}0"),
        format!("{SIGNATURE}00"),
        SIGNATURE[..SIGNATURE.len() - 1].into(),
        SIGNATURE[..SIGNATURE.len() - 2].into(),
        format!("sha256={}", "é".repeat(32)),
    ];
    for other in others {
        assert_eq!(verify(&secrets(SECRET), &[&other], BODY), Err(NotAuthentic::WrongSignature), "{other}");
    }
}

#[test]
fn a_truncated_body_is_not_verified() {
    for length in 0..BODY.len() {
        let cut = &BODY[..length];
        assert_eq!(verify(&secrets(SECRET), &[SIGNATURE], cut), Err(NotAuthentic::WrongSignature));
    }
}

#[test]
fn an_empty_secret_verifies_nothing() {
    // HMAC-SHA256 of an empty body under an empty key: right, and worthless.
    let signature = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    let wrong = Err(NotAuthentic::WrongSignature);
    assert_eq!(verify(&secrets(""), &[signature], ""), wrong);
    assert_eq!(verify(&rotated(SECRET, ""), &[signature], ""), wrong);
}
