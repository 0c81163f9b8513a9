//! A company on a running `parlance serve`: an admin, members, a page and a number, and the providers' side of
//! both. Everything is asked over HTTP, but for the account, which an operator creates.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use parlance_simulator::{
    Answer, Messenger, Request, Twilio,
    api::{Api, Number, Page},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Served, inbox::word, running::run};
use crate::Home;

/// A member, and the token that names them.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub token: String,
}

/// A connected page or number.
#[derive(Clone, Debug)]
pub struct Channel {
    pub id: String,
    pub connection: String,
    pub webhook_url: String,
    pub verify_token: Option<String>,
}

impl Channel {
    /// The webhook address's path, as it reaches the server.
    pub fn path(&self) -> &str {
        self.path_and_fragment().split('#').next().unwrap_or_default()
    }

    fn path_and_fragment(&self) -> &str {
        let from = self.webhook_url.find("/webhooks/").expect("a webhook address");
        &self.webhook_url[from..]
    }
}

pub const PAGE: &str = "682498302938465";
pub const NUMBER: &str = "whatsapp:+3612345678";
pub const APP_SECRET: &str = "app secret";
pub const PAGE_TOKEN: &str = "EAApage";
pub const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
pub const AUTH_TOKEN: &str = "auth token";

const CONNECT: &str = "mutation($input: ConnectChannelInput!) { connectChannel(input: $input) {
    channel { id } connection { id webhookUrl verifyToken } position errors { code message path } } }";

/// The providers' own APIs, as long as they are held.
pub struct Providers {
    pub api: Api,
    pub url: String,
    serving: JoinHandle<()>,
}

impl Drop for Providers {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Providers {
    pub async fn open() -> Self {
        let api = Api::new(vec![page(PAGE, PAGE_TOKEN, APP_SECRET)], vec![number(AUTH_TOKEN)]);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = {
            let api = api.clone();
            tokio::spawn(async move {
                let _ = api.serve(listener).await;
            })
        };
        Self { api, url, serving }
    }

    /// From now on the providers know one more page, of the same Meta app.
    pub fn knows_also(&self, page_id: &str, access_token: &str) {
        let pages = vec![page(PAGE, PAGE_TOKEN, APP_SECRET), page(page_id, access_token, APP_SECRET)];
        self.api.set(pages, vec![number(AUTH_TOKEN)]);
    }

    /// From now on the Meta app has another secret, the Twilio account another token.
    pub fn rotate(&self, app_secret: &str, auth_token: &str) {
        self.api.set(vec![page(PAGE, PAGE_TOKEN, app_secret)], vec![number(auth_token)]);
    }
}

fn page(id: &str, access_token: &str, app_secret: &str) -> Page {
    Page {
        id: id.to_owned(),
        name: "Példa oldal".to_owned(),
        app_secret: app_secret.to_owned(),
        access_token: access_token.to_owned(),
    }
}

fn number(auth_token: &str) -> Number {
    Number {
        number: NUMBER.to_owned(),
        account_sid: ACCOUNT_SID.to_owned(),
        auth_token: auth_token.to_owned(),
    }
}

/// A company with a running server.
pub struct Office {
    pub served: Served,
    pub providers: Providers,
    pub folder: Home,
    pub account: String,
    pub admin: Person,
    pub messenger: Channel,
    pub whatsapp: Channel,
    program: String,
    flags: Vec<String>,
    numbered: AtomicU64,
}

impl Office {
    /// Opens it: an account, its admin, both channels.
    pub async fn open(program: &str) -> Self {
        Self::open_with(program, &[]).await
    }

    /// The same, its server started with these flags every time.
    pub async fn open_with(program: &str, flags: &[&str]) -> Self {
        Self::open_in(Home::new(), program, flags).await
    }

