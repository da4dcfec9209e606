//! Recording what happened to the resident at the counter: which event, then its own form.

use kaname_person::event::{EventAsked, EventKind, Filled, NewEvent, asked_of_two, record_event};
use kaname_person::register::new_request;
use kaname_person::{Action, Entry, Field as Column, PersonError, Refusal, RelationKind, four_eyes};

use super::ask::{again, choice, choose, day, grounds, line, lines, read_day, read_grounds, refused};
use super::counter::read;
use super::{register, residents};
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, Problem, request};
use crate::pages::Shell;
use crate::pages::desk::{OfficeFormPage, OfficeListPage, Part};
use crate::portal::history::label_of;
use crate::portal::own::FIELDS;

/// What can be recorded here. A photo comes as a file, the rest by ways of their own.
const KINDS: [EventKind; 14] = [
    EventKind::Move,
    EventKind::ChangeOfName,
    EventKind::ChangeOfContact,
    EventKind::ChangeOfStatus,
    EventKind::Marriage,
    EventKind::Divorce,
    EventKind::Parenthood,
    EventKind::Guardianship,
    EventKind::Household,
    EventKind::RelationEnded,
    EventKind::Emigration,
    EventKind::Return,
    EventKind::Death,
    EventKind::Correction,
];

/// The fields of the day from which it holds.
const ON: [&str; 3] = ["on_year", "on_month", "on_day"];

/// `GET /office/counter/{counter}/event`: which one, or its form when the address says which.
pub(crate) fn form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let shell = at.shell(app, call);
    match kind_of(call.query.text("kind")) {
        Some(kind) => page(&blank(app, call, at, shell, kind, call.query.text("annuls"))),
        None => {
            let door = |kind: EventKind| {
                let address = at.address(&format!("event?kind={}", kind.code()));
                (address, shell.word("event", kind.code()), String::new())
            };
            page(&OfficeListPage {
                title: shell.t("record.title"),
                lead: shell.t("record.lead"),
                back: at.address(""),
                none: String::new(),
                entries: Vec::new(),
                doors: KINDS.into_iter().map(door).collect(),
                shell,
            })
        }
    }
}

/// `POST /office/counter/{counter}/event`. The request's id makes a form that is sent twice record once.
pub(crate) fn record(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let kind = kind_of(call.form.text("kind")).ok_or_else(Problem::not_found)?;
    let request = request::read(call)?;
    let shell = at.shell(app, call);
    let mut form = blank(app, call, at, shell.clone(), kind, call.form.text("annuls"));
    let on = read_day(call, ON);
    if on.is_none() {
        form.wrong(ON[0], shell.t("wrong.date"));
    }
    let typed = call.form.text("other").trim();
    let other = match typed {
        "" => None,
        typed => residents::find(app, call, at, typed)?,
    };
    let needs_other = form.parts.iter_mut().any(|part| part.field("other").is_some());
    if needs_other && other.is_none() {
        form.wrong("other", shell.t("wrong.reference"));
    }
    let relation = RelationKind::of_code(call.form.text("relation"));
    if relation.is_none() && form.parts.iter_mut().any(|part| part.field("relation").is_some()) {
        form.wrong("relation", shell.t("wrong.choice"));
    }
    let corrected = Column::of_name(call.form.text("field")).filter(|field| CORRECTED.contains(field));
    if kind == EventKind::Correction && corrected.is_none() {
        form.wrong("field", shell.t("wrong.choice"));
    }
    let read_in_full = read_grounds(call, &mut form);
    let (Some(on), Some((why, evidence)), false) = (on, read_in_full, form.is_wrong()) else {
        return again(&form);
    };

    let filled = Filled {
        entry: Entry {
            status: call.form.text("status"),
            stay_from: call.form.text("stay_from"),
            stay_until: call.form.text("stay_until"),
            ..register::entry(call, "")
        },
        set: corrected.map(|field| (field, call.form.text("value"))).into_iter().collect(),
        other,
        relation,
        place: call.form.text("place"),
        annuls: call.form.text("annuls").parse().ok(),
    };
    let now = read(app, call, at, FIELDS)?;
    let today = call.env.now.date_in(&app.pack.time_zone);
    let place = place_of(kind);
    let change = match filled.change(kind, &now.particulars, &app.pack, today) {
        Ok(change) => change,
        Err(error) => return refused(form, error, place),
    };
    let by = at.acting(Action::RecordEvent).map_err(PersonError::from)?;
    let event = NewEvent { request, person: at.person(), change, on, by, why, evidence };
    match record_event(&app.store, &app.keys, &app.pack, &call.env, &event) {
        Ok(_) if kind == EventKind::Annulment => see_other(&at.address("history?done=annulled")),
        Ok(_) => see_other(&at.address("history?done=recorded")),
        Err(PersonError::Refused(Refusal::TwoOfficers)) => {
            let (keys, env, asked) = (app.keys.clone(), call.env.clone(), EventAsked::of(&event));
            let action = asked_of_two(&event.change).unwrap_or(Action::RecordEvent);
            app.store.write::<_, PersonError, _>(app.home(), move |tx| {
                four_eyes::propose(tx, &keys, &env.again(), &event.by, action, &asked)
            })?;
            see_other(&at.address("history?done=proposed"))
        }
        Err(error) => refused(form, error, place),
    }
}

