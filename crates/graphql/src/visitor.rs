//! Who sends a request, and by what way it came: what every way in (HTTP, WebSocket) tells the schema.

use std::net::IpAddr;

use parlance_app::front::Principal;

/// The client's address, as the server found it: an extension of the HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Who sends a request.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// `None`: nobody that is known.
    pub principal: Option<Principal>,
    /// Names the request in the log and in masked errors.
    pub trace_id: String,
    /// Where the request comes from, as far as the configured proxies can be believed; `None`: not known.
    pub address: Option<IpAddr>,
    /// Whether the answer can set a cookie: one over HTTP can, a socket's message cannot.
    pub sets_cookies: bool,
}
