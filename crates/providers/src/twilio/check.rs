//! Asks Twilio whether the account is there, the auth token its own, and the number one of its WhatsApp senders.

use std::time::Duration;

use parlance_app::ingestion::{CheckError, Checked, Credentials};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use crate::{
    Outbound,
    outbound::{Answer, below},
};

/// Twilio's sandbox, a number that all accounts share for trying things out. It is in no account's list of senders, so
/// the account alone is checked. Nothing is given away by that: whoever joined an account's sandbox reaches that
/// account's webhook only, signed with that account's token.
const SANDBOX: &str = "whatsapp:+14155238886";

/// Twilio's default; its most, 1,000, would be a long answer.
const PAGE_SIZE: &str = "50";

/// A thousand senders: far more than Twilio gives an account unasked.
const PAGES_MAX: usize = 20;

/// For all requests of one check: somebody waits for it.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Account {
    status: String,
}

#[derive(Deserialize)]
struct Senders {
    senders: Vec<Sender>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Sender {
    sender_id: Option<String>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    next_page_url: Option<String>,
}

/// Whom Twilio is asked as: the account and its auth token.
struct Asking<'a> {
    outbound: &'a Outbound,
    account_sid: &'a str,
    auth_token: &'a str,
}

pub(super) async fn check(
    outbound: &Outbound,
    api_url: &Url,
    messaging_url: &Url,
    credentials: Credentials<'_>,
) -> Result<Checked, CheckError> {
    let account_sid = credentials.secrets.access.as_deref().filter(|sid| is_account_sid(sid));
    let auth_token = Some(credentials.secrets.signing.as_str()).filter(|token| !token.is_empty());
    let (Some(account_sid), Some(auth_token)) = (account_sid, auth_token) else {
        return Err(CheckError::Refused);
    };
    let asking = Asking { outbound, account_sid, auth_token };
    let checking = async {
        asking.account(api_url).await?;
        if credentials.provider_id == SANDBOX {
            return Ok(Checked { name: None, shared: true });
        }
        asking.sender(messaging_url, credentials.provider_id).await
    };
    tokio::time::timeout(CHECK_TIMEOUT, checking).await.unwrap_or(Err(CheckError::Unavailable))
}

/// It becomes a part of an address, so it must be nothing else.
fn is_account_sid(text: &str) -> bool {
    text.strip_prefix("AC").is_some_and(|rest| {
        rest.len() == 32 && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

impl Asking<'_> {
    async fn get(&self, url: Url) -> Result<Answer, CheckError> {
        let sign =
            |request: reqwest::RequestBuilder| request.basic_auth(self.account_sid, Some(self.auth_token));
        let answer = self.outbound.get(url, sign).await?;
        if answer.status == StatusCode::OK { Ok(answer) } else { Err(answer.refusal()) }
    }

    /// A suspended or closed account neither sends nor receives.
    async fn account(&self, api_url: &Url) -> Result<(), CheckError> {
        let resource = format!("{}.json", self.account_sid);
        let url = below(api_url, &["2010-04-01", "Accounts", &resource], None)?;
        let account: Account = self.get(url).await?.json()?;
        if account.status == "active" { Ok(()) } else { Err(CheckError::Refused) }
    }

    async fn sender(&self, messaging_url: &Url, provider_id: &str) -> Result<Checked, CheckError> {
        let query = format!("Channel=whatsapp&PageSize={PAGE_SIZE}");
        let mut url = below(messaging_url, &["v2", "Channels", "Senders"], Some(&query))?;
        for _ in 0..PAGES_MAX {
            let page: Senders = self.get(url).await?.json()?;
            let ours = |sender: &Sender| sender.sender_id.as_deref() == Some(provider_id);
            if let Some(sender) = page.senders.into_iter().find(ours) {
                return Ok(Checked { name: sender.profile.and_then(|profile| profile.name), shared: false });
            }
            let Some(next) = page.meta.next_page_url else { return Err(CheckError::Refused) };
            url = Url::parse(&next).map_err(|_| CheckError::Unavailable)?;
            // The credentials go nowhere else, whatever an answer says.
            if url.origin() != messaging_url.origin() {
                return Err(CheckError::Unavailable);
            }
        }
        Err(CheckError::Unavailable)
    }
}
