//! Twilio's signature: every known vector, and everything that is nearly one.

use parlance_app::ingestion::{NotAuthentic, Provider as _, SignedRequest};
use parlance_domain::connection::ConnectionSecrets;

use crate::support::{rotated, secrets, twilio};

const TOKEN: &str = "12345";
const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const BODY: &str =
    "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
const JSON_BODY: &str = r#"{"property": "value", "boolean": true}"#;
const JSON_HASH: &str = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
const JSON_SIGNATURE: &str = "a9nBmqA0ju/hNViExpshrM61xv4=";
const WRONG: Result<(), NotAuthentic> = Err(NotAuthentic::WrongSignature);

fn verify_as(
    secrets: &ConnectionSecrets,
    content_type: &str,
    url: &str,
    signatures: &[&str],
    body: &[u8],
) -> Result<(), NotAuthentic> {
    twilio().verify(secrets, &SignedRequest { url, content_type, signatures, body })
}

fn verify(url: &str, signature: &str, body: &str) -> Result<(), NotAuthentic> {
    verify_as(&secrets(TOKEN), FORM, url, &[signature], body.as_bytes())
}

fn verify_json(url: &str, body: &str) -> Result<(), NotAuthentic> {
    verify_as(&secrets(TOKEN), "application/json", url, &[JSON_SIGNATURE], body.as_bytes())
}

#[test]
fn a_published_form_is_verified() {
    assert_eq!(verify(URL, SIGNATURE, BODY), Ok(()));
}

#[test]
fn a_form_is_verified_with_its_port_removed() {
    assert_eq!(verify("https://mycompany.com:1234/myapp.php?foo=1&bar=2", SIGNATURE, BODY), Ok(()));
}

#[test]
fn a_form_signed_with_the_port_of_https_is_verified() {
    let signature = "kvajT1Ptam85bY51eRf/AJRuM3w=";
    assert_eq!(verify(URL, signature, BODY), Ok(()));
    assert_eq!(verify("https://mycompany.com:443/myapp.php?foo=1&bar=2", signature, BODY), Ok(()));
}

#[test]
fn a_form_signed_with_a_port_of_its_own_is_verified() {
    let signature = "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=";
    assert_eq!(verify("http://mycompany.com:1234/myapp.php?foo=1&bar=2", signature, BODY), Ok(()));
    assert_eq!(verify("http://mycompany.com:1235/myapp.php?foo=1&bar=2", signature, BODY), WRONG);
}

#[test]
fn a_form_signed_with_the_port_of_http_is_verified() {
    let url = "http://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(verify(url, "0ZXoZLH/DfblKGATFgpif+LLRf4=", BODY), Ok(()));
}

#[test]
fn repeated_fields_are_signed_sorted_and_once_each() {
    let signature = "IK+Dwps556ElfBT0I3Rgjkr1wJU=";
    for body in [
        "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234",
        "Digits=1234&SidAccount=AC123&Digits=5678&Sid=CA123",
        "Digits=1234&SidAccount=AC123&Digits=5678&Sid=CA123&Digits=1234",
    ] {
        assert_eq!(verify(URL, signature, body), Ok(()), "{body}");
    }
}

#[test]
fn json_is_verified_by_its_hash_in_the_address() {
    assert_eq!(verify_json(&format!("{URL}&bodySHA256={JSON_HASH}"), JSON_BODY), Ok(()));
}

#[test]
fn a_whatsapp_message_is_verified() {
    let url = "https://inbox.example.com/webhooks/twilio/whatsapp";
    let body = "MessageSid=SM00000000000000000000000000000001&From=whatsapp%3A%2B36201234567&To=whatsapp%3A%2B14155238886&Body=J%C3%B3+napot%21+100%25+%26+more&NumMedia=0&ProfileName=Kov%C3%A1cs+%C3%89va&WaId=36201234567";
    assert_eq!(verify(url, "Qs2dtthQph3n/jkwerH9ydup1eU=", body), Ok(()));
}

#[test]
fn a_status_callback_is_verified() {
    let url = "https://inbox.example.com/webhooks/twilio/status";
    let body = "MessageSid=SM00000000000000000000000000000002&MessageStatus=undelivered&ErrorCode=63016&To=whatsapp%3A%2B36201234567&From=whatsapp%3A%2B14155238886&AccountSid=AC00000000000000000000000000000000";
    assert_eq!(verify(url, "Dji1OMO/wwGLoczWCNDM6cX8sr4=", body), Ok(()));
}

#[test]
fn the_fragment_of_an_address_is_not_signed() {
    assert_eq!(verify(&format!("{URL}#rc=5&rp=all"), SIGNATURE, BODY), Ok(()));
}

