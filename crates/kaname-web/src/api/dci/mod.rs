//! DCI registry search (Social Protection Digital Convergence Initiative, `registry` 1.0.0 with the records of civil registration):
//! an agency asks at once (`/registry/sync/search`) or has the answer brought to it (`/registry/search`).
//!
//! - Every message is signed by the agency's registered key, and every answer by a key of `/.well-known/jwks.json`. The standard says
//!   what is signed ("{header}+{message} body") and that keys are found by a JWS's `kid`; the form here is a JWS whose payload travels
//!   beside it (RFC 7515 appendix F), over `{"header":…,"message":…}` in the one text of RFC 8785.
//! - A search must name whom it means. To a question about everybody who fits, the answer is `rjct.search.too_many_records_found`.
//! - Events are subscribed to (`/registry/subscribe`) and brought (`notify`) in its form, too, out of the same feed as OSIA's.
//! - What is shown is what the law gives the agency, as in OSIA's data access, and each person who was opened has an entry in her log.

mod criteria;
mod envelope;
pub(crate) mod events;
pub mod later;
mod record;

use axum::http::StatusCode;
use kaname_base::Instant;
use kaname_person::PersonError;
use kaname_person::agency::search::search;
use kaname_person::agency::transaction::{self, State, Transaction};
use kaname_person::agency::{Agency as Asks, Desk};
use serde_json::{Map, Value, json};

use self::criteria::{Rejected, Request};
use self::envelope::{Failure, Voice};
use crate::http::answer::{Answer, json as json_answer};
use crate::http::guard::Agency;
use crate::http::{App, Call};

/// `POST /registry/sync/search`
pub(crate) fn search_now(app: &App, call: &Call, agency: &Agency) -> Answer {
    let answered = || {
        let message = envelope::receive(app, call, agency, "search")?;
        let requests = criteria::requests(&message)?;
        let parts = answers(agency.desk(app, call), &requests)?;
        let body = search_message(agency.desk(app, call), &message.body, parts);
        envelope::sealed(&app.signin, &call.env, agency.asks.id.as_str(), "on-search", requests.len(), body)
    };
    envelope::told(app, call, agency, Voice::Sync("on-search"), answered())
}

/// `POST /registry/search`: an acknowledgement; the answer goes to `sender_uri`.
pub(crate) fn search_later(app: &App, call: &Call, agency: &Agency) -> Answer {
    let answered = || {
        let message = envelope::receive(app, call, agency, "search")?;
        let requests = criteria::requests(&message)?;
        let address = envelope::address(agency, &message)?;
        let references = requests.iter().map(|request| request.reference.clone()).collect();
        let body = later::written(&agency.asks, "search", address, &message);
        let id = criteria::transaction(&message.body)?;
        events::taken(transaction::open(agency.desk(app, call), id, references, &body))?;
        Ok(envelope::acknowledged(call, &transaction::correlation(&app.keys, &agency.asks, id)))
    };
    envelope::told(app, call, agency, Voice::Async, answered())
}

/// `POST /registry/sync/txn/status`
pub(crate) fn status_now(app: &App, call: &Call, agency: &Agency) -> Answer {
    let answered = || {
        let message = envelope::receive(app, call, agency, "txn-status")?;
        let body = status_message(agency.desk(app, call), &message.body)?;
        envelope::sealed(&app.signin, &call.env, agency.asks.id.as_str(), "txn-on-status", 1, body)
    };
    envelope::told(app, call, agency, Voice::Sync("txn-on-status"), answered())
}

/// `POST /registry/txn/status`: an acknowledgement; the answer goes to `sender_uri`.
pub(crate) fn status_later(app: &App, call: &Call, agency: &Agency) -> Answer {
    let answered = || {
        let message = envelope::receive(app, call, agency, "txn-status")?;
        let id = criteria::transaction(&message.body)?;
        criteria::status(&message.body)?;
        let address = envelope::address(agency, &message)?;
        let body = later::written(&agency.asks, "txn-status", address, &message);
        transaction::ask_once(agency.desk(app, call), &body)?;
        Ok(envelope::acknowledged(call, &transaction::correlation(&app.keys, &agency.asks, id)))
    };
    envelope::told(app, call, agency, Voice::Async, answered())
}

/// The answer to each request of a message, in their order.
fn answers(desk: Desk<'_>, requests: &[Request]) -> Result<Vec<Value>, Failure> {
    requests.iter().map(|request| answer(desk, request)).collect()
}

