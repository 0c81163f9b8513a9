//! Which documents may run. With a file of trusted ones, those and no others; without, any, and one that a signed-in
//! client sent once can be named by its hash (automatic persisted queries, as Apollo's clients speak them).

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::StatusCode;
use lru::LruCache;
use parlance_app::front::Principal;
use parlance_domain::AccountId;
use sha2::{Digest as _, Sha256};

use super::{answers::Unexecuted, reading::Parameters};
use crate::schema::validate;

/// A front end's documents come to some hundred kilobytes.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A large front end has some hundreds.
const TRUSTED_MAX: usize = 5_000;
/// Documents remembered for all accounts together.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");
/// Documents remembered for one account: its clients push out their own, and at most a sixteenth of the others'.
const REMEMBERED_PER_ACCOUNT_MAX: usize = 256;
/// A longer document is run and not remembered: all together take 32 MiB at most.
const REMEMBERED_BYTES_MAX: usize = 8 * 1024;

type Hash = [u8; 32];

fn hash(document: &str) -> Hash {
    Sha256::digest(document.as_bytes()).into()
}

/// What a document is named by.
fn parse_hash(hex: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut hash = Hash::default();
    if hex.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

/// The documents that may run, each by its id in the file and by its hash.
#[derive(Clone)]
pub struct TrustedDocuments(Arc<Trusted>);

struct Trusted {
    by_id: HashMap<String, Arc<str>>,
    by_hash: HashMap<Hash, Arc<str>>,
}

impl fmt::Debug for TrustedDocuments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TrustedDocuments({})", self.0.by_id.len())
    }
}

/// Why a file of trusted documents cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum TrustedDocumentsError {
    /// Larger than 4 MiB, or more than 5,000 documents.
    TooLarge,
    /// No JSON object from ids to documents.
    Malformed(String),
    /// A document does not fit this server's schema or limits.
    Invalid { id: String, why: String },
}

impl fmt::Display for TrustedDocumentsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(
                formatter,
                "the file may have at most {} MiB and {TRUSTED_MAX} documents",
                FILE_BYTES_MAX >> 20
            ),
            Self::Malformed(why) => {
                write!(formatter, "the file must be a JSON object from ids to documents: {why}")
            }
            Self::Invalid { id, why } => write!(formatter, "the document `{id}` cannot be run here: {why}"),
        }
    }
}

impl std::error::Error for TrustedDocumentsError {}

impl TrustedDocuments {
    /// Reads a JSON object from ids to documents, as graphql-codegen and the Relay compiler write it, and checks
    /// every document against the schema.
    pub async fn read(json: &str) -> Result<Self, TrustedDocumentsError> {
        if json.len() > FILE_BYTES_MAX {
            return Err(TrustedDocumentsError::TooLarge);
        }
        let documents: BTreeMap<String, String> = serde_json::from_str(json)
            .map_err(|error| TrustedDocumentsError::Malformed(error.to_string()))?;
        if documents.len() > TRUSTED_MAX {
            return Err(TrustedDocumentsError::TooLarge);
        }
        if let Err((id, why)) = validate(&documents).await {
            return Err(TrustedDocumentsError::Invalid { id, why });
        }
        let mut trusted = Trusted { by_id: HashMap::new(), by_hash: HashMap::new() };
        for (id, document) in documents {
            let document: Arc<str> = document.into();
            trusted.by_hash.insert(hash(&document), Arc::clone(&document));
            trusted.by_id.insert(id, document);
        }
        Ok(Self(Arc::new(trusted)))
    }

    /// The one document that everything given names.
    fn find(&self, parameters: &Parameters) -> Result<Arc<str>, Unexecuted> {
        let trusted = &*self.0;
        let by_hash = |hex: &str| parse_hash(hex).and_then(|hash| trusted.by_hash.get(&hash));
        let named = parameters
            .document_id
            .as_deref()
            .map(|id| trusted.by_id.get(id).or_else(|| id.strip_prefix("sha256:").and_then(by_hash)));
        let hashed = persisted(parameters)?.map(|hex| trusted.by_id.get(hex).or_else(|| by_hash(hex)));
        let written = parameters.query.as_deref().map(|query| trusted.by_hash.get(&hash(query)));
        let mut given = [named, hashed, written].into_iter().flatten();
        let first = given.next().flatten();
        first.filter(|first| given.all(|other| other == Some(first))).cloned().ok_or_else(not_trusted)
    }
}

