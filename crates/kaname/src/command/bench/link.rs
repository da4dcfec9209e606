//! One person found in many records: read, blocked, estimated, scored, all of it counted; then held against the truth.
//!
//! The truth is a column of the file (`entity`, or `rec_id` in the Febrl files). It is read for keeping score and never by the matcher,
//! which estimates its weights and chooses its threshold from the records alone.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use kaname_person::linkage::{Born, Facts, Found, Pair, Profile, Records, Spelled, dedupe, link};
use kaname_sim::twice::{Rates, registered_twice};
use serde::Serialize;

use crate::clock::{Stopwatch, cpu_seconds};
use crate::deployment::unknown_country;
use crate::error::Failure;
use crate::show;

#[derive(Args)]
pub(crate) struct Link {
    /// A CSV file with a header, in which some people stand twice; two files: who of one is who of the other
    #[arg(long, num_args = 1..=2, value_name = "FILE.csv")]
    file: Vec<PathBuf>,
    /// Without a file: invented people of this country, with the errors of its own registers
    #[arg(long, default_value = "japan")]
    country: String,
    /// Without a file: how many people
    #[arg(long, default_value_t = 200_000)]
    count: u64,
    /// Without a file: the same seed gives the same people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Explain this many of the wrong and of the missed pairs, by their places in the file
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    explain: usize,
    /// Answer in JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What was found, and how right it was.
#[derive(Serialize)]
pub(super) struct Linked {
    bench: &'static str,
    records: usize,
    compared: usize,
    wall_seconds: f64,
    /// Of reading, blocking, estimating, comparing and grouping together.
    cpu_seconds: f64,
    peak_memory_mib: Option<u64>,
    /// Pairs of records that are one person, by the file's own truth.
    true_pairs: usize,
    /// At the threshold that the model chose for itself.
    chosen: Score,
    /// Where the model expects 99 of 100 to be right.
    cautious: Score,
    /// The best that any threshold could have done, known only with the truth.
    best_f1: f64,
    /// The most that can be found with 99 of 100 right, known only with the truth.
    recall_at_precision_99: f64,
    /// How many true pairs were compared at all.
    compared_share: f64,
}

#[derive(Serialize, Clone, Copy)]
struct Score {
    threshold_weight: f32,
    precision: f64,
    recall: f64,
    f1: f64,
}

pub(super) fn run(ask: &Link) -> Result<Linked, Failure> {
    let no_clock = || Failure::unavailable("this system does not tell a process its CPU time");
    let (watch, before) = (Stopwatch::start(), cpu_seconds().ok_or_else(no_clock)?);
    let mut input = Input { records: Records::new(), truth: Vec::new(), split: None };
    let mut invented = 0.0;
    match ask.file.as_slice() {
        [] => invented = input.invent(ask)?,
        [one] => input.read(one)?,
        [one, other, ..] => {
            input.read(one)?;
            input.split = Some(input.records.len());
            input.read(other)?;
        }
    }
    let found = match input.split {
        Some(split) => link(&mut input.records, split),
        None => dedupe(&mut input.records),
    };
    let take = found.balanced();
    let chosen = input.chosen(&found, take);
    let cautious = input.chosen(&found, found.precise(0.99));
    let cpu = cpu_seconds().ok_or_else(no_clock)? - before - invented;
    let wall = watch.seconds();

    let truth = Truth::of(&input);
    let (best_f1, recall_at_precision_99) = truth.oracle(&found.pairs);
    let seen = found.pairs.iter().filter(|pair| truth.is_one(pair.a, pair.b)).count();
    if ask.explain > 0 {
        explain(&input, &found, &truth, take, ask.explain);
    }
    let weight = |take: usize| found.pairs.get(take.wrapping_sub(1)).map_or(0.0, |pair| pair.weight);
    Ok(Linked {
        bench: "link",
        records: input.records.len(),
        compared: found.compared,
        wall_seconds: wall,
        cpu_seconds: cpu,
        peak_memory_mib: super::peak_memory_mib(Path::new("/proc/self/status")),
        true_pairs: truth.pairs,
        chosen: truth.score(&chosen, weight(take)),
        cautious: truth.score(&cautious, weight(found.precise(0.99))),
        best_f1,
        recall_at_precision_99,
        compared_share: seen as f64 / truth.pairs.max(1) as f64,
    })
}

pub(super) fn print(linked: &Linked) {
    let Linked { records, compared, cpu_seconds, true_pairs, chosen, .. } = linked;
    println!(
        "link: {} records, {} pairs compared, {cpu_seconds:.2} s of a core, {} MiB at the most",
        show::grouped(*records as u64),
        show::grouped(*compared as u64),
        linked.peak_memory_mib.unwrap_or_default(),
    );
    println!("  {} pairs are one person", show::grouped(*true_pairs as u64));
    for (what, score) in [("chosen by itself", chosen), ("expected to be 99 % right", &linked.cautious)] {
        println!(
            "  {what}: F1 {:.4}, precision {:.4}, recall {:.4} (weight {:.1} and more)",
            score.f1, score.precision, score.recall, score.threshold_weight
        );
    }
    println!(
        "  with the truth at hand: F1 {:.4} at best, recall {:.4} at precision 0.99",
        linked.best_f1, linked.recall_at_precision_99
    );
}

/// The records, and whose each is.
struct Input {
    records: Records,
    truth: Vec<u64>,
    split: Option<usize>,
}

impl Input {
    /// Invents people; answers with the CPU seconds that this took, which are not the matcher's.
    fn invent(&mut self, ask: &Link) -> Result<f64, Failure> {
        let before = cpu_seconds().unwrap_or_default();
        let people = registered_twice(&ask.country, ask.seed, ask.count, Rates::default())
            .ok_or_else(|| unknown_country(&ask.country))?;
        let people: Vec<_> = people.collect();
        let after = cpu_seconds().unwrap_or_default();
        for registration in people {
            let record = &registration.record;
            let facts = Facts {
                given: spelled(&record.given_name, &record.given_reading, &record.given_latin),
                family: spelled(&record.family_name, &record.family_reading, &record.family_latin),
                born: record.birth_date.into(),
                sex: &record.sex,
                street: &record.address,
                town: &record.city,
                postcode: &record.postcode,
                phone: &record.phone,
                email: &record.email,
                ..Facts::default()
            };
            self.records.push_profile(&Profile::from_facts(&facts));
            self.truth.push(registration.person);
        }
        Ok(after - before)
    }

