//! The HTTP layer: what is taken, what is refused, and in which shape.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use parlance_app::front::FrontError;
use parlance_graphql::{HttpSettings, router};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::fake::Fake;

async fn send(fake: Fake, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let response = router(Arc::new(fake), HttpSettings::default())
        .oneshot(request)
        .await
        .expect("a router always answers");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the body is in memory");
    assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
    (parts.status, parts.headers, serde_json::from_slice(&body).expect("every answer is JSON"))
}

fn post(headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post("/graphql");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).expect("the headers are written by hand")
}

const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
const EVA: (&str, &str) = ("authorization", "Bearer prl_eva");

#[tokio::test]
async fn a_member_is_answered_in_the_media_type_they_ask_for() {
    let body = json!({"query": "query Q { account { name } }", "operationName": "Q", "variables": {}, "extensions": {}});
    let (status, headers, answer) = send(Fake::default(), post(&[JSON, EVA], body.to_string())).await;
    assert_eq!(
        (status, &headers[header::CONTENT_TYPE]),
        (StatusCode::OK, &"application/json; charset=utf-8".parse().unwrap())
    );
    assert_eq!(answer, json!({"data": {"account": {"name": "Acme"}}}));
    let accept = ("accept", "application/graphql-response+json, application/json;q=0.9");
    let (status, headers, _) = send(Fake::default(), post(&[JSON, EVA, accept], body.to_string())).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "application/graphql-response+json; charset=utf-8");
    let wrong = json!({"query": "{ nothing }"}).to_string();
    let (status, _, answer) = send(Fake::default(), post(&[JSON, EVA, accept], wrong.clone())).await;
    assert_eq!((status, answer.get("data")), (StatusCode::BAD_REQUEST, None), "not executed");
    let (status, _, answer) = send(Fake::default(), post(&[JSON, EVA], wrong)).await;
    assert_eq!((status, answer.get("data")), (StatusCode::OK, None));
}

#[tokio::test]
async fn what_is_no_graphql_request_is_refused_in_graphqls_shape() {
    let cases = [
        (post(&[("content-type", "text/plain")], "{}"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (post(&[], r#"{"query":"{ __typename }"}"#), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (post(&[JSON], "x".repeat(256 * 1024 + 1)), StatusCode::PAYLOAD_TOO_LARGE),
        (post(&[JSON], "{"), StatusCode::BAD_REQUEST),
        (post(&[JSON], "{}"), StatusCode::BAD_REQUEST),
        (post(&[JSON], r#"{"query": 7}"#), StatusCode::BAD_REQUEST),
        (post(&[JSON], r#"{"query": "{ __typename }", "variables": []}"#), StatusCode::BAD_REQUEST),
        (post(&[JSON], r#" [{"query": "{ __typename }"}]"#), StatusCode::BAD_REQUEST),
        (Request::get("/graphql").body(Body::empty()).unwrap(), StatusCode::BAD_REQUEST),
        (Request::delete("/graphql").body(Body::empty()).unwrap(), StatusCode::METHOD_NOT_ALLOWED),
    ];
    for (n, (request, expected)) in cases.into_iter().enumerate() {
        let (status, headers, answer) = send(Fake::default(), request).await;
        assert_eq!(status, expected, "case {n}");
        assert!(answer["errors"][0]["extensions"]["code"].is_string(), "case {n}: {answer}");
        if status == StatusCode::METHOD_NOT_ALLOWED {
            assert_eq!(headers[header::ALLOW], "GET, HEAD, POST, OPTIONS");
        }
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_and_no_token_is_nobody() {
    let body = r#"{"query": "{ __schema { queryType { name } } account { id } }"}"#;
    for wrong in ["Bearer prl_other", "Bearer eva", "Basic prl_eva", "prl_eva", "Bearer"] {
        let (status, headers, answer) =
            send(Fake::default(), post(&[JSON, ("authorization", wrong)], body)).await;
        assert_eq!(
            (status, &headers[header::WWW_AUTHENTICATE]),
            (StatusCode::UNAUTHORIZED, &"Bearer".parse().unwrap())
        );
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{wrong}");
    }
    let (status, _, answer) = send(Fake::default(), post(&[JSON], body)).await;
    assert_eq!((status, &answer["data"]["__schema"]["queryType"]["name"]), (StatusCode::OK, &json!("Query")));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let accept = r#"{"query": "mutation { acceptInvitation(input: {token: \"pri_once\"}) { apiToken viewer { member { name } } position } }"}"#;
    let (_, _, answer) = send(Fake::default(), post(&[JSON], accept)).await;
    let accepted = &answer["data"]["acceptInvitation"];
    assert_eq!(
        (&accepted["apiToken"], &accepted["viewer"]["member"]["name"]),
        (&json!("prl_eva"), &json!("Éva"))
    );
}

#[tokio::test]
async fn a_fault_while_the_token_is_looked_up_is_masked() {
    let fake = Fake { fail_reads: Some(FrontError::Behind), ..Fake::default() };
    let (status, _, answer) = send(fake, post(&[JSON, EVA], r#"{"query": "{ __typename }"}"#)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer["errors"][0]["extensions"]["traceId"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_all_the_same() {
    let fake = Fake { slow: true, ..Fake::default() };
    let (status, _, answer) = send(fake, post(&[JSON, EVA], r#"{"query": "{ account { id } }"}"#)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TIMED_OUT");
}
