//! Signature, header, message: what must hold of every message before it is looked into, and the envelope of every answer.

use axum::http::{StatusCode, header};
use axum::response::Response;
use kaname_base::Env;
use kaname_codec::canonical::canonical;
use kaname_person::PersonError;
use kaname_signin::{Provider, client_token};
use serde_json::{Map, Value, json};

use crate::api::webhooks;
use crate::http::answer::{Answer, json as json_answer};
use crate::http::guard::Agency;
use crate::http::{App, Call, Problem};

/// How far the clock of a sender may be from ours, and how long a message may travel.
const LEEWAY_SECONDS: i64 = 300;

/// The version of the messaging protocol.
const VERSION: &str = "1.0.0";

/// A message whose signature and header hold.
pub(super) struct Message {
    pub(super) header: Map<String, Value>,
    pub(super) body: Map<String, Value>,
}

/// Why a message is not looked into.
#[derive(Clone)]
pub(super) struct Refused {
    status: StatusCode,
    /// A code of the standard's `Error`.
    error: &'static str,
    /// A code of the standard's header.
    reason: Option<&'static str>,
    text: String,
}

impl Refused {
    /// 400: it cannot be read in the way that the standard has.
    pub(super) fn bad(text: impl Into<String>) -> Refused {
        Refused::of("err.request.bad", text)
    }

    fn of(error: &'static str, text: impl Into<String>) -> Refused {
        Refused { status: StatusCode::BAD_REQUEST, error, reason: None, text: text.into() }
    }

    /// 400, for which the header has a code of its own.
    pub(super) fn header(reason: &'static str, text: impl Into<String>) -> Refused {
        Refused { reason: Some(reason), ..Refused::bad(text) }
    }

    /// For people.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn shown(&self) -> Value {
        json!({ "code": self.error, "message": self.text })
    }
}

/// Why there is no answer.
pub(super) enum Failure {
    /// The message was refused.
    Refused(Refused),
    /// Something else went wrong.
    Problem(Problem),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        Failure::Refused(refused)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure::Problem(problem)
    }
}

impl From<PersonError> for Failure {
    fn from(error: PersonError) -> Failure {
        Failure::Problem(error.into())
    }
}

/// In which form a refusal is told.
#[derive(Clone, Copy)]
pub(super) enum Voice {
    /// An envelope with this action.
    Sync(&'static str),
    /// An acknowledgement.
    Async,
}

/// What is looked at, in this order. The signature comes before anything that only a known sender may learn.
struct Held<'a> {
    app: &'a App,
    agency: &'a Agency,
    signature: &'a str,
    header: &'a Map<String, Value>,
    body: &'a Map<String, Value>,
    action: &'static str,
    now: i64,
}

const CHECKS: &[fn(&Held<'_>) -> Result<(), Refused>] =
    &[is_from_the_sender, is_signed, is_for_us, is_our_version, is_plain, is_fresh, is_the_action];

/// The message that was sent, if it may be looked into.
pub(super) fn receive(
    app: &App,
    call: &Call,
    agency: &Agency,
    action: &'static str,
) -> Result<Message, Failure> {
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::wrong_media_type("application/json").into());
    }
    let mut whole = kaname_codec::json::parse_object(&call.body)
        .map_err(|_| Refused::bad("the body is no JSON object, or names a field twice"))?;
    let mut part = |name: &str| match whole.remove(name) {
        Some(Value::Object(part)) => Ok(part),
        _ => Err(Refused::bad(format!("{name} is missing, or no object"))),
    };
    let (header, body) = (part("header")?, part("message")?);
    let signature = whole.get("signature").and_then(Value::as_str).unwrap_or_default();
    let now = call.env.now.seconds();
    let held = Held { app, agency, signature, header: &header, body: &body, action, now };
    CHECKS.iter().try_for_each(|check| check(&held))?;
    Ok(Message { header, body })
}

