//! OSIA Population Registry 1.5: persons and their identities. The register's own record of a resident is her identity `register`.

use axum::http::{StatusCode, header};
use kaname_person::PersonError;
use kaname_person::agency::file::{Claim, LOOKED_INTO, Listed};
use kaname_person::agency::person::{self, Identity, Meaning, REGISTER};
use kaname_person::agency::read::{self, Statement};
use kaname_person::agency::whom;
use serde_json::{Map, Value, json};

use super::data::statements;
use super::shape::{self, check};
use super::{FAN_OUT, done, fact, flag, json as body, noted, object, only, page, transaction};
use crate::http::answer::{Answer, json as json_answer, of};
use crate::http::guard::Agency;
use crate::http::{App, Call, Problem};

/// `POST /v1/persons/{personId}`
pub(crate) fn create(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (active, alive) = statuses(call)?;
    person::create(agency.desk(app, call), call.param("personId"), active, alive)
        .map_err(only(&[400, 403, 409]))?;
    Ok(done(StatusCode::CREATED))
}

/// `GET /v1/persons/{personId}`
pub(crate) fn read_one(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let seen = person::read(agency.desk(app, call), call.param("personId"))?;
    let body = json!({
        "personId": seen.id,
        "status": if seen.active { "ACTIVE" } else { "INACTIVE" },
        "physicalStatus": if seen.alive { "ALIVE" } else { "DEAD" },
    });
    Ok(json_answer(StatusCode::OK, &body))
}

