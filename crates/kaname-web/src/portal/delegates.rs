//! Who may act for whom: what a person has given, what she holds, and the pages of those for whom she acts.
//!
//! Those pages have an address of their own for each mandate. A form on one of them goes back to that address, so it does what it does
//! for the person whose name stands above it, whatever another tab shows.

use axum::http::StatusCode;
use kaname_base::pack::MandateKind;
use kaname_codec::b64;
use kaname_person::delegate::accept::accept;
use kaname_person::delegate::acting::{Held, held};
use kaname_person::delegate::end::{end, give_back};
use kaname_person::delegate::give::{Give, offer};
use kaname_person::delegate::{Given, MandateId, MandateState, Terms, given};
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_person::show::Asking;
use kaname_person::{PersonError, Refusal};
use kaname_trust::keys::random;
use kaname_trust::{Actor, ActorKind};

use super::subject::Subject;
use super::{aliases, history, links, money, own};
use crate::http::answer::{Answer, page, page_with, see_other};
use crate::http::guard::Resident;
use crate::http::{App, Call, Problem, request};
use crate::pages::delegates::{ActingPage, GivenView, HeldView, MyDelegatesPage, ScopeView};
use crate::pages::office::Choice;
use crate::pages::{Field, NoticeKind, Saying, Shell};

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("given", NoticeKind::Done, "delegates.given_done"),
    ("ended", NoticeKind::Done, "delegates.ended_done"),
    ("accepted", NoticeKind::Done, "delegates.accepted_done"),
];

/// `GET /my/delegates`
pub(crate) fn list(app: &App, call: &Call, resident: &Resident) -> Answer {
    form_page(app, call, resident, StatusCode::OK, Form::default())
}

/// The form as it was sent.
#[derive(Default)]
struct Form {
    kind: Field,
    holder: Field,
    scope: Vec<String>,
    scope_error: Option<String>,
    days: Field,
}

/// `POST /my/delegates`. The answer to a number that leads to nobody is the same as to one that does: it is no way to find out.
pub(crate) fn give(app: &App, call: &Call, resident: &Resident) -> Answer {
    let shell = resident.shell(app, call);
    let text = |name| call.form.text(name).trim();
    let mut form = Form {
        kind: Field::of(text("kind")),
        holder: Field::of(text("holder")),
        scope: scopes(app).filter(|code| !call.form.text(&field_of(code)).is_empty()).collect(),
        scope_error: None,
        days: Field::of(text("days")),
    };
    let kind = app.pack.mandate(text("kind")).filter(|kind| kind.by_resident);
    if kind.is_none() {
        form.kind = form.kind.wrong(shell.t("wrong.choice"));
    }
    let typed = text("holder");
    let is_alias = || app.pack.alias.as_ref().is_some_and(|rules| rules.scheme.parse(typed).is_ok());
    if app.pack.number.parse(typed).is_err() && !is_alias() {
        form.holder = form.holder.wrong(shell.t("wrong.holder"));
    }
    if form.scope.is_empty() {
        form.scope_error = Some(shell.t("wrong.scope"));
    }
    let most = kind.and_then(|kind| kind.longest_days).unwrap_or(LONGEST_DAYS);
    let days = text("days").parse::<u16>().ok().filter(|days| (1..=most).contains(days));
    if days.is_none() {
        form.days = form.days.wrong(shell.t1("wrong.days", "most", shell.count(u64::from(most))));
    }
    let wrong = form.holder.error.is_some() || form.scope_error.is_some() || days.is_none();
    let (Some(kind), false) = (kind, wrong) else {
        return form_page(app, call, resident, StatusCode::UNPROCESSABLE_ENTITY, form);
    };

    let actor = Actor::resident();
    let id = request::read(call)?;
    // The request's own id: sent twice, an alias for a single use is used once.
    let ask = Resolve { text: typed, actor: &actor, use_id: id };
    if let Some(holder) = resolve(&app.store, &app.keys, &app.pack, &call.env, &ask)? {
        let asking = Asking::herself(resident.person);
        let terms = Terms { kind: kind.code.clone(), scope: form.scope.clone(), days };
        let give = Give { request: id, asking, holder, terms, evidence: String::new() };
        match offer(&app.store, &app.keys, &app.pack, &call.env, &give) {
            Ok(_) => {}
            Err(PersonError::Refused(Refusal::SamePerson)) => {
                form.holder = form.holder.wrong(shell.t("wrong.own_number"));
                return form_page(app, call, resident, StatusCode::UNPROCESSABLE_ENTITY, form);
            }
            Err(PersonError::Refused(Refusal::MandateTerms)) => {
                form.scope_error = Some(shell.t("wrong.scope"));
                return form_page(app, call, resident, StatusCode::UNPROCESSABLE_ENTITY, form);
            }
            Err(error) => return Err(error.into()),
        }
    }
    see_other("/my/delegates?done=given")
}

