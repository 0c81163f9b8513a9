//! Everybody who may ask, and what they ask about: an office with a shared page of an admin's, a shared page of a
//! plain member's, and a private page; somebody who was removed, and another company's admin.

use std::sync::Mutex;

use parlance_simulator::Messenger;
use parlance_tests::{
    PATIENCE,
    served::{Browser, Channel, Office, Person},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// The kinds of asker, as the columns of the expectations are headed.
pub const KINDS: [&str; 14] = [
    "nobody",
    "operator",
    "owner",
    "installer",
    "admin",
    "plain",
    "adminout",
    "plainout",
    "removed",
    "stranger",
    "signedin",
    "reading",
    "talking",
    "settling",
];

/// A member with a password.
const GUEST: &str = "guest@example.hu";
const PASSWORD: &str = "éljen soká a vendég";

/// A page, with what signs for it and who installed it.
pub struct Page {
    pub channel: Channel,
    pub id: &'static str,
    pub secret: &'static str,
    pub installer: Person,
}

pub struct Company {
    pub office: Office,
    pub account: String,
    owner: Person,
    installer: Person,
    admin: Person,
    pub plain: Person,
    removed: Person,
    stranger: Person,
    operator: String,
    /// A session's token, and tokens of the owner with one scope each.
    session: Mutex<String>,
    limited: [(&'static str, String); 3],
    shared: Page,
    installers: Page,
    private: Page,
}

impl Company {
    pub async fn open() -> Self {
        let office = Office::open(env!("CARGO_BIN_EXE_served")).await;
        let settings: &[&str] = &["ACCOUNT_SETTINGS"];
        let owner = office.member("owner@example.hu", settings).await;
        let installer = office.member("installer@example.hu", settings).await;
        let admin = office.member("second@example.hu", settings).await;
        let plain = office.member("plain@example.hu", &[]).await;
        let removed = office.member("removed@example.hu", settings).await;
        let (_, stranger) = office.another_account();
        let operator = office.operator();
        let mut pages = Vec::new();
        for (id, secret, person) in
            [("100001", "one", &owner), ("100002", "two", &installer), ("100003", "three", &owner)]
        {
            let channel = office.another_page(person, id, secret).await;
            pages.push(Page { channel, id, secret, installer: person.clone() });
        }
        let [shared, installers, private] = pages.try_into().ok().expect("three pages");
        let hide = json!({ "channel": private.channel.id, "visibility": "PRIVATE" });
        office.does(&owner, "setChannelVisibility", hide).await;
        let demote = json!({ "member": installer.id, "permissions": [] });
        office.does(&office.admin, "setMemberPermissions", demote).await;
        office.does(&office.admin, "removeMember", json!({ "member": removed.id })).await;
        let account = office.account.clone();
        let guest = office.invites(GUEST, &[]).await;
        let input = json!({ "token": guest, "password": PASSWORD });
        Browser::new(&office.served).does("acceptInvitation", "", input).await;
        let session = Mutex::new(session(&office).await);
        let limited = limited(&office, &owner).await;
        Self {
            office,
            account,
            owner,
            installer,
            admin,
            plain,
            removed,
            stranger,
            operator,
            session,
            limited,
            shared,
            installers,
            private,
        }
    }

    /// Who is of this kind; `None`: nobody that is a member.
    pub fn person(&self, kind: &str) -> Option<&Person> {
        match kind {
            "owner" | "reading" | "talking" | "settling" => Some(&self.owner),
            "installer" => Some(&self.installer),
            "admin" | "adminout" => Some(&self.admin),
            "plain" | "plainout" => Some(&self.plain),
            "removed" => Some(&self.removed),
            "stranger" => Some(&self.stranger),
            _ => None,
        }
    }

    /// Signs in whoever comes by a session, again.
    pub async fn signs_in(&self) {
        let session = session(&self.office).await;
        *self.session.lock().expect("no test panics inside") = session;
    }

    /// Asks as somebody of this kind, for an answer of this media type.
    fn request(&self, kind: &str, accept: &str, query: &str, variables: &Value) -> RequestBuilder {
        let served = &self.office.served;
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = served.client().post(served.url("/graphql")).header("accept", accept).body(body);
        let request = request.header("content-type", "application/json");
        let limited = self.limited.iter().find(|(limited, _)| *limited == kind);
        match kind {
            "nobody" => request,
            "operator" => request.bearer_auth(&self.operator),
            "signedin" => request
                .header(
                    "cookie",
                    format!("__Host-parlance={}", self.session.lock().expect("no test panics inside")),
                )
                .header("origin", served.url("")),
            _ if let Some((_, token)) = limited => request.bearer_auth(token),
            member => request.bearer_auth(&self.person(member).expect("a member").token),
        }
    }

    /// Asks as somebody of this kind; gives the whole answer, errors and all.
    pub async fn asks(&self, kind: &str, query: &str, variables: &Value) -> Value {
        let answer =
            self.request(kind, "application/json", query, variables).send().await.expect("it answers");
        let bytes = answer.bytes().await.expect("a body");
        serde_json::from_slice(&bytes).expect("the answer is JSON")
    }

    /// Subscribes as somebody of this kind; gives the first thing that is told.
    pub async fn hears(&self, kind: &str, query: &str, variables: &Value) -> Value {
        let request = self.request(kind, "text/event-stream", query, variables);
        let mut answer = request.send().await.expect("it answers");
        let mut heard = String::new();
        let reading = async {
            while let Some(piece) = answer.chunk().await.expect("it goes on") {
                heard.push_str(std::str::from_utf8(&piece).expect("events are text"));
                let data = heard.lines().find_map(|line| line.strip_prefix("data: "));
                if let Some(Ok(told)) = data.map(serde_json::from_str::<Value>) {
                    return told;
                }
            }
            serde_json::from_str(&heard).expect("what is no stream is a JSON answer")
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("something is told in time")
    }

    /// The page that somebody of this kind asks about.
    pub fn page(&self, kind: &str) -> &Page {
        match kind {
            "installer" => &self.installers,
            "adminout" | "plainout" => &self.private,
            _ => &self.shared,
        }
    }

    /// A customer who never wrote before writes to a page; the conversation's id.
    pub async fn begins(&self, page: &Page) -> String {
        let (office, text) = (&self.office, self.office.fresh("hello"));
        let messenger = Messenger::new(page.secret, page.id);
        let told = messenger.message(&text, &text, &text, 1_700_000_000_000);
        let answer = office.send(&page.channel, &messenger.deliver(&[told])).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let query = "query($c: ID!) { conversations(section: UNASSIGNED, channel: $c, first: 100) {
            nodes { id lastMessage { text } } } }";
        let shown = office.asks(&page.installer, query, json!({ "c": page.channel.id })).await;
        let nodes = shown["conversations"]["nodes"].as_array().expect("a list");
        let found = nodes.iter().find(|node| node["lastMessage"]["text"] == text.as_str());
        found.and_then(|node| node["id"].as_str()).expect("the new conversation").to_owned()
    }

    /// Somebody who has just joined, for others to change.
    pub async fn newcomer(&self) -> Person {
        self.office.member(&format!("{}@example.hu", self.office.fresh("new")), &[]).await
    }
}

/// A new session of the member who comes by one.
async fn session(office: &Office) -> String {
    let mut browser = Browser::new(&office.served);
    browser.signs_in(GUEST, PASSWORD, None).await;
    browser.cookie().expect("a session").to_owned()
}

/// Tokens of somebody, each with one scope.
async fn limited(office: &Office, person: &Person) -> [(&'static str, String); 3] {
    let reset =
        ["member", "reset-password", "--json", "--account", &office.account, "--email", &person.email];
    let output = office.run(&reset);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let password = told["password"].as_str().expect("a password");
    let mut browser = Browser::new(&office.served);
    browser.signs_in(&person.email, password, None).await;
    let mut made = Vec::new();
    for (kind, scope) in [("reading", "READ"), ("talking", "CONVERSATIONS"), ("settling", "SETTINGS")] {
        let input = json!({ "name": kind, "scopes": [scope] });
        let created = browser.does("createApiToken", "token", input).await;
        made.push((kind, created["token"].as_str().expect("a token").to_owned()));
    }
    made.try_into().expect("three tokens")
}