/// A text of the header or a message, of 1 to `longest` characters.
pub(super) fn text<'a>(of: &'a Map<String, Value>, name: &str, longest: usize) -> Result<&'a str, Refused> {
    let text = of.get(name).and_then(Value::as_str).unwrap_or_default();
    let good = (1..=longest).contains(&text.chars().count());
    good.then_some(text).ok_or_else(|| Refused::bad(format!("{name} has 1 to {longest} characters")))
}

/// A moment with its zone (RFC 3339), in seconds since 1970.
pub(super) fn time(of: &Map<String, Value>, name: &str) -> Result<i64, Refused> {
    let text = of.get(name).and_then(Value::as_str).unwrap_or_default();
    let read = text.parse::<jiff::Timestamp>().ok().filter(|_| text.contains(['T', 't']));
    let read = read.map(jiff::Timestamp::as_second);
    read.ok_or_else(|| {
        Refused::bad(format!("{name} is no moment with its zone, such as 2026-01-31T09:00:00+09:00"))
    })
}

fn is_from_the_sender(held: &Held<'_>) -> Result<(), Refused> {
    text(held.header, "message_id", 256)?;
    if held.header.get("sender_id").and_then(Value::as_str) == Some(held.agency.asks.id.as_str()) {
        return Ok(());
    }
    Err(Refused::of("err.sender_id.invalid", "sender_id is not the agency whose token this is"))
}

fn is_signed(held: &Held<'_>) -> Result<(), Refused> {
    if held.signature.is_empty() {
        return Err(Refused::of("err.signature.missing", "the message has no signature"));
    }
    let signed = signed_text(&Value::Object(held.header.clone()), &Value::Object(held.body.clone()));
    if held.agency.bearer.client.has_signed(held.signature, signed.as_bytes()) {
        return Ok(());
    }
    let text = "the signature is by none of the agency's registered keys over this header and message";
    Err(Refused::of("err.signature.invalid", text))
}

/// A message that was signed for another register is no message for this one.
fn is_for_us(held: &Held<'_>) -> Result<(), Refused> {
    let us = held.app.issuer();
    match held.header.get("receiver_id") {
        None => Ok(()),
        Some(Value::String(receiver)) if receiver == us || receiver == host(us) => Ok(()),
        Some(_) => Err(Refused::of("err.receiver_id.invalid", format!("receiver_id is not {}", host(us)))),
    }
}

fn is_our_version(held: &Held<'_>) -> Result<(), Refused> {
    match held.header.get("version") {
        None => Ok(()),
        Some(Value::String(version)) if version == VERSION => Ok(()),
        Some(_) => Err(Refused {
            reason: Some("rjct.version.invalid"),
            ..Refused::of("err.version.not_supported", "the version is 1.0.0")
        }),
    }
}

fn is_plain(held: &Held<'_>) -> Result<(), Refused> {
    match held.header.get("is_msg_encrypted") {
        None | Some(Value::Bool(false)) => Ok(()),
        _ => Err(Refused::of("err.encryption.invalid", "messages are encrypted by TLS, not one by one")),
    }
}

fn is_fresh(held: &Held<'_>) -> Result<(), Refused> {
    let sent = time(held.header, "message_ts")
        .map_err(|refused| Refused { reason: Some("rjct.message_ts.invalid"), ..refused })?;
    if (held.now - sent).abs() <= LEEWAY_SECONDS {
        return Ok(());
    }
    Err(Refused::header("rjct.message_ts.invalid", "message_ts is more than five minutes from now"))
}

fn is_the_action(held: &Held<'_>) -> Result<(), Refused> {
    match held.header.get("action").and_then(Value::as_str) == Some(held.action) {
        true => Ok(()),
        false => Err(Refused::header("rjct.action.invalid", format!("the action is {}", held.action))),
    }
}

