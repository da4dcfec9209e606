//! The rows of the table that officers call: their own pages, and those of the counter, where one resident is served at a time.

use axum::http::Method;
use kaname_person::Action;

use super::answer::Answer;
use super::guard::{AtCounter, Officer};
use super::routes::{Audit, Handler, Route, Who};
use super::{App, Call};
use crate::office::links as office_links;
use crate::office::{
    account, behalf, counter, counter_links, decisions, events, findings, history, home, identity, imports,
    introducers,
};
use crate::office::{link_lists, mandates, number, payouts, photo, register, residents, vouchers};
use crate::portal::activate;

/// What officers call.
pub(super) fn table() -> Vec<Route> {
    use Audit::{Nothing, Receipt};
    const FORM: Audit = Nothing("an empty form");
    const KEYS: Audit = Nothing("checks what somebody knows or has; opens no record");
    const ENDS: Audit = Nothing("ends something; opens no record");
    const COUNTS: Audit = Nothing("sums and states, no person");
    const LATER: Audit = Nothing("the run itself writes an entry for each person");
    vec![
        // The office.
        officer(Method::GET, "/office", None, COUNTS, home::home),
        coming_in(Method::POST, "/office/signout", ENDS, home::sign_out),
        coming_in(Method::GET, "/office/activate/passkey", FORM, activate::offer_officer),
        coming_in(Method::POST, "/office/activate/passkey", KEYS, activate::register_officer),
        coming_in(Method::POST, "/office/activate/no-passkey", FORM, activate::decline_officer),
        // At the counter, one resident at a time.
        officer(Method::GET, "/office/find", Some(Action::FindResident), FORM, residents::form),
        officer(
            Method::POST,
            "/office/find",
            Some(Action::FindResident),
            Receipt("as chosen", 1),
            residents::begin,
        ),
        officer(Method::GET, "/office/counter/ended", None, FORM, counter::ended),
        at_counter(
            Method::GET,
            "/office/counter/{counter}",
            Action::FindResident,
            Receipt("the session's", 1),
            counter::record,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/end",
            Action::FindResident,
            Receipt("the session's", 1),
            counter::end,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/registered",
            Action::RevealNumber,
            Receipt("the session's", 1),
            counter::registered,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/letter",
            Action::IssueActivation,
            Receipt("the session's", 1),
            counter::letter,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/account",
            Action::RegisterAccount,
            FORM,
            account::form,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/account",
            Action::RegisterAccount,
            Receipt("payout", 1),
            account::register,
        ),
        at_counter(Method::GET, "/office/counter/{counter}/event", Action::RecordEvent, FORM, events::form),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/event",
            Action::RecordEvent,
            Receipt("the session's, and the event's", 2),
            events::record,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/history",
            Action::OpenResident,
            Receipt("the session's", 1),
            history::list,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/as-of",
            Action::OpenResident,
            FORM,
            history::ask_as_of,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/as-of",
            Action::OpenResident,
            Receipt("the session's", 1),
            history::show_as_of,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/relations",
            Action::OpenResident,
            Receipt("the session's, and one in the log of each of the others", 1),
            history::relations,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/number",
            Action::ManageAliases,
            Receipt("the session's", 1),
            number::list,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/number/lock",
            Action::LockNumber,
            Nothing("whether the number is locked, and not the number"),
            number::lock_form,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/number/lock",
            Action::LockNumber,
            Receipt("the session's", 1),
            number::change_lock,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/number/aliases",
            Action::ManageAliases,
            FORM,
            number::alias_form,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/number/aliases",
            Action::ManageAliases,
            Receipt("the session's", 1),
            number::make,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/number/aliases/end",
            Action::ManageAliases,
            Receipt("the session's", 1),
            number::end,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/number/replace",
            Action::ReplaceNumber,
            FORM,
            number::replace_form,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/number/replace",
            Action::ReplaceNumber,
            Nothing("proposes, or writes an event that she sees"),
            number::replace,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/mandates",
            Action::SeeMandates,
            Receipt("the session's", 1),
            mandates::list,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/mandates/new",
            Action::RecordMandate,
            FORM,
            mandates::form,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/mandates",
            Action::RecordMandate,
            Receipt("the session's, and one in the log of who holds it", 1),
            mandates::make,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/mandates/end",
            Action::EndMandate,
            Receipt("the session's", 1),
            mandates::finish,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/proposal",
            Action::ProposeIdentity,
            FORM,
            identity::form,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/proposal",
            Action::ProposeIdentity,
            Receipt("correction", 1),
            identity::make,
        ),
        at_counter(Method::GET, "/office/counter/{counter}/behalf", Action::StandIn, FORM, behalf::form),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/behalf",
            Action::StandIn,
            Receipt("the session's for the mandate, and own-access under it", 2),
            behalf::show,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/voucher",
            Action::PrintVoucher,
            Receipt("payout", 1),
            vouchers::list,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/voucher",
            Action::PrintVoucher,
            Receipt("payout", 1),
            vouchers::print,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/cash",
            Action::RedeemVoucher,
            FORM,
            vouchers::form,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/cash",
            Action::RedeemVoucher,
            Receipt("payout", 1),
            vouchers::pay,
        ),
        officer(
            Method::GET,
            "/office/decisions",
            None,
            Nothing("says that something waits, and not about whom"),
            decisions::list,
        ),
        officer(
            Method::GET,
            "/office/decisions/{id}",
            None,
            Receipt("correction or registration, for each of whom it is about", 1),
            decisions::one,
        ),
        officer(
            Method::POST,
            "/office/decisions/{id}",
            None,
            Receipt("correction or registration, for each of whom it is about", 1),
            decisions::decide,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/links",
            Action::SeeLinks,
            Receipt("the session's", 1),
            counter_links::list,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/links/confirm",
            Action::ConfirmLink,
            Receipt("correction", 1),
            counter_links::confirm_for,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/links/report",
            Action::ReportLink,
            Receipt("correction", 1),
            counter_links::report_for,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/photo",
            Action::RecordEvent,
            Receipt("the session's", 1),
            photo::form,
        ),
        at_counter(
            Method::GET,
            "/office/counter/{counter}/photo/picture",
            Action::OpenResident,
            Receipt("the session's", 1),
            photo::picture,
        ),
        at_counter(
            Method::POST,
            "/office/counter/{counter}/photo",
            Action::RecordEvent,
            Receipt("registration", 1),
            photo::upload,
        ),
        officer(Method::GET, "/office/register", Some(Action::RegisterResident), FORM, register::form),
        officer(
            Method::POST,
            "/office/register",
            Some(Action::RegisterResident),
            Receipt("registration", 1),
            register::register,
        ),
        officer(Method::GET, "/office/imports", Some(Action::SeeImportRejects), COUNTS, imports::list),
        officer(Method::GET, "/office/imports/{id}", Some(Action::SeeImportRejects), COUNTS, imports::one),
        officer(Method::GET, "/office/links", Some(Action::WatchLinks), COUNTS, office_links::list),
        officer(Method::GET, "/office/links/lists", Some(Action::CheckLinks), COUNTS, link_lists::list),
        officer(
            Method::POST,
            "/office/links/lists",
            Some(Action::CheckLinks),
            Nothing("the job that compares writes an entry for each person"),
            link_lists::hand_in,
        ),
        officer(
            Method::POST,
            "/office/links/told",
            Some(Action::SettleLink),
            Nothing("notes that a reader was told; opens no record"),
            office_links::told,
        ),
        officer(
            Method::POST,
            "/office/links/case",
            Some(Action::ReviewLink),
            Receipt("record-linking, for each candidate", 1),
            office_links::case,
        ),
        officer(
            Method::POST,
            "/office/links/decide",
            Some(Action::ReviewLink),
            Nothing("writes what was seen before"),
            office_links::decide_case,
        ),
        officer(
            Method::POST,
            "/office/links/report",
            Some(Action::SettleLink),
            Receipt("correction", 1),
            office_links::open_report,
        ),
        officer(
            Method::POST,
            "/office/links/settle",
            Some(Action::SettleLink),
            Receipt("correction", 1),
            office_links::settle_report,
        ),
        officer(
            Method::POST,
            "/office/findings/settle",
            Some(Action::SettleFinding),
            Receipt("correction, of a link that is suspended", 1),
            findings::decide,
        ),
        officer(
            Method::POST,
            "/office/findings/open",
            Some(Action::SettleFinding),
            Receipt("correction, for each whom it is about", 1),
            findings::open,
        ),
        officer(
            Method::POST,
            "/office/findings/merge",
            Some(Action::ProposeIdentity),
            Receipt("correction", 1),
            findings::merge,
        ),
        officer(Method::GET, "/office/introducers", Some(Action::WatchIntroducers), COUNTS, introducers::all),
        officer(
            Method::POST,
            "/office/introducers/open",
            Some(Action::WatchIntroducers),
            Receipt("correction, for the introducer and each whom she brought in", 1),
            introducers::open,
        ),
        officer(
            Method::POST,
            "/office/introducers/standing",
            Some(Action::SuspendIntroducer),
            Receipt("correction", 1),
            introducers::decide,
        ),
        officer(Method::GET, "/office/payouts", Some(Action::WatchPayout), COUNTS, payouts::list),
        officer(Method::GET, "/office/payouts/new", Some(Action::PlanPayout), COUNTS, payouts::form),
        officer(
            Method::POST,
            "/office/payouts",
            Some(Action::PlanPayout),
            Nothing("freezes a list, opens nobody"),
            payouts::plan,
        ),
        officer(Method::GET, "/office/payouts/{id}", Some(Action::WatchPayout), COUNTS, payouts::watch),
        officer(
            Method::POST,
            "/office/payouts/{id}/start",
            Some(Action::ApprovePayout),
            LATER,
            payouts::approve,
        ),
        officer(Method::POST, "/office/payouts/{id}/stop", Some(Action::RunPayout), COUNTS, payouts::stop),
        officer(Method::POST, "/office/payouts/{id}/resume", Some(Action::RunPayout), LATER, payouts::resume),
    ]
}

fn officer(
    method: Method,
    path: &'static str,
    action: Option<Action>,
    audit: Audit,
    handler: fn(&App, &Call, &Officer) -> Answer,
) -> Route {
    Route { method, path, who: Who::Officer(action), audit, handler: Handler::Officer(handler) }
}

fn coming_in(
    method: Method,
    path: &'static str,
    audit: Audit,
    handler: fn(&App, &Call, &Officer) -> Answer,
) -> Route {
    Route { method, path, who: Who::OfficerComingIn, audit, handler: Handler::Officer(handler) }
}

fn at_counter(
    method: Method,
    path: &'static str,
    action: Action,
    audit: Audit,
    handler: fn(&App, &Call, &AtCounter) -> Answer,
) -> Route {
    Route { method, path, who: Who::AtCounter(action), audit, handler: Handler::AtCounter(handler) }
}
