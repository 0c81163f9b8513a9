//! Cuts a body into its events, each of which can stand for itself. What an event says is `event`'s. Every byte is
//! looked at a fixed number of times, however deep or repetitive the body is.

use std::borrow::Cow;

use parlance_app::ingestion::{Alone, Part};
use parlance_domain::delivery::KeptBecause;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    event,
    json::{id, list, object},
};

/// Meta documents batches of up to 1,000; ten times that is no batch, and is kept as a whole.
const PARTS_MAX: usize = 10_000;

/// Thirteen digits in quotes, with room. An entry's time is only carried along, so a longer one is left out.
const TIME_BYTES_MAX: usize = 32;

#[derive(Deserialize)]
struct Delivery<'a> {
    #[serde(borrow)]
    object: Cow<'a, str>,
    #[serde(borrow)]
    entry: &'a RawValue,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    messaging: Option<&'a RawValue>,
    #[serde(borrow)]
    standby: Option<&'a RawValue>,
    #[serde(borrow)]
    changes: Option<&'a RawValue>,
}

pub(super) fn parse(body: &[u8]) -> Vec<Part<'_>> {
    parts(body).unwrap_or_else(|because| vec![Part { told: Err(because), alone: Alone::Whole(body) }])
}

/// The parts, or why the body as a whole says nothing.
fn parts(body: &[u8]) -> Result<Vec<Part<'_>>, KeptBecause> {
    let text = std::str::from_utf8(body).map_err(|_| KeptBecause::Unparsable)?;
    let root: &RawValue = serde_json::from_str(text).map_err(|_| KeptBecause::Unparsable)?;
    let delivery: Delivery<'_> = object(root).ok_or(KeptBecause::Unparsable)?;
    if delivery.object != "page" {
        return Err(KeptBecause::UnknownKind);
    }
    let mut parts = Vec::new();
    for entry in list(delivery.entry).ok_or(KeptBecause::Unparsable)? {
        add_entry(&mut parts, entry);
        if parts.len() > PARTS_MAX {
            return Err(KeptBecause::Unparsable);
        }
    }
    Ok(parts)
}

fn add_entry<'a>(parts: &mut Vec<Part<'a>>, raw: &'a RawValue) {
    let whole = |because| Part {
        told: Err(because),
        alone: Alone::Between(r#"{"object":"page","entry":["#.into(), raw.get(), "]}".into()),
    };
    let Some(entry) = object::<Entry<'a>>(raw) else { return parts.push(whole(KeptBecause::Unparsable)) };
    let page = entry.id.map(id);
    if page == Some(None) {
        return parts.push(whole(KeptBecause::Unparsable));
    }
    let page = page.flatten();
    let lists = [("messaging", entry.messaging), ("standby", entry.standby), ("changes", entry.changes)];
    if lists.iter().all(|(_, list)| list.is_none()) {
        return parts.push(whole(KeptBecause::UnknownKind));
    }
    for (name, raw) in lists.into_iter().filter_map(|(name, raw)| Some((name, raw?))) {
        let opening = opening(&entry, name);
        let Some(events) = list(raw) else {
            let alone = Alone::Between(opening.into(), raw.get(), "}]}".into());
            parts.push(Part { told: Err(KeptBecause::Unparsable), alone });
            continue;
        };
        // The one too many that tells the caller.
        let room = (PARTS_MAX + 1).saturating_sub(parts.len());
        parts.extend(events.into_iter().take(room).map(|event| Part {
            // A change is of the page's feed, its ratings and the like, never of a conversation.
            told: if name == "changes" {
                Err(KeptBecause::UnknownKind)
            } else {
                event::told(page.as_deref(), event)
            },
            alone: Alone::Between(format!("{opening}[").into(), event.get(), "]}]}".into()),
        }));
    }
}

/// All that stands before an entry's list when nothing else is in the body.
fn opening(entry: &Entry<'_>, list: &str) -> String {
    let mut text = String::from(r#"{"object":"page","entry":[{"#);
    let time = entry.time.filter(|time| time.get().len() <= TIME_BYTES_MAX);
    for (name, raw) in [("id", entry.id), ("time", time)] {
        if let Some(raw) = raw {
            text.extend(["\"", name, "\":", raw.get(), ","]);
        }
    }
    text.extend(["\"", list, "\":"]);
    text
}
