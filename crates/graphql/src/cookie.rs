//! The cookie that holds a session's token. Its prefix makes browsers take it only with `Secure`, `Path=/` and no
//! `Domain` (RFC 6265bis, section 4.1.3.2), so that no neighbouring host can set one for us.

use std::str;

use axum::http::{HeaderMap, header};

/// The cookie's name.
const NAME: &str = "__Host-parlance";

/// The token in the request's cookie; `None`: there is none, or more than one, which no browser of ours sends.
pub fn read(headers: &HeaderMap) -> Option<&str> {
    read_named(headers, NAME)
}

/// The same of another cookie. Cookies of neighbouring hosts may hold any bytes (RFC 6265, section 5.4): those are
/// passed over. Only the spaces that the protocol has are cut off a name, so that no other character makes one look
/// like ours.
pub fn read_named<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).iter();
    let pairs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let mut found = pairs.filter_map(|pair| {
        let start = pair.iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
        pair[start..].strip_prefix(wanted.as_bytes())?.strip_prefix(b"=")
    });
    let value = found.next().filter(|_| found.next().is_none())?;
    str::from_utf8(value.trim_ascii_end()).ok()
}

/// What a browser is told to keep for so many seconds. Not sent along with requests that other sites begin, but
/// for following a link; never shown to scripts.
pub fn set(token: &str, seconds: u64) -> String {
    set_named(NAME, token, seconds)
}

/// The same for another cookie.
pub fn set_named(name: &str, value: &str, seconds: u64) -> String {
    format!("{name}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax")
}

/// What a browser is told to forget.
pub(crate) fn clear() -> String {
    set("", 0)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn sent(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (header::COOKIE, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_session_s_cookie_is_found_among_others_and_never_guessed() {
        assert_eq!(read(&sent(&["a=b; __Host-parlance=prs_x; c=d"])), Some("prs_x"));
        assert_eq!(read(&sent(&["a=b", "__Host-parlance=prs_x"])), Some("prs_x"));
        // "name=Béla" and a byte that is no UTF-8, of whoever shares our domain.
        for neighbour in [&b"name=B\xc3\xa9la; __Host-parlance=prs_x"[..], b"__Host-parlance=prs_x ; a=\xff"]
        {
            let headers =
                [(header::COOKIE, HeaderValue::from_bytes(neighbour).unwrap())].into_iter().collect();
            assert_eq!(read(&headers), Some("prs_x"));
        }
        let lookalike = HeaderValue::from_bytes("\u{2000}__Host-parlance=prs_x".as_bytes()).unwrap();
        assert_eq!(read(&[(header::COOKIE, lookalike)].into_iter().collect()), None);
        for none in [
            &["parlance=x"] as &[_],
            &["__host-parlance=x"],
            &["x"],
            &[],
            &["__Host-parlance=a; __Host-parlance=b"],
        ] {
            assert_eq!(read(&sent(none)), None, "{none:?}");
        }
    }

    #[test]
    fn a_cookie_has_what_its_prefix_demands() {
        let cookie = set("prs_x", 60);
        assert!(cookie.starts_with("__Host-parlance=prs_x; "));
        for part in ["Secure", "Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=60"] {
            assert!(cookie.split("; ").any(|given| given == part), "{part}");
        }
        assert!(!cookie.contains("Domain") && clear().contains("Max-Age=0"));
    }
}
