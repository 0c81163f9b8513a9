//! What one event of Messenger says, and whom it is between. Messages and postbacks are read in `message`.

use parlance_app::ingestion::{News, Told};
use parlance_domain::{Timestamp, delivery::KeptBecause};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    json::{id, list, number, object, string, time},
    message::{self, Message},
};

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    sender: Option<&'a RawValue>,
    #[serde(borrow)]
    recipient: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    postback: Option<&'a RawValue>,
    #[serde(borrow)]
    delivery: Option<&'a RawValue>,
    #[serde(borrow)]
    read: Option<&'a RawValue>,
    #[serde(borrow)]
    reaction: Option<&'a RawValue>,
    #[serde(borrow)]
    message_edit: Option<&'a RawValue>,
    #[serde(borrow)]
    policy_enforcement: Option<&'a RawValue>,
}

#[derive(Clone, Copy)]
enum Kind {
    Message,
    Postback,
    Delivery,
    Read,
    Reaction,
    Edit,
    Policy,
}

/// `page` is the entry's, which an event must not contradict.
pub(super) fn told(page: Option<&str>, raw: &RawValue) -> Result<Told, KeptBecause> {
    let event: Event<'_> = object(raw).ok_or(KeptBecause::Unparsable)?;
    let at = event.timestamp.and_then(time);
    let (kind, raw) = event.kind()?;
    let Kind::Message = kind else {
        let page = agreed(page, event.recipient)?;
        let what = match kind {
            Kind::Policy => policy(raw)?,
            _ => of_contact(kind, contact(event.sender, &page)?, at, raw)?,
        };
        return Ok(Told { page, at, what });
    };
    let message = message::message(raw)?;
    let (ours, theirs) =
        if message.is_echo { (event.sender, event.recipient) } else { (event.recipient, event.sender) };
    let page = agreed(page, ours)?;
    let contact = contact(theirs, &page)?;
    let what = match message {
        Message { is_deleted: true, told, .. } => News::Unsent { contact, message: told.id },
        Message { is_echo: true, told, .. } => News::Echo { contact, message: told },
        Message { told, .. } => News::Message { contact, message: told },
    };
    Ok(Told { page, at, what })
}

impl<'a> Event<'a> {
    /// An event is of one kind. Two at once would be read differently by any two readers.
    fn kind(&self) -> Result<(Kind, &'a RawValue), KeptBecause> {
        let mut kinds = [
            (Kind::Message, self.message),
            (Kind::Postback, self.postback),
            (Kind::Delivery, self.delivery),
            (Kind::Read, self.read),
            (Kind::Reaction, self.reaction),
            (Kind::Edit, self.message_edit),
            (Kind::Policy, self.policy_enforcement),
        ]
        .into_iter()
        .filter_map(|(kind, raw)| Some((kind, raw?)));
        let kind = kinds.next().ok_or(KeptBecause::UnknownKind)?;
        if kinds.next().is_some() { Err(KeptBecause::Unparsable) } else { Ok(kind) }
    }
}

/// The id of a sender or recipient, where it has one.
fn party(raw: &RawValue) -> Result<Option<String>, KeptBecause> {
    #[derive(Deserialize)]
    struct Party<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    let party: Party<'_> = object(raw).ok_or(KeptBecause::Unparsable)?;
    party.id.map(|raw| id(raw).ok_or(KeptBecause::Unparsable)).transpose()
}

/// The page, from its entry and from the event itself: either will do, but they must not differ.
fn agreed(entry: Option<&str>, ours: Option<&RawValue>) -> Result<String, KeptBecause> {
    let ours = ours.map(party).transpose()?.flatten();
    match (entry, ours) {
        (Some(entry), Some(ours)) if entry != ours => Err(KeptBecause::Unparsable),
        (_, Some(page)) => Ok(page),
        (Some(page), None) => Ok(page.to_owned()),
        (None, None) => Err(KeptBecause::Unparsable),
    }
}

/// The contact. Without an id of its own (a plugin's `user_ref`, say) it is a kind of contact Parlance does not know.
fn contact(theirs: Option<&RawValue>, page: &str) -> Result<String, KeptBecause> {
    let contact = party(theirs.ok_or(KeptBecause::Unparsable)?)?.ok_or(KeptBecause::UnknownKind)?;
    if contact == page { Err(KeptBecause::Unparsable) } else { Ok(contact) }
}

