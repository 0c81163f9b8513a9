//! The demo's company: who its members are, what page and number it has, and how it is founded.

use anyhow::Context as _;
use parlance_app::{Parlance, account::NewAccount, entropy::Entropy, front::Asker};
use parlance_domain::{Email, Name, account::Language};
use parlance_stores::AnyStore;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::Client;
use crate::operator;

#[derive(Serialize, Deserialize)]
pub struct Company {
    pub name: String,
    pub account: String,
    /// How often the demo ran with it.
    pub runs: u64,
    /// Everybody's; empty for a company of a release before there were passwords.
    #[serde(default)]
    pub password: String,
    pub members: Vec<DemoMember>,
    pub page: DemoPage,
    pub number: DemoNumber,
}

#[derive(Serialize, Deserialize)]
pub struct DemoMember {
    pub name: String,
    pub email: String,
    pub settings_access: bool,
    pub token: String,
}

#[derive(Serialize, Deserialize)]
pub struct DemoPage {
    /// The channel's id, once it is connected.
    pub channel: String,
    /// The webhook address without scheme and host, with what stands behind `#`.
    pub webhook_path: String,
    pub verify_token: String,
    pub id: String,
    pub name: String,
    pub app_secret: String,
    pub access_token: String,
}

#[derive(Serialize, Deserialize)]
pub struct DemoNumber {
    pub channel: String,
    pub webhook_path: String,
    pub number: String,
    pub account_sid: String,
    pub auth_token: String,
}

const CONNECT: &str = "mutation($input: ConnectChannelInput!) { connectChannel(input: $input) {
    channel { id } connection { webhookUrl verifyToken } errors { code message } } }";
const INVITE: &str = "mutation($input: InviteMemberInput!) { inviteMember(input: $input) {
    invitationToken errors { code message } } }";
const ACCEPT: &str = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
    apiToken errors { code message } } }";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Company {
    /// With secrets of its own; nothing is in the store yet.
    pub fn new(entropy: &Entropy) -> Self {
        let member = |name: &str, email: &str, settings_access| DemoMember {
            name: name.to_owned(),
            email: email.to_owned(),
            settings_access,
            token: String::new(),
        };
        Self {
            name: "Napraforgó Kft.".to_owned(),
            account: String::new(),
            runs: 0,
            password: "napraforgó a napon".to_owned(),
            members: vec![
                member("Nagy Anna", "anna@napraforgo.example", true),
                member("Kovács Béla", "bela@napraforgo.example", true),
                member("Szabó Csilla", "csilla@napraforgo.example", false),
                member("Tóth Dávid", "david@napraforgo.example", false),
                member("Emily Carter", "emily@napraforgo.example", false),
            ],
            page: DemoPage {
                channel: String::new(),
                webhook_path: String::new(),
                verify_token: String::new(),
                id: "682498302938465".to_owned(),
                name: "Napraforgó".to_owned(),
                app_secret: hex(&entropy.bytes::<16>()),
                access_token: format!("EAA{}", hex(&entropy.bytes::<32>())),
            },
            number: DemoNumber {
                channel: String::new(),
                webhook_path: String::new(),
                number: "whatsapp:+3612345678".to_owned(),
                account_sid: format!("AC{}", hex(&entropy.bytes::<16>())),
                auth_token: hex(&entropy.bytes::<16>()),
            },
        }
    }

    /// Founds it: an operator creates the account, the rest is asked of the API as anybody would.
    pub async fn found(mut self, parlance: &Parlance<AnyStore>, client: &Client) -> anyhow::Result<Self> {
        let created = parlance
            .create_account(NewAccount {
                name: Name::new(&self.name)?,
                language: Language::Hu,
                time_zone: "Europe/Budapest".to_owned(),
                admin_email: Email::new(&self.members[0].email)?,
                admin_name: Name::new(&self.members[0].name)?,
            })
            .await?;
        self.account = created.account.to_string();
        let admin = operator::member_token(parlance, created.account, created.admin).await?;
        for member in self.members.iter_mut().skip(1) {
            let input = json!({
                "email": member.email,
                "name": member.name,
                "permissions": permissions(member.settings_access),
            });
            let invited = client.change(Some(&admin), "inviteMember", INVITE, input).await?;
            let input = json!({ "token": invited["invitationToken"] });
            let accepted = client.change(None, "acceptInvitation", ACCEPT, input).await?;
            member.token = accepted["apiToken"].as_str().context("a token")?.to_owned();
        }
        let page = json!({
            "kind": "MESSENGER",
            "providerId": self.page.id,
            "signingSecret": self.page.app_secret,
            "access": self.page.access_token,
        });
        let connected = client.change(Some(&admin), "connectChannel", CONNECT, page).await?;
        self.page.channel = connected["channel"]["id"].as_str().context("a channel")?.to_owned();
        self.page.webhook_path = path(connected["connection"]["webhookUrl"].as_str())?;
        let verify_token = connected["connection"]["verifyToken"].as_str();
        self.page.verify_token = verify_token.context("a verify token")?.to_owned();
        let number = json!({
            "kind": "WHATSAPP_TWILIO",
            "providerId": self.number.number,
            "signingSecret": self.number.auth_token,
            "access": self.number.account_sid,
            "name": "Napraforgó WhatsApp",
        });
        let connected = client.change(Some(&admin), "connectChannel", CONNECT, number).await?;
        self.number.channel = connected["channel"]["id"].as_str().context("a channel")?.to_owned();
        self.number.webhook_path = path(connected["connection"]["webhookUrl"].as_str())?;
        let ring = parlance.keyring.account(&parlance.store, created.account).await?.context("its keys")?;
        for member in &self.members {
            let by = Asker { account: created.account, member: ring.ids.member(&Email::new(&member.email)?) };
            parlance.sign_in.reset_password(by, Some(self.password.clone().into())).await?;
        }
        self.members[0].token = admin;
        Ok(self)
    }
}

/// Permissions as the API names them.
pub fn permissions(settings_access: bool) -> &'static [&'static str] {
    if settings_access { &["ACCOUNT_SETTINGS"] } else { &[] }
}

/// An address without scheme and host, which may be others the next time.
fn path(url: Option<&str>) -> anyhow::Result<String> {
    let at = url.and_then(|url| url.find("/webhooks/").map(|at| url[at..].to_owned()));
    at.context("a webhook address")
}
