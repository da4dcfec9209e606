//! OSIA Notification 1.2: topics, subscriptions with their confirmation, publishing. The topics of life events are the register's own.

use axum::http::StatusCode;
use kaname_person::agency::feed::subscription::{self, Subscription, Topic};
use serde_json::{Value, json};

use super::{done, only};
use crate::api::webhooks::{self, may_be_called};
use crate::http::answer::{Answer, json as json_answer};
use crate::http::guard::Agency;
use crate::http::{App, Call, Problem};

/// `POST /v1/topics`
pub(crate) fn make(app: &App, call: &Call, agency: &Agency) -> Answer {
    let name = needed(call, "name")?;
    let topic = subscription::make_topic(agency.desk(app, call), name).map_err(as_bad)?;
    Ok(json_answer(StatusCode::OK, &topic_view(&topic)))
}

/// `GET /v1/topics`
pub(crate) fn topics(app: &App, call: &Call, agency: &Agency) -> Answer {
    let all = subscription::topics(agency.desk(app, call)).map_err(only(&[400]))?;
    Ok(json_answer(StatusCode::OK, &all.iter().map(topic_view).collect()))
}

/// `DELETE /v1/topics/{uuid}`
pub(crate) fn drop(app: &App, call: &Call, agency: &Agency) -> Answer {
    subscription::drop_topic(agency.desk(app, call), call.param("uuid")).map_err(|error| {
        let problem = Problem::from(error);
        if problem.status() == StatusCode::FORBIDDEN {
            problem.with_status(StatusCode::BAD_REQUEST)
        } else {
            problem
        }
    })?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `POST /v1/topics/{uuid}/publish`
pub(crate) fn publish(app: &App, call: &Call, agency: &Agency) -> Answer {
    let text = std::str::from_utf8(&call.body).map_err(|_| Problem::malformed("the message is not UTF-8"))?;
    if text.len() > LONGEST_MESSAGE {
        return Err(Problem::malformed("the message is longer than 64 KiB"));
    }
    let listeners = webhooks::listeners(&app.signin, &call.env)?;
    let (id, subject) = (call.param("uuid"), call.query.text("subject"));
    subscription::publish(agency.desk(app, call), id, subject, text, &listeners).map_err(as_bad)?;
    Ok(done(StatusCode::OK))
}

/// The longest message that is published, in bytes.
const LONGEST_MESSAGE: usize = 64 * 1_024;

/// `POST /v1/subscriptions`
pub(crate) fn subscribe(app: &App, call: &Call, agency: &Agency) -> Answer {
    let (topic, address) = (needed(call, "topic")?, needed(call, "address")?);
    if call.query.iter().any(|(name, _)| name == "protocol") && call.query.get("protocol") != Some("http") {
        return Err(Problem::malformed("events are sent by http only"));
    }
    let policy = call.query.get("policy");
    if policy.is_some_and(|policy| !is_policy(policy)) {
        return Err(Problem::malformed("a policy is two whole numbers with a comma between"));
    }
    if !may_be_called(&agency.bearer.client, address) {
        return Err(Problem::malformed("the address does not lie under one that the agency has registered"));
    }
    let made = subscription::subscribe(agency.desk(app, call), topic, address, policy).map_err(as_bad)?;
    Ok(json_answer(StatusCode::OK, &view(&made)))
}

/// `GET /v1/subscriptions`
pub(crate) fn list(app: &App, call: &Call, agency: &Agency) -> Answer {
    let all = subscription::subscriptions(agency.desk(app, call)).map_err(only(&[400]))?;
    Ok(json_answer(StatusCode::OK, &all.iter().map(view).collect()))
}

/// `DELETE /v1/subscriptions/{uuid}`
pub(crate) fn end(app: &App, call: &Call, agency: &Agency) -> Answer {
    subscription::unsubscribe(agency.desk(app, call), call.param("uuid")).map_err(only(&[400, 404]))?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `GET /v1/subscriptions/confirm`
pub(crate) fn confirm(app: &App, call: &Call, agency: &Agency) -> Answer {
    subscription::confirm(agency.desk(app, call), needed(call, "token")?).map_err(as_bad)?;
    Ok(done(StatusCode::OK))
}

fn needed<'a>(call: &'a Call, name: &'static str) -> Result<&'a str, Problem> {
    call.query.get(name).ok_or_else(|| Problem::malformed(format!("{name} is missing")))
}

/// Two whole numbers: seconds to wait, and how often to try.
fn is_policy(policy: &str) -> bool {
    let whole = |text: &str| text.trim().parse::<i64>().is_ok_and(|number| number >= -1);
    policy.split_once(',').is_some_and(|(wait, most)| whole(wait) && whole(most))
}

/// These operations have 400 for every no.
fn as_bad(error: kaname_person::PersonError) -> Problem {
    let problem = Problem::from(error);
    if problem.status().is_client_error() { problem.with_status(StatusCode::BAD_REQUEST) } else { problem }
}

fn topic_view(topic: &Topic) -> Value {
    json!({ "uuid": topic.id, "name": topic.name })
}

fn view(one: &Subscription) -> Value {
    let mut view = json!({
        "uuid": one.id, "topic": one.topic, "protocol": "http", "address": one.address, "active": one.active,
    });
    if let Some(policy) = &one.policy {
        view["policy"] = Value::from(policy.as_str());
    }
    view
}
