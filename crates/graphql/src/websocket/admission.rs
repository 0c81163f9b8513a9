//! Who is let in by a `connection_init`: its payload names a token, or the upgrade request's cookie a session.

use axum::http::{HeaderMap, HeaderValue, header};
use parlance_app::front::Principal;
use serde_json::{Map, Value};

use super::message::Closing;
use crate::{
    http::{Caller, Origin, Shared, ShownBy},
    places::Place,
};

/// What of the upgrade request is remembered until `connection_init`.
pub(super) struct Knock {
    /// The headers that say who it is; the cookie only where the page that opened the socket is ours.
    pub shown: HeaderMap,
    pub place: Place,
}

impl Knock {
    pub fn new(headers: &HeaderMap, shared: &Shared, place: Place) -> Self {
        let mut shown = HeaderMap::new();
        // A browser sends the cookie whoever's page opens a socket, and no other rule of the web stops that page
        // from reading it: only the Origin tells. It must be there, so that nothing depends on who leaves it out.
        if Origin::of(headers, &shared.settings) == Origin::Own {
            for cookie in headers.get_all(header::COOKIE) {
                shown.append(header::COOKIE, cookie.clone());
            }
        }
        Self { shown, place }
    }
}

/// Lets somebody in, or says why not. Nobody without a credential: a socket costs memory, and there is nothing
/// that nobody may subscribe to.
pub(super) async fn admit(
    shared: Shared,
    payload: Option<Map<String, Value>>,
    Knock { mut shown, mut place }: Knock,
) -> Result<(Principal, Place), Closing> {
    if let Some(token) = token(payload.unwrap_or_default())? {
        shown.clear();
        shown.insert(header::AUTHORIZATION, token);
    }
    let caller = Caller::of(shared.schema.front(), &shown, &shared.trace_id()).await.map_err(|refused| {
        if refused.status.is_server_error() {
            Closing::TryAgainLater("This cannot be done at the moment")
        } else {
            Closing::Forbidden
        }
    })?;
    let principal =
        caller.principal.filter(|_| caller.shown_by != ShownBy::Nothing).ok_or(Closing::Forbidden)?;
    if place.belongs_to(principal) {
        Ok((principal, place))
    } else {
        Err(Closing::TryAgainLater("Too many sockets: close some"))
    }
}

/// The payload's token, as the value of an Authorization header. One field names it: `authorization` (in any case,
/// as the header would be) with the scheme before it, or `token` without.
fn token(payload: Map<String, Value>) -> Result<Option<HeaderValue>, Closing> {
    let mut named = payload.into_iter().filter_map(|(name, value)| {
        let bare = name == "token";
        (bare || name.eq_ignore_ascii_case("authorization")).then_some((bare, value))
    });
    let Some((bare, value)) = named.next().filter(|(_, value)| !value.is_null()) else { return Ok(None) };
    let Value::String(text) = value else { return Err(Closing::Forbidden) };
    if named.next().is_some() {
        return Err(Closing::Forbidden);
    }
    let text = if bare { format!("Bearer {text}") } else { text };
    HeaderValue::try_from(text).map(Some).map_err(|_| Closing::Forbidden)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(payload: &Value) -> Result<Option<String>, Closing> {
        let object = payload.as_object().cloned().unwrap_or_default();
        token(object).map(|value| value.map(|value| value.to_str().unwrap().to_owned()))
    }

    #[test]
    fn a_payload_names_its_token_once() {
        for (payload, expected) in [
            (json!({}), Ok(None)),
            (json!({ "authorization": null, "client": "x" }), Ok(None)),
            (json!({ "authorization": "Bearer prl_a" }), Ok(Some("Bearer prl_a".to_owned()))),
            (json!({ "Authorization": "Bearer prl_a" }), Ok(Some("Bearer prl_a".to_owned()))),
            (json!({ "token": "prl_a" }), Ok(Some("Bearer prl_a".to_owned()))),
            (json!({ "token": "prl_a", "authorization": "Bearer prl_a" }), Err(Closing::Forbidden)),
            (json!({ "token": 7 }), Err(Closing::Forbidden)),
            (json!({ "token": "a\nb" }), Err(Closing::Forbidden)),
        ] {
            assert_eq!(given(&payload), expected, "{payload}");
        }
    }
}
