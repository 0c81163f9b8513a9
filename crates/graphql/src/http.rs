//! `POST /graphql`: what of a request is believed, and the status and media type of its answer. Nothing else is
//! served here; a request that is no well-formed GraphQL request gets its errors in GraphQL's shape too.

use std::{collections::BTreeMap, time::Duration};

use async_graphql::{Request, Response as Answer, ServerError, Value, Variables};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use parlance_app::{
    entropy::Entropy,
    front::{FrontError, Principal, SharedFront},
};
use serde::{Deserialize, Serialize};

use crate::{
    cookie,
    errors::{Refused, Trace},
    schema::{Schema, schema},
    visitor::{ClientAddress, Visitor},
};

/// The longest query of a page is some kilobytes; a member's text is a few more.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// From the first byte of the body to the answer. Longer than any wait inside.
const TIME_OUT: Duration = Duration::from_secs(30);

/// The media type of GraphQL over HTTP, for those who ask for it.
const GRAPHQL_JSON: HeaderValue = HeaderValue::from_static("application/graphql-response+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What every request needs.
#[derive(Clone)]
struct Shared {
    schema: Schema,
    entropy: Entropy,
    time_out: Duration,
}

/// Serves `POST /graphql`.
pub fn router(front: SharedFront) -> Router {
    router_with(front, TIME_OUT)
}

fn router_with(front: SharedFront, time_out: Duration) -> Router {
    let shared = Shared { schema: schema(front), entropy: Entropy::from_system(), time_out };
    Router::new()
        .route("/graphql", post(answer).fallback(other_method))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(shared)
}

/// A request that is not executed: its status, and why.
#[derive(Debug)]
struct Unexecuted {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    /// Its name in lower case, and its value.
    header: Option<(&'static str, &'static str)>,
    trace_id: Option<String>,
}

impl Unexecuted {
    const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, header: None, trace_id: None }
    }
}

impl IntoResponse for Unexecuted {
    fn into_response(self) -> Response {
        let mut extensions = serde_json::json!({ "code": self.code });
        if let Some(id) = self.trace_id {
            extensions["traceId"] = id.into();
        }
        let body = serde_json::json!({ "errors": [{ "message": self.message, "extensions": extensions }] });
        let mut response = respond(self.status, JSON, body.to_string());
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn respond(status: StatusCode, content_type: HeaderValue, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, NO_STORE)];
    (status, headers, body).into_response()
}

async fn other_method() -> Response {
    let allow = ("allow", "POST");
    let message = "GraphQL requests are sent with POST.";
    let refused = Unexecuted::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
    Unexecuted { header: Some(allow), ..refused }.into_response()
}

/// The body is read inside the time-out: one that trickles in does not hold its place for ever.
async fn answer(State(shared): State<Shared>, request: axum::extract::Request) -> Response {
    let trace_id = shared.entropy.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let limited = tokio::time::timeout(shared.time_out, execute(&shared, request, &trace_id)).await;
    match limited {
        Ok(answered) => answered.unwrap_or_else(IntoResponse::into_response),
        Err(_) => {
            tracing::error!(trace_id, code = "TIMED_OUT", "a request took too long");
            let message = "This took too long. Whether it was done is not known: look before you try again.";
            let refused = Unexecuted::new(StatusCode::SERVICE_UNAVAILABLE, "TIMED_OUT", message);
            Unexecuted { trace_id: Some(trace_id), ..refused }.into_response()
        }
    }
}

async fn execute(
    shared: &Shared,
    request: axum::extract::Request,
    trace_id: &str,
) -> Result<Response, Unexecuted> {
    let headers = request.headers().clone();
    is_json(&headers)?;
    let address = request.extensions().get::<ClientAddress>().map(|client| client.0);
    let principal = principal(shared.schema.front(), &headers, trace_id).await?;
    let body = <Bytes as axum::extract::FromRequest<()>>::from_request(request, &())
        .await
        .map_err(|error| unread(&error))?;
    let wanted = read(&body)?;
    let visitor = Visitor { principal, trace_id: trace_id.to_owned(), address };
    let answer = shared.schema.execute(wanted, visitor).await;
    Ok(answered(&answer, accepts_graphql_json(&headers)))
}

/// Only JSON: a form of another site can send the other types without being asked.
fn is_json(headers: &HeaderMap) -> Result<(), Unexecuted> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        let message = "Send the request as application/json.";
        Err(Unexecuted::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message))
    }
}

