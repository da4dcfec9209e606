//! Finding one resident by an exact reference or number, and beginning to serve her. There is no list of people.

use axum::http::StatusCode;
use kaname_person::counter::{self, Begin, CounterId};
use kaname_person::import::Mapping;
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_person::{Action, PersonError, Refusal, policy, register};
use kaname_trust::keys::random;
use kaname_trust::{Actor, PersonId};

use crate::http::answer::{Answer, page_with, see_other};
use crate::http::guard::{self, Officer};
use crate::http::{App, Call};
use crate::pages::Field;
use crate::pages::office::{Choice, OfficeFindPage, OfficeNotFoundPage};

/// `GET /office/find`
pub(crate) fn form(app: &App, call: &Call, officer: &Officer) -> Answer {
    find_page(app, call, officer, StatusCode::OK, Field::default(), Field::default())
}

/// `POST /office/find`: begins a session at the counter with the resident. The answer to a wrong reference and to one that may not be
/// opened is the same.
pub(crate) fn begin(app: &App, call: &Call, officer: &Officer) -> Answer {
    let shell = call.shell(app);
    let (typed, purpose) = (call.form.text("reference").trim(), call.form.text("purpose"));
    let mut reference = Field::of(typed);
    let mut chosen = Field::of(purpose);
    if typed.is_empty() || typed.len() > 256 {
        reference = reference.wrong(shell.t("wrong.reference"));
    }
    let actor = serving(officer, purpose);
    if actor.is_none() {
        chosen = chosen.wrong(shell.t("wrong.purpose"));
    }
    let Some(actor) = actor.filter(|_| reference.error.is_none()) else {
        return find_page(app, call, officer, StatusCode::UNPROCESSABLE_ENTITY, reference, chosen);
    };
    let begun = match find(app, call, officer, typed)? {
        Some(person) => serve(app, call, officer, actor, person, purpose),
        None => Err(Refusal::NoSuchResident.into()),
    };
    match begun {
        Ok(id) => see_other(&guard::address(id, "")),
        Err(PersonError::Refused(Refusal::NoSuchResident)) => {
            page_with(StatusCode::NOT_FOUND, &OfficeNotFoundPage { shell: officer.shell(app, call) })
        }
        Err(error) => Err(error.into()),
    }
}

/// Begins a session at the counter; the one before ends.
pub(super) fn serve(
    app: &App,
    call: &Call,
    officer: &Officer,
    actor: Actor,
    person: PersonId,
    purpose: &str,
) -> Result<CounterId, PersonError> {
    let ask = Begin {
        officer: officer.id,
        actor,
        terminal: guard::terminal(app, &officer.session),
        person,
        purpose: purpose.to_owned(),
    };
    counter::begin(&app.store, &app.keys, &app.pack, &call.env, &ask)
}

/// The officer in the role that may read for this purpose.
pub(super) fn serving(officer: &Officer, purpose: &str) -> Option<Actor> {
    let mut roles = officer.roles.iter().filter(|role| policy::purposes_of(role).contains(&purpose));
    let acting = |role: &String| {
        let actor = Actor { role: role.clone(), ..officer.actor.clone() };
        policy::may(&actor, Action::FindResident).is_ok().then_some(actor)
    };
    roles.find_map(acting)
}

/// The resident to whom this number or alias leads this officer, or whom a source calls so.
pub(super) fn find(
    app: &App,
    call: &Call,
    officer: &Officer,
    typed: &str,
) -> Result<Option<PersonId>, PersonError> {
    let by = officer.acting(Action::FindResident)?;
    let in_role = officer.acting(Action::FindByLockedNumber);
    let actor = in_role.unwrap_or_else(|_| officer.actor.clone());
    let ask = Resolve { text: typed, actor: &actor, use_id: random() };
    if let Some(person) = resolve(&app.store, &app.keys, &app.pack, &call.env, &ask)? {
        return Ok(Some(person));
    }
    register::find_by_reference(&app.store, &app.keys, &by, &Mapping::own().source, typed)
}

fn find_page(
    app: &App,
    call: &Call,
    officer: &Officer,
    status: StatusCode,
    reference: Field,
    purpose: Field,
) -> Answer {
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let known = app.pack.purposes.iter().filter(|purpose| serving(officer, &purpose.code).is_some());
    let purposes = known.map(|purpose| Choice {
        code: purpose.code.clone(),
        label: purpose.text.get(tag).to_owned(),
        hint: purpose.legal_basis.get(tag).to_owned(),
    });
    page_with(status, &OfficeFindPage { reference, purpose, purposes: purposes.collect(), shell })
}
