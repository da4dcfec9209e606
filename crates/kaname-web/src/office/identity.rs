//! Proposing that the entry of the resident at the counter stands for the wrong number of people.

use kaname_person::identity::{Act, NewProposal, propose};
use kaname_person::{Action, PersonError};

use super::ask::{again, choice, choose, grounds, line, read_grounds, refused};
use super::number::request_of;
use super::residents;
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, request};
use crate::pages::desk::OfficeFormPage;

const ACTS: [&str; 4] = ["merge", "unmerge", "split", "move-event"];

/// `GET /office/counter/{counter}/proposal`
pub(crate) fn form(app: &App, call: &Call, at: &AtCounter) -> Answer {
    page(&blank(app, call, at))
}

fn blank(app: &App, call: &Call, at: &AtCounter) -> OfficeFormPage {
    let shell = at.shell(app, call);
    let acts = ACTS.iter().map(|act| {
        let mut choice = choice(*act, shell.word("act", act));
        choice.hint = shell.word("act.hint", act);
        choice
    });
    let [why, evidence] = grounds(&shell, call);
    OfficeFormPage {
        title: shell.t("proposal.title"),
        lead: shell.t("proposal.lead"),
        back: at.address(""),
        action: at.address("proposal"),
        hidden: vec![("request", request_of(call))],
        parts: vec![
            choose(&shell, call, "act", "proposal.act", acts.collect()),
            line(&shell, call, "other", "proposal.other", "proposal.other_hint"),
            line(&shell, call, "event", "proposal.event", "proposal.event_hint"),
            why,
            evidence,
        ],
        note: shell.t("decisions.two"),
        button: shell.t("decisions.propose"),
        shell,
    }
}

/// `POST /office/counter/{counter}/proposal`
pub(crate) fn make(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let mut form = blank(app, call, at);
    let shell = form.shell.clone();
    let typed = call.form.text("other").trim();
    let other = if typed.is_empty() { None } else { residents::find(app, call, at, typed)? };
    let event = call.form.text("event").trim().parse::<i64>().ok();
    let kind = call.form.text("act");
    let act = match (kind, other, event) {
        ("merge", Some(survivor), _) => Some(Act::Merge { survivor }),
        ("unmerge", _, _) => Some(Act::Unmerge),
        ("split", Some(other), _) => Some(Act::Split { other }),
        ("move-event", Some(to), Some(n)) => Some(Act::MoveEvent { n, to }),
        _ => None,
    };
    if !ACTS.contains(&kind) {
        form.wrong("act", shell.t("wrong.choice"));
    } else if act.is_none() && other.is_none() {
        form.wrong("other", shell.t("wrong.reference"));
    } else if act.is_none() {
        form.wrong("event", shell.t("wrong.required"));
    }
    let read = read_grounds(call, &mut form);
    let (Some(act), Some((why, evidence)), false) = (act, read, form.is_wrong()) else { return again(&form) };

    let by = at.acting(Action::ProposeIdentity).map_err(PersonError::from)?;
    let new = NewProposal { request: request::read(call)?, person: at.person(), act, by, why, evidence };
    match propose(&app.store, &app.keys, &app.pack, &call.env, &new) {
        Ok(_) => see_other(&format!("{}?done=proposed", at.address(""))),
        Err(error) => refused(form, error, "other"),
    }
}
