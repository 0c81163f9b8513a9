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
    visitor::ClientAddress,
};

/// Answers an upgrade request, and goes on with the socket by itself.
pub(crate) fn upgrade(shared: Shared, mut request: Request) -> Result<Response, Unexecuted> {
    let handshake = Handshake::of(request.version(), request.headers())?;
    let place = shared.places.take().filter(|_| !shared.settings.ending.has_begun()).ok_or_else(full)?;
    let knock = Knock::new(request.headers(), &shared, place);
    let address = request.extensions().get::<ClientAddress>().map(|client| client.0);
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

pub(crate) fn full() -> Unexecuted {
    let message = "There are too many open streams at the moment. Try again later.";
    Unexecuted::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
        .with_header(header::RETRY_AFTER, "5")
}
