//! Linked records in the office: what no machine may decide, and reports of wrong links with their clocks.

use kaname_base::Instant;
use kaname_codec::b64;
use kaname_person::Action;
use kaname_person::link::review::{Decide, Decided, decide, open, waiting};
use kaname_person::link::sever::{Settle, Settled, settle};
use kaname_person::link::{LinkId, LinkState, incident, recall};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{ActorKind, PersonId};

use super::findings;
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::Officer;
use crate::http::{App, Call, Problem};
use crate::pages::link::{
    CaseLine, FittingView, LinkCasePage, LinkReportPage, LinkedPage, NoticeLine, RecordView, ReportLine,
};
use crate::pages::{NoticeKind, Saying};
use crate::portal::links::desk;

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("decided", NoticeKind::Done, "linked.decided"),
    ("proposed", NoticeKind::Done, "linked.proposed_done"),
    ("settled", NoticeKind::Done, "linked.settled"),
    ("told", NoticeKind::Done, "linked.told_done"),
    ("merge", NoticeKind::Done, "linked.merge_done"),
];

/// Lines of each list on the page.
const LINES: usize = 50;

/// How long an open page can be acted on, in seconds.
const HOLDS_SECONDS: i64 = 1_800;

/// `GET /office/links`
pub(crate) fn list(app: &App, call: &Call, officer: &Officer) -> Answer {
    let desk = desk(app);
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let name = |code: &str| app.pack.source(code).map_or(code, |source| source.name.get(tag)).to_owned();
    let cases = match officer.acting(Action::ReviewLink) {
        Err(_) => Vec::new(),
        Ok(by) => waiting(&desk, &by, LINES)?,
    };
    let cases = cases.into_iter().map(|case| CaseLine {
        id: b64::url_encode(&case.id),
        record: name(&case.source),
        doubt: case.doubt.code(),
        candidates: case.candidates as u64,
        since: case.since,
        proposed: case.proposed_by.is_some(),
    });
    let reports = incident::open_incidents(&desk, &officer.acting(Action::WatchLinks)?, LINES)?;
    let may_settle = officer.may(Action::SettleLink);
    let reports = reports.into_iter().map(|report| ReportLine {
        handle: may_settle.then(|| {
            let what = [&report.person.bytes()[..], report.link.bytes()].concat();
            handle(app, officer, LINK, &what, call.env.now)
        }),
        record: name(&report.source),
        reported_at: report.reported_at,
        due: report.due,
        is_over: report.level > 0,
        role: report
            .escalated_to
            .map(|code| app.pack.role(&code).map_or(code.as_str(), |role| role.name.get(tag)).to_owned()),
    });
    let notices = recall::all_notices(&desk, &officer.acting(Action::WatchLinks)?, LINES)?;
    let notices = notices.into_iter().map(|told| NoticeLine {
        id: b64::url_encode(&told.id),
        reader: told.reader,
        record: name(&told.notice.source),
        undone: told.notice.undone,
        sent: told.sent,
    });
    page(&LinkedPage {
        cases: cases.collect(),
        reports: reports.collect(),
        findings: findings::lines(app, &shell, officer, LINES)?,
        notices: notices.collect(),
        may_watch_introducers: officer.may(Action::WatchIntroducers),
        may_hand_in: officer.may(Action::CheckLinks),
        may_tell: may_settle,
        shell: shell.said(call.query.get("done"), DONE),
    })
}

/// `POST /office/links/told`: a reader without a feed was told in another way.
pub(crate) fn told(app: &App, call: &Call, officer: &Officer) -> Answer {
    let (id, reader) = (index(call.form.need("notice")?)?, call.form.need("reader")?);
    let was_there = recall::acknowledge(&desk(app), &officer.acting(Action::SettleLink)?, reader, id)?;
    if was_there { see_other("/office/links?done=told") } else { Err(Problem::not_found()) }
}