fn of_contact(
    kind: Kind,
    contact: String,
    at: Option<Timestamp>,
    raw: &RawValue,
) -> Result<News, KeptBecause> {
    match kind {
        Kind::Postback => {
            let message = message::postback(raw, &contact, at)?;
            Ok(News::Message { contact, message })
        }
        Kind::Delivery => {
            let (messages, until) = receipt(raw)?;
            Ok(News::Delivered { contact, messages, until })
        }
        Kind::Read => {
            let (messages, until) = receipt(raw)?;
            Ok(News::Read { contact, messages, until })
        }
        Kind::Reaction => reaction(contact, raw),
        Kind::Edit => edit(contact, raw),
        Kind::Message | Kind::Policy => Err(KeptBecause::UnknownKind),
    }
}

/// The messages by name, and the time up to which all are meant. One of the two must be there.
fn receipt(raw: &RawValue) -> Result<(Vec<String>, Option<Timestamp>), KeptBecause> {
    #[derive(Deserialize)]
    struct Receipt<'a> {
        #[serde(borrow)]
        mids: Option<&'a RawValue>,
        #[serde(borrow)]
        watermark: Option<&'a RawValue>,
    }
    let receipt: Receipt<'_> = object(raw).ok_or(KeptBecause::Unparsable)?;
    let mids = receipt.mids.map(|raw| list(raw)?.into_iter().map(id).collect::<Option<Vec<_>>>());
    let messages = mids.map(|mids| mids.ok_or(KeptBecause::Unparsable)).transpose()?.unwrap_or_default();
    let until = receipt.watermark.and_then(time);
    if messages.is_empty() && until.is_none() { Err(KeptBecause::Unparsable) } else { Ok((messages, until)) }
}

fn reaction(contact: String, raw: &RawValue) -> Result<News, KeptBecause> {
    #[derive(Deserialize)]
    struct Reaction<'a> {
        #[serde(borrow)]
        mid: &'a RawValue,
        action: String,
        emoji: Option<String>,
        /// The emoji's name, for clients that draw their own.
        reaction: Option<String>,
    }
    let told: Reaction<'_> = object(raw).ok_or(KeptBecause::Unparsable)?;
    let message = id(told.mid).ok_or(KeptBecause::Unparsable)?;
    let emoji = match told.action.as_str() {
        "unreact" => None,
        "react" => {
            // Without any it would read as one taken back.
            let drawn = [told.emoji, told.reaction].into_iter().flatten().find(|emoji| !emoji.is_empty());
            Some(drawn.ok_or(KeptBecause::Unparsable)?)
        }
        _ => return Err(KeptBecause::UnknownKind),
    };
    Ok(News::Reaction { contact, message, emoji })
}

fn edit(contact: String, raw: &RawValue) -> Result<News, KeptBecause> {
    #[derive(Deserialize)]
    struct Edit<'a> {
        #[serde(borrow)]
        mid: &'a RawValue,
        text: String,
        #[serde(borrow)]
        num_edit: Option<&'a RawValue>,
    }
    let told: Edit<'_> = object(raw).ok_or(KeptBecause::Unparsable)?;
    let message = id(told.mid).ok_or(KeptBecause::Unparsable)?;
    let revision = told.num_edit.and_then(number).and_then(|count| u64::try_from(count).ok());
    Ok(News::Edit { contact, message, text: told.text, revision })
}

fn policy(raw: &RawValue) -> Result<News, KeptBecause> {
    #[derive(Deserialize)]
    struct Policy<'a> {
        #[serde(borrow)]
        action: &'a RawValue,
    }
    let told: Policy<'_> = object(raw).ok_or(KeptBecause::Unparsable)?;
    match string(told.action).ok_or(KeptBecause::Unparsable)?.as_str() {
        "block" => Ok(News::Blocked(true)),
        "unblock" => Ok(News::Blocked(false)),
        // A warning blocks nothing yet.
        _ => Err(KeptBecause::UnknownKind),
    }
}
