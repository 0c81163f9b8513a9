//! Everybody who may ask, and what they ask about: an office with a shared page of an admin's, a shared page of a
//! plain member's, and a private page; somebody who was removed, and another company's admin.

use parlance_simulator::Messenger;
use parlance_tests::served::{Channel, Office, Person};
use serde_json::json;

/// The kinds of asker, as the columns of the expectations are headed.
pub const KINDS: [&str; 10] = [
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
];

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
            shared,
            installers,
            private,
        }
    }

    /// Who is of this kind; `None`: nobody that is a member.
    pub fn person(&self, kind: &str) -> Option<&Person> {
        match kind {
            "owner" => Some(&self.owner),
            "installer" => Some(&self.installer),
            "admin" | "adminout" => Some(&self.admin),
            "plain" | "plainout" => Some(&self.plain),
            "removed" => Some(&self.removed),
            "stranger" => Some(&self.stranger),
            _ => None,
        }
    }

    /// By what somebody of this kind is known.
    pub fn token(&self, kind: &str) -> Option<&str> {
        match kind {
            "nobody" => None,
            "operator" => Some(&self.operator),
            member => self.person(member).map(|person| person.token.as_str()),
        }
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
