//! Registering a resident at a counter.

use axum::http::StatusCode;
use kaname_base::pack::ReadingKind;
use kaname_codec::b64;
use kaname_person::Field as Column;
use kaname_person::duplicate::register_checked;
use kaname_person::register::{Register, new_request};
use kaname_person::{Action, Entry, Fault, PersonError, Reason, Refusal};

use super::duplicates::{self, Said};
use super::residents;
use crate::http::answer::{Answer, page, page_with, see_other};
use crate::http::guard::{self, Officer};
use crate::http::{App, Call, Problem};
use crate::pages::office::{Choice, InputView, OfficeRegisterPage};
use crate::pages::{Field, Shell};

/// What an officer can have seen.
const EVIDENCE: [&str; 4] = ["passport", "identity-card", "birth-report", "two-papers"];

/// Whose references the counter's are: nobody's, the form has none.
const SOURCE: &str = "counter";

/// `GET /office/register`
pub(crate) fn form(app: &App, call: &Call, officer: &Officer) -> Answer {
    page(&blank(app, call, officer, &b64::url_encode(&new_request())))
}

/// `POST /office/register`. The request's id makes a form that is sent twice register once.
pub(crate) fn register(app: &App, call: &Call, officer: &Officer) -> Answer {
    let text = call.form.need("request")?;
    let request =
        b64::url_decode_array(text).map_err(|_| Problem::malformed("the field request is not ours"))?;
    let evidence = call.form.text("evidence");
    if !EVIDENCE.contains(&evidence) {
        return again(app, call, officer, text, Wrong::Evidence);
    }
    let birth_date = birth_date(call);
    let ask = Register {
        request,
        entry: entry(call, &birth_date),
        source: SOURCE,
        by: officer.acting(Action::RegisterResident).map_err(PersonError::from)?,
        why: "registration",
        evidence,
    };
    let decision = match duplicates::said(app, call, officer, &request) {
        Said::Nothing => None,
        Said::Others(decision) => Some(decision),
        Said::Same(person) => return serve(app, call, officer, person, ""),
        Said::Unclear => return duplicates::ask(app, call, officer, &ask, true),
    };
    let (store, keys, pack) = (&app.store, &app.keys, &app.pack);
    match register_checked(store, keys, pack, &app.numbers, &call.env, &ask, decision.as_ref()) {
        Err(PersonError::Refused(Refusal::LooksLikeSomebody)) => {
            duplicates::ask(app, call, officer, &ask, false)
        }
        Ok(person) => serve(app, call, officer, person, "registered"),
        Err(PersonError::Refused(Refusal::Invalid(fault))) => {
            again(app, call, officer, text, Wrong::Fault(fault))
        }
        Err(PersonError::Refused(Refusal::OtherData)) => again(app, call, officer, text, Wrong::OtherData),
        Err(error) => Err(error.into()),
    }
}

/// From here on the officer serves her, in a session of her own: her number and her letter are for nobody else.
fn serve(app: &App, call: &Call, officer: &Officer, person: kaname_trust::PersonId, page: &str) -> Answer {
    let purpose = "registration";
    let actor = residents::serving(officer, purpose)
        .ok_or_else(|| Problem::forbidden("your role does not allow this"))?;
    let id = residents::serve(app, call, officer, actor, person, purpose)?;
    see_other(&guard::address(id, page))
}

/// What is wrong with what was sent.
enum Wrong {
    Fault(Fault),
    Evidence,
    OtherData,
}

/// The form as it was filled in, with what is wrong.
fn again(app: &App, call: &Call, officer: &Officer, request: &str, wrong: Wrong) -> Answer {
    let mut view = blank(app, call, officer, request);
    let typed = |name: &str| Field::of(call.form.text(name));
    for input in view.names.iter_mut().chain(&mut view.places) {
        input.field = typed(input.id);
    }
    view.birth_year = typed("birth_year");
    view.birth_month = typed("birth_month");
    view.birth_day = typed("birth_day");
    view.sex = typed("sex");
    view.status = typed("status");
    view.evidence = typed("evidence");
    let shell = view.shell.clone();
    let (field, error) = match wrong {
        Wrong::Fault(fault) => (field_of(&mut view, fault.field), reason(&shell, fault.reason)),
        Wrong::Evidence => (&mut view.evidence, shell.t("wrong.choice")),
        Wrong::OtherData => (field_of(&mut view, Column::FamilyName), shell.t("wrong.other_data")),
    };
    field.error = Some(error);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &view)
}

