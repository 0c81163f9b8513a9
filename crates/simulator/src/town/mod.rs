//! A seeded, endless script of customers who write to a shop, in Hungarian and English. A pure generator: it knows no
//! clock and no network; what its steps look like on the wire is in `telling`.

mod english;
mod hungarian;
mod telling;
#[cfg(test)]
mod tests;
mod words;

use rand::{RngExt, SeedableRng, rngs::StdRng};
pub use words::Language;
use words::{Line, pick, talks};

use crate::request::Provider;

/// Contacts of a channel at the beginning, so that an inbox has something to show within minutes.
const PEOPLE_AT_FIRST: usize = 150;

/// Contacts of a channel who write again and again; a newcomer beyond takes the place of one who stays away.
pub const PEOPLE_MAX: usize = 200;

/// A step in so many is a newcomer's.
const NEWCOMER_EVERY: u32 = 40;

/// Messages that a customer writes in a row at most.
const IN_A_ROW_MAX: usize = 3;

/// Edits of one message at most, which Messenger itself sees to.
const EDITS_MAX: u64 = 5;

/// A page or a number, by the provider's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    pub provider: Provider,
    /// A page's id, or `whatsapp:+` and a number in E.164.
    pub id: String,
}

/// What one contact does on one channel, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub channel: Channel,
    /// Never empty.
    pub events: Vec<Happening>,
}

/// A customer. A Messenger body tells only the id, a WhatsApp form also the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// A page-scoped id, or `whatsapp:+` and a number in E.164.
    pub id: String,
    pub name: String,
    pub language: Language,
}

/// One thing that happened in one thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    pub person: Person,
    /// Unix milliseconds.
    pub at_ms: u64,
    pub what: What,
}

/// Ids are the provider's: `mid` or `MessageSid`.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Says {
        id: String,
        text: String,
    },
    Shows {
        id: String,
        caption: String,
    },
    Taps {
        id: String,
        title: String,
        payload: String,
    },
    /// WhatsApp only: degrees of latitude and longitude.
    Shares {
        id: String,
        place: (f64, f64),
    },
    /// The shop wrote from the provider's own app; Messenger only, as the rest from here on.
    Echo {
        id: String,
        text: String,
    },
    Edits {
        id: String,
        text: String,
        times: u64,
    },
    Reacts {
        to: String,
        emoji: &'static str,
    },
    Reads {
        watermark_ms: u64,
    },
}

/// The customers of all channels.
#[derive(Debug)]
pub struct Town {
    rng: StdRng,
    streets: Vec<Street>,
}

/// The customers of one channel.
#[derive(Debug)]
struct Street {
    channel: Channel,
    people: Vec<Resident>,
}

#[derive(Debug)]
struct Resident {
    person: Person,
    /// Lines of the talk under way that are still to come.
    talk: &'static [&'static str],
    /// The last text of the customer's: id, text, edits so far.
    last: Option<(String, String, u64)>,
    /// The last message of the shop's that the town knows of.
    echo: Option<String>,
}

impl Town {
    /// The customers of these pages and of these numbers (`whatsapp:+…`). The same seed and channels make the same
    /// steps for ever, message ids included: whoever wants new messages in an account that has seen a seed takes
    /// another one.
    ///
    /// # Panics
    ///
    /// If there is neither a page nor a number.
    pub fn new<P: Into<String>, N: Into<String>>(
        seed: u64,
        pages: impl IntoIterator<Item = P>,
        numbers: impl IntoIterator<Item = N>,
    ) -> Self {
        let pages = pages.into_iter().map(|id| Channel { provider: Provider::Meta, id: id.into() });
        let numbers = numbers.into_iter().map(|id| Channel { provider: Provider::Twilio, id: id.into() });
        Self::of(seed, pages.chain(numbers))
    }

    /// The customers of these channels.
    ///
    /// # Panics
    ///
    /// If there is no channel.
    pub fn of(seed: u64, channels: impl IntoIterator<Item = Channel>) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let streets: Vec<_> = channels
            .into_iter()
            .map(|channel| {
                let people =
                    (0..PEOPLE_AT_FIRST).map(|_| Resident::new(channel.provider, &mut rng)).collect();
                Street { channel, people }
            })
            .collect();
        assert!(!streets.is_empty(), "a town has at least one channel");
        Self { rng, streets }
    }

    /// What happens next, at that time (Unix milliseconds): several events of a step are a millisecond apart.
    pub fn next(&mut self, at_ms: u64) -> Step {
        let street = self.rng.random_range(0..self.streets.len());
        self.next_in(street, at_ms)
    }

    /// What happens next on the channel at that place of the list that the town was made of; its pages come before its
    /// numbers.
    ///
    /// # Panics
    ///
    /// If the list is shorter.
    pub fn next_in(&mut self, channel: usize, at_ms: u64) -> Step {
        let Self { rng, streets } = self;
        let Street { channel, people } = &mut streets[channel];
        let resident = if rng.random_ratio(1, NEWCOMER_EVERY) {
            let newcomer = Resident::new(channel.provider, rng);
            let place = if people.len() < PEOPLE_MAX {
                people.push(newcomer);
                people.len() - 1
            } else {
                let place = rng.random_range(0..people.len());
                people[place] = newcomer;
                place
            };
            &mut people[place]
        } else {
            // The smaller of two draws: the first ones are regulars, who write more than the others.
            let place = rng.random_range(0..people.len()).min(rng.random_range(0..people.len()));
            &mut people[place]
        };
        let what = match channel.provider {
            Provider::Meta => resident.aside(at_ms, rng),
            Provider::Twilio => resident.place(rng),
        };
        let what = what.unwrap_or_else(|| resident.talk(channel.provider, rng));
        let events = (at_ms..)
            .zip(what)
            .map(|(at_ms, what)| Happening { person: resident.person.clone(), at_ms, what })
            .collect();
        Step { channel: channel.clone(), events }
    }
}

