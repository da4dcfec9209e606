//! The table of routes: each row says who may call and what is written into the access log. The router is made from it, and from
//! nothing else, so a route without rules cannot be.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use kaname_person::Action;

use super::answer::{Answer, with_cookie};
use super::call::Reading;
use super::guard::{self, Agency, AtCounter, Officer, Resident};
use super::{
    App, Call, Problem, agency_routes, cookies, files, headers, language, manual, office_routes, present,
};
use crate::api::{authorize, instant, party, statistics};
use crate::portal::history as own_history;
use crate::portal::{activate, aliases, delegates, links, money, own, signin, signins};

/// One row of the table.
pub struct Route {
    /// `GET` or `POST`; those for agencies also `PUT`, `PATCH` and `DELETE`.
    pub method: Method,
    /// The path, with its parts in braces.
    pub path: &'static str,
    /// Who may call it.
    pub who: Who,
    /// What it writes into the access log.
    pub audit: Audit,
    pub(super) handler: Handler,
}

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Anyone. Forms carry the token of the browser that loaded the page.
    Anyone,
    /// A resident who has signed in.
    Resident,
    /// An officer who has signed in with a passkey, in a role that may do this; in any role if `None`.
    Officer(Option<Action>),
    /// An officer in a role that may do this, from a page of the open session at the counter with one resident.
    ///
    /// A route that does something for, or shows something of, a resident who stands before the officer is marked so: with
    /// [`at_counter`], a path below `/office/counter/{counter}/`, and a handler that takes a [`AtCounter`], which is the only
    /// thing that says who the resident is. The guard refuses a page of any other session. A form on such a page needs nothing
    /// but `ui::csrf`, which also sends the session's id; a link leads to `at.address("…")`.
    AtCounter(Action),
    /// An officer who has signed in, by whatever means: to make a passkey, or to leave.
    OfficerComingIn,
    /// A relying party, which proves who it is within the protocol: by an assertion or by an access token.
    Party,
    /// A bank or wallet of instant payments, which signs each of its messages.
    Participant,
    /// An agency's own system, whose access token is for this scope.
    Agency(&'static str),
}

/// What a route writes into the access log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audit {
    /// Nothing, because it opens nobody's data. The text says why that is so.
    Nothing(&'static str),
    /// Entries of this purpose, and how many in one call.
    Receipt(&'static str, usize),
}

/// In which form a problem is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Voice {
    /// A page; a document for those who accept only that.
    Page,
    /// A document (RFC 9457).
    Document,
    /// The same, for whoever sent an access token.
    Api,
    /// OAuth's own form.
    OAuth,
    /// OSIA's own form, for whoever sent an access token.
    Osia,
    /// DCI's form of errors of the transport.
    Dci,
}

impl Voice {
    /// The form of whatever lies at or below a path, be it there or not.
    fn of(path: &str) -> Voice {
        let below = |root: &str| path.starts_with(root);
        match path {
            _ if below("/v1/") => Voice::Api,
            _ if below("/osia/") => Voice::Osia,
            _ if below("/registry/") => Voice::Dci,
            _ if below("/.well-known/") || below("/log/") => Voice::Document,
            "/jwks" | "/healthz" | "/readyz" => Voice::Document,
            _ => Voice::Page,
        }
    }
}

/// What a route runs. The kind of caller is an argument, so a handler for residents cannot stand in a row for anyone.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Needs neither thread nor database.
    AtOnce(fn(&App, &Call) -> Answer),
    Anyone(fn(&App, &Call) -> Answer),
    Party(fn(&App, &Call) -> Answer),
    Participant(fn(&App, &Call) -> Answer),
    /// The same, and it may wait for another participant.
    ParticipantWaits(fn(&App, &Call) -> Answer),
    Resident(fn(&App, &Call, &Resident) -> Answer),
    Officer(fn(&App, &Call, &Officer) -> Answer),
    Agency(fn(&App, &Call, &Agency) -> Answer),
    AtCounter(fn(&App, &Call, &AtCounter) -> Answer),
}

/// All routes.
pub fn table() -> Vec<Route> {
    pages().into_iter().chain(office_routes::table()).chain(agency_routes::table()).collect()
}

