//! A request's parameters, as JSON in the body of a POST or in the query of a GET (GraphQL over HTTP, section
//! "Request Parameters"), bounded in size and checked for their types.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
};
use http_body_util::BodyExt as _;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor as Visiting},
};

use super::{answers::Unexecuted, negotiation::is_utf8};

/// The longest query of a page is some kilobytes; a member's text is a few more.
pub(crate) const BODY_BYTES_MAX: usize = 256 * 1024;
/// The same from nobody: enough for signing in and introspection, and little enough that all connections together
/// may hold one.
pub(crate) const ANONYMOUS_BODY_BYTES_MAX: usize = 32 * 1024;
/// A GET's query, as it was sent. Proxies and browsers cut longer addresses anyway.
const URL_BYTES_MAX: usize = 16 * 1024;

/// What a client wants to be run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parameters {
    pub query: Option<String>,
    /// A document that the server knows (GraphQL over HTTP, appendix "Persisted Documents").
    pub document_id: Option<String>,
    pub operation_name: Option<String>,
    pub variables: Map,
    pub extensions: Map,
}

type Map = serde_json::Map<String, serde_json::Value>;

const WRONG_BODY: &str = "Send a JSON object with `query` (a text), and, if needed, `operationName` (a text), \
    `variables` and `extensions` (objects), each once.";
const WRONG_URL: &str = "Send `query`, and, if needed, `operationName`, `variables` and `extensions` (JSON objects) \
    in the address, each once.";
const NO_QUERY: &str = "Send the document as `query`.";
const BATCH: &str = "Send one request at a time: batches are not taken.";

impl Parameters {
    /// Reads a GET's or POST's parameters.
    pub async fn read(request: Request, bytes_max: usize) -> Result<Self, Unexecuted> {
        let parameters = if *request.method() == Method::POST {
            is_json(request.headers())?;
            Self::from_body(&body(request, bytes_max).await?)?
        } else {
            Self::from_url(request.uri().query().unwrap_or_default())?
        };
        parameters.whole()
    }

    /// Reads what was told as a JSON value, such as a `subscribe` message's payload.
    pub fn from_json(value: &str) -> Result<Self, Unexecuted> {
        Self::from_body(value.as_bytes())?.whole()
    }

    fn from_body(bytes: &[u8]) -> Result<Self, Unexecuted> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'[') {
            return Err(Unexecuted::new(StatusCode::BAD_REQUEST, "BATCH_REFUSED", BATCH));
        }
        serde_json::from_slice(bytes).map_err(|_| Unexecuted::malformed(WRONG_BODY))
    }

    /// An empty value is none, but for `query`.
    fn from_url(query: &str) -> Result<Self, Unexecuted> {
        if query.len() > URL_BYTES_MAX {
            let message = "The address is longer than 16 KiB. Send the request with POST.";
            return Err(Unexecuted::new(StatusCode::URI_TOO_LONG, "URI_TOO_LONG", message));
        }
        let wrong = || Unexecuted::malformed(WRONG_URL);
        let mut read = Read::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // What is no UTF-8 was replaced.
            if value.contains('\u{FFFD}') {
                return Err(wrong());
            }
            let text = |given: &str| Some(given.to_owned()).filter(|given| !given.is_empty());
            let object = |given: &str| match given {
                "" => Ok(None),
                given => serde_json::from_str::<Option<Map>>(given),
            };
            match &*name {
                "query" => once(&mut read.query, Some(value.into_owned())),
                "documentId" => once(&mut read.document_id, text(&value)),
                "operationName" => once(&mut read.operation_name, text(&value)),
                "variables" => once(&mut read.variables, object(&value).map_err(|_| wrong())?),
                "extensions" => once(&mut read.extensions, object(&value).map_err(|_| wrong())?),
                _ => Some(()), // reserved; not to be refused
            }
            .ok_or_else(wrong)?;
        }
        Ok(read.into())
    }

    fn whole(self) -> Result<Self, Unexecuted> {
        let known = self.query.is_some()
            || self.document_id.is_some()
            || self.extensions.contains_key("persistedQuery");
        if known { Ok(self) } else { Err(Unexecuted::malformed(NO_QUERY)) }
    }
}

/// What was read so far; the outer `None`: not yet.
#[derive(Default)]
struct Read {
    query: Option<Option<String>>,
    document_id: Option<Option<String>>,
    operation_name: Option<Option<String>>,
    variables: Option<Option<Map>>,
    extensions: Option<Option<Map>>,
}

/// `None`: it was given before. Two clients in the chain might each look at another one.
fn once<T>(place: &mut Option<Option<T>>, value: Option<T>) -> Option<()> {
    place.is_none().then(|| *place = Some(value))
}

impl From<Read> for Parameters {
    fn from(read: Read) -> Self {
        Self {
            query: read.query.flatten(),
            document_id: read.document_id.flatten(),
            operation_name: read.operation_name.flatten(),
            variables: read.variables.flatten().unwrap_or_default(),
            extensions: read.extensions.flatten().unwrap_or_default(),
        }
    }
}

