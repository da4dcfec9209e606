//! Finding one resident by an exact reference or number, opening her record, and printing her a letter. There is no list of people.

use axum::http::StatusCode;
use kaname_person::import::Mapping;
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_person::show::{self, Asking};
use kaname_person::{Action, PersonError, register};
use kaname_signin::{Holder, letter};
use kaname_trust::PersonId;
use kaname_trust::keys::random;

use super::handle;
use crate::http::answer::{Answer, page, page_with};
use crate::http::guard::Officer;
use crate::http::{App, Call};
use crate::pages::Field;
use crate::pages::office::{Choice, OfficeFindPage, OfficeNotFoundPage, OfficeResidentPage};
use crate::pages::paper::LetterPage;
use crate::portal::own::{FIELDS, address_lines, person_view};

/// `GET /office/find`
pub(crate) fn form(app: &App, call: &Call, officer: &Officer) -> Answer {
    find_page(app, call, officer, StatusCode::OK, Field::default(), Field::default())
}

/// `POST /office/find`: opens the record. The answer to a wrong reference and to one that may not be opened is the same.
pub(crate) fn open(app: &App, call: &Call, officer: &Officer) -> Answer {
    let shell = call.shell(app);
    let (typed, purpose) = (call.form.text("reference").trim(), call.form.text("purpose"));
    let mut reference = Field::of(typed);
    let mut chosen = Field::of(purpose);
    if typed.is_empty() || typed.len() > 256 {
        reference = reference.wrong(shell.t("wrong.reference"));
    }
    if !purposes(app, "").iter().any(|known| known.code == purpose) {
        chosen = chosen.wrong(shell.t("wrong.purpose"));
    }
    if reference.error.is_some() || chosen.error.is_some() {
        return find_page(app, call, officer, StatusCode::UNPROCESSABLE_ENTITY, reference, chosen);
    }
    match find(app, call, officer, typed)? {
        Some(person) => resident_page(app, call, officer, person, typed, purpose),
        None => page_with(StatusCode::NOT_FOUND, &OfficeNotFoundPage { shell: officer.shell(app, call) }),
    }
}

/// `POST /office/letter`: makes a new letter and shows it once, to be printed. The earlier one opens nothing any more.
pub(crate) fn letter(app: &App, call: &Call, officer: &Officer) -> Answer {
    let person = handle::read(&app.keys, officer, call.form.need("resident")?, call.env.now)?;
    // The letter stands in her log by its name: whoever has it can sign in as her, so she must see that it was made.
    let fields = &["name", "address", "activation-letter"];
    let record = read(app, call, officer, person, "registration", fields)?;
    let by = officer.acting(Action::IssueActivation)?;
    let letter = letter::issue(&app.signin, &call.env, &by, Holder::Resident(person))?;
    let shell = officer.shell(app, call);
    page(&LetterPage {
        name: record.display_name(&app.pack),
        address: address_lines(&record.particulars.address),
        sender: vec![shell.authority.clone()],
        at: call.env.now,
        letter_id: letter.number,
        activation_code: letter.code,
        until: letter.expires,
        site: app.issuer().split("://").last().unwrap_or_default().to_owned(),
        phone: String::new(),
        grid: letter.grid,
        shell,
    })
}

/// The resident to whom this number or alias leads this officer, or whom a source calls so.
fn find(app: &App, call: &Call, officer: &Officer, typed: &str) -> Result<Option<PersonId>, PersonError> {
    let by = officer.acting(Action::FindResident)?;
    let in_role = officer.acting(Action::FindByLockedNumber);
    let actor = in_role.unwrap_or_else(|_| officer.actor.clone());
    let ask = Resolve { text: typed, actor: &actor, use_id: random() };
    if let Some(person) = resolve(&app.store, &app.keys, &app.pack, &call.env, &ask)? {
        return Ok(Some(person));
    }
    register::find_by_reference(&app.store, &app.keys, &by, &Mapping::own().source, typed)
}

fn resident_page(
    app: &App,
    call: &Call,
    officer: &Officer,
    person: PersonId,
    typed: &str,
    purpose: &str,
) -> Answer {
    let record = match read(app, call, officer, person, purpose, FIELDS) {
        Ok(record) => record,
        Err(PersonError::Refused(kaname_person::Refusal::NoSuchResident)) => {
            return page_with(StatusCode::NOT_FOUND, &OfficeNotFoundPage { shell: officer.shell(app, call) });
        }
        Err(error) => return Err(error.into()),
    };
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let may_print = officer.may(Action::IssueActivation);
    page(&OfficeResidentPage {
        reference: typed.to_owned(),
        person: person_view(&app.pack, tag, &record),
        purpose: app.pack.purpose(purpose).map_or(purpose, |known| known.text.get(tag)).to_owned(),
        opened_at: call.env.now,
        letter: may_print.then(|| handle::write(&app.keys, officer, person, call.env.now)),
        shell,
    })
}

fn read(
    app: &App,
    call: &Call,
    officer: &Officer,
    person: PersonId,
    purpose: &str,
    fields: &'static [&'static str],
) -> Result<kaname_person::Resident, PersonError> {
    let ask = Asking { person, actor: officer.acting(Action::OpenResident)?, purpose: purpose.to_owned() };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    app.write_of(person, move |tx| show::open_resident(tx, &keys, &pack, &env.again(), &ask, fields))
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
    page_with(
        status,
        &OfficeFindPage { reference, purpose, purposes: purposes(app, shell.lang.code()), shell },
    )
}

/// What an officer may open a record for. The others are the program's, the parties' and the resident's own.
fn purposes(app: &App, tag: &str) -> Vec<Choice> {
    const OFFICERS: [&str; 4] = ["registration", "correction", "help-desk", "audit"];
    let known = OFFICERS.into_iter().filter_map(|code| app.pack.purpose(code));
    let choice = |purpose: &kaname_base::pack::Purpose| Choice {
        code: purpose.code.clone(),
        label: purpose.text.get(tag).to_owned(),
        hint: purpose.legal_basis.get(tag).to_owned(),
    };
    known.map(choice).collect()
}
