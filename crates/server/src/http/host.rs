//! Which host a request is for must be said once (RFC 9112, section 3.2): a request that a proxy and this server could
//! read in two ways is answered by neither.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// Refuses what does not say it, and ends the connection: what follows may be anything.
pub async fn check(request: Request, next: Next) -> Response {
    match judge(request.version(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => (StatusCode::BAD_REQUEST, [(header::CONNECTION, "close")], why).into_response(),
    }
}

fn judge(version: Version, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let Some(host) = hosts.next() else {
        // Older clients need not say it.
        let optional = version < Version::HTTP_11;
        return if optional { Ok(()) } else { Err("The request has no Host header. Send one.\n") };
    };
    if hosts.next().is_some() {
        return Err("The request has several Host headers. Send one.\n");
    }
    // A name may be empty; whose password stands before it is no part of it.
    let name = host.as_bytes();
    let is_host = name.is_empty() || (!name.contains(&b'@') && Authority::try_from(name).is_ok());
    if is_host { Ok(()) } else { Err("The Host header is no host. Send a name, or a name and a port.\n") }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn is_taken(version: Version, hosts: &[&'static str]) -> bool {
        let headers = hosts.iter().map(|host| (header::HOST, HeaderValue::from_static(host))).collect();
        judge(version, &headers).is_ok()
    }

    #[test]
    fn a_host_is_said_once() {
        let now = Version::HTTP_11;
        for host in ["inbox.example.hu", "127.0.0.1:8080", "[::1]:443", "localhost", ""] {
            assert!(is_taken(now, &[host]), "{host}");
        }
        for host in ["a b", "a/b", "a@b", "a,b/c", "http://a", "a:b:c", "a?b"] {
            assert!(!is_taken(now, &[host]), "{host}");
        }
        assert!(!is_taken(now, &[]) && !is_taken(now, &["a", "a"]));
        let old = Version::HTTP_10;
        assert!(is_taken(old, &[]) && is_taken(old, &["a"]) && !is_taken(old, &["a", "b"]));
    }
}