fn answer(desk: Desk<'_>, request: &Request) -> Result<Value, Failure> {
    let at = desk.env.now.to_string();
    let mut shown = json!({ "reference_id": request.reference, "timestamp": at });
    if let Some(locale) = &request.locale {
        shown["locale"] = Value::from(locale.as_str());
    }
    let agency = Asks {
        purpose: request.purpose.clone().or_else(|| desk.agency.purpose.clone()),
        ..desk.agency.clone()
    };
    let found = match &request.ask {
        Err(rejected) => Err(rejected.clone()),
        Ok(ask) => {
            let ask = record::reading(ask, &agency);
            match search(Desk { agency: &agency, ..desk }, &ask) {
                Ok(found) => Ok(found),
                Err(PersonError::Refused(refusal)) => Err(Rejected::of(&refusal)),
                Err(error) => return Err(error.into()),
            }
        }
    };
    match found {
        Err(Rejected { code, text }) => {
            shown["status"] = Value::from("rjct");
            shown["status_reason_code"] = Value::from(code);
            shown["status_reason_message"] = Value::from(text);
        }
        Ok(found) => {
            let (size, page) = request.page;
            let skipped = size.saturating_mul(page.saturating_sub(1));
            let records: Vec<Value> = found.iter().skip(skipped).take(size).map(record::view).collect();
            shown["status"] = Value::from("succ");
            shown["data"] = json!({
                "version": "1.0.0", "reg_type": record::TYPE, "reg_record_type": record::RECORD, "reg_records": records,
            });
            shown["pagination"] =
                json!({ "page_size": size, "page_number": page, "total_count": found.len() });
        }
    }
    Ok(shown)
}

/// The standard's `SearchResponse`.
fn search_message(desk: Desk<'_>, asked: &Map<String, Value>, parts: Vec<Value>) -> Value {
    let id = asked.get("transaction_id").and_then(Value::as_str).unwrap_or_default();
    let correlation = transaction::correlation(desk.keys, desk.agency, id);
    json!({ "transaction_id": id, "correlation_id": correlation, "search_response": parts })
}

/// The standard's `TxnStatusResponse`: where each part of a question stands, never what was answered.
fn status_message(desk: Desk<'_>, asked: &Map<String, Value>) -> Result<Value, Failure> {
    let own = criteria::transaction(asked)?;
    let wanted = criteria::status(asked)?;
    let found = match wanted.named {
        Some(named) => transaction::status(desk, named)?,
        None => None,
    };
    let correlation = transaction::correlation(desk.keys, desk.agency, own);
    let found = found.filter(|found| found.kind == wanted.kind);
    // The standard has no word for a question that is not known: a status without parts.
    let (id, of_it, parts) = match &found {
        None => (own, correlation.as_str(), Vec::new()),
        Some(found) => {
            let parts = found.references.iter().map(|reference| {
                let mut part = state_of(found);
                part["reference_id"] = Value::from(reference.as_str());
                part
            });
            (found.id.as_str(), found.correlation.as_str(), parts.collect())
        }
    };
    let mut status = match (wanted.kind, &found) {
        (events::UNSUBSCRIBE, Some(found)) => state_of(found),
        (events::SUBSCRIBE, _) => json!({ "subscribe_response": parts }),
        _ => json!({ "search_response": parts }),
    };
    status["transaction_id"] = Value::from(id);
    status["correlation_id"] = Value::from(of_it);
    Ok(json!({
        "transaction_id": own, "correlation_id": correlation,
        "txnstatus_response": { "txn_type": wanted.kind, "txn_status": status },
    }))
}

/// Where a question, or a part of it, stands; and why, if there will be no answer.
fn state_of(found: &Transaction) -> Value {
    let (status, why) = match found.state {
        State::Waiting => ("pdng", None),
        State::Answered => ("succ", None),
        State::GivenUp => ("rjct", Some("the answer was brought, and nobody took it")),
        State::Unanswerable => ("rjct", Some(later::UNANSWERABLE)),
    };
    let mut shown = json!({ "timestamp": Instant::from_seconds(found.at).to_string(), "status": status });
    if let Some(why) = why {
        shown["status_reason_message"] = Value::from(why);
    }
    shown
}

/// 200 with this body.
fn fine(body: &Value) -> axum::response::Response {
    json_answer(StatusCode::OK, body)
}
