//! The number of the resident at the counter: its lock, its aliases, and another one in its place.

use kaname_base::pack::AliasKind;
use kaname_person::number::alias::{AliasState, MakeAlias, aliases_of, last_day, make_alias, revoke_alias};
use kaname_person::number::lock::{self, LockNumber, lock_number};
use kaname_person::number::{ReplaceAsked, ReplaceNumber, replace_number};
use kaname_person::register::new_request;
use kaname_person::{Action, PersonError, Refusal, four_eyes};

use super::ask::{again, asking, choice, choose, grounds, line, read_grounds, refused};
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, Problem, request};
use crate::pages::desk::{OfficeFormPage, OfficeListPage};
use crate::pages::entry::{ButtonView, EntryView};
use crate::pages::{NoticeKind, Saying};
use crate::portal::history;

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("made", NoticeKind::Done, "desk.alias_made"),
    ("ended", NoticeKind::Done, "alias.taken_back"),
    ("locked", NoticeKind::Done, "desk.locked"),
    ("unlocked", NoticeKind::Done, "desk.unlocked"),
    ("replaced", NoticeKind::Done, "replace.done"),
    ("proposed", NoticeKind::Done, "decisions.proposed"),
];

/// `GET /office/counter/{counter}/number`
pub(crate) fn list(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let ask = asking(at, Action::ManageAliases)?;
    let (aliases, locked) = app.write_of::<_, PersonError, _>(at.person(), move |tx| {
        let aliases = aliases_of(tx, &keys, &pack, &env.again(), &ask)?;
        Ok((aliases, lock::is_locked(tx, ask.person)?))
    })?;
    let shell = at.shell(app, call).said(call.query.get("done"), DONE);
    let today = call.env.now.date_in(&app.pack.time_zone);
    let scheme = app.pack.alias.as_ref().map(|rules| &rules.scheme);
    let (code, words) = if locked { ("wait", "lock.is_locked") } else { ("good", "lock.is_open") };
    let mut entries = vec![EntryView {
        head: shell.t("lock.title"),
        tag: Some((code, shell.t(words))),
        doors: vec![(at.address("number/lock"), shell.t(if locked { "desk.unlock" } else { "desk.lock" }))],
        ..EntryView::default()
    }];
    for alias in &aliases {
        let is_over = alias.state == AliasState::Active && alias.is_over(today);
        let state = if is_over { "over" } else { alias.state.code() };
        let holds = state == "active";
        let shown =
            scheme.map_or_else(|| alias.alias.as_str().to_owned(), |scheme| scheme.show(&alias.alias));
        let mut entry = EntryView {
            head: shown,
            tag: Some((if holds { "good" } else { "" }, shell.word("alias.state", state))),
            rows: vec![(shell.t("alias.holds"), vec![shell.word("alias.kind", alias.kind.code())])],
            ..EntryView::default()
        };
        entry.say(shell.t("alias.until"), alias.until.map_or(String::new(), |day| history::day(&shell, day)));
        entry.say(shell.t("alias.made_at"), shell.moment(&alias.made_at));
        if holds {
            entry.buttons.push(ButtonView {
                action: at.address("number/aliases/end"),
                hidden: vec![("alias", alias.n.to_string())],
                label: shell.t("alias.take_back"),
                main: false,
            });
        }
        entries.push(entry);
    }
    let mut doors = Vec::new();
    if app.pack.alias.is_some() {
        doors.push((at.address("number/aliases"), shell.t("alias.new"), shell.t("alias.lead")));
    }
    if at.may(Action::ReplaceNumber) {
        doors.push((at.address("number/replace"), shell.t("replace.title"), shell.t("replace.text")));
    }
    page(&OfficeListPage {
        title: shell.t("aliases.title"),
        lead: String::new(),
        back: at.address(""),
        none: String::new(),
        entries,
        doors,
        shell,
    })
}

/// `GET /office/counter/{counter}/number/lock`
pub(crate) fn lock_form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let person = at.person();
    let locked = app.store.read::<_, PersonError, _>(
        kaname_trust::person::bucket_of(person, app.store.buckets()),
        move |tx| Ok(lock::is_locked(tx, person)?),
    )?;
    page(&lock_blank(app, call, at, if locked { "off" } else { "on" }))
}

fn lock_blank(app: &App, call: &Call, at: &AtCounter, lock: &str) -> OfficeFormPage {
    let shell = at.shell(app, call);
    let is_on = lock == "on";
    OfficeFormPage {
        title: shell.t(if is_on { "desk.lock" } else { "desk.unlock" }),
        lead: shell.t(if is_on { "desk.lock_text" } else { "desk.unlock_text" }),
        back: at.address(""),
        action: at.address("number/lock"),
        hidden: vec![("lock", lock.to_owned()), ("request", request_of(call))],
        parts: grounds(&shell, call).into(),
        note: String::new(),
        button: shell.t(if is_on { "desk.lock" } else { "desk.unlock" }),
        shell,
    }
}

/// The request's id that the form had, or a new one.
pub(super) fn request_of(call: &Call) -> String {
    match call.form.text("request") {
        "" => request::write(&new_request()),
        sent => sent.to_owned(),
    }
}

