//! OSIA UIN 1.2: a number for a person. Here nobody has a number who is not in the register, so the person is entered with it.

use axum::http::StatusCode;
use kaname_person::agency::enter;
use serde_json::Value;

use super::{noted, object, only, sent, transaction};
use crate::http::answer::{Answer, json as json_answer};
use crate::http::guard::Agency;
use crate::http::{App, Call};

/// `POST /v1/uin`: the same transaction again gives the same number.
pub(crate) fn generate(app: &App, call: &Call, agency: &Agency) -> Answer {
    let transaction = transaction(call)?;
    let attributes = object(call)?;
    for value in attributes.values() {
        sent(value)?;
    }
    let id = format!("uin:{transaction}");
    let number = enter::number(agency.desk(app, call), &id, &attributes)
        .inspect_err(noted(agency))
        .map_err(only(&[400, 403]))?;
    Ok(json_answer(StatusCode::OK, &Value::from(number.as_str())))
}
