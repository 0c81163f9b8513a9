//! Lists in pages: in order, with no gap and nothing twice, and only with what belongs to them.

use parlance_tests::served::{Office, Person, at, word};
use serde_json::{Value, json};

use super::open;

const PAGE: &str = "query($section: Section!, $first: Int, $after: String) {
    conversations(section: $section, first: $first, after: $after) {
        edges { cursor node { lastMessage { text } } }
        nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

/// All of a section by pages of that size.
async fn by_pages(office: &Office, person: &Person, section: &str, size: usize) -> Vec<String> {
    let (mut texts, mut after) = (Vec::new(), Value::Null);
    loop {
        let variables = json!({ "section": section, "first": size, "after": after });
        let page = office.ask(person, PAGE, variables).await["conversations"].take();
        let edges = page["edges"].as_array().expect("edges").clone();
        assert!(edges.len() <= size);
        assert_eq!(page["nodes"].as_array().map(Vec::len), Some(edges.len()));
        let info = &page["pageInfo"];
        assert_eq!(info["hasPreviousPage"], after.is_string());
        assert_eq!(info["startCursor"], edges.first().map_or(Value::Null, |edge| edge["cursor"].clone()));
        assert_eq!(info["endCursor"], edges.last().map_or(Value::Null, |edge| edge["cursor"].clone()));
        texts.extend(edges.iter().map(|edge| word(&edge["node"]["lastMessage"]["text"])));
        if info["hasNextPage"] != true {
            return texts;
        }
        assert_eq!(edges.len(), size, "only the last page is short");
        after = info["endCursor"].clone();
    }
}

#[tokio::test]
async fn sections_are_paged_whole_and_in_order_with_pages_of_any_size() {
    let (office, anna, bela) = open().await;
    let page = office.page();
    // Eleven in a body; three of them at one and the same time.
    let written: Vec<_> = (0..11_u64)
        .map(|n| {
            page.message(&format!("p-{n}"), &format!("mid-{n}"), &format!("{n:02}"), at(n.max(2) * 7 % 11))
        })
        .collect();
    office.tells(&written).await;
    let ids: Vec<_> = office.section(&anna, "UNASSIGNED").await.iter().map(|c| word(&c["id"])).collect();
    for (number, id) in ids.iter().enumerate() {
        match number % 4 {
            0 => drop(office.assigns(&anna, id, &bela).await),
            1 => drop(office.assigns(&anna, id, &office.admin).await),
            2 => drop(office.on(&anna, "closeConversation", id).await),
            _ => {}
        }
    }
    for section in ["UNASSIGNED", "ASSIGNED_TO_ME", "ASSIGNED_TO_OTHERS", "CLOSED"] {
        for person in [&anna, &bela] {
            let whole = office.listed(person, section).await;
            for size in 1..=whole.len() + 1 {
                assert_eq!(by_pages(&office, person, section, size).await, whole, "{section} by {size}");
            }
        }
    }
    // Anna's "others" are Béla's and the admin's, merged.
    assert_eq!(office.listed(&anna, "ASSIGNED_TO_OTHERS").await.len(), 6);
}

#[tokio::test]
async fn a_page_keeps_its_place_while_the_section_changes() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let written: Vec<_> = (0..6_u64)
        .map(|n| page.message(&format!("p-{n}"), &format!("mid-{n}"), &n.to_string(), at(n)))
        .collect();
    office.tells(&written).await;
    office.sections(&anna).await;
    let first = office.asks(&anna, PAGE, json!({ "section": "UNASSIGNED", "first": 2 })).await;
    let after = first["conversations"]["pageInfo"]["endCursor"].clone();
    // The one that the cursor names is taken away, another goes to the top.
    let named = office.named("4").await;
    office.assigns(&anna, &named, &anna).await;
    office.goes_on("p-1", "1 again", at(100)).await;
    let next = office.asks(&anna, PAGE, json!({ "section": "UNASSIGNED", "first": 9, "after": after })).await;
    let texts: Vec<_> = next["conversations"]["edges"]
        .as_array()
        .map(|edges| edges.iter().map(|edge| word(&edge["node"]["lastMessage"]["text"])).collect())
        .unwrap_or_default();
    assert_eq!(texts, ["3", "2", "0"]);
}