fn kind_of(code: &str) -> Option<EventKind> {
    let kind = EventKind::of_code(code)?;
    (KINDS.contains(&kind) || kind == EventKind::Annulment).then_some(kind)
}

/// At which field the register's no is shown when it is about none.
fn place_of(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Move => "city",
        EventKind::Correction => "value",
        EventKind::ChangeOfContact => "phone",
        EventKind::ChangeOfStatus => "status",
        EventKind::ChangeOfName => "family_name",
        _ => ON[0],
    }
}

/// What can be corrected; the source's own reference is not the office's.
const CORRECTED: [Column; 17] = [
    Column::FamilyName,
    Column::GivenName,
    Column::FamilyReading,
    Column::GivenReading,
    Column::FamilyLatin,
    Column::GivenLatin,
    Column::BirthDate,
    Column::Sex,
    Column::Status,
    Column::BirthPlace,
    Column::Postcode,
    Column::Region,
    Column::City,
    Column::Address,
    Column::CareOf,
    Column::Phone,
    Column::Email,
];

/// The form of a kind, with what was sent in it.
fn blank(
    app: &App,
    call: &Call,
    at: &AtCounter,
    shell: Shell,
    kind: EventKind,
    annuls: &str,
) -> OfficeFormPage {
    let mut parts: Vec<Part> = of_kind(app, call, &shell, kind);
    parts.push(day(&shell, call, ON, "record.on", "record.on_hint"));
    parts.extend(grounds(&shell, call));
    let sent = call.form.text("request");
    let request = if sent.is_empty() { request::write(&new_request()) } else { sent.to_owned() };
    let note = match kind {
        EventKind::Death => shell.t("record.death"),
        EventKind::Annulment => shell.t1("record.annulment", "n", annuls),
        EventKind::Emigration => shell.t("record.emigration"),
        EventKind::Correction => shell.t("record.correction"),
        EventKind::Guardianship if four_eyes::is_asked(&app.pack, Action::RecordGuardianship) => {
            shell.t("decisions.two")
        }
        _ => String::new(),
    };
    OfficeFormPage {
        title: shell.word("event", kind.code()),
        lead: String::new(),
        back: at.address(if kind == EventKind::Annulment { "history" } else { "event" }),
        action: at.address("event"),
        hidden: vec![
            ("kind", kind.code().to_owned()),
            ("request", request),
            ("annuls", annuls.chars().filter(char::is_ascii_digit).take(9).collect()),
        ],
        parts,
        note,
        button: shell.t("record.do"),
        shell,
    }
}

fn of_kind(app: &App, call: &Call, shell: &Shell, kind: EventKind) -> Vec<Part> {
    let tag = shell.lang.code();
    let other = || line(shell, call, "other", "record.other", "find.reference_hint");
    let relation = |kinds: &[RelationKind]| {
        let choices = kinds.iter().map(|kind| choice(kind.code(), shell.word("relation", kind.code())));
        choose(shell, call, "relation", "record.relation", choices.collect())
    };
    let names = || lines(call, register::names(app, shell));
    let places = |ids: &'static [&'static str]| {
        let inputs =
            register::places(app, shell).into_iter().filter(|input| ids.contains(&input.id)).collect();
        lines(call, inputs)
    };
    const HOME: &[&str] = &["postcode", "region", "city", "address", "care_of"];
    match kind {
        EventKind::Move | EventKind::Return => places(HOME).collect(),
        EventKind::ChangeOfName => names().collect(),
        EventKind::ChangeOfContact => places(&["phone", "email"]).collect(),
        EventKind::ChangeOfStatus => {
            let statuses = app.pack.statuses.iter().map(|status| choice(&status.code, status.label.get(tag)));
            vec![
                choose(shell, call, "status", "attribute.status", statuses.collect()),
                line(shell, call, "stay_from", "record.stay_from", "record.stay_hint"),
                line(shell, call, "stay_until", "record.stay_until", "record.stay_hint"),
            ]
        }
        EventKind::Marriage | EventKind::Divorce => [other()].into_iter().chain(names()).collect(),
        EventKind::Parenthood => vec![relation(&[RelationKind::Parent, RelationKind::Child]), other()],
        EventKind::Guardianship => vec![relation(&[RelationKind::Guardian, RelationKind::Ward]), other()],
        EventKind::Household => {
            vec![relation(&[RelationKind::HouseholdHead, RelationKind::HouseholdMember]), other()]
        }
        EventKind::RelationEnded => vec![relation(&RelationKind::ALL), other()],
        EventKind::Emigration => vec![line(shell, call, "place", "record.place", "")],
        EventKind::Correction => {
            let fields =
                CORRECTED.iter().map(|field| choice(field.name(), shell.t(label_of(*field)))).collect();
            let sexes = app.pack.person.sexes.iter().map(|sex| (&sex.code, sex.label.get(tag)));
            let statuses = app.pack.statuses.iter().map(|status| (&status.code, status.label.get(tag)));
            let codes: Vec<String> =
                sexes.chain(statuses).map(|(code, label)| format!("{code} = {label}")).collect();
            let mut value = line(shell, call, "value", "record.value", "");
            if let Part::Line(input) = &mut value {
                input.hint = shell.t1("record.value_hint", "codes", codes.join(", "));
            }
            vec![choose(shell, call, "field", "record.field", fields), value]
        }
        _ => Vec::new(),
    }
}
