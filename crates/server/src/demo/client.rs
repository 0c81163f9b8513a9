//! A GraphQL client over HTTP, as small as the demo needs it.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::local;

/// Everything is on this machine.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

pub struct Client {
    address: SocketAddr,
    http: reqwest::Client,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, http: local::client(ANSWER_WAIT) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Asks as the token's member; gives `data`. An error of any kind is one.
    pub async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> anyhow::Result<Value> {
        let mut request = self.http.post(self.url("/graphql")).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        let bytes = request.body(body).send().await?.bytes().await?;
        let mut answer: Value = serde_json::from_slice(&bytes).context("the answer is no JSON")?;
        match answer.get("errors") {
            Some(errors) => bail!("the API answered {errors}"),
            None => Ok(answer["data"].take()),
        }
    }

    /// Asks for a mutation; gives its payload. A user error is an error.
    pub async fn change(
        &self,
        token: Option<&str>,
        name: &str,
        query: &str,
        input: Value,
    ) -> anyhow::Result<Value> {
        let mut data = self.ask(token, query, json!({ "input": input })).await?;
        let payload = data[name].take();
        match payload["errors"].as_array() {
            Some(errors) if !errors.is_empty() => bail!("{name}: {}", payload["errors"]),
            _ => Ok(payload),
        }
    }
}
