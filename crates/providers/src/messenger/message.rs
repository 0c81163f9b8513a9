//! Messenger's messages and postbacks, read into Parlance's words.

use parlance_app::ingestion::{ToldKind, ToldMessage};
use parlance_domain::{Timestamp, conversation::Attachment, delivery::KeptBecause};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::json::{id, list, object, string};
use crate::{hex, location};

/// Messenger's clients send albums of up to 30; a message with more than this is none of theirs.
const ATTACHMENTS_MAX: usize = 100;

/// A message and what it is: said by the page's side, taken back, or neither.
pub(super) struct Message {
    pub is_echo: bool,
    pub is_deleted: bool,
    pub told: ToldMessage,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    mid: &'a RawValue,
    text: Option<String>,
    #[serde(borrow)]
    quick_reply: Option<&'a RawValue>,
    #[serde(borrow)]
    reply_to: Option<&'a RawValue>,
    #[serde(borrow)]
    attachments: Option<&'a RawValue>,
    is_echo: Option<bool>,
    is_deleted: Option<bool>,
}

pub(super) fn message(raw: &RawValue) -> Result<Message, KeptBecause> {
    read(raw).ok_or(KeptBecause::Unparsable)
}

fn read(raw: &RawValue) -> Option<Message> {
    #[derive(Deserialize)]
    struct QuickReply {
        payload: Option<String>,
    }
    #[derive(Deserialize)]
    struct ReplyTo<'a> {
        #[serde(borrow)]
        mid: Option<&'a RawValue>,
    }
    let message: Fields<'_> = object(raw)?;
    let postback = match message.quick_reply {
        Some(raw) => object::<QuickReply>(raw)?.payload,
        None => None,
    };
    let reply_to = match message.reply_to {
        // A reply to a story or an advertisement has no `mid`.
        Some(raw) => object::<ReplyTo<'_>>(raw)?.mid.map(|mid| id(mid).ok_or(())).transpose().ok()?,
        None => None,
    };
    let told = ToldMessage {
        id: id(message.mid)?,
        kind: ToldKind::Message,
        text: said(message.text),
        attachments: message.attachments.map_or_else(|| Some(Vec::new()), attachments)?,
        postback: said(postback),
        reply_to,
        profile: None,
    };
    Some(Message {
        is_echo: message.is_echo.unwrap_or_default(),
        is_deleted: message.is_deleted.unwrap_or_default(),
        told,
    })
}

fn attachments(raw: &RawValue) -> Option<Vec<Attachment>> {
    let told = list(raw)?;
    if told.len() > ATTACHMENTS_MAX { None } else { told.into_iter().map(attachment).collect() }
}

/// Of any type, known or not: Meta adds types without notice. Only the type itself must be there.
fn attachment(raw: &RawValue) -> Option<Attachment> {
    #[derive(Deserialize)]
    struct Told<'a> {
        r#type: String,
        #[serde(borrow)]
        payload: Option<&'a RawValue>,
        #[serde(borrow)]
        title: Option<&'a RawValue>,
        /// Beside the payload, where an older `fallback` has it.
        #[serde(borrow, alias = "URL")]
        url: Option<&'a RawValue>,
    }
    #[derive(Default, Deserialize)]
    struct Payload<'a> {
        #[serde(borrow)]
        url: Option<&'a RawValue>,
        #[serde(borrow)]
        title: Option<&'a RawValue>,
        #[serde(borrow)]
        name: Option<&'a RawValue>,
        #[serde(borrow)]
        coordinates: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Coordinates<'a> {
        #[serde(borrow)]
        lat: &'a RawValue,
        #[serde(borrow)]
        long: &'a RawValue,
    }
    let told: Told<'_> = object(raw)?;
    // What a payload holds depends on the type; one that cannot be read tells no address.
    let payload = told.payload.and_then(object::<Payload<'_>>).unwrap_or_default();
    let first = |texts: &[Option<&RawValue>]| texts.iter().flatten().find_map(|raw| said(string(raw)));
    let name = first(&[payload.title, payload.name, told.title]);
    let place = payload.coordinates.and_then(object::<Coordinates<'_>>).filter(|_| told.r#type == "location");
    if let Some(place) = place
        && let Some(located) = location::attachment(place.lat.get(), place.long.get(), name.clone())
    {
        return Some(located);
    }
    Some(Attachment { kind: told.r#type, content_type: None, url: first(&[payload.url, told.url]), name })
}

/// A tapped button. Its title is what the contact seems to say, its payload what whoever set it up means by it.
pub(super) fn postback(
    raw: &RawValue,
    contact: &str,
    at: Option<Timestamp>,
) -> Result<ToldMessage, KeptBecause> {
    #[derive(Deserialize)]
    struct Postback<'a> {
        #[serde(borrow)]
        mid: Option<&'a RawValue>,
        title: Option<String>,
        payload: Option<String>,
    }
    let told: Postback<'_> = object(raw).ok_or(KeptBecause::Unparsable)?;
    let id = match told.mid {
        Some(mid) => id(mid),
        // Nothing else tells one tap from the next, or from the same one delivered again.
        None => at.map(|at| derived_id(contact, at, told.payload.as_deref(), told.title.as_deref())),
    };
    Ok(ToldMessage {
        id: id.ok_or(KeptBecause::Unparsable)?,
        kind: ToldKind::Postback,
        text: said(told.title),
        postback: said(told.payload),
        ..ToldMessage::default()
    })
}

/// Postbacks of older buttons have no `mid`: the same tap always gets the same id.
fn derived_id(contact: &str, at: Timestamp, payload: Option<&str>, title: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for field in [contact, &at.micros().to_string(), payload.unwrap_or_default(), title.unwrap_or_default()] {
        // With its length first, no two lists of fields run into the same bytes.
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    format!("postback:{}", hex::encode(&hash.finalize()))
}

/// An empty string says nothing.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
