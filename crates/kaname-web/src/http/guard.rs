//! Who calls, and whether a form is ours. A handler for a resident takes a [`Resident`], and only this file makes one; so for an
//! [`Officer`]. What a handler may see is decided before it runs.

use axum::http::{Method, StatusCode, header};
use kaname_person::agency;
use kaname_person::counter::{self, CounterSession, Ending, Found};
use kaname_person::{Action, OfficerId, PersonError, policy};
use kaname_signin::client::Registration;
use kaname_signin::client_token::{self, Bearer};
use kaname_signin::session::{self, Session};
use kaname_signin::{Browser, Holder, Level, Means, rules};
use kaname_trust::{Actor, PersonId};

use super::answer::{Answer, forgetting, page_with, see_other};
use super::routes::Who;
use super::{App, Call, Problem, cookies};
use crate::pages::office::OfficeCounterOverPage;
use crate::pages::{CounterBanner, Shell};

/// The cookie of a resident's session.
pub(crate) const RESIDENT: &str = "kaname_session";
/// The cookie of an officer's session. Another one, so that nobody acts in one role with a page of the other.
pub(crate) const OFFICER: &str = "kaname_office";

/// A resident who has signed in.
pub(crate) struct Resident {
    pub(crate) session: Session,
    pub(crate) person: PersonId,
}

/// An officer who has signed in and whose role allows the action of the route.
pub(crate) struct Officer {
    pub(crate) session: Session,
    pub(crate) id: OfficerId,
    pub(crate) name: String,
    /// In the role that allows it.
    pub(crate) actor: Actor,
    pub(crate) roles: Vec<String>,
    /// The session at the counter that is open at this terminal: what the banner says. Acts take an [`AtCounter`].
    counter: Option<CounterSession>,
}

/// An officer who serves one resident now, from a page of the session with her. Only [`at_counter`] makes one, and nothing else
/// tells a handler which resident an act at the counter is for.
pub(crate) struct AtCounter {
    pub(crate) officer: Officer,
    pub(crate) session: CounterSession,
}

impl std::ops::Deref for AtCounter {
    type Target = Officer;

    fn deref(&self) -> &Officer {
        &self.officer
    }
}

/// An agency's own system, with an access token for the scope of the route.
pub(crate) struct Agency {
    /// By its token.
    pub(crate) bearer: Bearer,
    /// As the register knows it.
    pub(crate) asks: agency::Agency,
}

/// Where an agency says for which of its purposes it asks; without it, for those that it is registered with.
const PURPOSE: &str = "kaname-purpose";

/// Why a caller does not come in.
pub(super) enum Stopped {
    /// Nobody has signed in.
    SignedOut,
    /// An officer who signed in with paper, which opens nothing but the way to a passkey.
    PasskeyNeeded(Means),
    /// The page belongs to a session at the counter that is over; the officer may have another one now.
    CounterOver(Box<Officer>),
    /// Anything else.
    Problem(Problem),
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Stopped {
        Stopped::Problem(problem)
    }
}

impl Stopped {
    /// What the caller is told: a page leads to the sign-in and comes back, anything else is a 401.
    pub(super) fn answer(self, app: &App, call: &Call) -> Answer {
        match self {
            Stopped::Problem(problem) => Err(problem),
            Stopped::PasskeyNeeded(Means::Activation)
                if call.method == Method::GET && !call.wants_document() =>
            {
                see_other("/office/activate/passkey")
            }
            Stopped::PasskeyNeeded(_) => Err(Problem::passkey_needed()),
            Stopped::CounterOver(_) if call.wants_document() => {
                Err(kaname_person::Refusal::CounterOver.into())
            }
            Stopped::CounterOver(officer) => {
                let shell = officer.shell(app, call);
                page_with(StatusCode::CONFLICT, &OfficeCounterOverPage { shell }).map(forgetting)
            }
            Stopped::SignedOut if call.method == Method::GET && !call.wants_document() => {
                let then = super::client::form(&[("then", &call.here)]);
                see_other(&format!("/signin?{then}"))
            }
            Stopped::SignedOut => Err(Problem::signed_out()),
        }
    }
}

