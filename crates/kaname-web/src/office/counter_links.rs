//! Linked records at the counter: a resident who stands there sees them, and an officer writes down what she says of each.

use kaname_person::Action;
use kaname_person::link::LinkId;
use kaname_person::link::holder::{confirm, linked_to};
use kaname_person::link::incident::{Report, report};
use kaname_person::show::Asking;

use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::AtCounter;
use crate::http::{App, Call, Problem};
use crate::pages::link::CounterLinksPage;
use crate::pages::{Notice, NoticeKind, Shell};
use crate::portal::links::{desk, view};

/// `GET /office/counter/{counter}/links`
pub(crate) fn list(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let ask = Asking {
        person: at.person(),
        actor: at.acting(Action::SeeLinks)?,
        purpose: at.session.purpose().to_owned(),
    };
    let held = linked_to(&desk(app), &call.env, &ask)?;
    let shell = at.shell(app, call);
    let tag = shell.lang.code();
    let (may_confirm, may_report) = (at.may(Action::ConfirmLink), at.may(Action::ReportLink));
    let links = held.into_iter().map(|held| {
        let mut link = view(&app.pack, tag, held);
        link.may_confirm &= may_confirm;
        link.may_report &= may_report;
        link
    });
    let done = match call.query.get("done") {
        Some("reported") => Some("links.reported_for"),
        Some("confirmed") => Some("links.confirmed_for"),
        _ => None,
    };
    let notice = done.map(|key| Notice { kind: NoticeKind::Done, text: shell.t(key) });
    page(&CounterLinksPage { links: links.collect(), base: at.address(""), shell: Shell { notice, ..shell } })
}

/// `POST /office/counter/{counter}/links/confirm`: she says that it is hers.
pub(crate) fn confirm_for(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let by = at.acting(Action::ConfirmLink)?;
    confirm(&desk(app), &call.env, &by, at.person(), link(call)?)?;
    see_other(&at.address("links?done=confirmed"))
}

/// `POST /office/counter/{counter}/links/report`: she says that it is not; it is suspended at once.
pub(crate) fn report_for(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let ask = Report {
        person: at.person(),
        link: link(call)?,
        by: at.acting(Action::ReportLink)?,
        why: "not-mine".to_owned(),
    };
    report(&desk(app), &call.env, &ask)?;
    see_other(&at.address("links?done=reported"))
}

fn link(call: &Call) -> Result<LinkId, Problem> {
    LinkId::parse(call.form.need("link")?).map_err(|_| Problem::not_found())
}
