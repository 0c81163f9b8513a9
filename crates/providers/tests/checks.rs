//! Whether credentials open a page or number, asked of a provider that is a small server on this machine.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use parlance_app::ingestion::{CheckError, Checked, Credentials, Provider};
use parlance_domain::connection::ConnectionSecrets;
use parlance_providers::{Messenger, Twilio, Url};
use tokio::net::TcpListener;

use crate::support::{nowhere, outbound, secrets};

const PAGE: &str = "682498302938465";
const NUMBER: &str = "whatsapp:+36201234567";
const SANDBOX: &str = "whatsapp:+14155238886";
const ACCOUNT: &str = "AC00000000000000000000000000000000";
const ACTIVE: &str = r#"{"sid":"AC00000000000000000000000000000000","status":"active"}"#;

/// A provider that gives prepared answers, one after the other, and remembers what it was asked.
#[derive(Clone)]
struct Pretended {
    url: Url,
    asked: Asked,
}

type Asked = Arc<Mutex<Vec<(String, HeaderMap)>>>;
type Answers = Arc<Mutex<Vec<(StatusCode, String)>>>;

impl Pretended {
    /// `HERE` in an answer becomes the server's own address.
    async fn start(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url: Url =
            format!("http://{}/", listener.local_addr().expect("an address")).parse().expect("a URL");
        let here = url.as_str().trim_end_matches('/');
        let mut answers: Vec<_> = answers
            .iter()
            .map(|(status, body)| {
                (StatusCode::from_u16(*status).expect("a status"), body.replace("HERE", here))
            })
            .collect();
        answers.reverse();
        let answers: Answers = Arc::new(Mutex::new(answers));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().fallback(answer).with_state((answers, Arc::clone(&asked)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked").iter().map(|(path, _)| path.clone()).collect()
    }

    fn authorization(&self) -> String {
        let asked = self.asked.lock().expect("nobody panicked");
        let header = asked.first().expect("it was asked").1.get(header::AUTHORIZATION);
        header.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

async fn answer(
    State((answers, asked)): State<(Answers, Asked)>,
    request: Request,
) -> (StatusCode, HeaderMap, String) {
    let path = request.uri().to_string();
    asked.lock().expect("nobody panicked").push((path, request.headers().clone()));
    let next = answers.lock().expect("nobody panicked").pop();
    let (status, body) = next.unwrap_or((StatusCode::IM_A_TEAPOT, "nothing more was prepared".into()));
    let mut headers = HeaderMap::new();
    if status.is_redirection() {
        headers.insert(header::LOCATION, body.parse().expect("an address"));
    }
    (status, headers, body)
}

fn with_access(access: &str) -> ConnectionSecrets {
    ConnectionSecrets { access: Some(access.into()), ..secrets("secret") }
}

async fn check(
    provider: &impl Provider,
    secrets: &ConnectionSecrets,
    id: &str,
) -> Result<Checked, CheckError> {
    provider.check(Credentials { secrets, access: None, provider_id: id }).await
}

async fn messenger(answers: &[(u16, &str)]) -> (Pretended, Messenger) {
    let graph = Pretended::start(answers).await;
    let messenger = Messenger::new(outbound(), graph.url.clone());
    (graph, messenger)
}

async fn twilio(answers: &[(u16, &str)]) -> (Pretended, Twilio) {
    let api = Pretended::start(answers).await;
    let twilio = Twilio::new(outbound(), api.url.clone(), api.url.clone());
    (api, twilio)
}

#[tokio::test]
async fn a_page_token_opens_its_page() {
    let (graph, messenger) = messenger(&[(200, r#"{"id":"682498302938465","name":"Kávézó"}"#)]).await;
    let secrets = with_access("the-connections");
    let credentials = Credentials { secrets: &secrets, access: Some("EAAB-token"), provider_id: PAGE };
    assert_eq!(
        messenger.check(credentials).await,
        Ok(Checked { name: Some("Kávézó".into()), shared: false })
    );
    // HMAC-SHA256 of `EAAB-token` under `secret`.
    let proof = "940c02b6d4110fc81274b7ced50c8f1c067cdc892d4d824b08e555ac5907f42e";
    assert_eq!(graph.asked(), [format!("/v25.0/me?fields=id,name&appsecret_proof={proof}")]);
    assert_eq!(graph.authorization(), "Bearer EAAB-token");
}

#[tokio::test]
async fn a_connections_own_token_will_do() {
    let (graph, messenger) = messenger(&[(200, r#"{"id":"682498302938465"}"#)]).await;
    assert_eq!(check(&messenger, &with_access("own"), PAGE).await, Ok(Checked { name: None, shared: false }));
    assert_eq!(graph.authorization(), "Bearer own");
}

#[tokio::test]
async fn a_token_of_another_page_is_refused() {
    let (_graph, messenger) = messenger(&[(200, r#"{"id":"1","name":"Another"}"#)]).await;
    assert_eq!(check(&messenger, &with_access("token"), PAGE).await, Err(CheckError::Refused));
}

#[tokio::test]
async fn a_page_without_usable_secrets_is_refused_unasked() {
    let (graph, messenger) = messenger(&[]).await;
    let without_signing = ConnectionSecrets { access: Some("token".into()), ..secrets("") };
    for secrets in [secrets("secret"), with_access(""), with_access("two\r\nlines"), without_signing] {
        assert_eq!(check(&messenger, &secrets, PAGE).await, Err(CheckError::Refused));
    }
    assert!(graph.asked().is_empty());
}

#[tokio::test]
async fn what_the_graph_answers_otherwise_is_a_no_or_a_later() {
    let bad_token =
        r#"{"error":{"message":"Invalid OAuth access token.","type":"OAuthException","code":190}}"#;
    let too_many = r#"{"error":{"message":"(#4) Application request limit reached","code":4}}"#;
    let (refused, later) = (CheckError::Refused, CheckError::Unavailable);
    for (status, body, expected) in [
        (400, bad_token, &refused),
        (401, bad_token, &refused),
        (403, "", &refused),
        (404, "nonsense", &refused),
        (400, too_many, &later),
        (403, too_many, &later),
        (408, "", &later),
        (429, "", &later),
        (500, bad_token, &later),
        (503, "", &later),
        (302, "https://example.com/", &later),
        (204, "", &later),
        (200, "<html>", &later),
        (200, r#"{"name":"No id"}"#, &later),
    ] {
        let (graph, messenger) = messenger(&[(status, body)]).await;
        let answer = check(&messenger, &with_access("token"), PAGE).await;
        assert_eq!(answer.as_ref(), Err(expected), "{status} {body}");
        assert_eq!(graph.asked().len(), 1, "no redirect is followed and nothing asked twice");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_short() {
    let long = format!(r#"{{"id":"682498302938465","name":"{}"}}"#, "x".repeat(1 << 20));
    let (_graph, messenger) = messenger(&[(200, &long)]).await;
    assert_eq!(check(&messenger, &with_access("token"), PAGE).await, Err(CheckError::Unavailable));
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_unavailable() {
    let messenger = Messenger::new(outbound(), nowhere());
    assert_eq!(check(&messenger, &with_access("token"), PAGE).await, Err(CheckError::Unavailable));
    let twilio = Twilio::new(outbound(), nowhere(), nowhere());
    assert_eq!(check(&twilio, &with_access(ACCOUNT), NUMBER).await, Err(CheckError::Unavailable));
}

#[tokio::test]
async fn a_simulator_may_live_below_a_path() {
    let (graph, _) = messenger(&[(200, r#"{"id":"682498302938465"}"#)]).await;
    let messenger = Messenger::new(outbound(), graph.url.join("simulator/graph/").expect("an address"));
    assert!(check(&messenger, &with_access("token"), PAGE).await.is_ok());
    assert!(graph.asked()[0].starts_with("/simulator/graph/v25.0/me?"));
}

#[tokio::test]
async fn an_account_opens_its_sender_on_any_page() {
    let (api, twilio) = twilio(&[
        (200, ACTIVE),
        (
            200,
            r#"{"senders":[{"sender_id":"whatsapp:+1"},{"sender_id":null,"profile":null}],"meta":{"next_page_url":"HERE/v2/Channels/Senders?Channel=whatsapp&PageToken=x"}}"#,
        ),
        (
            200,
            r#"{"senders":[{"sender_id":"whatsapp:+36201234567","profile":{"name":"Kávézó"}}],"meta":{"next_page_url":null}}"#,
        ),
    ])
    .await;
    let checked = check(&twilio, &with_access(ACCOUNT), NUMBER).await;
    assert_eq!(checked, Ok(Checked { name: Some("Kávézó".into()), shared: false }));
    assert_eq!(
        api.asked(),
        [
            "/2010-04-01/Accounts/AC00000000000000000000000000000000.json",
            "/v2/Channels/Senders?Channel=whatsapp&PageSize=50",
            "/v2/Channels/Senders?Channel=whatsapp&PageToken=x",
        ]
    );
    // base64 of `AC00000000000000000000000000000000:secret`.
    assert_eq!(api.authorization(), "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDpzZWNyZXQ=");
}

#[tokio::test]
async fn a_number_of_another_account_is_refused() {
    let senders = r#"{"senders":[{"sender_id":"whatsapp:+1"}],"meta":{"next_page_url":null}}"#;
    let (_api, twilio) = twilio(&[(200, ACTIVE), (200, senders)]).await;
    assert_eq!(check(&twilio, &with_access(ACCOUNT), NUMBER).await, Err(CheckError::Refused));
}

#[tokio::test]
async fn the_shared_sandbox_needs_the_account_only() {
    let (api, twilio) = twilio(&[(200, ACTIVE)]).await;
    assert_eq!(
        check(&twilio, &with_access(ACCOUNT), SANDBOX).await,
        Ok(Checked { name: None, shared: true })
    );
    assert_eq!(api.asked().len(), 1);
}

#[tokio::test]
async fn an_account_that_is_not_active_is_refused() {
    for status in ["suspended", "closed"] {
        let (_api, twilio) = twilio(&[(200, &format!(r#"{{"status":"{status}"}}"#))]).await;
        assert_eq!(
            check(&twilio, &with_access(ACCOUNT), SANDBOX).await,
            Err(CheckError::Refused),
            "{status}"
        );
    }
}

#[tokio::test]
async fn what_is_no_account_is_refused_unasked() {
    let (api, twilio) = twilio(&[]).await;
    let upper = format!("AC{}", "A".repeat(32));
    let longer = format!("{ACCOUNT}0");
    for sid in ["", "AC", "../../secrets", "SK00000000000000000000000000000000", &upper, &longer] {
        assert_eq!(check(&twilio, &with_access(sid), NUMBER).await, Err(CheckError::Refused), "{sid}");
    }
    let without_token = ConnectionSecrets { access: Some(ACCOUNT.into()), ..secrets("") };
    assert_eq!(check(&twilio, &without_token, NUMBER).await, Err(CheckError::Refused));
    assert_eq!(check(&twilio, &secrets("secret"), NUMBER).await, Err(CheckError::Refused));
    assert!(api.asked().is_empty());
}

#[tokio::test]
async fn what_twilio_answers_otherwise_is_a_no_or_a_later() {
    let (refused, later) = (CheckError::Refused, CheckError::Unavailable);
    for (status, body, expected) in [
        (401, r#"{"code":20003}"#, &refused),
        (404, "", &refused),
        (429, r#"{"code":20429}"#, &later),
        (500, "", &later),
        (301, "https://example.com/", &later),
        (200, "<html>", &later),
    ] {
        let (_api, on_account) = twilio(&[(status, body)]).await;
        let answer = check(&on_account, &with_access(ACCOUNT), NUMBER).await;
        assert_eq!(answer.as_ref(), Err(expected), "{status} {body}");
        let (_api, on_senders) = twilio(&[(200, ACTIVE), (status, body)]).await;
        let answer = check(&on_senders, &with_access(ACCOUNT), NUMBER).await;
        assert_eq!(answer.as_ref(), Err(expected), "{status} {body}");
    }
}

#[tokio::test]
async fn credentials_follow_no_page_to_another_host() {
    let elsewhere = Pretended::start(&[]).await;
    for next in [elsewhere.url.as_str(), "nowhere at all", "/v2/Channels/Senders?Page=1"] {
        let senders = format!(r#"{{"senders":[],"meta":{{"next_page_url":"{next}"}}}}"#);
        let (_api, twilio) = twilio(&[(200, ACTIVE), (200, &senders)]).await;
        assert_eq!(
            check(&twilio, &with_access(ACCOUNT), NUMBER).await,
            Err(CheckError::Unavailable),
            "{next}"
        );
    }
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn an_endless_list_is_cut_short() {
    let senders = r#"{"senders":[],"meta":{"next_page_url":"HERE/v2/Channels/Senders?again"}}"#;
    let mut answers = vec![(200, senders); 100];
    answers[0] = (200, ACTIVE);
    let (api, twilio) = twilio(&answers).await;
    assert_eq!(check(&twilio, &with_access(ACCOUNT), NUMBER).await, Err(CheckError::Unavailable));
    assert_eq!(api.asked().len(), 21);
}
