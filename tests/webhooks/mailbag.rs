//! Everything that the providers have to deliver, what became of it, and what it must leave in the log.

use std::sync::Arc;

use parlance_app::entropy::Entropy;
use parlance_simulator::{Messenger, Request, Twilio, messenger::Json, twilio::Contact};
use parlance_tests::served::{Office, posted};

/// Contacts of each channel: few, so that what arrives at once mostly meets in a conversation.
const CONTACTS: u32 = 12;
/// Events in one body, at most.
const EVENTS_MAX: u32 = 6;
/// Unix milliseconds at which the first message was written.
const BEGIN_MS: u64 = 1_767_225_600_000;

/// Which channel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Messenger,
    Whatsapp,
}

/// A message by its provider's id; its text names it, too.
pub type Message = (Side, String);

/// The text of the message of that id.
pub fn text(id: &str) -> String {
    format!("Szia, ez {id}")
}

/// A request, and what it must leave.
pub struct Delivery {
    pub side: Side,
    /// Head and body.
    pub request: Arc<[u8]>,
    pub messages: Vec<Message>,
    /// The body that must be kept.
    pub kept: Option<Vec<u8>>,
    pub acknowledged: bool,
}

/// What a sender carries: the delivery's number and its bytes.
pub type Letter = (usize, Arc<[u8]>);

/// Draws deliveries, and remembers all of them.
pub struct Mailbag {
    pub deliveries: Vec<Delivery>,
    /// Sent, and not answered.
    open: Vec<usize>,
    page: Messenger,
    number: Twilio,
    paths: [String; 2],
    address: String,
    dice: Entropy,
    numbered: u64,
}

impl Mailbag {
    pub fn new(office: &Office, seed: u64) -> Self {
        Self {
            deliveries: Vec::new(),
            open: Vec::new(),
            page: office.page(),
            number: office.number(),
            paths: [office.messenger.path().to_owned(), office.whatsapp.path().to_owned()],
            address: office.whatsapp.webhook_url.clone(),
            dice: Entropy::seeded(seed),
            numbered: 0,
        }
    }

    /// A number below `limit`.
    pub fn below(&self, limit: u32) -> u32 {
        u32::from_le_bytes(self.dice.bytes()) % limit
    }

    /// The next to be sent: what is open first, then something new or something sent before.
    pub fn next(&mut self) -> Letter {
        if let Some(again) = self.again() {
            return again;
        }
        let index = match self.below(20) {
            0..3 if !self.deliveries.is_empty() => {
                self.below(u32::try_from(self.deliveries.len()).expect("not that many")) as usize
            }
            0..8 => self.messages(1),
            8..12 => self.messages(2 + self.below(EVENTS_MAX - 1)),
            12..16 => self.form(),
            16 => self.unreadable(),
            17 => self.of_a_strange_page(),
            18 => self.of_a_strange_kind(),
            _ => self.unreadable_form(),
        };
        (index, Arc::clone(&self.deliveries[index].request))
    }

    /// Something that was sent and not answered.
    pub fn again(&mut self) -> Option<Letter> {
        let index = self.open.pop()?;
        Some((index, Arc::clone(&self.deliveries[index].request)))
    }

    pub fn cut_off(&mut self, index: usize) {
        self.open.push(index);
    }

    pub fn acknowledged(&mut self, index: usize) {
        self.deliveries[index].acknowledged = true;
    }

    fn add(&mut self, side: Side, request: &Request, messages: Vec<Message>, kept: Option<Vec<u8>>) -> usize {
        let path = &self.paths[usize::from(side == Side::Whatsapp)];
        let request = posted(path, request).into();
        self.deliveries.push(Delivery { side, request, messages, kept, acknowledged: false });
        self.deliveries.len() - 1
    }

    fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    fn contact(&self) -> String {
        format!("psid-{}", self.below(CONTACTS))
    }

    /// One body of so many events, at times with one of them twice, or with one that was told before.
    fn messages(&mut self, count: u32) -> usize {
        let mut events = Vec::new();
        let mut messages: Vec<Message> = Vec::new();
        for _ in 0..count {
            let number = self.number();
            let mid = format!("m_{number}");
            let event = self.page.message(&self.contact(), &mid, &text(&mid), BEGIN_MS + number * 1_000);
            events.push(event);
            messages.push((Side::Messenger, mid));
        }
        if count > 2 {
            events.push(events[self.below(count) as usize].clone());
        }
        let request = self.page.deliver(&events);
        self.add(Side::Messenger, &request, messages, None)
    }

    fn form(&mut self) -> usize {
        let sid = format!("SM{:032x}", self.number());
        let from = format!("whatsapp:+36201234{:03}", self.below(CONTACTS));
        let event = self.number.message(&sid, Contact { from: &from, name: "Kovács Éva" }, &text(&sid));
        let request = self.number.deliver(&self.address, &event);
        self.add(Side::Whatsapp, &request, vec![(Side::Whatsapp, sid)], None)
    }

    fn unreadable(&mut self) -> usize {
        let number = self.number();
        let request = self.page.sign(format!("{{\"object\":\"page\", half of number {number}"));
        self.kept_whole(Side::Messenger, &request)
    }

    fn of_a_strange_page(&mut self) -> usize {
        let strange = Messenger::new(self.page.app_secret.clone(), "999999999999999");
        let number = self.number();
        let event = strange.message(&self.contact(), &format!("m_{number}"), "?", BEGIN_MS + number * 1_000);
        let request = strange.deliver(&[event]);
        self.kept_whole(Side::Messenger, &request)
    }

    /// Among two messages one event that nobody knows, which is kept alone.
    fn of_a_strange_kind(&mut self) -> usize {
        let number = self.number();
        let at_ms = BEGIN_MS + number * 1_000;
        let mids = [format!("m_{number}a"), format!("m_{number}b")];
        let [first, last] =
            [0, 1].map(|index| self.page.message("psid-0", &mids[index], &text(&mids[index]), at_ms));
        let strange = self.page.of_contact("psid-1", at_ms, "telepathy", Json::id(&number.to_string()));
        let kept = self.page.deliver(std::slice::from_ref(&strange)).body;
        let request = self.page.deliver(&[first, strange, last]);
        let messages = mids.map(|mid| (Side::Messenger, mid)).to_vec();
        self.add(Side::Messenger, &request, messages, Some(kept))
    }

    fn unreadable_form(&mut self) -> usize {
        let sid = format!("SM{:032x}", self.number());
        let contact = Contact { from: "whatsapp:+36201234000", name: "Kovács Éva" };
        let event = self.number.message(&sid, contact, "?").without("From");
        let request = self.number.deliver(&self.address, &event);
        self.kept_whole(Side::Whatsapp, &request)
    }

    fn kept_whole(&mut self, side: Side, request: &Request) -> usize {
        self.add(side, request, Vec::new(), Some(request.body.clone()))
    }
}