/// What residents, and the parties that sign them in, call.
fn pages() -> Vec<Route> {
    use Audit::{Nothing, Receipt};
    const NOBODY: Audit = Nothing("the same for everybody");
    const FORM: Audit = Nothing("an empty form");
    const KEYS: Audit = Nothing("checks what somebody knows or has; opens no record");
    const ENDS: Audit = Nothing("ends something; opens no record");
    const COUNTS: Audit = Nothing("sums and states, no person");
    const OWN: &str = "own-access";
    vec![
        at_once("/healthz", files::healthz),
        anyone(Method::GET, "/readyz", NOBODY, files::readyz),
        at_once("/assets/{name}", files::asset),
        at_once("/errors/{code}", manual::page_of),
        at_once("/v1/openapi.json", files::openapi),
        anyone(Method::GET, "/log/checkpoint", NOBODY, files::checkpoint),
        anyone(Method::GET, "/log/vkey", NOBODY, files::vkey),
        anyone(Method::GET, "/log/tile/{*rest}", NOBODY, files::tile),
        anyone(Method::GET, "/statistics/links", COUNTS, statistics::links),
        // The OpenID provider.
        anyone(Method::GET, "/.well-known/openid-configuration", NOBODY, party::metadata),
        anyone(Method::GET, "/.well-known/oauth-authorization-server", NOBODY, party::metadata),
        anyone(Method::GET, "/jwks", NOBODY, party::jwks),
        // Where DCI has the keys.
        anyone(Method::GET, "/.well-known/jwks.json", NOBODY, party::jwks),
        by_party(Method::POST, "/par", Nothing("keeps a request; no person yet"), party::push),
        by_party(Method::POST, "/token", Nothing("a pairwise name only"), party::token),
        by_party(Method::GET, "/userinfo", Receipt("the attribute's purpose", 1), party::userinfo),
        by_party(Method::POST, "/userinfo", Receipt("the attribute's purpose", 1), party::userinfo),
        anyone(Method::GET, "/authorize", Nothing("leads to a page or back"), authorize::start),
        by_party(Method::POST, "/authorize", Nothing("leads to the same by GET"), authorize::start_posted),
        // Instant payments.
        anyone(Method::GET, "/instant/v1/keys", NOBODY, instant::keys),
        by_participant("/instant/v1/resolutions", Handler::ParticipantWaits(instant::resolve)),
        by_participant("/instant/v1/quotes", Handler::Participant(instant::quote)),
        by_participant("/instant/v1/reservations", Handler::Participant(instant::reserve)),
        by_participant("/instant/v1/commits", Handler::Participant(instant::commit)),
        by_participant("/instant/v1/aborts", Handler::Participant(instant::abort)),
        by_participant("/instant/v1/inquiries", Handler::Participant(instant::status)),
        // The way in.
        anyone(Method::GET, "/", NOBODY, signin::start),
        anyone(Method::GET, "/signin", FORM, signin::form),
        anyone(Method::POST, "/signin/passkey", KEYS, signin::by_passkey),
        anyone(Method::POST, "/signin/letter", KEYS, signin::by_letter),
        anyone(Method::POST, "/signin/code", KEYS, signin::by_squares),
        anyone(Method::GET, "/activate", FORM, activate::form),
        anyone(Method::POST, "/activate", KEYS, activate::activate),
        resident(Method::GET, "/activate/passkey", Receipt(OWN, 1), activate::offer),
        resident(Method::POST, "/activate/passkey", KEYS, activate::register),
        resident(Method::POST, "/activate/no-passkey", FORM, activate::decline),
        resident(Method::GET, "/activate/done", FORM, activate::done),
        resident(Method::GET, "/consent", Nothing("names attributes, not their values"), signin::ask_again),
        resident(Method::POST, "/consent", Nothing("discloses nothing yet"), signin::decide),
        resident(Method::POST, "/signout", ENDS, signin::out),
        anyone(Method::GET, "/signed-out", NOBODY, signin::goodbye),
        // A resident's own pages.
        resident(Method::GET, "/home", Receipt(OWN, 1), own::home),
        resident(Method::GET, "/my/data", Receipt(OWN, 1), own::data),
        resident(Method::GET, "/my/history", Receipt(OWN, 1), own_history::list),
        resident(Method::POST, "/my/export", Receipt(OWN, 3), own::export),
        resident(Method::GET, "/my/photo", Receipt(OWN, 1), own::photo),
        resident(Method::GET, "/my/photo/picture", Receipt(OWN, 1), own::picture),
        resident(Method::GET, "/my/number", Nothing("shows dots"), own::number),
        resident(Method::POST, "/my/number", Receipt(OWN, 1), own::reveal),
        resident(Method::GET, "/my/number/aliases", Receipt(OWN, 1), aliases::list),
        resident(Method::POST, "/my/number/aliases", Receipt(OWN, 1), aliases::make),
        resident(Method::POST, "/my/number/aliases/end", Receipt(OWN, 1), aliases::end),
        resident(Method::POST, "/my/number/lock", Receipt(OWN, 1), aliases::change_lock),
        resident(Method::GET, "/my/delegates", Receipt(OWN, 2), delegates::list),
        resident(Method::POST, "/my/delegates", Receipt(OWN, 1), delegates::give),
        resident(Method::POST, "/my/delegates/end", Receipt(OWN, 1), delegates::end_given),
        resident(Method::POST, "/my/delegates/accept", Receipt(OWN, 1), delegates::take),
        resident(Method::POST, "/my/delegates/refuse", Receipt(OWN, 1), delegates::hand_back),
        // The pages of somebody for whom a resident acts: an entry in her own log, and one in that person's.
        resident(Method::GET, "/for/{mandate}", Receipt(OWN, 1), delegates::start),
        resident(Method::GET, "/for/{mandate}/data", Receipt(OWN, 2), delegates::data),
        resident(Method::GET, "/for/{mandate}/history", Receipt(OWN, 2), delegates::events),
        resident(Method::GET, "/for/{mandate}/access", Receipt(OWN, 2), delegates::access),
        resident(Method::GET, "/for/{mandate}/payments", Receipt(OWN, 2), delegates::payments),
        resident(Method::GET, "/for/{mandate}/links", Receipt(OWN, 2), delegates::linked),
        resident(Method::POST, "/for/{mandate}/links/confirm", Receipt(OWN, 2), delegates::confirm_link),
        resident(
            Method::POST,
            "/for/{mandate}/links/report",
            Receipt("own-access, and correction", 2),
            delegates::report_link,
        ),
        resident(Method::GET, "/for/{mandate}/number", Receipt(OWN, 1), delegates::number),
        resident(Method::POST, "/for/{mandate}/number", Receipt(OWN, 2), delegates::reveal),
        resident(Method::GET, "/for/{mandate}/number/aliases", Receipt(OWN, 2), delegates::alias_list),
        resident(Method::POST, "/for/{mandate}/number/aliases", Receipt(OWN, 2), delegates::make_alias),
        resident(Method::POST, "/for/{mandate}/number/aliases/end", Receipt(OWN, 2), delegates::end_alias),
        resident(Method::POST, "/for/{mandate}/number/lock", Receipt(OWN, 2), delegates::change_lock),
        resident(Method::GET, "/my/links", Receipt(OWN, 1), links::list),
        resident(Method::POST, "/my/links/confirm", Receipt(OWN, 1), links::accept),
        resident(Method::POST, "/my/links/report", Receipt("correction", 1), links::object),
        resident(Method::GET, "/my/access", Receipt(OWN, 1), own::access),
        resident(Method::GET, "/my/payments", Receipt(OWN, 1), money::payments),
        resident(Method::GET, "/my/signins", Receipt(OWN, 1), signins::signins),
        resident(Method::POST, "/my/signins/end", ENDS, signins::end),
        resident(Method::GET, "/my/services", Receipt(OWN, 1), signins::services),
        resident(Method::POST, "/my/services/end", ENDS, signins::disconnect),
    ]
}

