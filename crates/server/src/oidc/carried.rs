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

#[cfg(test)]
mod tests {
    use parlance_app::{Parlance, Settings, clock::ManualClock, keys::MasterKey};
    use parlance_stores::{AnyStore, DatabaseUrl, OpenOptions};

    use super::*;

    #[tokio::test]
    async fn what_is_carried_counts_for_ten_minutes_and_one_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("parlance.db"));
        let store = AnyStore::open(&url, OpenOptions::default()).await.unwrap();
        let begun = Timestamp::from_micros(1_767_225_600_000_000);
        let clock = std::sync::Arc::new(ManualClock::at(begun));
        let settings =
            Settings::new(MasterKey::from_bytes([7; 32]), folder.path(), clock, Entropy::seeded(1));
        let sign_in = Parlance::open(store, settings).await.unwrap().sign_in;
        let asked = || Asked {
            state: "s".to_owned(),
            nonce: "n".to_owned(),
            verifier: "v".to_owned(),
            to: "/".to_owned(),
            account: None,
        };
        let cookie = cookie(&sign_in, asked(), begun).await.unwrap();
        let value = cookie.split(['=', ';']).nth(1).unwrap();
        let at = |micros: i64| begun.plus_micros(micros);
        let read_at =
            async |now| read::<_, Asked>(&sign_in, value, now).await.unwrap().map(|asked| asked.state);
        assert_eq!(read_at(begun).await.as_deref(), Some("s"));
        assert_eq!(read_at(at(599_999_999)).await.as_deref(), Some("s"));
        assert_eq!(read_at(at(600_000_000)).await, None);
        assert_eq!(read_at(at(-1)).await, None, "of the future");
        assert!(read::<_, Proved>(&sign_in, value, begun).await.unwrap().is_none());
        let used = Used::default();
        assert!(used.first(&asked()) && !used.first(&asked()));
    }

    /// Browsers take 4,096 bytes of name, value and attributes (RFC 6265, section 6.1).
    #[tokio::test]
    async fn the_longest_of_what_is_carried_fits_into_a_cookie() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("parlance.db"));
        let store = AnyStore::open(&url, OpenOptions::default()).await.unwrap();
        let clock = std::sync::Arc::new(ManualClock::at(Timestamp::from_micros(1)));
        let settings =
            Settings::new(MasterKey::from_bytes([7; 32]), folder.path(), clock, Entropy::seeded(1));
        let parlance = Parlance::open(store, settings).await.unwrap();
        let [state, nonce, verifier] = std::array::from_fn(|_| secret(&parlance.entropy));
        // Every character of the path is escaped.
        let to = format!("/{}", "\"".repeat(super::super::routes::TO_BYTES_MAX - 1));
        let asked = Asked { state, nonce, verifier, to, account: Some(AccountId::default()) };
        let cookie = cookie(&parlance.sign_in, asked, Timestamp::from_micros(i64::MAX)).await.unwrap();
        assert!(cookie.len() <= 4_096, "{}", cookie.len());
    }
}
