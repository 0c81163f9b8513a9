//! TLS, and what browsers are told with every answer.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use reqwest::{Client, Response};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// A server that is killed at the latest when the test ends.
struct Server {
    process: Child,
    scheme: String,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARLANCE_") {
            command.env_remove(name);
        }
    }
    command.arg("--data-dir").arg(folder);
    command
}

fn start(more: &[&str]) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = command(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error"]).args(more);
    let mut process = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let output = process.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("it says where it listens");
    let (scheme, address) =
        line.trim().rsplit(' ').next().and_then(|url| url.split_once("://")).expect("a URL");
    let (scheme, address) = (scheme.to_owned(), address.parse().expect("an address"));
    Server { process, scheme, address, folder }
}

fn by_tls() -> Server {
    let (certificate, key) = (file("first.pem"), file("first.key.pem"));
    let path = |path: &PathBuf| path.to_str().expect("UTF-8").to_owned();
    start(&["--tls-certificate", &path(&certificate), "--tls-key", &path(&key)])
}

/// A client that believes this certificate alone.
fn client(trusted: &str) -> Client {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file(trusted)).expect("a file") {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = Client::builder().no_proxy().timeout(Duration::from_secs(30));
    builder.tls_backend_preconfigured(tls).build().expect("a client")
}

async fn get(server: &Server, client: &Client, path: &str) -> Result<Response, reqwest::Error> {
    client.get(format!("{}://{}{path}", server.scheme, server.address)).send().await
}

#[tokio::test]
async fn a_server_with_a_certificate_speaks_tls_and_nothing_else() {
    let server = by_tls();
    assert_eq!(server.scheme, "https");
    let answer = get(&server, &client("first.pem"), "/healthz").await.expect("it is trusted");
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"));
    assert!(get(&server, &client("second.pem"), "/healthz").await.is_err(), "another certificate");
    let plain = client("first.pem").get(format!("http://{}/healthz", server.address)).send().await;
    assert!(plain.is_err(), "without TLS");
    // Operators' commands reach it all the same.
    let output = command(server.folder.path()).args(["operator", "token"]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn half_of_what_tls_needs_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let nonsense = folder.path().join("nonsense.pem");
    std::fs::write(&nonsense, "nonsense").expect("a file");
    let (certificate, key) = (file("first.pem"), file("second.key.pem"));
    for (certificate, key) in [(&certificate, &key), (&nonsense, &key), (&certificate, &nonsense)] {
        let mut command = command(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--tls-certificate"]).arg(certificate);
        let output = command.arg("--tls-key").arg(key).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut command = command(folder.path());
    let output = command.args(["serve", "--tls-key"]).arg(&key).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn every_answer_tells_browsers_to_run_and_frame_nothing() {
    let server = start(&[]);
    let client = client("first.pem");
    for path in ["/healthz", "/readyz", "/metrics", "/graphql", "/webhooks/x", "/nowhere"] {
        let answer = get(&server, &client, path).await.expect("it answers");
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_else(|| panic!("{path} has no {name}")).to_owned()
        };
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert!(!answer.headers().contains_key("strict-transport-security"), "it is not reached by TLS");
        assert!(!answer.headers().contains_key("server"));
    }
    let behind_tls = start(&["--public-url", "https://inbox.example.com"]);
    let answer = get(&behind_tls, &client, "/healthz").await.expect("it answers");
    assert!(answer.headers().contains_key("strict-transport-security"));
}
