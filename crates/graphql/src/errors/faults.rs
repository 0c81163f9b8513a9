//! Faults of the installation: one masked message with a trace id outside, one log line inside.

use std::sync::{Mutex, PoisonError};

use async_graphql::{Error, ErrorExtensions as _, Value};
use parlance_app::front::FrontError;

use super::{Wrong, judge};

/// What a fault means to whoever asked; stands in an error's `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultCode {
    /// A fault of the installation. Asking again will not help; its operator finds the trace id in the log.
    Internal,
    /// Nothing was done. Asking again later will help.
    Unavailable,
    /// Whether it was done is not known.
    OutcomeUnknown,
    /// The position that was waited for is not shown yet. Asking again will help.
    Behind,
    /// It was done, but what it changed is not shown yet: the payload has the position, and not the object.
    NotShownYet,
}

impl FaultCode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Self::Behind => "BEHIND",
            Self::NotShownYet => "NOT_SHOWN_YET",
        }
    }

    /// In English: the account's language may be the very thing that cannot be read.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Internal => "Something went wrong on our side. Tell your operator the trace id.",
            Self::Unavailable => "This cannot be done at the moment, and nothing was changed. Try again.",
            Self::OutcomeUnknown => "Whether this was done is not known. Look before you try again.",
            Self::Behind => "What you asked for is not shown yet. Try again.",
            Self::NotShownYet => {
                "This was done, but is not shown yet. Ask for the object with `atLeast` and the payload's position."
            }
        }
    }
}

/// A fault with its cause, which stays inside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub code: FaultCode,
    pub cause: FrontError,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refused {
    Wrong(Vec<Wrong>),
    Fault(Fault),
}

impl From<Wrong> for Refused {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(vec![wrong])
    }
}

impl From<FrontError> for Refused {
    fn from(error: FrontError) -> Self {
        match judge(error) {
            Ok(wrong) => wrong.into(),
            Err(fault) => Self::Fault(fault),
        }
    }
}

/// What names a request in the log. A failed batch fails many fields with one error: it is logged once.
#[derive(Debug)]
pub struct Trace {
    id: String,
    logged: Mutex<Vec<FrontError>>,
}

impl Trace {
    pub fn new(id: String) -> Self {
        Self { id, logged: Mutex::default() }
    }

    /// The same request's, with nothing logged.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.id.clone())
    }

    /// Logs the fault, and masks it.
    pub(crate) fn mask(&self, Fault { code, cause }: Fault) -> Error {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if !logged.contains(&cause) {
            let (trace_id, name) = (self.id.as_str(), code.as_str());
            match code {
                FaultCode::Internal | FaultCode::OutcomeUnknown => {
                    tracing::error!(trace_id, code = name, %cause, "a request failed");
                }
                FaultCode::Unavailable | FaultCode::Behind | FaultCode::NotShownYet => {
                    tracing::warn!(trace_id, code = name, %cause, "a request was put off");
                }
            }
            logged.push(cause);
        }
        coded(code.message(), Value::from(code.as_str()), Some(&self.id))
    }
}

/// An error with its code, and a trace id where it is worth looking for.
pub(crate) fn coded(message: impl Into<String>, code: Value, trace_id: Option<&str>) -> Error {
    Error::new(message).extend_with(|_, extensions| {
        extensions.set("code", code);
        if let Some(id) = trace_id {
            extensions.set("traceId", id);
        }
    })
}
