//! The way through: `start` sends a browser to the issuer, `callback` takes what it brings back, `choose` takes the
//! account where there are several.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::{BodyExt as _, Limited};
use parlance_app::{
    Parlance,
    front::FrontError,
    sign_in::{SESSION_SECONDS, SignedIn},
};
use parlance_domain::{AccountId, Email};
use parlance_graphql::{ClientAddress, HttpSettings, cookie, is_from_own_page};
use parlance_store::Store;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{
    carried::{self, Asked, Carried, Proved, Used},
    issuer::{Asking, Code, Issuer, IssuerError, error_code},
    pages::{self, Ended, PageLanguage},
    settings::OidcSettings,
};

const CALLBACK: &str = "/auth/oidc/callback";
/// Where a browser goes afterwards has to fit, sealed and in base64, into a cookie of 4,096 bytes.
pub(super) const TO_BYTES_MAX: usize = 1_024;
/// The longest codes of issuers that put everything into them have half of it.
const CODE_BYTES_MAX: usize = 8_192;
/// The form has one field.
const FORM_BYTES_MAX: usize = 1_024;
/// A form of one field comes at once.
const FORM_WAIT: Duration = Duration::from_secs(10);

/// Signing in by an issuer.
pub struct Oidc<S> {
    parlance: Arc<Parlance<S>>,
    issuer: Issuer,
    redirect_uri: String,
    /// By what our own pages are known.
    own: HttpSettings,
    used: Used,
}

impl<S: Store + Clone> Oidc<S> {
    /// Reads the client's secret; asks nobody.
    pub fn new(settings: OidcSettings, parlance: Arc<Parlance<S>>, public_url: &str) -> anyhow::Result<Self> {
        let issuer = Issuer::new(settings, Arc::clone(&parlance.clock))?;
        let redirect_uri = format!("{public_url}{CALLBACK}");
        let own = HttpSettings { public_url: Some(public_url.to_owned()), ..HttpSettings::default() };
        Ok(Self { parlance, issuer, redirect_uri, own, used: Used::default() })
    }
}

pub fn router<S: Store + Clone>(oidc: Arc<Oidc<S>>) -> Router {
    Router::new()
        .route("/auth/oidc/start", get(start::<S>))
        .route(CALLBACK, get(callback::<S>))
        .route("/auth/oidc/choose", post(choose::<S>))
        .with_state(oidc)
}

/// The client's address, where the server knows it.
type Client = Option<Extension<ClientAddress>>;

async fn start<S: Store + Clone>(State(oidc): State<Arc<Oidc<S>>>, uri: Uri, headers: HeaderMap) -> Response {
    let begun = oidc.start(uri.query().unwrap_or_default()).await;
    begun.unwrap_or_else(|ended| ended.page(PageLanguage::of(&headers)))
}

async fn callback<S: Store + Clone>(
    State(oidc): State<Arc<Oidc<S>>>,
    from: Client,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let language = PageLanguage::of(&headers);
    match oidc.asked(uri.query().unwrap_or_default(), &headers).await {
        // Somebody else's answer leaves a sign-in that is under way alone.
        Err(ended) => ended.page(language),
        Ok(back) => {
            let done = oidc.callback(back, from, &headers, language).await;
            done.unwrap_or_else(|ended| with_cookie(ended.page(language), &carried::forget()))
        }
    }
}

async fn choose<S: Store + Clone>(
    State(oidc): State<Arc<Oidc<S>>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let chosen = oidc.choose(&headers, body).await;
    chosen.unwrap_or_else(|ended| ended.page(PageLanguage::of(&headers)))
}

/// What the issuer sent back with a browser, once it fits what the browser carries.
struct Back {
    asked: Asked,
    issuer: Option<String>,
    answer: Result<String, String>,
}

impl<S: Store + Clone> Oidc<S> {
    async fn start(&self, query: &str) -> Result<Response, Ended> {
        let to = parameter(query, "to")?.unwrap_or_else(|| "/".to_owned());
        let account = parameter(query, "account")?.map(|id| id.parse::<AccountId>()).transpose();
        let account = account.map_err(|_| Ended::BadLink)?;
        if !is_local(&to) {
            return Err(Ended::BadLink);
        }
        let entropy = &self.parlance.entropy;
        let [state, nonce, verifier] = std::array::from_fn(|_| carried::secret(entropy));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let asking =
            Asking { redirect_uri: &self.redirect_uri, state: &state, nonce: &nonce, challenge: &challenge };
        let at = self.issuer.asked_at(&asking).await.map_err(|error| ended(&error))?;
        let cookie = self.carry(Asked { state, nonce, verifier, to, account }).await?;
        Ok(with_cookie(see_other(at.as_str())?, &cookie))
    }