fn not_trusted() -> Unexecuted {
    let message = "This server runs only the documents of its own list. Name one of them.";
    Unexecuted::new(StatusCode::FORBIDDEN, "DOCUMENT_NOT_TRUSTED", message)
}

/// The hash in `extensions.persistedQuery`, if there is one.
fn persisted(parameters: &Parameters) -> Result<Option<&str>, Unexecuted> {
    let Some(given) = parameters.extensions.get("persistedQuery") else { return Ok(None) };
    let hash = given.get("sha256Hash").and_then(serde_json::Value::as_str);
    let version = given.get("version").and_then(serde_json::Value::as_u64);
    match hash {
        Some(hash) if version == Some(1) => Ok(Some(hash)),
        _ => Err(Unexecuted::malformed(
            "`extensions.persistedQuery` needs `version`: 1 and `sha256Hash`, a text.",
        )),
    }
}

/// Which documents may run.
pub(crate) enum Documents {
    Trusted(TrustedDocuments),
    Any(Remembered),
}

/// A document, and, once it proves to be one, by which hash it is remembered.
pub(crate) struct Chosen {
    pub document: Arc<str>,
    remember: Option<(Owner, Hash)>,
}

/// An account; `None`: operators.
type Owner = Option<AccountId>;

impl Documents {
    pub fn new(trusted: Option<TrustedDocuments>) -> Self {
        trusted.map_or_else(|| Self::Any(Remembered::default()), Self::Trusted)
    }

    /// The document that a request asks to be run.
    pub fn choose(
        &self,
        parameters: &Parameters,
        principal: Option<Principal>,
    ) -> Result<Chosen, Unexecuted> {
        let remembered = match self {
            Self::Trusted(trusted) => {
                return Ok(Chosen { document: trusted.find(parameters)?, remember: None });
            }
            Self::Any(remembered) => remembered,
        };
        let by_id = parameters.document_id.as_deref().map(|id| id.strip_prefix("sha256:").unwrap_or(id));
        let by_extension = persisted(parameters)?;
        let named = by_extension.or(by_id);
        let mismatch = || {
            let message =
                "The hash is not the SHA-256 of the document. Send the lower-case hash of its exact text.";
            Unexecuted::new(StatusCode::BAD_REQUEST, "PERSISTED_QUERY_MISMATCH", message)
        };
        if by_extension.is_some() && by_id.is_some() && by_extension != by_id {
            return Err(mismatch());
        }
        let owner = principal.map(|principal| match principal {
            Principal::Member(by, _) => Some(by.account),
            Principal::Operator(_) => None,
        });
        match (&parameters.query, named) {
            (Some(query), None) => Ok(Chosen { document: query.as_str().into(), remember: None }),
            (Some(query), Some(hex)) => {
                let named = parse_hash(hex).filter(|named| *named == hash(query)).ok_or_else(mismatch)?;
                Ok(Chosen { document: query.as_str().into(), remember: owner.map(|owner| (owner, named)) })
            }
            (None, named) => {
                let known = owner
                    .zip(named.and_then(parse_hash))
                    .and_then(|(owner, named)| remembered.find(owner, named));
                // Clients know this very message, and answer it with the whole document.
                let unknown = Unexecuted::new(
                    StatusCode::BAD_REQUEST,
                    "PERSISTED_QUERY_NOT_FOUND",
                    "PersistedQueryNotFound",
                );
                known
                    .map(|document| Chosen { document, remember: None })
                    .ok_or_else(|| unknown.of_a_well_formed_request())
            }
        }
    }

    /// Remembers a document that can be parsed.
    pub fn remember(&self, chosen: Chosen) {
        if let (Self::Any(remembered), Some((owner, hash))) = (self, chosen.remember) {
            remembered.keep(owner, hash, chosen.document);
        }
    }
}

