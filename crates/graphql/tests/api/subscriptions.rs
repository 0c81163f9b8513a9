//! Subscriptions: what arrives of what the front tells, from which position, and how they end.

use std::sync::Arc;

use async_graphql::Request;
use futures_util::StreamExt as _;
use parlance_app::front::{ConversationChange, FrontError, InboxChange, Principal};
use parlance_domain::{MessageId, Position};
use parlance_graphql::{Visitor, schema};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fake::{CHANNEL, EVA, Fake, conversation_id, eva, member, message, run};

/// True of whatever cannot be gone on from: of another log, too far back, or ahead.
const RELOAD: &str =
    "It cannot go on from here: this is too far back, or not in the log as it is now. Load everything anew.";

async fn all(fake: &Arc<Fake>, principal: Option<Principal>, query: &str) -> Vec<Value> {
    let visitor = Visitor { principal, trace_id: "trace-1".to_owned(), address: None, sets_cookies: true };
    let answers = schema(fake.clone()).stream(Request::new(query), visitor);
    answers.map(|answer| serde_json::to_value(answer).expect("an answer is JSON")).collect().await
}

fn change(fake: &Fake, position: u64) -> InboxChange {
    InboxChange {
        position: Position::new(position),
        conversations: vec![fake.conversation(0), fake.conversation(1)],
        gone: vec![conversation_id(7)],
        channels_gone: vec![CHANNEL],
        channels_to_load: Vec::new(),
        members: vec![member(EVA)],
        channels: Vec::new(),
    }
}

/// A position's outside form, as a payload gives it.
async fn outside() -> String {
    let told = run(
        &Arc::new(Fake::default()),
        r#"mutation { setAvailability(input: { available: true }) { position } }"#,
    )
    .await;
    told["data"]["setAvailability"]["position"].as_str().expect("a position").to_owned()
}

#[tokio::test]
async fn a_subscription_with_more_than_one_root_field_is_refused() {
    for query in [
        "subscription { a: inboxChanged { position } b: inboxChanged { position } }",
        "subscription { inboxChanged { position } ...Other } \
         fragment Other on Subscription { b: inboxChanged { position } }",
    ] {
        let fake = Arc::new(Fake::default());
        let told = all(&fake, Some(eva()), query).await;
        assert_eq!(told.len(), 1, "{told:#?}");
        assert_eq!(told[0]["errors"][0]["extensions"]["code"], "QUERY_TOO_LARGE", "{told:#?}");
        assert!(fake.followed.lock().unwrap().is_empty(), "nothing is followed");
    }
}

#[tokio::test]
async fn each_change_arrives_with_its_rows_and_ids() {
    let mut fake = Fake::default();
    fake.inbox_changes = vec![Ok(change(&fake, 41)), Ok(change(&fake, 42))];
    let fake = Arc::new(fake);
    let query = "subscription { inboxChanged { position conversations { id unread assignee { id } } gone
        channelsGone channelsToLoad members { id available } channels { id } sections { section unread } } }";
    let told = all(&fake, Some(eva()), query).await;
    assert_eq!(told.len(), 2, "{told:#?}");
    let last = &told[1]["data"]["inboxChanged"];
    assert_eq!(last["position"], json!(outside().await), "the position is the same text as in a payload");
    assert_eq!(last["conversations"][0]["id"], conversation_id(0).to_string());
    assert_eq!(last["gone"], json!([conversation_id(7).to_string()]));
    assert_eq!(last["channelsGone"], json!([CHANNEL.to_string()]));
    assert_eq!((&last["channelsToLoad"], &last["channels"]), (&json!([]), &json!([])));
    assert_eq!(last["members"], json!([{ "id": EVA.to_string(), "available": true }]));
    assert_eq!(last["sections"], json!([{ "section": "CLOSED", "unread": 2 }]));
    assert_eq!(*fake.followed.lock().unwrap(), [None]);
    let looked_up = |name| fake.calls().into_iter().filter(|call| *call == name).count();
    assert_eq!(
        looked_up("members_by_id"),
        2,
        "what a change refers to is looked up once, and anew for the next"
    );
    assert_eq!(looked_up("epoch"), 1);
}

#[tokio::test]
async fn counts_are_asked_for_only_where_they_are_wanted() {
    let mut fake = Fake::default();
    fake.inbox_changes = vec![Ok(change(&fake, 41))];
    let fake = Arc::new(fake);
    all(&fake, Some(eva()), "subscription { inboxChanged { position gone } }").await;
    assert!(!fake.calls().contains(&"sections"));
}