    async fn carry(&self, carried: impl Carried) -> Result<String, Ended> {
        let now = self.parlance.clock.now();
        carried::cookie(&self.parlance.sign_in, carried, now).await.map_err(|error| unavailable(&error))
    }

    async fn carried<T: Carried>(&self, headers: &HeaderMap) -> Result<T, Ended> {
        let value = cookie::read_named(headers, carried::COOKIE).ok_or(Ended::StartAgain)?;
        let read = carried::read(&self.parlance.sign_in, value, self.parlance.clock.now()).await;
        read.map_err(|error| unavailable(&error))?.ok_or(Ended::StartAgain)
    }

    async fn asked(&self, query: &str, headers: &HeaderMap) -> Result<Back, Ended> {
        let asked: Asked = self.carried(headers).await?;
        let state = parameter(query, "state")?.ok_or(Ended::StartAgain)?;
        if !bool::from(state.as_bytes().ct_eq(asked.state.as_bytes())) {
            return Err(Ended::StartAgain);
        }
        let (code, error) = (parameter(query, "code")?, parameter(query, "error")?);
        let answer = match (code, error) {
            (_, Some(error)) => Err(error),
            (Some(code), None) if code.len() <= CODE_BYTES_MAX => Ok(code),
            _ => return Err(Ended::BadLink),
        };
        Ok(Back { asked, issuer: parameter(query, "iss")?, answer })
    }

    async fn callback(
        &self,
        back: Back,
        from: Client,
        headers: &HeaderMap,
        language: PageLanguage,
    ) -> Result<Response, Ended> {
        let Back { asked, issuer, answer } = back;
        let address = from.map(|Extension(ClientAddress(address))| address);
        self.parlance.sign_in.may_try(address).map_err(refused)?;
        if !self.used.first(&asked) {
            return Err(Ended::StartAgain);
        }
        if !self.issuer.is_named(issuer.as_deref()).await.map_err(|error| ended(&error))? {
            return Err(Ended::NotBelieved);
        }
        let code = answer.map_err(|error| {
            tracing::info!(error = error_code(&error), "the issuer refuses a sign-in");
            Ended::Denied
        })?;
        let Asked { nonce, verifier, to, account, .. } = asked;
        let code = Code { code: &code, redirect_uri: &self.redirect_uri, verifier: &verifier, nonce: &nonce };
        let person = self.issuer.person(&code).await.map_err(|error| ended(&error))?;
        let email =
            person.email.as_deref().filter(|_| person.is_verified()).ok_or(Ended::EmailNotVerified)?;
        let email = as_written(email).ok_or(Ended::SignInRefused)?;
        let signed_in = self.parlance.sign_in.vouched(&email, account, cookie::read(headers)).await;
        match signed_in.map_err(refused)? {
            SignedIn::Session(begun) => {
                let answer = with_cookie(see_other(&to)?, &cookie::set(&begun.token, SESSION_SECONDS));
                Ok(with_cookie(answer, &carried::forget()))
            }
            SignedIn::Choose(choices) => {
                let id = carried::secret(&self.parlance.entropy);
                let proved = Proved { id, email: email.as_str().to_owned(), to };
                Ok(with_cookie(pages::choose(&choices, language), &self.carry(proved).await?))
            }
        }
    }

