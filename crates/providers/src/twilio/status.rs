//! Twilio's callbacks about messages that the account sent.

use parlance_app::ingestion::{News, Told};
use parlance_domain::delivery::KeptBecause;

use super::form::{Ambiguous, Form};

/// The status that a form reports; `None`: it reports none, but is a message of a contact's. Those have a status,
/// too, since for Twilio every message is on its way to somebody.
pub(super) fn of<'a>(form: &'a Form<'_>) -> Result<Option<&'a str>, Ambiguous> {
    let status = form.get("MessageStatus")?.or(form.get("SmsStatus")?);
    Ok(status.filter(|status| !["receiving", "received"].contains(status)))
}

/// Only evidence of arrival is known so far.
pub(super) fn told(status: &str, page: String, contact: String, id: String) -> Result<Told, KeptBecause> {
    let messages = vec![id];
    let what = match status {
        "delivered" => News::Delivered { contact, messages, until: None },
        "read" => News::Read { contact, messages, until: None },
        // Parlance sends nothing yet, so nothing of its own can be on its way or fail.
        _ => return Err(KeptBecause::UnknownKind),
    };
    Ok(Told { page, at: None, what })
}