    fn read(&mut self, file: &Path) -> Result<(), Failure> {
        let failed = |error: csv::Error| Failure::usage(format!("cannot read {}: {error}", file.display()));
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_path(file).map_err(failed)?;
        let header = reader.headers().map_err(failed)?.clone();
        let column = |names: &[&str]| header.iter().position(|known| names.contains(&known));
        let columns = Columns {
            entity: column(&["entity", "rec_id"]).ok_or_else(|| {
                Failure::usage(format!(
                    "{} has no column `entity` or `rec_id` to keep score by",
                    file.display()
                ))
            })?,
            given: column(&["given", "given_name"]),
            middle: column(&["middle", "middle_name"]),
            family: column(&["surname", "family", "family_name"]),
            born: column(&["dob", "date_of_birth", "birth_date"]),
            sex: column(&["sex"]),
            birthplace: column(&["birthplace"]),
            house: column(&["street_no", "street_number"]),
            street: column(&["street", "address_1"]),
            town: column(&["town", "suburb", "city"]),
            postcode: column(&["postcode"]),
            phone: column(&["phone"]),
            email: column(&["email"]),
            id: column(&["soc_sec_id"]),
        };
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(failed)? {
            let cell = |column: Option<usize>| column.and_then(|at| row.get(at)).unwrap_or("").trim();
            self.records.push(&Facts {
                given: Spelled::written(cell(columns.given)),
                middle: Spelled::written(cell(columns.middle)),
                family: Spelled::written(cell(columns.family)),
                born: Born::parse(cell(columns.born)),
                sex: cell(columns.sex),
                birthplace: cell(columns.birthplace),
                house: cell(columns.house),
                street: cell(columns.street),
                town: cell(columns.town),
                postcode: cell(columns.postcode),
                phone: cell(columns.phone),
                email: cell(columns.email),
                id: cell(columns.id),
            });
            self.truth.push(entity(cell(Some(columns.entity))));
        }
        Ok(())
    }

