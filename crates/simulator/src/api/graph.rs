//! Meta's Graph API: `GET /v25.0/me`, asked with a page's token, answers the page. The app is set to want a proof with
//! every call ("Require App Secret"), so that a caller who forgets it is found out.

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, json};

use super::Api;
use crate::signature::{appsecret_proof, sha256_hex};

#[derive(Deserialize)]
pub(super) struct Asked {
    fields: Option<String>,
    access_token: Option<String>,
    appsecret_proof: Option<String>,
}

pub(super) async fn me(State(api): State<Api>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = bearer.or(asked.access_token.as_deref()) else {
        let message = "An active access token must be used to query information about the current user.";
        return refused(message, "OAuthException", 2500);
    };
    let known = api.known();
    let Some(page) = known.pages.iter().find(|page| page.access_token == token) else {
        return refused("Invalid OAuth access token - Cannot parse access token", "OAuthException", 190);
    };
    let Some(proof) = asked.appsecret_proof else {
        let message = "API calls from the server require an appsecret_proof argument";
        return refused(message, "GraphMethodException", 100);
    };
    if proof != appsecret_proof(&page.app_secret, token) {
        let message = "Invalid appsecret_proof provided in the API argument";
        return refused(message, "GraphMethodException", 100);
    }
    let mut answer = Map::new();
    for field in asked.fields.as_deref().unwrap_or("name").split(',') {
        match field.trim() {
            "id" => {}
            "name" => drop(answer.insert("name".to_owned(), page.name.as_str().into())),
            other => {
                let message = format!("(#100) Tried accessing nonexisting field ({other})");
                return refused(&message, "OAuthException", 100);
            }
        }
    }
    // The id is told whether it was asked for or not.
    answer.insert("id".to_owned(), page.id.as_str().into());
    Json(answer).into_response()
}

/// Meta's error: HTTP 400, and the code in the body (PROTOCOLS 4.1).
fn refused(message: &str, kind: &str, code: u32) -> Response {
    let trace = &sha256_hex(message)[..23];
    let error = json!({"error": {"message": message, "type": kind, "code": code, "fbtrace_id": trace}});
    (StatusCode::BAD_REQUEST, Json(error)).into_response()
}
