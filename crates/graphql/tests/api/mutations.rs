//! Every mutation: what it asks of the front, what it answers, and how it is refused.

use std::{collections::HashSet, sync::Arc};

use parlance_app::front::FrontError;
use parlance_domain::{
    Actor, Command, Refusal,
    account::{AccountError, Language},
    channel::{ChannelCommand, ChannelError, ReopenRule, Visibility},
    connection::ConnectionError,
    conversation::{ConversationCommand, ConversationError, Expected},
    member::{MemberCommand, MemberError},
    reading::ReadingError,
};
use serde_json::{Value, json};

use crate::fake::{CHANNEL, CONNECTION, EVA, Fake, at, conversation_id, run, run_with};

/// A mutation with its input and its object; the payload.
async fn mutate(fake: &Arc<Fake>, mutation: &str, input: &str, object: &str) -> Value {
    let query = format!(
        "mutation {{ {mutation}(input: {{{input}}}) {{ {object} position errors {{ code message path
            alreadyAssigned {{ assignee {{ id }} by {{ id }} at }} }} }} }}"
    );
    let answer = run(fake, &query).await;
    assert_eq!(answer.get("errors"), None, "{mutation}: {answer:#}");
    answer["data"][mutation].clone()
}

#[tokio::test]
async fn every_mutation_answers_with_its_object_and_position() {
    let of = conversation_id(0);
    let conversation = format!("conversation: \"{of}\"");
    let channel = format!("channel: \"{CHANNEL}\"");
    let member = format!("member: \"{EVA}\"");
    let position = {
        let answer = run(&Arc::default(), &format!("{{ conversation(id: \"{of}\") {{ changedAt }} }}")).await;
        answer["data"]["conversation"]["changedAt"].as_str().unwrap().to_owned()
    };
    let shown = "conversation { id }";
    let cases = [
        ("updateAccount", r#"name: "Acme", language: HU"#.to_owned(), "account { id }"),
        (
            "connectChannel",
            r#"kind: MESSENGER, providerId: "104857", signingSecret: "s", access: "a""#.to_owned(),
            "channel { id } connection { webhookUrl verifyToken }",
        ),
        ("renameChannel", format!(r#"{channel}, name: "Page""#), "channel { id }"),
        ("rotateSecrets", format!(r#"connection: "{CONNECTION}", signingSecret: "s""#), "connection { id }"),
        ("setChannelVisibility", format!("{channel}, visibility: PRIVATE"), "channel { id }"),
        ("setReopenRule", format!("{channel}, rule: UNASSIGN"), "channel { id }"),
        ("handOverChannel", format!("{channel}, {member}"), "channel { id }"),
        ("disconnectChannel", channel.clone(), "channel { id }"),
        (
            "inviteMember",
            r#"email: "eva@example.hu", name: "Éva""#.to_owned(),
            "member { id } invitationToken expiresAt",
        ),
        (
            "acceptInvitation",
            r#"token: "pri_once""#.to_owned(),
            "viewer { member { id } } member { id } apiToken",
        ),
        ("setMemberPermissions", format!("{member}, permissions: [ACCOUNT_SETTINGS]"), "member { id }"),
        ("removeMember", member.clone(), "member { id }"),
        ("setAvailability", "available: false".to_owned(), "member { id }"),
        ("assignConversation", format!("{conversation}, assignee: \"{EVA}\", expect: null"), shown),
        ("unassignConversation", format!("{conversation}, expect: \"{EVA}\""), shown),
        ("closeConversation", conversation.clone(), shown),
        ("reopenConversation", conversation.clone(), shown),
        ("deleteConversation", conversation.clone(), "deletedId"),
        ("markConversationSeen", format!("{conversation}, upTo: \"{position}\""), shown),
    ];
    let fake = Arc::new(Fake::default());
    for (mutation, input, object) in &cases {
        let payload = mutate(&fake, mutation, input, object).await;
        assert!(payload["position"].is_string(), "{mutation}: {payload}");
        assert_eq!(payload["errors"], json!([]), "{mutation}");
        let nulls = payload.as_object().unwrap().values().filter(|value| value.is_null()).count();
        assert_eq!(nulls, 0, "{mutation}: {payload}");
    }
    let commands = fake.commands();
    let asked = |wanted: Command| assert!(commands.contains(&wanted), "{wanted:?}");
    asked(Command::Channel(CHANNEL, ChannelCommand::SetVisibility { visibility: Visibility::Private }));
    asked(Command::Channel(CHANNEL, ChannelCommand::SetReopenRule { rule: ReopenRule::Unassign }));
    asked(Command::Channel(CHANNEL, ChannelCommand::HandOver { to: EVA }));
    asked(Command::Member(EVA, MemberCommand::SetPermissions { settings_access: true }));
    asked(Command::Member(EVA, MemberCommand::SetAvailability { available: false }));
    asked(Command::Conversation(of, ConversationCommand::Assign { to: EVA, expect: Expected::Nobody }));
    asked(Command::Conversation(of, ConversationCommand::Unassign { expect: Expected::Member(EVA) }));
    asked(Command::Conversation(of, ConversationCommand::Delete));
}

#[tokio::test]
async fn every_refusal_of_the_rules_has_a_code_and_words_in_both_languages() {
    let taken = ConversationError::AlreadyAssigned { assignee: EVA, by: Actor::Member(EVA), at: at(0) };
    let refusals: [(Refusal, &str); 27] = [
        (AccountError::NotFound.into(), "NOT_FOUND"),
        (AccountError::NotPermitted.into(), "NOT_PERMITTED"),
        (AccountError::UnknownTimeZone.into(), "UNKNOWN_TIME_ZONE"),
        (AccountError::NameUnreadable.into(), "NAME_UNREADABLE"),
        (AccountError::LastWithSettingsAccess.into(), "LAST_WITH_SETTINGS_ACCESS"),
        (ConnectionError::NotFound.into(), "NOT_FOUND"),
        (ConnectionError::SecretMissing.into(), "SIGNING_SECRET_MISSING"),
        (ChannelError::NotFound.into(), "NOT_FOUND"),
        (ChannelError::NotPermitted.into(), "NOT_PERMITTED"),
        (ChannelError::OnlyInstaller.into(), "ONLY_INSTALLER"),
        (ChannelError::ConnectionMismatch.into(), "CONNECTION_MISMATCH"),
        (ChannelError::Disconnected.into(), "CHANNEL_DISCONNECTED"),
        (ChannelError::NewInstallerNotActive.into(), "NEW_INSTALLER_NOT_ACTIVE"),
        (ChannelError::IdentityUnreadable.into(), "CHANNEL_UNREADABLE"),
        (MemberError::NotFound.into(), "NOT_FOUND"),
        (MemberError::AlreadyMember.into(), "ALREADY_MEMBER"),
        (MemberError::OnlyOneself.into(), "ONLY_ONESELF"),
        (MemberError::NotInvited.into(), "INVITATION_INVALID"),
        (MemberError::StillInstaller.into(), "STILL_INSTALLER"),
        (MemberError::NotActive.into(), "MEMBER_NOT_ACTIVE"),
        (ReadingError::NotFound.into(), "NOT_FOUND"),
        (ConversationError::NotFound.into(), "NOT_FOUND"),
        (ConversationError::OnlyInstaller.into(), "ONLY_INSTALLER"),
        (taken.into(), "ALREADY_ASSIGNED"),
        (ConversationError::NotAssigned.into(), "NOT_ASSIGNED"),
        (ConversationError::AssigneeWithoutAccess.into(), "ASSIGNEE_WITHOUT_ACCESS"),
        (ConversationError::AssigneeUnavailable.into(), "ASSIGNEE_UNAVAILABLE"),
    ];
    let input = format!("conversation: \"{}\"", conversation_id(0));
    for (refusal, code) in refusals {
        let mut messages = HashSet::new();
        for language in [Language::En, Language::Hu] {
            let fake = Arc::new(Fake { language, ..Fake::refusing(refusal.clone()) });
            let payload = mutate(&fake, "closeConversation", &input, "conversation { id }").await;
            assert_eq!(payload["errors"][0]["code"], code);
            assert_eq!((&payload["position"], &payload["conversation"]), (&Value::Null, &Value::Null));
            messages.insert(payload["errors"][0]["message"].as_str().unwrap().to_owned());
        }
        assert_eq!(messages.len(), 2, "{code} is translated");
    }
}

#[tokio::test]
async fn already_assigned_tells_who_by_whom_and_when() {
    let taken = ConversationError::AlreadyAssigned { assignee: EVA, by: Actor::Member(EVA), at: at(0) };
    let fake = Arc::new(Fake::refusing(taken));
    let input = format!("conversation: \"{}\", assignee: \"{EVA}\"", conversation_id(0));
    let payload = mutate(&fake, "assignConversation", &input, "conversation { id }").await;
    let id = json!({"id": EVA.to_string()});
    let error = &payload["errors"][0];
    assert_eq!(error["path"], json!(["input", "expect"]));
    assert_eq!(error["alreadyAssigned"], json!({"assignee": id, "by": id, "at": at(0).to_string()}));
}

#[tokio::test]
async fn what_is_wrong_with_an_input_is_told_with_its_field() {
    let fake = Arc::new(Fake::default());
    let wrong = |payload: Value| {
        let errors = payload["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| json!([error["code"], error["path"][1]])).collect::<Vec<_>>()
    };
    let payload = mutate(&fake, "inviteMember", r#"email: "eva", name: " ""#, "invitationToken").await;
    assert_eq!(wrong(payload), [json!(["NOT_AN_EMAIL", "email"]), json!(["EMPTY", "name"])]);
    let payload = mutate(&fake, "removeMember", &format!("member: \"{CHANNEL}\""), "member { id }").await;
    assert_eq!(wrong(payload), [json!(["INVALID_ID", "member"])]);
    let payload =
        mutate(&fake, "updateAccount", &format!("name: \"{}\"", "é".repeat(201)), "account { id }").await;
    assert!(payload["errors"][0]["message"].as_str().unwrap().contains("200"));
    assert_eq!(wrong(payload), [json!(["TOO_LONG", "name"])]);
    let input = format!("connection: \"{CONNECTION}\", signingSecret: \" \"");
    let payload = mutate(&fake, "rotateSecrets", &input, "connection { id }").await;
    assert_eq!(wrong(payload), [json!(["SIGNING_SECRET_MISSING", "signingSecret"])]);
    assert_eq!(fake.commands(), [], "nothing was asked");
    let input = "kind: WHATSAPP_TWILIO, providerId: \"1\"";
    for (refusal, code, field) in [
        (FrontError::KindClosed, "KIND_CLOSED", "kind"),
        (FrontError::NotAProviderId, "NOT_A_PROVIDER_ID", "providerId"),
        (FrontError::AccessMissing, "ACCESS_MISSING", "access"),
    ] {
        let fake = Arc::new(Fake { refuse: Some(refusal), ..Fake::default() });
        let payload = mutate(&fake, "connectChannel", input, "channel { id }").await;
        assert_eq!(wrong(payload), [json!([code, field])]);
    }
}

#[tokio::test]
async fn an_expected_assignee_left_out_of_the_variables_is_anybody() {
    let fake = Arc::new(Fake::default());
    let query =
        "mutation A($input: AssignConversationInput!) { assignConversation(input: $input) { position } }";
    let of = conversation_id(0);
    for (input, expect) in [
        (json!({"conversation": of.to_string(), "assignee": EVA.to_string()}), Expected::Anybody),
        (
            json!({"conversation": of.to_string(), "assignee": EVA.to_string(), "expect": null}),
            Expected::Nobody,
        ),
    ] {
        let asker = Some(crate::fake::eva());
        let answer = run_with(&fake, asker, query, json!({ "input": input })).await;
        assert_eq!(answer.get("errors"), None, "{answer:#}");
        let wanted = Command::Conversation(of, ConversationCommand::Assign { to: EVA, expect });
        assert_eq!(fake.commands().last(), Some(&wanted));
    }
}
