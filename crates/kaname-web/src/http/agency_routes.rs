//! The rows of the table that agencies' own systems call. Each names the scope that the access token must be for.

use axum::http::Method;

use super::answer::Answer;
use super::guard::Agency;
use super::routes::{Audit, Handler, Route, Who};
use super::{App, Call};
use crate::api::osia::{data, enrol, notification, pr, uin};
use crate::api::{dci, events, links};

/// What agencies call.
pub(super) fn table() -> Vec<Route> {
    use Audit::{Nothing, Receipt};
    const LAW: Audit = Receipt("as registered by law", 1);
    const EACH: Audit = Receipt("as registered by law, and for the number, of each who is named", 2);
    const LATER: Audit = Nothing("the job that answers writes an entry for each person");
    const STATES: Audit = Nothing("where a question stands, not what was answered");
    const HEARS: Audit = Receipt("as registered by law, of each who is named", 1);
    const FILE: Audit = Receipt("registration", 1);
    const LIST: Audit = Nothing("an entry for each file that is looked into");
    const OWN: Audit = Nothing("the agency's own; an event names nobody but by the agency's name for her");
    const PAPERS: Audit = Nothing("the register holds no papers");
    const NAMES: Audit = Nothing("names of the agency's own galleries");
    const COMPARES: Audit = Nothing("the job that compares writes an entry for each person");
    const COUNTS: Audit = Nothing("counts, and a word for a record of the agency's own");
    const WRONG: Audit = Nothing("names the agency's own records that were linked wrongly, and nobody");
    macro_rules! at_links {
        ($path:literal) => {
            concat!("/v1/links", $path)
        };
    }
    macro_rules! at {
        ($path:literal) => {
            concat!("/osia/pr/v1/persons", $path)
        };
    }
    let (get, post, put, patch, delete) =
        (|| Method::GET, || Method::POST, || Method::PUT, || Method::PATCH, || Method::DELETE);
    let (read, write) = ("pr.identity.read", "pr.identity.write");
    vec![
        // OSIA UIN.
        agency(post(), "/osia/uin/v1/uin", "uin.generate", Receipt("registration", 1), uin::generate),
        // OSIA Data Access.
        agency(get(), "/osia/data/v1/persons", "pr.person.read", LIST, data::query),
        agency(get(), "/osia/data/v1/persons/{uin}/document", "pr.document.read", PAPERS, data::document),
        agency(get(), "/osia/data/v1/persons/{uin}", "pr.person.read", LAW, data::person),
        agency(post(), "/osia/data/v1/persons/{uin}/match", "pr.person.match", LAW, data::matched),
        agency(post(), "/osia/data/v1/persons/{uin}/verify", "pr.person.verify", LAW, data::verified),
        // OSIA Population Registry.
        agency(post(), at!(""), "pr.person.read", LIST, pr::find),
        agency(post(), at!("/{personId}"), "pr.person.write", FILE, pr::create),
        agency(get(), at!("/{personId}"), "pr.person.read", FILE, pr::read_one),
        agency(put(), at!("/{personId}"), "pr.person.write", FILE, pr::update),
        agency(delete(), at!("/{personId}"), "pr.person.write", FILE, pr::delete),
        agency(post(), at!("/{personId}/merge/{personIdSource}"), "pr.person.write", LIST, pr::merge),
        agency(get(), at!("/{personId}/identities"), read, LIST, pr::identities),
        agency(post(), at!("/{personId}/identities"), write, FILE, pr::claim),
        agency(post(), at!("/{personId}/identities/{identityId}"), write, FILE, pr::claim_as),
        agency(get(), at!("/{personId}/identities/{identityId}"), read, FILE, pr::identity),
        agency(put(), at!("/{personId}/identities/{identityId}"), write, FILE, pr::replace),
        agency(patch(), at!("/{personId}/identities/{identityId}"), write, FILE, pr::patch),
        agency(delete(), at!("/{personId}/identities/{identityId}"), write, FILE, pr::withdraw),
        agency(put(), at!("/{personId}/identities/{identityId}/status"), write, FILE, pr::set_status),
        agency(
            put(),
            at!("/{personId}/identities/{identityId}/reference"),
            "pr.reference.write",
            LIST,
            pr::make_reference,
        ),
        agency(
            post(),
            at!("/{personId}/move/{personIdSource}/identities/{identityId}"),
            write,
            LIST,
            pr::move_identity,
        ),
        agency(get(), at!("/{personId}/reference"), "pr.reference.read", LIST, pr::reference),
        agency(get(), "/osia/pr/v1/galleries", "pr.gallery.read", NAMES, pr::galleries),
        agency(get(), "/osia/pr/v1/galleries/{galleryId}", "pr.gallery.read", NAMES, pr::gallery),
        // OSIA Enrollment.
        agency(post(), "/osia/enrollment/v1/enrollments", "enroll.read", LIST, enrol::find),
        agency(post(), "/osia/enrollment/v1/enrollments/{enrollmentId}", "enroll.write", FILE, enrol::create),
        agency(get(), "/osia/enrollment/v1/enrollments/{enrollmentId}", "enroll.read", FILE, enrol::read),
        agency(put(), "/osia/enrollment/v1/enrollments/{enrollmentId}", "enroll.write", FILE, enrol::replace),
        agency(patch(), "/osia/enrollment/v1/enrollments/{enrollmentId}", "enroll.write", FILE, enrol::patch),
        agency(
            delete(),
            "/osia/enrollment/v1/enrollments/{enrollmentId}",
            "enroll.write",
            FILE,
            enrol::delete,
        ),
        agency(
            put(),
            "/osia/enrollment/v1/enrollments/{enrollmentId}/finalize",
            "enroll.write",
            LIST,
            enrol::finalise,
        ),
        agency(
            post(),
            "/osia/enrollment/v1/enrollments/{enrollmentId}/buffer",
            "enroll.buf.write",
            FILE,
            enrol::add_buffer,
        ),
        agency(
            get(),
            "/osia/enrollment/v1/enrollments/{enrollmentId}/buffer/{bufferId}",
            "enroll.buf.read",
            FILE,
            enrol::buffer,
        ),
        // OSIA Notification.
        agency(
            post(),
            "/osia/notification/v1/subscriptions",
            "notif.sub.write",
            OWN,
            notification::subscribe,
        ),
        agency(get(), "/osia/notification/v1/subscriptions", "notif.sub.read", OWN, notification::list),
        agency(
            get(),
            "/osia/notification/v1/subscriptions/confirm",
            "notif.sub.write",
            OWN,
            notification::confirm,
        ),
        agency(
            delete(),
            "/osia/notification/v1/subscriptions/{uuid}",
            "notif.sub.write",
            OWN,
            notification::end,
        ),
        agency(post(), "/osia/notification/v1/topics", "notif.topic.write", OWN, notification::make),
        agency(get(), "/osia/notification/v1/topics", "notif.topic.read", OWN, notification::topics),
        agency(delete(), "/osia/notification/v1/topics/{uuid}", "notif.topic.write", OWN, notification::drop),
        agency(
            post(),
            "/osia/notification/v1/topics/{uuid}/publish",
            "notif.topic.publish",
            OWN,
            notification::publish,
        ),
        // DCI registry search.
        agency(post(), "/registry/sync/search", "dci.search", EACH, dci::search_now),
        agency(post(), "/registry/search", "dci.search", LATER, dci::search_later),
        agency(post(), "/registry/sync/txn/status", "dci.search", STATES, dci::status_now),
        agency(post(), "/registry/txn/status", "dci.search", STATES, dci::status_later),
        agency(post(), "/registry/subscribe", "notif.sub.write", HEARS, dci::events::subscribe),
        agency(post(), "/registry/unsubscribe", "notif.sub.write", OWN, dci::events::unsubscribe),
        // The feed of life events.
        agency(get(), "/v1/events", "events.read", OWN, events::after),
        // Records of the agency's own, linked to residents.
        agency(post(), at_links!("/{source}/lists"), "links.check", COMPARES, links::hand_in),
        agency(get(), at_links!("/{source}/lists/{list}"), "links.check", COUNTS, links::state),
        agency(get(), at_links!("/{source}/records/{reference}"), "links.check", COUNTS, links::outcome),
        agency(get(), at_links!("/{source}/records/{reference}/person"), "links.read", LAW, links::person),
        agency(
            post(),
            at_links!("/{source}/records/{reference}/issued"),
            "links.read",
            Receipt("correction", 1),
            links::issued,
        ),
        agency(get(), at_links!("/notices"), "links.read", WRONG, links::told),
        agency(post(), at_links!("/notices/{notice}/acknowledgement"), "links.read", WRONG, links::deleted),
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