#[tokio::test]
async fn a_subscription_goes_on_from_the_position_it_is_given() {
    let fake = Arc::new(Fake::default());
    let position = outside().await;
    all(
        &fake,
        Some(eva()),
        &format!("subscription {{ inboxChanged(after: \"{position}\") {{ position }} }}"),
    )
    .await;
    let id = conversation_id(0);
    let query =
        format!("subscription {{ conversationChanged(id: \"{id}\", after: \"{position}\") {{ position }} }}");
    all(&fake, Some(eva()), &query).await;
    assert_eq!(*fake.followed.lock().unwrap(), [Some(Position::new(42)); 2]);
}

#[tokio::test]
async fn a_position_from_before_a_restore_is_refused() {
    let fake = Arc::new(Fake::default());
    // Version 1, epoch 2, position 42.
    let query = "subscription { inboxChanged(after: \"AQAAAAIAAAAAAAAAKg\") { position } }";
    let told = all(&fake, Some(eva()), query).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["errors"][0]["extensions"]["code"], "RELOAD", "{told:#?}");
    assert_eq!(told[0]["errors"][0]["message"], RELOAD);
    assert!(fake.followed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn whoever_is_too_far_behind_is_told_to_reload_and_the_stream_ends() {
    let mut fake = Fake::default();
    fake.inbox_changes = vec![Ok(change(&fake, 41)), Err(FrontError::Reload)];
    let told = all(&Arc::new(fake), Some(eva()), "subscription { inboxChanged { position } }").await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[1]["errors"][0]["extensions"]["code"], "RELOAD", "{told:#?}");
    assert_eq!(told[1]["errors"][0]["message"], RELOAD);
}

#[tokio::test]
async fn a_conversation_is_followed_with_its_messages() {
    let mut fake = Fake::default();
    let changed = ConversationChange {
        position: Position::new(42),
        conversation: Some(fake.conversation(0)),
        gone: false,
        messages: vec![message(conversation_id(0), MessageId::new(Uuid::from_u128(5)))],
        reload_messages: false,
    };
    let deleted =
        ConversationChange { conversation: None, gone: true, messages: Vec::new(), ..changed.clone() };
    fake.conversation_changes = vec![Ok(changed), Ok(deleted)];
    let id = conversation_id(0);
    let query = format!(
        "subscription {{ conversationChanged(id: \"{id}\") {{
            conversation {{ id }} gone messages {{ text }} reloadMessages }} }}"
    );
    let told = all(&Arc::new(fake), Some(eva()), &query).await;
    let told: Vec<_> = told.iter().map(|told| &told["data"]["conversationChanged"]).collect();
    let first = json!({ "conversation": { "id": id.to_string() }, "gone": false,
        "messages": [{ "text": "Jó napot!" }], "reloadMessages": false });
    let second = json!({ "conversation": null, "gone": true, "messages": [], "reloadMessages": false });
    assert_eq!(told, [&first, &second]);
}

#[tokio::test]
async fn nobody_follows_without_being_known_or_with_a_wrong_id() {
    let fake = Arc::new(Fake::default());
    let code = async |principal, query| {
        let told = all(&fake, principal, query).await;
        assert_eq!(told.len(), 1);
        told[0]["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    };
    let inbox = "subscription { inboxChanged { position } }";
    assert_eq!(code(None, inbox).await, "UNAUTHENTICATED");
    assert_eq!(code(Some(Principal::Operator(crate::fake::OPERATOR)), inbox).await, "MEMBERS_ONLY");
    let wrong = "subscription { conversationChanged(id: \"chan_1\") { position } }";
    assert_eq!(code(Some(eva()), wrong).await, "INVALID_ID");
    assert!(fake.followed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_change_may_be_asked_as_much_as_a_page_and_no_more() {
    let fake = Arc::new(Fake::default());
    let fields = "id unread closed section incarnation changedAt lastMessage { id text at direction kind }";
    let page =
        format!("subscription {{ inboxChanged {{ conversations {{ {fields} contact {{ name }} }} }} }}");
    assert_eq!(all(&fake, Some(eva()), &page).await, Vec::<Value>::new());
    let threads = format!(
        "subscription {{ inboxChanged {{ conversations {{ messages(first: 100) {{ nodes {{ {} }} }} }} }} }}",
        "id text"
    );
    let told = all(&fake, Some(eva()), &threads).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{told:#?}");
}
