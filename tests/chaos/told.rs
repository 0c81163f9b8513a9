//! GraphQL over whichever server: what came of a request where servers die under it.

use std::{net::SocketAddr, sync::Mutex, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Longer than a server waits for a read model (5 s), and for a database that comes back.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// Codes of errors that a server may answer with while others are killed, and what they say of a change.
const PUT_OFF: [&str; 3] = ["UNAVAILABLE", "NOT_SHOWN_YET", "BEHIND"];
const UNKNOWN: &str = "OUTCOME_UNKNOWN";

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A mutation's payload of what was done, by the position at its end.
    Done(u64),
    /// User errors.
    Refused,
    /// It was not done, the server says.
    NotDone,
    /// Nobody says.
    Unknown,
}

/// Who asks.
pub struct Asker {
    http: reqwest::Client,
    /// Answers that no server may give, whatever happens.
    strange: Mutex<Vec<String>>,
}

/// A position as a number: the test looks behind what is opaque to clients.
pub fn position(text: &Value) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(text.as_str()?).ok()?;
    Some(u64::from_be_bytes(bytes.get(5..13)?.try_into().ok()?))
}

impl Asker {
    pub fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A connection to a server that is gone would be found out by the next request.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(4).timeout(ANSWER_MAX);
        Self { http: http.build().expect("a client"), strange: Mutex::new(Vec::new()) }
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// What no server may answer was answered.
    pub fn strange(&self, what: String) {
        println!("STRANGE: {what}");
        self.strange.lock().expect("no panic while locked").push(what);
    }

    pub fn nothing_strange(&self) {
        let strange = self.strange.lock().expect("no panic while locked");
        assert!(strange.is_empty(), "answers that no server may give: {strange:#?}");
    }

    async fn answer(&self, at: SocketAddr, token: &str, query: &str, variables: Value) -> Option<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.http.post(format!("http://{at}/graphql")).bearer_auth(token);
        let sent = request.header("content-type", "application/json").body(body).send().await.ok()?;
        let status = sent.status();
        let bytes = sent.bytes().await.ok()?;
        let answer: Option<Value> = serde_json::from_slice(&bytes).ok();
        if answer.is_none() && status != 503 {
            self.strange(format!("{status} {}", String::from_utf8_lossy(&bytes)));
        }
        answer
    }

    /// An answer of nothing but errors, in a stream.
    pub fn refuses(&self, answer: &Value) {
        self.fault(answer);
    }

    /// The code of an answer's error, where there is one.
    fn fault(&self, answer: &Value) -> Option<String> {
        let code = answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned);
        if answer.get("errors").is_some()
            && !code.as_deref().is_some_and(|code| PUT_OFF.contains(&code) || code == UNKNOWN)
        {
            self.strange(answer.to_string());
        }
        code
    }

    /// Asks a question; `None`: the server is gone, or puts it off.
    pub async fn ask(&self, at: SocketAddr, token: &str, query: &str, variables: Value) -> Option<Value> {
        let mut answer = self.answer(at, token, query, variables).await?;
        if answer.get("errors").is_some() {
            self.fault(&answer);
            return None;
        }
        Some(answer["data"].take())
    }

    /// Asks for a change.
    pub async fn change(&self, at: SocketAddr, token: &str, name: &str, input: Value) -> Told {
        let mut type_name = name.to_owned();
        type_name[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {type_name}Input!) {{ {name}(input: $input) {{ position errors {{ code }} }} }}"
        );
        let Some(answer) = self.answer(at, token, &query, json!({ "input": input })).await else {
            return Told::Unknown;
        };
        let payload = &answer["data"][name];
        if let Some(position) = position(&payload["position"]) {
            return Told::Done(position);
        }
        if payload["errors"][0]["code"].is_string() {
            return Told::Refused;
        }
        match self.fault(&answer).as_deref() {
            Some("UNAVAILABLE") => Told::NotDone,
            _ => Told::Unknown,
        }
    }
}
