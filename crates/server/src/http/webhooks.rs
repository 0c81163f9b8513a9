//! `/webhooks/{token}`: Meta's handshake, and deliveries. The whole body is read, bounded in size, time and
//! memory, before anything of it is looked at; the signature covers the raw bytes.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{OriginalUri, Path, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{self, HeaderName},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use http_body_util::BodyExt as _;
use parlance_app::{
    ingestion::{NotAuthentic, SignedRequest, WebhookError},
    measures,
};
use parlance_store::Store;
use serde::Deserialize;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use super::Served;

/// A delivery's body: a thousand events of some hundred bytes, which is what Meta puts together at most.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Bodies being read or taken share lanes of memory by the connection they come to: whoever knows one address
/// and stalls holds up its lane, and not everybody's. 160 MiB in all.
const LANES: usize = 32;
/// Up to this size a body is a small one, as nearly all are.
const SMALL_BYTES_MAX: usize = 64 << 10;
/// What a lane's small bodies hold, all together.
const SMALL_KIB: usize = 2 << 10;
/// How many of a lane's bodies may grow large at once. One that may has all the room it will need: if each took
/// it piece by piece, many would wait for each other's.
const LARGE_AT_ONCE: usize = 3;
/// How long a delivery waits for its share of that memory.
const ROOM_WAIT: Duration = Duration::from_secs(10);
/// How long a body may take to arrive; providers send theirs at once, and give up after 15 to 20 s.
const BODY_WAIT: Duration = Duration::from_secs(10);
/// When to send again after there was no room.
const RETRY_AFTER_S: &str = "5";
/// Meta's challenges are a dozen digits.
const CHALLENGE_BYTES_MAX: usize = 256;

struct Webhooks<S> {
    served: Arc<Served<S>>,
    lanes: Arc<[Lane]>,
}

struct Lane {
    /// In KiB.
    small: Semaphore,
    /// In bodies.
    large: Semaphore,
}

impl<S> Clone for Webhooks<S> {
    fn clone(&self) -> Self {
        Self { served: Arc::clone(&self.served), lanes: Arc::clone(&self.lanes) }
    }
}

pub fn router<S: Store + Clone>(served: Arc<Served<S>>) -> Router {
    let state = Webhooks { served, lanes: (0..LANES).map(|_| lane()).collect() };
    Router::new().route("/webhooks/{token}", get(handshake::<S>).post(delivery::<S>)).with_state(state)
}

/// A no, with its reason as plain text.
struct Refused {
    status: StatusCode,
    reason: &'static str,
}

const fn refused(status: StatusCode, reason: &'static str) -> Refused {
    Refused { status, reason }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let plain = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = [plain, (header::RETRY_AFTER, RETRY_AFTER_S)];
            return (self.status, headers, self.reason).into_response();
        }
        (self.status, [plain], self.reason).into_response()
    }
}

const fn wait_and_retry(reason: &'static str) -> Refused {
    refused(StatusCode::SERVICE_UNAVAILABLE, reason)
}

const TOO_LARGE: &str = "The body is larger than 1 MiB.\n";
const UNKNOWN_ADDRESS: &str = "There is no such webhook address.\n";

#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    #[serde(rename = "hub.verify_token")]
    verify_token: Option<String>,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
}

/// Meta's GET: unsigned, answered with the challenge to whoever knows the verify token.
async fn handshake<S: Store + Clone>(
    State(webhooks): State<Webhooks<S>>,
    Path(token): Path<String>,
    Query(asked): Query<Handshake>,
) -> Response {
    let ingestion = &webhooks.served.ingestion;
    let addressed = match ingestion.addressed(&token).await {
        Ok(addressed) => addressed,
        Err(error) => return answer_error(&error).into_response(),
    };
    match (asked.mode.as_deref(), asked.verify_token, asked.challenge) {
        (Some("subscribe"), Some(verify_token), Some(challenge))
            if challenge.len() <= CHALLENGE_BYTES_MAX
                && ingestion.shakes_hands(&addressed, &verify_token) =>
        {
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (StatusCode::OK, headers, challenge).into_response()
        }
        _ => refused(StatusCode::FORBIDDEN, "The verify token is not this address's.\n").into_response(),
    }
}

async fn delivery<S: Store + Clone>(
    State(webhooks): State<Webhooks<S>>,
    Path(token): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let begin = Instant::now();
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let (response, outcome) = match taken(&webhooks, &token, path, &headers, body).await {
        Ok(response) => (response, "taken"),
        Err(no) if no.status.is_server_error() => (no.into_response(), "not_taken"),
        Err(no) => (no.into_response(), "refused"),
    };
    metrics::counter!(measures::WEBHOOKS, "outcome" => outcome).increment(1);
    metrics::histogram!(measures::WEBHOOK_SECONDS).record(begin.elapsed().as_secs_f64());
    response
}

