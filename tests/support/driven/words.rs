//! The words of the line protocol: a number and an order go in, the number and an answer come out.

use std::{fmt, str::FromStr};

use anyhow::{Context as _, bail};
use parlance_app::command::{CommandError, Receipt};
use parlance_store::StoreError;

/// What can be asked, with small numbers for contacts, messages and members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A contact writes a message that also tells a new name: two events at least.
    Receive {
        contact: u32,
        message: u32,
    },
    /// Two contacts' messages in one command.
    Pair {
        first: (u32, u32),
        second: (u32, u32),
    },
    Assign {
        contact: u32,
        member: u32,
    },
    Unassign {
        contact: u32,
    },
    Close {
        contact: u32,
    },
    Reopen {
        contact: u32,
    },
    Delete {
        contact: u32,
    },
    Seen {
        contact: u32,
        up_to: u64,
    },
    /// Where are the events of that command?
    Caused {
        command: u64,
        after: u64,
    },
    /// Where does the log end?
    Head,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive { contact, message } => write!(f, "receive {contact} {message}"),
            Self::Pair { first, second } => {
                write!(f, "pair {} {} {} {}", first.0, first.1, second.0, second.1)
            }
            Self::Assign { contact, member } => write!(f, "assign {contact} {member}"),
            Self::Unassign { contact } => write!(f, "unassign {contact}"),
            Self::Close { contact } => write!(f, "close {contact}"),
            Self::Reopen { contact } => write!(f, "reopen {contact}"),
            Self::Delete { contact } => write!(f, "delete {contact}"),
            Self::Seen { contact, up_to } => write!(f, "seen {contact} {up_to}"),
            Self::Caused { command, after } => write!(f, "caused {command} {after}"),
            Self::Head => write!(f, "head"),
        }
    }
}

/// The words of a line, one after the other.
struct Words<'a>(std::str::SplitWhitespace<'a>);

impl Words<'_> {
    fn number<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(&mut self) -> anyhow::Result<T> {
        Ok(self.0.next().context("a number is missing")?.parse()?)
    }
}

impl FromStr for Order {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut words = Words(text.split_whitespace());
        Ok(match words.0.next().context("an empty order")? {
            "receive" => Self::Receive { contact: words.number()?, message: words.number()? },
            "pair" => Self::Pair {
                first: (words.number()?, words.number()?),
                second: (words.number()?, words.number()?),
            },
            "assign" => Self::Assign { contact: words.number()?, member: words.number()? },
            "unassign" => Self::Unassign { contact: words.number()? },
            "close" => Self::Close { contact: words.number()? },
            "reopen" => Self::Reopen { contact: words.number()? },
            "delete" => Self::Delete { contact: words.number()? },
            "seen" => Self::Seen { contact: words.number()?, up_to: words.number()? },
            "caused" => Self::Caused { command: words.number()?, after: words.number()? },
            "head" => Self::Head,
            other => bail!("no such order: {other}"),
        })
    }
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Recorded {
        first: u64,
        last: u64,
    },
    Duplicate(u64),
    Unchanged(u64),
    Refused(String),
    /// Perhaps done, perhaps not.
    Unknown(String),
    /// Not done.
    Unavailable(String),
    /// An answer that no test expects.
    Broken(String),
    /// To `Caused` and `Head`.
    Positions(Vec<u64>),
}

impl Answer {
    /// Answered with success: it must be in the log for ever.
    pub fn is_yes(&self) -> bool {
        matches!(self, Self::Recorded { .. } | Self::Duplicate(_) | Self::Unchanged(_))
    }
}

impl From<StoreError> for Answer {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Unknown(_) => Self::Unknown(text),
            StoreError::Unavailable(_) => Self::Unavailable(text),
            _ => Self::Broken(text),
        }
    }
}

impl From<Result<Receipt, CommandError>> for Answer {
    fn from(result: Result<Receipt, CommandError>) -> Self {
        match result {
            Ok(Receipt::Recorded { first, last }) => {
                Self::Recorded { first: first.number(), last: last.number() }
            }
            Ok(Receipt::Duplicate { original }) => Self::Duplicate(original.number()),
            Ok(Receipt::Unchanged { head }) => Self::Unchanged(head.number()),
            Err(CommandError::Refused(refusal)) => Self::Refused(refusal.to_string()),
            Err(CommandError::Store(error)) => error.into(),
            Err(error) => Self::Broken(error.to_string()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recorded { first, last } => write!(f, "recorded {first} {last}"),
            Self::Duplicate(original) => write!(f, "duplicate {original}"),
            Self::Unchanged(head) => write!(f, "unchanged {head}"),
            Self::Refused(why) => write!(f, "refused {why}"),
            Self::Unknown(why) => write!(f, "unknown {why}"),
            Self::Unavailable(why) => write!(f, "unavailable {why}"),
            Self::Broken(why) => write!(f, "broken {why}"),
            Self::Positions(positions) => {
                write!(f, "positions")?;
                positions.iter().try_for_each(|position| write!(f, " {position}"))
            }
        }
    }
}

impl FromStr for Answer {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut words = Words(rest.split_whitespace());
        Ok(match word {
            "recorded" => Self::Recorded { first: words.number()?, last: words.number()? },
            "duplicate" => Self::Duplicate(words.number()?),
            "unchanged" => Self::Unchanged(words.number()?),
            "refused" => Self::Refused(rest.to_owned()),
            "unknown" => Self::Unknown(rest.to_owned()),
            "unavailable" => Self::Unavailable(rest.to_owned()),
            "broken" => Self::Broken(rest.to_owned()),
            "positions" => Self::Positions(words.0.map(str::parse).collect::<Result<_, _>>()?),
            other => bail!("no such answer: {other}"),
        })
    }
}