impl Resident {
    fn new(provider: Provider, rng: &mut StdRng) -> Self {
        let language = if rng.random_bool(0.6) { Language::Hungarian } else { Language::English };
        let id = match provider {
            Provider::Meta => rng.random_range(2_000_000_000_000_000_u64..9_999_999_999_999_999).to_string(),
            Provider::Twilio => format!("whatsapp:{}", language.phone(rng)),
        };
        let person = Person { id, name: language.name(rng), language };
        Self { person, talk: &[], last: None, echo: None }
    }

    /// What Messenger tells besides messages: now and then a reaction, an edit, or that the shop's message was read.
    fn aside(&mut self, at_ms: u64, rng: &mut StdRng) -> Option<Vec<What>> {
        let chance = rng.random_range(0..100);
        match (chance, &mut self.last, &self.echo) {
            (0..4, Some((id, text, times)), _) if *times < EDITS_MAX => {
                *times += 1;
                let text = self.person.language.corrected(text);
                Some(vec![What::Edits { id: id.clone(), text, times: *times }])
            }
            (4..12, _, Some(echo)) => Some(vec![What::Reacts {
                to: echo.clone(),
                emoji: pick(rng, &["❤️", "👍", "😆", "😮", "🙏"]),
            }]),
            (12..24, Some(_), _) => Some(vec![What::Reads { watermark_ms: at_ms }]),
            _ => None,
        }
    }

    /// What WhatsApp has and Messenger has not: now and then a place.
    fn place(&mut self, rng: &mut StdRng) -> Option<Vec<What>> {
        rng.random_ratio(1, 50).then(|| {
            // Somewhere in Hungary, to four digits.
            let degrees = |whole: u32, rng: &mut StdRng| {
                f64::from(whole) + f64::from(rng.random_range(0..10_000_u32)) / 10_000.0
            };
            let place = (degrees(47, rng), degrees(19, rng));
            vec![What::Shares { id: message_id(Provider::Twilio, "SM", rng), place }]
        })
    }

    /// The next few lines of the talk under way; of a new one, if the last came to its end.
    fn talk(&mut self, provider: Provider, rng: &mut StdRng) -> Vec<What> {
        let language = self.person.language;
        let mut told = Vec::new();
        if self.talk.is_empty() {
            let talks = talks(language);
            self.talk = talks[rng.random_range(0..talks.len())];
            if rng.random_ratio(1, 8) {
                let (title, payload) = language.button(rng);
                let id = message_id(provider, "SM", rng);
                told.push(What::Taps { id, title: title.to_owned(), payload: payload.to_owned() });
            }
        }
        let enough = rng.random_range(1..=IN_A_ROW_MAX);
        while let [template, rest @ ..] = self.talk
            && told.len() < enough
        {
            self.talk = rest;
            match language.line(template, &self.person.name, rng) {
                Line::Says(text) => {
                    let id = message_id(provider, "SM", rng);
                    self.last = Some((id.clone(), text.clone(), 0));
                    told.push(What::Says { id, text });
                }
                Line::Shows(caption) => {
                    told.push(What::Shows { id: message_id(provider, "MM", rng), caption });
                }
                // Mostly the shop answers by the inbox; now and then somebody takes the provider's own app.
                Line::Answered(text) if provider == Provider::Meta && rng.random_ratio(1, 4) => {
                    let id = message_id(provider, "SM", rng);
                    self.echo = Some(id.clone());
                    told.push(What::Echo { id, text });
                }
                Line::Answered(_) => {}
            }
        }
        // No talk ends with the shop's answer, so something was said.
        told
    }
}

/// An id as the provider makes them: `m_` and a long random text, or two letters and 32 hex digits.
fn message_id(provider: Provider, letters: &str, rng: &mut StdRng) -> String {
    let mut hex = || format!("{:032x}", rng.random::<u128>());
    match provider {
        Provider::Meta => format!("m_{}{}", hex(), hex()),
        Provider::Twilio => format!("{letters}{}", hex()),
    }
}
