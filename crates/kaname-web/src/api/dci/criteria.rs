//! What a message asks: its requests, each read into whom it means and what must be true of her.

use kaname_person::Refusal;
use kaname_person::agency::facts::{self, Fact, PERSON_ID, UIN};
use kaname_person::agency::read::{Operator, Statement};
use kaname_person::agency::search::{Condition, FAN_OUT, Search};
use kaname_person::agency::transaction::{LONGEST_ID, Named};
use serde_json::{Map, Value};

use super::envelope::{Message, Refused, text, time};
use crate::api::osia;

/// One request of a message.
pub(super) struct Request {
    /// What the agency calls it.
    pub(super) reference: String,
    /// The purpose that it states, by the pack's code.
    pub(super) purpose: Option<String>,
    /// As it came.
    pub(super) locale: Option<String>,
    /// The size of a page, and which one, from 1.
    pub(super) page: (usize, usize),
    /// Whom it means, or why that is not answered.
    pub(super) ask: Result<Search, Rejected>,
}

/// Why one request is not answered; the others are.
#[derive(Clone)]
pub(super) struct Rejected {
    /// A code of the standard's `SearchStatusReasonCode`.
    pub(super) code: &'static str,
    /// For people; begins with our own code where there is one.
    pub(super) text: String,
}

impl Rejected {
    /// A refusal of the register in the standard's words.
    pub(super) fn of(refusal: &Refusal) -> Rejected {
        let code = match refusal {
            Refusal::TooMany => "rjct.search.too_many_records_found",
            _ => INVALID,
        };
        Rejected { code, text: format!("{}: {refusal}", refusal.code()) }
    }

    fn invalid(text: impl Into<String>) -> Rejected {
        Rejected { code: INVALID, text: text.into() }
    }
}

const INVALID: &str = "rjct.search_criteria.invalid";

/// The agency's own id of what it does.
pub(super) fn transaction(message: &Map<String, Value>) -> Result<&str, Refused> {
    text(message, "transaction_id", LONGEST_ID)
}

/// The requests of a message.
pub(super) fn requests(message: &Message) -> Result<Vec<Request>, Refused> {
    transaction(&message.body)?;
    let mut read: Vec<Request> = Vec::new();
    for one in list(message, "search_request")? {
        let one = one.as_object().ok_or_else(|| Refused::bad("a request is no object"))?;
        let mut request = request(one)?;
        if read.iter().any(|earlier| earlier.reference == request.reference) {
            let text = "another request of this message has this reference_id".to_owned();
            request.ask = Err(Rejected { code: "rjct.reference_id.duplicate", text });
        }
        read.push(request);
    }
    Ok(read)
}

/// The requests of a message under this name: as many as the header counts, and no more than are answered.
pub(super) fn list<'a>(message: &'a Message, name: &str) -> Result<&'a Vec<Value>, Refused> {
    let list = message.body.get(name).and_then(Value::as_array);
    let list = list.ok_or_else(|| Refused::bad(format!("{name} is no list")))?;
    if !(1..=FAN_OUT).contains(&list.len()) {
        let text = format!("a message has 1 to {FAN_OUT} requests");
        return Err(Refused::header("rjct.total_count.limit_exceeded", text));
    }
    if message.header.get("total_count").and_then(Value::as_u64) != Some(list.len() as u64) {
        let text = "total_count is not the number of requests";
        return Err(Refused::header("rjct.total_count.invalid", text));
    }
    Ok(list)
}

fn request(one: &Map<String, Value>) -> Result<Request, Refused> {
    let reference = text(one, "reference_id", 256)?.to_owned();
    time(one, "timestamp")?;
    let locale = locale(one)?;
    let criteria = one.get("search_criteria").and_then(Value::as_object);
    let criteria = criteria.ok_or_else(|| Refused::bad("search_criteria is no object"))?;
    // The standard has it among the criteria; some send it beside them.
    let page = match criteria.get("pagination").or_else(|| one.get("pagination")) {
        None => (FAN_OUT, 1),
        Some(page) => page_of(page)?,
    };
    let purpose = criteria.get("authorize").and_then(|authorize| authorize["purpose"]["code"].as_str());
    let query = criteria.get("query").ok_or_else(|| Refused::bad("query is missing"))?;
    let ask = self::query(text(criteria, "query_type", 32)?, query)?.and_then(pinned);
    Ok(Request { reference, purpose: purpose.map(str::to_owned), locale, page, ask })
}

