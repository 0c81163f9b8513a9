//! Asks the Graph API whose token this is. The token travels in a header, out of the sight of whatever logs
//! addresses; the proof that goes with it in the query is worthless without it.

use hmac::Mac as _;
use parlance_app::ingestion::{CheckError, Checked, Credentials};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::verify::mac;
use crate::{
    Outbound, hex,
    outbound::{Answer, below},
};

/// The version that Parlance is written against. Meta answers each for about two years.
const GRAPH_VERSION: &str = "v25.0";

/// Error codes that mean "later", whatever status they come with: temporary, too many calls (of the app, of the
/// page), temporarily out of service.
const LATER: [i64; 4] = [2, 4, 613, 1200];

#[derive(Deserialize)]
struct Me {
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    error: FailureDetail,
}

#[derive(Deserialize)]
struct FailureDetail {
    code: i64,
}

/// Whether the page token is this page's, and the app secret its app's.
pub(super) async fn check(
    outbound: &Outbound,
    graph_url: &Url,
    credentials: Credentials<'_>,
) -> Result<Checked, CheckError> {
    let secrets = credentials.secrets;
    // A token that cannot stand in a header is none of Meta's.
    let token = credentials
        .access
        .or(secrets.access.as_deref())
        .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(CheckError::Refused)?;
    if secrets.signing.is_empty() {
        return Err(CheckError::Refused);
    }
    let proof = hex::encode(&mac(&secrets.signing, token.as_bytes()).finalize().into_bytes());
    let query = format!("fields=id,name&appsecret_proof={proof}");
    let url = below(graph_url, &[GRAPH_VERSION, "me"], Some(&query))?;
    let answer = outbound.get(url, |request| request.bearer_auth(token)).await?;
    if answer.status != StatusCode::OK {
        return Err(refusal(&answer));
    }
    let me: Me = answer.json()?;
    if me.id == credentials.provider_id {
        Ok(Checked { name: me.name, shared: false })
    } else {
        Err(CheckError::Refused)
    }
}

fn refusal(answer: &Answer) -> CheckError {
    match answer.json::<Failure>() {
        Ok(failure) if LATER.contains(&failure.error.code) => CheckError::Unavailable,
        _ => answer.refusal(),
    }
}
