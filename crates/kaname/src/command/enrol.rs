//! `kaname enrol`: people enrolled where there is no network, and merged later.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use kaname_person::enrol::KitId;
use kaname_person::enrol::kit::{Kit, kits, make_kit, revoke_kit};
use kaname_person::enrol::merge::{Decided, Merged, lost, merge};
use kaname_person::enrol::packet::{Entered, make_packet};
use kaname_person::{Action, Field, Numbers, OfficerId, PersonError, Refusal};
use serde::Serialize;

use super::{On, officer};
use crate::deployment::{Deployment, read_pack_files};
use crate::error::{Failure, PARTLY};
use crate::{clock, paper, show};

/// Enrol people where there is no network
#[derive(Subcommand)]
pub(crate) enum Enrol {
    /// Make a kit for an officer: she takes the file along, and guards it like her own signature
    Kit(NewKit),
    /// On the laptop: enter people, and write packets for them; needs neither network nor deployment
    Add(Add),
    /// Take packets into the register, in any order; what was merged before is left alone
    Merge(Merge),
    /// Revoke a kit that was lost: none of its packets is taken any more
    Revoke(Revoke),
    /// Show the kits, and which of their packets are missing
    List(List),
}

#[derive(Args)]
pub(crate) struct NewKit {
    /// The registrar who will enrol people with it
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// The administrator who makes it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    /// For how many days, from today
    #[arg(long, default_value_t = 14)]
    days: u16,
    /// Where the kit is written, for its owner only
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Add {
    /// The kit
    #[arg(long, value_name = "FILE")]
    kit: PathBuf,
    /// A field and what is written in it, by the names of the import file's columns: --set family_name=Smith
    #[arg(
        long = "set",
        value_name = "FIELD=TEXT",
        required_unless_present = "from",
        conflicts_with = "from"
    )]
    fields: Vec<String>,
    /// A CSV file with those columns instead; a column `evidence` goes before --evidence
    #[arg(long, value_name = "FILE.csv")]
    from: Option<PathBuf>,
    /// What was shown
    #[arg(long, default_value = "")]
    evidence: String,
    /// The number of a resident who vouches for somebody without papers, or a column `introducer`; --evidence says from where they
    /// know each other
    #[arg(long, value_name = "NUMBER", conflicts_with = "from")]
    introducer: Option<String>,
    /// Where the packets are added, a line each
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Merge {
    /// Files of packets
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The registrar who merges them
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    /// A packet that waits because somebody in the register looks like its person, and its person is another: an officer has looked
    #[arg(long, value_name = "KIT/NUMBER", requires = "because")]
    new: Vec<String>,
    /// Why she is another
    #[arg(long, value_name = "TEXT", requires = "new", default_value = "")]
    because: String,
    /// Where the packets go that cannot be taken: file, line, kit, number, reason; no person
    #[arg(long, value_name = "FILE.csv", default_value = "enrol-rejects.csv")]
    rejects: PathBuf,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// The kit, such as kit_018f…
    kit: String,
    /// The administrator who does it
    #[arg(long, value_name = "OFFICER")]
    by: String,
    #[command(flatten)]
    on: On,
}

#[derive(Args)]
pub(crate) struct List {
    /// The administrator or registrar who looks
    #[arg(long, value_name = "OFFICER")]
    officer: String,
    #[command(flatten)]
    on: On,
}

pub(crate) fn run(enrol: &Enrol) -> Result<ExitCode, Failure> {
    match enrol {
        Enrol::Kit(ask) => run_kit(ask),
        Enrol::Add(ask) => run_add(ask),
        Enrol::Merge(ask) => run_merge(ask),
        Enrol::Revoke(ask) => run_revoke(ask),
        Enrol::List(ask) => run_list(ask),
    }
}