/// What must be true of a person, by a query of one of the standard's kinds.
pub(super) fn query(kind: &str, query: &Value) -> Result<Result<Condition, Rejected>, Refused> {
    match kind {
        "idtype-value" => by_identifier(query),
        "expression" => expression(query),
        "predicate" => predicates(query),
        "graphql" => Ok(Err(Rejected::invalid("the register does not read graphql"))),
        _ => Err(Refused::bad("query_type is none of the standard's")),
    }
}

pub(super) fn locale(of: &Map<String, Value>) -> Result<Option<String>, Refused> {
    match of.get("locale") {
        None => Ok(None),
        Some(Value::String(tag)) if tag.len() == 3 && tag.bytes().all(|b| b.is_ascii_lowercase()) => {
            Ok(Some(tag.clone()))
        }
        Some(_) => Err(Refused::bad("locale has three small letters (ISO 639-3)")),
    }
}

fn page_of(page: &Value) -> Result<(usize, usize), Refused> {
    let wrong = || Refused::bad("pagination has page_size, and page_number if any, from 1 on");
    let page = page.as_object().ok_or_else(wrong)?;
    let whole = |name: &str, default: Option<f64>| {
        let number = page.get(name).map_or(default, Value::as_f64);
        number.filter(|n| *n >= 1.0 && n.fract() == 0.0).map(|n| n as usize).ok_or_else(wrong)
    };
    Ok((whole("page_size", None)?.min(FAN_OUT), whole("page_number", Some(1.0))?))
}

/// `{"type": "UIN", "value": "…"}`
fn by_identifier(query: &Value) -> Result<Result<Condition, Rejected>, Refused> {
    let wrong = || Refused::bad("a query by identifier has type and value");
    let query = query.as_object().ok_or_else(wrong)?;
    let kind = query.get("type").and_then(Value::as_str).ok_or_else(wrong)?;
    let value = query.get("value").ok_or_else(wrong)?;
    let Some(name) = known(kind).filter(|name| [UIN, PERSON_ID].contains(name)) else {
        return Ok(Err(Rejected::invalid(format!("the register knows nobody by a {}", short(kind)))));
    };
    Ok(statement(name, Operator::Equal, value).map(Condition::Is))
}

/// `{"type": "…:expression", "value": {"expression": {"collection": …, "query": {"$and": […]}}}}`
fn expression(query: &Value) -> Result<Result<Condition, Rejected>, Refused> {
    let wrong = || Refused::bad("a query by expression has a value with an expression");
    let found = query.get("value").and_then(|value| value.get("expression")).ok_or_else(wrong)?;
    let found = found.get("query").unwrap_or(found);
    Ok(part(found, 0))
}

/// How deep an expression may go.
const DEEPEST: usize = 8;

fn part(of: &Value, depth: usize) -> Result<Condition, Rejected> {
    let of = of.as_object().filter(|_| depth < DEEPEST);
    let of = of.ok_or_else(|| Rejected::invalid("the expression is not an object of conditions"))?;
    let all: Result<Vec<Condition>, Rejected> = of
        .iter()
        .map(|(name, value)| match name.as_str() {
            "$and" => Ok(Condition::All(parts(value, depth)?)),
            "$or" => Ok(Condition::Any(parts(value, depth)?)),
            "$not" => Ok(Condition::Not(Box::new(part(value, depth + 1)?))),
            name => compared(name, value),
        })
        .collect();
    Ok(one_or_all(all?))
}

fn parts(list: &Value, depth: usize) -> Result<Vec<Condition>, Rejected> {
    let list = list.as_array().filter(|list| list.len() <= 64);
    let list = list.ok_or_else(|| Rejected::invalid("$and and $or have a list of at most 64"))?;
    list.iter().map(|one| part(one, depth + 1)).collect()
}

