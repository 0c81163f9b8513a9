//! Asks the issuer: for its configuration (OpenID Connect Discovery 1.0) and keys, both kept for a while; to exchange
//! a code; about a person. Bounded in time and in size, and redirects are not followed.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::jwk::JwkSet;
use parlance_app::clock::Clock;
use parlance_domain::Timestamp;
use parlance_providers::Outbound;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{
    id_token::{self, Expected, Person, TokenError},
    settings::{self, OidcSettings},
};

/// Ten times what the largest issuers answer.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// How long configuration and keys are believed: a key that the issuer withdraws counts so long at most.
const KEPT_MICROS: i64 = 60 * 60 * 1_000_000;
/// After a failure nobody asks again so soon: everybody who signs in would.
const FAILED_MICROS: i64 = 5 * 1_000_000;
/// A token of an unknown key makes us look for new keys at most so often: anybody can make up keys' names.
const UNKNOWN_KEY_MICROS: i64 = 60 * 1_000_000;

/// Why an issuer's word could not be had, or is not taken. It may be logged: nothing secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// The issuer does not answer, or makes no sense.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The issuer does not take the code.
    #[error("the issuer does not take the code, the client or its secret ({0})")]
    CodeRefused(String),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("the userinfo endpoint tells of somebody else")]
    SomebodyElse,
}

/// An issuer. Nothing is asked before somebody signs in.
pub struct Issuer {
    settings: OidcSettings,
    secret: Option<Zeroizing<String>>,
    http: Client,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

/// What is known of the issuer, and since when.
#[derive(Default)]
struct Known {
    configuration: Option<(Arc<Configuration>, Timestamp)>,
    keys: Option<(Arc<JwkSet>, Timestamp)>,
    failed_at: Option<Timestamp>,
    looked_for_key_at: Option<Timestamp>,
}

/// What the issuer says of itself (OpenID Connect Discovery 1.0, section 3), as far as it is needed.
#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    authorization_endpoint: Endpoint,
    token_endpoint: Endpoint,
    jwks_uri: Endpoint,
    userinfo_endpoint: Option<Endpoint>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207: whether its answers name it.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// An address of the issuer's.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Endpoint(Url);

impl TryFrom<String> for Endpoint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Url::parse(&text).map(Self).map_err(|_| "no address")
    }
}

/// What a code is exchanged for (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// What is sent along to the issuer.
pub struct Asking<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    /// PKCE's challenge, by S256.
    pub challenge: &'a str,
}

/// A code, and what it was asked for with.
pub struct Code<'a> {
    pub code: &'a str,
    pub redirect_uri: &'a str,
    pub verifier: &'a str,
    pub nonce: &'a str,
}

impl Issuer {
    pub fn new(settings: OidcSettings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let secret = settings.secret()?;
        let local = settings.issuer.starts_with("http://");
        let http = if local { Outbound::local() } else { Outbound::new() }.client();
        Ok(Self { settings, secret, http, clock, known: Mutex::default() })
    }

    /// Where a browser is sent (OpenID Connect Core 1.0, section 3.1.2.1).
    pub async fn asked_at(&self, asking: &Asking<'_>) -> Result<Url, IssuerError> {
        let mut url = self.configuration().await?.authorization_endpoint.0.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("scope", &self.settings.scopes)
            .append_pair("redirect_uri", asking.redirect_uri)
            .append_pair("state", asking.state)
            .append_pair("nonce", asking.nonce)
            .append_pair("code_challenge", asking.challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Whether an answer is this issuer's, by the name it has (RFC 9207, section 2.4).
    pub async fn is_named(&self, name: Option<&str>) -> Result<bool, IssuerError> {
        match name {
            Some(name) => Ok(name == self.settings.issuer),
            None => Ok(!self.configuration().await?.authorization_response_iss_parameter_supported),
        }
    }

    /// Who has brought this code.
    pub async fn person(&self, code: &Code<'_>) -> Result<Person, IssuerError> {
        let configuration = self.configuration().await?;
        let tokens = self.exchange(&configuration, code).await?;
        let person = self.judged(&configuration, &tokens.id_token, code.nonce).await?;
        match (&configuration.userinfo_endpoint, &tokens.access_token) {
            // Core 1.0, section 5.4: what a scope asks for may be told there alone.
            (Some(endpoint), Some(token)) if person.email.is_none() => {
                let asking = self.http.get(endpoint.0.clone()).bearer_auth(token);
                let told: Person = good(&self.answer(asking).await?, "the issuer tells of nobody")?;
                if told.sub == person.sub { Ok(told) } else { Err(IssuerError::SomebodyElse) }
            }
            _ => Ok(person),
        }
    }

    async fn judged(
        &self,
        configuration: &Configuration,
        token: &str,
        nonce: &str,
    ) -> Result<Person, IssuerError> {
        let judge = |keys: &JwkSet| {
            let (issuer, client_id) = (&self.settings.issuer, &self.settings.client_id);
            let expected = Expected { issuer, client_id, nonce, now: self.clock.now() };
            id_token::check(token, keys, &expected)
        };
        match judge(&*self.keys(configuration).await?) {
            Err(TokenError::UnknownKey) => match self.newer_keys(configuration).await? {
                Some(keys) => Ok(judge(&keys)?),
                None => Err(TokenError::UnknownKey.into()),
            },
            judged => Ok(judged?),
        }
    }

    /// RFC 6749, section 4.1.3.
    async fn exchange(&self, known: &Configuration, code: &Code<'_>) -> Result<Tokens, IssuerError> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.code),
            ("redirect_uri", code.redirect_uri),
            ("code_verifier", code.verifier),
        ];
        let mut asking = self.http.post(known.token_endpoint.0.clone());
        let methods = known.token_endpoint_auth_methods_supported.as_deref();
        match &self.secret {
            None => fields.push(("client_id", &self.settings.client_id)),
            // Basic is what everybody takes who does not say otherwise (OpenID Connect Discovery 1.0, section 3).
            Some(secret) if methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic")) => {
                asking = asking.header("authorization", self.basic(secret));
            }
            Some(secret) => {
                fields.extend([("client_id", self.settings.client_id.as_str()), ("client_secret", secret)]);
            }
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let asking = asking
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form);
        let (status, body) = self.answer(asking).await?;
        if [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED].contains(&status) {
            let told = serde_json::from_slice::<Refused>(&body).map(|refused| refused.error);
            return Err(IssuerError::CodeRefused(error_code(&told.unwrap_or_default()).to_owned()));
        }
        good(&(status, body), "the issuer's answer to the code is none")
    }

