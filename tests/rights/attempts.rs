//! One try of one operation by one kind of asker, each about something of its own, and what came of it in the words
//! of the expectations.

use serde_json::{Value, json};

use super::company::{Company, Page};

/// Tries, and says what came of it.
pub async fn attempt(company: &Company, operation: &str, kind: &str) -> String {
    if operation.ends_with("Changed") {
        return subscribe(company, operation, kind).await;
    }
    match query(company, operation, kind).await {
        Some((document, variables, sign)) => {
            judge_query(&company.asks(kind, &document, &variables).await, operation, &sign)
        }
        None => {
            let input = input(company, operation, kind).await;
            let mut type_name = operation.to_owned();
            type_name[..1].make_ascii_uppercase();
            let document = format!(
                "mutation($input: {type_name}Input!) {{ {operation}(input: $input) {{ errors {{ code }} }} }}"
            );
            let answer = company.asks(kind, &document, &json!({ "input": input })).await;
            tidy(company, operation, kind).await;
            judge_mutation(&answer, operation)
        }
    }
}

/// Subscribes from just before a conversation began; the first change tells of it, or does not.
async fn subscribe(company: &Company, operation: &str, kind: &str) -> String {
    // Another account's positions are none of one's own.
    let after = if kind == "stranger" { Value::Null } else { company.office.head().await };
    let id = company.begins(company.page(kind)).await;
    let query = match operation {
        "inboxChanged" => {
            "subscription($after: Position) { inboxChanged(after: $after) { conversations { id } } }"
        }
        "conversationChanged" => {
            "subscription($after: Position, $id: ID!) { conversationChanged(id: $id, after: $after) {
                conversation { id } } }"
        }
        other => panic!("how is {other} subscribed to?"),
    };
    let told = company.hears(kind, query, &json!({ "after": after, "id": id })).await;
    judge_query(&told, operation, &id)
}

/// A query with its variables, and a text that its answer holds if it shows the thing in question.
async fn query(company: &Company, operation: &str, kind: &str) -> Option<(String, Value, String)> {
    let page = company.page(kind);
    let (office, channel) = (&company.office, &page.channel.id);
    let with_channel = json!({ "c": channel });
    let (fields, variables, sign) = match operation {
        "viewer" => ("{ viewer { member { id } } }", json!({}), "memb_".to_owned()),
        "account" => ("{ account { id } }", json!({}), company.account.clone()),
        "members" => ("{ members(first: 100) { nodes { id } } }", json!({}), company.plain.id.clone()),
        "channelKinds" => ("{ channelKinds { kind } }", json!({}), "MESSENGER".to_owned()),
        "channels" => ("{ channels { id } }", json!({}), channel.clone()),
        "connections" => ("{ connections { id } }", json!({}), page.channel.connection.clone()),
        "sections" => {
            ("query($c: ID) { sections(channel: $c) { section } }", with_channel, "UNASSIGNED".to_owned())
        }
        "conversations" => {
            let id = company.begins(page).await;
            let query = "query($c: ID) { conversations(section: UNASSIGNED, channel: $c, first: 100) { nodes { id } } }";
            (query, with_channel, id)
        }
        "conversation" | "node" => {
            let id = company.begins(page).await;
            let query = match operation {
                "node" => "query($id: ID!) { node(id: $id) { id } }",
                _ => "query($id: ID!) { conversation(id: $id) { id } }",
            };
            (query, json!({ "id": id }), id)
        }
        "deadLetters" => {
            let query = "query($a: ID!) { deadLetters(account: $a) { pageInfo { hasNextPage } } }";
            (query, json!({ "a": office.account }), "hasNextPage".to_owned())
        }
        _ => return None,
    };
    Some((fields.to_owned(), variables, sign))
}