fn compared(name: &str, value: &Value) -> Result<Condition, Rejected> {
    let Some(signs) = value.as_object() else { return one(name, "eq", value) };
    let all: Result<Vec<Condition>, Rejected> =
        signs.iter().map(|(sign, value)| one(name, sign.trim_start_matches('$'), value)).collect();
    Ok(one_or_all(all?))
}

fn one_or_all(mut all: Vec<Condition>) -> Condition {
    match (all.len(), all.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            all.extend(last);
            Condition::All(all)
        }
    }
}

/// `[{"expression1": …, "condition": "and", "expression2": …}]`: all of the list must be true.
fn predicates(query: &Value) -> Result<Result<Condition, Rejected>, Refused> {
    let list = query.as_array().filter(|list| (1..=64).contains(&list.len()));
    let list = list.ok_or_else(|| Refused::bad("a query by predicate is a list of 1 to 64"))?;
    let mut all = Vec::new();
    for item in list {
        let first = item.get("expression1").ok_or_else(|| Refused::bad("expression1 is missing"))?;
        let (first, second) = (simple(first)?, item.get("expression2").map(simple).transpose()?);
        let joined = match (item.get("condition").and_then(Value::as_str), second) {
            (None | Some("and" | "or"), None) => vec![first],
            (Some("and"), Some(second)) => vec![first, second],
            (Some("not"), Some(second)) => vec![first, second.map(|part| Condition::Not(Box::new(part)))],
            (Some("not"), None) => vec![first.map(|part| Condition::Not(Box::new(part)))],
            (Some("or"), Some(second)) => {
                vec![first.and_then(|first| Ok(Condition::Any(vec![first, second?])))]
            }
            _ => return Err(Refused::bad("a condition is and, or, or not")),
        };
        all.extend(joined);
    }
    let all: Result<Vec<Condition>, Rejected> = all.into_iter().collect();
    Ok(all.map(Condition::All))
}

fn simple(of: &Value) -> Result<Result<Condition, Rejected>, Refused> {
    let wrong = || Refused::bad("an expression has attribute_name, operator and attribute_value");
    let of = of.as_object().ok_or_else(wrong)?;
    let name = of.get("attribute_name").and_then(Value::as_str).ok_or_else(wrong)?;
    let sign = of.get("operator").and_then(Value::as_str).ok_or_else(wrong)?;
    Ok(one(name, sign, of.get("attribute_value").ok_or_else(wrong)?))
}

fn one(name: &str, sign: &str, value: &Value) -> Result<Condition, Rejected> {
    let name = known(name)
        .ok_or_else(|| Rejected::invalid(format!("the register has no attribute called {}", short(name))))?;
    let operator = match sign {
        "eq" => Operator::Equal,
        "ne" => Operator::NotEqual,
        "gt" => Operator::Greater,
        "lt" => Operator::Less,
        "ge" | "gte" => Operator::AtLeast,
        "le" | "lte" => Operator::AtMost,
        "in" => {
            let several = match value {
                Value::Array(several) => several.clone(),
                Value::String(several) => several.split(',').map(|one| Value::from(one.trim())).collect(),
                one => vec![one.clone()],
            };
            let several =
                several.iter().map(|value| Ok(Condition::Is(statement(name, Operator::Equal, value)?)));
            return Ok(Condition::Any(several.collect::<Result<_, Rejected>>()?));
        }
        _ => return Err(Rejected::invalid("an operator is none of the standard's")),
    };
    Ok(Condition::Is(statement(name, operator, value)?))
}

fn statement(name: &str, operator: Operator, value: &Value) -> Result<Statement, Rejected> {
    let value = osia::fact(value).map_err(|problem| Rejected::invalid(problem.detail()))?;
    Ok(Statement { name: name.to_owned(), operator, value })
}

