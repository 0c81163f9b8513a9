//! Installations that let nothing run but their own documents, and tell nobody their schema.

use parlance_tests::Home;
use parlance_tests::served::{Served, run};
use serde_json::json;

async fn code(served: &Served, query: &str) -> String {
    let answer = served.graphql(None, query, json!({})).await;
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none").to_owned()
}

#[tokio::test]
async fn with_trusted_documents_nothing_else_runs() {
    let folder = Home::new();
    let file = folder.path().join("documents.json");
    let known = "query Known { __typename }";
    std::fs::write(&file, json!({ "known": known }).to_string()).expect("a file");
    let flags = ["--trusted-documents", file.to_str().expect("a path"), "--introspection", "false"];
    let served = Served::start(super::PROGRAM, folder.path(), "http://127.0.0.1:9", &flags);
    assert_eq!(code(&served, known).await, "none");
    assert_eq!(code(&served, "{ __typename }").await, "DOCUMENT_NOT_TRUSTED");
    let (status, body) = served.get("/graphql?documentId=known").await;
    assert_eq!((status, body.as_str()), (200, r#"{"data":{"__typename":"Query"}}"#));
}

#[tokio::test]
async fn a_schema_that_is_not_told_cannot_be_guessed_either() {
    let folder = Home::new();
    let served =
        Served::start(super::PROGRAM, folder.path(), "http://127.0.0.1:9", &["--introspection", "false"]);
    assert_eq!(code(&served, "{ __schema { queryType { name } } }").await, "INTROSPECTION_OFF");
    assert_eq!(
        code(&served, "{ ...A } fragment A on Query { t: __type(name: \"Query\") { name } }").await,
        "INTROSPECTION_OFF"
    );
    assert_eq!(code(&served, "{ __typename }").await, "none");
    let answer =
        served.graphql(None, "{ acount { id } account(nam: 1) { nam } }", json!({})).await.to_string();
    assert!(!answer.contains("Did you mean") && !answer.contains("atLeast"), "{answer}");
}

#[test]
fn a_trusted_document_that_does_not_fit_stops_the_start_by_its_name() {
    let folder = Home::new();
    let file = folder.path().join("documents.json");
    std::fs::write(&file, json!({ "fits": "{ __typename }", "old": "{ gone }" }).to_string())
        .expect("a file");
    let file = file.to_str().expect("UTF-8");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--trusted-documents", file];
    let output = run(super::PROGRAM, folder.path(), &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("documents.json") && said.contains("`old`") && said.contains("gone"), "{said}");
}