#[tokio::test]
async fn a_thread_is_read_forwards_and_backwards() {
    let (office, anna, _) = open().await;
    let page = office.page();
    let written: Vec<_> =
        (0..9_u64).map(|n| page.message("p-1", &format!("mid-{n}"), &n.to_string(), at(n / 2))).collect();
    office.tells(&written).await;
    let id = office.named("8").await;
    let whole: Vec<_> = (0..9).map(|n| n.to_string()).collect();
    assert_eq!(office.said(&anna, &id).await, whole);
    let query = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
        conversation(id: $id) { messages(first: $first, after: $after, last: $last, before: $before) {
            nodes { text } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
    for size in 1..=10 {
        for forwards in [true, false] {
            let (mut read, mut cursor) = (Vec::<String>::new(), Value::Null);
            loop {
                let variables = if forwards {
                    json!({ "id": id, "first": size, "after": cursor })
                } else {
                    json!({ "id": id, "last": size, "before": cursor })
                };
                let page = office.ask(&anna, query, variables).await["conversation"]["messages"].take();
                let texts = page["nodes"].as_array().expect("nodes").iter().map(|m| word(&m["text"]));
                if forwards {
                    read.extend(texts);
                } else {
                    read.splice(0..0, texts.collect::<Vec<_>>());
                }
                let (more, end) =
                    if forwards { ("hasNextPage", "endCursor") } else { ("hasPreviousPage", "startCursor") };
                if page["pageInfo"][more] != true {
                    break;
                }
                cursor = page["pageInfo"][end].clone();
            }
            assert_eq!(read, whole, "by {size}");
        }
    }
}

#[tokio::test]
async fn members_are_paged_too() {
    let (office, anna, _) = open().await;
    for name in ["cili", "dora", "elek"] {
        office.member(&format!("{name}@example.hu"), &[]).await;
    }
    let query = "query($first: Int, $after: String) { members(first: $first, after: $after) {
        nodes { id } pageInfo { hasNextPage endCursor } } }";
    let mut runs = Vec::new();
    for size in 1..=6 {
        let (mut ids, mut after) = (Vec::new(), Value::Null);
        loop {
            let page =
                office.asks(&anna, query, json!({ "first": size, "after": after })).await["members"].take();
            ids.extend(page["nodes"].as_array().expect("nodes").iter().map(|m| word(&m["id"])));
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        runs.push(ids);
    }
    assert_eq!(runs[0].len(), 6);
    assert!(runs.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn what_is_no_page_is_refused() {
    let (office, anna, _) = open().await;
    let id = office.begins("p-1", "one", at(0)).await;
    office.begins("p-2", "two", at(1)).await;
    let closed = office.named("two").await;
    office.on(&anna, "closeConversation", &closed).await;
    let token = Some(anna.token.as_str());
    for size in [0, -1, 101, i32::MAX] {
        let variables = json!({ "section": "UNASSIGNED", "first": size });
        let code = office.failing(token, PAGE, variables).await;
        assert_eq!(code, "PAGE_SIZE_OUT_OF_RANGE", "{size}");
        for list in [
            "members(first: $n) { nodes { id } }",
            "conversation(id: $id) { messages(last: $n) { nodes { id } } }",
        ] {
            let query = format!("query($n: Int, $id: ID = \"{id}\") {{ {list} node(id: $id) {{ id }} }}");
            let code = office.failing(token, &query, json!({ "n": size })).await;
            assert_eq!(code, "PAGE_SIZE_OUT_OF_RANGE", "{size} {list}");
        }
    }
    let shown = office.asks(&anna, PAGE, json!({ "section": "UNASSIGNED", "first": 1 })).await;
    let cursor = shown["conversations"]["pageInfo"]["endCursor"].clone();
    for section in ["ASSIGNED_TO_ME", "ASSIGNED_TO_OTHERS", "CLOSED"] {
        let variables = json!({ "section": section, "after": cursor });
        assert_eq!(office.failing(token, PAGE, variables).await, "CURSOR_OF_ANOTHER_LIST", "{section}");
    }
    let of_channel =
        "query($channel: ID, $after: String) { conversations(section: UNASSIGNED, channel: $channel,
        after: $after) { nodes { id } } }";
    let variables = json!({ "channel": office.messenger.id, "after": cursor });
    assert_eq!(office.failing(token, of_channel, variables).await, "CURSOR_OF_ANOTHER_LIST");
    let members = "query($after: String) { members(after: $after) { nodes { id } } }";
    assert_eq!(office.failing(token, members, json!({ "after": cursor })).await, "CURSOR_OF_ANOTHER_LIST");
    for garbage in ["", "7", "AQ", "????", &id, &word(&cursor)[1..]] {
        let variables = json!({ "section": "UNASSIGNED", "after": garbage });
        assert_eq!(office.failing(token, PAGE, variables).await, "CURSOR_INVALID", "{garbage:?}");
    }
    let both = "query($id: ID!) { conversation(id: $id) { messages(first: 1, last: 1) { nodes { id } } } }";
    assert_eq!(office.failing(token, both, json!({ "id": id })).await, "PAGE_DIRECTION_MIXED");
    for wrong in
        ["", "x", "conv_", "memb_00000000000000000000000000000007", "conv_0000000000000000000000000000000G"]
    {
        let query = "query($id: ID!) { conversation(id: $id) { id } }";
        assert_eq!(office.failing(token, query, json!({ "id": wrong })).await, "INVALID_ID", "{wrong:?}");
    }
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(office.failing(token, node, json!({ "id": "msg_1" })).await, "INVALID_ID");
}

#[tokio::test]
async fn a_position_that_is_none_or_of_another_log_is_refused() {
    let (office, anna, _) = open().await;
    let query = "query($at: Position) { sections(atLeast: $at) { section } }";
    for garbage in [json!(""), json!("7"), json!("AQAAAAAAAAAAAAAD6"), json!("****"), json!(7), json!(["x"])]
    {
        let answer = office.served.graphql(Some(&anna.token), query, json!({ "at": garbage })).await;
        assert!(answer["errors"][0]["message"].is_string(), "{garbage}: {answer}");
        assert!(answer.get("data").is_none_or(|shown| shown["sections"].is_null()), "{garbage}: {answer}");
    }
    let other = json!({ "at": "AQAAAAkAAAAAAAAAAQ" });
    assert_eq!(office.failing(Some(&anna.token), query, other).await, "RELOAD");
}
