//! `/graphql` over HTTP, as the GraphQL over HTTP specification has it: POST for every operation, GET for queries.
//! What of a request is believed is decided here, and a request that is no well-formed GraphQL request gets its
//! errors in GraphQL's shape too. Other ways in (server-sent events, WebSocket) begin here and go their own way.

mod answers;
mod callers;
mod negotiation;
mod origin;
mod reading;
mod settings;

use std::{sync::Arc, time::Duration};

use async_graphql::{Request, Variables, parser::types::OperationType};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use parlance_app::{entropy::Entropy, front::SharedFront};

use self::reading::{ANONYMOUS_BODY_BYTES_MAX, BODY_BYTES_MAX};
pub use self::settings::HttpSettings;
pub(crate) use self::{answers::Unexecuted, callers::Caller, negotiation::Accepted, reading::Parameters};
use crate::{
    schema::{Schema, schema},
    visitor::{ClientAddress, Visitor},
};

/// From the first byte of the body to the answer. Longer than any wait inside.
const TIME_OUT: Duration = Duration::from_secs(30);
/// From the request's head to its body's last byte.
const READ_WAIT: Duration = Duration::from_secs(15);
/// What may be asked of `/graphql`.
const ALLOW: &str = "GET, HEAD, POST, OPTIONS";

/// What every request needs, whatever way it comes. Clones share it.
#[derive(Clone)]
pub(crate) struct Shared {
    pub schema: Schema,
    pub entropy: Entropy,
    pub settings: Arc<HttpSettings>,
}

/// A request that may be executed, and who sends it.
pub(crate) struct Received {
    pub request: Request,
    pub visitor: Visitor,
    /// What kind of operation is asked for; `None`: the document does not tell, and its execution will say why.
    pub operation: Option<OperationType>,
}

/// Serves `/graphql`.
pub fn router(front: SharedFront, settings: HttpSettings) -> Router {
    let shared = Shared { schema: schema(front), entropy: Entropy::from_system(), settings: settings.into() };
    Router::new().route("/graphql", any(enter)).with_state(shared)
}

/// The one door: what kind of request it is decides who answers.
async fn enter(State(shared): State<Shared>, request: axum::extract::Request) -> Response {
    let accepted = Accepted::of(request.headers());
    match *request.method() {
        // A place for sockets: a request with `Upgrade: websocket` is handed on from here.
        Method::GET if wants_socket(request.headers()) => no_socket().into_response(accepted.or_json()),
        Method::GET | Method::HEAD | Method::POST => shared.answer(accepted, request).await,
        Method::OPTIONS => (StatusCode::NO_CONTENT, [(header::ALLOW, ALLOW)]).into_response(),
        _ => other_method().into_response(accepted.or_json()),
    }
}

fn wants_socket(headers: &HeaderMap) -> bool {
    let mut upgrades = headers.get_all(header::UPGRADE).iter().filter_map(|value| value.to_str().ok());
    upgrades.any(|value| value.split(',').any(|name| name.trim().eq_ignore_ascii_case("websocket")))
}

fn no_socket() -> Unexecuted {
    let message = "There is no WebSocket here. Send the request with POST.";
    Unexecuted::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}

fn other_method() -> Unexecuted {
    let message = "Send queries with GET or POST, and mutations with POST.";
    Unexecuted::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
        .with_header(header::ALLOW, ALLOW)
}

fn mutation_by_get() -> Unexecuted {
    let message = "A mutation is not run by GET. Send it with POST.";
    Unexecuted::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
        .with_header(header::ALLOW, "POST")
}

fn not_acceptable() -> Unexecuted {
    let message = "Answers are application/graphql-response+json or application/json: accept one of them.";
    Unexecuted::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
}

impl Shared {
    /// Names a request in the log and in masked errors.
    pub fn trace_id(&self) -> String {
        self.entropy.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Answers a request once.
    async fn answer(&self, accepted: Accepted, request: axum::extract::Request) -> Response {
        let trace_id = self.trace_id();
        let limited = tokio::time::timeout(TIME_OUT, self.execute(accepted, request, &trace_id)).await;
        let answer = limited.unwrap_or_else(|_| {
            tracing::error!(trace_id, code = "TIMED_OUT", "a request took too long");
            let message = "This took too long. Whether it was done is not known: look before you try again.";
            Err(Unexecuted::new(StatusCode::SERVICE_UNAVAILABLE, "TIMED_OUT", message)
                .with_trace_id(&trace_id))
        });
        answer.unwrap_or_else(|refused| refused.into_response(accepted.or_json()))
    }

    async fn execute(
        &self,
        accepted: Accepted,
        request: axum::extract::Request,
        trace_id: &str,
    ) -> Result<Response, Unexecuted> {
        // A place for server-sent events: where `accepted.events`, a subscription (or, where `accepted.single` is
        // `None`, any operation) is received, and then handed on from here.
        let Some(media_type) = accepted.single else { return Err(not_acceptable()) };
        let Received { request, visitor, .. } = self.receive(request, trace_id).await?;
        Ok(answers::answered(&self.schema.execute(request, visitor).await, media_type))
    }

    /// Reads and checks a GET or POST: everything that is judged before a request is executed, bounded in time and
    /// size. The same for every way in that begins with an HTTP request.
    pub async fn receive(
        &self,
        request: axum::extract::Request,
        trace_id: &str,
    ) -> Result<Received, Unexecuted> {
        let by_get = *request.method() != Method::POST;
        let headers = request.headers().clone();
        let address = request.extensions().get::<ClientAddress>().map(|client| client.0);
        let caller = Caller::of(self.schema.front(), &headers, trace_id).await?;
        origin::check(&headers, &self.settings, &caller, by_get)?;
        let bytes_max = if caller.principal.is_some() { BODY_BYTES_MAX } else { ANONYMOUS_BODY_BYTES_MAX };
        // One that trickles in does not hold its place for ever.
        let reading = tokio::time::timeout(READ_WAIT, Parameters::read(request, bytes_max)).await;
        let parameters = reading.unwrap_or_else(|_| {
            let message = "The request's body did not arrive in time.";
            Err(Unexecuted::new(StatusCode::REQUEST_TIMEOUT, "TIMED_OUT", message)
                .with_header(header::CONNECTION, "close"))
        })?;
        let visitor = Visitor { principal: caller.principal, trace_id: trace_id.to_owned(), address };
        let received = self.prepare(parameters, visitor)?;
        if by_get && received.operation == Some(OperationType::Mutation) {
            return Err(mutation_by_get());
        }
        Ok(received)
    }

    /// The request that these parameters make, of whatever way they came.
    pub fn prepare(&self, parameters: Parameters, visitor: Visitor) -> Result<Received, Unexecuted> {
        let query = parameters.query.ok_or_else(|| {
            Unexecuted::new(
                StatusCode::BAD_REQUEST,
                "PERSISTED_QUERY_NOT_SUPPORTED",
                "PersistedQueryNotSupported",
            )
        })?;
        let mut request = Request::new(query)
            .variables(Variables::from_json(serde_json::Value::Object(parameters.variables)));
        request.operation_name = parameters.operation_name;
        let operation = self.schema.operation(&mut request);
        Ok(Received { request, visitor, operation })
    }
}