fn run_kit(ask: &NewKit) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.by, Action::ManageKits)?;
    let clerk = OfficerId::parse(&ask.officer)
        .map_err(|error| Failure::usage(format!("'{}' names no officer: {error}", ask.officer)))?;
    if ask.out.exists() {
        return Err(Failure::usage(format!("{} is there already", ask.out.display())));
    }
    let files = read_pack_files(&deployment.folder.join("pack"))?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let (with, country, env, days) = (keys.clone(), pack.clone(), clock::env(), ask.days);
    let text = store.write::<_, PersonError, _>(store.buckets().home(), move |tx| {
        let kit = make_kit(tx, &with, &country, &files, &env.again(), &by, clerk, days)?;
        Ok(kit.text())
    });
    let text = text.map_err(|error| match error {
        PersonError::Refused(Refusal::UnknownRole) => {
            Failure::refused(format!("{clerk} is no registrar, and a kit enrols in a registrar's name"))
                .mend("name an officer who has the role registrar: kaname officer list")
        }
        other => other.into(),
    })?;
    paper::write_owner_only(&ask.out, text.as_bytes())?;
    let kit = Kit::open(&text).map_err(Failure::refused)?;
    if ask.on.json {
        show::json(&serde_json::json!({ "kit": kit.id.to_string(), "file": ask.out }));
    } else {
        println!("{} is written to {}", kit.id, ask.out.display());
        println!(
            "Next: on the laptop, kaname enrol add --kit {} --from PEOPLE.csv --out packets",
            ask.out.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn run_add(ask: &Add) -> Result<ExitCode, Failure> {
    let text = std::fs::read_to_string(&ask.kit)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", ask.kit.display())))?;
    let kit = Kit::open(&text).map_err(Failure::usage)?;
    let people = match &ask.from {
        Some(file) => rows(file, &ask.evidence)?,
        None => vec![Entered {
            fields: fields(&ask.fields)?,
            evidence: ask.evidence.clone(),
            introducer: ask.introducer.clone().unwrap_or_default(),
        }],
    };
    let now = clock::now();
    // All are checked before any takes a number of the kit's count.
    for (at, entered) in people.iter().enumerate() {
        make_packet(&kit, 1, now, entered)
            .map_err(|refusal| Failure::refused(format!("person {}: {refusal}", at + 1)))?;
    }
    let first = count_on(&ask.kit, people.len())?;
    let mut out = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&ask.out)
        .map_err(|error| Failure::unavailable(format!("cannot write {}: {error}", ask.out.display())))?;
    for (n, entered) in (first..).zip(&people) {
        let packet = make_packet(&kit, n, now, entered).map_err(Failure::refused)?;
        writeln!(out, "{packet}").map_err(Failure::unavailable)?;
    }
    out.sync_all().map_err(Failure::unavailable)?;
    let last = first + people.len() as i64 - 1;
    if ask.json {
        show::json(&serde_json::json!({ "packets": people.len(), "first": first, "last": last }));
    } else {
        println!("{} packet(s) written to {}: numbers {first} to {last}", people.len(), ask.out.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes the next places of the kit's count, and keeps that before any packet has one: a laptop that is switched off in between
/// leaves a gap, and never two packets with one number. The lock is for two windows of one laptop.
fn count_on(kit: &Path, count: usize) -> Result<i64, Failure> {
    let path = kit.with_extension("count");
    let failed =
        |error: std::io::Error| Failure::unavailable(format!("cannot use {}: {error}", path.display()));
    let mut file: File =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    // The last whole line counts: one that was cut short was never used.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let last = whole.lines().last().unwrap_or("0");
    let last: i64 = last.parse().map_err(|_| {
        Failure::usage(format!("{} is not a kit's count", path.display()))
            .mend("ask for another kit; packets with a number that was used before are refused")
    })?;
    file.seek(std::io::SeekFrom::Start(whole.len() as u64 + u64::from(!whole.is_empty()))).map_err(failed)?;
    let next = last + count as i64;
    writeln!(file, "{next}").map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(last + 1)
}

fn fields(set: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    set.iter()
        .map(|one| {
            let (name, text) = one
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("'{one}' is not of the form FIELD=TEXT")))?;
            known_field(name)?;
            Ok((name.to_owned(), text.to_owned()))
        })
        .collect()
}

fn known_field(name: &str) -> Result<Field, Failure> {
    Field::of_name(name).ok_or_else(|| Failure::unknown("field", name, Field::ALL.map(Field::name)))
}

fn rows(file: &Path, evidence: &str) -> Result<Vec<Entered>, Failure> {
    let failed = |error: csv::Error| Failure::usage(format!("cannot read {}: {error}", file.display()));
    let mut reader = csv::Reader::from_path(file).map_err(failed)?;
    let header = reader.headers().map_err(failed)?.clone();
    for name in header.iter().filter(|name| !matches!(*name, "evidence" | "introducer")) {
        known_field(name)?;
    }
    let mut people = Vec::new();
    for row in reader.records() {
        let row = row.map_err(failed)?;
        let mut entered =
            Entered { fields: BTreeMap::new(), evidence: evidence.to_owned(), introducer: String::new() };
        for (name, text) in header.iter().zip(&row) {
            match name {
                "evidence" if !text.is_empty() => entered.evidence = text.to_owned(),
                "evidence" => {}
                "introducer" => entered.introducer = text.to_owned(),
                name => drop(entered.fields.insert(name.to_owned(), text.to_owned())),
            }
        }
        people.push(entered);
    }
    Ok(people)
}

/// A packet by its kit and number, `kit_018f…/3`.
fn place_of(text: &str) -> Result<(KitId, i64), Failure> {
    let parts = text.split_once('/').and_then(|(kit, n)| Some((KitId::parse(kit).ok()?, n.parse().ok()?)));
    parts.ok_or_else(|| Failure::usage(format!("'{text}' names no packet: kit_018f…/3 is one")))
}

#[derive(Serialize)]
struct MergeAnswer<'a> {
    registered: u64,
    already_here: u64,
    waiting: u64,
    refused: u64,
    missing: BTreeMap<String, Vec<i64>>,
    rejects_file: &'a Path,
}

fn run_merge(ask: &Merge) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::MergePackets)?;
    let Deployment { store, keys, pack, .. } = &deployment;
    let numbers = Numbers::new(keys, pack);
    let decided = Decided {
        new: ask.new.iter().map(|text| place_of(text)).collect::<Result<_, _>>()?,
        because: ask.because.clone(),
    };
    let unwritable =
        |error: csv::Error| Failure::unavailable(format!("cannot write {}: {error}", ask.rejects.display()));
    let mut rejects = csv::Writer::from_path(&ask.rejects).map_err(unwritable)?;
    rejects.write_record(["file", "line", "kit", "number", "code", "reason"]).map_err(unwritable)?;
    let (mut registered, mut already_here, mut waiting, mut refused) = (0, 0, 0, 0);
    let mut kits = BTreeSet::new();
    for file in &ask.files {
        let text = std::fs::read(file)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
        for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let packet = String::from_utf8_lossy(line);
            if packet.trim().is_empty() {
                continue;
            }
            let outcome = merge(store, keys, pack, &numbers, &clock::env(), &by, &packet, &decided)?;
            kits.extend(outcome.n.and(outcome.kit));
            let refusal = match outcome.merged {
                Merged::Registered => {
                    registered += 1;
                    None
                }
                Merged::AlreadyHere => {
                    already_here += 1;
                    None
                }
                Merged::Waits => {
                    waiting += 1;
                    Some(Refusal::LooksLikeSomebody)
                }
                Merged::Refused(refusal) => {
                    refused += 1;
                    Some(refusal)
                }
            };
            if let Some(refusal) = refusal {
                let kit = outcome.kit.map_or(String::new(), |kit| kit.to_string());
                let n = outcome.n.map_or(String::new(), |n| n.to_string());
                let (file, line) = (file.to_string_lossy(), (at + 1).to_string());
                let reason = refusal.to_string();
                rejects
                    .write_record([&*file, &line, &kit, &n, refusal.code(), &reason])
                    .map_err(unwritable)?;
            }
        }
    }
    rejects.flush().map_err(Failure::unavailable)?;
    let missing: BTreeMap<String, Vec<i64>> =
        lost(store, &kits)?.into_iter().map(|(kit, missing)| (kit.to_string(), missing)).collect();
    deployment.log()?.publish()?;
    let answer =
        MergeAnswer { registered, already_here, waiting, refused, missing, rejects_file: &ask.rejects };
    if ask.on.json {
        show::json(&answer);
    } else {
        println!("Registered {registered} resident(s); {already_here} were merged before; {refused} refused");
        if waiting > 0 {
            println!(
                "{waiting} wait, because somebody in the register looks like the person: look at both, then merge again with\n  --new KIT/NUMBER --because TEXT   when she is another"
            );
        }
        for (kit, missing) in &answer.missing {
            println!("Missing of {kit}: number(s) {}", list_of(missing));
        }
        if refused + waiting > 0 {
            println!("Next: see {} for file, line and reason", ask.rejects.display());
        }
    }
    Ok(ExitCode::from(if refused + waiting > 0 { PARTLY } else { 0 }))
}

