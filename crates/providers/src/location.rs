//! A place on earth as an attachment: both providers tell places, neither as a file.

use parlance_domain::conversation::Attachment;

/// A number of degrees has fewer characters; more is not a number of degrees.
const DEGREES_BYTES_MAX: usize = 32;

/// A `geo:` address (RFC 5870) named like the place. `None`: these are no coordinates.
pub(crate) fn attachment(latitude: &str, longitude: &str, name: Option<String>) -> Option<Attachment> {
    let url = (is_degrees(latitude, 90.0) && is_degrees(longitude, 180.0))
        .then(|| format!("geo:{latitude},{longitude}"))?;
    Some(Attachment { kind: "location".into(), content_type: None, url: Some(url), name })
}

fn is_degrees(text: &str, max: f64) -> bool {
    text.len() <= DEGREES_BYTES_MAX
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'))
        && text.parse::<f64>().is_ok_and(|degrees| degrees.abs() <= max)
}
