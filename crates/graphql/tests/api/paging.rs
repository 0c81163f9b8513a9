//! Paging from outside: cursors lead on, and are refused where they do not belong.

use std::sync::Arc;

use serde_json::Value;

use crate::fake::{Fake, conversation_id, run};

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("no error")
}

#[tokio::test]
async fn a_cursor_leads_to_the_next_page_of_its_own_section_only() {
    let fake = Arc::new(Fake { conversations: 5, ..Fake::default() });
    let page = |section: &str, after: &str| {
        format!(
            "{{ conversations(section: {section}, first: 2{after}) {{
                edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }}"
        )
    };
    let mut seen = Vec::new();
    let mut after = String::new();
    let mut cursor = String::new();
    for more in [true, true, false] {
        let answer = run(&fake, &page("CLOSED", &after)).await;
        let found = &answer["data"]["conversations"];
        assert_eq!(found["pageInfo"]["hasNextPage"], more, "{answer:#}");
        assert_eq!(found["pageInfo"]["hasPreviousPage"], !after.is_empty());
        seen.extend(found["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["id"].clone()));
        cursor = found["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
        after = format!(r#", after: "{cursor}""#);
    }
    let all: Vec<_> = (0..5).map(|n| Value::from(conversation_id(n).to_string())).collect();
    assert_eq!(seen, all);
    assert_eq!(code(&run(&fake, &page("UNASSIGNED", &after)).await), "CURSOR_OF_ANOTHER_LIST");
    assert_eq!(code(&run(&fake, &page("CLOSED", r#", after: "x""#)).await), "CURSOR_INVALID");
    let members = format!(r#"{{ members(after: "{cursor}") {{ nodes {{ id }} }} }}"#);
    assert_eq!(code(&run(&fake, &members).await), "CURSOR_OF_ANOTHER_LIST");
    let restored = cursor.replacen("AQAAAA", "AQAAAB", 1);
    let after = format!(r#", after: "{restored}""#);
    assert_eq!(code(&run(&fake, &page("CLOSED", &after)).await), "RELOAD");
}

#[tokio::test]
async fn a_page_is_asked_with_a_number_in_its_bounds_and_in_one_direction() {
    let fake = Arc::new(Fake::default());
    for first in ["0", "-1", "101"] {
        let query = format!("{{ members(first: {first}) {{ nodes {{ id }} }} }}");
        assert_eq!(code(&run(&fake, &query).await), "PAGE_SIZE_OUT_OF_RANGE", "{first}");
    }
    let id = conversation_id(0);
    let thread = |arguments: &str| {
        format!(
            r#"{{ conversation(id: "{id}") {{ messages{arguments} {{ nodes {{ id }} pageInfo {{ hasPreviousPage hasNextPage endCursor }} }} }} }}"#
        )
    };
    assert_eq!(code(&run(&fake, &thread("(first: 1, last: 1)")).await), "PAGE_DIRECTION_MIXED");
    let answer = run(&fake, &thread("")).await;
    let info = &answer["data"]["conversation"]["messages"]["pageInfo"];
    assert_eq!(
        (&info["hasPreviousPage"], &info["hasNextPage"]),
        (&true.into(), &false.into()),
        "newest first"
    );
    let cursor = info["endCursor"].as_str().unwrap();
    let answer = run(&fake, &thread(&format!(r#"(before: "{cursor}", last: 2)"#))).await;
    assert_eq!(answer["data"]["conversation"]["messages"]["pageInfo"]["hasNextPage"], true, "{answer:#}");
}

#[tokio::test]
async fn a_position_of_before_a_restore_is_refused_and_one_of_now_is_waited_for() {
    let fake = Arc::new(Fake::default());
    let id = conversation_id(0);
    let answer = run(&fake, &format!(r#"{{ conversation(id: "{id}") {{ changedAt }} }}"#)).await;
    let position = answer["data"]["conversation"]["changedAt"].as_str().unwrap().to_owned();
    let at_least = |position: &str| format!(r#"{{ account(atLeast: "{position}") {{ id }} }}"#);
    assert_eq!(run(&fake, &at_least(&position)).await.get("errors"), None);
    assert!(fake.calls().contains(&"shown"));
    let restored = position.replacen("AQAAAA", "AQAAAB", 1);
    assert_ne!(restored, position);
    assert_eq!(code(&run(&fake, &at_least(&restored)).await), "RELOAD");
    assert!(run(&fake, &at_least("42")).await["errors"][0]["message"].as_str().unwrap().contains("position"));
    let fake = Arc::new(Fake { behind: true, ..Fake::default() });
    assert_eq!(code(&run(&fake, &at_least(&position)).await), "BEHIND");
}
