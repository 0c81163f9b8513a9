//! GraphQL over server-sent events, the "distinct connections" mode of the npm package `graphql-sse` (its document
//! `PROTOCOL.md`): a request that takes `text/event-stream` is answered by a stream of `next` events and one
//! `complete`. Closing the connection ends the operation. What is sent is asked for only as the client takes it.
//!
//! A stream whose credential counts no more ends with a `next` that holds the error `UNAUTHENTICATED`, and
//! `complete`. One that the server's end cuts off has no `complete`: its client comes back.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use async_graphql::parser::types::OperationType;
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture, stream::BoxStream};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{
    http::{Received, Shared, Unexecuted},
    places::{Full, Place, Sated},
    running::Answer,
    websocket::no_place,
};

/// Between two comments on a silent stream. Proxies end a connection that is silent for a minute.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
/// Ignored by clients; the first one makes some browsers see that the stream is open.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
/// The empty field is for `EventSource`, which passes an event without data over.
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata: \n\n");

/// Answers with a stream. A query or mutation is run first, so that what it sets as headers can be.
pub(crate) async fn answer(shared: &Shared, received: Received) -> Result<Response, Unexecuted> {
    let principal = received.visitor.principal;
    if received.operation != Some(OperationType::Subscription) {
        let response = shared.schema.execute(received.request, received.visitor).await;
        let answer = Answer::of(&response);
        let events = futures_util::stream::iter([event(&answer), COMPLETE].map(Ok::<_, Infallible>));
        let mut streamed = respond(Body::from_stream(events));
        crate::http::add_headers(streamed.headers_mut(), &response.http_headers);
        return Ok(streamed);
    }
    if shared.settings.ending.has_begun() {
        return Err(no_place(Full::All));
    }
    let place = match principal {
        Some(principal) => shared.places.take_for(principal).map_err(no_place)?.map_err(too_many)?,
        None => shared.places.take(received.visitor.address).map_err(no_place)?,
    };
    let credential_ended = match principal {
        Some(principal) => shared.schema.front().ended(principal),
        None => std::future::pending().boxed(),
    };
    let mut silence = interval(KEEP_ALIVE_EVERY);
    silence.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let events = Events {
        answers: shared.run(received)?.answers,
        credential_ended,
        server_ends: shared.settings.ending.begun().boxed(),
        silence,
        last: None,
        over: false,
        _place: place,
    };
    Ok(respond(Body::from_stream(events)))
}

fn too_many(_: Sated) -> Unexecuted {
    let message = "You have too many open streams. Close some, then try again.";
    Unexecuted::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_STREAMS", message)
        .with_header(header::RETRY_AFTER, "5")
}

fn respond(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("text/event-stream; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, authorization, cookie, origin"));
    // nginx would gather events until its buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// JSON has no line breaks outside of its texts, and none inside that are not escaped.
fn event(answer: &Answer) -> Bytes {
    match answer {
        Answer::Result(result) => format!("event: next\ndata: {result}\n\n").into(),
        Answer::Refused(errors) => format!("event: next\ndata: {{\"errors\":{errors}}}\n\n").into(),
    }
}

fn signed_out() -> Answer {
    let message = "This is not signed in any more. Sign in, or send another API token.";
    Answer::refused(&Unexecuted::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message))
}

/// A subscription's events. Dropped with the connection, and the subscription with it.
struct Events {
    answers: BoxStream<'static, Answer>,
    credential_ended: BoxFuture<'static, ()>,
    server_ends: BoxFuture<'static, ()>,
    silence: Interval,
    /// What is still to be sent; then it is over.
    last: Option<Bytes>,
    over: bool,
    _place: Place,
}

impl Events {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.over {
            return Poll::Ready(self.last.take());
        }
        if self.server_ends.poll_unpin(cx).is_ready() {
            self.over = true;
            return Poll::Ready(None);
        }
        if self.credential_ended.poll_unpin(cx).is_ready() {
            self.end();
            self.last = Some(COMPLETE);
            return Poll::Ready(Some(event(&signed_out())));
        }
        if let Poll::Ready(answer) = self.answers.poll_next_unpin(cx) {
            self.silence.reset();
            return Poll::Ready(Some(match answer {
                Some(answer) => event(&answer),
                None => {
                    self.end();
                    COMPLETE
                }
            }));
        }
        ready!(self.silence.poll_tick(cx));
        Poll::Ready(Some(COMMENT))
    }

    fn end(&mut self) {
        self.over = true;
        self.answers = futures_util::stream::empty().boxed();
    }
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_event(cx).map(|event| event.map(Ok))
    }
}
