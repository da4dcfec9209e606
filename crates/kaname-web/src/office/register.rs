//! Registering a resident at a counter.

use axum::http::StatusCode;
use kaname_base::pack::ReadingKind;
use kaname_codec::b64;
use kaname_person::Field as Column;
use kaname_person::duplicate::{Decision, register_checked};
use kaname_person::introduce::{Introducer, Vouch, VouchAsked, register_introduced};
use kaname_person::register::{Register, new_request};
use kaname_person::{Action, Entry, Fault, PersonError, Reason, Refusal, four_eyes};
use kaname_trust::PersonId;

use super::duplicates::{self, Said};
use super::residents;
use crate::http::answer::{Answer, page, page_with, see_other};
use crate::http::guard::{self, Officer};
use crate::http::{App, Call, Problem};
use crate::pages::office::{Choice, InputView, OfficeRegisterPage};
use crate::pages::{Field, Shell};

/// What an officer can have seen.
const EVIDENCE: [&str; 5] = ["passport", "identity-card", "birth-report", "two-papers", INTRODUCED];

/// She has no papers: somebody vouches for her.
const INTRODUCED: &str = "introduced";

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
    let vouch = match evidence {
        INTRODUCED => match vouching(app, call, officer, &request)? {
            Ok(vouch) => Some(vouch),
            Err(wrong) => return again(app, call, officer, text, wrong),
        },
        _ => None,
    };
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
    let entered = match &vouch {
        None => register_checked(store, keys, pack, &app.numbers, &call.env, &ask, decision.as_ref()),
        Some(vouch) => introduced(app, call, vouch, &ask, decision.as_ref()),
    };
    match entered {
        Err(PersonError::Refused(Refusal::LooksLikeSomebody)) => {
            duplicates::ask(app, call, officer, &ask, false)
        }
        Ok(person) => serve(app, call, officer, person, "registered"),
        Err(PersonError::Refused(Refusal::Invalid(fault))) => {
            again(app, call, officer, text, Wrong::Fault(fault))
        }
        Err(PersonError::Refused(Refusal::OtherData)) => again(app, call, officer, text, Wrong::OtherData),
        Err(PersonError::Refused(
            refusal @ (Refusal::TwoOfficers | Refusal::NoIntroducer | Refusal::TooManyIntroduced),
        )) => {
            let words = match refusal {
                Refusal::TwoOfficers => "wrong.introducer_two",
                Refusal::NoIntroducer => "wrong.no_introducer",
                _ => "wrong.too_many_introduced",
            };
            again(app, call, officer, text, Wrong::Introducer(0, words))
        }
        Err(error) => Err(error.into()),
    }
}

/// Who vouches for a person without papers, as it was filled in; or what is wrong with it.
fn vouching(
    app: &App,
    call: &Call,
    officer: &Officer,
    request: &[u8; 16],
) -> Result<Result<Vouch, Wrong>, Problem> {
    let (typed, how) = (call.form.text("introducer").trim(), call.form.text("introducer_how").trim());
    if how.is_empty() || how.chars().count() > LONGEST_HOW || how.chars().any(char::is_control) {
        return Ok(Err(Wrong::Introducer(1, "wrong.required")));
    }
    let introducer = match typed {
        "" => Introducer::Officer(officer.id),
        typed => match residents::find(app, call, officer, typed)? {
            Some(person) => Introducer::Resident(person),
            None => return Ok(Err(Wrong::Introducer(0, "wrong.reference"))),
        },
    };
    let by = officer.acting(Action::RegisterResident).map_err(PersonError::from)?;
    Ok(Ok(Vouch { request: *request, introducer, how: how.to_owned(), by }))
}

/// Registers her on that word. From some people on another officer has to agree first: it is proposed, and the form is sent again when
/// she has; what they agreed on is put away when the person is in the register.
fn introduced(
    app: &App,
    call: &Call,
    vouch: &Vouch,
    ask: &Register<'_>,
    decision: Option<&Decision>,
) -> Result<PersonId, PersonError> {
    let asked = VouchAsked::of(vouch);
    let (keys, env, by) = (app.keys.clone(), call.env.clone(), vouch.by.clone());
    let mine = {
        let (keys, by, asked, now) = (keys.clone(), by.clone(), asked.clone(), call.env.now);
        app.store.read::<_, PersonError, _>(app.home(), move |tx| {
            four_eyes::mine(tx, &keys, now, &by, Action::RegisterResident, &asked)
        })?
    };
    let second = mine.as_ref().and_then(|(_, approved)| approved.as_ref());
    let (store, pack) = (&app.store, &app.pack);
    let entered =
        register_introduced(store, &keys, pack, &app.numbers, &call.env, second, vouch, ask, decision);
    match (&entered, mine) {
        (Ok(_), Some((_, Some(approved)))) => {
            store.write::<_, PersonError, _>(app.home(), move |tx| four_eyes::close(tx, &keys, &approved))?;
        }
        (Err(PersonError::Refused(Refusal::TwoOfficers)), None) => {
            store.write::<_, PersonError, _>(app.home(), move |tx| {
                four_eyes::propose(tx, &keys, &env.again(), &by, Action::RegisterResident, &asked)
            })?;
        }
        _ => {}
    }
    entered
}

/// The most letters for from where two people know each other.
const LONGEST_HOW: usize = 500;

/// From here on the officer serves her, in a session of her own: her number and her letter are for nobody else.
fn serve(app: &App, call: &Call, officer: &Officer, person: PersonId, page: &str) -> Answer {
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
    /// Which of the two inputs, and the key of the words.
    Introducer(usize, &'static str),
}

/// The form as it was filled in, with what is wrong.
fn again(app: &App, call: &Call, officer: &Officer, request: &str, wrong: Wrong) -> Answer {
    let mut view = blank(app, call, officer, request);
    let typed = |name: &str| Field::of(call.form.text(name));
    for input in view.names.iter_mut().chain(&mut view.places).chain(&mut view.introducer) {
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
        Wrong::Introducer(at, key) => (&mut view.introducer[at].field, shell.t(key)),
        Wrong::OtherData => (field_of(&mut view, Column::FamilyName), shell.t("wrong.other_data")),
    };
    field.error = Some(error);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &view)
}

fn blank(app: &App, call: &Call, officer: &Officer, request: &str) -> OfficeRegisterPage {
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let names = names(app, &shell);
    let places = places(app, &shell);
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
        introducer: [
            input(&shell, "introducer", "register.introducer", "register.introducer_hint"),
            input(&shell, "introducer_how", "register.introducer_how", "register.introducer_how_hint"),
        ],
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
pub(super) fn places(app: &App, shell: &Shell) -> Vec<InputView> {
    let mut places = vec![
        input(shell, "postcode", "register.postal_code", ""),
        input(shell, "region", "address.region", ""),
        input(shell, "city", "field.city", ""),
        input(shell, "address", "field.address", ""),
        input(shell, "care_of", "field.care_of", "register.care_of_hint"),
        input(shell, "phone", "register.phone", ""),
        input(shell, "email", "field.email", ""),
    ];
    if let Some(unfixed) = &app.pack.person.no_fixed_address {
        for input in places.iter_mut().filter(|input| input.id == "address") {
            input.hint = shell.t1("register.address_hint", "text", &unfixed.written);
        }
    }
    if app.pack.person.care_of.is_none() {
        places.retain(|input| input.id != "care_of");
    }
    places
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
        care_of: call.form.text("care_of"),
        phone: call.form.text("phone"),
        email: call.form.text("email"),
        ..Entry::default()
    }
}
