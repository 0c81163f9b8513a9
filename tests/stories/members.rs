//! Members come by invitation and go at once: tokens, permissions, and what becomes of what they held.

use parlance_tests::served::{Office, Person, at};
use serde_json::{Value, json};

use super::{nothing, open};

const ME: &str = "{ viewer { member { id } permissions } }";

async fn is_shut_out(office: &Office, person: &Person) {
    assert_eq!(office.failing(Some(&person.token), ME, json!({})).await, "UNAUTHENTICATED");
    let leave = "mutation { setAvailability(input: { available: false }) { position } }";
    assert_eq!(office.failing(Some(&person.token), leave, json!({})).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn who_accepts_an_invitation_is_a_member_with_what_was_granted() {
    let (office, anna, _) = open().await;
    let invitation = office.invites("Dóra.Kiss@Example.HU", &["ACCOUNT_SETTINGS"]).await;
    let standing = "{ members { nodes { email standing } } }";
    let shown = office.asks(&anna, standing, json!({})).await.to_string();
    assert!(shown.contains("INVITED"), "{shown}");
    let accepted = office.accepts(&invitation).await;
    assert_eq!(accepted["errors"], json!([]));
    assert_eq!(accepted["member"]["available"], true, "a new member's availability is on");
    assert_eq!(accepted["member"]["permissions"], json!(["ACCOUNT_SETTINGS"]));
    let token = accepted["apiToken"].as_str().expect("a token");
    let me = office.served.ask(token, ME, json!({})).await;
    assert_eq!(me["viewer"]["member"]["id"], accepted["member"]["id"]);
    let shown = office.asks(&anna, standing, json!({})).await.to_string();
    assert!(!shown.contains("INVITED"), "{shown}");
}

#[tokio::test]
async fn an_invitation_is_good_once_and_only_the_newest_one() {
    let (office, _, _) = open().await;
    let first = office.invites("cili@example.hu", &[]).await;
    let second = office.invites("CILI@example.hu", &[]).await;
    assert_ne!(first, second);
    let code = |answer: &Value| answer["errors"][0]["code"].clone();
    assert_eq!(code(&office.accepts(&first).await), "INVITATION_INVALID", "a new one voids the old");
    assert_eq!(office.accepts(&second).await["errors"], json!([]));
    let used = office.accepts(&second).await;
    assert_eq!(code(&used), "INVITATION_INVALID");
    assert_eq!(
        (&used["apiToken"], &used["member"], &used["position"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let letters = second.len();
    for wrong in ["", "pri_", &second[..letters - 1], &second.replace("pri_", "prl_"), &office.admin.token] {
        assert_eq!(code(&office.accepts(wrong).await), "INVITATION_INVALID", "{wrong}");
    }
    // An invitation is no API token.
    let third = office.invites("dora@example.hu", &[]).await;
    assert_eq!(office.failing(Some(&third), ME, json!({})).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn an_invitation_of_somebody_removed_before_they_joined_is_void() {
    let (office, _, _) = open().await;
    let input = json!({ "email": "cili@example.hu", "name": "Cili", "permissions": ["ACCOUNT_SETTINGS"] });
    let invited = office.change(&office.admin, "inviteMember", "invitationToken member { id }", input).await;
    office.does(&office.admin, "removeMember", json!({ "member": invited["member"]["id"] })).await;
    let token = invited["invitationToken"].as_str().expect("a token");
    assert_eq!(office.accepts(token).await["errors"][0]["code"], "INVITATION_INVALID");
    // Invited again, the first invitation stays void, and so does what it granted.
    let again = office.invites("cili@example.hu", &[]).await;
    assert_eq!(office.accepts(token).await["errors"][0]["code"], "INVITATION_INVALID");
    assert_eq!(office.accepts(&again).await["member"]["permissions"], json!([]));
}

#[tokio::test]
async fn a_removed_members_token_stops_at_once_and_stays_dead() {
    let (office, anna, bela) = open().await;
    office.does(&office.admin, "removeMember", json!({ "member": anna.id })).await;
    is_shut_out(&office, &anna).await;
    let invitation = office.invites(&anna.email, &[]).await;
    is_shut_out(&office, &anna).await;
    let accepted = office.accepts(&invitation).await;
    assert_eq!(accepted["member"]["id"], anna.id.as_str(), "the same address is the same member");
    is_shut_out(&office, &anna).await;
    let token = accepted["apiToken"].as_str().expect("a new token").to_owned();
    let again = Person { token, ..anna.clone() };
    assert_eq!(office.asks(&again, ME, json!({})).await["viewer"]["member"]["id"], anna.id.as_str());
    // Everybody else's goes on.
    office.asks(&bela, ME, json!({})).await;
    // Whoever is no member any more can be named, and is shown as such.
    office.does(&office.admin, "removeMember", json!({ "member": bela.id })).await;
    let node = "query($id: ID!) { node(id: $id) { ... on Member { standing } } }";
    assert_eq!(office.asks(&again, node, json!({ "id": bela.id })).await["node"]["standing"], "REMOVED");
    assert_eq!(
        office.refused(&office.admin, "removeMember", json!({ "member": bela.id })).await,
        "NOT_FOUND"
    );
}

#[tokio::test]
async fn what_a_removed_member_held_is_free_closed_ones_included() {
    let (office, anna, bela) = open().await;
    let open = office.begins("p-1", "open", at(0)).await;
    let closed = office.begins("p-2", "closed", at(1)).await;
    let others = office.begins("p-3", "Béla's", at(2)).await;
    for id in [&open, &closed] {
        office.assigns(&bela, id, &anna).await;
    }
    office.assigns(&anna, &others, &bela).await;
    office.on(&bela, "closeConversation", &closed).await;
    office.does(&office.admin, "removeMember", json!({ "member": anna.id })).await;
    assert_eq!(office.until_free(&bela, &open).await["section"], "UNASSIGNED");
    assert_eq!(office.until_free(&bela, &closed).await["section"], "CLOSED");
    assert_eq!(office.sections(&bela).await.map(|(held, _)| held), [1, 1, 0, 1]);
    // Back again, she holds nothing.
    let again = office.member(&anna.email, &[]).await;
    assert_eq!(office.sections(&again).await.map(|(held, _)| held), [1, 0, 1, 1]);
}

#[tokio::test]
async fn an_installer_is_not_removed_before_the_handing_over() {
    let (office, anna, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let remove = json!({ "member": office.admin.id });
    assert_eq!(office.refused(&dora, "removeMember", remove.clone()).await, "STILL_INSTALLER");
    for (channel, to) in [(&office.messenger, &anna), (&office.whatsapp, &dora)] {
        let input = json!({ "channel": channel.id, "member": to.id });
        office.does(&office.admin, "handOverChannel", input).await;
        let expected = if channel.id == office.messenger.id { Some("STILL_INSTALLER") } else { None };
        if let Some(code) = expected {
            assert_eq!(office.refused(&dora, "removeMember", remove.clone()).await, code);
        }
    }
    office.does(&dora, "removeMember", remove).await;
    is_shut_out(&office, &office.admin).await;
}

#[tokio::test]
async fn somebody_with_settings_access_always_stays() {
    let (office, anna, _) = open().await;
    let admin = office.admin.clone();
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let permit = |who: &Person, what: Value| json!({ "member": who.id, "permissions": what });
    // Two have it: one may lay it down.
    office.does(&dora, "setMemberPermissions", permit(&dora, json!([]))).await;
    assert_eq!(
        office.refused(&dora, "setMemberPermissions", permit(&anna, json!([]))).await,
        "NOT_PERMITTED"
    );
    for channel in [&office.messenger, &office.whatsapp] {
        let input = json!({ "channel": channel.id, "member": dora.id });
        office.does(&admin, "handOverChannel", input).await;
    }
    let lay_down = permit(&admin, json!([]));
    assert_eq!(
        office.refused(&admin, "setMemberPermissions", lay_down.clone()).await,
        "LAST_WITH_SETTINGS_ACCESS"
    );
    let remove = json!({ "member": admin.id });
    assert_eq!(office.refused(&admin, "removeMember", remove.clone()).await, "LAST_WITH_SETTINGS_ACCESS");
    // One who is only invited does not count, and one who joined does.
    let invitation = office.invites("eva@example.hu", &["ACCOUNT_SETTINGS"]).await;
    assert_eq!(
        office.refused(&admin, "setMemberPermissions", lay_down.clone()).await,
        "LAST_WITH_SETTINGS_ACCESS"
    );
    office.accepts(&invitation).await;
    office.does(&admin, "setMemberPermissions", lay_down).await;
}

#[tokio::test]
async fn who_is_a_member_or_no_address_cannot_be_invited() {
    let (office, anna, _) = open().await;
    let invite = |email: &str, name: &str| json!({ "email": email, "name": name });
    assert_eq!(
        office.refused(&office.admin, "inviteMember", invite(&anna.email, "A")).await,
        "ALREADY_MEMBER"
    );
    let shouted = anna.email.to_uppercase();
    assert_eq!(office.refused(&office.admin, "inviteMember", invite(&shouted, "A")).await, "ALREADY_MEMBER");
    assert_eq!(office.refused(&office.admin, "inviteMember", invite("nobody", "A")).await, "NOT_AN_EMAIL");
    assert_eq!(office.refused(&office.admin, "inviteMember", invite("a@b.hu", " ")).await, "EMPTY");
    let line_break = invite("a@b.hu", "A\nB");
    assert_eq!(office.refused(&office.admin, "inviteMember", line_break).await, "CONTROL_CHARACTER");
    let long = invite("a@b.hu", &"á".repeat(201));
    assert_eq!(office.refused(&office.admin, "inviteMember", long).await, "TOO_LONG");
    for name in ["removeMember", "setMemberPermissions"] {
        let mut input = json!({ "member": nothing("memb") });
        if name == "setMemberPermissions" {
            input["permissions"] = json!([]);
        }
        assert_eq!(office.refused(&office.admin, name, input).await, "NOT_FOUND", "{name}");
    }
}

#[tokio::test]
async fn invited_anew_somebody_gets_what_the_new_invitation_grants() {
    let (office, _, _) = open().await;
    // Granted by mistake, and invited again without: the mistake must not come true.
    office.invites("cili@example.hu", &["ACCOUNT_SETTINGS"]).await;
    let plain = office.invites("cili@example.hu", &[]).await;
    assert_eq!(office.accepts(&plain).await["member"]["permissions"], json!([]));
    office.invites("dora@example.hu", &[]).await;
    let granted = office.invites("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    assert_eq!(office.accepts(&granted).await["member"]["permissions"], json!(["ACCOUNT_SETTINGS"]));
}

#[tokio::test]
async fn who_comes_back_is_available_and_has_no_rights_of_before() {
    let (office, _, _) = open().await;
    let dora = office.member("dora@example.hu", &["ACCOUNT_SETTINGS"]).await;
    office.does(&dora, "setAvailability", json!({ "available": false })).await;
    office.does(&office.admin, "removeMember", json!({ "member": dora.id })).await;
    let accepted = office.accepts(&office.invites(&dora.email, &[]).await).await;
    assert_eq!(accepted["member"]["available"], true);
    assert_eq!(accepted["member"]["permissions"], json!([]));
}

#[tokio::test]
async fn of_several_who_accept_one_invitation_at_once_one_gets_in() {
    let (office, _, _) = open().await;
    let token = office.invites("cili@example.hu", &[]).await;
    let (one, two, three, four) = tokio::join!(
        office.accepts(&token),
        office.accepts(&token),
        office.accepts(&token),
        office.accepts(&token)
    );
    let answers = [one, two, three, four];
    let tokens: Vec<_> = answers.iter().filter_map(|answer| answer["apiToken"].as_str()).collect();
    assert_eq!(tokens.len(), 1, "{answers:?}");
    let refused = answers.iter().filter(|answer| answer["errors"][0]["code"] == "INVITATION_INVALID");
    assert_eq!(refused.count(), 3, "{answers:?}");
    office.served.ask(tokens[0], ME, json!({})).await;
}
