//! The opening handshake (RFC 6455, section 4.2): whether a request may become a socket, and its answer. A client
//! that offers no subprotocol of ours is let through with none, to be told by a close code.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, Version, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};

use crate::http::Unexecuted;

/// The subprotocol, as the IANA registry of them has it.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";
/// Proves that the server means to speak WebSocket (RFC 6455, section 1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY_BYTES: usize = 16;

/// What a request that opens a socket says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    accept: String,
    pub speaks_ours: bool,
}

impl Handshake {
    pub fn of(version: Version, headers: &HeaderMap) -> Result<Self, Unexecuted> {
        let wrong = Unexecuted::malformed;
        if version != Version::HTTP_11 {
            return Err(wrong("A WebSocket is opened over HTTP/1.1."));
        }
        if !lists(headers, &header::CONNECTION).any(|name| name.eq_ignore_ascii_case("upgrade")) {
            return Err(wrong("A WebSocket needs the header Connection: Upgrade."));
        }
        if single(headers, &header::SEC_WEBSOCKET_VERSION) != Some("13") {
            let message = "A WebSocket has the version 13.";
            return Err(Unexecuted::new(StatusCode::UPGRADE_REQUIRED, "BAD_REQUEST", message)
                .with_header(header::SEC_WEBSOCKET_VERSION, "13"));
        }
        let key = single(headers, &header::SEC_WEBSOCKET_KEY)
            .filter(|key| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == KEY_BYTES))
            .ok_or_else(|| wrong("A WebSocket needs a key of 16 bytes in Base64."))?;
        let speaks_ours = lists(headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|name| name == SUBPROTOCOL);
        Ok(Self { accept: accept(key), speaks_ours })
    }

    pub fn response(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        let accept = HeaderValue::from_str(&self.accept).expect("Base64 is ASCII");
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        if self.speaks_ours {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        }
        response
    }
}

fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(MAGIC).finalize())
}

/// The header's value, if there is one and it is text.
fn single<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    values.next().is_none().then_some(value)
}

fn lists<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 3] = [
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn of(changed: &[(&'static str, &'static str)]) -> Result<Handshake, StatusCode> {
        let mut headers = HeaderMap::new();
        for (name, value) in GOOD.iter().chain(changed) {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        Handshake::of(Version::HTTP_11, &headers).map_err(|refused| refused.status)
    }

    /// The key and its answer are the RFC's own example.
    #[test]
    fn a_handshake_is_answered_as_the_rfc_has_it() {
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned();
        assert_eq!(of(&[]), Ok(Handshake { accept: accept.clone(), speaks_ours: false }));
        let ours = of(&[("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")]).unwrap();
        assert_eq!(ours, Handshake { accept, speaks_ours: true });
        let response = ours.response();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
    }

    #[test]
    fn what_is_no_handshake_is_refused() {
        for (changed, status) in [
            (("connection", "keep-alive"), 400),
            (("sec-websocket-version", "8"), 426),
            (("sec-websocket-key", "short"), 400),
            (("sec-websocket-key", "dGhlIHNhbXBsZQ=="), 400),
        ] {
            assert_eq!(of(&[changed]).unwrap_err().as_u16(), status, "{changed:?}");
        }
        assert!(Handshake::of(Version::HTTP_10, &HeaderMap::new()).is_err());
    }
}
