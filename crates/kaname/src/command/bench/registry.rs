//! The guards and the audit, measured on planted errors: how many each stopped before anything became active, how many the audit found
//! among those that people let through, and how often it cried for nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::BufWriter;
use std::process::ExitCode;

use kaname_base::pack::Bank;
use kaname_pay::payee::{RegisterPayee, Registration, register_many};
use kaname_person::audit::{self, Kind};
use kaname_person::link::file::{BATCH, LinkMapping};
use kaname_person::link::review::{Decide, Decided, decide, open, waiting};
use kaname_person::link::standing::{Stands, standing};
use kaname_person::link::{Desk, LinkId, holder};
use kaname_person::register::person_of_reference;
use kaname_person::show::{Asking, reveal_number};
use kaname_person::{PersonError, Refusal};
use kaname_sim::SimPerson;
use kaname_sim::errors::{AskedAccount, Item, OutsideRecord, Planted, plant};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, ActorKind, PersonId};
use serde::Serialize;

use super::{Place, import};
use crate::clock::{self, Stopwatch, cpu_seconds};
use crate::command::{audit as audit_command, link as link_command};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::show;

const COUNTRY: &str = "example";
const SOURCE: &str = "health-insurer";
/// Whose references they are, in an import without a mapping.
const REGISTER: &str = "residents";
const SEED: u64 = 1;

/// Each kind of error in this many of 100,000 people.
const RATE: u64 = 200;

/// Officers look at one case in this many of those with an error, and let it through.
const LET_THROUGH: u8 = 4;

/// What was measured.
#[derive(Serialize)]
struct Report {
    bench: &'static str,
    residents: u64,
    records: u64,
    linked: u64,
    review: u64,
    refused: u64,
    accounts: u64,
    errors: Vec<Line>,
    /// Wrong links and accounts that a machine made active.
    wrong_by_machine: u64,
    /// Wrong links and accounts that people let through, or a bank corrected later.
    wrong_by_people: u64,
    found_by_audit: u64,
    found_percent: f64,
    /// Findings about what is right, by kind.
    false_alarms: BTreeMap<&'static str, u64>,
    /// Opened, and newly found, by an audit of what changed right after the full one.
    incremental_opened: u64,
    incremental_new: u64,
    seconds: BTreeMap<&'static str, Seconds>,
    peak_memory_mib: Option<u64>,
}

#[derive(Serialize)]
struct Seconds {
    wall: f64,
    cpu: f64,
}

/// One kind of error.
#[derive(Serialize, Default)]
struct Line {
    error: &'static str,
    planted: u64,
    /// Not active by machine: an officer is to look, or the answer was no.
    stopped: u64,
    /// Active by machine, and right all the same.
    right: u64,
    wrong_by_machine: u64,
    wrong_by_people: u64,
    found_by_audit: u64,
}

/// What is known of the errors while they are followed.
#[derive(Default)]
struct Book {
    /// The record's id: which error, and whose it is.
    records: HashMap<String, (Planted, Option<String>)>,
    /// Who was asked an account for: which error.
    accounts: HashMap<PersonId, Planted>,
    lines: BTreeMap<Planted, Line>,
    /// Links and people whose account is wrong, with the error.
    wrong_links: HashMap<LinkId, Planted>,
    wrong_accounts: HashMap<PersonId, Planted>,
    machine_wrong: u64,
}

impl Book {
    fn line(&mut self, kind: Planted) -> &mut Line {
        self.lines.entry(kind).or_insert_with(|| Line { error: kind.code(), ..Line::default() })
    }
}

