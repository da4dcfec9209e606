//! Who vouches for people without papers: how many each has brought in, whom, and that one of them may no more.

use kaname_person::introduce::Introducer;
use kaname_person::introduce::watch::{Known, Opened, list, open_one, set_standing};
use kaname_person::{Action, OfficerId};
use kaname_trust::PersonId;

use super::links::{handle, read_handle};
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::Officer;
use crate::http::{App, Call, Problem};
use crate::pages::desk::{OfficeIntroducerPage, OfficeListPage};
use crate::pages::entry::{ButtonView, EntryView};
use crate::pages::{NoticeKind, Saying, Shell};
use crate::portal::history::who;
use crate::portal::links::desk;

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("suspended", NoticeKind::Done, "introducers.suspended_done"),
    ("restored", NoticeKind::Done, "introducers.restored_done"),
];

/// The most that are listed of one bucket.
const MOST: usize = 100;

/// The longest reason, in letters.
const LONGEST: usize = 400;

/// What binds the handle of an introducer to these pages.
const PAGE: &[u8] = b"introducers";

/// `GET /office/introducers`: opens nobody.
pub(crate) fn all(app: &App, call: &Call, officer: &Officer) -> Answer {
    let shell = officer.shell(app, call).said(call.query.get("done"), DONE);
    let known = list(&desk(app), &officer.acting(Action::WatchIntroducers)?, MOST)?;
    let entries = known.iter().map(|known| {
        let handle = handle(app, officer, PAGE, &bytes(known.introducer), call.env.now);
        let mut entry = entry(&shell, known);
        entry.buttons.push(ButtonView {
            action: "/office/introducers/open".to_owned(),
            hidden: vec![("introducer", handle)],
            label: shell.t("decisions.look"),
            main: false,
        });
        entry
    });
    page(&OfficeListPage {
        title: shell.t("introducers.title"),
        lead: shell.t("introducers.lead"),
        back: "/office/links".to_owned(),
        none: shell.t("introducers.none"),
        entries: entries.collect(),
        doors: Vec::new(),
        shell,
    })
}

fn entry(shell: &Shell, known: &Known) -> EntryView {
    let is_officer = matches!(known.introducer, Introducer::Officer(_));
    let kind = if is_officer { "introducers.officer" } else { "introducers.resident" };
    let state = if known.suspended { ("wait", "introducers.suspended") } else { ("good", "introducers.may") };
    let mut entry = EntryView {
        head: known.name.clone().unwrap_or_else(|| shell.t(kind)),
        tag: Some((state.0, shell.t(state.1))),
        ..EntryView::default()
    };
    entry.say(shell.t("introducers.brought"), shell.count(known.brought));
    entry
}

/// `POST /office/introducers/open`: the introducer and everybody whom she brought in, with a line in the log of each.
pub(crate) fn open(app: &App, call: &Call, officer: &Officer) -> Answer {
    let introducer = named(app, call, officer)?;
    let by = officer.acting(Action::WatchIntroducers)?;
    let Opened { known, brought, standing } = open_one(&desk(app), &call.env, &by, introducer)?;
    let shell = officer.shell(app, call);
    let mut first = entry(&shell, &known);
    for step in &standing {
        let what = if step.suspended { "introducers.suspended" } else { "introducers.may" };
        let said = [shell.moment(&step.at), who(app, &shell, &step.by), step.why.clone()];
        first.rows.push((shell.t(what), said.to_vec()));
    }
    let brought = brought.iter().map(|one| {
        let mut entry = EntryView { head: one.name.clone(), ..EntryView::default() };
        entry.say(shell.t("register.introducer_how"), one.how.as_str());
        entry.say(shell.t("history.recorded"), shell.moment(&one.at));
        entry.say(shell.t("history.by"), who(app, &shell, &one.by));
        entry
    });
    page(&OfficeIntroducerPage {
        handle: handle(app, officer, PAGE, &bytes(introducer), call.env.now),
        suspended: known.suspended,
        may_suspend: officer.may(Action::SuspendIntroducer),
        brought: brought.collect(),
        introducer: first,
        shell,
    })
}

/// `POST /office/introducers/standing`
pub(crate) fn decide(app: &App, call: &Call, officer: &Officer) -> Answer {
    let introducer = named(app, call, officer)?;
    let suspended = match call.form.need("is")? {
        "suspended" => true,
        "restored" => false,
        _ => return Err(Problem::malformed("an introducer is suspended or restored")),
    };
    let why: String = call.form.text("why").trim().chars().take(LONGEST).collect();
    let by = officer.acting(Action::SuspendIntroducer)?;
    set_standing(&desk(app), &call.env, &by, introducer, suspended, &why)?;
    see_other(if suspended {
        "/office/introducers?done=suspended"
    } else {
        "/office/introducers?done=restored"
    })
}

fn bytes(introducer: Introducer) -> Vec<u8> {
    match introducer {
        Introducer::Resident(person) => [&[0], &person.bytes()[..]].concat(),
        Introducer::Officer(officer) => [&[1], &officer.bytes()[..]].concat(),
    }
}

fn named(app: &App, call: &Call, officer: &Officer) -> Result<Introducer, Problem> {
    let bytes = read_handle(app, officer, PAGE, call.form.need("introducer")?, call.env.now)?;
    let (kind, id) = bytes.split_first().ok_or_else(Problem::not_found)?;
    let id: [u8; 16] = id.try_into().map_err(|_| Problem::not_found())?;
    Ok(match kind {
        0 => Introducer::Resident(PersonId::from_bytes(id)),
        _ => Introducer::Officer(OfficerId::from_bytes(id)),
    })
}
