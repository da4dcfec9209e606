//! OSIA Data Access 1.3: an agency reads, compares and judges what the law gives it of one person.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use kaname_person::agency::facts::{Fact, PERSON_ID, UIN};
use kaname_person::agency::read::{self, Mismatch, Operator, Statement, Withheld};
use kaname_person::agency::whom;
use serde_json::{Map, Value, json};

use super::{json as body, object, page, sent, shown};
use crate::http::answer::{Answer, json as json_answer};
use crate::http::guard::Agency;
use crate::http::{App, Call, Problem};

/// The most attributes or statements in one request.
const MOST_NAMES: usize = 64;

/// `GET /v1/persons/{uin}`
pub(crate) fn person(app: &App, call: &Call, agency: &Agency) -> Answer {
    let names = names(call, "attributeNames")?;
    if names.is_empty() {
        return Err(Problem::malformed("attributeNames is missing"));
    }
    let who = call.param("uin");
    let answer = read::attributes(&app.store, &app.keys, &app.pack, &call.env, &agency.asks, who, &names)?;
    Ok(json_answer(StatusCode::OK, &Value::Object(attributes(answer))))
}

/// `GET /v1/persons`: one resident, by her number or the agency's name for her, if what else is said of her is true. A register that
/// answered to a name alone would name people whom nobody asked about.
pub(crate) fn query(app: &App, call: &Call, agency: &Agency) -> Answer {
    let (names, (skip, most)) = (names(call, "names")?, page(call)?);
    let said = call.query.iter().filter(|(name, _)| !["names", "offset", "limit", "lang"].contains(name));
    let (who, more): (Vec<_>, Vec<_>) = said.partition(|(name, _)| matches!(*name, "uin" | "personId"));
    limited(more.len())?;
    let [(_, who)] = who.as_slice() else {
        return Err(kaname_person::Refusal::TooMany.into());
    };
    let (asks, env) = (&agency.asks, &call.env);
    if !more.is_empty() {
        let statement = |(name, value): &(&str, &str)| Statement {
            name: (*name).to_owned(),
            operator: Operator::Equal,
            value: Fact::Text((*value).to_owned()),
        };
        let statements: Vec<Statement> = more.iter().map(statement).collect();
        if !read::verdict(&app.store, &app.keys, &app.pack, env, asks, who, &statements)? {
            return Err(Problem::not_found());
        }
    }
    let only_name = vec![if asks.sees_numbers { UIN } else { PERSON_ID }.to_owned()];
    let wanted = if names.is_empty() { &only_name } else { &names };
    let answer = read::attributes(&app.store, &app.keys, &app.pack, env, asks, who, wanted)?;
    let shown = attributes(answer);
    let row = match names.is_empty() {
        true => shown.into_iter().next().map_or(Value::Null, |(_, value)| value),
        false => Value::Object(shown),
    };
    if skip > 0 || most == 0 {
        return Err(Problem::not_found());
    }
    Ok(json_answer(StatusCode::OK, &Value::Array(vec![row])))
}

/// `GET /v1/persons/{uin}/document`: the register holds entries and no papers, so it has none to give.
pub(crate) fn document(app: &App, call: &Call, agency: &Agency) -> Answer {
    if call.query.get("doctype").is_none() {
        return Err(Problem::malformed("doctype is missing"));
    }
    if !call.query.get("format").is_some_and(|format| ["pdf", "jpeg", "png", "TBD"].contains(&format)) {
        return Err(Problem::malformed("format is not one of OSIA's"));
    }
    let who = call.param("uin");
    whom::resident(&app.store, &app.keys, &app.pack, &call.env, &agency.asks, who)?;
    Err(Problem::not_found())
}

/// `POST /v1/persons/{uin}/match`
pub(crate) fn matched(app: &App, call: &Call, agency: &Agency) -> Answer {
    let said = object(call)?;
    limited(said.len())?;
    let said = said
        .iter()
        .map(|(name, value)| Ok((name.clone(), sent(value)?)))
        .collect::<Result<BTreeMap<_, _>, Problem>>()?;
    let who = call.param("uin");
    let found = read::mismatches(&app.store, &app.keys, &app.pack, &call.env, &agency.asks, who, &said)?;
    let shown: Vec<Value> = found
        .into_iter()
        .map(|(name, why)| {
            let code = match why {
                Mismatch::NotThere => 0,
                Mismatch::Differs => 1,
            };
            json!({ "attributeName": name, "errorCode": code })
        })
        .collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(shown)))
}

/// `POST /v1/persons/{uin}/verify`
pub(crate) fn verified(app: &App, call: &Call, agency: &Agency) -> Answer {
    let statements = statements(&body(call)?, false)?;
    let who = call.param("uin");
    let verdict = read::verdict(&app.store, &app.keys, &app.pack, &call.env, &agency.asks, who, &statements)?;
    Ok(json_answer(StatusCode::OK, &Value::Bool(verdict)))
}

/// OSIA's list of expressions. `!=` is one of the Population Registry's only.
pub(crate) fn statements(body: &Value, with_not_equal: bool) -> Result<Vec<Statement>, Problem> {
    let list = body.as_array().ok_or_else(|| Problem::malformed("the body is not a list of expressions"))?;
    limited(list.len())?;
    list.iter().map(|one| statement(one, with_not_equal)).collect()
}

fn statement(one: &Value, with_not_equal: bool) -> Result<Statement, Problem> {
    let wrong =
        || Problem::malformed("an expression has attributeName, operator and value, and nothing else");
    let one = one.as_object().filter(|one| one.len() == 3).ok_or_else(wrong)?;
    let text = |name: &str| one.get(name).and_then(Value::as_str).ok_or_else(wrong);
    let operator = match text("operator")? {
        "<" => Operator::Less,
        ">" => Operator::Greater,
        "=" => Operator::Equal,
        ">=" => Operator::AtLeast,
        "<=" => Operator::AtMost,
        "!=" if with_not_equal => Operator::NotEqual,
        _ => return Err(Problem::malformed("an operator is not one of OSIA's")),
    };
    let name = text("attributeName")?.to_owned();
    Ok(Statement { name, operator, value: sent(one.get("value").ok_or_else(wrong)?)? })
}

/// Attributes as OSIA shows them: a value, or why there is none.
pub(crate) fn attributes(answer: read::Answer) -> Map<String, Value> {
    let withheld = |code: u16, message: &str| json!({ "code": code, "message": message });
    let one = |given| match given {
        Ok(fact) => shown(fact),
        Err(Withheld::Unknown) => withheld(404, "there is no attribute of this name"),
        Err(Withheld::NotAllowed) => withheld(403, "the agency is not registered for this attribute"),
        Err(Withheld::NotRecorded) => withheld(204, "nothing is recorded"),
    };
    answer.into_iter().map(|(name, given)| (name, one(given))).collect()
}

/// The names in a list of the query: given several times, or once with commas between.
pub(crate) fn names(call: &Call, field: &str) -> Result<Vec<String>, Problem> {
    let given = call.query.iter().filter(|(name, _)| *name == field);
    let given: Vec<&str> =
        given.flat_map(|(_, value)| value.split(',')).filter(|name| !name.is_empty()).collect();
    limited(given.len())?;
    let mut names: Vec<String> = Vec::new();
    for name in given {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn limited(count: usize) -> Result<(), Problem> {
    let most = || Problem::malformed(format!("there are more than {MOST_NAMES} attributes or expressions"));
    if count <= MOST_NAMES { Ok(()) } else { Err(most()) }
}
