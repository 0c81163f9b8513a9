//! Judges an ID token (OpenID Connect Core 1.0, section 3.1.3.7): who signed it, for whom, when, for which sign-in.

use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, decode, decode_header,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use parlance_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::signatures;

/// How far the issuer's clock may be from ours.
const LEEWAY_S: f64 = 60.0;
/// Keys that are tried, where a token does not name its own: an issuer has an old and a new one, of a few kinds.
const TRIED_MAX: usize = 8;

/// What a token has to say.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: Timestamp,
}

/// Why a token is not believed. Nothing of it is in here: it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the ID token is malformed, or a claim is missing")]
    Malformed,
    #[error("the ID token is signed by an algorithm that is not accepted")]
    Algorithm,
    #[error("the ID token is signed by a key that the issuer does not publish")]
    UnknownKey,
    #[error("the ID token's signature is wrong")]
    Signature,
    #[error("the ID token is another issuer's")]
    Issuer,
    #[error("the ID token is for somebody else")]
    Audience,
    #[error("the ID token has expired, or is not valid yet")]
    Time,
    #[error("the ID token belongs to another sign-in")]
    Nonce,
}

/// What the issuer says of the person. Also what its userinfo endpoint says, where the token does not.
#[derive(Clone, Deserialize)]
pub struct Person {
    pub sub: String,
    pub email: Option<String>,
    email_verified: Option<Value>,
}

impl Person {
    /// Whether the issuer has seen that the address is theirs. Some issuers write the word instead of the value.
    pub fn is_verified(&self) -> bool {
        match &self.email_verified {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(word)) => word == "true",
            _ => false,
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    #[serde(flatten)]
    person: Person,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Judges a token by the issuer's keys.
pub fn check(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Person, TokenError> {
    signatures::by_ring();
    let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
    if !signatures::is_known(header.alg) {
        return Err(TokenError::Algorithm);
    }
    // Whoever does not understand what is critical must refuse it (RFC 7515, section 4.1.11).
    if header.crit.is_some() {
        return Err(TokenError::Malformed);
    }
    let claims = signed(token, &header, keys, expected)?;
    if claims.iss != expected.issuer {
        return Err(TokenError::Issuer);
    }
    let for_us = match &claims.aud {
        Audience::One(only) => only == expected.client_id,
        // For others, too: then it must say that it was given to us.
        Audience::Several(all) => {
            all.iter().any(|one| one == expected.client_id) && (all.len() == 1 || claims.azp.is_some())
        }
    };
    if !for_us || claims.azp.as_ref().is_some_and(|azp| azp != expected.client_id) {
        return Err(TokenError::Audience);
    }
    #[expect(clippy::cast_precision_loss, reason = "microseconds are exact in an f64 until the year 2255")]
    let now = expected.now.micros() as f64 / 1e6;
    let begun = claims.iat <= now + LEEWAY_S && claims.nbf.is_none_or(|nbf| nbf <= now + LEEWAY_S);
    if !begun || now - LEEWAY_S >= claims.exp {
        return Err(TokenError::Time);
    }
    let nonce = claims.nonce.unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(TokenError::Nonce);
    }
    Ok(claims.person)
}

/// The claims, once a key of the issuer's has signed them.
fn signed(
    token: &str,
    header: &Header,
    keys: &JwkSet,
    expected: &Expected<'_>,
) -> Result<Claims, TokenError> {
    let mut validation = Validation::new(header.alg);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    // By our own clock, afterwards.
    validation.validate_exp = false;
    let named = |key: &&Jwk| header.kid.is_none() || header.kid == key.common.key_id;
    let fitting = keys.keys.iter().filter(named).filter(|key| fits(key, header.alg));
    let mut refused = TokenError::UnknownKey;
    for key in fitting.take(TRIED_MAX) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        refused = match decode::<Claims>(token, &key, &validation) {
            Ok(token) => return Ok(token.claims),
            Err(error) => match error.kind() {
                // Perhaps it is another key's.
                ErrorKind::InvalidSignature if header.kid.is_none() => TokenError::UnknownKey,
                ErrorKind::InvalidSignature => TokenError::Signature,
                ErrorKind::InvalidIssuer => return Err(TokenError::Issuer),
                ErrorKind::InvalidAudience => return Err(TokenError::Audience),
                _ => return Err(TokenError::Malformed),
            },
        };
    }
    Err(refused)
}

/// Whether a key may sign by that algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let to_sign = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let for_it = key.common.key_algorithm.is_none_or(|given| given == KeyAlgorithm::from(algorithm));
    let of_its_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES256) => ec.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES384) => ec.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(ed), Algorithm::EdDSA) => ed.curve == EllipticCurve::Ed25519,
        (AlgorithmParameters::RSA(_), Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA) => false,
        (AlgorithmParameters::RSA(_), _) => true,
        _ => false,
    };
    to_sign && for_it && of_its_kind
}