/// Where the answer of a message goes.
pub(super) fn address<'a>(agency: &'a Agency, message: &'a Message) -> Result<&'a str, Refused> {
    // Who names none means the one that was recorded first.
    let known = agency.bearer.client.registration().agency.as_ref();
    let first = known.and_then(|agency| agency.webhooks.first()).map(String::as_str);
    let address = match message.header.get("sender_uri") {
        None => first.unwrap_or_default(),
        Some(address) => address.as_str().unwrap_or_default(),
    };
    if webhooks::may_be_called(&agency.bearer.client, address) {
        return Ok(address);
    }
    let text = "sender_uri does not lie under an address that the agency is registered with";
    Err(Refused::of("err.sender_uri.invalid", text))
}

/// How we are called in a header: the host of our address.
fn host(issuer: &str) -> &str {
    issuer.split('/').nth(2).unwrap_or(issuer)
}

/// What a signature is over.
fn signed_text(header: &Value, message: &Value) -> String {
    canonical(&json!({ "header": header, "message": message }))
}

/// A signed answer.
pub(super) fn sealed(
    provider: &Provider,
    env: &Env,
    receiver: &str,
    action: &str,
    parts: usize,
    message: Value,
) -> Result<Value, Failure> {
    let header = answer_header(provider, env, receiver, action, parts, "succ");
    signed(provider, env, receiver, header, message)
}

/// A signed answer that says why there is none.
pub(super) fn rejected(
    provider: &Provider,
    env: &Env,
    receiver: &str,
    action: &str,
    why: &str,
    message: Value,
) -> Result<Value, Failure> {
    let mut header = answer_header(provider, env, receiver, action, 0, "rjct");
    header["status_reason_message"] = Value::from(why);
    signed(provider, env, receiver, header, message)
}

fn signed(
    provider: &Provider,
    env: &Env,
    receiver: &str,
    header: Value,
    message: Value,
) -> Result<Value, Failure> {
    let signature =
        client_token::sign_detached(provider, env, receiver, signed_text(&header, &message).as_bytes());
    let signature = signature.map_err(Problem::from)?;
    Ok(json!({ "signature": signature, "header": header, "message": message }))
}

fn answer_header(
    provider: &Provider,
    env: &Env,
    receiver: &str,
    action: &str,
    parts: usize,
    status: &str,
) -> Value {
    json!({
        "version": VERSION, "message_id": message_id(), "message_ts": env.now.to_string(),
        "action": action, "status": status, "total_count": parts, "completed_count": parts,
        "sender_id": host(&provider.config().issuer), "receiver_id": receiver, "is_msg_encrypted": false,
    })
}

fn message_id() -> String {
    kaname_codec::b64::url_encode(&kaname_trust::keys::random::<16>())
}

/// The standard's acknowledgement: the answer comes later.
pub(super) fn acknowledged(call: &Call, correlation: &str) -> Value {
    let timestamp = call.env.now.to_string();
    json!({ "message": { "ack_status": "ACK", "timestamp": timestamp, "correlation_id": correlation } })
}

/// The answer as it goes out, or the refusal in the form that belongs to it.
pub(super) fn told(
    app: &App,
    call: &Call,
    agency: &Agency,
    voice: Voice,
    answered: Result<Value, Failure>,
) -> Answer {
    let refused = match answered {
        Ok(body) => return Ok(super::fine(&body)),
        Err(Failure::Problem(problem)) => return Err(problem),
        Err(Failure::Refused(refused)) => refused,
    };
    Ok(refusal(app, call, agency, voice, &refused))
}

fn refusal(app: &App, call: &Call, agency: &Agency, voice: Voice, refused: &Refused) -> Response {
    let body = match voice {
        Voice::Async => json!({ "message": {
            "ack_status": "ERR", "timestamp": call.env.now.to_string(), "correlation_id": message_id(),
            "error": refused.shown(),
        } }),
        Voice::Sync(action) => {
            let mut header = answer_header(&app.signin, &call.env, &agency.asks.id, action, 0, "rjct");
            if let Some(reason) = refused.reason {
                header["status_reason_code"] = Value::from(reason);
            }
            header["status_reason_message"] = Value::from(refused.text.as_str());
            json!({ "header": header, "error": refused.shown() })
        }
    };
    json_answer(refused.status, &body)
}
