//! Who sends a request, and by what way it came: what every way in (HTTP, WebSocket) tells the schema.

use std::net::IpAddr;

use parlance_app::front::Principal;

/// Who sends a request.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// `None`: nobody that is known.
    pub principal: Option<Principal>,
    /// Names the request in the log and in masked errors.
    pub trace_id: String,
    /// The client's, as far as the configured proxies can be believed.
    pub address: Option<IpAddr>,
}