/// `POST /my/delegates/end`: a mandate that she has given, or that others have recorded for her.
pub(crate) fn end_given(app: &App, call: &Call, resident: &Resident) -> Answer {
    let id = MandateId::parse(call.form.need("mandate")?).map_err(|_| Problem::not_found())?;
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let asking = Asking::herself(resident.person);
    app.write_of(resident.person, move |tx| end(tx, &keys, &pack, &env.again(), &asking, id, "own-wish"))?;
    see_other("/my/delegates?done=ended")
}

/// `POST /my/delegates/accept`
pub(crate) fn take(app: &App, call: &Call, resident: &Resident) -> Answer {
    let holder = Asking::herself(resident.person);
    accept(&app.store, &app.keys, &app.pack, &call.env, &holder, index(call)?)?;
    see_other("/my/delegates?done=accepted")
}

/// `POST /my/delegates/refuse`: one that was offered, or one that she has held.
pub(crate) fn hand_back(app: &App, call: &Call, resident: &Resident) -> Answer {
    let holder = Asking::herself(resident.person);
    give_back(&app.store, &app.keys, &app.pack, &call.env, &holder, index(call)?)?;
    see_other("/my/delegates?done=ended")
}

/// `GET /for/{mandate}`: what she may do for this person.
pub(crate) fn start(app: &App, call: &Call, resident: &Resident) -> Answer {
    let subject = Subject::of_mandate(app, call, resident)?;
    let scope = subject.asking.actor.mandate.as_ref().map(|mandate| mandate.scope.clone());
    page(&ActingPage { scope: scope.unwrap_or_default(), shell: subject.shell(app, call, resident) })
}