pub(super) fn run(place: &Place, count: u64, json: bool) -> Result<ExitCode, Failure> {
    let deployment = place.deployment(count, 0)?;
    let desk = link_command::desk(&deployment);
    let mut book = Book::default();
    let mut seconds = BTreeMap::new();

    let file = place.file("residents.csv");
    let residents = write_residents(&deployment, count, &file)?;
    timed(&mut seconds, "import", || import::import(place, &deployment, residents, json))?;

    let list = place.file("insurer.csv");
    let records = write_list(&deployment, count, &list, &mut book)?;
    let rejects = place.file("insurer.rejects.csv");
    let checked = timed(&mut seconds, "link check", || {
        let by = officer("off_1", "registrar");
        link_command::check_with_progress(
            &deployment,
            &list,
            SOURCE,
            &LinkMapping::own(),
            &rejects,
            by,
            BATCH,
            json,
        )
    })?
    .progress;
    judge_links(&deployment, &desk, count, &mut book)?;
    let accounts = timed(&mut seconds, "accounts", || register_accounts(&deployment, count, &mut book))?;
    let let_through = people_let_through(&deployment, &desk, &mut book)?;
    correct_banks(&deployment, count, &mut book)?;

    let by = Actor::program("audit", "auditor");
    timed(&mut seconds, "full audit", || audit_command::audit_everything(&deployment, &by, true, json))?;
    let again = timed(&mut seconds, "audit of changes", || {
        audit_command::audit_everything(&deployment, &by, false, json)
    })?;
    let false_alarms = judge_findings(&desk, &by, &mut book, &let_through)?;

    let wrong_by_people = (book.wrong_links.len() + book.wrong_accounts.len()) as u64;
    let found: u64 = book.lines.values().map(|line| line.found_by_audit).sum();
    let report = Report {
        bench: "registry",
        residents,
        records,
        linked: checked.linked,
        review: checked.review,
        refused: checked.refused,
        accounts,
        wrong_by_machine: book.machine_wrong,
        wrong_by_people,
        found_by_audit: found,
        found_percent: if wrong_by_people == 0 {
            100.0
        } else {
            100.0 * found as f64 / wrong_by_people as f64
        },
        errors: book.lines.into_values().collect(),
        false_alarms,
        incremental_opened: again.opened,
        incremental_new: again.new_findings,
        seconds,
        peak_memory_mib: super::peak_memory_mib(std::path::Path::new("/proc/self/status")),
    };
    tell(&report, json);
    let holds = report.wrong_by_machine == 0 && report.wrong_by_people > 0 && report.found_percent >= 99.0;
    Ok(ExitCode::from(u8::from(!holds)))
}

fn tell(report: &Report, json: bool) {
    if json {
        show::json(report);
        return;
    }
    println!(
        "{} residents, {} records: {} linked, {} for officers, {} refused; {} accounts",
        show::grouped(report.residents),
        show::grouped(report.records),
        show::grouped(report.linked),
        show::grouped(report.review),
        show::grouped(report.refused),
        show::grouped(report.accounts)
    );
    println!(
        "{:18} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "error", "planted", "stopped", "right", "machine", "people", "found"
    );
    for line in &report.errors {
        println!(
            "{:18} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            line.error,
            line.planted,
            line.stopped,
            line.right,
            line.wrong_by_machine,
            line.wrong_by_people,
            line.found_by_audit
        );
    }
    println!(
        "Wrong by machine: {}. Wrong by people: {}, of which the audit found {:.2} %.",
        report.wrong_by_machine, report.wrong_by_people, report.found_percent
    );
    for (kind, count) in &report.false_alarms {
        println!("False alarms, {kind}: {}", show::grouped(*count));
    }
    println!(
        "An audit of changes right after it opened {} and found {} more.",
        show::grouped(report.incremental_opened),
        report.incremental_new
    );
    for (what, Seconds { wall, cpu }) in &report.seconds {
        println!("{what:18} {wall:>8.1} s, {cpu:>8.1} s of a core");
    }
}

fn timed<T>(
    seconds: &mut BTreeMap<&'static str, Seconds>,
    what: &'static str,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (watch, before) = (Stopwatch::start(), cpu_seconds().unwrap_or(0.0));
    let done = work()?;
    let cpu = cpu_seconds().unwrap_or(0.0) - before;
    seconds.insert(what, Seconds { wall: watch.seconds(), cpu });
    Ok(done)
}

/// The same items each time it is called.
fn items(deployment: &Deployment, count: u64, each: &mut dyn FnMut(Item)) -> Result<(), Failure> {
    let people = kaname_sim::people(COUNTRY, SEED, count)
        .ok_or_else(|| Failure::usage("the example country is not shipped"))?;
    let banks: &[Bank] = &deployment.pack.banks;
    plant(people, banks, SEED, RATE, each);
    Ok(())
}

fn write_residents(deployment: &Deployment, count: u64, file: &std::path::Path) -> Result<u64, Failure> {
    let out = File::create(file).map_err(Failure::unavailable)?;
    let mut out = csv::Writer::from_writer(BufWriter::new(out));
    out.write_record(kaname_sim::COLUMNS).map_err(Failure::unavailable)?;
    let (mut written, mut failed) = (0, None);
    items(deployment, count, &mut |item| {
        if let Item::Resident(person) = item {
            let born = person.birth_date.to_string();
            written += 1;
            failed = failed.take().or(out.write_record(cells(&person, &born)).err());
        }
    })?;
    out.flush().map_err(Failure::unavailable)?;
    failed.map_or(Ok(written), |error| Err(Failure::unavailable(error)))
}

fn cells<'p>(person: &'p SimPerson, born: &'p str) -> [&'p str; 16] {
    [
        &person.reference,
        &person.family_name,
        &person.given_name,
        &person.family_reading,
        &person.given_reading,
        &person.family_latin,
        &person.given_latin,
        born,
        &person.sex,
        &person.status,
        &person.postcode,
        &person.region,
        &person.city,
        &person.address,
        &person.phone,
        &person.email,
    ]
}

