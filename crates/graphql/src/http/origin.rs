//! Where a request's page came from. A browser sends a member's cookie along whoever made the page, so what shows no
//! token must come from our own pages: by `Origin` (RFC 6454, section 7) and `Sec-Fetch-Site` (W3C Fetch Metadata),
//! which no page can set, and, for a GET, by a header that no form or link can send.

use axum::http::{HeaderMap, StatusCode, header};

use super::{
    answers::Unexecuted,
    callers::{Caller, ShownBy},
    settings::HttpSettings,
};

/// Any of these shows that a GET was made by a script that may read the answer: other sites' scripts would have to
/// be allowed to send it. The first is ours; the others are what clients send by themselves.
const PREFLIGHT_HEADERS: [&str; 3] = ["x-parlance-preflight", "apollo-require-preflight", "x-requested-with"];

/// The page that a browser says the request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The request does not say: no browser, or a GET of our own page.
    Untold,
    /// Ours: the public URL's, or that of the request's own `Host`.
    Own,
    /// One that the installation lets in with a token.
    Allowed,
    Foreign,
}

impl Origin {
    pub fn of(headers: &HeaderMap, settings: &HttpSettings) -> Self {
        let mut given = headers.get_all(header::ORIGIN).iter();
        let Some(value) = given.next() else {
            return if told_cross_site(headers) { Self::Foreign } else { Self::Untold };
        };
        let Some(origin) = value.to_str().ok().filter(|_| given.next().is_none()) else {
            return Self::Foreign;
        };
        if is_own(origin, headers, settings) {
            // An own origin contradicts a cross-site request: one of them is made up.
            if told_cross_site(headers) { Self::Foreign } else { Self::Own }
        } else if settings.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            Self::Allowed
        } else {
            Self::Foreign
        }
    }
}

/// Whether a browser says that the request comes from one of our own pages: for forms, with which it always says so.
pub fn is_from_own_page(headers: &HeaderMap, settings: &HttpSettings) -> bool {
    Origin::of(headers, settings) == Origin::Own
}

/// Refuses what another site may have made a browser send.
pub(crate) fn check(
    headers: &HeaderMap,
    settings: &HttpSettings,
    caller: &Caller,
    by_get: bool,
) -> Result<(), Unexecuted> {
    if caller.shown_by == ShownBy::Token {
        return Ok(());
    }
    match Origin::of(headers, settings) {
        Origin::Allowed | Origin::Foreign => {
            let message = "Requests from other sites' pages need an API token in the Authorization header.";
            return Err(Unexecuted::new(StatusCode::FORBIDDEN, "FORBIDDEN_ORIGIN", message));
        }
        Origin::Own | Origin::Untold => {}
    }
    let shown =
        PREFLIGHT_HEADERS.iter().any(|name| headers.contains_key(*name)) || told(headers, "same-origin");
    if by_get && caller.shown_by == ShownBy::Cookie && !shown {
        let message = "A GET with a session's cookie needs the header X-Parlance-Preflight, with any value.";
        return Err(Unexecuted::new(StatusCode::FORBIDDEN, "PREFLIGHT_HEADER_MISSING", message));
    }
    Ok(())
}

fn told(headers: &HeaderMap, site: &str) -> bool {
    headers.get("sec-fetch-site").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(site.as_bytes()))
}

fn told_cross_site(headers: &HeaderMap) -> bool {
    told(headers, "cross-site")
}

/// The public URL's origin; or the request's own host, which behind a proxy may be another name. The public URL's
/// host counts with its own scheme alone: what came over plain HTTP to an HTTPS host may come from anybody.
fn is_own(origin: &str, headers: &HeaderMap, settings: &HttpSettings) -> bool {
    let Some((scheme, host)) = split(origin) else { return false };
    if let Some((public_scheme, public_host)) = settings.public_url.as_deref().and_then(split)
        && public_host == host
    {
        return public_scheme == scheme;
    }
    let own = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    own.is_some_and(|own| authority(&scheme, own) == host)
}

/// An address's scheme and authority, in lower case and without a default port.
fn split(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())?;
    let authority = authority(&scheme, host);
    ["http", "https"].contains(&scheme.as_str()).then_some((scheme, authority))
}

fn authority(scheme: &str, host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let default = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(default).map(str::to_owned).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        given.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn settings() -> HttpSettings {
        HttpSettings {
            public_url: Some("https://Inbox.example.com/parlance".to_owned()),
            allowed_origins: vec!["https://shop.example.com".to_owned()],
            ..HttpSettings::default()
        }
    }

    #[test]
    fn an_origin_is_ours_by_the_public_url_or_the_request_s_host() {
        let of = |origin, host| Origin::of(&headers(&[("origin", origin), ("host", host)]), &settings());
        for (origin, host, expected) in [
            ("https://inbox.example.com", "10.0.0.7:8080", Origin::Own),
            ("https://inbox.example.com:443", "inbox.example.com", Origin::Own),
            ("http://10.0.0.7:8080", "10.0.0.7:8080", Origin::Own),
            ("http://localhost", "localhost:80", Origin::Own),
            ("https://shop.example.com", "inbox.example.com", Origin::Allowed),
            ("http://inbox.example.com", "inbox.example.com", Origin::Foreign),
            ("https://inbox.example.com:8443", "inbox.example.com", Origin::Foreign),
            ("https://inbox.example.com.evil.example", "inbox.example.com", Origin::Foreign),
            ("https://evil.example", "inbox.example.com", Origin::Foreign),
            ("http://10.0.0.7:8081", "10.0.0.7:8080", Origin::Foreign),
            ("http://shop.example.com", "inbox.example.com", Origin::Foreign),
            ("null", "null", Origin::Foreign),
            ("file://inbox.example.com", "inbox.example.com", Origin::Foreign),
            ("", "", Origin::Foreign),
        ] {
            assert_eq!(of(origin, host), expected, "{origin} at {host}");
        }
    }

    #[test]
    fn what_a_browser_says_of_the_site_counts_as_well() {
        let of = |given: &[_]| Origin::of(&headers(given), &settings());
        let own = ("origin", "https://inbox.example.com");
        assert_eq!(of(&[]), Origin::Untold);
        assert_eq!(of(&[("sec-fetch-site", "cross-site")]), Origin::Foreign);
        assert_eq!(of(&[own, ("sec-fetch-site", "same-origin")]), Origin::Own);
        assert_eq!(of(&[own, ("sec-fetch-site", "cross-site")]), Origin::Foreign);
        assert_eq!(of(&[own, own]), Origin::Foreign);
    }
}
