//! What a happening of the town looks like at each provider. Signing and sending are elsewhere.

use super::{Happening, What};
use crate::{
    messenger::{self, Attachment, Messenger},
    twilio::{self, Contact, Twilio},
};

/// Where the photos lie that customers send by Messenger. A name kept for examples (RFC 2606): nothing answers there.
const PHOTOS: &str = "https://scontent.example.com/photos";

impl Happening {
    /// The event that Meta tells of it.
    pub fn by_messenger(&self, page: &Messenger) -> messenger::Event {
        let (psid, at_ms) = (self.person.id.as_str(), self.at_ms);
        match &self.what {
            What::Says { id, text } => page.message(psid, id, text, at_ms),
            What::Shows { id, caption } => {
                let url = format!("{PHOTOS}/{id}.jpg");
                let photo = Attachment { kind: "image", url: Some(&url) };
                page.attachments(psid, id, caption, &[photo], at_ms)
            }
            What::Taps { id, title, payload } => page.postback(psid, id, title, payload, at_ms),
            // A page hears of a place as of a text with a link.
            What::Shares { id, place: (latitude, longitude) } => {
                page.message(psid, id, &format!("https://maps.example.com/?q={latitude},{longitude}"), at_ms)
            }
            What::Echo { id, text } => page.echo(psid, id, text, None, at_ms),
            What::Edits { id, text, times } => page.edit(psid, id, text, *times, at_ms),
            What::Reacts { to, emoji } => page.reaction(psid, to, Some(emoji), at_ms),
            What::Reads { watermark_ms } => page.read(psid, *watermark_ms, at_ms),
        }
    }

    /// The form that Twilio tells of it; `None` for what only Messenger tells.
    pub fn by_twilio(&self, number: &Twilio) -> Option<twilio::Event> {
        let contact = Contact { from: &self.person.id, name: &self.person.name };
        Some(match &self.what {
            What::Says { id, text } => number.message(id, contact, text),
            What::Shows { id, caption } => number.media(id, contact, caption, &["image/jpeg"]),
            What::Taps { id, title, payload } => number.button(id, contact, title, payload),
            What::Shares { id, place } => number.location(id, contact, *place, "", ""),
            What::Echo { .. } | What::Edits { .. } | What::Reacts { .. } | What::Reads { .. } => return None,
        })
    }
}
