//! Endpoints that relying parties call themselves: discovery, keys, pushed requests, tokens, userinfo.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use kaname_signin::userinfo::{Attributes, Register};
use kaname_signin::{Parameters, Refusal, client_token, discovery, keys, par, token, userinfo};
use serde_json::{Value, json};

use crate::http::answer::{Answer, json as json_answer, with};
use crate::http::files::public;
use crate::http::{App, Call, Problem};

/// How long a party may keep what we say about ourselves; signing keys overlap for an hour.
const FOR_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// `GET /.well-known/openid-configuration`, and the same for OAuth (RFC 8414).
pub(crate) fn metadata(app: &App, call: &Call) -> Answer {
    Ok(document(&discovery::metadata(&app.signin, &call.env)?))
}

/// `GET /jwks`
pub(crate) fn jwks(app: &App, call: &Call) -> Answer {
    Ok(document(&keys::jwks(&app.signin, &call.env)?))
}

/// `POST /par` (RFC 9126 section 2.2).
pub(crate) fn push(app: &App, call: &Call) -> Answer {
    let parameters = Parameters::read(call.form.iter())?;
    let pushed = par::push(&app.signin, &call.env, &parameters)?;
    let body = json!({ "request_uri": pushed.request_uri, "expires_in": pushed.expires_in });
    Ok(json_answer(StatusCode::CREATED, &body))
}

/// `POST /token` (RFC 6749 section 5.1).
pub(crate) fn token(app: &App, call: &Call) -> Answer {
    let parameters = Parameters::read(call.form.iter())?;
    let body = match parameters.get("grant_type") {
        // An agency for itself, with no person before it.
        Some(client_token::GRANT_TYPE) => {
            serde_json::to_value(client_token::issue(&app.signin, &call.env, &parameters)?)
        }
        _ => serde_json::to_value(token::redeem(&app.signin, &call.env, &parameters)?),
    };
    let body = body.expect("tokens are plain data");
    Ok(with(json_answer(StatusCode::OK, &body), header::PRAGMA, HeaderValue::from_static("no-cache")))
}

/// `GET /userinfo` and `POST /userinfo` (OpenID Connect Core section 5.3).
pub(crate) fn userinfo(app: &App, call: &Call) -> Answer {
    let token = bearer(call)?;
    let register: Arc<dyn Attributes> = Arc::new(Register { pack: Arc::clone(&app.pack) });
    let claims = userinfo::disclose(&app.signin, &call.env, token, &register)?;
    Ok(json_answer(StatusCode::OK, &Value::Object(claims)))
}

/// The token of the header, or of the form (RFC 6750 sections 2.1 and 2.2). Never of the address, which others log.
fn bearer(call: &Call) -> Result<&str, Problem> {
    match (call.bearer(), call.form.get("access_token")) {
        (Some(token), None) | (None, Some(token)) => Ok(token),
        _ => Err(Refusal::TokenUnknown.into()),
    }
}

fn document(value: &Value) -> axum::response::Response {
    public(with(json_answer(StatusCode::OK, value), header::CACHE_CONTROL, FOR_MINUTES))
}