/// The resident whose session this is.
pub(super) fn resident(app: &App, call: &Call) -> Result<Resident, Stopped> {
    let session = open(app, call, RESIDENT)?.ok_or(Stopped::SignedOut)?;
    match session.holder() {
        Holder::Resident(person) => {
            check_form(app, call, &session)?;
            Ok(Resident { session, person })
        }
        Holder::Officer(_) => Err(Problem::not_found().into()),
    }
}

/// The officer whose session this is, in a role that allows what the route is for; in any role when it needs none.
pub(super) fn officer(app: &App, call: &Call, who: Who) -> Result<Officer, Stopped> {
    let session = open(app, call, OFFICER)?.ok_or(Stopped::SignedOut)?;
    let Holder::Officer(id) = session.holder() else { return Err(Problem::not_found().into()) };
    check_form(app, call, &session)?;
    let is_way_in = who == Who::OfficerComingIn;
    if !is_way_in && session.level() < office_level(app) {
        return Err(Stopped::PasskeyNeeded(session.means()));
    }
    let action = match who {
        Who::OfficerComingIn => None,
        Who::Officer(action) => action,
        Who::AtCounter(action) => Some(action),
        Who::Anyone | Who::Resident | Who::Party | Who::Participant | Who::Agency(_) => {
            return Err(Problem::not_found().into());
        }
    };
    let terminal = terminal(app, &session);
    let (keys, pack, now) = (app.keys.clone(), app.pack.clone(), call.env.now);
    let found = app.store.read::<_, PersonError, _>(app.home(), move |tx| {
        let counter = counter::open(tx, &keys, &pack, now, id, &terminal)?;
        Ok((kaname_person::officer::officer(tx, &keys, id)?, counter))
    });
    let (officer, counter) = found.map_err(Problem::from)?;
    let counter = match counter {
        Found::None => None,
        Found::Open(counter) => Some(*counter),
        Found::Over(ending) => {
            end_counter(app, call, id, ending)?;
            None
        }
    };
    let actors: Vec<Actor> = officer.roles.iter().filter_map(|role| officer.acting_as(role).ok()).collect();
    let allowed = |actor: &&Actor| action.is_none_or(|action| policy::may(actor, action).is_ok());
    let actor = actors.iter().find(allowed).cloned();
    let actor = actor.ok_or_else(|| Problem::forbidden("your role does not allow this"))?;
    Ok(Officer { session, id, name: officer.name, actor, roles: officer.roles, counter })
}

/// The officer, and the session at the counter that this page belongs to: its id stands in the path, or in the field `counter` of the
/// form or the query. A page of another session is refused, whoever is served now.
pub(super) fn at_counter(app: &App, call: &Call, who: Who) -> Result<AtCounter, Stopped> {
    let officer = officer(app, call, who)?;
    let named = [call.param(COUNTER), call.form.text(COUNTER), call.query.text(COUNTER)];
    let mut named = named.into_iter().filter(|id| !id.is_empty()).peekable();
    if named.peek().is_none() {
        return Err(Problem::from(kaname_person::Refusal::CounterNeeded).into());
    }
    let Some(session) = officer.counter.clone() else { return Err(Stopped::CounterOver(Box::new(officer))) };
    let id = session.id().to_string();
    if named.any(|given| given != id) {
        return Err(Stopped::CounterOver(Box::new(officer)));
    }
    counter::touch(&app.store, &app.keys, call.env.now, officer.id, &session).map_err(Problem::from)?;
    Ok(AtCounter { officer, session })
}

/// The part of the path, and the field of a form, that says which session at the counter a page belongs to.
const COUNTER: &str = "counter";

/// How sure a sign-in to the office must be: a passkey. A deployment may say in its configuration that a letter is enough, for trying
/// things out.
pub(crate) fn office_level(app: &App) -> Level {
    if app.office_by_letter { Level::Letter } else { Level::Passkey }
}

/// How sure a sign-in must be that leads to this path of ours.
pub(crate) fn level_for(app: &App, path: &str) -> Level {
    let is_office = path == "/office" || path.starts_with("/office/") || path.starts_with("/office?");
    if is_office { office_level(app) } else { Level::Letter }
}

