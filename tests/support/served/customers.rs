//! Customers of an office: what they write reaches the server signed, as their provider delivers it.

use parlance_simulator::{Request, messenger, twilio};
use serde_json::Value;

use super::{Channel, Office, inbox::word};

/// A morning long before the tests run, in Unix milliseconds: what is written then is in no clock's future.
pub const MORNING: u64 = 1_760_000_000_000;

/// So many minutes after that morning began.
pub const fn at(minutes: u64) -> u64 {
    MORNING + minutes * 60_000
}

impl Office {
    /// Delivers to a channel's address what must be taken.
    pub async fn delivers(&self, channel: &Channel, request: &Request) {
        let answer = self.send(channel, request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Delivers events to the page, in one body.
    pub async fn tells(&self, events: &[messenger::Event]) {
        self.delivers(&self.messenger, &self.page().deliver(events)).await;
    }

    /// Delivers a form to the number.
    pub async fn calls(&self, event: &twilio::Event) {
        let request = self.number().deliver(&self.whatsapp.webhook_url, event);
        self.delivers(&self.whatsapp, &request).await;
    }

    /// A contact writes to the page for the first time; gives the conversation's id.
    pub async fn begins(&self, psid: &str, text: &str, at_ms: u64) -> String {
        self.writes(psid, &self.fresh("m"), text, at_ms).await;
        self.named(text).await
    }

    /// A contact writes to the page again.
    pub async fn goes_on(&self, psid: &str, text: &str, at_ms: u64) {
        self.writes(psid, &self.fresh("m"), text, at_ms).await;
    }

    /// A contact writes to the number; gives the message's sid.
    pub async fn phones(&self, from: &str, text: &str) -> String {
        let sid = self.fresh_sid();
        let contact = twilio::Contact { from, name: "Zoltán Ügyfél" };
        self.calls(&self.number().message(&sid, contact, text)).await;
        sid
    }

    /// A sid that nothing else in this office has.
    pub fn fresh_sid(&self) -> String {
        let number = self.fresh("").trim_start_matches('-').parse::<u64>().expect("a number");
        format!("SM{number:032x}")
    }

    /// The id of the conversation whose newest message has this text, as the admin sees it.
    pub async fn named(&self, text: &str) -> String {
        word(&self.find(&self.admin, text).await["id"])
    }

    /// Deliveries kept for the account, newest first, as an operator sees them.
    pub async fn dead_letters(&self) -> Vec<Value> {
        let query = "query($account: ID!) { deadLetters(account: $account, first: 100) {
            nodes { because fate connectionId accountId bytes } } }";
        let token = self.operator();
        let variables = serde_json::json!({ "account": self.account });
        let mut shown = self.served.ask(&token, query, variables).await;
        match shown["deadLetters"]["nodes"].take() {
            Value::Array(letters) => letters,
            other => panic!("a list, not {other}"),
        }
    }
}