/// `PUT /v1/persons/{personId}`
pub(crate) fn update(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (active, alive) = statuses(call)?;
    person::update(agency.desk(app, call), call.param("personId"), active, alive)
        .map_err(only(&[400, 403, 404]))?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `DELETE /v1/persons/{personId}`
pub(crate) fn delete(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    person::delete(agency.desk(app, call), call.param("personId")).map_err(only(&[400, 403, 404]))?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `POST /v1/persons/{personIdTarget}/merge/{personIdSource}`
pub(crate) fn merge(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    person::merge(agency.desk(app, call), call.param("personId"), call.param("personIdSource"))?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `POST /v1/persons/{personIdTarget}/move/{personIdSource}/identities/{identityId}`
pub(crate) fn move_identity(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (into, from) = (call.param("personId"), call.param("personIdSource"));
    person::move_identity(agency.desk(app, call), into, from, call.param("identityId"))?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `GET /v1/persons/{personId}/identities`
pub(crate) fn identities(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (meaning, all) = person::identities(agency.desk(app, call), call.param("personId"))?;
    let shown = all.into_iter().map(|one| shown(app, call, agency, meaning, one));
    let shown = shown.collect::<Result<Vec<Value>, Problem>>()?;
    Ok(json_answer(StatusCode::OK, &Value::Array(shown)))
}

/// `POST /v1/persons/{personId}/identities`
pub(crate) fn claim(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let document = document(call, &shape::IDENTITY)?;
    let id = person::claim(agency.desk(app, call), call.param("personId"), None, document)
        .map_err(only(&[400, 403]))?;
    Ok(json_answer(StatusCode::OK, &json!({ "identityId": id })))
}

/// `POST /v1/persons/{personId}/identities/{identityId}`
pub(crate) fn claim_as(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let document = document(call, &shape::IDENTITY)?;
    let id = Some(call.param("identityId"));
    person::claim(agency.desk(app, call), call.param("personId"), id, document)
        .map_err(only(&[400, 403, 409]))?;
    Ok(done(StatusCode::CREATED))
}

/// `GET /v1/persons/{personId}/identities/{identityId}`
pub(crate) fn identity(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (meaning, one) =
        person::identity(agency.desk(app, call), call.param("personId"), call.param("identityId"))?;
    Ok(json_answer(StatusCode::OK, &shown(app, call, agency, meaning, one)?))
}

/// `PUT /v1/persons/{personId}/identities/{identityId}`
pub(crate) fn replace(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let document = document(call, &shape::IDENTITY)?;
    change(app, call, agency, move |_| document.clone())
}

/// `PATCH /v1/persons/{personId}/identities/{identityId}`
pub(crate) fn patch(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let part = identity_part(call)?;
    change(app, call, agency, move |before| shape::merge(before, &part))
}

/// `PUT /v1/persons/{personId}/identities/{identityId}/status`
pub(crate) fn set_status(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let status = call.query.get("status").filter(|status| shape::STATUSES.contains(status));
    let status = status.ok_or_else(|| Problem::malformed("status is not one of OSIA's"))?.to_owned();
    change(app, call, agency, move |mut before| {
        before.insert("status".to_owned(), Value::from(status.as_str()));
        before
    })
}

/// `DELETE /v1/persons/{personId}/identities/{identityId}`
pub(crate) fn withdraw(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    person::withdraw(agency.desk(app, call), call.param("personId"), call.param("identityId"))
        .map_err(only(&[400, 403, 404]))?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `PUT /v1/persons/{personId}/identities/{identityId}/reference`
pub(crate) fn make_reference(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    person::make_reference(agency.desk(app, call), call.param("personId"), call.param("identityId"))
        .inspect_err(noted(agency))
        .map_err(only(&[400, 403, 404]))?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `GET /v1/persons/{personId}/reference`
pub(crate) fn reference(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (meaning, one) = person::reference(agency.desk(app, call), call.param("personId"))?;
    Ok(json_answer(StatusCode::OK, &shown(app, call, agency, meaning, one)?))
}

/// `POST /v1/persons`: one resident by her number or the agency's name for her, or those of the agency's own files that fit.
pub(crate) fn find(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let statements = statements(&body(call)?, true)?;
    let (grouped, only_reference) = (flag(call, "group")?, flag(call, "reference")?);
    let page = page(call)?;
    let named =
        statements.iter().find(|one| one.is_equal() && matches!(one.name.as_str(), "personId" | "uin"));
    let found = match named {
        Some(named) => resident(app, call, agency, &named.value.folded(), &statements)?,
        None => filed(app, call, agency, &statements, only_reference, page.1)?,
    };
    let mut rows: Vec<Value> = Vec::new();
    for row in found {
        let shown = match grouped {
            true => json!({ "personId": row.person }),
            false => json!({ "personId": row.person, "identityId": row.identity }),
        };
        if !rows.contains(&shown) {
            rows.push(shown);
        }
    }
    let rows = rows.into_iter().skip(page.0).take(page.1.min(FAN_OUT)).collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(rows)))
}

/// `GET /v1/galleries`: those that the agency has put identities in.
pub(crate) fn galleries(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let names = person::galleries(agency.desk(app, call)).map_err(only(&[400, 403]))?;
    Ok(json_answer(StatusCode::OK, &Value::from(names)))
}

/// `GET /v1/galleries/{galleryId}`
pub(crate) fn gallery(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (skip, most) = page(call)?;
    let wanted = call.param("galleryId");
    let mut rows = person::listed(agency.desk(app, call))?;
    rows.retain(|row| row.gallery == wanted || (wanted == "ALL" && !row.gallery.is_empty()));
    if rows.is_empty() {
        return Err(Problem::not_found());
    }
    let rows = rows.into_iter().skip(skip).take(most.min(FAN_OUT));
    let accepts = call.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|kinds| kinds.trim() == "text/csv") {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let lines = rows.map(|row| format!("{}, {}\n", quoted(&row.person), quoted(&row.identity)));
        return Ok(of(
            StatusCode::OK,
            "text/csv; charset=utf-8",
            format!("PersonId, identityId\n{}", lines.collect::<String>()),
        ));
    }
    let rows = rows.map(|row| json!({ "personId": row.person, "identityId": row.identity })).collect();
    Ok(json_answer(StatusCode::OK, &Value::Array(rows)))
}

/// A resident whom the agency names, if what else it says of her is true.
fn resident(
    app: &App,
    call: &Call,
    agency: &Agency,
    who: &str,
    statements: &[Statement],
) -> Result<Vec<Listed>, Problem> {
    let found = whom::resident(&app.store, &app.keys, &app.pack, &call.env, &agency.asks, who);
    let person = match found {
        Ok(person) => person,
        Err(PersonError::Refused(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let name = kaname_person::agency::name::of_person(&app.keys, &agency.asks, person);
    let more: Vec<Statement> =
        statements.iter().filter(|one| !matches!(one.name.as_str(), "personId" | "uin")).cloned().collect();
    let holds = more.is_empty()
        || read::verdict(&app.store, &app.keys, &app.pack, &call.env, &agency.asks, &name, &more)?;
    let row = Listed { person: name, identity: REGISTER.to_owned(), gallery: String::new() };
    Ok(if holds { vec![row] } else { Vec::new() })
}

/// Those of the agency's own files of which everything is true that it says. Each file that is looked into is in its person's log.
fn filed(
    app: &App,
    call: &Call,
    agency: &Agency,
    statements: &[Statement],
    only_reference: bool,
    most: usize,
) -> Result<Vec<Listed>, Problem> {
    let desk = agency.desk(app, call);
    let gallery = call.query.text("gallery");
    let mut found = Vec::new();
    let mut rows = person::listed(desk)?;
    rows.retain(|row| row.gallery == gallery);
    for row in rows.into_iter().take(LOOKED_INTO) {
        if most == 0 || found.len() >= FAN_OUT {
            break;
        }
        let identity = match only_reference {
            true => person::reference(desk, &row.person),
            false => person::identity(desk, &row.person, &row.identity),
        };
        let claim = match identity {
            Ok((_, Identity::Claimed(claim))) => claim,
            // Taken back meanwhile.
            Ok(_) | Err(PersonError::Refused(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let fits = claim.id == row.identity && statements.iter().all(|one| fits(one, &claim));
        if fits {
            found.push(row);
        }
    }
    Ok(found)
}

fn fits(statement: &Statement, claim: &Claim) -> bool {
    let value = claim.document.get("biographicData").and_then(|data| data.get(&statement.name));
    value.and_then(|value| fact(value).ok()).is_some_and(|fact| statement.holds_of(&fact))
}

fn change(
    app: &App,
    call: &Call,
    agency: &Agency,
    make: impl Fn(Map<String, Value>) -> Map<String, Value> + Send + 'static,
) -> Answer {
    let (id, of) = (call.param("personId"), call.param("identityId"));
    person::change(agency.desk(app, call), id, of, make).map_err(only(&[400, 403, 404]))?;
    Ok(done(StatusCode::NO_CONTENT))
}

fn statuses(call: &Call) -> Result<(bool, bool), Problem> {
    let person = object(call)?;
    check(&shape::PERSON, &Value::Object(person.clone())).map_err(Problem::malformed)?;
    Ok((person["status"] == "ACTIVE", person["physicalStatus"] == "ALIVE"))
}

/// What the register itself says of a document.
const OURS: [&str; 4] = ["identityId", "createdDate", "updatedDate", "enrollmentId"];

/// A document without what the register itself says of it.
pub(super) fn document(call: &Call, shape: &shape::Shape) -> Result<Map<String, Value>, Problem> {
    let mut document = object(call)?;
    check(shape, &Value::Object(document.clone())).map_err(Problem::malformed)?;
    document.retain(|name, _| !OURS.contains(&name.as_str()));
    Ok(document)
}

/// A part of a document, likewise.
pub(super) fn part(call: &Call, shape: &shape::Shape) -> Result<Map<String, Value>, Problem> {
    let mut part = object(call)?;
    shape::check_part(shape, &part).map_err(Problem::malformed)?;
    part.retain(|name, _| !OURS.contains(&name.as_str()));
    Ok(part)
}

/// A part of an identity. What it takes out must not be needed.
fn identity_part(call: &Call) -> Result<Map<String, Value>, Problem> {
    let part = part(call, &shape::IDENTITY_PART)?;
    match ["status", "identityType"].iter().find(|name| part.get(**name).is_some_and(Value::is_null)) {
        Some(needed) => Err(Problem::malformed(format!("{needed} cannot be taken out"))),
        None => Ok(part),
    }
}

/// An identity as OSIA shows it.
fn shown(
    app: &App,
    call: &Call,
    agency: &Agency,
    meaning: Meaning,
    identity: Identity,
) -> Result<Value, Problem> {
    let claim = match identity {
        Identity::Claimed(claim) => claim,
        Identity::Registered => {
            let names: Vec<String> = ["firstName", "lastName", "dateOfBirth", "gender", "residenceStatus"]
                .iter()
                .chain(&["addressLine", "city", "region", "postalCode"])
                .map(|name| (*name).to_owned())
                .collect();
            let (asks, person) = (&agency.asks, meaning.person);
            let answer = read::of_person(&app.store, &app.keys, &app.pack, &call.env, asks, person, &names)?;
            let facts =
                answer.into_iter().filter_map(|(name, given)| Some((name, super::shown(given.ok()?))));
            let facts: Map<String, Value> = facts.collect();
            return Ok(json!({
                "identityId": REGISTER, "identityType": REGISTER, "status": "VALID", "biographicData": facts,
            }));
        }
    };
    let mut document = claim.document;
    document.insert("identityId".to_owned(), Value::from(claim.id));
    document.insert("createdDate".to_owned(), Value::from(claim.made.to_string()));
    document.insert("updatedDate".to_owned(), Value::from(claim.changed.to_string()));
    Ok(Value::Object(document))
}
