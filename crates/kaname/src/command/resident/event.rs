//! `kaname resident event` and `kaname resident history`: what happened to residents.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::event::check::check;
use kaname_person::event::{
    EventAsked, EventKind, Filled, NewEvent, asked_of_two, history, record_agreed, record_event, recorded,
};
use kaname_person::four_eyes::{self, ProposalId};
use kaname_person::register::{new_request, person_of_reference};
use kaname_person::show::{Asking, open_resident};
use kaname_person::{Action, Field, PersonError, Refusal, RelationKind};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};
use serde::{Deserialize, Serialize};

use super::super::{On, officer};
use crate::clock;
use crate::deployment::Deployment;
use crate::error::{Failure, PARTLY, REFUSED};
use crate::show;
use crate::work::Jobs;

/// Record what happened to residents
#[derive(Subcommand)]
pub(crate) enum Event {
    /// Record one event
    Add(Box<Add>),
    /// Approve, as a second officer, an event for which the country wants two
    Approve(Approve),
    /// Record the events of a JSON lines file, one object a line; a line that was recorded before is left alone
    Import(ImportEvents),
}

#[derive(Args)]
pub(crate) struct Add {
    /// What happened: move, change-of-name, change-of-status, change-of-contact, marriage, divorce, parenthood, guardianship,
    /// household, relation-ended, emigration, return, death, correction, annulment
    #[arg(long)]
    kind: String,
    /// The resident's reference in the file that she was imported from
    #[arg(long)]
    reference: String,
    /// The name of that file's source, as its mapping has it
    #[arg(long, default_value = "residents")]
    source: String,
    /// The day from which it holds, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    on: String,
    /// A new value, or the right one: city=Harbour. May be given several times
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// The other resident's reference
    #[arg(long, value_name = "REFERENCE")]
    with: Option<String>,
    /// What the other is to her: parent, child, guardian, ward, household-head, household-member
    #[arg(long)]
    relation: Option<String>,
    /// For where she left
    #[arg(long)]
    place: Option<String>,
    /// Which of her events did not happen: its number in her history
    #[arg(long, value_name = "N")]
    annuls: Option<i64>,
    /// Why it is recorded
    #[arg(long)]
    why: String,
    /// What shows it
    #[arg(long)]
    evidence: String,
    /// The registrar who records it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on_deployment: On,
}

#[derive(Args)]
pub(crate) struct Approve {
    /// The proposal, as `event add` shows it
    proposal: String,
    /// The second registrar; not the one who proposed it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct ImportEvents {
    /// The file
    file: PathBuf,
    /// The registrar who records them
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct History {
    /// The resident's reference in the file that she was imported from
    #[arg(long)]
    reference: String,
    /// The name of that file's source, as its mapping has it
    #[arg(long, default_value = "residents")]
    source: String,
    /// The officer who looks; without one it is the program that does
    #[arg(long, value_name = "OFFICER")]
    officer: Option<String>,
    #[command(flatten)]
    on: On,
}

/// A line of a file of events, and what `add` makes of its arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    kind: String,
    reference: String,
    #[serde(default = "residents")]
    source: String,
    on: String,
    #[serde(default)]
    set: BTreeMap<String, String>,
    #[serde(default)]
    with: Option<String>,
    #[serde(default)]
    relation: Option<String>,
    #[serde(default)]
    place: Option<String>,
    #[serde(default)]
    annuls: Option<i64>,
    why: String,
    evidence: String,
}

/// What may be recorded here. An entry begins with an import or at a counter, merges are proposed, and what is of a number has
/// commands of its own.
const KINDS: [EventKind; 15] = [
    EventKind::Move,
    EventKind::ChangeOfName,
    EventKind::ChangeOfStatus,
    EventKind::ChangeOfContact,
    EventKind::Marriage,
    EventKind::Divorce,
    EventKind::Parenthood,
    EventKind::Guardianship,
    EventKind::Household,
    EventKind::RelationEnded,
    EventKind::Emigration,
    EventKind::Return,
    EventKind::Death,
    EventKind::Correction,
    EventKind::Annulment,
];

fn residents() -> String {
    "residents".to_owned()
}

pub(crate) fn run(event: &Event) -> Result<ExitCode, Failure> {
    match event {
        Event::Add(add) => run_add(add),
        Event::Approve(approve) => run_approve(approve),
        Event::Import(import) => run_import(import),
    }
}

#[derive(Serialize)]
struct Added {
    person: String,
    event: i64,
    jobs_done: u64,
    jobs_failed: u64,
}

