//! What attackers send to `/graphql` of the running server: each is refused quickly, and costs no memory to speak of.

use std::time::{Duration, Instant};

use parlance_tests::Home;
use parlance_tests::served::{Served, Wire};
use serde_json::{Value, json};

/// For one refusal, on a machine that is busy with other tests. Most take a millisecond.
const REFUSED_WITHIN: Duration = Duration::from_secs(3);
/// What the whole set may add to the process, which keeps what its allocator once had.
const MEMORY_MIB_MAX: u64 = 64;
/// Connections that send a body and never end it.
const SLOW_BODIES: usize = 200;

fn document(query: &str) -> String {
    json!({ "query": query }).to_string()
}

/// Documents of an attacker's, by what they are.
fn documents() -> Vec<(&'static str, String)> {
    let joined = |number: usize, one: &dyn Fn(usize) -> String| (0..number).map(one).collect::<String>();
    let doublings = joined(30, &|n| format!("fragment F{n} on Query {{ ...F{m} ...F{m} }} ", m = n + 1));
    vec![
        ("aliases", format!("{{ {} }}", joined(2_000, &|n| format!("a{n}: __typename ")))),
        ("few aliases, and still many", format!("{{ {} }}", joined(31, &|n| format!("a{n}: __typename ")))),
        ("nested fields", format!("{{ {} }}", "account { ".repeat(4_000))),
        ("nested lists", format!("{{ node(id: {} }}", "[".repeat(20_000))),
        ("nested objects", format!("{{ node(id: {} }}", "{a:".repeat(8_000))),
        (
            "a chain of fragments",
            format!(
                "{{ ...F0 }} {}",
                joined(200, &|n| format!("fragment F{n} on Query {{ ...F{m} }} ", m = n + 1))
            ),
        ),
        (
            "fragments that hold each other",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".into(),
        ),
        ("a fragment that holds itself", "{ ...A } fragment A on Query { __typename ...A }".into()),
        ("thirty doublings", format!("{{ ...F0 }} {doublings} fragment F30 on Query {{ __typename }}")),
        ("directives on a field", format!("{{ __typename {} }}", "@skip(if: false) ".repeat(1_000))),
        ("unknown directives", format!("{{ __typename {} }}", "@a ".repeat(5_000))),
        (
            "directives on fragments",
            format!("{{ {} }}", "... @include(if: true) { __typename } ".repeat(400)),
        ),
        ("operations", joined(1_000, &|n| format!("query Q{n} {{ __typename }} "))),
        ("a list", format!("{{ node(id: [{}]) {{ id }} }}", "1,".repeat(10_000))),
        ("an object", format!("{{ node(id: {{{}}}) {{ id }} }}", joined(2_500, &|n| format!("a{n}:1,")))),
        ("a number", format!("{{ node(id: {}) {{ id }} }}", "9".repeat(30_000))),
        ("a string where an id stands", format!("{{ node(id: \"{}\") {{ id }} }}", "x".repeat(30_000))),
        ("an open string", format!("{{ node(id: \"\"\"{}", "\\\"\"\"".repeat(5_000))),
        ("a comment without end", format!("# {}", "#".repeat(30_000))),
        (
            "introspection in itself",
            format!(
                "{{ __schema {{ types {{ {} name {} }} }} }}",
                "fields { type { ".repeat(9),
                "} }".repeat(9)
            ),
        ),
        ("signs", "{".repeat(30_000)),
        ("zero bytes", "\u{0}".repeat(5_000)),
    ]
}

