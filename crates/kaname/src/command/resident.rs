//! `kaname resident`: residents into the register, and one of them out of it.

mod event;
mod export;
mod identity;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_lc_rs::digest::{SHA256, digest};
use clap::{Args, Subcommand};
use kaname_base::{Instant, hex};
use kaname_person::event::as_of;
use kaname_person::event::rules::Until;
use kaname_person::four_eyes::{self, ProposalId};
use kaname_person::import::{BATCH, Import, Mapping, Progress, Report, import};
use kaname_person::number::{ReplaceAsked, ReplaceNumber, replace_number};
use kaname_person::register::{new_request, person_of_reference};
use kaname_person::show::{Asking, reveal_number};
use kaname_person::{Action, Numbers, PersonError, Refusal};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, PersonId};
use kaname_web::ImportNote;
use serde::Serialize;

use super::who::Who;
use super::{On, officer};
use crate::clock::{self, Stopwatch};
use crate::deployment::Deployment;
use crate::error::{Failure, PARTLY};
use crate::show;

/// Bring residents in, or show one
#[derive(Subcommand)]
pub(crate) enum Resident {
    /// Import a CSV or JSON lines file; what is in the register already is left alone
    Import(ImportFile),
    /// Give a resident another number after the old one leaked; the old one then leads nobody but the authority to her
    ReplaceNumber(ReplaceNumberOf),
    /// Approve, as the second registrar, that a resident is given another number
    ApproveNumber(ApproveNumber),
    /// Show one resident, today or on a day of the past; the reading is logged, and she can see it
    Show(Show),
    /// Record what happened to residents
    #[command(subcommand)]
    Event(event::Event),
    #[command(flatten)]
    Identity(identity::Identity),
    /// Take out everything that is held on one resident, for her, as JSON; her log says who did
    Export(export::Export),
    /// List what happened to one resident; the reading is logged
    History(event::History),
    /// Check that records are what the events say, and that every relation has two sides
    Check(On),
}

#[derive(Args)]
pub(crate) struct ImportFile {
    /// The file
    file: PathBuf,
    /// Which column is which (TOML); without it the columns have our own names
    #[arg(long, value_name = "MAP.toml")]
    map: Option<PathBuf>,
    /// Where the rows go that cannot be taken [default: in the deployment's folder `imports`, where the office sees them]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// How many rows go through together: fewer use less memory and more time
    #[arg(long, default_value_t = BATCH, value_name = "N")]
    batch: usize,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    who: Who,
    /// Show her number too, to a registrar; logged as a reading of its own
    #[arg(long, requires = "officer")]
    number: bool,
    /// As of this day of the past, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// As it was known at this time, such as 2026-11-22T12:00:00Z; what was recorded later is left out
    #[arg(long, value_name = "TIME")]
    known_at: Option<String>,
    /// The officer who looks; without one it is the program that does, and it may not see numbers
    #[arg(long, value_name = "OFFICER")]
    officer: Option<String>,
    #[command(flatten)]
    on: On,
}

pub(crate) fn run(resident: &Resident) -> Result<ExitCode, Failure> {
    match resident {
        Resident::Import(import) => run_import(import),
        Resident::ReplaceNumber(replace) => run_replace_number(replace),
        Resident::ApproveNumber(approve) => run_approve_number(approve),
        Resident::Show(show) => run_show(show),
        Resident::Event(event) => event::run(event),
        Resident::Identity(identity) => identity::run(identity),
        Resident::Export(export) => export::run(export),
        Resident::History(history) => event::run_history(history),
        Resident::Check(on) => event::run_check(on),
    }
}