/// Whom the request's token names; nobody, if there is no token.
async fn principal(
    front: &SharedFront,
    headers: &HeaderMap,
    trace_id: &str,
) -> Result<Option<Principal>, Unexecuted> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = given.next() else { return by_cookie(front, headers, trace_id).await };
    let token = value.to_str().ok().and_then(|text| text.split_once(' ')).and_then(|(scheme, token)| {
        let token = token.trim();
        let ours = token.starts_with("prl_") || token.starts_with("pro_");
        (ours && scheme.eq_ignore_ascii_case("bearer") && given.next().is_none()).then_some(token)
    });
    let Some(token) = token else { return Err(bad_token()) };
    match front.authenticate(token).await {
        Ok(principal) => Ok(Some(principal)),
        Err(FrontError::NotFound) => Err(bad_token()),
        Err(error) => Err(masked(error, trace_id)),
    }
}

/// Whom the request's cookie names; nobody, where the session has ended: they may be about to sign in again.
async fn by_cookie(
    front: &SharedFront,
    headers: &HeaderMap,
    trace_id: &str,
) -> Result<Option<Principal>, Unexecuted> {
    let Some(token) = cookie::read(headers).filter(|token| token.starts_with("prs_")) else {
        return Ok(None);
    };
    match front.authenticate(token).await {
        Ok(principal) => Ok(Some(principal)),
        Err(FrontError::NotFound) => Ok(None),
        Err(error) => Err(masked(error, trace_id)),
    }
}

fn bad_token() -> Unexecuted {
    let message = "This API token is not valid, or not any more.";
    let challenge = ("www-authenticate", "Bearer");
    let refused = Unexecuted::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
    Unexecuted { header: Some(challenge), ..refused }
}

/// A fault while the token was looked up.
fn masked(error: FrontError, trace_id: &str) -> Unexecuted {
    let trace = Trace::new(trace_id.to_owned());
    match Refused::from(error) {
        Refused::Wrong(_) => bad_token(),
        Refused::Fault(fault) => {
            let code = fault.code;
            trace.mask(fault);
            let refused = Unexecuted::new(StatusCode::SERVICE_UNAVAILABLE, code.as_str(), code.message());
            Unexecuted { trace_id: Some(trace_id.to_owned()), ..refused }
        }
    }
}

fn unread(rejection: &BytesRejection) -> Unexecuted {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = "The request is larger than 256 KiB.";
        Unexecuted::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
    } else {
        Unexecuted::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", "The request did not arrive whole.")
    }
}

/// A GraphQL request's JSON. `extensions` is taken and not looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(rename = "extensions")]
    _extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

fn read(bytes: &[u8]) -> Result<Request, Unexecuted> {
    let wrong = |message| Unexecuted::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(wrong("Send one request at a time: batches are not taken."));
    }
    let body: Body = serde_json::from_slice(bytes).map_err(|_| {
        wrong("Send a JSON object with `query`, and `operationName`, `variables` and `extensions` if needed.")
    })?;
    let variables = serde_json::Value::Object(body.variables.unwrap_or_default());
    let mut request = Request::new(body.query).variables(Variables::from_json(variables));
    request.operation_name = body.operation_name;
    Ok(request)
}

/// Whether the asker reads GraphQL's own media type. Whoever says nothing of it gets plain JSON.
fn accepts_graphql_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named =
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/graphql-response+json"));
        // A quality of zero means "anything but this".
        let refused = parts.any(|part| {
            part.strip_prefix("q=").and_then(|quality| quality.trim().parse::<f32>().ok()) == Some(0.0)
        });
        named && !refused
    })
}

/// An answer as it leaves, its fields in the order in which they were asked for.
#[derive(Serialize)]
struct Outside<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

/// A request that was not executed at all has no `data`, and under GraphQL's own media type the status 400.
fn answered(answer: &Answer, graphql_json: bool) -> Response {
    let executed = answer.data != Value::Null || answer.errors.iter().any(|error| !error.path.is_empty());
    let outside = Outside {
        data: executed.then_some(&answer.data),
        errors: &answer.errors,
        extensions: &answer.extensions,
    };
    let body = serde_json::to_string(&outside).expect("GraphQL values are JSON: their keys are names");
    let status = if graphql_json && !executed { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    respond(status, if graphql_json { GRAPHQL_JSON } else { JSON }, body)
}
