//! Events of the register in DCI's form: an agency subscribes with a signed message, is told what became of it, and is brought each event
//! by a signed message of ours (`notify`), in order for each person. An event names the person as the agency's sector knows her, and
//! nothing else: what changed, the agency reads, and that reading is in her log.

use kaname_base::{Env, Instant};
use kaname_person::agency::feed::watch::{self, Done, Wish};
use kaname_person::agency::feed::{Notice, life_topics};
use kaname_person::agency::search::{Condition, FAN_OUT};
use kaname_person::agency::transaction::{self, Asked};
use kaname_person::agency::{Agency as Asks, Desk};
use kaname_person::{PersonError, Refusal};
use kaname_signin::Provider;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::criteria::{self, Rejected};
use super::envelope::{self, Failure, Message, Refused, Voice, text, time};
use super::{later, record};
use crate::http::answer::Answer;
use crate::http::guard::Agency;
use crate::http::{App, Call};

/// The kinds of transactions, as the standard calls them.
pub(super) const SUBSCRIBE: &str = "subscribe";
pub(super) const UNSUBSCRIBE: &str = "unsubscribe";

/// The most subscriptions that one message ends.
const MOST_CODES: usize = 64;

/// One request of a message.
struct Request {
    reference: String,
    locale: Option<String>,
    purpose: Option<String>,
    event: String,
    wanted: Result<Wanted, Rejected>,
}

/// Which events, and whose.
struct Wanted {
    topics: Vec<String>,
    /// Nobody named: of all whom the agency hears of.
    who: Vec<String>,
}

/// What a subscription keeps for the messages that it sends.
#[derive(Serialize, Deserialize)]
struct Told {
    event: String,
    locale: Option<String>,
}

/// `POST /registry/subscribe`: an acknowledgement; what became of it goes to `sender_uri`, and so do the events.
pub(crate) fn subscribe(app: &App, call: &Call, agency: &Agency) -> Answer {
    let answered = || {
        let message = envelope::receive(app, call, agency, SUBSCRIBE)?;
        let requests = requests(&message)?;
        let address = envelope::address(agency, &message)?;
        let desk = agency.desk(app, call);
        let wishes: Result<Vec<_>, Failure> = requests.iter().map(|request| wish(desk, request)).collect();
        let body = later::written(&agency.asks, SUBSCRIBE, address, &message);
        let references = requests.iter().map(|request| request.reference.clone()).collect();
        let id = criteria::transaction(&message.body)?;
        taken(watch::begin(desk, Asked { kind: SUBSCRIBE, id, references, body: &body }, address, wishes?))?;
        Ok(envelope::acknowledged(call, &transaction::correlation(&app.keys, &agency.asks, id)))
    };
    envelope::told(app, call, agency, Voice::Async, answered())
}

/// `POST /registry/unsubscribe`: an acknowledgement; what became of it goes to `sender_uri`.
pub(crate) fn unsubscribe(app: &App, call: &Call, agency: &Agency) -> Answer {
    let answered = || {
        let message = envelope::receive(app, call, agency, UNSUBSCRIBE)?;
        let codes = codes(&message.body)?;
        let address = envelope::address(agency, &message)?;
        let body = later::written(&agency.asks, UNSUBSCRIBE, address, &message);
        let id = criteria::transaction(&message.body)?;
        let ask = Asked { kind: UNSUBSCRIBE, id, references: Vec::new(), body: &body };
        let unknown = Done::Refused {
            code: "rjct.subscription_code.invalid".to_owned(),
            text: "a code is of no subscription of the agency's, so none was ended".to_owned(),
        };
        taken(watch::end(agency.desk(app, call), ask, codes, unknown))?;
        Ok(envelope::acknowledged(call, &transaction::correlation(&app.keys, &agency.asks, id)))
    };
    envelope::told(app, call, agency, Voice::Async, answered())
}

/// A message is taken once; another one under its id is none.
pub(super) fn taken(taken: Result<(), PersonError>) -> Result<(), Failure> {
    match taken {
        Err(PersonError::Refused(Refusal::RequestReused)) => {
            Err(Refused::bad("something else was asked under this transaction_id").into())
        }
        other => Ok(other?),
    }
}

/// What a request asks for, with the people found whom it names; each of them finds it in her log.
fn wish(desk: Desk<'_>, request: &Request) -> Result<Result<Wish, Done>, Failure> {
    let wanted = match &request.wanted {
        Ok(wanted) => wanted,
        Err(rejected) => return Ok(Err(refused(rejected.clone()))),
    };
    let agency = Asks {
        purpose: request.purpose.clone().or_else(|| desk.agency.purpose.clone()),
        ..desk.agency.clone()
    };
    match watch::named(Desk { agency: &agency, ..desk }, &wanted.who) {
        Ok(people) => {
            let told = Told { event: request.event.clone(), locale: request.locale.clone() };
            let told = serde_json::to_string(&told).expect("two texts are plain data");
            Ok(Ok(Wish { topics: wanted.topics.clone(), people, told }))
        }
        Err(PersonError::Refused(refusal)) => {
            let text = format!("{}: {refusal}", refusal.code());
            Ok(Err(refused(Rejected { code: "rjct.person_id.invalid", text })))
        }
        Err(error) => Err(error.into()),
    }
}

