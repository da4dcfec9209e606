//! An answer on its way to the agency that asked, signed. Called by the worker, outside any unit of work.

use std::path::Path;
use std::sync::Arc;

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_person::Numbers;
use kaname_person::agency::{Agency as Asks, Desk, transaction};
use kaname_signin::{Provider, SigninError, client};
use kaname_store::Store;
use kaname_store::jobs::{Job, JobError, MOST_ATTEMPTS};
use kaname_trust::Keys;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::envelope::Message;
use super::{answers, criteria, envelope, search_message, status_message};
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
    if !may("dci.search") || !webhooks::may_be_called(&party, &written.address) {
        return transaction::settle(with.store, with.keys, &asks, &question, false).map_err(later);
    }
    let Answering { store, keys, pack, numbers, provider, .. } = *with;
    let desk = Desk { store, keys, pack, numbers, env, agency: &asks };
    let body = answered(desk, provider, env, &written).map_err(|_| JobError::Later("answer"))?;
    let body = serde_json::to_vec(&body).map_err(|_| JobError::Never("answer"))?;
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    if Courier::new(with.authorities)?.brings(&written.address, &headers, body) {
        return transaction::settle(store, keys, &asks, &question, true).map_err(later);
    }
    if job.attempt >= MOST_ATTEMPTS {
        transaction::settle(store, keys, &asks, &question, false).map_err(later)?;
        return Err(JobError::Never("receiver"));
    }
    Err(JobError::Later("receiver"))
}

fn answered(
    desk: Desk<'_>,
    provider: &Provider,
    env: &Env,
    written: &Written,
) -> Result<Value, envelope::Failure> {
    let message = Message { header: written.header.clone(), body: written.message.clone() };
    let receiver = desk.agency.id.as_str();
    if written.action == "search" {
        let requests = criteria::requests(&message)?;
        let parts = answers(desk, &requests)?;
        let body = search_message(desk, &message.body, parts);
        return envelope::sealed(provider, env, receiver, "on-search", requests.len(), body);
    }
    envelope::sealed(provider, env, receiver, "txn-on-status", 1, status_message(desk, &message.body)?)
}