fn at_once(path: &'static str, handler: fn(&App, &Call) -> Answer) -> Route {
    let audit = Audit::Nothing("the same for everybody");
    Route { method: Method::GET, path, who: Who::Anyone, audit, handler: Handler::AtOnce(handler) }
}

fn anyone(method: Method, path: &'static str, audit: Audit, handler: fn(&App, &Call) -> Answer) -> Route {
    Route { method, path, who: Who::Anyone, audit, handler: Handler::Anyone(handler) }
}

fn by_party(method: Method, path: &'static str, audit: Audit, handler: fn(&App, &Call) -> Answer) -> Route {
    Route { method, path, who: Who::Party, audit, handler: Handler::Party(handler) }
}

fn by_participant(path: &'static str, handler: Handler) -> Route {
    let audit = Audit::Nothing("accounts at banks, no resident");
    Route { method: Method::POST, path, who: Who::Participant, audit, handler }
}

fn resident(
    method: Method,
    path: &'static str,
    audit: Audit,
    handler: fn(&App, &Call, &Resident) -> Answer,
) -> Route {
    Route { method, path, who: Who::Resident, audit, handler: Handler::Resident(handler) }
}

/// The router of the whole program.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in table() {
        let filter = MethodFilter::try_from(route.method.clone()).expect("the table has common methods only");
        let (path, route) = (route.path, Arc::new(route));
        let serve = move |State(app): State<App>, request: Request| {
            let route = Arc::clone(&route);
            async move { serve(app, &route, request).await }
        };
        router = router.route(path, on(filter, serve));
    }
    let nowhere = |State(app): State<App>, request: Request| async move {
        refuse(&app, request, &Problem::not_found())
    };
    let wrong = |State(app): State<App>, request: Request| async move {
        refuse(&app, request, &Problem::wrong_method())
    };
    router.method_not_allowed_fallback(wrong).fallback(nowhere).with_state(app)
}

