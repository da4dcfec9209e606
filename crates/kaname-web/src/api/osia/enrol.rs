//! OSIA Enrollment 1.3: a station collects an enrolment piece by piece; when it is finalised, the person is entered.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use kaname_codec::b64;
use kaname_person::PersonError;
use kaname_person::agency::enrol;
use kaname_person::agency::file::{Buffer, Claim, LOOKED_INTO};
use serde_json::{Map, Value, json};

use super::data::statements;
use super::pr::{document, part};
use super::shape;
use super::{FAN_OUT, done, fact, flag, json as body, noted, only, page, transaction};
use crate::http::answer::{Answer, json as json_answer};
use crate::http::guard::Agency;
use crate::http::{App, Call, Problem};

const DIGEST: HeaderName = HeaderName::from_static("digest");

/// `POST /v1/enrollments/{enrollmentId}`
pub(crate) fn create(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let finalise = flag(call, "finalize")?;
    let (desk, id) = (agency.desk(app, call), call.param("enrollmentId"));
    enrol::create(desk, id, told(call)?).map_err(only(&[400, 403, 409]))?;
    finish_if(app, call, agency, finalise)
}

/// `GET /v1/enrollments/{enrollmentId}`
pub(crate) fn read(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let claim = enrol::read(agency.desk(app, call), call.param("enrollmentId"))?;
    let wanted = super::data::names(call, "attributes")?;
    let mut shown = shown(claim);
    if !wanted.is_empty() {
        shown.retain(|name, _| {
            matches!(name.as_str(), "enrollmentId" | "status" | "biographicData") || wanted.contains(name)
        });
        if let Some(Value::Object(data)) = shown.get_mut("biographicData")
            && !wanted.iter().any(|name| name == "biographicData")
        {
            data.retain(|name, _| wanted.contains(name));
        }
    }
    Ok(json_answer(StatusCode::OK, &Value::Object(shown)))
}

/// `PUT /v1/enrollments/{enrollmentId}`
pub(crate) fn replace(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (finalise, new) = (flag(call, "finalize")?, told(call)?);
    let (desk, id) = (agency.desk(app, call), call.param("enrollmentId"));
    enrol::change(desk, id, move |_| new.clone()).map_err(only(&[400, 403, 404]))?;
    finish_if(app, call, agency, finalise)
}

/// `PATCH /v1/enrollments/{enrollmentId}`
pub(crate) fn patch(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let finalise = flag(call, "finalize")?;
    let mut part = part(call, &shape::ENROLMENT)?;
    part.remove("status");
    let (desk, id) = (agency.desk(app, call), call.param("enrollmentId"));
    enrol::change(desk, id, move |before| shape::merge(before, &part)).map_err(only(&[400, 403, 404]))?;
    finish_if(app, call, agency, finalise)
}

/// `DELETE /v1/enrollments/{enrollmentId}`
pub(crate) fn delete(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    enrol::delete(agency.desk(app, call), call.param("enrollmentId")).map_err(only(&[400, 403, 404]))?;
    Ok(done(StatusCode::NO_CONTENT))
}

/// `PUT /v1/enrollments/{enrollmentId}/finalize`
pub(crate) fn finalise(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    finish_if(app, call, agency, true)
}

/// `POST /v1/enrollments`: among the agency's own.
pub(crate) fn find(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let statements = statements(&body(call)?, true)?;
    let (skip, most) = page(call)?;
    let desk = agency.desk(app, call);
    let mut found = Vec::new();
    let mut skipped = 0;
    for id in enrol::listed(desk).map_err(only(&[400, 403]))?.into_iter().take(LOOKED_INTO) {
        if found.len() >= most.min(FAN_OUT) {
            break;
        }
        let claim = match enrol::read(desk, &id) {
            Ok(claim) => claim,
            // Taken back meanwhile.
            Err(PersonError::Refused(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let value = |name: &str| claim.document.get("biographicData").and_then(|data| data.get(name));
        let fits = statements.iter().all(|one| {
            value(&one.name).and_then(|value| fact(value).ok()).is_some_and(|fact| one.holds_of(&fact))
        });
        match (fits, skipped < skip) {
            (true, true) => skipped += 1,
            (true, false) => found.push(Value::Object(shown(claim))),
            (false, _) => {}
        }
    }
    Ok(json_answer(StatusCode::OK, &Value::Array(found)))
}

/// `POST /v1/enrollments/{enrollmentId}/buffer`
pub(crate) fn add_buffer(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.filter(|kind| kind.starts_with("application/") || kind.starts_with("image/"));
    let kind = kind.ok_or_else(|| Problem::wrong_media_type("application/* or image/*"))?.to_owned();
    check_digest(call)?;
    let buffer = Buffer { kind, base64: b64::std_encode(&call.body) };
    let id = enrol::add_buffer(agency.desk(app, call), call.param("enrollmentId"), buffer)
        .map_err(only(&[400, 403, 404]))?;
    Ok(json_answer(StatusCode::CREATED, &json!({ "bufferId": id })))
}

/// `GET /v1/enrollments/{enrollmentId}/buffer/{bufferId}`
pub(crate) fn buffer(app: &App, call: &Call, agency: &Agency) -> Answer {
    transaction(call)?;
    let (id, of) = (call.param("enrollmentId"), call.param("bufferId"));
    let buffer = enrol::buffer(agency.desk(app, call), id, of)?;
    let bytes = b64::std_decode(&buffer.base64).map_err(|_| Problem::unavailable())?;
    let hash = format!("SHA-256={}", b64::std_encode(digest(&SHA256, &bytes).as_ref()));
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Problem::unavailable());
    let (kind, hash) = (value(&buffer.kind)?, value(&hash)?);
    let mut response = axum::response::Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(DIGEST, hash);
    Ok(response)
}

/// The digest of RFC 3230, if one was sent: OSIA's example has SHA-1.
fn check_digest(call: &Call) -> Result<(), Problem> {
    let Some(given) = call.headers.get(DIGEST) else { return Ok(()) };
    let wrong =
        || Problem::malformed("the digest is not that of the body, or of another kind than SHA and SHA-256");
    let (name, value) = given.to_str().ok().and_then(|text| text.split_once('=')).ok_or_else(wrong)?;
    let kind = match name.to_ascii_lowercase().as_str() {
        "sha" => &SHA1_FOR_LEGACY_USE_ONLY,
        "sha-256" => &SHA256,
        _ => return Err(wrong()),
    };
    if b64::std_encode(digest(kind, &call.body).as_ref()) == value { Ok(()) } else { Err(wrong()) }
}

/// What is told of an enrolment; its state is ours to say.
fn told(call: &Call) -> Result<Map<String, Value>, Problem> {
    let mut document = document(call, &shape::ENROLMENT)?;
    document.remove("status");
    Ok(document)
}

fn finish_if(app: &App, call: &Call, agency: &Agency, finalise: bool) -> Answer {
    if finalise {
        let (desk, id) = (agency.desk(app, call), call.param("enrollmentId"));
        enrol::finish(desk, id).inspect_err(noted(agency)).map_err(only(&[400, 403, 404]))?;
    }
    Ok(done(StatusCode::NO_CONTENT))
}

fn shown(claim: Claim) -> Map<String, Value> {
    let mut document = claim.document;
    document.remove("status");
    document.insert("enrollmentId".to_owned(), Value::from(claim.id));
    let status = if claim.finished { "FINALIZED" } else { "IN_PROGRESS" };
    document.insert("status".to_owned(), Value::from(status));
    document
}
