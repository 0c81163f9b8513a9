//! What the demo prints: for people, and for scripts.

use serde_json::{Value, json};

use super::{Client, Company, Config, Options, company::permissions};

/// One object: where, who, and with what the channels' webhooks are signed.
pub fn json(company: &Company, client: &Client) -> Value {
    let members: Vec<_> = company
        .members
        .iter()
        .map(|member| {
            json!({
                "name": member.name,
                "email": member.email,
                "token": member.token,
                "permissions": permissions(member.settings_access),
            })
        })
        .collect();
    json!({
        "address": client.url(""),
        "account": company.account,
        "password": company.password,
        "members": members,
        "channels": [
            {
                "id": company.page.channel,
                "kind": "MESSENGER",
                "providerId": company.page.id,
                "webhookUrl": client.url(&company.page.webhook_path),
                "verifyToken": company.page.verify_token,
                "signingSecret": company.page.app_secret,
            },
            {
                "id": company.number.channel,
                "kind": "WHATSAPP_TWILIO",
                "providerId": company.number.number,
                "webhookUrl": client.url(&company.number.webhook_path),
                "accountSid": company.number.account_sid,
                "signingSecret": company.number.auth_token,
            },
        ],
    })
}

/// `kept`: the settings, where the demo's folder outlives it.
pub fn people(
    company: &Company,
    client: &Client,
    options: &Options,
    kept: Option<&Config>,
    conversation: Option<&str>,
) {
    println!("\n{} is open at {}\n", company.name, client.url(""));
    println!("Members, and the tokens that name them:");
    for member in &company.members {
        let may = if member.settings_access { "  (account settings access)" } else { "" };
        println!("  {:<14} {}{may}", member.name, member.token);
    }
    if !company.password.is_empty() {
        let email = &company.members[2].email;
        println!("They sign in by e-mail address, such as {email}, and the password: {}", company.password);
    }
    println!("\nCustomers write to the page {} and to {},", company.page.id, company.number.number);
    if options.rate > 0.0 {
        println!("{} message(s) a second; --rate changes that, --seed what they say.", options.rate);
    } else {
        println!("as soon as --rate is more than 0.");
    }
    println!("\nThree things to try:\n");
    let token = &company.members[2].token;
    let ask = |title: &str, query: &str| {
        println!("# {title}");
        println!("curl -s {} -H 'content-type: application/json' \\", client.url("/graphql"));
        println!("  -H 'authorization: Bearer {token}' \\");
        println!("  -d '{}'\n", json!({ "query": query }));
    };
    ask("the four sections", "{ sections { section conversations unread } }");
    ask(
        "who waits for an answer, newest first",
        "{ conversations(section: UNASSIGNED, first: 5) { nodes { id contact { name } unread \
         lastMessage { text } } } }",
    );
    let id = conversation.unwrap_or("<the id of one of them>");
    ask(
        "close one of them; it reopens when the customer writes again",
        &format!(
            "mutation {{ closeConversation(input: {{ conversation: \"{id}\" }}) \
             {{ conversation {{ section }} errors {{ code message }} }} }}"
        ),
    );
    println!("What it measures: {}", client.url("/metrics"));
    match kept {
        Some(config) if config.database.file().is_none() => println!(
            "Everything is kept in {}, its master key and the demo's own file in {}. Ctrl-C ends it.",
            config.database,
            config.data_dir.display()
        ),
        Some(config) => println!("Everything is kept in {}. Ctrl-C ends it.", config.data_dir.display()),
        None => println!("Nothing is kept: Ctrl-C ends it, and the temporary folder goes with it."),
    }
}
