//! GraphQL over WebSocket: the subprotocol `graphql-transport-ws`. An upgrade request becomes a task of its own,
//! which holds its place for as long as the socket is open.

mod admission;
mod handshake;
mod message;
mod operations;
mod outgoing;
mod socket;

use axum::{
    extract::Request,
    http::{StatusCode, header},
    response::Response,
};
use hyper_util::rt::TokioIo;

use self::{admission::Knock, handshake::Handshake, message::Closing, socket::Socket};
use crate::{
    http::{Shared, Unexecuted},
    places::Full,
    visitor::ClientAddress,
};

/// Answers an upgrade request, and goes on with the socket by itself.
pub(crate) fn upgrade(shared: Shared, mut request: Request) -> Result<Response, Unexecuted> {
    let handshake = Handshake::of(request.version(), request.headers())?;
    if shared.settings.ending.has_begun() {
        return Err(no_place(Full::All));
    }
    let address = request.extensions().get::<ClientAddress>().map(|client| client.0);
    let place = shared.places.take(address).map_err(no_place)?;
    let knock = Knock::new(request.headers(), &shared, place);
    let upgraded = hyper::upgrade::on(&mut request);
    let response = handshake.response();
    tokio::spawn(async move {
        // Not every connection can be upgraded; then its client is told by its end.
        let Ok(upgraded) = upgraded.await else { return };
        let socket = Socket::open(TokioIo::new(upgraded), shared, knock, address).await;
        if handshake.speaks_ours {
            socket.run().await;
        } else {
            socket.close(&Closing::SubprotocolNotAcceptable).await;
        }
    });
    Ok(response)
}

pub(crate) fn no_place(full: Full) -> Unexecuted {
    let (status, code, message) = match full {
        Full::All => (
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "There are too many open streams at the moment. Try again later.",
        ),
        Full::Strangers => (
            StatusCode::TOO_MANY_REQUESTS,
            "TOO_MANY_STREAMS",
            "Too many streams from your address have not said yet who they are. Try again later.",
        ),
    };
    Unexecuted::new(status, code, message).with_header(header::RETRY_AFTER, "5")
}