/// Documents that signed-in clients sent with their hash, those used last. An account finds its own alone.
pub(crate) struct Remembered(Mutex<LruCache<(Owner, Hash), Arc<str>>>);

impl Default for Remembered {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED_MAX)))
    }
}

impl Remembered {
    fn find(&self, owner: Owner, hash: Hash) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(owner, hash)).cloned()
    }

    fn keep(&self, owner: Owner, hash: Hash, document: Arc<str>) {
        if document.len() > REMEMBERED_BYTES_MAX {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.put((owner, hash), document);
        // The newest come first.
        let of_owner = all.iter().map(|(key, _)| *key).filter(|(other, _)| *other == owner);
        if let Some(oldest) = of_owner.skip(REMEMBERED_PER_ACCOUNT_MAX).last() {
            all.pop(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use parlance_domain::AccountId;

    use super::*;

    fn account(n: u128) -> Owner {
        Some(AccountId::new(uuid::Uuid::from_u128(n)))
    }

    #[test]
    fn an_account_pushes_out_its_own_documents_first() {
        let all = Remembered::default();
        let of = |n: usize| hash(&n.to_string());
        all.keep(account(1), of(0), "{ a }".into());
        for n in 0..=REMEMBERED_PER_ACCOUNT_MAX {
            all.keep(account(2), of(n), "{ a }".into());
        }
        assert_eq!(all.find(account(1), of(0)).as_deref(), Some("{ a }"));
        assert_eq!(all.find(account(1), of(1)), None, "another account's");
        assert_eq!(all.find(account(2), of(0)), None, "its oldest");
        assert!(all.find(account(2), of(1)).is_some());
        all.keep(account(1), of(9), "x".repeat(REMEMBERED_BYTES_MAX + 1).into());
        assert_eq!(all.find(account(1), of(9)), None);
        for n in 3..(3 + REMEMBERED_MAX.get() as u128) {
            all.keep(account(n), of(0), "{ a }".into());
        }
        assert_eq!(all.0.lock().unwrap().len(), REMEMBERED_MAX.get());
    }

    #[tokio::test]
    async fn trusted_documents_are_checked_and_found_by_id_hash_and_text() {
        let file = r#"{"abc": "query A { __typename }", "x:1": "{ account { id } }"}"#;
        let trusted = TrustedDocuments::read(file).await.unwrap();
        let of =
            |json: &str| trusted.find(&Parameters::from_json(json).unwrap()).map_err(|refused| refused.code);
        let hex = hash("query A { __typename }").iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let persisted = |hex: &str| {
            format!(r#"{{"extensions":{{"persistedQuery":{{"version":1,"sha256Hash":"{hex}"}}}}}}"#)
        };
        for found in [
            r#"{"documentId":"abc"}"#,
            r#"{"query":"query A { __typename }"}"#,
            r#"{"query":"query A { __typename }","documentId":"abc"}"#,
            &format!(r#"{{"documentId":"sha256:{hex}"}}"#),
            &persisted(&hex),
            &persisted("abc"),
        ] {
            assert_eq!(of(found).as_deref(), Ok("query A { __typename }"), "{found}");
        }
        for refused in [
            r#"{"query":"query A {  __typename }"}"#,
            r#"{"documentId":"abcd"}"#,
            r#"{"documentId":"abc","query":"{ account { id } }"}"#,
            r#"{"documentId":"abc","query":"{ other }"}"#,
            &persisted(&"0".repeat(64)),
        ] {
            assert_eq!(of(refused), Err("DOCUMENT_NOT_TRUSTED"), "{refused}");
        }
        for wrong in ["[]", "{", r#"{"a": 7}"#] {
            let error = TrustedDocuments::read(wrong).await.unwrap_err();
            assert!(matches!(error, TrustedDocumentsError::Malformed(_)), "{wrong}");
        }
        for wrong in ["{", "{ nothing }", "query($a: Int) { __typename }", "{ account { id { x } } }"] {
            let file = serde_json::json!({ "bad": wrong }).to_string();
            let error = TrustedDocuments::read(&file).await.unwrap_err();
            assert!(error.to_string().contains("`bad`"), "{error}");
        }
    }
}