/// `POST /office/links/case`: opens each candidate, with a line in her log.
pub(crate) fn case(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = index(call.form.need("case")?)?;
    let desk = desk(app);
    let opened = open(&desk, &call.env, &officer.acting(Action::ReviewLink)?, id)?;
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let source = app.pack.source(&opened.source);
    let mine = opened.proposal.as_ref().is_some_and(|proposal| proposal.by.id == officer.id.to_string());
    let proposed = |person: PersonId| {
        let choice = opened.proposal.as_ref().and_then(|proposal| proposal.choice);
        choice.is_some_and(|choice| choice.person == person)
    };
    let candidates = opened.candidates.iter().map(|(person, evidence, resident)| FittingView {
        handle: handle(app, officer, &id, person.bytes(), call.env.now),
        record: record_view(app, tag, &resident.particulars),
        percent: format!("{:.2}", f64::from(evidence.probability) / 100.0),
        agrees: evidence.agrees.clone(),
        has_number: evidence.number,
        proposed: proposed(*person),
    });
    page(&LinkCasePage {
        id: b64::url_encode(&id),
        record: source.map_or(opened.source.as_str(), |source| source.name.get(tag)).to_owned(),
        doubt: opened.doubt.code(),
        says: record_view(app, tag, &opened.record),
        reference: opened.record.reference.clone(),
        nobody_proposed: opened.proposal.as_ref().is_some_and(|proposal| proposal.choice.is_none()),
        reason: opened.proposal.as_ref().map(|proposal| proposal.why.clone()),
        may_decide: !mine,
        candidates: candidates.collect(),
        shell,
    })
}

/// `POST /office/links/decide`
pub(crate) fn decide_case(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = index(call.form.need("case")?)?;
    let choice = match call.form.text("choice") {
        "" => return Err(Problem::malformed("nothing was chosen")),
        "nobody" => None,
        text => Some(read_handle(app, officer, &id, text, call.env.now)?),
    };
    let choice = match choice {
        None => None,
        Some(bytes) => Some(PersonId::from_slice(&bytes).ok_or_else(Problem::not_found)?),
    };
    let why = call.form.text("why");
    let ask = Decide { id, choice, by: officer.acting(Action::ReviewLink)?, why: &why[..floor(why, 400)] };
    let done = match decide(&desk(app), &call.env, &ask)? {
        Decided::Done => "decided",
        Decided::Proposed | Decided::Differs => "proposed",
    };
    see_other(&format!("/office/links?done={done}"))
}

/// `POST /office/links/report`: the record and the resident side by side, with a line in her log.
pub(crate) fn open_report(app: &App, call: &Call, officer: &Officer) -> Answer {
    let report = call.form.need("report")?;
    let (person, link) = reported(app, call, officer)?;
    let by = officer.acting(Action::SettleLink)?;
    let opened = incident::open_report(&desk(app), &call.env, &by, person, link)?;
    let shell = officer.shell(app, call);
    let tag = shell.lang.code();
    let source = app.pack.source(&opened.link.source);
    let step = opened.link.history.iter().rev().find(|step| step.state == LinkState::Suspended);
    let found_right = opened.link.found_right.as_ref();
    let is_makers =
        [Some(&opened.link.by), opened.link.approved_by.as_ref(), found_right.map(|step| &step.by)]
            .into_iter()
            .flatten()
            .any(|maker| maker.kind == by.kind && maker.id == by.id);
    page(&LinkReportPage {
        handle: report.to_owned(),
        record: source.map_or(opened.link.source.as_str(), |source| source.name.get(tag)).to_owned(),
        reference: opened.link.outside.reference.clone(),
        says: record_view(app, tag, &opened.link.outside),
        resident: record_view(app, tag, &opened.resident.particulars),
        percent: format!("{:.2}", f64::from(opened.evidence.probability) / 100.0),
        agrees: opened.evidence.agrees,
        by_holder: step.is_some_and(|step| step.by.kind == ActorKind::Resident || step.why == "not-mine"),
        reported_at: step.map_or(call.env.now, |step| step.at),
        found_right: found_right.map(|step| step.why.clone()),
        two: source.is_some_and(|source| source.four_eyes),
        may_settle: !is_makers,
        shell,
    })
}