    /// RFC 6749, section 2.3.1: both encoded, then put together.
    fn basic(&self, secret: &str) -> String {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let both = Zeroizing::new(format!("{}:{}", encoded(&self.settings.client_id), encoded(secret)));
        format!("Basic {}", STANDARD.encode(both.as_bytes()))
    }

    /// The issuer's configuration; asked for by one at a time.
    async fn configuration(&self) -> Result<Arc<Configuration>, IssuerError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some((configuration, at)) = &known.configuration
            && is_within(KEPT_MICROS, *at, now)
        {
            return Ok(Arc::clone(configuration));
        }
        if known.failed_at.is_some_and(|at| is_within(FAILED_MICROS, at, now)) {
            return Err(IssuerError::Unavailable("the issuer did not answer a moment ago"));
        }
        let asked = self.discovered().await;
        known.failed_at = asked.is_err().then_some(now);
        let configuration = Arc::new(asked?);
        known.configuration = Some((Arc::clone(&configuration), now));
        Ok(configuration)
    }

    async fn discovered(&self) -> Result<Configuration, IssuerError> {
        let issuer = &self.settings.issuer;
        let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let at = Url::parse(&at).map_err(|_| IssuerError::Unavailable("the issuer has no address"))?;
        let answer = self.answer(self.http.get(at)).await?;
        let known: Configuration = good(&answer, "the issuer's configuration makes no sense")?;
        // Section 4.3: or else one issuer could speak for another.
        if known.issuer != *issuer {
            return Err(IssuerError::Unavailable("the issuer's configuration names another issuer"));
        }
        let local = issuer.starts_with("http://");
        let secret =
            |endpoint: &Endpoint| settings::is_safe(&endpoint.0) && (local || endpoint.0.scheme() == "https");
        let needed = [&known.authorization_endpoint, &known.token_endpoint, &known.jwks_uri];
        if !needed.into_iter().chain(&known.userinfo_endpoint).all(secret) {
            return Err(IssuerError::Unavailable("the issuer's configuration names addresses without TLS"));
        }
        Ok(known)
    }

    async fn keys(&self, configuration: &Configuration) -> Result<Arc<JwkSet>, IssuerError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        match &known.keys {
            Some((keys, at)) if is_within(KEPT_MICROS, *at, now) => Ok(Arc::clone(keys)),
            _ => self.fetch_keys(&mut known, configuration, now).await,
        }
    }

    /// The keys as they are now; `None`: that was looked at a moment ago.
    async fn newer_keys(&self, configuration: &Configuration) -> Result<Option<Arc<JwkSet>>, IssuerError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if known.looked_for_key_at.is_some_and(|at| is_within(UNKNOWN_KEY_MICROS, at, now)) {
            return Ok(None);
        }
        known.looked_for_key_at = Some(now);
        self.fetch_keys(&mut known, configuration, now).await.map(Some)
    }

    async fn fetch_keys(
        &self,
        known: &mut Known,
        configuration: &Configuration,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, IssuerError> {
        let answer = self.answer(self.http.get(configuration.jwks_uri.0.clone())).await?;
        let keys = Arc::new(good(&answer, "the issuer's keys make no sense")?);
        known.keys = Some((Arc::clone(&keys), now));
        Ok(keys)
    }

    /// An answer of any status.
    async fn answer(&self, asking: RequestBuilder) -> Result<(StatusCode, Vec<u8>), IssuerError> {
        let unavailable = |error: reqwest::Error| {
            // The address may hold a code.
            tracing::warn!(error = %error.without_url(), "the issuer cannot be asked");
            IssuerError::Unavailable("the issuer does not answer")
        };
        let mut response = asking.send().await.map_err(unavailable)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(IssuerError::Unavailable("the issuer's answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status(), body))
    }
}

/// A good answer as JSON.
fn good<T: DeserializeOwned>(answer: &(StatusCode, Vec<u8>), else_: &'static str) -> Result<T, IssuerError> {
    let (status, body) = answer;
    let read = status.is_success().then(|| serde_json::from_slice(body).ok()).flatten();
    read.ok_or(IssuerError::Unavailable(else_))
}

/// Something that was at `at` is not older; nor of the future, where the clock was put back.
fn is_within(micros: i64, at: Timestamp, now: Timestamp) -> bool {
    (0..micros).contains(&(now.micros() - at.micros()))
}

/// A code as RFC 6749 has them, fit to be shown and logged; whatever else was sent is not.
pub fn error_code(given: &str) -> &str {
    const CHARS_MAX: usize = 64;
    let plain = given.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if plain && !given.is_empty() && given.len() <= CHARS_MAX { given } else { "unknown" }
}