/// `GET /for/{mandate}/data`
pub(crate) fn data(app: &App, call: &Call, resident: &Resident) -> Answer {
    own::data_of(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `GET /for/{mandate}/history`
pub(crate) fn events(app: &App, call: &Call, resident: &Resident) -> Answer {
    history::history_of(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `GET /for/{mandate}/access`
pub(crate) fn access(app: &App, call: &Call, resident: &Resident) -> Answer {
    own::access_of(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `GET /for/{mandate}/payments`
pub(crate) fn payments(app: &App, call: &Call, resident: &Resident) -> Answer {
    money::payments_to(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `GET /for/{mandate}/links`
pub(crate) fn linked(app: &App, call: &Call, resident: &Resident) -> Answer {
    links::list_of(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `POST /for/{mandate}/links/confirm`
pub(crate) fn confirm_link(app: &App, call: &Call, resident: &Resident) -> Answer {
    links::accept_for(app, call, &Subject::of_mandate(app, call, resident)?)
}

/// `POST /for/{mandate}/links/report`
pub(crate) fn report_link(app: &App, call: &Call, resident: &Resident) -> Answer {
    links::object_for(app, call, &Subject::of_mandate(app, call, resident)?)
}

/// `GET /for/{mandate}/number`
pub(crate) fn number(app: &App, call: &Call, resident: &Resident) -> Answer {
    own::number_of(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `POST /for/{mandate}/number`
pub(crate) fn reveal(app: &App, call: &Call, resident: &Resident) -> Answer {
    own::reveal_of(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `GET /for/{mandate}/number/aliases`
pub(crate) fn alias_list(app: &App, call: &Call, resident: &Resident) -> Answer {
    aliases::page(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `POST /for/{mandate}/number/aliases`
pub(crate) fn make_alias(app: &App, call: &Call, resident: &Resident) -> Answer {
    aliases::make_for(app, call, resident, &Subject::of_mandate(app, call, resident)?)
}

/// `POST /for/{mandate}/number/aliases/end`
pub(crate) fn end_alias(app: &App, call: &Call, resident: &Resident) -> Answer {
    aliases::end_for(app, call, &Subject::of_mandate(app, call, resident)?)
}

/// `POST /for/{mandate}/number/lock`
pub(crate) fn change_lock(app: &App, call: &Call, resident: &Resident) -> Answer {
    aliases::lock_for(app, call, &Subject::of_mandate(app, call, resident)?)
}

/// The most days where the country says nothing.
const LONGEST_DAYS: u16 = 3_660;

fn index(call: &Call) -> Result<[u8; 16], Problem> {
    b64::url_decode_array::<16>(call.form.need("mandate")?).map_err(|_| Problem::not_found())
}

/// The kinds that a person may give herself.
fn kinds(app: &App) -> impl Iterator<Item = &MandateKind> {
    app.pack.mandates.iter().filter(|kind| kind.by_resident)
}

/// What she may put into them.
fn scopes(app: &App) -> impl Iterator<Item = String> {
    let codes = kinds(app).flat_map(|kind| kind.scopes.iter().cloned());
    codes.collect::<std::collections::BTreeSet<_>>().into_iter()
}

fn field_of(scope: &str) -> String {
    format!("scope-{scope}")
}

fn form_page(app: &App, call: &Call, resident: &Resident, status: StatusCode, form: Form) -> Answer {
    let holder = Asking::herself(resident.person);
    let held = held(&app.store, &app.keys, &app.pack, &call.env, &holder)?;
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let given = app.write_of::<_, PersonError, _>(resident.person, move |tx| {
        given(tx, &keys, &pack, &env.again(), &holder)
    })?;
    let shell = resident.shell(app, call).said(call.query.get("done"), DONE);
    let tag = shell.lang.code();
    let of_kinds = kinds(app).map(|kind| Choice {
        code: kind.code.clone(),
        label: kind.name.get(tag).to_owned(),
        hint: String::new(),
    });
    let scopes = scopes(app).map(|code| ScopeView {
        field: field_of(&code),
        checked: form.scope.contains(&code),
        code,
    });
    let longest = kinds(app).filter_map(|kind| kind.longest_days).max().unwrap_or(LONGEST_DAYS);
    let view = MyDelegatesPage {
        request: request::write(&random()),
        given: given.iter().map(|mandate| given_view(app, call, &shell, mandate)).collect(),
        held: held.iter().map(|mandate| held_view(app, call, &shell, mandate)).collect(),
        kinds: of_kinds.collect(),
        scopes: scopes.collect(),
        scope_error: form.scope_error,
        kind: form.kind,
        holder: form.holder,
        days: form.days,
        longest_days: u64::from(longest),
        shell,
    };
    page_with(status, &view)
}

fn given_view(app: &App, call: &Call, shell: &Shell, mandate: &Given) -> GivenView {
    let is_over = mandate.is_over(call.env.now.date_in(&app.pack.time_zone));
    GivenView {
        id: mandate.id.to_string(),
        holder: mandate.holder.clone(),
        kind: kind_name(app, shell, &mandate.kind),
        scope: mandate.scope.clone(),
        state: state(mandate.state, is_over).to_owned(),
        until: mandate
            .until
            .map(|day| crate::pages::format::date(shell.lang, day.year(), day.month(), day.day())),
        by: (mandate.by.kind != ActorKind::Resident).then(|| mandate.by.id.clone()),
        at: mandate.at,
    }
}

fn held_view(app: &App, call: &Call, shell: &Shell, mandate: &Held) -> HeldView {
    let today = call.env.now.date_in(&app.pack.time_zone);
    let is_over = mandate.until.is_some_and(|until| until < today);
    HeldView {
        id: b64::url_encode(&mandate.index),
        name: mandate.name.clone(),
        kind: kind_name(app, shell, &mandate.kind),
        scope: mandate.scope.clone(),
        state: state(mandate.state, is_over).to_owned(),
        until: mandate
            .until
            .map(|day| crate::pages::format::date(shell.lang, day.year(), day.month(), day.day())),
    }
}

fn kind_name(app: &App, shell: &Shell, code: &str) -> String {
    app.pack.mandate(code).map_or(code, |kind| kind.name.get(shell.lang.code())).to_owned()
}

/// The code of the texts `mandate.state.*`.
fn state(state: MandateState, is_over: bool) -> &'static str {
    if is_over && state != MandateState::Ended { "over" } else { state.code() }
}
