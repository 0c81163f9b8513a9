//! The issuer in its own process, and how it is told what to do.

use std::process::{Command, Stdio};

use parlance_tests::PATIENCE;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api_clients::node::Script;

pub struct Issuer {
    _script: Script,
    pub url: String,
    client_id: String,
    folder: TempDir,
    http: reqwest::Client,
}

impl Issuer {
    /// `None`: there is no node here, and there need not be.
    pub async fn start() -> Option<Self> {
        let version = Command::new("node").arg("--version").stdout(Stdio::null()).status();
        if !version.is_ok_and(|status| status.success()) {
            let required = std::env::var("PARLANCE_REQUIRE_NODE").is_ok_and(|required| required == "1");
            assert!(!required, "node is required");
            eprintln!("PASSED OVER: there is no node to run an issuer with");
            return None;
        }
        let mut script = Script::start("issuer.mjs", &[]);
        let first = script.says().await.expect("it says where it is");
        let word = |name: &str| first[name].as_str().expect("a text").to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("secret"), word("secret") + "\n").expect("a file");
        // The client insists on a choice of TLS, even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        let http = http.redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let (url, client_id) = (word("issuer"), word("clientId"));
        Some(Self { _script: script, url, client_id, folder, http })
    }

    /// What makes a server know it.
    pub fn flags(&self) -> Vec<String> {
        let secret = self.folder.path().join("secret");
        let mut flags = self.public_flags();
        flags.extend(["--oidc-client-secret-file".to_owned(), secret.display().to_string()]);
        flags
    }

    /// The same, as a client without a secret.
    pub fn public_flags(&self) -> Vec<String> {
        ["--oidc-issuer", &self.url, "--oidc-client-id", &self.client_id].map(str::to_owned).to_vec()
    }

    /// Tells it what to do from now on; gives how often it was asked for what.
    pub async fn told(&self, what: Value) -> Value {
        let asking = self.http.post(format!("{}/control", self.url)).body(what.to_string());
        let bytes = asking.send().await.expect("it answers").bytes().await.expect("a body");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// From now on it is this person who consents.
    pub async fn consents(&self, email: &str) {
        self.told(json!({ "user": { "sub": "u-1", "email": email, "email_verified": true } })).await;
    }

    /// Where it sends a browser that came from the server.
    pub async fn sends_back(&self, from: &str) -> String {
        let answer = self.http.get(from).send().await.expect("it answers");
        let status = answer.status();
        let to = answer.headers().get("location").map(|to| to.to_str().expect("a text").to_owned());
        to.unwrap_or_else(|| panic!("{status} of the issuer for {from}"))
    }
}
