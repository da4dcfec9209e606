//! Events on their way to an agency's own address, signed. Called by the worker, outside any unit of work.

use std::path::Path;

use axum::http::Method;
use kaname_base::{Env, Instant};
use kaname_person::agency::feed::subscription::{self, Next};
use kaname_person::agency::feed::{Listener, Notice, Placed};
use kaname_signin::client::{self, Client as Party};
use kaname_signin::{Provider, SigninError, client_token};
use kaname_store::Store;
use kaname_store::jobs::{Job, JobError, MOST_ATTEMPTS};
use kaname_trust::Keys;
use serde_json::{Value, json};

use super::dci;
use crate::http::client::Client;

/// The kind of job that [`deliver`] does.
pub const KIND: &str = subscription::KIND;

/// The most events that one job sends before others have their turn.
const AT_ONCE: usize = 200;

/// The header with the signature: a detached JWS over the body (RFC 7515 appendix F), by a key of `/jwks`.
const SIGNATURE: &str = "kaname-signature";

/// Sends what a subscription has not got yet, in order.
///
/// # Errors
/// [`JobError::Later`] when the receiver did not answer with 2xx.
pub fn deliver(
    store: &Store,
    keys: &Keys,
    provider: &Provider,
    env: &dyn Fn() -> Env,
    authorities: Option<&Path>,
    job: &Job,
) -> Result<(), JobError> {
    let to = subscription::delivery(keys, job).ok_or(JobError::Never("unreadable"))?;
    // An agency that is no agency any more is sent nothing.
    let party = match client::get(provider, &env(), &to.agency) {
        Ok(party) => party,
        Err(SigninError::Refused(_)) => return Ok(()),
        Err(_) => return Err(JobError::Later("signin")),
    };
    let Some(listener) = listener(&party) else { return Ok(()) };
    let agency = &listener.agency;
    let courier = Courier::new(authorities)?;
    let later = |_| JobError::Later("store");
    for sent in 0..AT_ONCE {
        let next = subscription::next(store, keys, agency, &to).map_err(later)?;
        let (address, kind, id, body, place) = match next {
            Next::Nothing => return Ok(()),
            Next::Confirmation { address, topic, token } => {
                let body = confirmation(provider, &env(), &topic, &token);
                (address, Some("SubscriptionConfirmation"), token, body, None)
            }
            Next::Event { address, event: Placed { n, notice }, signed } => {
                let id = notice.id.clone();
                let (kind, body) = match signed {
                    None => (Some("Notification"), message(&notice)),
                    // DCI's envelope has its signature inside.
                    Some((code, told)) => {
                        let body = dci::events::notify(provider, &env(), agency, (&code, &told), &notice);
                        (None, body.ok_or(JobError::Later("answer"))?)
                    }
                };
                (address, kind, id, body, Some(n))
            }
        };
        // Taken back meanwhile.
        if !may_be_called(&party, &address) {
            subscription::stopped(store, keys, agency, &to).map_err(later)?;
            return Ok(());
        }
        let topic = body["topic"].as_str().unwrap_or_default().to_owned();
        let body = serde_json::to_vec(&body).map_err(|_| JobError::Never("message"))?;
        let signature = client_token::sign_detached(provider, &env(), &agency.id, &body);
        let signature = signature.map_err(|_| JobError::Later("store"))?;
        let mut headers = vec![("content-type", "application/json")];
        if let Some(kind) = kind {
            headers.extend([
                ("message-type", kind),
                ("message-id", &id),
                ("topic-id", &topic),
                (SIGNATURE, &signature),
            ]);
        }
        match (courier.brings(&address, &headers, body), place) {
            (true, None) => return Ok(()),
            (true, Some(n)) => subscription::arrived(store, keys, agency, &to, n).map_err(later)?,
            // It has answered meanwhile: its attempts count anew.
            (false, _) if sent > 0 => {
                return subscription::go_on(store, keys, &env(), agency, &to).map_err(later);
            }
            (false, _) if job.attempt >= MOST_ATTEMPTS => {
                subscription::stopped(store, keys, agency, &to).map_err(later)?;
                return Err(JobError::Never("receiver"));
            }
            (false, _) => return Err(JobError::Later("receiver")),
        }
    }
    subscription::go_on(store, keys, &env(), agency, &to).map_err(later)
}

/// Brings messages to agencies' own addresses, from a thread that may wait.
pub(crate) struct Courier {
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Courier {
    /// One that trusts these authorities to say who a receiver is.
    pub(crate) fn new(authorities: Option<&Path>) -> Result<Courier, JobError> {
        let client = Client::new(authorities).map_err(|_| JobError::Later("authorities"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Courier { client, runtime: runtime.map_err(|_| JobError::Later("runtime"))? })
    }

    /// Whether the receiver took it: it answered with 2xx.
    pub(crate) fn brings(&self, address: &str, headers: &[(&str, &str)], body: Vec<u8>) -> bool {
        let answer = self.runtime.block_on(self.client.send(Method::POST, address, headers, body));
        answer.is_ok_and(|answer| answer.status.is_success())
    }
}

/// Who may hear of events: every party that is registered as an agency.
///
/// # Errors
/// [`SigninError::Store`].
pub fn listeners(provider: &Provider, env: &Env) -> Result<Vec<Listener>, SigninError> {
    Ok(client::list(provider, env)?.iter().filter_map(|party| listener(party)).collect())
}

fn listener(party: &Party) -> Option<Listener> {
    let registration = party.registration();
    let agency = registration.agency.as_ref()?;
    let hears =
        ["events.read", "notif.sub.write"].iter().any(|scope| agency.scopes.iter().any(|s| s == scope));
    hears.then(|| Listener { agency: crate::http::guard::asking(registration), everyone: agency.everyone })
}

/// Whether an address lies under one that the authority has recorded for the party: nothing else is called, whoever asks.
pub(crate) fn may_be_called(party: &Party, address: &str) -> bool {
    let Some(agency) = &party.registration().agency else { return false };
    let is_plain = address.len() <= 512
        && address.bytes().all(|b| b.is_ascii_graphic() && !b"#@\"<>\\^`{|}".contains(&b));
    is_plain
        && agency.webhooks.iter().any(|allowed| {
            let rest = address.strip_prefix(allowed.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        })
}

fn confirmation(provider: &Provider, env: &Env, topic: &str, token: &str) -> Value {
    let address = format!("{}/osia/notification/v1/subscriptions/confirm", provider.config().issuer);
    json!({
        "type": "SubscriptionConfirmation",
        "topic": topic,
        "token": token,
        "messageId": token,
        "message": "Confirm that you want events of this topic: GET subscribeURL with an access token of your agency.",
        "subscribeURL": format!("{address}?token={token}"),
        "timestamp": env.now.to_string(),
    })
}

fn message(notice: &Notice) -> Value {
    let text = match notice.topic.strip_prefix("life.") {
        Some(event) => json!({ "event": event, "personId": notice.text }).to_string(),
        None => notice.text.clone(),
    };
    json!({
        "type": "Notification",
        "topic": notice.topic,
        "messageId": notice.id,
        "subject": notice.subject,
        "message": text,
        "timestamp": Instant::from_seconds(notice.at).to_string(),
    })
}