async fn taken<S: Store + Clone>(
    webhooks: &Webhooks<S>,
    token: &str,
    path: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let ingestion = &webhooks.served.ingestion;
    let addressed = ingestion.addressed(token).await.map_err(|error| answer_error(&error))?;
    let content_type = content_type(headers)?;
    check_size(&body)?;
    let lane = usize::from(addressed.connection.bytes()[15]) % LANES;
    let held = read(body, &webhooks.lanes[lane]).await?;
    let provider = ingestion.provider(&addressed);
    let signature = HeaderName::try_from(provider.signature_header())
        .map_err(|_| answer_error(&NotAuthentic::Unsigned.into()))?;
    // A value that is no text is as bad as a wrong one.
    let signatures: Vec<&str> =
        headers.get_all(signature).iter().map(|value| value.to_str().unwrap_or("")).collect();
    let url = format!("{}{path}", webhooks.served.public_url);
    let request = SignedRequest { url: &url, content_type, signatures: &signatures, body: &held.body };
    ingestion.take(&addressed, &request).await.map_err(|error| answer_error(&error))?;
    let (content_type, text) = provider.acknowledgement();
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, content_type)], text).into_response())
}

/// The content type, where the body is as it was signed: neither compressed nor of a type that no provider sends.
fn content_type(headers: &HeaderMap) -> Result<&str, Refused> {
    let identity = |value: &header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(identity) {
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the body uncompressed.\n"));
    }
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = text.split(';').next().unwrap_or("").trim();
    if ["application/json", "application/x-www-form-urlencoded"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(essence))
    {
        Ok(text)
    } else {
        Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send application/json, or a URL-encoded form.\n"))
    }
}

/// Whoever announces a body that is too large need not send it. What counts is the body's framing, whatever headers
/// say beside it.
fn check_size(body: &Body) -> Result<(), Refused> {
    match body.size_hint().upper() {
        Some(size) if size > BODY_BYTES_MAX as u64 => Err(refused(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE)),
        _ => Ok(()),
    }
}

fn lane() -> Lane {
    Lane { small: Semaphore::new(SMALL_KIB), large: Semaphore::new(LARGE_AT_ONCE) }
}

/// A body, with the room that it holds as long as it is held.
struct Held<'a> {
    body: Vec<u8>,
    small: Option<SemaphorePermit<'a>>,
    large: Option<SemaphorePermit<'a>>,
}

impl<'a> Held<'a> {
    /// Takes room for a piece more.
    async fn grow(&mut self, piece: &[u8], lane: &'a Lane) -> Result<(), Refused> {
        let size = self.body.len() + piece.len();
        if size > BODY_BYTES_MAX {
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE));
        }
        if size > SMALL_BYTES_MAX {
            if self.large.is_none() {
                self.large = Some(room(&lane.large, 1).await?);
                self.small = None;
            }
            return Ok(());
        }
        let held = self.small.as_ref().map_or(0, SemaphorePermit::num_permits);
        let more = u32::try_from(size.div_ceil(1 << 10) - held).expect("a small body");
        let more = room(&lane.small, more).await?;
        match &mut self.small {
            Some(small) => small.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

async fn room(of: &Semaphore, permits: u32) -> Result<SemaphorePermit<'_>, Refused> {
    match tokio::time::timeout(ROOM_WAIT, of.acquire_many(permits)).await {
        Ok(Ok(room)) => Ok(room),
        _ => Err(wait_and_retry("Too many deliveries are being taken; send it again.\n")),
    }
}

/// Reads the whole body, and takes room for it as it arrives: what is announced and never sent holds none.
async fn read(mut body: Body, lane: &Lane) -> Result<Held<'_>, Refused> {
    let mut held = Held { body: Vec::new(), small: None, large: None };
    let mut end = Instant::now() + BODY_WAIT;
    loop {
        let frame = match tokio::time::timeout_at(end, body.frame()).await {
            Err(_) => return Err(refused(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.\n")),
            Ok(None) => return Ok(held),
            Ok(Some(Err(_))) => {
                return Err(refused(StatusCode::BAD_REQUEST, "The body did not arrive whole.\n"));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        // What follows the body, in chunked framing, is of no interest.
        let Ok(piece) = frame.into_data() else { continue };
        let waiting = Instant::now();
        held.grow(&piece, lane).await?;
        // The wait for room was not the sender's.
        end += waiting.elapsed();
        held.body.extend_from_slice(&piece);
    }
}

fn answer_error(error: &WebhookError) -> Refused {
    match error {
        WebhookError::UnknownAddress => refused(StatusCode::NOT_FOUND, UNKNOWN_ADDRESS),
        WebhookError::NotAuthentic(_) => {
            refused(StatusCode::FORBIDDEN, "The signature is missing, or not the one of this body.\n")
        }
        WebhookError::TooLarge => refused(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
        WebhookError::Busy => wait_and_retry("There is no room at the moment; send it again.\n"),
        WebhookError::Store(error) => {
            tracing::error!(%error, "a delivery could not be recorded; the provider is asked to send it again");
            wait_and_retry("It could not be recorded; send it again.\n")
        }
    }
}