impl Route {
    fn reading(&self) -> Reading {
        match (self.who, self.path) {
            (Who::Agency(_) | Who::Participant, _) => Reading::Bytes,
            (_, "/office/links/lists" | "/office/counter/{counter}/photo") => Reading::Upload,
            _ => Reading::Form,
        }
    }

    fn voice(&self) -> Voice {
        match (self.who, self.path) {
            // The browser stands before it, not the party.
            (_, "/authorize") => Voice::Page,
            (Who::Party, _) => Voice::OAuth,
            (Who::Participant, _) => Voice::Document,
            (_, path) => Voice::of(path),
        }
    }
}

/// One request, from its bytes to its answer.
async fn serve(app: App, route: &Route, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut call = Call::begin(&app, parts.method.clone(), &parts.uri, std::mem::take(&mut parts.headers));
    let params = path_params(&mut parts).await;
    let read = call.read(&app, params, &parts.uri, body, route.reading()).await;
    let (handler, who, voice) = (route.handler, route.who, route.voice());
    if let Err(problem) = read {
        return finish(&app, &call, voice, Err(problem));
    }
    if let Handler::AtOnce(handler) = handler {
        let answer = handler(&app, &call);
        return finish(&app, &call, voice, answer);
    }
    // Those that would wait too long for a thread or the database are told so.
    let Ok(_permit) = app.made().waiting.try_acquire() else {
        return finish(&app, &call, voice, Err(Problem::busy()));
    };
    let (with, trace) = (app.clone(), call.trace.clone());
    let work = move || {
        let answer =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&with, &call, handler, who)));
        let answer = answer.unwrap_or_else(|_| Err(Problem::unavailable()));
        finish(&with, &call, voice, answer)
    };
    let done = match handler {
        // An officer's may take long, and may begin what goes on after it.
        Handler::Officer(_) | Handler::AtCounter(_) | Handler::ParticipantWaits(_) => {
            tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
        }
        _ => answer_when_flushed(&app, work).await,
    };
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "a request was given up");
        headers::harden(&app, Problem::unavailable().document(&trace))
    })
}

