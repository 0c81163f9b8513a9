//! Twilio's REST API: an account, and the WhatsApp numbers of the account that asks. Basic authentication with the
//! account's sid and its auth token.

use axum::{
    Json,
    extract::{OriginalUri, Path, Query, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use crate::twilio::sender_sid;

/// Numbers of a page if the caller names no size, and at most (Twilio's paging of the Senders API).
const PAGE_SIZE: usize = 50;
const PAGE_SIZE_MAX: usize = 1_000;

/// When every account was made; Twilio writes times as in mails.
const MADE: &str = "Thu, 30 Jul 2015 20:00:00 +0000";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Asked {
    channel: Option<String>,
    page_size: Option<usize>,
    page: Option<usize>,
}

/// `GET /2010-04-01/Accounts/{Sid}.json`.
pub(super) async fn account(
    State(api): State<Api>,
    OriginalUri(uri): OriginalUri,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some((sid, token)) = authenticated(&api, &headers) else { return not_authenticated() };
    if file.strip_suffix(".json") != Some(sid.as_str()) {
        return not_found(uri.path());
    }
    // Twilio does tell the token here.
    Json(json!({
        "sid": sid,
        "friendly_name": "A shop",
        "status": "active",
        "type": "Full",
        "auth_token": token,
        "owner_account_sid": sid,
        "date_created": MADE,
        "date_updated": MADE,
        "uri": uri.path(),
    }))
    .into_response()
}

/// `GET /v2/Channels/Senders?Channel=whatsapp`.
pub(super) async fn senders(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Response {
    let Some((sid, _)) = authenticated(&api, &headers) else { return not_authenticated() };
    let Some(channel) = asked.channel else {
        return refused(StatusCode::BAD_REQUEST, 20001, "Missing required parameter Channel");
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("messaging.twilio.com");
    let size = asked.page_size.unwrap_or(PAGE_SIZE).clamp(1, PAGE_SIZE_MAX);
    let page = asked.page.unwrap_or(0);
    let address = |page: usize| {
        format!("http://{host}/v2/Channels/Senders?Channel={channel}&PageSize={size}&Page={page}")
    };
    let known = api.known();
    let own: Vec<_> = known
        .numbers
        .iter()
        .filter(|known| known.account_sid == sid && channel == "whatsapp")
        .map(|known| {
            json!({
                "sid": sender_sid(&known.number),
                "status": "ONLINE",
                "sender_id": known.number,
                "url": format!("http://{host}/v2/Channels/Senders/{}", sender_sid(&known.number)),
            })
        })
        .collect();
    let listed: Vec<&Value> = own.iter().skip(page.saturating_mul(size)).take(size).collect();
    let further = page.saturating_add(1).saturating_mul(size) < own.len();
    Json(json!({
        "meta": {
            "page": page,
            "page_size": size,
            "first_page_url": address(0),
            "previous_page_url": page.checked_sub(1).map(address),
            "url": address(page),
            "next_page_url": further.then(|| address(page + 1)),
            "key": "senders",
        },
        "senders": listed,
    }))
    .into_response()
}

/// Sid and token of the account that asks.
fn authenticated(api: &Api, headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (sid, token) = decoded.split_once(':')?;
    let known = api.known();
    let owns = known.numbers.iter().any(|known| known.account_sid == sid && known.auth_token == token);
    owns.then(|| (sid.to_owned(), token.to_owned()))
}

fn not_authenticated() -> Response {
    let mut response = refused(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    let wanted = HeaderValue::from_static("Basic realm=\"Twilio API\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, wanted);
    response
}

pub(super) fn not_found(path: &str) -> Response {
    let message = format!("The requested resource {path} was not found");
    refused(StatusCode::NOT_FOUND, 20404, &message)
}

/// Twilio's error: the HTTP status also in the body, beside Twilio's own number and where it is explained.
fn refused(status: StatusCode, code: u32, message: &str) -> Response {
    let error = json!({
        "code": code,
        "message": message,
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        "status": status.as_u16(),
    });
    (status, Json(error)).into_response()
}