    /// The same, in a home that is empty yet.
    pub async fn open_in(folder: Home, program: &str, flags: &[&str]) -> Self {
        let providers = Providers::open().await;
        let (account, admin) = create_account(program, folder.path());
        let served = Served::start(program, folder.path(), &providers.url, flags);
        let messenger = connect(&served, &admin.token, messenger_input()).await;
        let whatsapp = connect(&served, &admin.token, whatsapp_input()).await;
        Self {
            served,
            providers,
            folder,
            account,
            admin,
            messenger,
            whatsapp,
            program: program.to_owned(),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            numbered: AtomicU64::new(1),
        }
    }

    /// Kills the server, and starts another one on the same folder. The port changes, and with it the webhooks'
    /// addresses, unless a flag names a public one.
    pub fn restart(&mut self) {
        let flags: Vec<String> = self.flags.clone();
        self.restart_with(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// The same, with these flags instead of those it had.
    pub fn restart_with(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        self.served.kill();
        self.start();
    }

    /// Kills the server, and starts another one on the same folder and address.
    pub fn restart_in_place(&mut self) {
        self.served.kill();
        let (listen, flags) = (self.served.address.to_string(), self.flags.clone());
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let folder = self.folder.path();
        self.served = Served::start_at(&listen, &self.program, folder, &self.providers.url, &flags);
    }

    /// Starts another server on the same folder, where the one before has ended.
    pub fn start(&mut self) {
        let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
        self.served = Served::start(&self.program, self.folder.path(), &self.providers.url, &flags);
        if !flags.contains(&"--public-url") {
            for channel in [&mut self.messenger, &mut self.whatsapp] {
                channel.webhook_url = self.served.url(channel.path_and_fragment());
            }
        }
    }

    /// Where the account's log ends.
    pub fn log_end(&self) -> u64 {
        self.head_of(&self.account)
    }

    /// Where an account's log ends.
    pub fn head_of(&self, account: &str) -> u64 {
        let output = self.run(&["projections", "status", "--json", "--account", account]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        status["head"].as_u64().expect("a position")
    }

    /// Runs a command of the program on the office's folder.
    pub fn run(&self, arguments: &[&str]) -> std::process::Output {
        run(&self.program, self.folder.path(), arguments)
    }

    /// The same, with nobody to answer for the providers.
    pub fn without_providers(mut self) -> Self {
        self.providers.url = "http://127.0.0.1:9".to_owned();
        self.restart();
        self
    }

    /// Another company on the same server: its account, and its admin, who has the same e-mail address.
    pub fn another_account(&self) -> (String, Person) {
        create_account(&self.program, self.folder.path())
    }

    /// An operator's token.
    pub fn operator(&self) -> String {
        let output = self.run(&["operator", "token"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Tries to connect; gives the payload, user errors and all.
    pub async fn connects(&self, person: &Person, input: Value) -> Value {
        self.ask(person, CONNECT, json!({ "input": input })).await["connectChannel"].take()
    }

    /// What connects the page, and what connects the number.
    pub fn page_input(&self) -> Value {
        messenger_input()
    }

    pub fn number_input(&self) -> Value {
        whatsapp_input()
    }

    /// Another page, of an app of its own, connected by this person.
    pub async fn another_page(&self, person: &Person, id: &str, app_secret: &str) -> Channel {
        self.providers.api.set([page(id, PAGE_TOKEN, app_secret)], []);
        let input = json!({
            "kind": "MESSENGER", "providerId": id, "signingSecret": app_secret, "access": PAGE_TOKEN,
        });
        let channel = connect(&self.served, &person.token, input).await;
        self.providers.api.set([page(PAGE, PAGE_TOKEN, APP_SECRET)], []);
        channel
    }

    /// Meta's side of the page.
    pub fn page(&self) -> Messenger {
        Messenger::new(APP_SECRET, PAGE)
    }

    /// Twilio's side of the number.
    pub fn number(&self) -> Twilio {
        Twilio::new(ACCOUNT_SID, AUTH_TOKEN, NUMBER)
    }

    pub async fn send(&self, channel: &Channel, request: &Request) -> Answer {
        self.served.sender().send(&channel.webhook_url, request).await.expect("it is answered")
    }

    /// A contact writes to the page, now by its clock; the provider's time is `at_ms`.
    pub async fn writes(&self, psid: &str, mid: &str, text: &str, at_ms: u64) {
        let page = self.page();
        let answer = self.send(&self.messenger, &page.deliver(&[page.message(psid, mid, text, at_ms)])).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// An id that nothing else in this office has.
    pub fn fresh(&self, what: &str) -> String {
        format!("{what}-{}", self.numbered.fetch_add(1, Ordering::Relaxed))
    }

    pub async fn ask(&self, person: &Person, query: &str, variables: Value) -> Value {
        self.served.ask(&person.token, query, variables).await
    }

    /// A mutation with one input; gives its payload, user errors and all.
    pub async fn change(&self, person: &Person, name: &str, fields: &str, input: Value) -> Value {
        let mut type_name = name.to_owned();
        type_name[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {type_name}Input!) {{ {name}(input: $input) {{ {fields} position \
             errors {{ code message path }} }} }}"
        );
        self.ask(person, &query, json!({ "input": input })).await[name].take()
    }

    /// Invites somebody; gives the invitation's token.
    pub async fn invites(&self, email: &str, permissions: &[&str]) -> String {
        let input = json!({ "email": email, "name": email, "permissions": permissions });
        let invited = self.change(&self.admin, "inviteMember", "invitationToken", input).await;
        assert_eq!(invited["errors"], json!([]), "{invited}");
        word(&invited["invitationToken"])
    }

    /// Accepts an invitation; gives the payload, user errors and all.
    pub async fn accepts(&self, token: &str) -> Value {
        let accept = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
            member { id available permissions } apiToken position errors { code message } } }";
        let input = json!({ "input": { "token": token } });
        self.served.graphql(None, accept, input).await["data"]["acceptInvitation"].take()
    }

    /// Invites somebody, who joins.
    pub async fn member(&self, email: &str, permissions: &[&str]) -> Person {
        let accepted = self.accepts(&self.invites(email, permissions).await).await;
        Person {
            id: word(&accepted["member"]["id"]),
            email: email.to_owned(),
            token: word(&accepted["apiToken"]),
        }
    }
}

fn messenger_input() -> Value {
    json!({ "kind": "MESSENGER", "providerId": PAGE, "signingSecret": APP_SECRET, "access": PAGE_TOKEN })
}

fn whatsapp_input() -> Value {
    json!({
        "kind": "WHATSAPP_TWILIO",
        "providerId": NUMBER,
        "signingSecret": AUTH_TOKEN,
        "access": ACCOUNT_SID,
    })
}

fn create_account(program: &str, folder: &Path) -> (String, Person) {
    let email = "admin@example.hu";
    let arguments = [
        "account",
        "create",
        "--json",
        "--name=Példa Kft.",
        "--time-zone=Europe/Budapest",
        "--admin-name=Ádám Admin",
        "--admin-email",
        email,
    ];
    let output = run(program, folder, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let created: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let admin =
        Person { id: word(&created["admin"]), email: email.to_owned(), token: word(&created["token"]) };
    (word(&created["account"]), admin)
}

async fn connect(served: &Served, token: &str, input: Value) -> Channel {
    let mut data = served.ask(token, CONNECT, json!({ "input": input })).await;
    let payload = data["connectChannel"].take();
    assert_eq!(payload["errors"], json!([]), "{payload}");
    Channel {
        id: word(&payload["channel"]["id"]),
        connection: word(&payload["connection"]["id"]),
        webhook_url: word(&payload["connection"]["webhookUrl"]),
        verify_token: payload["connection"]["verifyToken"].as_str().map(str::to_owned),
    }
}
