//! An agency's own records, linked to residents: it hands in a list and sees counts, asks for one record and gets a word, reads the
//! resident behind one that counts, and is told when one was wrong. No answer says anything about anybody whom a record is not linked to.

use axum::http::{StatusCode, header};
use kaname_codec::b64;
use kaname_person::import::{Format, Rejected};
use kaname_person::link::agency::{hand_in_list, list, record};
use kaname_person::link::disclose::{ReadThrough, note_issued, read_through};
use kaname_person::link::list::Listed;
use kaname_person::link::recall::{Addressed, acknowledge, notices};
use kaname_trust::keys::BlindIndex;
use serde_json::{Value, json};

use super::bounds::whole;
use super::osia::data::{attributes, names};
use super::osia::{done, object};
use crate::http::answer::{Answer, json as json_answer};
use crate::http::guard::Agency;
use crate::http::{App, Call, Problem};
use crate::portal::links::desk;

/// The most notices, and the most rows that cannot be read, in one answer.
const PAGE: i64 = 100;

/// `POST /v1/links/{source}/lists`: CSV or JSON lines, in our own form.
pub(crate) fn hand_in(app: &App, call: &Call, agency: &Agency) -> Answer {
    let format = match media_type(call) {
        "text/csv" => Format::Csv,
        "application/x-ndjson" | "application/jsonl" => Format::Jsonl,
        _ => return Err(Problem::wrong_media_type("text/csv")),
    };
    let source = call.param("source");
    let listed = hand_in_list(&desk(app), &call.env, &agency.asks, source, &call.body, format)?;
    let status = if listed.done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(json_answer(status, &view(&listed, 0, PAGE)))
}

/// `GET /v1/links/{source}/lists/{list}?offset=&limit=`: the page is one of the rows that cannot be read.
pub(crate) fn state(app: &App, call: &Call, agency: &Agency) -> Answer {
    let offset = whole(call, "offset", 0..=i64::MAX)?.unwrap_or(0);
    let most = whole(call, "limit", 1..=PAGE)?.unwrap_or(PAGE);
    let listed = list(&desk(app), &agency.asks, call.param("source"), index(call.param("list"))?)?;
    Ok(json_answer(StatusCode::OK, &view(&listed, offset, most)))
}

/// `GET /v1/links/{source}/records/{reference}`
pub(crate) fn outcome(app: &App, call: &Call, agency: &Agency) -> Answer {
    let reference = call.param("reference");
    let outlook = record(&desk(app), &agency.asks, call.param("source"), reference)?;
    let shown = json!({ "reference": reference, "state": outlook.word() });
    Ok(json_answer(StatusCode::OK, &shown))
}

/// `GET /v1/links/{source}/records/{reference}/person?attributeNames=`
pub(crate) fn person(app: &App, call: &Call, agency: &Agency) -> Answer {
    let names = names(call, "attributeNames")?;
    if names.is_empty() {
        return Err(Problem::malformed("attributeNames is missing"));
    }
    let answer = read_through(&desk(app), &call.env, through(call, agency), &names)?;
    Ok(json_answer(StatusCode::OK, &Value::Object(attributes(answer))))
}

/// `POST /v1/links/{source}/records/{reference}/issued`: `{"what": "card", "reference": "C-1"}`
pub(crate) fn issued(app: &App, call: &Call, agency: &Agency) -> Answer {
    let said = object(call)?;
    let text = |name: &'static str| {
        let found = said.get(name).and_then(Value::as_str).filter(|_| said.len() == 2);
        found
            .ok_or_else(|| Problem::malformed("the body has what and reference, two texts, and nothing else"))
    };
    note_issued(&desk(app), &call.env, through(call, agency), text("what")?, text("reference")?)?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `GET /v1/links/notices?after=&limit=`: links that were wrong, and that the agency has not acknowledged.
pub(crate) fn told(app: &App, call: &Call, agency: &Agency) -> Answer {
    let after = match call.query.iter().any(|(name, _)| name == "after") {
        true => {
            Some(index(call.query.text("after")).map_err(|_| Problem::malformed("after is no notice's id"))?)
        }
        false => None,
    };
    let most = whole(call, "limit", 1..=PAGE)?.unwrap_or(PAGE);
    let found = notices(&desk(app), &agency.asks.actor(), &agency.asks.id, after, most)?;
    let day = |at: kaname_base::Instant| at.date_in(&app.pack.time_zone).to_string();
    let one = |Addressed { id, notice, .. }: &Addressed| {
        json!({
            "id": b64::url_encode(id), "source": notice.source, "reference": notice.reference,
            "firstRead": day(notice.first), "lastRead": day(notice.last), "undone": day(notice.undone),
            "issued": notice.issued,
        })
    };
    let shown: Vec<Value> = found.iter().map(one).collect();
    let is_last = found.len() < usize::try_from(most).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| !is_last).map(|last| b64::url_encode(&last.id));
    Ok(json_answer(StatusCode::OK, &json!({ "notices": shown, "next": next })))
}

/// `POST /v1/links/notices/{notice}/acknowledgement`: what was given is deleted, what was issued is looked at.
pub(crate) fn deleted(app: &App, call: &Call, agency: &Agency) -> Answer {
    let id = index(call.param("notice"))?;
    // Said twice, it was said.
    acknowledge(&desk(app), &agency.asks.actor(), &agency.asks.id, id)?;
    Ok(done(StatusCode::NO_CONTENT))
}

fn through<'a>(call: &'a Call, agency: &'a Agency) -> ReadThrough<'a> {
    ReadThrough { agency: &agency.asks, source: call.param("source"), reference: call.param("reference") }
}

fn view(listed: &Listed, offset: i64, most: i64) -> Value {
    let (offset, most) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(most).unwrap_or(0));
    let rejected =
        |reject: &Rejected| json!({ "line": reject.line, "column": reject.column, "code": reject.code });
    json!({
        "list": b64::url_encode(&listed.id),
        "state": if listed.done { "done" } else { "waiting" },
        "rows": listed.rows,
        "linked": listed.counts.linked,
        "review": listed.counts.review,
        "refused": listed.counts.refused,
        "already": listed.counts.already,
        "rejectedCount": listed.rejected.len(),
        "rejected": listed.rejected.iter().skip(offset).take(most).map(rejected).collect::<Vec<Value>>(),
    })
}

fn media_type(call: &Call) -> &str {
    let given = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

fn index(text: &str) -> Result<BlindIndex, Problem> {
    let bytes = b64::url_decode(text).map_err(|_| Problem::not_found())?;
    bytes.as_slice().try_into().map_err(|_| Problem::not_found())
}