fn refused(Rejected { code, text }: Rejected) -> Done {
    Done::Refused { code: code.to_owned(), text }
}

fn requests(message: &Message) -> Result<Vec<Request>, Refused> {
    criteria::transaction(&message.body)?;
    let list = criteria::list(message, "subscribe_request")?;
    let mut read: Vec<Request> = Vec::new();
    for one in list {
        let one = one.as_object().ok_or_else(|| Refused::bad("a request is no object"))?;
        let mut request = request(one)?;
        if read.iter().any(|earlier| earlier.reference == request.reference) {
            let text = "another request of this message has this reference_id".to_owned();
            request.wanted = Err(Rejected { code: "rjct.reference_id.duplicate", text });
        }
        read.push(request);
    }
    Ok(read)
}

fn request(one: &Map<String, Value>) -> Result<Request, Refused> {
    let reference = text(one, "reference_id", 256)?.to_owned();
    time(one, "timestamp")?;
    let locale = criteria::locale(one)?;
    let criteria = one.get("subscribe_criteria").and_then(Value::as_object);
    let criteria = criteria.ok_or_else(|| Refused::bad("subscribe_criteria is no object"))?;
    let event = text(criteria, "reg_event_type", 256)?.to_owned();
    let record = text(criteria, "notify_record_type", 256)?;
    let filter = criteria.get("filter").ok_or_else(|| Refused::bad("filter is missing"))?;
    let kind = match criteria.get("filter_type") {
        Some(_) => text(criteria, "filter_type", 32)?,
        None => kind_of(filter),
    };
    let purpose = criteria.get("authorize").and_then(|authorize| authorize["purpose"]["code"].as_str());
    let wanted = topics(&event, record, criteria).and_then(|topics| {
        let asked = criteria::query(kind, filter).map_err(|refused| invalid(refused.text()))?;
        Ok(Wanted { topics, who: people(asked)? })
    });
    Ok(Request { reference, locale, purpose: purpose.map(str::to_owned), event, wanted })
}

/// The standard lets the kind of a filter be left out.
fn kind_of(filter: &Value) -> &'static str {
    match filter.get("value") {
        _ if filter.is_array() => "predicate",
        Some(Value::Object(_)) => "expression",
        _ => "idtype-value",
    }
}

fn invalid(text: impl Into<String>) -> Rejected {
    Rejected { code: "rjct.notify_details.invalid", text: text.into() }
}

/// Which topics of the register an event's type means. The standard leaves the words to the register: those of vital events, and the
/// register's own.
fn topics(event: &str, record: &str, criteria: &Map<String, Value>) -> Result<Vec<String>, Rejected> {
    let wrong = |text: &str| Rejected { code: "rjct.notify_types.invalid", text: text.to_owned() };
    let folded = |text: &str| text.rsplit(':').next().unwrap_or(text).to_ascii_lowercase();
    if !["person", "member", "crvs_person", "crvsperson"].contains(&folded(record).as_str()) {
        return Err(wrong("the register tells of persons, not of papers"));
    }
    if criteria.contains_key("frequency") {
        return Err(invalid("events are told as they happen; leave frequency out"));
    }
    let event = folded(event);
    let meant: &[&str] = match event.as_str() {
        "livebirth" => &["birth"],
        "register" => &["registration"],
        "update" => &["move", "change-of-name", "change-of-status", "correction"],
        other => &[other.strip_prefix("life.").unwrap_or(other)],
    };
    let known = |name: &&str| life_topics().find(|topic| topic.strip_prefix("life.") == Some(name));
    let topics: Option<Vec<String>> = meant.iter().map(|name| known(name).map(str::to_owned)).collect();
    topics.ok_or_else(|| wrong("the register has no events of this type"))
}

/// Whom a filter means: those whom it names and of whom it says nothing else; everybody, if it says nothing at all.
fn people(asked: Result<Condition, Rejected>) -> Result<Vec<String>, Rejected> {
    let asked = asked.map_err(|rejected| invalid(rejected.text))?;
    if matches!(&asked, Condition::All(all) if all.is_empty()) {
        return Ok(Vec::new());
    }
    match criteria::pins(asked) {
        Ok((who, Condition::All(rest))) if rest.iter().all(is_empty) && who.len() <= FAN_OUT => Ok(who),
        _ => Err(invalid(format!(
            "a filter names at most {FAN_OUT} people by UIN or PERSON_ID, and nothing else; an empty expression is all whom the agency \
             hears of"
        ))),
    }
}

