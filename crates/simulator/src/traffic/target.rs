//! A webhook's address with what its provider knows of it: enough to make signed requests for it.

use crate::{
    messenger::{BATCH_MAX, Messenger},
    request::{Provider, Request},
    town::{Channel, Happening},
    twilio::Twilio,
};

/// Which provider calls, and what only that one must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Messenger,
    Twilio {
        account_sid: String,
        /// The `MessagingServiceSid` of the pool that the number is in, if any.
        pool_sid: Option<String>,
    },
}

/// One channel of the inbox under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub kind: Kind,
    /// As it is configured at the provider, for Twilio with the fragment that asks for retries.
    pub webhook_url: String,
    /// The app secret, or the auth token.
    pub secret: String,
    /// The page's id, or `whatsapp:+` and the number.
    pub provider_id: String,
}

impl Target {
    /// The channel as the town knows it.
    pub fn channel(&self) -> Channel {
        let provider = match self.kind {
            Kind::Messenger => Provider::Meta,
            Kind::Twilio { .. } => Provider::Twilio,
        };
        Channel { provider, id: self.provider_id.clone() }
    }

    /// Signed requests that tell these happenings, each with the number of them it tells: one body for all of them
    /// from Meta, one request for each from Twilio.
    pub(super) fn requests(&self, happenings: &[Happening]) -> Vec<(u64, Request)> {
        match &self.kind {
            Kind::Messenger => {
                let page = Messenger::new(&self.secret, &self.provider_id);
                let events: Vec<_> =
                    happenings.iter().map(|happening| happening.by_messenger(&page)).collect();
                events.chunks(BATCH_MAX).map(|events| (count(events.len()), page.deliver(events))).collect()
            }
            Kind::Twilio { account_sid, pool_sid } => {
                let number = Twilio {
                    pool_sid: pool_sid.clone(),
                    ..Twilio::new(account_sid, &self.secret, &self.provider_id)
                };
                let told = happenings.iter().filter_map(|happening| happening.by_twilio(&number));
                told.map(|event| (1, number.deliver(&self.webhook_url, &event))).collect()
            }
        }
    }
}

fn count(events: usize) -> u64 {
    u64::try_from(events).expect("a batch is bounded")
}
