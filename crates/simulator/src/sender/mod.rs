//! Delivers signed requests to a webhook's address as the providers do: their time-outs, their retries, Meta's
//! handshake. What is delivered is made in `messenger` and `twilio`.

mod policy;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

pub use policy::{META_ANSWER_MAX, META_TRIES_MAX, Policy, TWILIO_ANSWER_MAX, TWILIO_RETRIES_MAX};
use reqwest::{Client, redirect};
use tokio::time::{self, Instant};

use crate::{request::Request, signature::without_fragment};

/// Longest wait for a connection: Twilio's default of `ct` (PROTOCOLS 4.2), taken for Meta, too.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// An answer is kept up to this size: a webhook's is empty or a line, and the rest is of no interest.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// First wait between tries, which makes Meta's last try fall 34 hours after the first.
pub const BASE_DELAY: Duration = Duration::from_secs(60);

/// Calls webhooks. Clones share the connections. Only plain HTTP is spoken: no certificate is trusted.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    base_delay: Duration,
    answer_max: Duration,
}

/// What a webhook answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Up to 64 KiB of it, as text.
    pub body: String,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nobody listens there, or not in time; or address or headers are none that can be sent.
    #[error("no connection")]
    Connect,
    #[error("no answer in time")]
    TimedOut,
    #[error("the connection broke before the answer was whole")]
    Cut,
}

/// One delivery from the first try to the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order of trying; never empty.
    pub tries: Vec<Result<Answer, Failure>>,
    /// Whether the provider took the last answer for a success.
    pub accepted: bool,
}

impl Default for Sender {
    /// With the providers' own waits: minutes to hours between Meta's tries.
    fn default() -> Self {
        Self::new(BASE_DELAY)
    }
}

impl Sender {
    /// `base_delay` is the wait before Meta's third try, doubled from then on, and, if it is not above a second, the
    /// wait between any two of Twilio's.
    ///
    /// # Panics
    ///
    /// If the machine cannot make an HTTP client, which takes no more than memory.
    pub fn new(base_delay: Duration) -> Self {
        Self { client: client(), base_delay, answer_max: Duration::MAX }
    }

    /// Waits no longer than this for an answer, where the provider would wait longer.
    #[must_use]
    pub fn with_answer_max(mut self, answer_max: Duration) -> Self {
        self.answer_max = answer_max;
        self
    }

    /// One try, within the provider's time. The fragment of the address stays here.
    ///
    /// # Errors
    ///
    /// If there was no whole answer.
    pub async fn send(&self, url: &str, request: &Request) -> Result<Answer, Failure> {
        self.try_once(url, request, Policy::of(request.provider, url).answer_max).await
    }

    /// The request as often as its provider would send it, until it is accepted. The bytes and headers are the same
    /// every time. Takes as long as the policy says: for Meta up to 2,047 times the base delay, and the answers' time;
    /// for Twilio 15 seconds.
    pub async fn deliver(&self, url: &str, request: &Request) -> Report {
        let policy = Policy::of(request.provider, url);
        let started = Instant::now();
        let left = || policy.total_max.map_or(Duration::MAX, |total| total.saturating_sub(started.elapsed()));
        let mut report = Report { tries: Vec::new(), accepted: false };
        for tries in 1.. {
            let outcome = self.try_once(url, request, policy.answer_max.min(left())).await;
            report.accepted = outcome.as_ref().is_ok_and(|answer| policy.accepts(answer));
            let wait = policy.again(tries, &outcome, self.base_delay);
            report.tries.push(outcome);
            match wait {
                // A try that could not begin in time is not waited for.
                Some(wait) if !report.accepted && wait < left() => time::sleep(wait).await,
                _ => break,
            }
        }
        report
    }

    /// Meta's verification of an address: a GET with `hub.mode=subscribe`, unsigned. True if the answer is a 200 with
    /// the challenge for its body.
    ///
    /// # Errors
    ///
    /// If there was no whole answer.
    pub async fn handshake(&self, url: &str, verify_token: &str, challenge: &str) -> Result<bool, Failure> {
        let answer = self.subscribe(url, "subscribe", verify_token, challenge).await?;
        Ok(answer.status == 200 && answer.body == challenge)
    }

    /// The same with any mode, and the whole answer.
    ///
    /// # Errors
    ///
    /// If there was no whole answer.
    pub async fn subscribe(
        &self,
        url: &str,
        mode: &str,
        verify_token: &str,
        challenge: &str,
    ) -> Result<Answer, Failure> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", mode)
            .append_pair("hub.challenge", challenge)
            .append_pair("hub.verify_token", verify_token)
            .finish();
        let address = without_fragment(url);
        let mark = if address.contains('?') { '&' } else { '?' };
        let get = self.client.get(format!("{address}{mark}{query}"));
        read(get.timeout(META_ANSWER_MAX.min(self.answer_max))).await
    }

    async fn try_once(&self, url: &str, request: &Request, answer_max: Duration) -> Result<Answer, Failure> {
        let mut post = self.client.post(without_fragment(url)).timeout(answer_max.min(self.answer_max));
        for (name, value) in &request.headers {
            post = post.header(name, value);
        }
        read(post.body(request.body.clone())).await
    }
}

/// A client for plain HTTP that follows no redirect and asks no proxy.
pub(crate) fn client() -> Client {
    // The client insists on a TLS provider even for plain HTTP; one given here leaves the global choice alone.
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_MAX)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client without files or names to look up")
}

async fn read(call: reqwest::RequestBuilder) -> Result<Answer, Failure> {
    let mut response = call.send().await.map_err(|error| failure(&error))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() >= ANSWER_BYTES_MAX {
            body.truncate(ANSWER_BYTES_MAX);
            break;
        }
    }
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        Failure::Connect
    } else if error.is_timeout() {
        Failure::TimedOut
    } else {
        Failure::Cut
    }
}