fn run_add(ask: &Add) -> Result<ExitCode, Failure> {
    let deployment = ask.on_deployment.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::RecordEvent)?;
    let pair = |text: &String| -> Result<(String, String), Failure> {
        let (field, value) = text
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("'{text}' is not of the form FIELD=VALUE")))?;
        Ok((field.to_owned(), value.to_owned()))
    };
    let line = Line {
        kind: ask.kind.clone(),
        reference: ask.reference.clone(),
        source: ask.source.clone(),
        on: ask.on.clone(),
        set: ask.set.iter().map(pair).collect::<Result<_, _>>()?,
        with: ask.with.clone(),
        relation: ask.relation.clone(),
        place: ask.place.clone(),
        annuls: ask.annuls,
        why: ask.why.clone(),
        evidence: ask.evidence.clone(),
    };
    let Recorded { person, n: event, proposed, .. } = record(&deployment, &by, new_request(), &line)?;
    if let Some(id) = proposed {
        deployment.log()?.publish()?;
        if ask.on_deployment.json {
            show::json(&Proposed { proposal: id.to_string() });
        } else {
            let on = ask.on_deployment.again();
            println!("Proposed");
            println!(
                "Next: another one approves it: kaname resident event approve {id} --officer OFFICER{on}"
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    let round = Jobs::of(&deployment).do_all()?;
    deployment.log()?.publish()?;
    if ask.on_deployment.json {
        let (jobs_done, jobs_failed) = (round.done, round.failed);
        show::json(&Added { person: person.to_string(), event, jobs_done, jobs_failed });
    } else {
        println!("Recorded as event {event} of her life");
        let source =
            if ask.source == residents() { String::new() } else { format!(" --source {}", ask.source) };
        println!(
            "Next: see it with: kaname resident history --reference {}{source}{}",
            ask.reference,
            ask.on_deployment.again()
        );
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Proposed {
    proposal: String,
}

#[derive(Serialize)]
struct Agreed {
    event: i64,
}

fn run_approve(ask: &Approve) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let id = ProposalId::parse(&ask.proposal)
        .map_err(|_| Failure::usage(format!("'{}' names no proposal", ask.proposal)))?;
    let by = officer::acting(&deployment, &ask.officer, Action::RecordGuardianship)?;
    let (home, with, env) = (store.buckets().home(), keys.clone(), clock::env());
    let approved = store.write::<_, PersonError, _>(home, move |tx| {
        four_eyes::approve(tx, &with, &env.again(), &by, id, &[Action::RecordGuardianship])
    })?;
    // Stopped here, the second officer approves again, and the event is recorded once.
    let event = record_agreed(store, keys, pack, &clock::env(), &approved)?;
    let with = keys.clone();
    store.write::<_, PersonError, _>(home, move |tx| four_eyes::close(tx, &with, &approved))?;
    Jobs::of(&deployment).do_all()?;
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&Agreed { event });
    } else {
        println!("Recorded as event {event} of her life");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Imported {
    recorded: u64,
    proposed: u64,
    already_here: u64,
    refused: Vec<RefusedLine>,
    jobs_done: u64,
    jobs_failed: u64,
}

#[derive(Serialize)]
struct RefusedLine {
    line: usize,
    reason: String,
}

fn run_import(ask: &ImportEvents) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::RecordEvent)?;
    let text = std::fs::read_to_string(&ask.file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", ask.file.display())))?;
    let mut imported = Imported {
        recorded: 0,
        proposed: 0,
        already_here: 0,
        refused: Vec::new(),
        jobs_done: 0,
        jobs_failed: 0,
    };
    for (at, row) in text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty()) {
        // The same line is the same request, wherever it stands: a file that is sent twice records once.
        let request = deployment.keys.blind_index("resident.event-line", row.trim().as_bytes());
        let line = serde_json::from_str::<Line>(row).map_err(|error| {
            Failure::refused(format!("it is not an event: {}", error.classify_without_values()))
        });
        match line.and_then(|line| record(&deployment, &by, request, &line)) {
            Ok(Recorded { proposed: Some(_), .. }) => imported.proposed += 1,
            Ok(Recorded { is_new: true, .. }) => imported.recorded += 1,
            Ok(_) => imported.already_here += 1,
            Err(failure) if failure.code() == crate::error::UNAVAILABLE => return Err(failure),
            Err(failure) => {
                imported.refused.push(RefusedLine { line: at + 1, reason: failure.to_string() });
            }
        }
    }
    let round = Jobs::of(&deployment).do_all()?;
    (imported.jobs_done, imported.jobs_failed) = (round.done, round.failed);
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&imported);
    } else {
        println!(
            "Recorded {} event(s), proposed {} to a second officer; {} were there already; {} line(s) refused",
            imported.recorded,
            imported.proposed,
            imported.already_here,
            imported.refused.len()
        );
        for RefusedLine { line, reason } in &imported.refused {
            println!("  line {line}: {reason}");
        }
    }
    Ok(ExitCode::from(if imported.refused.is_empty() { 0 } else { PARTLY }))
}

