//! What the audit found: each finding with everybody whom it is about side by side, what to do about it, and the officer's decision.

use kaname_codec::b64;
use kaname_person::audit::{self, About, Finding, Kind, Opened, open_one, settle};
use kaname_person::identity::{Act, NewProposal, propose};
use kaname_person::{Action, PersonError, Refusal, Resident, officer as staff};
use kaname_trust::PersonId;

use super::links::{handle, index, read_handle, record_view};
use super::number::request_of;
use crate::http::answer::{Answer, page, see_other};
use crate::http::guard::Officer;
use crate::http::{App, Call, Problem, request};
use crate::pages::Shell;
use crate::pages::link::{ConcernedView, FindingLine, FindingPage};
use crate::portal::links::desk;

/// The longest reason, in letters.
const LONGEST: usize = 400;

/// The findings that nobody has settled, for an officer who may settle them; nobody is opened for it.
pub(super) fn lines(
    app: &App,
    shell: &Shell,
    officer: &Officer,
    most: usize,
) -> Result<Vec<FindingLine>, Problem> {
    let Ok(by) = officer.acting(Action::SettleFinding) else { return Ok(Vec::new()) };
    let found = audit::open(&desk(app), &by, most)?;
    found.iter().map(|finding| line(app, shell, finding)).collect()
}

fn line(app: &App, shell: &Shell, finding: &Finding) -> Result<FindingLine, Problem> {
    Ok(FindingLine {
        id: b64::url_encode(&finding.id),
        kind: finding.kind.code(),
        about: about(app, shell, finding)?,
        people: finding.people.len() as u64,
        found_at: finding.found_at,
    })
}

/// More about a finding, in the reader's language. A word for which there is no text is for programs, and is left out.
fn about(app: &App, shell: &Shell, finding: &Finding) -> Result<String, Problem> {
    let words = |family: &str, code: &str| {
        let text = shell.word(family, code);
        if text == code { String::new() } else { text }
    };
    Ok(match finding.about() {
        About::Nothing => String::new(),
        About::Word(word) => words("found", word),
        About::Pattern { act, word, who, day } => {
            let said =
                [words("found", word), words("found.act", act), whose(app, shell, who)?, shell.day(&day)];
            said.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" – ")
        }
    })
}

/// The name of an officer, or of an office.
fn whose(app: &App, shell: &Shell, who: &str) -> Result<String, PersonError> {
    if let Some(office) = app.pack.office(who) {
        return Ok(office.name.get(shell.lang.code()).to_owned());
    }
    let keys = app.keys.clone();
    let all = app.store.read::<_, PersonError, _>(app.home(), move |tx| staff::officers(tx, &keys))?;
    let known = all.into_iter().find(|officer| officer.id.to_string() == who);
    Ok(known.map_or_else(|| who.to_owned(), |officer| officer.name))
}

/// `POST /office/findings/open`: everybody whom a finding is about, with a line in the log of each.
pub(crate) fn open(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = index(call.form.need("finding")?)?;
    let by = officer.acting(Action::SettleFinding)?;
    let Opened { finding, people, evidence } = open_one(&desk(app), &call.env, &by, id)?;
    let shell = officer.shell(app, call);
    let is_twice = finding.kind == Kind::SamePersonTwice;
    let may_merge = is_twice && people.len() == 2 && officer.may(Action::ProposeIdentity);
    let evidence = evidence.filter(|_| is_twice);
    let concerned = people.iter().map(|(person, resident)| ConcernedView {
        handle: handle(app, officer, &id, person.bytes(), call.env.now),
        record: record_view(app, shell.lang.code(), &resident.particulars),
        registered_at: resident.registered_at,
        standing: resident.life.standing.code(),
        relations: relations(&shell, resident, &people),
    });
    page(&FindingPage {
        finding: line(app, &shell, &finding)?,
        people: concerned.collect(),
        percent: evidence.as_ref().map(|of| format!("{:.2}", f64::from(of.probability) / 100.0)),
        agrees: evidence.map(|of| of.agrees).unwrap_or_default(),
        suspends: finding.link.is_some(),
        merge: may_merge.then(|| request_of(call)),
        shell,
    })
}

/// What the others of a finding are to her.
fn relations(shell: &Shell, resident: &Resident, people: &[(PersonId, Resident)]) -> Vec<String> {
    let among = |to: PersonId| people.iter().any(|(person, _)| *person == to);
    let of_now = resident.life.relations_now().filter(|relation| among(relation.to));
    of_now.map(|relation| shell.word("relation", relation.kind.code())).collect()
}

/// `POST /office/findings/settle`
pub(crate) fn decide(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = index(call.form.need("finding")?)?;
    let is_error = match call.form.need("is")? {
        "error" => true,
        "none" => false,
        _ => return Err(Problem::malformed("a finding is an error or none")),
    };
    settle(&desk(app), &call.env, &officer.acting(Action::SettleFinding)?, id, is_error, &text(call, "why"))?;
    see_other("/office/links?done=settled")
}

/// `POST /office/findings/merge`: two entries are one person. What another officer decides about is proposed, and the finding is an error
/// that somebody works on.
pub(crate) fn merge(app: &App, call: &Call, officer: &Officer) -> Answer {
    let id = index(call.form.need("finding")?)?;
    let counts = read_handle(app, officer, &id, call.form.need("counts")?, call.env.now)?;
    let counts = PersonId::from_slice(&counts).ok_or_else(Problem::not_found)?;
    let (desk, settling) = (desk(app), officer.acting(Action::SettleFinding)?);
    let finding = audit::find(&desk, &settling, id)?;
    let [one, other] = finding.people[..] else { return Err(Problem::not_found()) };
    if finding.kind != Kind::SamePersonTwice || ![one, other].contains(&counts) {
        return Err(Problem::not_found());
    }
    let new = NewProposal {
        request: request::read(call)?,
        person: if counts == one { other } else { one },
        act: Act::Merge { survivor: counts },
        by: officer.acting(Action::ProposeIdentity)?,
        why: text(call, "why"),
        evidence: text(call, "evidence"),
    };
    propose(&app.store, &app.keys, &app.pack, &call.env, &new)?;
    match settle(&desk, &call.env, &settling, id, true, &new.why) {
        // Sent twice, or settled by somebody else meanwhile: it is proposed all the same.
        Ok(()) | Err(PersonError::Refused(Refusal::NoSuchFinding)) => {}
        Err(error) => return Err(error.into()),
    }
    see_other("/office/links?done=merge")
}

fn text(call: &Call, field: &str) -> String {
    call.form.text(field).trim().chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}