/// What a mutation is asked with: of something that nobody else has changed.
async fn input(company: &Company, operation: &str, kind: &str) -> Value {
    let page = company.page(kind);
    let (office, channel) = (&company.office, &page.channel.id);
    match operation {
        "assignConversation" => {
            json!({ "conversation": company.begins(page).await, "assignee": page.installer.id })
        }
        "unassignConversation" | "closeConversation" | "deleteConversation" => {
            json!({ "conversation": company.begins(page).await })
        }
        "reopenConversation" => {
            let id = company.begins(page).await;
            office.on(&page.installer, "closeConversation", &id).await;
            json!({ "conversation": id })
        }
        "markConversationSeen" => {
            json!({ "conversation": company.begins(page).await, "upTo": office.head().await })
        }
        "connectChannel" => connect_input(company, page),
        "renameChannel" => json!({ "channel": channel, "name": "Renamed" }),
        "setReopenRule" => json!({ "channel": channel, "rule": "UNASSIGN" }),
        "disconnectChannel" => json!({ "channel": channel }),
        "rotateSecrets" => {
            office.providers.api.set([sim_page(page)], []);
            json!({ "connection": page.channel.connection, "signingSecret": page.secret })
        }
        "setChannelVisibility" => {
            let now = if ["adminout", "plainout"].contains(&kind) { "PRIVATE" } else { "SHARED" };
            json!({ "channel": channel, "visibility": now })
        }
        "handOverChannel" => json!({ "channel": channel, "member": page.installer.id }),
        "updateAccount" => json!({ "timeZone": "Europe/Budapest" }),
        "inviteMember" => {
            json!({ "email": format!("{}@example.hu", office.fresh("guest")), "name": "Guest" })
        }
        "setMemberPermissions" => json!({ "member": company.newcomer().await.id, "permissions": [] }),
        "removeMember" => json!({ "member": company.newcomer().await.id }),
        "setAvailability" => json!({ "available": true }),
        "acceptInvitation" => {
            json!({ "token": office.invites(&format!("{}@example.hu", office.fresh("guest")), &[]).await })
        }
        "signIn" => {
            let email = format!("{}@example.hu", office.fresh("guest"));
            let accept = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
                errors { code } } }";
            let password = "éljen soká a vendég";
            let input = json!({ "token": office.invites(&email, &[]).await, "password": password });
            office.served.graphql(None, accept, json!({ "input": input })).await;
            json!({ "email": email, "password": password })
        }
        "signOut" => json!({ "everywhere": true }),
        "changePassword" => json!({ "currentPassword": "?", "newPassword": "éljen soká mindenki" }),
        "endSession" | "revokeApiToken" => json!({ "id": format!("tok_{}", "7".repeat(32)) }),
        "createApiToken" => json!({ "name": "mine", "scopes": ["READ"] }),
        other => panic!("how is {other} tried?"),
    }
}

/// Puts back what a successful try changed for the ones that come after it.
async fn tidy(company: &Company, operation: &str, kind: &str) {
    let page = company.page(kind);
    if (operation, kind) == ("signOut", "signedin") {
        company.signs_in().await;
    }
    if ["connectChannel", "disconnectChannel"].contains(&operation) {
        let office = &company.office;
        // Whoever connects a channel again is its installer, as it was before.
        let settings = json!({ "member": page.installer.id, "permissions": ["ACCOUNT_SETTINGS"] });
        office.does(&office.admin, "setMemberPermissions", settings).await;
        office.providers.api.set([sim_page(page)], []);
        let payload = office.connects(&page.installer, connect_input(company, page)).await;
        assert_eq!(payload["errors"], json!([]), "{payload}");
        if kind == "installer" {
            let plain = json!({ "member": page.installer.id, "permissions": [] });
            office.does(&office.admin, "setMemberPermissions", plain).await;
        }
    }
}

fn connect_input(company: &Company, page: &Page) -> Value {
    company.office.providers.api.set([sim_page(page)], []);
    json!({
        "kind": "MESSENGER",
        "providerId": page.id,
        "signingSecret": page.secret,
        "access": parlance_tests::served::PAGE_TOKEN,
    })
}

fn sim_page(page: &Page) -> parlance_simulator::api::Page {
    parlance_simulator::api::Page {
        id: page.id.to_owned(),
        name: "Példa oldal".to_owned(),
        app_secret: page.secret.to_owned(),
        access_token: parlance_tests::served::PAGE_TOKEN.to_owned(),
    }
}

fn judge_query(answer: &Value, operation: &str, sign: &str) -> String {
    match code(answer) {
        Some(code) => short(code),
        None if answer["data"][operation].to_string().contains(sign) => "yes".to_owned(),
        None => "none".to_owned(),
    }
}

fn judge_mutation(answer: &Value, operation: &str) -> String {
    let payload = &answer["data"][operation];
    match code(answer).or_else(|| payload["errors"][0]["code"].as_str()) {
        Some(code) => short(code),
        None => {
            assert_eq!(payload["errors"], json!([]), "{answer}");
            "yes".to_owned()
        }
    }
}

fn code(answer: &Value) -> Option<&str> {
    answer["errors"][0]["extensions"]["code"].as_str()
}

fn short(code: &str) -> String {
    let known = match code {
        "UNAUTHENTICATED" => "who",
        "MEMBERS_ONLY" => "memb",
        "OPERATORS_ONLY" => "oper",
        "NOT_PERMITTED" => "no",
        "ONLY_INSTALLER" => "inst",
        "NOT_FOUND" => "none",
        "SCOPE_MISSING" => "scope",
        "CURRENT_PASSWORD_WRONG" | "SIGN_IN_REFUSED" => "refd",
        "SESSION_REQUIRED" => "sess",
        other => other,
    };
    known.to_owned()
}
