//! A client for asking a server on this machine: plain HTTP, past every proxy, bounded in time.

use std::time::Duration;

/// Gives up on an answer after `wait`.
pub fn client(wait: Duration) -> reqwest::Client {
    parlance_providers::trusting_nobody(reqwest::Client::builder().timeout(wait).no_proxy())
}
