//! What browsers and their pages may do: GET, cookies, origins, and documents that are named by their hash.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use parlance_graphql::{HttpSettings, router};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::fake::Fake;

fn served() -> Router {
    let settings = HttpSettings {
        public_url: Some("https://inbox.example.com".to_owned()),
        allowed_origins: vec!["https://shop.example.com".to_owned()],
        ..HttpSettings::default()
    };
    router(Arc::new(Fake::default()), settings)
}

type Headers<'a> = &'a [(&'a str, &'a str)];

async fn send(
    router: &Router,
    method: Method,
    path: &str,
    headers: Headers<'_>,
    body: String,
) -> (StatusCode, HeaderMap, Value) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).expect("the headers are written by hand");
    let response = router.clone().oneshot(request).await.expect("a router always answers");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the body is in memory");
    (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
}

async fn get(router: &Router, query: &str, headers: Headers<'_>) -> (StatusCode, Value) {
    let path =
        format!("/graphql?query={}", query.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D"));
    let (status, _, answer) = send(router, Method::GET, &path, headers, String::new()).await;
    (status, answer)
}

async fn post(router: &Router, body: &Value, headers: Headers<'_>) -> (StatusCode, HeaderMap, Value) {
    let headers = [&[("content-type", "application/json")], headers].concat();
    send(router, Method::POST, "/graphql", &headers, body.to_string()).await
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

const COOKIE: (&str, &str) = ("cookie", "__Host-parlance=prs_eva");
const TOKEN: (&str, &str) = ("authorization", "Bearer prl_eva");
const NAME: &str = "{ account { name } }";

#[tokio::test]
async fn a_get_runs_queries_and_no_mutation() {
    let router = served();
    let (status, answer) = get(&router, NAME, &[TOKEN]).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"data": {"account": {"name": "Acme"}}})));
    let mutation = "mutation { __typename }";
    for query in [mutation, "query A { __typename } mutation B { __typename }&operationName=B"] {
        let (status, answer) = get(&router, query, &[TOKEN]).await;
        assert_eq!(
            (status, code(&answer)),
            (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
            "{query}"
        );
    }
    let (status, headers, _) = send(&router, Method::PUT, "/graphql", &[], String::new()).await;
    assert_eq!(
        (status, &headers[header::ALLOW]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET, HEAD, POST, OPTIONS".parse().unwrap())
    );
    let (status, headers, _) = send(&router, Method::OPTIONS, "/graphql", &[], String::new()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(!headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_cookie_counts_only_where_no_other_site_can_have_sent_it() {
    let router = served();
    let own = ("origin", "https://inbox.example.com");
    let foreign = ("origin", "https://evil.example");
    let query = json!({ "query": NAME });
    for allowed in [&[COOKIE][..], &[COOKIE, own], &[TOKEN, foreign], &[TOKEN, COOKIE, foreign]] {
        let (status, _, answer) = post(&router, &query, allowed).await;
        assert_eq!(
            (status, &answer["data"]["account"]["name"]),
            (StatusCode::OK, &json!("Acme")),
            "{allowed:?}"
        );
    }
    for refused in [
        &[COOKIE, foreign][..],
        &[foreign],
        &[COOKIE, ("origin", "null")],
        &[COOKIE, ("sec-fetch-site", "cross-site")],
    ] {
        let (status, _, answer) = post(&router, &query, refused).await;
        assert_eq!((status, code(&answer)), (StatusCode::FORBIDDEN, "FORBIDDEN_ORIGIN"), "{refused:?}");
    }
    let (status, answer) = get(&router, NAME, &[COOKIE]).await;
    assert_eq!((status, code(&answer)), (StatusCode::FORBIDDEN, "PREFLIGHT_HEADER_MISSING"));
    for shown in [
        ("x-parlance-preflight", "1"),
        ("apollo-require-preflight", "true"),
        ("sec-fetch-site", "same-origin"),
    ] {
        assert_eq!(get(&router, NAME, &[COOKIE, shown]).await.0, StatusCode::OK, "{shown:?}");
    }
}

#[tokio::test]
async fn an_allowed_origin_s_page_reads_what_it_asks_with_a_token() {
    let router = served();
    let shop = ("origin", "https://shop.example.com");
    let asked = ("access-control-request-method", "POST");
    let (status, headers, _) =
        send(&router, Method::OPTIONS, "/graphql", &[shop, asked], String::new()).await;
    assert_eq!(
        (status, &headers["access-control-allow-origin"]),
        (StatusCode::NO_CONTENT, &shop.1.parse().unwrap())
    );
    assert!(headers["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
    let (status, headers, _) = post(&router, &json!({ "query": NAME }), &[shop, TOKEN]).await;
    assert_eq!((status, &headers["access-control-allow-origin"]), (StatusCode::OK, &shop.1.parse().unwrap()));
    assert!(!headers.contains_key("access-control-allow-credentials"));
    let (status, _, _) = post(&router, &json!({ "query": NAME }), &[shop, COOKIE]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_document_is_named_by_its_hash_once_it_was_sent_by_a_member() {
    let router = served();
    // SHA-256 of `{ account { name } }`.
    let hash = "29bc0af7845e4aae9a2195bfbc3d01c18c6fbf3f56fe6ff8509e967752fbf487";
    let persisted = |hash: &str| json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let named = json!({ "extensions": persisted(hash) });
    let whole = json!({ "query": NAME, "extensions": persisted(hash) });
    let newest = ("accept", "application/graphql-response+json");
    let (status, _, answer) = post(&router, &named, &[TOKEN]).await;
    assert_eq!((status, code(&answer)), (StatusCode::OK, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotFound");
    post(&router, &whole, &[]).await;
    let (status, _, answer) = post(&router, &named, &[TOKEN, newest]).await;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "PERSISTED_QUERY_NOT_FOUND"), "nobody's");
    post(&router, &whole, &[TOKEN]).await;
    let by_id = json!({ "documentId": format!("sha256:{hash}") });
    for known in [&named, &by_id] {
        let (_, _, answer) = post(&router, known, &[TOKEN]).await;
        assert_eq!(answer["data"]["account"]["name"], "Acme", "{known}");
    }
    let path = format!("/graphql?documentId=sha256:{hash}");
    let (status, _, _) = send(&router, Method::GET, &path, &[TOKEN], String::new()).await;
    assert_eq!(status, StatusCode::OK);
    let other = json!({ "query": "{ __typename }", "extensions": persisted(hash) });
    assert_eq!(code(&post(&router, &other, &[TOKEN]).await.2), "PERSISTED_QUERY_MISMATCH");
    let (_, _, answer) = post(&router, &named, &[]).await;
    assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND", "and not by nobody");
}
