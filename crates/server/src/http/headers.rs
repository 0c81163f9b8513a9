//! What every answer tells a browser: run nothing of it, frame it nowhere, guess no type, pass no address on. An
//! answer that needs more, as a page does, sets its own header, which is left as it is.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// Answers are data: nothing in them is loaded, run, framed or sent anywhere.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Two years, as browsers' own lists of such hosts demand.
const TRANSPORT: &str = "max-age=63072000; includeSubDomains";

const ALWAYS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
    ),
];

/// Whether this server is reached by TLS only, its own or a proxy's.
#[derive(Clone, Copy, Debug)]
pub struct ByTls(pub bool);

/// Adds to an answer what it does not say itself.
pub async fn add(State(ByTls(tls)): State<ByTls>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if tls {
        let transport = HeaderValue::from_static(TRANSPORT);
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(transport);
    }
    response
}