/// Writes the insurer's list: our own form without status, telephone and email, and with the number where the insurer has it.
fn write_list(
    deployment: &Deployment,
    count: u64,
    file: &std::path::Path,
    book: &mut Book,
) -> Result<u64, Failure> {
    let out = File::create(file).map_err(Failure::unavailable)?;
    let mut out = csv::Writer::from_writer(BufWriter::new(out));
    let wanted = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13];
    let header = ["reference", "number"].into_iter().chain(wanted.map(|column| kaname_sim::COLUMNS[column]));
    out.write_record(header).map_err(Failure::unavailable)?;
    let (mut written, mut failed) = (0, None);
    items(deployment, count, &mut |item| {
        let Item::Record(record) = item else { return };
        let OutsideRecord { id, says, number_of, truth, planted } = record;
        if let Some(kind) = planted {
            book.line(kind).planted += 1;
            book.records.insert(id.clone(), (kind, truth));
        }
        let number = match number_of.as_deref().map(|reference| number_of_resident(deployment, reference)) {
            None => String::new(),
            Some(Ok(number)) => number,
            Some(Err(error)) => {
                failed.get_or_insert(error);
                return;
            }
        };
        let born = says.birth_date.to_string();
        let cells = cells(&says, &born);
        let row = [id.as_str(), &number].into_iter().chain(wanted.map(|column| cells[column]));
        if let Err(error) = out.write_record(row) {
            failed.get_or_insert(Failure::unavailable(error));
        }
        written += 1;
    })?;
    out.flush().map_err(Failure::unavailable)?;
    failed.map_or(Ok(written), Err)
}

fn person(deployment: &Deployment, reference: &str) -> PersonId {
    person_of_reference(&deployment.keys, deployment.store.buckets(), REGISTER, reference)
}

fn number_of_resident(deployment: &Deployment, reference: &str) -> Result<String, Failure> {
    let person = person(deployment, reference);
    let (keys, pack, env) = (deployment.keys.clone(), deployment.pack.clone(), clock::env());
    let number = deployment
        .store
        .write::<_, PersonError, _>(bucket_of(person, deployment.store.buckets()), move |tx| {
            reveal_number(tx, &keys, &pack, &env.again(), &Asking::herself(person))
        })?;
    Ok(deployment.pack.number.show(&number))
}