fn reported(app: &App, call: &Call, officer: &Officer) -> Result<(PersonId, LinkId), Problem> {
    let bytes = read_handle(app, officer, LINK, call.form.need("report")?, call.env.now)?;
    let (person, link) = bytes.split_at_checked(16).ok_or_else(Problem::not_found)?;
    let person = PersonId::from_slice(person).ok_or_else(Problem::not_found)?;
    Ok((person, LinkId::from_slice(link).ok_or_else(Problem::not_found)?))
}

/// `POST /office/links/settle`: a link that was reported is right, or it is undone.
pub(crate) fn settle_report(app: &App, call: &Call, officer: &Officer) -> Answer {
    let (person, link) = reported(app, call, officer)?;
    let why = call.form.need("why")?.trim();
    if why.is_empty() {
        return Err(Problem::malformed("say why"));
    }
    let ask = Settle {
        person,
        link,
        wrong: match call.form.need("is")? {
            "wrong" => true,
            "right" => false,
            _ => return Err(Problem::malformed("a link is wrong or right")),
        },
        by: officer.acting(Action::SettleLink)?,
        why: why.chars().take(400).collect(),
    };
    see_other(match settle(&desk(app), &call.env, &ask)? {
        Settled::Done => "/office/links?done=settled",
        Settled::Proposed => "/office/links?done=proposed",
    })
}

pub(super) fn record_view(app: &App, tag: &str, of: &kaname_person::Particulars) -> RecordView {
    let forms = [Some(&of.name), of.reading.as_ref(), of.latin.as_ref()];
    let sex = app.pack.person.sexes.iter().find(|sex| sex.code == of.sex);
    RecordView {
        names: forms.into_iter().flatten().map(|name| name.full(&app.pack)).collect(),
        born: of.born,
        sex: sex.map_or("", |sex| sex.label.get(tag)).to_owned(),
        address: of.address.lines(&app.pack),
    }
}

/// What a form names, wrapped for one officer, one page and half an hour: a page's source names nobody.
pub(super) fn handle(app: &App, officer: &Officer, page: &[u8], what: &[u8], now: Instant) -> String {
    let expires = now.plus_seconds(HOLDS_SECONDS).micros().to_be_bytes();
    b64::url_encode(&app.keys.wrap(&context(officer, page), &[&expires[..], what].concat()))
}

pub(super) fn read_handle(
    app: &App,
    officer: &Officer,
    page: &[u8],
    text: &str,
    now: Instant,
) -> Result<Vec<u8>, Problem> {
    let wrapped = b64::url_decode(text).map_err(|_| Problem::not_found())?;
    let bytes = app.keys.unwrap(&context(officer, page), &wrapped).map_err(|_| Problem::not_found())?;
    let (expires, what) = bytes.split_at_checked(8).ok_or_else(Problem::not_found)?;
    let expires = i64::from_be_bytes(expires.try_into().map_err(|_| Problem::not_found())?);
    if now < Instant::from_micros(expires) { Ok(what.to_vec()) } else { Err(Problem::not_found()) }
}

const LINK: &[u8] = b"link";

fn context(officer: &Officer, page: &[u8]) -> Vec<u8> {
    [b"web.link\0", &officer.id.bytes()[..], page].concat()
}

pub(super) fn index(text: &str) -> Result<BlindIndex, Problem> {
    let bytes = b64::url_decode(text).map_err(|_| Problem::not_found())?;
    bytes.as_slice().try_into().map_err(|_| Problem::not_found())
}

/// The longest beginning of at most `most` bytes that ends between two characters.
fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
