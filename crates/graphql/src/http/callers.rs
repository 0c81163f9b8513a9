//! Whom a request's token or cookie names.

use axum::http::{HeaderMap, StatusCode, header};
use parlance_app::front::{FrontError, Principal, SharedFront};

use super::answers::Unexecuted;
use crate::{
    cookie,
    errors::{Refused, Trace},
};

/// Who sends a request, and how that is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub principal: Option<Principal>,
    pub shown_by: ShownBy,
}

/// What a request shows for who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShownBy {
    Nothing,
    /// A header that only the client's own code sets.
    Token,
    /// A session's cookie, which a browser sends along whoever made the page.
    Cookie,
}

impl Caller {
    pub async fn of(front: &SharedFront, headers: &HeaderMap, trace_id: &str) -> Result<Self, Unexecuted> {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = given.next() else { return by_cookie(front, headers, trace_id).await };
        let token = value.to_str().ok().and_then(|text| text.split_once(' ')).and_then(|(scheme, token)| {
            let token = token.trim();
            let ours = token.starts_with("prl_") || token.starts_with("pro_");
            (ours && scheme.eq_ignore_ascii_case("bearer") && given.next().is_none()).then_some(token)
        });
        let Some(token) = token else { return Err(bad_token()) };
        match front.authenticate(token).await {
            Ok(principal) => Ok(Self { principal: Some(principal), shown_by: ShownBy::Token }),
            Err(FrontError::NotFound) => Err(bad_token()),
            Err(error) => Err(masked(error, trace_id)),
        }
    }
}

/// Nobody, where the session has ended: they may be about to sign in again.
async fn by_cookie(front: &SharedFront, headers: &HeaderMap, trace_id: &str) -> Result<Caller, Unexecuted> {
    let Some(token) = cookie::read(headers).filter(|token| token.starts_with("prs_")) else {
        return Ok(Caller { principal: None, shown_by: ShownBy::Nothing });
    };
    let shown_by = ShownBy::Cookie;
    match front.authenticate(token).await {
        Ok(principal) => Ok(Caller { principal: Some(principal), shown_by }),
        Err(FrontError::NotFound) => Ok(Caller { principal: None, shown_by }),
        Err(error) => Err(masked(error, trace_id)),
    }
}

fn bad_token() -> Unexecuted {
    let message = "This API token is not valid, or not any more.";
    Unexecuted::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
        .with_header(header::WWW_AUTHENTICATE, "Bearer")
}

/// A fault while the token was looked up.
fn masked(error: FrontError, trace_id: &str) -> Unexecuted {
    let trace = Trace::new(trace_id.to_owned());
    match Refused::from(error) {
        Refused::Wrong(_) => bad_token(),
        Refused::Fault(fault) => {
            let code = fault.code;
            trace.mask(fault);
            Unexecuted::new(StatusCode::SERVICE_UNAVAILABLE, code.as_str(), code.message())
                .with_trace_id(trace_id)
        }
    }
}