#[test]
fn the_token_before_the_rotation_still_verifies() {
    let with = |secrets| verify_as(&secrets, FORM, URL, &[SIGNATURE], BODY.as_bytes());
    assert_eq!(with(rotated("a newer token", TOKEN)), Ok(()));
    assert_eq!(with(rotated(TOKEN, "an older token")), Ok(()));
    assert_eq!(with(rotated("a newer token", "another")), WRONG);
}

#[test]
fn without_exactly_one_signature_a_request_is_unsigned() {
    for signatures in [&[][..], &[SIGNATURE, SIGNATURE], &["", SIGNATURE]] {
        let answer = verify_as(&secrets(TOKEN), FORM, URL, signatures, BODY.as_bytes());
        assert_eq!(answer, Err(NotAuthentic::Unsigned));
    }
}

#[test]
fn a_signature_of_another_form_is_wrong() {
    for other in [
        "",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8",
        "RSOYDt4T1cUTdK1PDd93/VVr8B9=",
        "RSOYDt4T1cUTdK1PDd93_VVr8B8=",
        "rsoydt4t1cutdk1pdd93/vvr8b8=",
        " RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=, RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        "RSOYDt4T1cUTdK1PDd93/VVr8A==",
        "é",
    ] {
        assert_eq!(verify(URL, other, BODY), WRONG, "{other}");
    }
}

#[test]
fn a_truncated_body_is_not_verified() {
    for length in 0..BODY.len() {
        assert_eq!(verify(URL, SIGNATURE, &BODY[..length]), WRONG);
    }
}

#[test]
fn another_address_is_not_verified() {
    for url in [
        "https://mycompany.com/myapp.php?foo=1",
        "https://mycompany.com/myapp.php?bar=2&foo=1",
        "https://mycompany.com/MyApp.php?foo=1&bar=2",
        "http://mycompany.com/myapp.php?foo=1&bar=2",
        "https://example.com/myapp.php?foo=1&bar=2",
        "",
        "#",
        "://",
        "https://",
        "https://[::1",
    ] {
        assert_eq!(verify(url, SIGNATURE, BODY), WRONG, "{url}");
    }
}

#[test]
fn an_added_field_is_not_verified() {
    assert_eq!(verify(URL, SIGNATURE, &format!("{BODY}&Extra=1")), WRONG);
    assert_eq!(verify(URL, SIGNATURE, &format!("{BODY}&To=%2B1")), WRONG);
}

#[test]
fn a_form_that_is_not_text_is_not_verified() {
    // What validators that replace such bytes would take for the same field.
    let body = [b"Body=".as_slice(), &[0xff]].concat();
    let signed = "https://mycompany.com/";
    let signature = "ouFt0rWGKITOoNELd9tizihE1iI=";
    assert_eq!(verify(signed, signature, "Body=%EF%BF%BD"), Ok(()));
    assert_eq!(verify_as(&secrets(TOKEN), FORM, signed, &[signature], &body), WRONG);
    for body in ["Body=%FF", "Body=%C3", "Body=%ED%A0%80"] {
        assert_eq!(verify(signed, signature, body), WRONG, "{body}");
    }
}

#[test]
fn a_body_whose_hash_is_another_is_not_verified() {
    let url = format!("{URL}&bodySHA256={JSON_HASH}");
    assert_eq!(verify_json(&url, r#"{"property": "value", "boolean": false}"#), WRONG);
    assert_eq!(verify_json(&url, ""), WRONG);
    assert_eq!(verify_json(&format!("{url}&bodySHA256={JSON_HASH}"), JSON_BODY), WRONG);
    assert_eq!(verify_json(&format!("{URL}&bodySHA256="), JSON_BODY), WRONG);
}

#[test]
fn a_body_that_nothing_covers_is_not_verified() {
    // The signature of the bare address: right for a request without fields, worthless for one with a body.
    let signature = "zYQTYrRWXE7LtzbG4PfP7/bkkGo=";
    let verify = |content_type, body| verify_as(&secrets(TOKEN), content_type, URL, &[signature], body);
    assert_eq!(verify("application/json", b""), Ok(()));
    assert_eq!(verify("application/json", b"{}"), WRONG);
    assert_eq!(verify("text/plain", b"Body=x"), WRONG);
    assert_eq!(verify("", b"Body=x"), WRONG);
    assert_eq!(verify(FORM, b"Body=x"), WRONG);
}

#[test]
fn an_empty_token_verifies_nothing() {
    // HMAC-SHA1 of the form under an empty key: right, and worthless.
    let signature = "aXngMTP07D4c4hkO+r0Kb5Oe528=";
    let with = |secrets| verify_as(&secrets, FORM, URL, &[signature], BODY.as_bytes());
    assert_eq!(with(secrets("")), WRONG);
    assert_eq!(with(rotated(TOKEN, "")), WRONG);
}