    /// The pairs that follow from the first `take`: in one list all of a person's records with each other.
    fn chosen(&self, found: &Found, take: usize) -> Vec<(u32, u32)> {
        if self.split.is_some() {
            return found.pairs[..take].iter().map(|pair| (pair.a, pair.b)).collect();
        }
        let mut pairs = Vec::new();
        for person in found.people(&self.records, take) {
            for (i, a) in person.iter().enumerate() {
                pairs.extend(person[i + 1..].iter().map(|b| (*a, *b)));
            }
        }
        pairs
    }
}

struct Columns {
    entity: usize,
    given: Option<usize>,
    middle: Option<usize>,
    family: Option<usize>,
    born: Option<usize>,
    sex: Option<usize>,
    birthplace: Option<usize>,
    house: Option<usize>,
    street: Option<usize>,
    town: Option<usize>,
    postcode: Option<usize>,
    phone: Option<usize>,
    email: Option<usize>,
    id: Option<usize>,
}

fn spelled<'a>(written: &'a str, reading: &'a str, latin: &'a str) -> Spelled<'a> {
    Spelled { written, reading, latin }
}

/// Whose a record is: a number, or the number inside Febrl's `rec-1496-dup-2`.
fn entity(text: &str) -> u64 {
    text.split('-').find_map(|part| part.parse().ok()).unwrap_or(u64::MAX)
}

/// What is right.
struct Truth<'a> {
    input: &'a Input,
    pairs: usize,
}

impl Truth<'_> {
    fn of(input: &Input) -> Truth<'_> {
        let mut sides: HashMap<u64, [usize; 2]> = HashMap::new();
        for (place, person) in input.truth.iter().enumerate() {
            let side = usize::from(input.split.is_some_and(|split| place >= split));
            sides.entry(*person).or_default()[side] += 1;
        }
        let pairs = sides
            .values()
            .map(|[left, right]| match input.split {
                Some(_) => left * right,
                None => left * left.saturating_sub(1) / 2,
            })
            .sum();
        Truth { input, pairs }
    }

    fn is_one(&self, a: u32, b: u32) -> bool {
        self.input.truth[a as usize] == self.input.truth[b as usize]
    }

    fn score(&self, pairs: &[(u32, u32)], threshold_weight: f32) -> Score {
        let right = pairs.iter().filter(|(a, b)| self.is_one(*a, *b)).count() as f64;
        let precision = right / pairs.len().max(1) as f64;
        let recall = right / self.pairs.max(1) as f64;
        Score { threshold_weight, precision, recall, f1: balance(precision, recall) }
    }

    /// The best F1 of any threshold, and the best recall at a precision of 0.99.
    fn oracle(&self, pairs: &[Pair]) -> (f64, f64) {
        let (mut right, mut best, mut found) = (0.0, 0.0_f64, 0.0_f64);
        for (i, pair) in pairs.iter().enumerate() {
            right += f64::from(u8::from(self.is_one(pair.a, pair.b)));
            let (precision, recall) = (right / (i as f64 + 1.0), right / self.pairs.max(1) as f64);
            best = best.max(balance(precision, recall));
            if precision >= 0.99 {
                found = found.max(recall);
            }
        }
        (best, found)
    }
}

fn balance(precision: f64, recall: f64) -> f64 {
    if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
}

/// Shows, on standard error, why pairs were taken that are wrong, and left that are right.
fn explain(input: &Input, found: &Found, truth: &Truth<'_>, take: usize, count: usize) {
    let show = |pair: &Pair| {
        let evidence = found.explain(&input.records, pair);
        let fields: Vec<String> = evidence
            .fields
            .iter()
            .map(|field| format!("{} {} {:+.1}", field.field, field.level, field.weight))
            .collect();
        let (a, b) = (pair.a, pair.b);
        eprintln!(
            "  {a} {b}: {:+.1} against {}: {}",
            evidence.weight,
            evidence.rival.code(),
            fields.join(", ")
        );
    };
    eprintln!("taken, and wrong:");
    found.pairs[..take].iter().filter(|pair| !truth.is_one(pair.a, pair.b)).take(count).for_each(show);
    eprintln!("left, and right:");
    found.pairs[take..].iter().filter(|pair| truth.is_one(pair.a, pair.b)).take(count).for_each(show);
}
