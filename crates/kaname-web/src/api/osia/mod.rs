//! OSIA, the open interfaces of the Secure Identity Alliance, as the register offers them to agencies' own systems.
//!
//! Each of OSIA's interfaces lies under an address of its own, because two of them give the same paths another meaning:
//! `/osia/data/v1/persons/{uin}` (Data Access 1.3) and `/osia/pr/v1/persons/{personId}` (Population Registry 1.5).
//! Errors have OSIA's form: `code` is the status, and `message` begins with our own code, whose page is `/errors/<code>`.

pub(crate) mod data;

use axum::http::header;
use kaname_person::agency::facts::Fact;
use serde_json::{Map, Value};

use crate::http::{Call, Problem};

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

/// A fact as OSIA shows it.
pub(crate) fn shown(fact: Fact) -> Value {
    match fact {
        Fact::Text(text) => Value::String(text),
        Fact::Flag(flag) => Value::Bool(flag),
    }
}