fn blank(app: &App, call: &Call, officer: &Officer, request: &str) -> OfficeRegisterPage {
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let names = names(app, &shell);
    let places = places(&shell);
    let choice = |code: &str, label: &str| Choice {
        code: code.to_owned(),
        label: label.to_owned(),
        hint: String::new(),
    };
    OfficeRegisterPage {
        request: request.to_owned(),
        names,
        birth_year: Field::default(),
        birth_month: Field::default(),
        birth_day: Field::default(),
        sex: Field::default(),
        sexes: app.pack.person.sexes.iter().map(|sex| choice(&sex.code, sex.label.get(tag))).collect(),
        status: Field::default(),
        statuses: app
            .pack
            .statuses
            .iter()
            .map(|status| choice(&status.code, status.label.get(tag)))
            .collect(),
        places,
        evidence: Field::default(),
        evidences: EVIDENCE.iter().map(|code| choice(code, &shell.word("evidence", code))).collect(),
        shell,
    }
}

/// The inputs for the names, in the forms that the country records.
pub(super) fn names(app: &App, shell: &Shell) -> Vec<InputView> {
    let mut names = vec![
        input(shell, "family_name", "field.family_name", "register.name_hint"),
        input(shell, "given_name", "field.given_name", "register.name_hint"),
    ];
    if app.pack.person.reading(ReadingKind::Kana).is_some() {
        names.push(input(shell, "family_reading", "field.family_reading", ""));
        names.push(input(shell, "given_reading", "field.given_reading", ""));
    }
    if app.pack.person.reading(ReadingKind::Latin).is_some() {
        names.push(input(shell, "family_latin", "field.family_latin", ""));
        names.push(input(shell, "given_latin", "field.given_latin", ""));
    }
    names
}

/// The inputs for where somebody lives and how she is reached.
pub(super) fn places(shell: &Shell) -> Vec<InputView> {
    vec![
        input(shell, "postcode", "register.postal_code", ""),
        input(shell, "region", "field.region", ""),
        input(shell, "city", "field.city", ""),
        input(shell, "address", "field.address", ""),
        input(shell, "phone", "register.phone", ""),
        input(shell, "email", "field.email", ""),
    ]
}

fn input(shell: &Shell, id: &'static str, key: &str, hint: &str) -> InputView {
    InputView {
        id,
        label: shell.t(key),
        hint: if hint.is_empty() { String::new() } else { shell.t(hint) },
        field: Field::default(),
    }
}

fn field_of(view: &mut OfficeRegisterPage, column: Column) -> &mut Field {
    match column {
        Column::BirthDate => &mut view.birth_year,
        Column::Sex => &mut view.sex,
        Column::Status => &mut view.status,
        column => {
            // A form of the name that the country does not record has no input: its fault stands at the first one.
            let inputs = view.names.iter().chain(&view.places);
            let at = inputs.map(|input| input.id).position(|id| id == column.name()).unwrap_or(0);
            let names = view.names.len();
            if at < names { &mut view.names[at].field } else { &mut view.places[at - names].field }
        }
    }
}

pub(super) fn reason(shell: &Shell, reason: Reason) -> String {
    shell.t(match reason {
        Reason::Missing => "wrong.required",
        Reason::MissingName => "wrong.name",
        Reason::TooLong(_) => "wrong.long",
        Reason::ControlCharacter => "wrong.characters",
        Reason::Placeholder => "wrong.placeholder",
        Reason::Formula => "wrong.formula",
        Reason::DateForm => "wrong.year",
        Reason::NoSuchDay => "wrong.date",
        Reason::InFuture => "wrong.future",
        Reason::BeforeBirth => "wrong.before_birth",
        Reason::EndsBeforeStart => "wrong.ends_first",
        Reason::NotForCitizens => "wrong.not_citizens",
        Reason::UnknownCode => "wrong.choice",
        Reason::NotKana => "wrong.kana",
        Reason::NotLatin => "wrong.latin",
        Reason::NotRecorded => "wrong.not_recorded",
        Reason::NotPhone => "wrong.phone",
        Reason::NotEmail => "wrong.email",
    })
}

/// The three fields as one text: a part that is not known is left out.
fn birth_date(call: &Call) -> String {
    let part = |name: &str| call.form.text(name).trim().to_owned();
    let two = |text: String| if text.len() == 1 { format!("0{text}") } else { text };
    let parts = [part("birth_year"), two(part("birth_month")), two(part("birth_day"))];
    parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("-")
}

pub(super) fn entry<'a>(call: &'a Call, birth_date: &'a str) -> Entry<'a> {
    Entry {
        reference: "",
        family_name: call.form.text("family_name"),
        given_name: call.form.text("given_name"),
        family_reading: call.form.text("family_reading"),
        given_reading: call.form.text("given_reading"),
        family_latin: call.form.text("family_latin"),
        given_latin: call.form.text("given_latin"),
        birth_date,
        sex: call.form.text("sex"),
        status: call.form.text("status"),
        postcode: call.form.text("postcode"),
        region: call.form.text("region"),
        city: call.form.text("city"),
        address: call.form.text("address"),
        phone: call.form.text("phone"),
        email: call.form.text("email"),
        ..Entry::default()
    }
}
