//! Who may act for the resident at the counter: what is recorded, a new mandate on evidence, the end of one.

use kaname_person::delegate::end::end;
use kaname_person::delegate::give::{Give, record, recordable};
use kaname_person::delegate::{Given, MandateId, MandateState, Terms, given};
use kaname_person::{Action, PersonError};

use super::ask::{again, asking, boxes, choice, choose, line, read_line, refused};
use super::number::request_of;
use super::residents;
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, Problem, request};
use crate::pages::desk::{OfficeFormPage, OfficeListPage, Part};
use crate::pages::entry::{ButtonView, EntryView};
use crate::pages::{NoticeKind, Saying, Shell};
use crate::portal::history;

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("recorded", NoticeKind::Done, "mandates.recorded"),
    ("proposed", NoticeKind::Done, "decisions.proposed"),
    ("ended", NoticeKind::Done, "delegates.ended_done"),
];

/// `GET /office/counter/{counter}/mandates`
pub(crate) fn list(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let ask = asking(at, Action::SeeMandates)?;
    let all = app
        .write_of::<_, PersonError, _>(at.person(), move |tx| given(tx, &keys, &pack, &env.again(), &ask))?;
    let shell = at.shell(app, call).said(call.query.get("done"), DONE);
    let entries = all.iter().map(|mandate| {
        let mut view = entry(app, call, &shell, mandate);
        if mandate.state != MandateState::Ended && at.may(Action::EndMandate) {
            view.buttons.push(ButtonView {
                action: at.address("mandates/end"),
                hidden: vec![("mandate", mandate.id.to_string())],
                label: shell.t("mandate.end"),
                main: false,
            });
        }
        view
    });
    let may_record = at.may(Action::RecordMandate);
    let new = (at.address("mandates/new"), shell.t("mandates.new"), shell.t("mandates.new_text"));
    page(&OfficeListPage {
        title: shell.t("mandates.title"),
        lead: shell.t("mandates.lead"),
        back: at.address(""),
        none: shell.t("mandates.none"),
        entries: entries.collect(),
        doors: may_record.then_some(new).into_iter().collect(),
        shell,
    })
}

/// A mandate in the words of its reader.
pub(super) fn entry(app: &App, call: &Call, shell: &Shell, mandate: &Given) -> EntryView {
    let is_over = mandate.is_over(call.env.now.date_in(&app.pack.time_zone));
    let state = if is_over && mandate.state != MandateState::Ended { "over" } else { mandate.state.code() };
    let tone = match state {
        "active" => "good",
        "proposed" | "offered" => "wait",
        _ => "",
    };
    let kind = app
        .pack
        .mandate(&mandate.kind)
        .map_or(mandate.kind.as_str(), |kind| kind.name.get(shell.lang.code()));
    let mut entry = EntryView {
        head: mandate.holder.clone().unwrap_or_else(|| kind.to_owned()),
        tag: Some((tone, shell.word("mandate.state", state))),
        ..EntryView::default()
    };
    entry.say(shell.t("mandate.as"), kind);
    entry.say(shell.t("mandate.scope"), shell.words("scope", &mandate.scope));
    entry.say(shell.t("history.source"), mandate.evidence.as_str());
    entry.say(shell.t("history.by"), history::who(app, shell, &mandate.by));
    entry.say(shell.t("mandate.since"), shell.day(&mandate.at));
    entry.say(shell.t("mandate.until"), mandate.until.map_or(String::new(), |day| history::day(shell, day)));
    entry
}

/// `GET /office/counter/{counter}/mandates/new`
pub(crate) fn form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&blank(app, call, at))
}

fn scopes(app: &App) -> impl Iterator<Item = String> {
    let all = recordable(&app.pack).flat_map(|kind| kind.scopes.iter().cloned());
    all.collect::<std::collections::BTreeSet<_>>().into_iter()
}

fn blank(app: &App, call: &Call, at: &AtCounter) -> OfficeFormPage {
    let shell = at.shell(app, call);
    let of_kinds = recordable(&app.pack).map(|kind| {
        let mut choice = choice(&kind.code, kind.name.get(shell.lang.code()));
        choice.hint = if kind.four_eyes { shell.t("decisions.two") } else { String::new() };
        choice
    });
    let mut days = line(&shell, call, "days", "alias.days", "");
    if let Part::Line(input) = &mut days {
        input.hint = shell.t("mandates.days_hint");
    }
    OfficeFormPage {
        title: shell.t("mandates.new"),
        lead: shell.t("mandates.new_text"),
        back: at.address("mandates"),
        action: at.address("mandates"),
        hidden: vec![("request", request_of(call))],
        parts: vec![
            choose(&shell, call, "kind", "mandate.as", of_kinds.collect()),
            line(&shell, call, "holder", "mandates.holder", "find.reference_hint"),
            boxes(&shell, call, "scope", "mandate.scope", scopes(app)),
            days,
            line(&shell, call, "evidence", "desk.evidence", "mandates.evidence_hint"),
        ],
        note: String::new(),
        button: shell.t("mandates.do"),
        shell,
    }
}

/// `POST /office/counter/{counter}/mandates`
pub(crate) fn make(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let mut form = blank(app, call, at);
    let shell = form.shell.clone();
    let kind = recordable(&app.pack).find(|kind| kind.code == call.form.text("kind"));
    if kind.is_none() {
        form.wrong("kind", shell.t("wrong.choice"));
    }
    let typed = call.form.text("holder").trim();
    let holder = if typed.is_empty() { None } else { residents::find(app, call, at, typed)? };
    if holder.is_none() {
        form.wrong("holder", shell.t("wrong.holder"));
    }
    let scope: Vec<String> =
        scopes(app).filter(|code| !call.form.text(&format!("scope-{code}")).is_empty()).collect();
    if scope.is_empty() {
        form.wrong("scope", shell.t("wrong.scope"));
    }
    let days = match call.form.text("days").trim() {
        "" => Ok(None),
        typed => typed.parse::<u16>().map(Some),
    };
    if days.is_err() {
        form.wrong("days", shell.t1("wrong.days", "most", shell.count(LONGEST_DAYS)));
    }
    let evidence = read_line(call, &mut form, "evidence");
    let (Some(kind), Some(holder), Ok(days), Some(evidence), false) =
        (kind, holder, days, evidence, form.is_wrong())
    else {
        return again(&form);
    };

    let ask = Give {
        request: request::read(call)?,
        asking: asking(at, Action::RecordMandate)?,
        holder,
        terms: Terms { kind: kind.code.clone(), scope, days },
        evidence,
    };
    match record(&app.store, &app.keys, &app.pack, &call.env, &ask) {
        Ok(_) if kind.four_eyes => see_other(&at.address("mandates?done=proposed")),
        Ok(_) => see_other(&at.address("mandates?done=recorded")),
        Err(error) => refused(form, error, "scope"),
    }
}

/// The most days that any country can allow.
const LONGEST_DAYS: u64 = 3_660;

/// `POST /office/counter/{counter}/mandates/end`
pub(crate) fn finish(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let id = MandateId::parse(call.form.need("mandate")?).map_err(|_| Problem::not_found())?;
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let ask = asking(at, Action::EndMandate)?;
    app.write_of(at.person(), move |tx| end(tx, &keys, &pack, &env.again(), &ask, id, "at the counter"))?;
    see_other(&at.address("mandates?done=ended"))
}
