//! What the browser says about the ceremony (section 5.8.1; steps 7.1-7 to 7.1-12 and 7.2-10 to 7.2-15).

use super::{Expected, WebauthnError};
use crate::{b64, json};
use serde_json::Value;

/// Longest client data that are read; a browser writes a few hundred bytes.
const MAX_BYTES: usize = 8 * 1024;
/// Shortest challenge that is safe (section 13.4.3).
const MIN_CHALLENGE_BYTES: usize = 16;

pub(super) fn check(expected: &Expected<'_>, kind: &str, bytes: &[u8]) -> Result<(), WebauthnError> {
    if bytes.len() > MAX_BYTES {
        return Err(WebauthnError::ClientData);
    }
    let data = json::parse_object(bytes).map_err(|_| WebauthnError::ClientData)?;
    let text = |name| data.get(name).and_then(Value::as_str).ok_or(WebauthnError::ClientData);

    if text("type")? != kind {
        return Err(WebauthnError::Type);
    }
    let long_enough = expected.challenge.len() >= MIN_CHALLENGE_BYTES;
    if !long_enough || text("challenge")? != b64::url_encode(expected.challenge) {
        return Err(WebauthnError::Challenge);
    }
    let origin = text("origin")?;
    if !expected.origins.contains(&origin) {
        return Err(WebauthnError::Origin(origin.chars().take(200).collect()));
    }
    let framed = match data.get("crossOrigin") {
        None => false,
        Some(Value::Bool(framed)) => *framed,
        Some(_) => return Err(WebauthnError::ClientData),
    };
    if framed || data.contains_key("topOrigin") {
        // A browser that does not name the page above us leaves us unable to judge it.
        let top = text("topOrigin").map_err(|_| WebauthnError::Framed)?;
        if !framed || !expected.top_origins.contains(&top) {
            return Err(WebauthnError::Framed);
        }
    }
    Ok(())
}
