//! Faults of the installation and requests that ask too much.

use std::sync::Arc;

use parlance_app::{
    command::CommandError,
    front::{FrontError, StoreError},
};
use serde_json::Value;

use crate::fake::{Fake, conversation_id, run};

fn close() -> String {
    let id = conversation_id(0);
    format!(
        r#"mutation {{ closeConversation(input: {{conversation: "{id}"}}) {{ conversation {{ id }} position errors {{ code }} }} }}"#
    )
}

#[tokio::test]
async fn a_fault_is_masked_with_a_code_and_the_trace_id() {
    let secret = || "disk sda1 is full".to_owned();
    let cases: [(FrontError, &str); 8] = [
        (CommandError::Busy.into(), "UNAVAILABLE"),
        (CommandError::Contended.into(), "UNAVAILABLE"),
        (CommandError::NoSuchAccount.into(), "INTERNAL"),
        (CommandError::Store(StoreError::Unknown(secret())).into(), "OUTCOME_UNKNOWN"),
        (StoreError::Unavailable(secret()).into(), "UNAVAILABLE"),
        (StoreError::Conflict("moved").into(), "UNAVAILABLE"),
        (StoreError::Corrupt(secret()).into(), "INTERNAL"),
        (FrontError::Behind, "BEHIND"),
    ];
    for (cause, code) in cases {
        let fake = Arc::new(Fake { refuse: Some(cause.clone()), ..Fake::default() });
        let answer = run(&fake, &close()).await;
        let error = &answer["errors"][0];
        assert_eq!(
            (&error["extensions"]["code"], &error["extensions"]["traceId"]),
            (&code.into(), &"trace-1".into())
        );
        assert!(!answer.to_string().contains("sda1"), "{answer}");
        let fake = Arc::new(Fake { fail_reads: Some(cause), ..Fake::default() });
        let answer = run(&fake, "{ account { id } }").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code);
    }
}

#[tokio::test]
async fn what_was_done_but_is_not_shown_yet_has_its_position_and_no_object() {
    let fake = Arc::new(Fake { behind: true, ..Fake::default() });
    let answer = run(&fake, &close()).await;
    let payload = &answer["data"]["closeConversation"];
    assert_eq!(payload["conversation"], Value::Null);
    assert!(payload["position"].is_string(), "{answer:#}");
    assert_eq!(payload["errors"], Value::Array(Vec::new()));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_SHOWN_YET");
}

#[tokio::test]
async fn a_request_that_asks_too_much_is_refused_before_anything_is_asked() {
    let messages = "messages { nodes { id replyTo { id replyTo { id replyTo { id replyTo { id replyTo { id replyTo { id replyTo { id replyTo { id replyTo { id } } } } } } } } } } }";
    let close = "closeConversation(input: {conversation: \"x\"}) { position }";
    let renamed = |n: usize, field: &str| (0..n).map(|n| format!("a{n}: {field} ")).collect::<String>();
    let spread = (0..30).fold(String::from("fragment F30 on Query { account { id } }"), |text, n| {
        format!("{text} fragment F{n} on Query {{ ...F{} ...F{} }}", n + 1, n + 1)
    });
    let nowhere = spread.replace("{ account { id } }", "{ ...Nowhere }");
    let chain = (0..5_000).fold(String::from("fragment C5000 on Query { account { id } }"), |text, n| {
        format!("{text} fragment C{n} on Query {{ ...C{} }}", n + 1)
    });
    let requests = [
        format!("{{ conversation(id: \"x\") {{ {messages} }} }}"),
        format!("mutation {{ {} }}", renamed(6, close)),
        format!("{{ {} }}", renamed(21, "account { id }")),
        format!("{{ account {{ {} }} }}", renamed(31, "id")),
        format!("query {{ ...F0 }} {spread}"),
        format!("query {{ ...F0 }} {nowhere}"),
        format!("query {{ ...C0 }} {chain}"),
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".to_owned(),
    ];
    for request in requests {
        let fake = Arc::new(Fake::default());
        let answer = run(&fake, &request).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "QUERY_TOO_LARGE", "{request:.80}: {answer}");
        assert!(fake.calls().is_empty());
    }
    let wide =
        "{ conversations(section: CLOSED, first: 100) { nodes { messages(last: 100) { nodes { id } } } } }";
    let fake = Arc::new(Fake::default());
    let answer = run(&fake, wide).await;
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("complex"));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    assert_eq!(run(&fake, "{ account").await["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn a_tools_introspection_is_answered() {
    let of_type =
        (0..9).fold(String::from("kind name"), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let query = format!(
        "query {{ __schema {{ queryType {{ name }} types {{ ...T }} directives {{ name args {{ ...I }} }} }} }}
         fragment T on __Type {{ kind name description fields(includeDeprecated: true) {{ name args {{ ...I }} type {{ ...R }} }}
           inputFields {{ ...I }} interfaces {{ ...R }} enumValues {{ name }} possibleTypes {{ ...R }} }}
         fragment I on __InputValue {{ name type {{ ...R }} defaultValue }}
         fragment R on __Type {{ {of_type} }}"
    );
    let answer = run(&Arc::new(Fake::default()), &query).await;
    assert_eq!(answer.get("errors"), None, "{}", answer["errors"]);
}
