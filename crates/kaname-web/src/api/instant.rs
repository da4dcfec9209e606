//! What banks and wallets say to the instant payments' scheme. Each message is a signed token (`application/jose`), and so is the
//! answer; what a message holds is checked below, by the block.

use axum::http::StatusCode;
use kaname_pay::instant::message::Topic;
use kaname_pay::instant::work::{Courier, Reply};
use kaname_pay::instant::{Participant, Refusal, Scheme};

use super::instant_courier::HttpCourier;
use crate::http::answer::{Answer, json, of};
use crate::http::{App, Call, Problem};

/// A signed token in compact form (RFC 7515 section 9.2.1).
const MEDIA_TYPE: &str = "application/jose";

/// `GET /instant/v1/keys`
pub(crate) fn keys(app: &App, _: &Call) -> Answer {
    Ok(json(StatusCode::OK, &scheme(app)?.jwks()))
}

/// `POST /instant/v1/resolutions`: asks the payee's participant, and so may take its time.
pub(crate) fn resolve(app: &App, call: &Call) -> Answer {
    answer(app, call, Topic::Resolve, &HttpCourier::new(app.made().client.clone()))
}

/// `POST /instant/v1/quotes`
pub(crate) fn quote(app: &App, call: &Call) -> Answer {
    answer(app, call, Topic::Quote, &Nobody)
}

/// `POST /instant/v1/reservations`
pub(crate) fn reserve(app: &App, call: &Call) -> Answer {
    answer(app, call, Topic::Reserve, &Nobody)
}

/// `POST /instant/v1/commits`
pub(crate) fn commit(app: &App, call: &Call) -> Answer {
    answer(app, call, Topic::Commit, &Nobody)
}

/// `POST /instant/v1/aborts`
pub(crate) fn abort(app: &App, call: &Call) -> Answer {
    answer(app, call, Topic::Abort, &Nobody)
}

/// `POST /instant/v1/inquiries`
pub(crate) fn status(app: &App, call: &Call) -> Answer {
    answer(app, call, Topic::Status, &Nobody)
}

/// For messages that are answered from the database alone.
struct Nobody;

impl Courier for Nobody {
    fn send(&self, _: &Participant, _: Topic, _: &str) -> Reply {
        Reply::Nothing
    }
}

fn answer(app: &App, call: &Call, topic: Topic, courier: &dyn Courier) -> Answer {
    // Exactly what was sent: a token has one spelling.
    let token = std::str::from_utf8(&call.body).map_err(|_| refused(Refusal::MessageSignature))?;
    let answer = scheme(app)?.answer(&call.env, courier, topic, token)?;
    Ok(of(StatusCode::OK, MEDIA_TYPE, answer))
}

fn scheme(app: &App) -> Result<&Scheme, Problem> {
    app.made().instant.as_ref().ok_or_else(|| refused(Refusal::NoInstantPayments))
}

fn refused(refusal: Refusal) -> Problem {
    kaname_pay::PayError::from(refusal).into()
}
