//! A session at the counter: one resident, from "next, please" to the end, and everything that is done for her.

use kaname_person::counter::Ending;
use kaname_person::show::{self, Asking};
use kaname_person::{Action, PersonError, Resident};
use kaname_signin::{Holder, letter};

use super::history::standing_words;
use crate::http::answer::{Answer, forgetting, page, see_other};
use crate::http::guard::{self, AtCounter, Officer};
use crate::http::{App, Call};
use crate::pages::office::{OfficeCounterEndedPage, OfficeCounterPage, OfficeRegisteredPage};
use crate::pages::paper::LetterPage;
use crate::pages::{NoticeKind, Saying};
use crate::portal::own::{FIELDS, person_view};

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("proposed", NoticeKind::Done, "decisions.proposed"),
    ("locked", NoticeKind::Done, "desk.locked"),
    ("unlocked", NoticeKind::Done, "desk.unlocked"),
];

/// The pages of a session: what an officer must be allowed to do, the page, the keys of its title and of what it is for.
const DOORS: [(Action, &str, &str, &str); 12] = [
    (Action::RecordEvent, "event", "record.title", "record.text"),
    (Action::OpenResident, "history", "history.title", "history.text"),
    (Action::RecordEvent, "photo", "photo.title", "photo.text"),
    (Action::OpenResident, "relations", "relations.title", "relations.text"),
    (Action::ManageAliases, "number", "aliases.title", "desk.number_text"),
    (Action::LockNumber, "number/lock", "lock.title", "lock.text"),
    (Action::SeeMandates, "mandates", "mandates.title", "mandates.text"),
    (Action::ProposeIdentity, "proposal", "proposal.title", "proposal.text"),
    (Action::StandIn, "behalf", "behalf.title", "behalf.text"),
    (Action::PrintVoucher, "voucher", "vouchers.title", "vouchers.text"),
    (Action::SeeLinks, "links", "links.title", "counter.links_text"),
    (Action::RegisterAccount, "account", "account.title", "account.text"),
];

/// `GET /office/counter/{counter}`: her record, if the role opens it, and what can be done.
pub(crate) fn record(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let record = at.may(Action::OpenResident).then(|| read(app, call, at, FIELDS)).transpose()?;
    let shell = at.shell(app, call).said(call.query.get("done"), DONE);
    let tag = shell.lang.code();
    let opens = DOORS.iter().filter(|(action, ..)| at.may(*action));
    let doors = opens.map(|(_, path, title, more)| (at.address(path), shell.t(title), shell.t(more)));
    page(&OfficeCounterPage {
        standing: record.as_ref().map(|record| standing_words(&shell, record.life.standing)),
        person: record.map(|record| person_view(&app.pack, tag, &record)),
        opened_at: call.env.now,
        may_print: at.may(Action::IssueActivation),
        doors: doors.collect(),
        base: at.address(""),
        shell,
    })
}

/// `GET /office/counter/{counter}/registered`: her new number, told once, which is a reading of it.
pub(crate) fn registered(app: &App, call: &Call, at: &AtCounter) -> Answer {
    let actor = at.acting(Action::RevealNumber).map_err(PersonError::from)?;
    let ask = Asking { person: at.person(), actor, purpose: at.session.purpose().to_owned() };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let number =
        app.write_of(at.person(), move |tx| show::reveal_number(tx, &keys, &pack, &env.again(), &ask))?;
    page(&OfficeRegisteredPage {
        number: app.pack.number.show(&number),
        base: at.address(""),
        shell: at.shell(app, call),
    })
}

/// `POST /office/counter/{counter}/letter`: makes a new letter and shows it once, to be printed. The earlier one opens nothing any more.
pub(crate) fn letter(app: &App, call: &Call, at: &AtCounter) -> Answer {
    // The letter stands in her log by its name: whoever has it can sign in as her, so she must see that it was made.
    let record = read(app, call, at, &["name", "address", "activation-letter"])?;
    let by = at.acting(Action::IssueActivation)?;
    let letter = letter::issue(&app.signin, &call.env, &by, Holder::Resident(at.person()))?;
    let shell = at.shell(app, call);
    let mut address = record.particulars.address.lines(&app.pack);
    if !record.particulars.address.takes_letters(&app.pack) {
        // Who has no fixed address and nobody with whom to reach her collects her letters where she asks for them.
        address.push(shell.t("paper.collect"));
    }
    page(&LetterPage {
        name: record.display_name(&app.pack),
        address,
        sender: vec![shell.authority.clone()],
        at: call.env.now,
        letter_id: letter.number,
        activation_code: letter.code,
        until: letter.expires,
        site: app.issuer().split("://").last().unwrap_or_default().to_owned(),
        grid: letter.grid,
        shell,
    })
}

/// `POST /office/counter/{counter}/end`
pub(crate) fn end(app: &App, call: &Call, at: &AtCounter) -> Answer {
    guard::end_counter(app, call, at.id, Ending::Ended)?;
    see_other("/office/counter/ended").map(forgetting)
}

/// `GET /office/counter/ended`
pub(crate) fn ended(app: &App, call: &Call, officer: &Officer) -> Answer {
    page(&OfficeCounterEndedPage { shell: officer.shell(app, call) }).map(forgetting)
}

pub(super) fn read(
    app: &App,
    call: &Call,
    at: &AtCounter,
    fields: &'static [&'static str],
) -> Result<Resident, PersonError> {
    let ask = Asking {
        person: at.person(),
        actor: at.acting(Action::OpenResident)?,
        purpose: at.session.purpose().to_owned(),
    };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    app.write_of(at.person(), move |tx| show::open_resident(tx, &keys, &pack, &env.again(), &ask, fields))
}