/// Runs a handler that does nothing outside the database; its answer goes out when what it wrote is durable.
///
/// Where the store is at hand, the handler runs right here, which spares a request the way to another thread and back. So do
/// all the others that are ready; then one of them flushes for all.
async fn answer_when_flushed(
    app: &App,
    work: impl FnOnce() -> Response + Send + 'static,
) -> Result<Response, String> {
    let (response, unflushed) = if app.store.is_at_hand() {
        app.store.unflushed(work)
    } else {
        let store = app.store.clone();
        let done = tokio::task::spawn_blocking(move || store.unflushed(work)).await;
        done.map_err(|error| error.to_string())?
    };
    if !unflushed.is_settled() {
        let _turn = app.made().flushing.lock().await;
        // As long as others join, the disk can wait; and once more, for those whose requests are just being read.
        let (mut joined, mut quiet) = (0, 0);
        while !unflushed.is_settled() && quiet < 2 {
            quiet = if unflushed.units() > joined { 0 } else { quiet + 1 };
            joined = unflushed.units();
            tokio::task::yield_now().await;
        }
        let flushed = match app.store.is_at_hand() || unflushed.is_settled() {
            true => Ok(unflushed.flush()),
            false => tokio::task::spawn_blocking(|| unflushed.flush()).await,
        };
        flushed.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    }
    Ok(response)
}

fn run(app: &App, call: &Call, handler: Handler, who: Who) -> Answer {
    match (handler, who) {
        (Handler::AtOnce(handler) | Handler::Party(handler), _) => handler(app, call),
        (Handler::Participant(handler) | Handler::ParticipantWaits(handler), _) => handler(app, call),
        (Handler::Anyone(handler), _) => {
            guard::check_anonymous_form(app, call)?;
            handler(app, call)
        }
        (Handler::Resident(handler), _) => match guard::resident(app, call) {
            Ok(resident) => handler(app, call, &resident),
            Err(stopped) => stopped.answer(app, call),
        },
        (Handler::Officer(handler), who) => match guard::officer(app, call, who) {
            Ok(officer) => handler(app, call, &officer),
            Err(stopped) => stopped.answer(app, call),
        },
        (Handler::AtCounter(handler), who) => match guard::at_counter(app, call, who) {
            Ok(at) => handler(app, call, &at),
            Err(stopped) => stopped.answer(app, call),
        },
        (Handler::Agency(handler), Who::Agency(scope)) => {
            handler(app, call, &guard::agency(app, call, scope)?)
        }
        (Handler::Agency(_), _) => Err(Problem::not_found()),
    }
}

/// The answer with everything that surrounds it.
fn finish(app: &App, call: &Call, voice: Voice, answer: Answer) -> Response {
    let response = answer.unwrap_or_else(|problem| present::present(app, call, voice, &problem));
    let chosen = call.query.get("lang").is_some_and(|tag| tag == call.lang.code());
    let response = match chosen && voice == Voice::Page {
        true => with_cookie(
            response,
            cookies::set(language::COOKIE, call.lang.code(), 31_536_000, app.made().secure),
        ),
        false => response,
    };
    headers::harden(app, response)
}

fn refuse(app: &App, request: Request, problem: &Problem) -> Response {
    let (parts, _) = request.into_parts();
    let call = Call::begin(app, parts.method, &parts.uri, parts.headers);
    headers::harden(app, present::present(app, &call, Voice::of(parts.uri.path()), problem))
}

async fn path_params(parts: &mut Parts) -> Result<RawPathParams, Problem> {
    let read = RawPathParams::from_request_parts(parts, &()).await;
    read.map_err(|_| Problem::malformed("the path is not UTF-8"))
}

/// The table as people read it; `docs/routes.txt` is a copy.
pub fn as_text() -> String {
    table().iter().map(|route| format!("{route}\n")).collect()
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.who {
            Who::Anyone => "anyone".to_owned(),
            Who::Resident => "resident".to_owned(),
            Who::Party => "relying party".to_owned(),
            Who::Participant => "participant".to_owned(),
            Who::Agency(scope) => format!("agency with {scope}"),
            Who::OfficerComingIn => "officer on the way in".to_owned(),
            Who::Officer(None) => "officer".to_owned(),
            Who::Officer(Some(action)) => format!("officer who may {action}"),
            Who::AtCounter(action) => format!("at the counter, may {action}"),
        };
        let audit = match self.audit {
            Audit::Nothing(why) => format!("nothing: {why}"),
            Audit::Receipt(purpose, 1) => format!("1 entry, {purpose}"),
            Audit::Receipt(purpose, count) => format!("{count} entries, {purpose}"),
        };
        write!(f, "{:4} {:38} {:38} {audit}", self.method, self.path, who)
    }
}
