//! OSIA, the open interfaces of the Secure Identity Alliance, as the register offers them to agencies' own systems.
//!
//! Each of OSIA's interfaces lies under an address of its own, because two of them give the same paths another meaning:
//! `/osia/data/v1/persons/{uin}` (Data Access 1.3) and `/osia/pr/v1/persons/{personId}` (Population Registry 1.5).
//! Errors have OSIA's form: `code` is the status, and `message` begins with our own code, whose page is `/errors/<code>`.

pub(crate) mod data;
pub(crate) mod enrol;
pub(crate) mod notification;
pub(crate) mod pr;
mod shape;
pub(crate) mod uin;

use axum::http::{StatusCode, header};
use kaname_person::agency::facts::Fact;
use kaname_person::{PersonError, Refusal};
use serde_json::{Map, Value};

use crate::http::guard::Agency;
use crate::http::{Call, Problem};

pub(crate) use kaname_person::agency::search::FAN_OUT;

/// OSIA's id of a transaction: we keep none, because every request can be repeated; but it must be there.
pub(crate) fn transaction(call: &Call) -> Result<&str, Problem> {
    match call.query.get("transactionId") {
        Some(id) if id.len() <= 256 => Ok(id),
        Some(_) => Err(Problem::malformed("transactionId is longer than 256 characters")),
        None => Err(Problem::malformed("transactionId is missing")),
    }
}

/// The body, which must be JSON with one reading.
pub(crate) fn json(call: &Call) -> Result<Value, Problem> {
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::wrong_media_type("application/json"));
    }
    kaname_codec::json::parse(&call.body)
        .map_err(|_| Problem::malformed("the body is not JSON, or names a field twice"))
}

/// The body, which must be a JSON object.
pub(crate) fn object(call: &Call) -> Result<Map<String, Value>, Problem> {
    match json(call)? {
        Value::Object(map) => Ok(map),
        _ => Err(Problem::malformed("the body is not a JSON object")),
    }
}

/// A value of OSIA's attributes: text, number or boolean. Numbers are compared as they are written.
pub(crate) fn fact(value: &Value) -> Result<Fact, Problem> {
    match value {
        Value::String(text) => Ok(Fact::Text(text.clone())),
        Value::Number(number) => Ok(Fact::Text(number.to_string())),
        Value::Bool(flag) => Ok(Fact::Flag(*flag)),
        _ => Err(Problem::malformed("a value is neither text, number nor boolean")),
    }
}

/// A value that an agency sends, by the letter of OSIA's schema: it allows a number as `integer` and as `number`, and wants exactly one
/// of them to fit, which no whole number does. Nothing that the register holds is a number, and what an agency's own file holds is
/// compared as it is written; so whoever means a number writes a text.
pub(crate) fn sent(value: &Value) -> Result<Fact, Problem> {
    if value.as_f64().is_some_and(|number| number.fract() == 0.0) {
        return Err(Problem::malformed("a whole number is written as a text, such as \"18\""));
    }
    fact(value)
}

/// A fact as OSIA shows it.
pub(crate) fn shown(fact: Fact) -> Value {
    match fact {
        Fact::Text(text) => Value::String(text),
        Fact::Flag(flag) => Value::Bool(flag),
    }
}

/// The page that is asked for: how many to leave out, and how many to give at most. OSIA allows every whole number; nobody gets more
/// than [`FAN_OUT`].
pub(crate) fn page(call: &Call) -> Result<(usize, usize), Problem> {
    Ok((whole(call, "offset", 0)?, whole(call, "limit", 100)?))
}

fn whole(call: &Call, name: &'static str, default: usize) -> Result<usize, Problem> {
    if !call.query.iter().any(|(known, _)| known == name) {
        return Ok(default);
    }
    let text = call.query.text(name);
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::malformed(format!("{name} is not a whole number")));
    }
    Ok(if negative { 0 } else { digits.parse().unwrap_or(usize::MAX) })
}

/// A flag of the query, off unless it is there.
pub(crate) fn flag(call: &Call, name: &'static str) -> Result<bool, Problem> {
    match (call.query.get(name), call.query.iter().any(|(known, _)| known == name)) {
        (Some("true"), _) => Ok(true),
        (Some("false"), _) | (None, false) => Ok(false),
        _ => Err(Problem::malformed(format!("{name} is neither true nor false"))),
    }
}

/// Refusals as an operation of OSIA may tell them: where the published description has no other status for it, as "not allowed".
pub(crate) fn only(documented: &'static [u16]) -> impl Fn(PersonError) -> Problem {
    move |error| {
        let problem = Problem::from(error);
        let status = osia_status(problem.status());
        let is_known = documented.contains(&status.as_u16()) || status.is_server_error();
        if is_known { problem } else { problem.with_status(StatusCode::FORBIDDEN) }
    }
}

/// Notes in our own log whose registration waits for an officer: one who often looks for people by registering them is seen.
pub(crate) fn noted(agency: &Agency) -> impl Fn(&PersonError) {
    let agency = agency.asks.id.clone();
    move |error| {
        if matches!(error, PersonError::Refused(Refusal::OfficerDecides)) {
            tracing::warn!(agency, "a registration of an agency waits for an officer");
        }
    }
}

/// OSIA has 400 for whatever is wrong with what was sent.
pub(crate) fn osia_status(status: StatusCode) -> StatusCode {
    match status {
        StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
        other => other,
    }
}

/// An answer without a body.
pub(crate) fn done(status: StatusCode) -> axum::response::Response {
    let mut response = axum::response::Response::new(axum::body::Body::empty());
    *response.status_mut() = status;
    response
}