/// `POST /office/counter/{counter}/number/lock`
pub(crate) fn change_lock(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let lock = match call.form.text("lock") {
        lock @ ("on" | "off") => lock,
        _ => return Err(Problem::malformed("the field `lock` is neither on nor off")),
    };
    let mut form = lock_blank(app, call, at, lock);
    let Some((why, evidence)) = read_grounds(call, &mut form) else { return again(&form) };
    let ask = LockNumber {
        request: request::read(call)?,
        asking: asking(at, Action::LockNumber)?,
        locked: lock == "on",
        why,
        evidence,
    };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    app.write_of(at.person(), move |tx| lock_number(tx, &keys, &pack, &env.again(), &ask))?;
    let next = at.address(if at.may(Action::ManageAliases) { "number" } else { "" });
    see_other(&format!("{next}?done={}", if lock == "on" { "locked" } else { "unlocked" }))
}

/// `GET /office/counter/{counter}/number/aliases`
pub(crate) fn alias_form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&alias_blank(app, call, at)?)
}

fn alias_blank(app: &App, call: &Call, at: &AtCounter) -> Result<OfficeFormPage, Problem> {
    let rules = app.pack.alias.as_ref().ok_or_else(Problem::not_found)?;
    let shell = at.shell(app, call);
    let kinds = rules.kinds.iter().map(|kind| choice(kind.code(), shell.word("alias.kind", kind.code())));
    let mut days = line(&shell, call, "days", "alias.days", "");
    if let crate::pages::desk::Part::Line(input) = &mut days {
        input.hint = shell.t1("alias.days_hint", "most", shell.count(u64::from(rules.longest_days)));
    }
    Ok(OfficeFormPage {
        title: shell.t("alias.new"),
        lead: shell.t("alias.lead"),
        back: at.address("number"),
        action: at.address("number/aliases"),
        hidden: vec![("request", request_of(call))],
        parts: vec![choose(&shell, call, "kind", "alias.holds", kinds.collect()), days],
        note: String::new(),
        button: shell.t("alias.make"),
        shell,
    })
}

/// `POST /office/counter/{counter}/number/aliases`
pub(crate) fn make(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let mut form = alias_blank(app, call, at)?;
    let rules = app.pack.alias.as_ref().ok_or_else(Problem::not_found)?;
    let kind = AliasKind::of_code(call.form.text("kind")).filter(|kind| rules.kinds.contains(kind));
    let until = match kind {
        None => {
            form.wrong("kind", form.shell.t("wrong.choice"));
            None
        }
        Some(AliasKind::Temporary) => {
            let days = call.form.text("days").trim().parse::<u16>().ok();
            let days = days.filter(|days| (1..=rules.longest_days).contains(days));
            if days.is_none() {
                let most = form.shell.count(u64::from(rules.longest_days));
                form.wrong("days", form.shell.t1("wrong.days", "most", most));
            }
            days.and_then(|days| last_day(&call.env, &app.pack, days))
        }
        Some(_) => None,
    };
    let (Some(kind), false) = (kind, form.is_wrong()) else { return again(&form) };
    let asking = asking(at, Action::ManageAliases)?;
    let ask = MakeAlias { request: request::read(call)?, asking, kind, until };
    let aliases = app.aliases().ok_or_else(Problem::not_found)?;
    match make_alias(&app.store, &app.keys, &app.pack, aliases, &call.env, &ask) {
        Ok(_) => see_other(&at.address("number?done=made")),
        Err(error) => refused(form, error, "kind"),
    }
}

/// `POST /office/counter/{counter}/number/aliases/end`
pub(crate) fn end(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let n = call.form.need("alias")?.parse::<i64>().map_err(|_| Problem::not_found())?;
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let ask = asking(at, Action::ManageAliases)?;
    app.write_of(at.person(), move |tx| revoke_alias(tx, &keys, &pack, &env.again(), &ask, n))?;
    see_other(&at.address("number?done=ended"))
}

/// `GET /office/counter/{counter}/number/replace`
pub(crate) fn replace_form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&replace_blank(app, call, at))
}

fn replace_blank(app: &App, call: &Call, at: &AtCounter) -> OfficeFormPage {
    let shell = at.shell(app, call);
    let takes_two = four_eyes::is_asked(&app.pack, Action::ReplaceNumber);
    OfficeFormPage {
        title: shell.t("replace.title"),
        lead: shell.t("replace.lead"),
        back: at.address("number"),
        action: at.address("number/replace"),
        hidden: vec![("request", request_of(call))],
        parts: grounds(&shell, call).into(),
        note: if takes_two { shell.t("decisions.two") } else { String::new() },
        button: shell.t(if takes_two { "decisions.propose" } else { "replace.title" }),
        shell,
    }
}

/// `POST /office/counter/{counter}/number/replace`: done, or proposed where the country asks for two officers.
pub(crate) fn replace(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let mut form = replace_blank(app, call, at);
    let Some((why, evidence)) = read_grounds(call, &mut form) else { return again(&form) };
    let by = at.acting(Action::ReplaceNumber).map_err(PersonError::from)?;
    let ask = ReplaceNumber { request: request::read(call)?, person: at.person(), by, why, evidence };
    match replace_number(&app.store, &app.keys, &app.pack, &app.numbers, &call.env, None, &ask) {
        Ok(()) => see_other(&at.address("number?done=replaced")),
        Err(PersonError::Refused(Refusal::TwoOfficers)) => {
            let (keys, env, asked) = (app.keys.clone(), call.env.clone(), ReplaceAsked::of(&ask));
            app.store.write::<_, PersonError, _>(app.home(), move |tx| {
                four_eyes::propose(tx, &keys, &env.again(), &ask.by, Action::ReplaceNumber, &asked)
            })?;
            see_other(&at.address("number?done=proposed"))
        }
        Err(error) => Err(error.into()),
    }
}