/// What a session at the counter is bound to beside the officer: one sign-in, in one browser.
pub(crate) fn terminal(app: &App, session: &Session) -> [u8; 16] {
    app.keys.blind_index("web.terminal", session.csrf().as_bytes())
}

/// Ends the officer's session at the counter, if there is one.
pub(crate) fn end_counter(
    app: &App,
    call: &Call,
    officer: OfficerId,
    ending: Ending,
) -> Result<bool, Problem> {
    Ok(counter::end(&app.store, &app.keys, &app.pack, &call.env, officer, ending)?)
}

/// An agency as the register knows it, by its registration alone.
pub(crate) fn asking(registration: &Registration) -> agency::Agency {
    let attributes = registration.attributes.iter();
    agency::Agency {
        id: registration.client_id.clone(),
        sector: registration.sector.clone(),
        attributes: attributes.map(|asked| (asked.attribute.clone(), asked.purpose.clone())).collect(),
        purpose: None,
        sees_numbers: false,
        sources: registration.agency.iter().flat_map(|agency| agency.sources.iter().cloned()).collect(),
    }
}

/// The agency whose token this is, if the token is for `scope`.
pub(super) fn agency(app: &App, call: &Call, scope: &str) -> Result<Agency, Problem> {
    let token = call.bearer().ok_or(kaname_signin::Refusal::TokenMissing)?;
    let bearer = client_token::check(&app.signin, &call.env, token)?;
    bearer.demand(scope)?;
    let purpose = call.headers.get(PURPOSE).map(|value| value.to_str().unwrap_or("unreadable").to_owned());
    let sees_numbers = bearer.holds("uin.read");
    let asks = agency::Agency { purpose, sees_numbers, ..asking(bearer.client.registration()) };
    Ok(Agency { bearer, asks })
}

impl Agency {
    /// What use cases of an agency work with.
    pub(crate) fn desk<'a>(&'a self, app: &'a App, call: &'a Call) -> agency::Desk<'a> {
        agency::Desk {
            store: &app.store,
            keys: &app.keys,
            pack: &app.pack,
            numbers: &app.numbers,
            env: &call.env,
            agency: &self.asks,
        }
    }
}

impl Officer {
    /// Whether the officer could do something else too: for links that would only lead to a refusal.
    pub(crate) fn may(&self, action: Action) -> bool {
        self.acting(action).is_ok()
    }

    /// The officer in the role that allows it.
    ///
    /// # Errors
    /// [`kaname_person::Refusal::NotAllowed`].
    pub(crate) fn acting(&self, action: Action) -> Result<Actor, kaname_person::Refusal> {
        let mut acting = self.roles.iter().map(|role| Actor { role: role.clone(), ..self.actor.clone() });
        let found = acting.find(|actor| policy::may(actor, action).is_ok());
        found.ok_or_else(|| kaname_person::Refusal::NotAllowed { role: self.actor.role.clone(), action })
    }

    /// The frame of the officer's pages.
    pub(crate) fn shell(&self, app: &App, call: &Call) -> Shell {
        let opened = MENU.iter().filter(|(action, ..)| self.may(*action));
        let mut menu: Vec<_> = opened.map(|(_, address, title)| (*address, *title)).collect();
        // A page that two actions open stands there once.
        menu.dedup();
        Shell {
            csrf: self.session.csrf().to_owned(),
            user: Some(self.name.clone()),
            menu,
            counter: self.counter.as_ref().map(|session| banner(app, call, session)),
            ..call.shell(app)
        }
    }
}

fn banner(app: &App, call: &Call, session: &CounterSession) -> CounterBanner {
    let purpose = app.pack.purpose(session.purpose());
    CounterBanner {
        id: session.id().to_string(),
        name: session.name().to_owned(),
        purpose: purpose.map_or(session.purpose(), |known| known.text.get(call.lang.code())).to_owned(),
        since: session.since(),
    }
}

impl AtCounter {
    /// The resident who is served.
    pub(crate) fn person(&self) -> PersonId {
        self.session.person()
    }

