//! The rows of the table that agencies' own systems call. Each names the scope that the access token must be for.

use axum::http::Method;

use super::answer::Answer;
use super::guard::Agency;
use super::routes::{Audit, Handler, Route, Who};
use super::{App, Call};
use crate::api::osia::data;

/// What agencies call.
pub(super) fn table() -> Vec<Route> {
    use Audit::Receipt;
    const LAW: &str = "as registered by law";
    let (get, post) = (Method::GET, Method::POST);
    vec![
        // OSIA Data Access.
        agency(get, "/osia/data/v1/persons/{uin}", "pr.person.read", Receipt(LAW, 1), data::person),
        agency(
            post.clone(),
            "/osia/data/v1/persons/{uin}/match",
            "pr.person.match",
            Receipt(LAW, 1),
            data::matched,
        ),
        agency(
            post,
            "/osia/data/v1/persons/{uin}/verify",
            "pr.person.verify",
            Receipt(LAW, 1),
            data::verified,
        ),
    ]
}

fn agency(
    method: Method,
    path: &'static str,
    scope: &'static str,
    audit: Audit,
    handler: fn(&App, &Call, &Agency) -> Answer,
) -> Route {
    Route { method, path, who: Who::Agency(scope), audit, handler: Handler::Agency(handler) }
}
