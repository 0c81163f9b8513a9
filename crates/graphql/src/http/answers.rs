//! Answers as they leave: a GraphQL response with its status and media type, and what is told to whoever sent no
//! request that could be executed.

use std::collections::BTreeMap;

use async_graphql::{Response as Answer, ServerError, Value};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::negotiation::MediaType;

/// A change's answer is of now, and a member's is theirs alone.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// What else than the address an answer depends on.
const VARY: HeaderValue = HeaderValue::from_static("accept, authorization, cookie, origin");
/// Executed, with data and errors both (GraphQL over HTTP, section "Status Codes").
const PARTIAL_SUCCESS: u16 = 294;

/// A request that is not executed: its status, and why.
#[derive(Debug)]
pub(crate) struct Unexecuted {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: &'static str,
    pub header: Option<(HeaderName, &'static str)>,
    pub trace_id: Option<String>,
    /// Under plain JSON, a well-formed request's status is 200 whatever comes of it.
    pub well_formed: bool,
}

impl Unexecuted {
    pub const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, header: None, trace_id: None, well_formed: false }
    }

    /// No well-formed GraphQL-over-HTTP request.
    pub const fn malformed(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub fn of_a_well_formed_request(self) -> Self {
        Self { well_formed: true, ..self }
    }

    pub fn with_header(self, name: HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    pub fn with_trace_id(self, trace_id: &str) -> Self {
        Self { trace_id: Some(trace_id.to_owned()), ..self }
    }

    /// As an error of a GraphQL response.
    pub fn as_error(&self) -> serde_json::Value {
        let mut extensions = serde_json::json!({ "code": self.code });
        if let Some(id) = &self.trace_id {
            extensions["traceId"] = id.as_str().into();
        }
        serde_json::json!({ "message": self.message, "extensions": extensions })
    }

    pub fn into_response(self, media_type: MediaType) -> Response {
        let body = serde_json::json!({ "errors": [self.as_error()] });
        let is_legacy = self.well_formed && media_type == MediaType::Json;
        let status = if is_legacy { StatusCode::OK } else { self.status };
        let mut response = respond(status, media_type, body.to_string());
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn respond(status: StatusCode, media_type: MediaType, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type.content_type()),
        (header::CACHE_CONTROL, NO_STORE),
        (header::VARY, VARY),
    ];
    (status, headers, body).into_response()
}

/// An answer as it leaves, its fields in the order in which they were asked for. What was not executed at all has
/// no `data`.
#[derive(Serialize)]
pub(crate) struct Outside<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl<'a> Outside<'a> {
    pub fn of(answer: &'a Answer) -> Self {
        let executed = answer.data != Value::Null || answer.errors.iter().any(|error| !error.path.is_empty());
        Self {
            data: executed.then_some(&answer.data),
            errors: &answer.errors,
            extensions: &answer.extensions,
        }
    }

    /// Whether anything of the request was run.
    pub const fn is_executed(&self) -> bool {
        self.data.is_some()
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("GraphQL values are JSON: their keys are names")
    }
}

/// An answer over HTTP. Under plain JSON every well-formed request has the status 200. What resolvers asked to be
/// set as headers (a session's cookie) is.
pub(crate) fn answered(answer: &Answer, media_type: MediaType) -> Response {
    let outside = Outside::of(answer);
    let status = match (media_type, outside.data.is_some(), outside.errors.is_empty()) {
        (MediaType::Json, ..) | (_, true, true) => StatusCode::OK,
        (_, true, false) => StatusCode::from_u16(PARTIAL_SUCCESS).expect("three digits are a status"),
        (_, false, _) => StatusCode::BAD_REQUEST,
    };
    let mut response = respond(status, media_type, outside.json());
    add_headers(response.headers_mut(), &answer.http_headers);
    response
}

/// Our own headers are not for resolvers to change.
pub(crate) fn add_headers(headers: &mut HeaderMap, more: &HeaderMap) {
    for (name, value) in more {
        if *name == header::SET_COOKIE || !headers.contains_key(name) {
            headers.append(name, value.clone());
        }
    }
}
