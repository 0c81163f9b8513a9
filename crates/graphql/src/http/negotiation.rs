//! What a request's `Accept` asks for (RFC 9110, section 12.5.1), and what of it is offered (GraphQL over HTTP,
//! sections "Media Types" and "Accept").

use axum::http::{HeaderMap, HeaderValue, header};

/// The media types that one answer can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// GraphQL's own: a status other than 200 is GraphQL's too.
    GraphqlJson,
    /// For clients from before it, and whoever does not care.
    Json,
}

impl MediaType {
    pub const fn content_type(self) -> HeaderValue {
        match self {
            Self::GraphqlJson => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Self::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }
}

/// What a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The media type that one answer has best; `None`: the client takes none of them.
    pub single: Option<MediaType>,
    /// Whether it takes a stream of server-sent events. Never by a wildcard: only who knows of it reads one.
    pub events: bool,
}

/// Ranges that are looked at; what stands behind them is not.
const RANGES_MAX: usize = 32;

/// How well a range names a media type; the more specific one counts (RFC 9110).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Specific {
    Anything,
    SameKind,
    Named,
}

/// The best range for a media type so far, and its quality in thousandths.
type Best = Option<(Specific, u16)>;

impl Accepted {
    /// Without an `Accept`, or where only wildcards fit: plain JSON, as before GraphQL had a type of its own.
    pub fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::ACCEPT) {
            return Self { single: Some(MediaType::Json), events: false };
        }
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let (mut graphql, mut json, mut events): (Best, Best, Best) = (None, None, None);
        for range in values.flat_map(|value| value.split(',')).take(RANGES_MAX) {
            let Some((name, quality)) = range_of(range) else { continue };
            let (kind, subtype) = name.split_once('/').unwrap_or_default();
            for (best, known) in [
                (&mut graphql, "application/graphql-response+json"),
                (&mut json, "application/json"),
                (&mut events, "text/event-stream"),
            ] {
                let specific = if name == known {
                    Specific::Named
                } else if subtype == "*" && known.split('/').next() == Some(kind) {
                    Specific::SameKind
                } else if name == "*/*" {
                    Specific::Anything
                } else {
                    continue;
                };
                *best = (*best).max(Some((specific, quality)));
            }
        }
        let wanted = |best: Best| best.filter(|(_, quality)| *quality > 0);
        // The higher quality first, then what is named, then GraphQL's own type if both are.
        let rank = |best: Best| wanted(best).map(|(specific, quality)| (quality, specific));
        let single = match (rank(graphql), rank(json)) {
            (None, None) => None,
            (graphql, json) if graphql > json => Some(MediaType::GraphqlJson),
            (Some(graphql), Some(json)) if graphql == json && graphql.1 == Specific::Named => {
                Some(MediaType::GraphqlJson)
            }
            _ => Some(MediaType::Json),
        };
        let events = wanted(events).is_some_and(|(specific, _)| specific == Specific::Named);
        Self { single, events }
    }

    /// The media type of a refusal: one is told even to who takes none.
    pub fn or_json(self) -> MediaType {
        self.single.unwrap_or(MediaType::Json)
    }
}

/// A range's name in lower case, and its quality; `None`: it is malformed, or asks for another charset than UTF-8.
/// Other parameters are not looked at.
fn range_of(range: &str) -> Option<(String, u16)> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let mut quality = 1_000;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim().trim_matches('"');
        if key.trim().eq_ignore_ascii_case("q") {
            quality = thousandths(value)?;
        } else if key.trim().eq_ignore_ascii_case("charset") && !is_utf8(value) {
            return None;
        }
    }
    Some((name, quality))
}

/// A quality value: 0 to 1 with at most three decimals (RFC 9110, section 12.4.2).
fn thousandths(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = format!("{decimals:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1_000),
        _ => None,
    }
}

/// Whether a charset's name is UTF-8's.
pub(crate) fn is_utf8(name: &str) -> bool {
    name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::{MediaType::*, *};

    fn of(accept: &str) -> Accepted {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Accepted::of(&headers)
    }

    #[test]
    fn what_is_named_and_wanted_most_is_given() {
        for (accept, expected) in [
            ("application/graphql-response+json", Some(GraphqlJson)),
            ("application/json", Some(Json)),
            ("application/graphql-response+json, application/json;q=0.9", Some(GraphqlJson)),
            ("application/json, application/graphql-response+json", Some(GraphqlJson)),
            ("application/json, application/graphql-response+json;q=0.5", Some(Json)),
            ("application/json;q=0.2, application/graphql-response+json;q=0.201", Some(GraphqlJson)),
            ("Application/GraphQL-Response+JSON ; Charset=\"UTF-8\"", Some(GraphqlJson)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("*/*, application/graphql-response+json", Some(GraphqlJson)),
            ("application/graphql-response+json;q=0, */*", Some(Json)),
            ("application/json;q=0, application/*", Some(GraphqlJson)),
            ("application/json;q=0, */*;q=0.1", Some(GraphqlJson)),
            ("text/html, */*;q=0.8", Some(Json)),
            ("application/json;q=0", None),
            ("application/json;q=2", None),
            ("application/json;q=0.1234", None),
            ("application/json;charset=utf-16", None),
            ("text/html", None),
            ("image/*", None),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(of(accept).single, expected, "{accept}");
        }
        assert_eq!(Accepted::of(&HeaderMap::new()).single, Some(Json));
    }

    #[test]
    fn events_are_for_who_names_them() {
        assert_eq!(of("text/event-stream"), Accepted { single: None, events: true });
        let urql = "application/graphql-response+json, application/graphql+json, application/json, \
            text/event-stream, multipart/mixed";
        assert_eq!(of(urql), Accepted { single: Some(GraphqlJson), events: true });
        for other in ["*/*", "text/*", "text/event-stream;q=0", "text/event-stream;q=0, */*"] {
            assert!(!of(other).events, "{other}");
        }
    }

    #[test]
    fn ranges_behind_the_bound_do_not_count() {
        let many = format!("{}application/json", "text/html,".repeat(RANGES_MAX));
        assert_eq!(of(&many).single, None);
    }
}
