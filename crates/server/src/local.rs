//! A client for asking a server on this machine: plain HTTP, past every proxy, bounded in time.

use std::{sync::Arc, time::Duration};

/// Gives up on an answer after `wait`.
pub fn client(wait: Duration) -> anyhow::Result<reqwest::Client> {
    // The client insists on a TLS configuration; in this one nobody is trusted, and no certificates are looked for.
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(wait).no_proxy().build()?)
}