/// What is wrong with a line, without what stands in it.
trait WithoutValues {
    fn classify_without_values(&self) -> String;
}

impl WithoutValues for serde_json::Error {
    fn classify_without_values(&self) -> String {
        format!("{:?} error at column {}", self.classify(), self.column()).to_lowercase()
    }
}

/// Where an event stands.
struct Recorded {
    person: PersonId,
    n: i64,
    /// Whether it was not there before.
    is_new: bool,
    /// What waits for a second officer, where the country wants one; then nothing is recorded yet.
    proposed: Option<ProposalId>,
}

fn record(deployment: &Deployment, by: &Actor, request: [u8; 16], line: &Line) -> Result<Recorded, Failure> {
    let Deployment { store, keys, pack, .. } = deployment;
    let kind = EventKind::of_code(&line.kind)
        .ok_or_else(|| Failure::unknown("event of the kind", &line.kind, KINDS.map(EventKind::code)))?;
    let on = line.on.parse().map_err(|_| Failure::usage("a day is written 2026-11-22"))?;
    let relation = line.relation.as_ref().map(|code| {
        RelationKind::of_code(code)
            .ok_or_else(|| Failure::unknown("relation", code, RelationKind::ALL.map(RelationKind::code)))
    });
    let mut filled = Filled {
        other: line
            .with
            .as_ref()
            .map(|other| person_of_reference(keys, store.buckets(), &line.source, other)),
        relation: relation.transpose()?,
        place: line.place.as_deref().unwrap_or_default(),
        annuls: line.annuls,
        ..Filled::default()
    };
    for (name, value) in &line.set {
        let field = Field::of_name(name)
            .ok_or_else(|| Failure::unknown("field", name, Field::ALL.map(Field::name)))?;
        filled.set.push((field, value));
        filled.entry.set(field, value);
    }
    let person = person_of_reference(keys, store.buckets(), &line.source, &line.reference);
    // Read again, a line is not judged again: by now she may have another status, or have died.
    if let Some(n) = recorded(store, by, person, &request)? {
        return Ok(Recorded { person, n, is_new: false, proposed: None });
    }
    let purpose = if kind == EventKind::Correction { "correction" } else { "registration" };
    let now = open(deployment, Asking { person, actor: by.clone(), purpose: purpose.to_owned() })?;
    let env = clock::env();
    let today = env.now.date_in(&pack.time_zone);
    let change = filled.change(kind, &now.particulars, pack, today)?;
    let (why, evidence) = (line.why.clone(), line.evidence.clone());
    let event = NewEvent { request, person, change, on, by: by.clone(), why, evidence };
    match record_event(store, keys, pack, &env, &event) {
        Ok(n) => Ok(Recorded { person, n, is_new: true, proposed: None }),
        Err(PersonError::Refused(Refusal::TwoOfficers)) => {
            let id = propose(deployment, &event)?;
            Ok(Recorded { person, n: 0, is_new: false, proposed: Some(id) })
        }
        Err(error) => Err(error.into()),
    }
}

/// Proposes an event to a second officer, once.
fn propose(deployment: &Deployment, event: &NewEvent) -> Result<ProposalId, PersonError> {
    let action = asked_of_two(&event.change).unwrap_or(Action::RecordEvent);
    let (keys, env, by, asked) =
        (deployment.keys.clone(), clock::env(), event.by.clone(), EventAsked::of(event));
    deployment.store.write(deployment.store.buckets().home(), move |tx| {
        match four_eyes::mine(tx, &keys, env.now, &by, action, &asked)? {
            Some((id, _)) => Ok(id),
            None => four_eyes::propose(tx, &keys, &env.again(), &by, action, &asked),
        }
    })
}

fn open(deployment: &Deployment, ask: Asking) -> Result<kaname_person::Resident, PersonError> {
    let (keys, pack, env) = (deployment.keys.clone(), deployment.pack.clone(), clock::env());
    deployment.store.write(bucket_of(ask.person, deployment.store.buckets()), move |tx| {
        let fields = ["name", "birth_date", "status", "address", "phone", "email"];
        open_resident(tx, &keys, &pack, &env.again(), &ask, &fields)
    })
}

#[derive(Serialize)]
struct HistoryRow {
    n: i64,
    kind: &'static str,
    on: String,
    recorded_at: String,
    by: String,
    role: String,
    mandate: Option<String>,
    why: String,
    evidence: String,
    with: Option<String>,
    other_side: bool,
    annulled_by: Option<i64>,
    pack: String,
}