fn is_empty(condition: &Condition) -> bool {
    matches!(condition, Condition::All(all) if all.iter().all(is_empty))
}

fn codes(message: &Map<String, Value>) -> Result<Vec<String>, Refused> {
    criteria::transaction(message)?;
    time(message, "timestamp")?;
    let wrong =
        || Refused::bad(format!("subscription_codes has 1 to {MOST_CODES} codes of at most 99 letters"));
    let list = message.get("subscription_codes").and_then(Value::as_array).ok_or_else(wrong)?;
    let codes: Option<Vec<String>> = list
        .iter()
        .map(|code| code.as_str().filter(|code| (1..=99).contains(&code.chars().count())).map(str::to_owned))
        .collect();
    codes.filter(|codes| (1..=MOST_CODES).contains(&codes.len())).ok_or_else(wrong)
}

/// The standard's `SubscribeResponse`: what became of each request.
pub(super) fn begun(desk: Desk<'_>, message: &Message, done: &[Done]) -> Result<(usize, Value), Refused> {
    let requests = requests(message)?;
    let at = desk.env.now.to_string();
    let parts = requests.iter().zip(done).map(|(request, done)| {
        let mut part = json!({ "reference_id": request.reference, "timestamp": at });
        if let Some(locale) = &request.locale {
            part["locale"] = Value::from(locale.as_str());
        }
        let shown = |code: &String| {
            json!({
                "code": code, "status": "subscribe", "timestamp": at, "reg_event_type": request.event,
                "notify_record_type": record::RECORD,
            })
        };
        match done {
            Done::Begun(codes) => {
                part["status"] = Value::from("succ");
                part["subscriptions"] = codes.iter().map(shown).collect();
            }
            Done::Refused { code, text } => {
                part["status"] = Value::from("rjct");
                // A limit of the register has no word of the standard's.
                let is_theirs = code.starts_with("rjct.");
                part["status_reason_code"] =
                    Value::from(if is_theirs { code.as_str() } else { "rjct.notify_details.invalid" });
                part["status_reason_message"] = Value::from(text.as_str());
            }
            Done::Ended(_) => part["status"] = Value::from("rjct"),
        }
        part
    });
    let parts: Vec<Value> = parts.collect();
    let (id, correlation) = named(desk, &message.body);
    let body = json!({ "transaction_id": id, "correlation_id": correlation, "subscribe_response": parts });
    Ok((requests.len(), body))
}

/// The standard's `UnSubscribeResponse`.
pub(super) fn ended(desk: Desk<'_>, message: &Message, done: &[Done]) -> Value {
    let (id, correlation) = named(desk, &message.body);
    let mut body = json!({
        "transaction_id": id, "correlation_id": correlation, "timestamp": desk.env.now.to_string(), "status": "succ",
    });
    let mut ended = Vec::new();
    for one in done {
        match one {
            Done::Ended(code) => ended.push(json!({ "code": code, "status": "unsubscribe" })),
            Done::Refused { code, text } => {
                body["status"] = Value::from("rjct");
                body["status_reason_code"] = Value::from(code.as_str());
                body["status_reason_message"] = Value::from(text.as_str());
            }
            Done::Begun(_) => {}
        }
    }
    body["subscription_status"] = Value::Array(ended);
    body
}

fn named(desk: Desk<'_>, message: &Map<String, Value>) -> (String, String) {
    let id = message.get("transaction_id").and_then(Value::as_str).unwrap_or_default();
    (id.to_owned(), transaction::correlation(desk.keys, desk.agency, id))
}

/// An event of a subscription, signed (`NotifyEventRequest`). The same event of the same subscription has the same `transaction_id` each
/// time that it is told.
pub(crate) fn notify(
    provider: &Provider,
    env: &Env,
    agency: &Asks,
    (code, told): (&str, &str),
    notice: &Notice,
) -> Option<Value> {
    let told: Told = serde_json::from_str(told).ok()?;
    let person =
        json!({ "@type": "Identifier", "identifier_type": PERSON_TYPE, "identifier_value": notice.text });
    let mut event = json!({
        "reference_id": code, "timestamp": Instant::from_seconds(notice.at).to_string(),
        "data": {
            "version": "1.0.0", "reg_type": record::TYPE, "reg_event_type": told.event, "reg_record_type": record::RECORD,
            "reg_records": {
                "@context": record::CONTEXT, "@type": "CRVS_Person", "identifier": [person],
                "event": notice.topic.strip_prefix("life.").unwrap_or(&notice.topic),
            },
        },
    });
    if let Some(locale) = told.locale {
        event["locale"] = Value::from(locale);
    }
    let message = json!({ "transaction_id": format!("{}-{code}", notice.id), "notify_event": [event] });
    envelope::sealed(provider, env, &agency.id, "notify", 1, message).ok()
}

/// What the standard's identifiers call the agency's own name for a person; it is asked for by it, too.
const PERSON_TYPE: &str = "PERSON_ID";
