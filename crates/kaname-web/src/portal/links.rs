//! Records of other agencies that are linked to a person: she sees each, and says with one click that it is hers or not.

use kaname_base::pack::Pack;
use kaname_person::link::holder::{Held, confirm, linked_to};
use kaname_person::link::incident::{Report, report};
use kaname_person::link::{Desk, LinkId, LinkState, Method};

use super::subject::Subject;
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::Resident;
use crate::http::{App, Call, Problem};
use crate::pages::link::{LinkView, MyLinksPage};
use crate::pages::{Notice, NoticeKind};

/// `GET /my/links`
pub(crate) fn list(app: &App, call: &Call, resident: &Resident) -> Answer {
    list_of(app, call, resident, &Subject::own(resident))
}

/// What is linked to this person.
pub(super) fn list_of(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    let held = linked_to(&desk(app), &call.env, &subject.asking)?;
    let shell = subject.shell(app, call, resident);
    let tag = shell.lang.code();
    let links = held.into_iter().map(|held| view(&app.pack, tag, held)).collect();
    let notice = match call.query.get("done") {
        Some("reported") => Some((NoticeKind::Done, "links.reported")),
        Some(_) => Some((NoticeKind::Done, "links.confirmed")),
        None => None,
    };
    let notice = notice.map(|(kind, key)| Notice { kind, text: shell.t(key) });
    page(&MyLinksPage { links, shell: crate::pages::Shell { notice, ..shell } })
}

/// `POST /my/links/confirm`
pub(crate) fn accept(app: &App, call: &Call, resident: &Resident) -> Answer {
    accept_for(app, call, &Subject::own(resident))
}

/// Her word that a record is hers, or that of who acts for her.
pub(super) fn accept_for(app: &App, call: &Call, subject: &Subject) -> Answer {
    confirm(&desk(app), &call.env, &subject.asking.actor, subject.person, link(call)?)?;
    see_other(&format!("{}/links?done=confirmed", subject.base))
}

/// `POST /my/links/report`: the link is suspended at once.
pub(crate) fn object(app: &App, call: &Call, resident: &Resident) -> Answer {
    object_for(app, call, &Subject::own(resident))
}

/// Her word that a record is not hers, or that of who acts for her.
pub(super) fn object_for(app: &App, call: &Call, subject: &Subject) -> Answer {
    let by = subject.asking.actor.clone();
    let ask = Report { person: subject.person, link: link(call)?, by, why: "not-mine".to_owned() };
    report(&desk(app), &call.env, &ask)?;
    see_other(&format!("{}/links?done=reported", subject.base))
}

/// What linking works with.
pub(crate) fn desk(app: &App) -> Desk {
    Desk::new(app.store.clone(), app.keys.clone(), app.pack.clone())
}

fn link(call: &Call) -> Result<LinkId, Problem> {
    LinkId::parse(call.form.need("link")?).map_err(|_| Problem::not_found())
}

/// A link in the words of its reader.
pub fn view(pack: &Pack, tag: &str, held: Held) -> LinkView {
    let source = pack.source(&held.source);
    LinkView {
        id: held.id.to_string(),
        record: source.map_or(held.source.as_str(), |source| source.name.get(tag)).to_owned(),
        agency: source.map_or("", |source| source.agency.get(tag)).to_owned(),
        law: source.map_or("", |source| source.legal_basis.get(tag)).to_owned(),
        state: held.state.word(),
        reference_end: held.reference_end,
        by_machine: held.method == Method::Machine,
        agrees: held.agrees,
        since: held.since,
        may_confirm: held.state == LinkState::Proposed
            || (held.state == LinkState::Active && !held.confirmed),
        may_report: matches!(held.state, LinkState::Proposed | LinkState::Active),
        readers: held.readers.into_iter().map(|reader| reader.actor.id).collect(),
        was_anothers: held.was_anothers,
        found_right: held.found_right,
    }
}