pub(crate) fn run_history(ask: &History) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let person = person_of_reference(keys, store.buckets(), &ask.source, &ask.reference);
    let actor = match &ask.officer {
        Some(id) => officer::acting(&deployment, id, Action::OpenResident)?,
        None => Actor::program("command-line", "program"),
    };
    let asking = Asking { person, actor, purpose: "registration".to_owned() };
    let (with, country, env) = (keys.clone(), pack.clone(), clock::env());
    let lines = store.write(bucket_of(person, store.buckets()), move |tx| {
        history(tx, &with, &country, &env.again(), &asking)
    })?;
    deployment.log()?.publish()?;
    let rows: Vec<HistoryRow> = lines
        .into_iter()
        .map(|line| HistoryRow {
            n: line.n,
            kind: line.event.kind().code(),
            on: line.event.day().to_string(),
            recorded_at: line.event.at.to_string(),
            by: line.event.by.id.clone(),
            role: line.event.by.role.clone(),
            mandate: line.event.by.mandate.as_ref().map(|mandate| mandate.id.clone()),
            why: line.event.why.clone(),
            evidence: line.event.evidence.clone(),
            with: line.event.change.other().map(|other| other.to_string()),
            other_side: line.event.other_side,
            annulled_by: line.annulled_by,
            pack: format!("{} {}", line.event.pack.id, line.event.pack.version),
        })
        .collect();
    if ask.on.json {
        show::json(&rows);
    } else {
        for row in &rows {
            let struck = row.annulled_by.map_or(String::new(), |by| format!(" (annulled by {by})"));
            println!(
                "{:>4}  {}  {:18} {} [{}; {}]{struck}",
                row.n, row.on, row.kind, row.why, row.evidence, row.by
            );
        }
        println!("This reading is in the resident's access log.");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Checked {
    sound: bool,
    folded: u64,
    relations: u64,
    differ: Vec<String>,
    impossible: Vec<String>,
    half_relations: Vec<[String; 3]>,
    half_merged: Vec<String>,
    impossible_relations: Vec<(String, &'static str, Option<String>)>,
}

/// Folds every changed record anew and looks for relations that one side alone has.
pub(crate) fn run_check(on: &On) -> Result<ExitCode, Failure> {
    let deployment = on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let found = check(store, keys, pack, &clock::env(), &Actor::program("command-line", "program"))?;
    deployment.log()?.publish()?;
    let shown = |people: &[PersonId]| people.iter().map(PersonId::to_string).collect::<Vec<_>>();
    let half =
        found.half.iter().map(|(who, kind, to)| [who.to_string(), kind.code().to_owned(), to.to_string()]);
    let checked = Checked {
        sound: found.is_sound(),
        folded: found.folded,
        relations: found.relations,
        differ: shown(&found.differ),
        impossible: shown(&found.impossible),
        half_relations: half.collect(),
        half_merged: shown(&found.half_merged),
        impossible_relations: found
            .impossible_relations
            .iter()
            .map(|(who, word, other)| (who.to_string(), *word, other.map(|other| other.to_string())))
            .collect(),
    };
    if on.json {
        show::json(&checked);
    } else {
        let (folded, relations) = (show::grouped(found.folded), show::grouped(found.relations));
        println!("Folded {folded} record(s) anew and looked at both sides of {relations} relation(s)");
        let findings = [
            ("not what the events say", &checked.differ),
            ("its events cannot have happened", &checked.impossible),
            ("a second entry of which the other does not know", &checked.half_merged),
        ];
        for (what, people) in findings {
            people.iter().for_each(|person| println!("WRONG {person}: {what}"));
        }
        for [person, kind, other] in &checked.half_relations {
            println!("WRONG {person}: {other} is her {kind}, and does not know of it");
        }
        for (person, word, other) in &checked.impossible_relations {
            let with = other.as_ref().map_or(String::new(), |other| format!(" with {other}"));
            println!("WRONG {person}: {}{with}", relation_words(word));
        }
    }
    Ok(ExitCode::from(if checked.sound { 0 } else { REFUSED }))
}

/// What cannot be about a relation, in words.
fn relation_words(word: &str) -> &str {
    match word {
        "related-to-herself" => "she is related to herself",
        "too-many-spouses" => "she was married to more people at once than the law allows",
        "married-to-kin" => "her spouse is her parent or child too",
        "parent-younger" => "the parent is younger than the child",
        "married-as-child" => "one of the two was a child when they married",
        "guardian-a-child" => "the guardian was a child",
        "other-dead" => "the relation should have ended when the other died",
        other => other,
    }
}
