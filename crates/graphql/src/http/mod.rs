//! `/graphql` over HTTP, as the GraphQL over HTTP specification has it: POST for every operation, GET for queries.
//! What of a request is believed is decided here, and a request that is no well-formed GraphQL request gets its
//! errors in GraphQL's shape too. Other ways in (server-sent events, WebSocket) begin here and go their own way.

mod answers;
mod callers;
mod documents;
mod negotiation;
mod origin;
mod reading;
mod settings;

use std::{sync::Arc, time::Duration};

use async_graphql::{Request, Variables, parser::types::OperationType};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use parlance_app::{entropy::Entropy, front::SharedFront};

use self::documents::Documents;
pub(crate) use self::{
    answers::{Outside, Unexecuted, add_headers},
    callers::{Caller, ShownBy},
    negotiation::Accepted,
    origin::Origin,
    reading::{ANONYMOUS_BODY_BYTES_MAX, BODY_BYTES_MAX, Parameters},
};
pub use self::{
    documents::{TrustedDocuments, TrustedDocumentsError},
    origin::is_from_own_page,
    settings::HttpSettings,
};
use crate::{
    places::{Following, Places},
    schema::{Schema, schema},
    sse,
    visitor::{ClientAddress, Visitor},
    websocket,
};

/// From the first byte of the body to the answer. Longer than any wait inside.
pub(crate) const TIME_OUT: Duration = Duration::from_secs(30);
/// From the request's head to its body's last byte.
const READ_WAIT: Duration = Duration::from_secs(15);
/// What may be asked of `/graphql`.
const ALLOW: &str = "GET, HEAD, POST, OPTIONS";
/// How long a browser remembers what an origin may send: short, so that a changed setting is soon in force.
const PREFLIGHT_SECONDS: &str = "600";

/// What every request needs, whatever way it comes. Clones share it.
#[derive(Clone)]
pub(crate) struct Shared {
    pub schema: Schema,
    pub entropy: Entropy,
    pub settings: Arc<HttpSettings>,
    pub places: Places,
    pub following: Following,
    pub documents: Arc<Documents>,
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
    let documents = Documents::new(settings.trusted_documents.clone()).into();
    let schema = schema(front);
    let schema = if settings.introspection { schema } else { schema.without_introspection() };
    let shared = Shared {
        schema,
        entropy: Entropy::from_system(),
        settings: settings.into(),
        places: Places::default(),
        following: Following::default(),
        documents,
    };
    Router::new().route("/graphql", any(enter)).with_state(shared)
}

/// The one door: what kind of request it is decides who answers.
async fn enter(State(shared): State<Shared>, request: axum::extract::Request) -> Response {
    let accepted = Accepted::of(request.headers());
    let from = request.headers().get(header::ORIGIN).cloned();
    let from = from.filter(|_| Origin::of(request.headers(), &shared.settings) == Origin::Allowed);
    let mut response = match *request.method() {
        Method::GET if wants_socket(request.headers()) => websocket::upgrade(shared, request)
            .unwrap_or_else(|refused| refused.into_response(accepted.or_json())),
        Method::GET | Method::HEAD | Method::POST => shared.answer(accepted, request).await,
        Method::OPTIONS => options(from.is_some()),
        _ => other_method().into_response(accepted.or_json()),
    };
    if let Some(origin) = from {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

/// What may be sent; to an allowed origin's page also as the Fetch standard wants it told ("CORS-preflight fetch").
/// Never credentials: another origin's page has a token, or nothing.
fn options(allowed: bool) -> Response {
    let mut response =
        (StatusCode::NO_CONTENT, [(header::ALLOW, ALLOW), (header::VARY, "origin")]).into_response();
    if allowed {
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "accept, authorization, content-type, x-parlance-preflight",
            ),
            (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

fn wants_socket(headers: &HeaderMap) -> bool {
    let mut upgrades = headers.get_all(header::UPGRADE).iter().filter_map(|value| value.to_str().ok());
    upgrades.any(|value| value.split(',').any(|name| name.trim().eq_ignore_ascii_case("websocket")))
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

/// Logs that a request took too long, and tells it.
pub(crate) fn timed_out(trace_id: &str) -> Unexecuted {
    tracing::error!(trace_id, code = "TIMED_OUT", "a request took too long");
    let message = "This took too long. Whether it was done is not known: look before you try again.";
    Unexecuted::new(StatusCode::SERVICE_UNAVAILABLE, "TIMED_OUT", message).with_trace_id(trace_id)
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
        let answer = limited.unwrap_or_else(|_| Err(timed_out(&trace_id)));
        answer.unwrap_or_else(|refused| refused.into_response(accepted.or_json()))
    }

    async fn execute(
        &self,
        accepted: Accepted,
        request: axum::extract::Request,
        trace_id: &str,
    ) -> Result<Response, Unexecuted> {
        if accepted.single.is_none() && !accepted.events {
            return Err(not_acceptable());
        }
        let received = self.receive(request, trace_id).await?;
        match accepted.single {
            // Who takes both gets one answer where there is one.
            Some(media_type)
                if !accepted.events || received.operation != Some(OperationType::Subscription) =>
            {
                let answer = self.schema.execute(received.request, received.visitor).await;
                Ok(answers::answered(&answer, media_type))
            }
            _ => sse::answer(self, received).await,
        }
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
        let (principal, trace_id) = (caller.principal, trace_id.to_owned());
        let visitor = Visitor { principal, trace_id, address, sets_cookies: true };
        let received = self.prepare(parameters, visitor)?;
        if by_get && received.operation == Some(OperationType::Mutation) {
            return Err(mutation_by_get());
        }
        Ok(received)
    }

    /// The request that these parameters make, of whatever way they came.
    pub fn prepare(&self, parameters: Parameters, visitor: Visitor) -> Result<Received, Unexecuted> {
        let chosen = self.documents.choose(&parameters, visitor.principal)?;
        let mut request = Request::new(&*chosen.document)
            .variables(Variables::from_json(serde_json::Value::Object(parameters.variables)));
        request.operation_name = parameters.operation_name;
        let operation = self.schema.operation(&mut request);
        if operation.is_some() {
            self.documents.remember(chosen);
        }
        Ok(Received { request, visitor, operation })
    }
}