#[derive(Args)]
pub(crate) struct ReplaceNumberOf {
    /// The resident's reference in the file that she was imported from
    #[arg(long)]
    reference: String,
    /// The name of that file's source, as its mapping has it
    #[arg(long, default_value = "residents")]
    source: String,
    /// The registrar who does it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// Why
    #[arg(long)]
    why: String,
    /// What shows it, such as the number of a police report
    #[arg(long)]
    evidence: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct ApproveNumber {
    /// The proposal
    proposal: String,
    /// The second registrar; not the one who proposed it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

#[derive(Serialize)]
struct ImportAnswer<'a> {
    registered: u64,
    already_here: u64,
    rejected: u64,
    nothing_new: bool,
    rejects_file: &'a Path,
    seconds: f64,
}

fn run_import(ask: &ImportFile) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let watch = Stopwatch::start();
    let note = note(&ask.file);
    let rejects = match &ask.rejects {
        Some(file) => file.clone(),
        None => ImportNote::rejects(&deployment.imports_folder(), &note.id),
    };
    let mapping = match &ask.map {
        Some(path) => read_mapping(path)?,
        None => Mapping::own(),
    };
    let report =
        import_with_progress(&deployment, &ask.file, &rejects, &mapping, &note, ask.batch, ask.on.json)?;
    deployment.log()?.publish()?;
    let done = report.progress;
    let answer = ImportAnswer {
        registered: done.registered,
        already_here: done.already_here,
        rejected: done.rejected,
        nothing_new: report.nothing_new,
        rejects_file: &rejects,
        seconds: watch.seconds(),
    };
    if ask.on.json {
        show::json(&answer);
    } else if report.nothing_new {
        println!("This file was imported before; nothing has changed");
    } else {
        let (registered, here) = (show::grouped(done.registered), show::grouped(done.already_here));
        println!(
            "Registered {registered} resident(s); {here} were there already; {} row(s) rejected",
            done.rejected
        );
        if done.rejected > 0 {
            println!(
                "Next: see {} for line, column and reason, mend those rows and import them again",
                rejects.display()
            );
        }
    }
    Ok(ExitCode::from(if done.rejected > 0 { PARTLY } else { 0 }))
}

/// What the office is told of an import of this file: the same file has the same note.
pub(crate) fn note(file: &Path) -> ImportNote {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    // As long as an id may be, with its mark.
    let plain: String = name.to_lowercase().chars().map(plain).take(48).collect();
    let folder = file.parent().and_then(|folder| folder.canonicalize().ok()).unwrap_or_default();
    let place = digest(&SHA256, folder.join(&name).as_os_str().as_encoded_bytes());
    let mark = hex::encode(&place.as_ref()[..4]);
    ImportNote {
        id: format!("{}-{mark}", plain.trim_matches('-')),
        file: name,
        at_micros: clock::now().micros(),
        by: "command line".to_owned(),
        state: "running".to_owned(),
        added: 0,
        unchanged: 0,
        rejected: 0,
    }
}