/// The register's name for what the standard and its examples call an attribute or an identifier.
fn known(name: &str) -> Option<&'static str> {
    let folded = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    Some(match folded.as_str() {
        "uin" | "nin" | "nationalid" | "national_id" | "vid" => UIN,
        "personid" | "person_id" => PERSON_ID,
        "given_name" | "first_name" => "firstName",
        "surname" | "family_name" | "last_name" => "lastName",
        "full_name" => "fullName",
        "birth_date" | "date_of_birth" | "dob" => "dateOfBirth",
        "sex" | "gender" => "sex",
        "address_line1" => "addressLine",
        "locality" => "city",
        "region_code" => "region",
        "postal_code" | "pin-code" => "postalCode",
        "phone_number" | "mobile" => "phoneNumber",
        _ => return facts::find(name).map(|known| known.name),
    })
}

/// A text of the sender's, short enough to be shown back.
fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(40).collect()
}

/// A search for those whom a condition names by identifier, with the rest of it. What names nobody is about everybody.
fn pinned(condition: Condition) -> Result<Search, Rejected> {
    let (who, rest) = pins(condition).map_err(|_| Rejected {
        code: "rjct.search.too_many_records_found",
        text: "too-many: a search names whom it means, by UIN or PERSON_ID; the register gives no lists of people".to_owned(),
    })?;
    if who.len() > FAN_OUT {
        return Err(Rejected::of(&Refusal::TooMany));
    }
    Ok(Search { who, condition: rest, names: Vec::new() })
}

/// Takes the identifiers out of a condition that is true of nobody else; gives it back where there are none.
pub(super) fn pins(condition: Condition) -> Result<(Vec<String>, Condition), Condition> {
    match condition {
        Condition::Is(Statement { name, operator: Operator::Equal, value: Fact::Text(who) })
            if [UIN, PERSON_ID].contains(&name.as_str()) =>
        {
            Ok((vec![who], Condition::All(Vec::new())))
        }
        Condition::Any(several) if !several.is_empty() => {
            let one = |part: &Condition| match pins(part.clone()) {
                Ok((who, Condition::All(rest))) if rest.is_empty() => Some(who),
                _ => None,
            };
            let who: Option<Vec<Vec<String>>> = several.iter().map(one).collect();
            let who = who.map(|who| (who.concat(), Condition::All(Vec::new())));
            who.ok_or(Condition::Any(several))
        }
        Condition::All(several) => {
            let (mut who, mut rest) = (None, Vec::new());
            for part in several {
                match (who.is_none()).then(|| pins(part.clone())) {
                    Some(Ok((found, more))) => {
                        who = Some(found);
                        rest.push(more);
                    }
                    _ => rest.push(part),
                }
            }
            match who {
                Some(who) => Ok((who, Condition::All(rest))),
                None => Err(Condition::All(rest)),
            }
        }
        other => Err(other),
    }
}

/// What a message asks about a question of before.
pub(super) struct Wanted<'a> {
    /// The standard's word for what kind of question it was.
    pub(super) kind: &'a str,
    /// By which name; none of a kind by which the register finds no question.
    pub(super) named: Option<Named<'a>>,
}

/// The question whose state is asked for.
pub(super) fn status(message: &Map<String, Value>) -> Result<Wanted<'_>, Refused> {
    let asked = message.get("txnstatus_request").and_then(Value::as_object);
    let asked = asked.ok_or_else(|| Refused::bad("txnstatus_request is no object"))?;
    text(asked, "reference_id", 256)?;
    locale(asked)?;
    let kind = text(asked, "txn_type", 16)?;
    if !["search", "subscribe", "unsubscribe"].contains(&kind) {
        return Err(Refused::bad("txn_type is none of the standard's"));
    }
    let named = match text(asked, "attribute_type", 32)? {
        "transaction_id" => Some(Named::Own(text(asked, "attribute_value", LONGEST_ID)?)),
        "correlation_id" => Some(Named::Registers(text(asked, "attribute_value", LONGEST_ID)?)),
        "reference_id_list" | "subscription_code_list" if asked.contains_key("attribute_value") => None,
        _ => return Err(Refused::bad("attribute_type is none of the standard's, or has no attribute_value")),
    };
    Ok(Wanted { kind, named })
}