impl<'de> Deserialize<'de> for Parameters {
    /// From an object alone: a derived reader would take an array as well.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visiting<'de> for Fields {
            type Value = Parameters;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
                let mut read = Read::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "query" => once(&mut read.query, map.next_value()?),
                        "documentId" => once(&mut read.document_id, map.next_value()?),
                        "operationName" => once(&mut read.operation_name, map.next_value()?),
                        "variables" => once(&mut read.variables, map.next_value()?),
                        "extensions" => once(&mut read.extensions, map.next_value()?),
                        _ => map.next_value::<serde::de::IgnoredAny>().map(|_| Some(()))?,
                    }
                    .ok_or_else(|| A::Error::custom("given twice"))?;
                }
                Ok(read.into())
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// Only JSON: a form of another site can send the other types without being asked.
fn is_json(headers: &HeaderMap) -> Result<(), Unexecuted> {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let value = given.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let is_readable = parts.filter_map(|part| part.split_once('=')).all(|(key, value)| {
        !key.trim().eq_ignore_ascii_case("charset") || is_utf8(value.trim().trim_matches('"'))
    });
    let is_plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_json && is_readable && is_plain && given.next().is_none() {
        Ok(())
    } else {
        let message = "Send the request as application/json in UTF-8, not compressed.";
        Err(Unexecuted::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message))
    }
}

/// The body, whole. One that says that it is too long is refused before it is read. Its pieces are copied as they
/// come: kept as they are, a body of one-byte chunks would hold many times its length.
async fn body(request: Request, bytes_max: usize) -> Result<Vec<u8>, Unexecuted> {
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if told.and_then(|told| told.parse::<usize>().ok()).is_some_and(|told| told > bytes_max) {
        return Err(too_large(bytes_max));
    }
    let (mut body, mut bytes) = (request.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unexecuted::malformed("The request did not arrive whole."))?;
        let Some(piece) = frame.data_ref() else { continue };
        if bytes.len() + piece.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        bytes.extend_from_slice(piece);
    }
    Ok(bytes)
}

fn too_large(bytes_max: usize) -> Unexecuted {
    let message = if bytes_max == BODY_BYTES_MAX {
        "The request is larger than 256 KiB."
    } else {
        "The request is larger than 32 KiB. Sign in, or send an API token, to send up to 256 KiB."
    };
    Unexecuted::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(query: &str) -> Result<Parameters, &'static str> {
        Parameters::from_url(query).and_then(Parameters::whole).map_err(|refused| refused.code)
    }

    #[test]
    fn every_parameter_is_read_of_its_own_type_and_null_is_none() {
        let read = Parameters::from_json(
            r#"{"query":"{a}","operationName":"A","variables":{"n":1},"extensions":{"e":[]},"more":[{}]}"#,
        )
        .unwrap();
        assert_eq!((read.query.as_deref(), read.operation_name.as_deref()), (Some("{a}"), Some("A")));
        assert_eq!((&read.variables["n"], &read.extensions["e"]), (&1.into(), &serde_json::json!([])));
        let nulls = r#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#;
        let bare = Parameters { query: Some("{a}".to_owned()), ..Parameters::default() };
        assert_eq!(Parameters::from_json(nulls).unwrap(), bare);
        for wrong in [
            "",
            "7",
            "null",
            "\"{a}\"",
            "{",
            "{}",
            r#"{"query":null}"#,
            r#"{"query":7}"#,
            r#"{"query":["{a}"]}"#,
            r#"{"query":"{a}","query":"{b}"}"#,
            r#"{"query":"{a}","variables":null,"variables":{}}"#,
            r#"{"query":"{a}","variables":"{}"}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","extensions":0}"#,
            r#"{"query":"{a}","operationName":false}"#,
            r#"{"query":"{a}"} {}"#,
            r#"{"operationName":"A"}"#,
            r#"{"query":"\ud800"}"#,
        ] {
            let code = Parameters::from_json(wrong).map_err(|refused| refused.code);
            assert_eq!(code, Err("BAD_REQUEST"), "{wrong}");
        }
        let batch = Parameters::from_json(r#" [{"query":"{a}"}]"#).map_err(|refused| refused.code);
        assert_eq!(batch, Err("BATCH_REFUSED"));
    }

    #[test]
    fn an_address_holds_the_same_and_nothing_twice() {
        let read =
            url("query=%7Ba%7D&operationName=null&variables=%7B%22n%22%3A1%7D&other=x&extensions=").unwrap();
        assert_eq!((read.query.as_deref(), read.operation_name.as_deref()), (Some("{a}"), Some("null")));
        assert_eq!((&read.variables["n"], read.extensions.len()), (&1.into(), 0));
        assert_eq!(url("query={a}&operationName=").unwrap().operation_name, None);
        assert_eq!(url("query={a}&variables=null").unwrap().variables.len(), 0);
        for wrong in [
            "",
            "qeury={a}",
            "query={a}&query={a}",
            "query={a}&variables=",
            "query={a}&variables={}&variables={}",
            "query={a}&variables=[]",
            "query={a}&variables=x",
            "query={a}&extensions=7",
            "query=%FF",
        ] {
            let expected = if wrong.ends_with("variables=") { Ok(()) } else { Err("BAD_REQUEST") };
            assert_eq!(url(wrong).map(drop), expected, "{wrong}");
        }
        assert_eq!(url(&format!("query={}", "x".repeat(URL_BYTES_MAX))), Err("URI_TOO_LONG"));
    }
}