    /// The address of a page of this session.
    pub(crate) fn address(&self, page: &str) -> String {
        address(self.session.id(), page)
    }
}

/// The address of a page of a session at the counter; `page` is empty for the first one.
pub(crate) fn address(id: counter::CounterId, page: &str) -> String {
    if page.is_empty() { format!("/office/counter/{id}") } else { format!("/office/counter/{id}/{page}") }
}

/// The pages of the office: what an officer must be allowed to do, the address, the key of the title.
pub(crate) const MENU: [(Action, &str, &str); 7] = [
    (Action::FindResident, "/office/find", "find.title"),
    (Action::RegisterResident, "/office/register", "register.title"),
    (Action::SeeImportRejects, "/office/imports", "imports.title"),
    (Action::DecideIdentity, DECISIONS, "decisions.title"),
    (Action::ManageOfficers, DECISIONS, "decisions.title"),
    (Action::WatchLinks, "/office/links", "linked.title"),
    (Action::WatchPayout, "/office/payouts", "payouts.title"),
];

/// What two officers decide; each role that has something to decide there opens it.
const DECISIONS: &str = "/office/decisions";

impl Resident {
    /// The frame of the resident's pages. It says that she is signed in, not her name: reading the name is a reading, which she
    /// would find in her log once for every page.
    pub(crate) fn shell(&self, app: &App, call: &Call) -> Shell {
        Shell { csrf: self.session.csrf().to_owned(), user: Some(String::new()), ..call.shell(app) }
    }
}

/// The session of a cookie, if it holds.
pub(crate) fn open(app: &App, call: &Call, cookie: &str) -> Result<Option<Session>, Problem> {
    let Some(cookie) = cookies::get(&call.headers, &app.cookie(cookie)) else { return Ok(None) };
    match session::open(&app.signin, &call.env, cookie) {
        Ok(session) => Ok(Some(session)),
        Err(kaname_signin::SigninError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Ends the office session that this browser has had until now, for the one that takes its place. A resident's ends within the sign-in.
pub(crate) fn end_office_session(app: &App, call: &Call) -> Result<(), Problem> {
    match open(app, call, OFFICER)? {
        Some(old) => {
            if let Holder::Officer(id) = old.holder() {
                end_counter(app, call, id, Ending::SignedOut)?;
            }
            Ok(session::end(&app.signin, &old)?)
        }
        None => Ok(()),
    }
}

fn check_form(app: &App, call: &Call, session: &Session) -> Result<(), Problem> {
    if call.method != Method::POST {
        return Ok(());
    }
    check_site(app, call)?;
    session.check_form(call.form.text("csrf")).map_err(|_| Problem::cross_site())
}

/// Checks a form of a page that nobody has signed in for: it carries a token that only the browser's own cookie gives.
pub(super) fn check_anonymous_form(app: &App, call: &Call) -> Result<(), Problem> {
    if call.method != Method::POST {
        return Ok(());
    }
    check_site(app, call)?;
    let browser = call.browser.as_ref().ok_or_else(Problem::cross_site)?;
    let is_ours = rules::same(form_token(app, browser).as_bytes(), call.form.text("csrf").as_bytes());
    if is_ours { Ok(()) } else { Err(Problem::cross_site()) }
}

/// The token in the forms of a browser that nobody has signed in with.
pub(crate) fn form_token(app: &App, browser: &Browser) -> String {
    kaname_codec::b64::url_encode(&app.keys.blind_index("web.form", browser.text().as_bytes()))
}

/// Refuses a form that the browser says was sent from elsewhere (Fetch Metadata; RFC 6454 section 7). Programs that are no browsers send
/// neither header, and cannot be tricked by a page.
fn check_site(app: &App, call: &Call) -> Result<(), Problem> {
    let text = |name| call.headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let site_is_ours = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin = text(header::ORIGIN.as_str());
    let origin_is_ours =
        origin.is_none_or(|origin| app.signin.config().origins.iter().any(|own| own == origin));
    if site_is_ours && origin_is_ours { Ok(()) } else { Err(Problem::cross_site()) }
}
