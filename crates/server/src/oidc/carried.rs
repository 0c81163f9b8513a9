//! What a browser carries while its person is at the issuer: sealed in a cookie of ten minutes, so that nothing is
//! kept here for visitors who never come back. What was used once is remembered as long as it could be used again.

use std::{num::NonZeroUsize, sync::Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lru::LruCache;
use parlance_app::{entropy::Entropy, sign_in::SignIn};
use parlance_domain::{AccountId, Timestamp};
use parlance_graphql::cookie;
use parlance_store::{Store, StoreError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The cookie. Its prefix: see `parlance_graphql::cookie`.
pub const COOKIE: &str = "__Host-parlance-oidc";
/// How long a person may take at the issuer, second factor and all.
pub const SECONDS: u64 = 600;
/// Used ones that are remembered; some megabytes. Each cost a sign-in, which is limited.
const USED_MAX: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");
/// Of what cannot be guessed: 256 bits.
const SECRET_BYTES: usize = 32;

/// What is carried from the start to the callback.
#[derive(Serialize, Deserialize)]
pub struct Asked {
    pub state: String,
    pub nonce: String,
    /// PKCE's code verifier (RFC 7636, section 4.1).
    pub verifier: String,
    /// Where to go afterwards.
    pub to: String,
    /// Which account was asked for.
    pub account: Option<AccountId>,
}

/// What is carried from the callback to the choice of an account.
#[derive(Serialize, Deserialize)]
pub struct Proved {
    pub id: String,
    pub email: String,
    pub to: String,
}

/// Something that is carried.
pub trait Carried: Serialize + DeserializeOwned {
    const PURPOSE: &'static str;

    /// What is used once.
    fn once(&self) -> &str;
}

impl Carried for Asked {
    const PURPOSE: &'static str = "oidc: asked";

    fn once(&self) -> &str {
        &self.state
    }
}

impl Carried for Proved {
    const PURPOSE: &'static str = "oidc: proved";

    fn once(&self) -> &str {
        &self.id
    }
}

#[derive(Serialize, Deserialize)]
struct Dated<T> {
    at_micros: i64,
    carried: T,
}

/// A cookie that carries it.
pub async fn cookie<S: Store + Clone, T: Carried>(
    sign_in: &SignIn<S>,
    carried: T,
    now: Timestamp,
) -> Result<String, StoreError> {
    let dated = Dated { at_micros: now.micros(), carried };
    let plain = serde_json::to_vec(&dated).expect("texts and numbers are JSON");
    let sealed = sign_in.seal(T::PURPOSE, &plain).await?;
    Ok(cookie::set_named(COOKIE, &URL_SAFE_NO_PAD.encode(sealed), SECONDS))
}

/// The cookie that takes it back.
pub fn forget() -> String {
    cookie::set_named(COOKIE, "", 0)
}

/// What a cookie's value carries; `None`: nothing of ours, nothing for this purpose, or it is too old.
pub async fn read<S: Store + Clone, T: Carried>(
    sign_in: &SignIn<S>,
    value: &str,
    now: Timestamp,
) -> Result<Option<T>, StoreError> {
    let Ok(sealed) = URL_SAFE_NO_PAD.decode(value) else { return Ok(None) };
    let Some(plain) = sign_in.open(T::PURPOSE, &sealed).await? else { return Ok(None) };
    let Ok(dated) = serde_json::from_slice::<Dated<T>>(&plain) else { return Ok(None) };
    let age_micros = now.micros() - dated.at_micros;
    let fresh = u64::try_from(age_micros).is_ok_and(|age| age < SECONDS * 1_000_000);
    Ok(fresh.then_some(dated.carried))
}

/// What was used.
pub struct Used(Mutex<LruCache<String, ()>>);

impl Default for Used {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(USED_MAX)))
    }
}

impl Used {
    /// Whether this is its first use.
    pub fn first(&self, carried: &impl Carried) -> bool {
        let mut used = self.0.lock().expect("no panic while locked");
        used.put(carried.once().to_owned(), ()).is_none()
    }
}

/// A text that cannot be guessed, of 43 characters that need no escape anywhere.
pub fn secret(entropy: &Entropy) -> String {
    URL_SAFE_NO_PAD.encode(entropy.bytes::<SECRET_BYTES>())
}