    async fn choose(&self, headers: &HeaderMap, body: Body) -> Result<Response, Ended> {
        if !is_from_own_page(headers, &self.own) {
            return Err(Ended::ForbiddenOrigin);
        }
        let proved: Proved = self.carried(headers).await?;
        let form = tokio::time::timeout(FORM_WAIT, Limited::new(body, FORM_BYTES_MAX).collect()).await;
        let form = form.ok().and_then(Result::ok).ok_or(Ended::BadLink)?.to_bytes();
        let form = std::str::from_utf8(&form).map_err(|_| Ended::BadLink)?;
        let account = parameter(form, "account")?.and_then(|id| id.parse::<AccountId>().ok());
        let (account, email) = (account.ok_or(Ended::BadLink)?, Email::new(&proved.email));
        if !self.used.first(&proved) {
            return Err(Ended::StartAgain);
        }
        let email = email.map_err(|_| Ended::StartAgain)?;
        let sign_in = &self.parlance.sign_in;
        match sign_in.vouched(&email, Some(account), cookie::read(headers)).await.map_err(refused)? {
            SignedIn::Session(begun) => {
                let answer = with_cookie(see_other(&proved.to)?, &cookie::set(&begun.token, SESSION_SECONDS));
                Ok(with_cookie(answer, &carried::forget()))
            }
            // One account has one member of an address.
            SignedIn::Choose(_) => Err(Ended::Unavailable),
        }
    }
}

/// A parameter of a query or form; one that is given twice makes it a wrong one (RFC 6749, section 3.1).
fn parameter(query: &str, wanted: &str) -> Result<Option<String>, Ended> {
    let mut given = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
    let first = given.next().map(|(_, value)| value.into_owned());
    if given.next().is_some() { Err(Ended::BadLink) } else { Ok(first) }
}

/// Whether a browser that is sent there stays here: browsers take `//` and `/\` for another host's name, and read
/// over control characters (URL Standard, "path or authority state").
fn is_local(to: &str) -> bool {
    let bytes = to.as_bytes();
    bytes.first() == Some(&b'/')
        && bytes.get(1) != Some(&b'/')
        && bytes.len() <= TO_BYTES_MAX
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\')
}

/// An e-mail address, unless it only looks like the one that it would be folded into: whoever has a mailbox by the
/// name of `ﬁ` is not `fi`.
fn as_written(text: &str) -> Option<Email> {
    let email = Email::new(text).ok()?;
    let turns_ascii = |char: char| !char.is_ascii() && char.to_lowercase().all(|lower| lower.is_ascii());
    let same = email.folded() == email.as_str().chars().flat_map(char::to_lowercase).collect::<String>();
    (same && !email.as_str().chars().any(turns_ascii)).then_some(email)
}

fn ended(error: &IssuerError) -> Ended {
    tracing::warn!(%error, "nobody is signed in by the issuer");
    match error {
        IssuerError::Unavailable(_) => Ended::IssuerUnavailable,
        IssuerError::CodeRefused(_) | IssuerError::Token(_) | IssuerError::SomebodyElse => Ended::NotBelieved,
    }
}

fn refused(error: FrontError) -> Ended {
    match error {
        FrontError::SignInRefused => Ended::SignInRefused,
        FrontError::TooManyAttempts { seconds } => Ended::TooManyAttempts { seconds },
        other => unavailable(&other),
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> Ended {
    tracing::error!(%error, "nobody can be signed in");
    Ended::Unavailable
}

fn see_other(to: &str) -> Result<Response, Ended> {
    let to = HeaderValue::from_str(to).map_err(|error| unavailable(&error))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    let cookie = HeaderValue::from_str(cookie).expect("names, base64 and numbers are a header's value");
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_gone_to() {
        for good in ["/", "/inbox?section=CLOSED#conv_1", "/a//b", "/..//x", "/%5cevil.example"] {
            assert!(is_local(good), "{good}");
        }
        let long = format!("/{}", "x".repeat(TO_BYTES_MAX));
        for bad in [
            "",
            "inbox",
            "//evil.example",
            "/\\evil.example",
            "/x\\y",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n",
            " /",
            "/ x",
            "https://evil.example",
            "/é",
            &long,
        ] {
            assert!(!is_local(bad), "{bad:?}");
        }
    }

    #[test]
    fn an_address_that_only_looks_like_another_is_nobody_s() {
        for good in ["eva@example.hu", "Éva.Kovács@Example.HU", "éva@example.hu"] {
            assert!(as_written(good).is_some(), "{good}");
        }
        for bad in ["\u{fb01}ona@example.hu", "\u{212a}ata@example.hu", "\u{ff45}va@example.hu", "eva"] {
            assert!(as_written(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_parameter_is_given_once() {
        assert_eq!(parameter("a=1&b=%2F", "b"), Ok(Some("/".to_owned())));
        assert_eq!(parameter("a=1", "b"), Ok(None));
        assert_eq!(parameter("b=1&b=2", "b"), Err(Ended::BadLink));
    }
}
