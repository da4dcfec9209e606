//! What the register says of the resident at the counter: her events, her record as it was on a day, whom she is related to.

use kaname_base::Instant;
use kaname_person::event::rules::Until;
use kaname_person::event::{EventKind, as_of};
use kaname_person::show::{self, Asking};
use kaname_person::{Action, PersonError, Refusal, Standing};
use kaname_trust::PersonId;

use super::ask::{again, asking, day, no_day, read_day};
use super::counter::read;
use crate::http::answer::{Answer, page};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, Problem};
use crate::pages::desk::{OfficeAsOfPage, OfficeFormPage, OfficeListPage};
use crate::pages::entry::EntryView;
use crate::pages::{NoticeKind, Saying, Shell};
use crate::portal::history;
use crate::portal::own::{FIELDS, person_view};

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("recorded", NoticeKind::Done, "record.done"),
    // What a death has closed comes back by itself, but for the way to sign in.
    ("annulled", NoticeKind::Important, "record.annulled"),
    ("proposed", NoticeKind::Done, "decisions.proposed"),
];

/// `GET /office/counter/{counter}/history`
pub(crate) fn list(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let lines = history::lines(app, call, at.person(), &asking(at, Action::OpenResident)?)?;
    let shell = at.shell(app, call).said(call.query.get("done"), DONE);
    let may_record = at.may(Action::RecordEvent);
    let entries = lines.iter().rev().map(|line| {
        let mut entry = history::entry(app, &shell, line);
        let change = &line.event.change;
        let stands = change.is_beginning()
            || change.is_of_number()
            || matches!(change.kind(), EventKind::Annulment | EventKind::Merge | EventKind::Split);
        if may_record && !stands && line.annulled_by.is_none() {
            let address = at.address(&format!("event?kind=annulment&annuls={}", line.n));
            entry.doors.push((address, shell.t("history.strike")));
        }
        history::say_introducer(app, call, &shell, line, &mut entry)?;
        Ok::<_, Problem>(entry)
    });
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    page(&OfficeListPage {
        title: shell.t("history.title"),
        lead: shell.t("history.lead"),
        back: at.address(""),
        none: String::new(),
        entries,
        doors: vec![(at.address("as-of"), shell.t("as_of.title"), shell.t("as_of.text"))],
        shell,
    })
}

const DAY: [&str; 3] = ["day_year", "day_month", "day_day"];
const KNOWN: [&str; 3] = ["known_year", "known_month", "known_day"];

/// `GET /office/counter/{counter}/as-of`
pub(crate) fn ask_as_of(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&as_of_form(app, call, at))
}

fn as_of_form(app: &App, call: &Call, at: &AtCounter) -> OfficeFormPage {
    let shell = at.shell(app, call);
    OfficeFormPage {
        title: shell.t("as_of.title"),
        lead: shell.t("as_of.text"),
        back: at.address("history"),
        action: at.address("as-of"),
        hidden: Vec::new(),
        parts: vec![
            day(&shell, call, DAY, "as_of.day", "as_of.day_hint"),
            day(&shell, call, KNOWN, "as_of.known", "as_of.known_hint"),
        ],
        note: String::new(),
        button: shell.t("as_of.do"),
        shell,
    }
}

/// `POST /office/counter/{counter}/as-of`
pub(crate) fn show_as_of(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let (on, known_on) = (read_day(call, DAY), read_day(call, KNOWN));
    let known_at = known_on.and_then(|day| end_of(app, day));
    let mut form = as_of_form(app, call, at);
    if on.is_none_or(|on| call.env.now.date_in(&app.pack.time_zone) < on) {
        form.wrong(DAY[0], form.shell.t("wrong.date"));
    }
    if known_at.is_none() && !no_day(call, KNOWN) {
        form.wrong(KNOWN[0], form.shell.t("wrong.date"));
    }
    let (Some(on), false) = (on, form.is_wrong()) else { return again(&form) };

    let until = Until { day: Some(on), known: known_at };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let ask = asking(at, Action::OpenResident)?;
    // A day before anything was known is an answer, so its entry in her log must stand: a refusal would take it back.
    let found = app.write_of::<_, PersonError, _>(at.person(), move |tx| {
        match as_of(tx, &keys, &pack, &env.again(), &ask, until, FIELDS) {
            Ok(found) => Ok(Some(found)),
            Err(PersonError::Refused(Refusal::NotKnownThen { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    })?;
    let shell = form.shell;
    let (day, tag) = (history::day(&shell, on), shell.lang.code());
    let said = match known_on {
        Some(known) => shell.t2("as_of.said_known", "day", day, "known", history::day(&shell, known)),
        None => shell.t1("as_of.said", "day", day),
    };
    let standing = found.as_ref().map(|found| found.resident.life.standing);
    page(&OfficeAsOfPage {
        back: at.address("history"),
        said,
        standing: standing.map_or(String::new(), |standing| standing_words(&shell, standing)),
        person: found.map(|found| person_view(&app.pack, tag, &found.resident)),
        shell,
    })
}

/// The last moment of a day in the country.
fn end_of(app: &App, day: jiff::civil::Date) -> Option<Instant> {
    let next = day.tomorrow().ok()?.in_tz(&app.pack.time_zone).ok()?.timestamp();
    Some(Instant::from_micros(next.as_microsecond() - 1))
}

/// Whether she lives here, in words.
pub(super) fn standing_words(shell: &Shell, standing: Standing) -> String {
    shell.word("standing", standing.code())
}

/// `GET /office/counter/{counter}/relations`: whom she is related to. Each of the others finds the look at her name in her own log.
pub(crate) fn relations(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let record = read(app, call, at, &["relations"])?;
    let shell = at.shell(app, call);
    let mut entries = Vec::with_capacity(record.life.relations.len());
    for relation in record.life.relations.iter().rev() {
        let mut entry = EntryView {
            head: name_of(app, call, at, relation.to)?,
            rows: vec![
                (shell.t("history.relation"), vec![shell.word("relation", relation.kind.code())]),
                (shell.t("history.since"), vec![history::day(&shell, relation.from)]),
            ],
            ..EntryView::default()
        };
        match relation.until {
            Some(until) => entry.say(shell.t("relations.until"), history::day(&shell, until)),
            None => entry.tag = Some(("good", shell.t("relations.now"))),
        }
        entries.push(entry);
    }
    page(&OfficeListPage {
        title: shell.t("relations.title"),
        lead: shell.t("relations.lead"),
        back: at.address(""),
        none: shell.t("relations.none"),
        entries,
        doors: Vec::new(),
        shell,
    })
}

/// The name of another resident, whoever she is now.
fn name_of(app: &App, call: &Call, at: &AtCounter, person: PersonId) -> Result<String, PersonError> {
    let actor = at.acting(Action::OpenResident)?;
    let ask = Asking { person, actor, purpose: at.session.purpose().to_owned() };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    app.write_of(person, move |tx| {
        Ok(show::open_resident(tx, &keys, &pack, &env.again(), &ask, &["name"])?.display_name(&pack))
    })
}
