//! `GET /v1/events?after=`: an agency fetches its feed of life events, from where it was.

use axum::http::StatusCode;
use kaname_person::agency::feed::{self, Placed};
use serde_json::{Value, json};

use super::bounds::whole;
use crate::http::answer::{Answer, json as json_answer};
use crate::http::guard::Agency;
use crate::http::{App, Call};

/// `GET /v1/events`
pub(crate) fn after(app: &App, call: &Call, agency: &Agency) -> Answer {
    let from = whole(call, "after", 0..=i64::MAX)?;
    let most = whole(call, "limit", 1..=feed::PAGE)?.unwrap_or(feed::PAGE);
    let events = feed::after(agency.desk(app, call), from, most)?;
    // Place 0 may lie before what is still kept: whoever asked without a place gets one that can be asked from.
    let next = match (events.last(), from) {
        (Some(placed), _) => placed.n,
        (None, Some(from)) => from,
        (None, None) => feed::start(agency.desk(app, call))?,
    };
    let events: Vec<Value> = events.iter().map(view).collect();
    Ok(json_answer(StatusCode::OK, &json!({ "events": events, "next": next })))
}

fn view(placed: &Placed) -> Value {
    let notice = &placed.notice;
    let at = kaname_base::Instant::from_seconds(notice.at).to_string();
    let mut view = json!({ "n": placed.n, "id": notice.id, "topic": notice.topic, "at": at });
    match notice.topic.starts_with("life.") {
        true => view["personId"] = Value::from(notice.text.as_str()),
        false => {
            view["subject"] = Value::from(notice.subject.as_str());
            view["message"] = Value::from(notice.text.as_str());
        }
    }
    view
}
