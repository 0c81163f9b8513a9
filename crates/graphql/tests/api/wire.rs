//! The interface on a connection in memory: hyper on one end, a WebSocket or bytes on the other. Time is the test's.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use parlance_graphql::{ClientAddress, HttpSettings, router};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::fake::Fake;

/// Longer than any wait of a server; nobody waits for it by the clock, where time is the test's.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// What one connection takes before its reader has to.
const PIPE_BYTES: usize = 16 << 10;

/// A front that is served.
#[derive(Clone)]
pub struct Server(axum::Router);

impl Server {
    pub fn new(fake: Fake) -> Self {
        Self::with(fake, HttpSettings::default())
    }

    pub fn with(fake: Fake, settings: HttpSettings) -> Self {
        Self(router(Arc::new(fake), settings))
    }

    /// The same server, to whoever comes from this address.
    pub fn from(&self, address: &str) -> Self {
        let address = ClientAddress(address.parse().expect("an address"));
        Self(self.0.clone().layer(axum::Extension(address)))
    }

    /// A connection, and what comes back for the first request's head.
    pub async fn connect(&self, request: &str) -> (String, DuplexStream) {
        let (mut client, server) = tokio::io::duplex(PIPE_BYTES);
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(server), TowerToHyperService::new(self.0.clone()));
        tokio::spawn(connection.with_upgrades());
        client.write_all(request.as_bytes()).await.expect("the server reads");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.expect("the server answers"));
        }
        (String::from_utf8(head).expect("a head is text"), client)
    }

    /// The answer's head, and the connection, to a request for a socket with more headers.
    pub async fn knock(&self, headers: &str) -> (String, DuplexStream) {
        let request = format!(
            "GET /graphql HTTP/1.1\r\nHost: inbox.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        self.connect(&request).await
    }

    /// A socket, opened with more headers.
    pub async fn socket_with(&self, headers: &str) -> Socket {
        let (head, io) = self.knock(headers).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Socket(WebSocketStream::from_raw_socket(io, Role::Client, None).await)
    }

    pub async fn socket(&self) -> Socket {
        self.socket_with("Sec-WebSocket-Protocol: graphql-transport-ws\r\n").await
    }

    /// A socket of Eva's, acknowledged.
    pub async fn eva(&self) -> Socket {
        let mut socket = self.socket().await;
        socket.is_eva_s().await;
        socket
    }
}

/// A client's end of a socket.
pub struct Socket(pub WebSocketStream<DuplexStream>);

impl Socket {
    /// Says that it is Eva's, and is let in.
    pub async fn is_eva_s(&mut self) {
        self.says(&json!({ "type": "connection_init", "payload": { "token": "prl_eva" } })).await;
        assert_eq!(self.hears().await, json!({ "type": "connection_ack" }));
    }

    pub async fn sends(&mut self, message: Message) {
        self.0.send(message).await.expect("the server reads");
    }

    pub async fn says(&mut self, message: &Value) {
        self.sends(Message::text(message.to_string())).await;
    }

    pub async fn asks(&mut self, id: &str, query: &str) {
        self.says(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    pub async fn next(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something happens");
        next.and_then(Result::ok)
    }

    /// The next message of the protocol.
    pub async fn hears(&mut self) -> Value {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).expect("JSON"),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("a message of the protocol, not {other:?}"),
            }
        }
    }

    /// How the server closes it, whatever it says before; 1006: not at all, the connection ends.
    pub async fn closes(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Some(Message::Close(Some(frame))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Message::Close(None)) => return (1005, String::new()),
                Some(_) => {}
                None => return (1006, String::new()),
            }
        }
    }
}