/// Bodies that are no single request, or hold more than one may.
fn bodies() -> Vec<(&'static str, String)> {
    let batch = vec![json!({ "query": "{ __typename }" }); 500];
    let variables = |value: Value| {
        json!({ "query": "query($v: ID!) { node(id: $v) { id } }", "variables": { "v": value } }).to_string()
    };
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    vec![
        ("a batch", Value::Array(batch).to_string()),
        ("an empty batch", "[]".to_owned()),
        ("deep variables", variables(deep)),
        (
            "variables too deep for a reader",
            format!("{{\"query\":\"{{a}}\",\"variables\":{{\"v\":{}", "[".repeat(30_000)),
        ),
        ("many variables", variables(json!(vec![1; 5_000]))),
        (
            "ten thousand aliases",
            document(&(0..10_000).map(|n| format!("a{n}: __typename ")).collect::<String>()),
        ),
        ("a body past the bound", document(&"x".repeat(600 * 1024))),
        ("half an object", "{\"query\": \"{ __typename".to_owned()),
    ]
}

fn posted(body: &str) -> Vec<u8> {
    format!(
        "POST /graphql HTTP/1.1\r\nHost: inbox.example.hu\r\nContent-Type: application/json\r\n\
         Accept: application/graphql-response+json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends a body; gives the status and the first error's code.
async fn sent(served: &Served, body: &str) -> (u16, Value) {
    let mut wire = Wire::open(served.address).await.expect("a connection");
    let said = wire.ask(&posted(body)).await.expect("an answer");
    let answer: Value = serde_json::from_str(&said.body).expect("every answer is JSON");
    (said.status, answer["errors"][0]["extensions"]["code"].clone())
}

#[tokio::test]
async fn what_asks_too_much_is_refused_quickly_and_costs_little_memory() {
    let folder = Home::new();
    let served = Served::start(super::PROGRAM, folder.path(), "http://127.0.0.1:9", &[]);
    let fine = document("{ __typename }");
    assert_eq!(sent(&served, &fine).await, (200, Value::Null));
    let before = served.memory().most_mib;
    let documents = documents().into_iter().map(|(what, query)| (what, document(&query)));
    for (what, body) in documents.chain(bodies()) {
        let asked = Instant::now();
        let (status, code) = sent(&served, &body).await;
        let took = asked.elapsed();
        // 294: run, and refused by the field itself.
        let refused = status == 294 || (400..500).contains(&status);
        assert!(refused && code.is_string(), "{what}: {status} {code}");
        assert!(took < REFUSED_WITHIN, "{what}: {took:?}");
    }
    let grown = served.memory().most_mib.saturating_sub(before);
    assert!(grown <= MEMORY_MIB_MAX, "{grown} MiB more");
    assert_eq!(sent(&served, &fine).await, (200, Value::Null), "it goes on");
}

#[tokio::test]
async fn slow_bodies_hold_up_nobody_and_little_memory() {
    let folder = Home::new();
    let served = Served::start(super::PROGRAM, folder.path(), "http://127.0.0.1:9", &[]);
    let fine = document("{ __typename }");
    assert_eq!(sent(&served, &fine).await, (200, Value::Null));
    let before = served.memory().most_mib;
    let head = "POST /graphql HTTP/1.1\r\nHost: inbox.example.hu\r\nContent-Type: application/json\r\n";
    let mut slow = Vec::new();
    for n in 0..SLOW_BODIES {
        let mut wire = Wire::open(served.address).await.expect("a connection");
        // Chunks of one byte, of which a reader that keeps each holds many times their length.
        let begun = if n % 2 == 0 {
            format!("{head}Content-Length: 30000\r\n\r\n{}", " ".repeat(20_000))
        } else {
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", "1\r\n \r\n".repeat(20_000))
        };
        wire.say(begun.as_bytes()).await.expect("it is taken");
        slow.push(wire);
    }
    let asked = Instant::now();
    assert_eq!(sent(&served, &fine).await, (200, Value::Null), "others are answered meanwhile");
    assert!(asked.elapsed() < REFUSED_WITHIN);
    let grown = served.memory().most_mib.saturating_sub(before);
    assert!(grown <= MEMORY_MIB_MAX, "{grown} MiB more for {SLOW_BODIES} slow bodies");
    let said = slow[0].answer().await.expect("even they are answered");
    assert_eq!(said.status, 408, "{}", said.body);
}
