//! What the installation decides about `/graphql`.

use super::documents::TrustedDocuments;
use crate::ending::Ending;

/// What the installation decides about `/graphql`.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where the world reaches this server, as `https://inbox.example.com`; `None`: only by the address in each
    /// request's own `Host`.
    pub public_url: Option<String>,
    /// Origins whose pages may send requests with an API token, as `https://shop.example.com`; their pages never
    /// act by cookie.
    pub allowed_origins: Vec<String>,
    /// Whether the schema may be asked for.
    pub introspection: bool,
    /// When sockets and event streams end, which would go on for ever.
    pub ending: Ending,
    /// The only documents that run; `None`: any.
    pub trusted_documents: Option<TrustedDocuments>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            public_url: None,
            allowed_origins: Vec::new(),
            introspection: true,
            trusted_documents: None,
            ending: Ending::default(),
        }
    }
}
