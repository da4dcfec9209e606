//! An answer on its way to the agency that asked, signed. Called by the worker, outside any unit of work.

use std::path::Path;
use std::sync::Arc;

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_person::Numbers;
use kaname_person::agency::feed::watch::Done;
use kaname_person::agency::transaction::{self, Named, State};
use kaname_person::agency::{Agency as Asks, Desk};
use kaname_signin::{Provider, SigninError, client};
use kaname_store::Store;
use kaname_store::jobs::{Job, JobError, MOST_ATTEMPTS};
use kaname_trust::Keys;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::envelope::Message;
use super::{answers, criteria, envelope, events, search_message, status_message};
use crate::api::webhooks::{self, Courier};
use crate::http::guard;

/// The kind of job that [`deliver`] does.
pub const KIND: &str = transaction::KIND;

/// A question as its job holds it.
#[derive(Serialize, Deserialize)]
struct Written {
    action: String,
    address: String,
    sees_numbers: bool,
    purpose: Option<String>,
    header: Map<String, Value>,
    message: Map<String, Value>,
}

/// What a job needs to answer.
pub(super) fn written(asks: &Asks, action: &str, address: &str, message: &Message) -> String {
    let written = Written {
        action: action.to_owned(),
        address: address.to_owned(),
        sees_numbers: asks.sees_numbers,
        purpose: asks.purpose.clone(),
        header: ["total_count"]
            .iter()
            .filter_map(|name| message.header.get_key_value(*name))
            .map(copied)
            .collect(),
        message: message.body.clone(),
    };
    serde_json::to_string(&written).expect("a message is plain data")
}

fn copied((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// What the worker answers with.
pub struct Answering<'a> {
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// The country's pack.
    pub pack: &'a Arc<Pack>,
    /// The source of new numbers.
    pub numbers: &'a Numbers,
    /// Knows the agencies and signs.
    pub provider: &'a Provider,
    /// Whom to trust to say who a receiver is.
    pub authorities: Option<&'a Path>,
}

/// Answers a question and brings the answer to the agency. Each attempt reads anew, with an entry in the log of whoever is opened:
/// an answer with people's data lies nowhere.
///
/// # Errors
/// [`JobError::Later`] when the receiver did not answer with 2xx.
pub fn deliver(with: &Answering<'_>, env: &Env, job: &Job) -> Result<(), JobError> {
    let later = |_| JobError::Later("store");
    let question = transaction::question(with.keys, job).ok_or(JobError::Never("unreadable"))?;
    let written: Written = serde_json::from_str(&question.body).map_err(|_| JobError::Never("unreadable"))?;
    // Whoever may not ask any more is told nothing more.
    let party = match client::get(with.provider, env, &question.agency) {
        Ok(party) => party,
        Err(SigninError::Refused(_)) => return Ok(()),
        Err(_) => return Err(JobError::Later("signin")),
    };
    let may = |scope: &str| {
        party
            .registration()
            .agency
            .as_ref()
            .is_some_and(|agency| agency.scopes.iter().any(|one| one == scope))
    };
    let asks = Asks {
        purpose: written.purpose.clone(),
        sees_numbers: written.sees_numbers && may("uin.read"),
        ..guard::asking(party.registration())
    };
    let Answering { store, keys, pack, numbers, provider, .. } = *with;
    let settle = |state| transaction::settle(store, keys, &asks, &question, state).map_err(later);
    let scope = match written.action.as_str() {
        events::SUBSCRIBE | events::UNSUBSCRIBE => "notif.sub.write",
        _ => "dci.search",
    };
    if !may(scope) || !webhooks::may_be_called(&party, &written.address) {
        return settle(State::GivenUp);
    }
    let desk = Desk { store, keys, pack, numbers, env, agency: &asks };
    let is_last = job.attempt >= MOST_ATTEMPTS;
    let (body, state) = match answered(desk, provider, env, &written, &question.done) {
        Ok(body) => (body, State::Answered),
        Err(failure) => match never(&failure) {
            // Whoever asked is told, once more and for the last time.
            Some(why) => match unanswerable(desk, provider, env, &written, why) {
                Ok(body) => (body, State::Unanswerable),
                Err(_) => return Err(JobError::Later("answer")),
            },
            None if is_last => {
                settle(State::Unanswerable)?;
                return Err(JobError::Never("answer"));
            }
            None => return Err(JobError::Later("answer")),
        },
    };
    let body = serde_json::to_vec(&body).map_err(|_| JobError::Never("answer"))?;
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    if Courier::new(with.authorities)?.brings(&written.address, &headers, body) {
        return settle(state);
    }
    if is_last {
        settle(if state == State::Answered { State::GivenUp } else { state })?;
        return Err(JobError::Never("receiver"));
    }
    Err(JobError::Later("receiver"))
}

/// What is said of a question to which there can be no answer.
pub(super) const UNANSWERABLE: &str = "the register cannot answer this question; ask it anew";

/// Why trying again cannot help, if it cannot: what was taken is read otherwise now, or the register says no to all of it.
fn never(failure: &envelope::Failure) -> Option<String> {
    match failure {
        envelope::Failure::Refused(refused) => Some(refused.text().to_owned()),
        envelope::Failure::Problem(problem) if problem.status().is_client_error() => {
            Some(format!("{}: {}", problem.code(), problem.detail()))
        }
        envelope::Failure::Problem(_) => None,
    }
}

/// The answer that there is none, in the form of the question's kind, with every part of it that can be named.
fn unanswerable(
    desk: Desk<'_>,
    provider: &Provider,
    env: &Env,
    written: &Written,
    why: String,
) -> Result<Value, envelope::Failure> {
    let id = written.message.get("transaction_id").and_then(Value::as_str).unwrap_or_default();
    let known = transaction::status(desk, Named::Own(id))?;
    let references = known.map(|known| known.references).unwrap_or_default();
    let at = env.now.to_string();
    let parts = references.iter().map(|reference| {
        json!({ "reference_id": reference, "timestamp": at, "status": "rjct", "status_reason_message": why })
    });
    let correlation = transaction::correlation(desk.keys, desk.agency, id);
    let mut message = json!({ "transaction_id": id, "correlation_id": correlation });
    match written.action.as_str() {
        events::SUBSCRIBE => message["subscribe_response"] = parts.collect(),
        events::UNSUBSCRIBE => {
            message["timestamp"] = Value::from(at.as_str());
            message["status"] = Value::from("rjct");
        }
        _ => message["search_response"] = parts.collect(),
    }
    envelope::rejected(provider, env, &desk.agency.id, on(&written.action), &why, message)
}

/// The action of the answer.
fn on(action: &str) -> &'static str {
    match action {
        "search" => "on-search",
        events::SUBSCRIBE => "on-subscribe",
        events::UNSUBSCRIBE => "on-unsubscribe",
        _ => "txn-on-status",
    }
}

fn answered(
    desk: Desk<'_>,
    provider: &Provider,
    env: &Env,
    written: &Written,
    done: &[Done],
) -> Result<Value, envelope::Failure> {
    let message = Message { header: written.header.clone(), body: written.message.clone() };
    let (count, body) = match written.action.as_str() {
        "search" => {
            let requests = criteria::requests(&message)?;
            let parts = answers(desk, &requests)?;
            (requests.len(), search_message(desk, &message.body, parts))
        }
        events::SUBSCRIBE => events::begun(desk, &message, done)?,
        events::UNSUBSCRIBE => (1, events::ended(desk, &message, done)),
        _ => (1, status_message(desk, &message.body)?),
    };
    envelope::sealed(provider, env, &desk.agency.id, on(&written.action), count, body)
}
