//! The only door to the outside: requests to the providers, bounded in time and in size. What is asked and what an
//! answer means is each provider's own.

use std::{sync::Arc, time::Duration};

use parlance_app::ingestion::CheckError;
use reqwest::{Client, ClientBuilder, RequestBuilder, StatusCode, Url, redirect::Policy};

/// A provider's front door that does not open within this time will not open soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// From the first byte sent to the last one received. A person waits for the answer in front of a page.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Fifty of Twilio's senders with full profiles have about a tenth of it.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Asks the providers over HTTPS. Redirects are not followed: they would carry credentials elsewhere.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
}

/// An answer of any status.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

impl Outbound {
    /// One for the whole process: its connections are kept and shared. Where the system has no certificates to
    /// trust, nobody can be asked; that is said once here, and everything else works.
    pub fn new() -> Self {
        // The process's default may have been set by somebody else already; then theirs is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = bounded_client().build().unwrap_or_else(|error| {
            tracing::error!(%error, "no provider can be asked: install the system's certificates (ca-certificates)");
            trusting_nobody(bounded_client())
        });
        Self { client }
    }

    /// For providers on this machine: past every proxy of the environment, and without certificates.
    pub fn local() -> Self {
        Self { client: trusting_nobody(bounded_client().no_proxy()) }
    }

    /// Its bounded client, for asking others than the providers.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Asks; `authorize` puts the credentials on the request. The reason of a failure is logged here, where it is
    /// lost, without the address, whose query may hold a proof.
    pub(crate) async fn get(
        &self,
        url: Url,
        authorize: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, CheckError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let answer = bounded(authorize(self.client.get(url))).await;
        let unavailable = |reason: &dyn std::fmt::Display| {
            tracing::warn!(host, %reason, "the provider cannot be asked");
            CheckError::Unavailable
        };
        match answer.map_err(reqwest::Error::without_url) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(unavailable(&"its answer is too long")),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

impl Default for Outbound {
    fn default() -> Self {
        Self::new()
    }
}

fn bounded_client() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("parlance/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
}

/// A client for plain HTTP, and for asking this machine itself. It insists on a TLS configuration; in this one
/// nobody is trusted, and no certificates are looked for.
pub fn trusting_nobody(builder: ClientBuilder) -> Client {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = builder.tls_backend_preconfigured(tls).build();
    client.expect("a client without files or names to look up")
}

/// `None`: the answer is too long.
async fn bounded(request: RequestBuilder) -> Result<Option<Answer>, reqwest::Error> {
    let mut response = request.send().await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(Answer { status: response.status(), body }))
}

impl Answer {
    /// What an answer other than the expected one means: the provider's no, or nobody's.
    pub(crate) fn refusal(&self) -> CheckError {
        let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&self.status);
        if self.status.is_client_error() && !later { CheckError::Refused } else { CheckError::Unavailable }
    }

    /// The answer as JSON. Something else with a good status is no answer of the provider's.
    pub(crate) fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, CheckError> {
        serde_json::from_slice(&self.body).map_err(|_| CheckError::Unavailable)
    }
}

/// An address below a base, whose own path stays in front of it.
pub(crate) fn below(base: &Url, path: &[&str], query: Option<&str>) -> Result<Url, CheckError> {
    let mut url = base.clone();
    // Only an address without a host, such as `data:`, has no path to extend: nothing can be asked there.
    url.path_segments_mut().map_err(|()| CheckError::Unavailable)?.pop_if_empty().extend(path);
    url.set_query(query);
    Ok(url)
}