/// Imports a file, shows a progress bar, and keeps the note for the office.
pub(crate) fn import_with_progress(
    deployment: &Deployment,
    file: &Path,
    rejects: &Path,
    mapping: &Mapping,
    note: &ImportNote,
    batch: usize,
    quiet: bool,
) -> Result<Report, Failure> {
    let imports = deployment.imports_folder();
    let write = |note: &ImportNote| {
        note.write(&imports)
            .map_err(|error| Failure::unavailable(format!("cannot write in {}: {error}", imports.display())))
    };
    write(note)?;
    let Deployment { store, keys, pack, .. } = deployment;
    let size = std::fs::metadata(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?
        .len();
    let bar = show::progress("importing residents", size, quiet);
    let ask =
        Import { file, rejects, mapping, by: Actor::program("import", "registrar"), why: "import", batch };
    let numbers = Numbers::new(keys, pack);
    let mut moved = |progress: &Progress| {
        bar.set_position(progress.bytes_done);
        bar.set_message(format!(
            "importing residents: {}",
            show::grouped(progress.registered + progress.already_here)
        ));
    };
    let report = import(store, keys, pack, &numbers, &clock::env(), &ask, &mut moved)?;
    bar.finish_and_clear();
    let Progress { registered, already_here, rejected, .. } = report.progress;
    let state = "finished".to_owned();
    write(&ImportNote { state, added: registered, unchanged: already_here, rejected, ..note.clone() })?;
    Ok(report)
}

#[derive(Serialize)]
struct Shown {
    person: String,
    name: String,
    reading: Option<String>,
    latin: Option<String>,
    born: String,
    sex: String,
    status: String,
    standing: &'static str,
    birth_place: Option<String>,
    stay_until: Option<String>,
    former_names: Vec<String>,
    former_addresses: Vec<String>,
    relations: Vec<Related>,
    address: String,
    phone: Option<String>,
    email: Option<String>,
    number: Option<String>,
}

#[derive(Serialize)]
struct Related {
    /// What the other is to her.
    relation: &'static str,
    person: String,
    from: String,
    until: Option<String>,
}

impl Related {
    fn of(relation: &kaname_person::Relation) -> Related {
        Related {
            relation: relation.kind.code(),
            person: relation.to.to_string(),
            from: relation.from.to_string(),
            until: relation.until.map(|day| day.to_string()),
        }
    }
}

fn until(ask: &Show) -> Result<Until, Failure> {
    let day = ask.as_of.as_ref().map(|text| text.parse()).transpose();
    let known = ask.known_at.as_ref().map(|text| Instant::parse(text)).transpose();
    Ok(Until {
        day: day.map_err(|_| Failure::usage("a day is written 2026-11-22"))?,
        known: known.map_err(|_| Failure::usage("a time is written 2026-11-22T12:00:00Z"))?,
    })
}

fn run_show(ask: &Show) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let until = until(ask)?;
    let action = if ask.number { Action::RevealNumber } else { Action::OpenResident };
    let actor = match &ask.officer {
        Some(id) => officer::acting(&deployment, id, action)?,
        None => Actor::program("command-line", "program"),
    };
    let person = ask.who.find(&deployment, &actor)?;
    let asking = Asking { person, actor, purpose: "registration".to_owned() };
    let env = clock::env();
    let (with, country, wants_number) = (keys.clone(), pack.clone(), ask.number);
    let shown = store.write(bucket_of(person, store.buckets()), move |tx| {
        let env = env.again();
        let fields = ["name", "birth_date", "sex", "status", "address", "phone", "email"];
        let resident = as_of(tx, &with, &country, &env, &asking, until, &fields)?.resident;
        let number = match wants_number {
            true => Some(reveal_number(tx, &with, &country, &env, &asking)?),
            false => None,
        };
        Ok::<_, PersonError>((resident, number))
    });
    let (resident, number) = shown.map_err(|error| match error {
        PersonError::Refused(Refusal::NoSuchResident) => Failure::refused(
            "there is no resident with this reference, or nothing is known of her on that day",
        )
        .mend("check the reference and, if the file had a mapping, name its source with --source"),
        error => error.into(),
    })?;
    let rules = &pack.person;
    let full = |name: &kaname_person::Name| rules.full_name(&name.family, &name.given);
    let who = &resident.particulars;
    let shown = Shown {
        person: person.to_string(),
        name: full(&who.name),
        reading: who.reading.as_ref().map(full),
        latin: who.latin.as_ref().map(full),
        born: who.born.to_string(),
        sex: who.sex.clone(),
        status: who.status.clone(),
        standing: resident.life.standing.code(),
        birth_place: Some(who.birth_place.clone()).filter(|place| !place.is_empty()),
        stay_until: who.stay.and_then(|stay| stay.until).map(|day| day.to_string()),
        former_names: resident.life.former_names.iter().map(|former| full(&former.names.name)).collect(),
        former_addresses: resident
            .life
            .former_addresses
            .iter()
            .map(|former| former.address.lines(&deployment.pack).join(" "))
            .collect(),
        relations: resident.life.relations.iter().map(Related::of).collect(),
        address: who.address.lines(&deployment.pack).join(" "),
        phone: who.phone.clone(),
        email: who.email.clone(),
        number: number.map(|number| pack.number.show(&number)),
    };
    deployment.log()?.publish()?;
    if ask.on.json {
        show::json(&shown);
    } else {
        let lines = [
            ("name", Some(shown.name)),
            ("reading", shown.reading),
            ("Latin form", shown.latin),
            ("born", Some(shown.born)),
            ("sex", Some(shown.sex)),
            ("status", Some(shown.status)),
            ("standing", Some(shown.standing.to_owned())),
            ("born in", shown.birth_place),
            ("may stay to", shown.stay_until),
            ("address", Some(shown.address)),
            ("phone", shown.phone),
            ("e-mail", shown.email),
            ("number", shown.number),
        ];
        for (label, value) in lines {
            if let Some(value) = value {
                println!("{label:>12}  {value}");
            }
        }
        shown.former_names.iter().for_each(|name| println!("{:>12}  {name}", "was called"));
        shown.former_addresses.iter().for_each(|address| println!("{:>12}  {address}", "lived at"));
        for Related { relation, person, from, until } in &shown.relations {
            let until = until.as_deref().unwrap_or("today");
            println!("{relation:>12}  {person} from {from} to {until}");
        }
        println!("This reading is in the resident's access log.");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Replaced {
    person: String,
    replaced: bool,
}

fn run_replace_number(ask: &ReplaceNumberOf) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let by = officer::acting(&deployment, &ask.officer, Action::ReplaceNumber)?;
    let person = person_of_reference(keys, store.buckets(), &ask.source, &ask.reference);
    let (why, evidence) = (ask.why.clone(), ask.evidence.clone());
    let replace = ReplaceNumber { request: new_request(), person, by, why, evidence };
    match replace_number(store, keys, pack, &Numbers::new(keys, pack), &clock::env(), None, &replace) {
        Ok(()) => Ok(tell_replaced(person, ask.on.json)),
        Err(PersonError::Refused(Refusal::TwoOfficers)) => {
            let (keys, env, asked) = (keys.clone(), clock::env(), ReplaceAsked::of(&replace));
            let id = store.write::<_, PersonError, _>(store.buckets().home(), move |tx| {
                four_eyes::propose(tx, &keys, &env.again(), &replace.by, Action::ReplaceNumber, &asked)
            })?;
            if ask.on.json {
                show::json(&serde_json::json!({ "proposal": id.to_string(), "replaced": false }));
            } else {
                println!("Two officers do this together. Proposed as {id}");
                let on = ask.on.again();
                println!(
                    "Next: another one approves it: kaname resident approve-number {id} --officer OFFICER{on}"
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(error.into()),
    }
}

fn run_approve_number(ask: &ApproveNumber) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let by = officer::acting(&deployment, &ask.officer, Action::ReplaceNumber)?;
    let id = ProposalId::parse(&ask.proposal)
        .map_err(|error| Failure::usage(format!("'{}' is no proposal: {error}", ask.proposal)))?;
    let (with, env, home) = (keys.clone(), clock::env(), store.buckets().home());
    let approved = store.write::<_, PersonError, _>(home, move |tx| {
        four_eyes::approve(tx, &with, &env.again(), &by, id, &[Action::ReplaceNumber])
    })?;
    let replace = approved.proposal().content::<ReplaceAsked>()?.by(approved.first().clone());
    let numbers = Numbers::new(keys, pack);
    replace_number(store, keys, pack, &numbers, &clock::env(), Some(&approved), &replace)?;
    let with = keys.clone();
    store.write::<_, PersonError, _>(home, move |tx| four_eyes::close(tx, &with, &approved))?;
    Ok(tell_replaced(replace.person, ask.on.json))
}

fn tell_replaced(person: PersonId, json: bool) -> ExitCode {
    if json {
        show::json(&Replaced { person: person.to_string(), replaced: true });
    } else {
        println!("She has another number; the old one is good for nothing any more");
        println!("Next: tell her by letter; she sees the new number on her page 'my number'");
    }
    ExitCode::SUCCESS
}

fn read_mapping(path: &Path) -> Result<Mapping, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    Mapping::parse(&text).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

impl From<PersonError> for Failure {
    fn from(error: PersonError) -> Failure {
        match error {
            PersonError::Refused(Refusal::ImportRuns) => {
                Failure::refused(error).mend("wait until the other import of this file has ended")
            }
            PersonError::Refused(refusal) => Failure::refused(refusal),
            PersonError::Trust(error) => error.into(),
            PersonError::Store(error) => error.into(),
        }
    }
}