fn run_revoke(ask: &Revoke) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.by, Action::ManageKits)?;
    let kit = KitId::parse(&ask.kit)
        .map_err(|error| Failure::usage(format!("'{}' names no kit: {error}", ask.kit)))?;
    let home = deployment.store.buckets().home();
    deployment.store.write::<_, PersonError, _>(home, move |tx| revoke_kit(tx, &by, kit))?;
    if ask.on.json {
        show::json(&serde_json::json!({ "revoked": kit.to_string() }));
    } else {
        println!("{kit} is revoked: none of its packets is taken any more");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Listed {
    kit: String,
    officer: String,
    state: &'static str,
    from: String,
    until: String,
    missing: Vec<i64>,
}

fn run_list(ask: &List) -> Result<ExitCode, Failure> {
    let deployment = ask.on.open()?;
    let by = officer::acting(&deployment, &ask.officer, Action::SeeKits)?;
    let (keys, home) = (deployment.keys.clone(), deployment.store.buckets().home());
    let listed = deployment.store.read::<_, PersonError, _>(home, move |tx| {
        let kits = kits(tx, &keys, &by)?.into_iter().map(|(kit, missing)| Listed {
            kit: kit.id.to_string(),
            officer: kit.officer.to_string(),
            state: if kit.active { "active" } else { "revoked" },
            from: kit.from.to_string(),
            until: kit.until.to_string(),
            missing,
        });
        Ok(kits.collect::<Vec<_>>())
    })?;
    if ask.on.json {
        show::json(&listed);
        return Ok(ExitCode::SUCCESS);
    }
    for kit in &listed {
        println!("{}  {}  {} to {}  {}", kit.kit, kit.officer, kit.from, kit.until, kit.state);
        if !kit.missing.is_empty() {
            println!("    missing: {}", list_of(&kit.missing));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list_of(numbers: &[i64]) -> String {
    numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_never_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let kit = folder.path().join("field.kit");
        assert_eq!(count_on(&kit, 3).unwrap(), 1);
        assert_eq!(count_on(&kit, 1).unwrap(), 4);
        // A line that was cut short when the battery died was never used.
        let count = kit.with_extension("count");
        let mut file = OpenOptions::new().append(true).open(&count).unwrap();
        file.write_all(b"1").unwrap();
        assert_eq!(count_on(&kit, 1).unwrap(), 5);
        let taken = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| count_on(&kit, 2).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<BTreeSet<i64>>()
        });
        assert_eq!(taken, (0..8).map(|n| 6 + 2 * n).collect());
        std::fs::write(&count, "many\n").unwrap();
        assert!(count_on(&kit, 1).is_err());
    }
}
