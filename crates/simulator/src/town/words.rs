//! Turns a language's lines, names and lists into what one person says. What is said when is the town's.

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};

use super::{english, hungarian};

/// A language of customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    Hungarian,
    English,
}

/// A line of a talk, filled in.
pub(super) enum Line {
    /// The customer says this.
    Says(String),
    /// The shop answers this from the provider's own app.
    Answered(String),
    /// The customer sends a photo.
    Shows(String),
}

/// How many talks a language has.
pub(super) fn talks(language: Language) -> &'static [&'static [&'static str]] {
    match language {
        Language::Hungarian => hungarian::TALKS,
        Language::English => english::TALKS,
    }
}

impl Language {
    /// A name as this language orders its parts.
    pub(super) fn name(self, rng: &mut StdRng) -> String {
        match self {
            Self::Hungarian => {
                format!("{} {}", pick(rng, hungarian::SURNAMES), pick(rng, hungarian::GIVEN))
            }
            Self::English => format!("{} {}", pick(rng, english::GIVEN), pick(rng, english::SURNAMES)),
        }
    }

    /// A mobile number in E.164.
    pub(super) fn phone(self, rng: &mut StdRng) -> String {
        match self {
            Self::Hungarian => {
                format!("+36{}{:07}", pick(rng, &["20", "30", "70"]), rng.random_range(0..10_000_000))
            }
            Self::English => format!("+447{:09}", rng.random_range(0..1_000_000_000)),
        }
    }

    pub(super) fn line(self, template: &str, name: &str, rng: &mut StdRng) -> Line {
        if let Some(answer) = template.strip_prefix('>') {
            return Line::Answered(self.filled(answer, name, rng));
        }
        if template.starts_with('*') {
            let captions = match self {
                Self::Hungarian => hungarian::CAPTIONS,
                Self::English => english::CAPTIONS,
            };
            return Line::Shows(pick(rng, captions).to_owned());
        }
        Line::Says(self.filled(template, name, rng))
    }

    /// Title and payload of a button that the shop offers.
    pub(super) fn button(self, rng: &mut StdRng) -> (&'static str, &'static str) {
        *match self {
            Self::Hungarian => hungarian::BUTTONS,
            Self::English => english::BUTTONS,
        }
        .choose(rng)
        .expect("a language has buttons")
    }

    /// The text after the customer mended it.
    pub(super) fn corrected(self, text: &str) -> String {
        let mark = match self {
            Self::Hungarian => hungarian::CORRECTION,
            Self::English => english::CORRECTION,
        };
        format!("{text} {mark}")
    }

    fn filled(self, template: &str, name: &str, rng: &mut StdRng) -> String {
        let (items, cities, days) = match self {
            Self::Hungarian => (hungarian::ITEMS, hungarian::CITIES, hungarian::DAYS),
            Self::English => (english::ITEMS, english::CITIES, english::DAYS),
        };
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}').expect("every brace of a template is closed");
            text.push_str(before);
            match word {
                "item" => text.push_str(pick(rng, items)),
                "city" => text.push_str(pick(rng, cities)),
                "day" => text.push_str(pick(rng, days)),
                "count" => text.push_str(&rng.random_range(3..40).to_string()),
                "order" => text.push_str(&format!("R-{:05}", rng.random_range(0..100_000))),
                "name" => text.push_str(name),
                other => unreachable!("no template says {{{other}}}"),
            }
            rest = after;
        }
        text.push_str(rest);
        // A sentence may open with a word that was filled in.
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }
}

pub(super) fn pick<'a>(rng: &mut StdRng, words: &[&'a str]) -> &'a str {
    words.choose(rng).expect("no list of words is empty")
}
