//! Reads a form of Twilio's: a message of a contact's, or a callback about one of ours (`status`). A form is one
//! part, since Twilio sends one thing at a time.

use parlance_app::ingestion::{Alone, News, Part, Told, ToldKind, ToldMessage};
use parlance_domain::{
    conversation::{Attachment, ContactProfile},
    delivery::KeptBecause,
};

use super::{
    WHATSAPP,
    form::{Ambiguous, Form},
    is_e164, status,
};
use crate::{id, location};

/// WhatsApp by Twilio documents up to ten files a message.
const MEDIA_MAX: usize = 10;

impl From<Ambiguous> for KeptBecause {
    fn from(Ambiguous: Ambiguous) -> Self {
        Self::Unparsable
    }
}

pub(super) fn parse<'a>(content_type: &str, body: &'a [u8]) -> Vec<Part<'a>> {
    vec![Part { told: told(content_type, body), alone: Alone::Whole(body) }]
}

/// Whether the fields of a body of this type are what is signed.
pub(super) fn is_form(content_type: &str) -> bool {
    essence(content_type).eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn told(content_type: &str, body: &[u8]) -> Result<Told, KeptBecause> {
    if !is_form(content_type) {
        // Twilio's event streams come as JSON; Parlance knows none of them.
        let is_json = essence(content_type).eq_ignore_ascii_case("application/json");
        let read = is_json && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        return Err(if read { KeptBecause::UnknownKind } else { KeptBecause::Unparsable });
    }
    let form = Form::read(body).ok_or(KeptBecause::Unparsable)?;
    let id = first(&form, &["MessageSid", "SmsSid", "SmsMessageSid"])?;
    let (from, to) = (first(&form, &["From"])?, first(&form, &["To"])?);
    if let Some(status) = status::of(&form)? {
        return status::told(status, whatsapp(from)?, whatsapp(to)?, id);
    }
    let (contact, page) = (whatsapp(from)?, whatsapp(to)?);
    let message = message(&form, id, &contact)?;
    Ok(Told { page, at: None, what: News::Message { contact, message } })
}

/// The first of these fields that is there; they must not be missing, nor longer than an id can be.
fn first(form: &Form<'_>, names: &[&str]) -> Result<String, KeptBecause> {
    for name in names {
        if let Some(value) = form.get(name)? {
            return if id::is_usable(value) { Ok(value.to_owned()) } else { Err(KeptBecause::Unparsable) };
        }
    }
    Err(KeptBecause::Unparsable)
}

/// A WhatsApp address of a contact's or ours, exactly as signed.
fn whatsapp(address: String) -> Result<String, KeptBecause> {
    match address.strip_prefix(WHATSAPP) {
        Some("") => Err(KeptBecause::Unparsable),
        Some(_) => Ok(address),
        // An SMS or an RCS message: Twilio delivers them to the same address if told to.
        None => Err(KeptBecause::UnknownKind),
    }
}

fn message(form: &Form<'_>, id: String, contact: &str) -> Result<ToldMessage, KeptBecause> {
    let text = |name| form.get(name).map(|value| value.map(str::to_owned));
    let postback = text("ButtonPayload")?;
    let tapped = postback.is_some() || form.get("MessageType")? == Some("button");
    let reply_to = text("OriginalRepliedMessageSid")?;
    if reply_to.as_deref().is_some_and(|sid| !id::is_usable(sid)) {
        return Err(KeptBecause::Unparsable);
    }
    let phone = contact.strip_prefix(WHATSAPP).filter(|number| is_e164(number)).map(str::to_owned);
    let profile =
        ContactProfile { name: text("ProfileName")?, picture_url: None, phone, wa_id: text("WaId")? };
    Ok(ToldMessage {
        id,
        kind: if tapped { ToldKind::Postback } else { ToldKind::Message },
        text: text("Body")?.or(text("ButtonText")?),
        attachments: attachments(form)?,
        postback,
        reply_to,
        profile: (profile != ContactProfile::default()).then_some(profile),
    })
}

fn attachments(form: &Form<'_>) -> Result<Vec<Attachment>, KeptBecause> {
    let count = form.get("NumMedia")?.map_or(Ok(0), str::parse).map_err(|_| KeptBecause::Unparsable)?;
    if count > MEDIA_MAX {
        return Err(KeptBecause::Unparsable);
    }
    let mut attachments = Vec::new();
    for number in 0..count {
        let url = form.get(&format!("MediaUrl{number}"))?;
        let content_type = form.get(&format!("MediaContentType{number}"))?;
        attachments.push(Attachment {
            kind: kind(content_type).into(),
            content_type: content_type.map(str::to_owned),
            url: url.map(str::to_owned),
            name: None,
        });
    }
    if let (Some(latitude), Some(longitude)) = (form.get("Latitude")?, form.get("Longitude")?) {
        let name = [form.get("Label")?, form.get("Address")?];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let place = location::attachment(latitude, longitude, (!name.is_empty()).then_some(name));
        attachments.push(place.ok_or(KeptBecause::Unparsable)?);
    }
    Ok(attachments)
}

/// Messenger's words for the same, so that one picture looks like the other.
fn kind(content_type: Option<&str>) -> &'static str {
    match content_type.and_then(|content_type| content_type.split('/').next()) {
        Some("image") => "image",
        Some("audio") => "audio",
        Some("video") => "video",
        _ => "file",
    }
}