/// Holds what the machine linked against the truth, record by record.
fn judge_links(deployment: &Deployment, desk: &Desk, count: u64, book: &mut Book) -> Result<(), Failure> {
    let by = officer("off_1", "registrar");
    let mut failed = None;
    items(deployment, count, &mut |item| {
        let Item::Record(record) = item else { return };
        let stands = match standing(desk, &by, SOURCE, &record.id) {
            Ok(stands) => stands,
            Err(error) => {
                failed.get_or_insert(error);
                return;
            }
        };
        let linked_to = match stands {
            Some(Stands::Linked(person, _)) => Some(person),
            _ => None,
        };
        let truth = record.truth.as_deref().map(|truth| person(deployment, truth));
        let wrong = linked_to.is_some() && linked_to != truth;
        book.machine_wrong += u64::from(wrong);
        if let Some(kind) = record.planted {
            let line = book.line(kind);
            match linked_to {
                None => line.stopped += 1,
                Some(_) if wrong => line.wrong_by_machine += 1,
                Some(_) => line.right += 1,
            }
        }
    })?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Accounts that were asked for go in by thousands.
const AT_ONCE: usize = 4_096;

fn register_accounts(deployment: &Deployment, count: u64, book: &mut Book) -> Result<u64, Failure> {
    let mut asked = Vec::new();
    items(deployment, count, &mut |item| {
        if let Item::Account(account) = item {
            asked.push(account);
        }
    })?;
    for (_, bank) in deployment.simulated_banks()? {
        bank.add(asked.iter().map(|asked| &asked.account)).map_err(Failure::unavailable)?;
    }
    let desk = deployment.desk()?;
    let actor = Actor::program("account-check", "program");
    for some in asked.chunks(AT_ONCE) {
        let commands: Vec<RegisterPayee> = some
            .iter()
            .map(|asked| RegisterPayee {
                person: person(deployment, &asked.account.reference),
                account: asked.account.account.clone(),
                evidence: "application".to_owned(),
                replace: false,
            })
            .collect();
        let done = register_many(&desk, &clock::env(), &actor, &commands)?;
        for ((asked, command), registration) in some.iter().zip(&commands).zip(done) {
            let Some(kind) = asked.planted else { continue };
            let active = matches!(registration, Registration::Active | Registration::Stands);
            let line = book.line(kind);
            line.planted += 1;
            match (kind, active) {
                // Right as far as anybody could know; the bank corrects it later.
                (Planted::BankCorrected, true) => {
                    line.right += 1;
                    book.accounts.insert(command.person, kind);
                }
                (_, true) => {
                    line.wrong_by_machine += 1;
                    book.machine_wrong += 1;
                }
                (_, false) => line.stopped += 1,
            }
        }
    }
    Ok(asked.len() as u64)
}

/// Two careless officers approve the first candidate of one case in four, or the one whose number stands there; the holder says yes
/// to what she is asked. Returns the links that were right all the same.
fn people_let_through(
    deployment: &Deployment,
    desk: &Desk,
    book: &mut Book,
) -> Result<HashSet<LinkId>, Failure> {
    let (first, second) = (officer("off_1", "registrar"), officer("off_2", "registrar"));
    let mut right = HashSet::new();
    for case in waiting(desk, &first, usize::MAX >> 1)? {
        if case.id[15] % LET_THROUGH != 0 {
            continue;
        }
        let opened = open(desk, &clock::env(), &first, case.id)?;
        let Some((kind, truth)) = book.records.get(&opened.record.reference).cloned() else { continue };
        let named = opened.candidates.iter().find(|(_, evidence, _)| evidence.number);
        let Some((chosen, ..)) = named.or(opened.candidates.first()) else { continue };
        let chosen = *chosen;
        for by in [&first, &second] {
            let ask = Decide { id: case.id, choice: Some(chosen), by: by.clone(), why: "looks right" };
            match decide(desk, &clock::env(), &ask) {
                Ok(Decided::Proposed | Decided::Done | Decided::Differs) => {}
                // She has her record already: one more guard that stops it.
                Err(PersonError::Refused(Refusal::HasOne)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let Some(Stands::Linked(person_linked, link)) =
            standing(desk, &first, SOURCE, &opened.record.reference)?
        else {
            continue;
        };
        holder::confirm(desk, &clock::env(), &Actor::resident(), person_linked, link)?;
        if truth.as_deref().map(|truth| person(deployment, truth)) == Some(person_linked) {
            right.insert(link);
        } else {
            book.line(kind).wrong_by_people += 1;
            book.wrong_links.insert(link, kind);
        }
    }
    Ok(right)
}

fn correct_banks(deployment: &Deployment, count: u64, book: &mut Book) -> Result<(), Failure> {
    let mut corrected = Vec::new();
    items(deployment, count, &mut |item| {
        if let Item::Account(AskedAccount { account, corrected: Some(holder), .. }) = item {
            corrected.push((account, holder));
        }
    })?;
    let banks = deployment.simulated_banks()?;
    for (account, holder) in corrected {
        let who = person(deployment, &account.reference);
        let Some(kind) = book.accounts.get(&who).copied() else { continue };
        let Some((_, bank)) = banks.iter().find(|(code, _)| *code == account.account.bank) else { continue };
        bank.correct_holder(&account.account.number, &holder).map_err(Failure::unavailable)?;
        book.line(kind).wrong_by_people += 1;
        book.wrong_accounts.insert(who, kind);
    }
    Ok(())
}

/// What the audit found of what is wrong, and what it found that is right.
fn judge_findings(
    desk: &Desk,
    by: &Actor,
    book: &mut Book,
    right: &HashSet<LinkId>,
) -> Result<BTreeMap<&'static str, u64>, Failure> {
    let (mut found_links, mut found_people) = (HashSet::new(), HashSet::new());
    let mut false_alarms: BTreeMap<&'static str, u64> = BTreeMap::new();
    for finding in audit::open(desk, by, usize::MAX >> 1)? {
        let wrong_people = finding.people.iter().filter(|person| book.wrong_accounts.contains_key(person));
        let is_true = match (finding.kind, finding.link) {
            (Kind::HolderDiffers | Kind::SharedAccount, _) => {
                let before = found_people.len();
                let known = wrong_people.clone().any(|person| found_people.contains(person));
                found_people.extend(wrong_people.copied());
                known || found_people.len() > before
            }
            (_, Some(link)) if book.wrong_links.contains_key(&link) => {
                found_links.insert(link);
                true
            }
            _ => false,
        };
        if !is_true {
            let of_people = finding.link.is_some_and(|link| right.contains(&link));
            let what = if of_people { "let through and right" } else { finding.kind.code() };
            *false_alarms.entry(what).or_default() += 1;
        }
    }
    for link in &found_links {
        let kind = book.wrong_links[link];
        book.line(kind).found_by_audit += 1;
    }
    for person in &found_people {
        let kind = book.wrong_accounts[person];
        book.line(kind).found_by_audit += 1;
    }
    Ok(false_alarms)
}

fn officer(id: &str, role: &str) -> Actor {
    Actor::new(ActorKind::Officer, id, role)
}
