//! Use case: import a file of residents, some thousand rows at a time.
//!
//! A batch goes through these steps, each durable before the next begins:
//!
//! 1. its rows are read and checked, and those who are in the register already are told apart;
//! 2. numbers are promised to the others (units of work in the buckets of the numbers);
//! 3. they are registered (units of work in the buckets of the people);
//! 4. the rejects are written behind those of the batch before, and flushed to the disk;
//! 5. now and then, and before the end, the index of who may be meant ([`crate::duplicate`]) is written, in sorted runs;
//! 6. the import's row in the home bucket moves on to the next batch.
//!
//! Killed anywhere, the next run reads that row, cuts the file of rejects back to the length in it, and does the batch again. A
//! person's id follows from her reference, and her row says which line of which file made her, so step 3 done twice enters nobody
//! twice and counts everybody once. Numbers promised in step 2 and not given are lost, and nobody else gets them.
//!
//! Steps 1 and 2 of a batch overlap with step 3 of the one before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;
use jiff::civil::Date;
use kaname_base::number::PersonNumber;
use kaname_base::pack::Pack;
use kaname_base::{Bucket, Env};
use kaname_store::{Store, StoreError};
use kaname_trust::keys::BlindIndex;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, PersonId};

use crate::duplicate::kept::Gathered;
use crate::register::{
    Admission, Outcome, Registrar, content_index, judge, person_of_reference, register_many,
};
use crate::scatter::{Scattered, scatter, scatter_reads};
use crate::table::{ImportRow, Origin};
use crate::{
    Action, Fault, Field, Numbers, PackVersion, Particulars, PersonError, Refusal, number, policy, table,
};

pub(crate) mod mapping;
pub(crate) mod reader;
pub(crate) mod rejects;

use mapping::Plan;
pub use mapping::{Columns, Format, Mapping};
use reader::{Place, Row, Rows};
use rejects::{Reject, Rejects};
pub use rejects::{Rejected, rejected};

/// What shows that somebody is to be registered, when it is a file: this, and the line in it.
pub const IMPORT_LINE: &str = "import-line ";

/// How many rows go through together. More use more memory and fewer flushes of the disk.
pub const BATCH: usize = 8_192;

/// A file to be imported.
#[derive(Clone)]
pub struct Import<'a> {
    /// CSV, or JSON lines when its name ends in `.jsonl` or `.ndjson`, or the mapping says so.
    pub file: &'a Path,
    /// Where the rows go that cannot be taken: line, column, code, reason.
    pub rejects: &'a Path,
    /// Which column is which.
    pub mapping: &'a Mapping,
    /// Who imports.
    pub by: Actor,
    /// Why.
    pub why: &'a str,
    /// How many rows go through together: [`BATCH`], or fewer to see more steps.
    pub batch: usize,
}

/// How far an import is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Bytes of the file that are done and durable.
    pub bytes_done: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Residents who are in the register by this file.
    pub registered: u64,
    /// Rows whose resident was there already, with the same data.
    pub already_here: u64,
    /// Rows in the file of rejects.
    pub rejected: u64,
}

/// How an import ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// The sums over the whole file, earlier runs included.
    pub progress: Progress,
    /// Whether this very file was imported before with this mapping and pack, and so nothing was done.
    pub nothing_new: bool,
}

/// Imports what of the file is not imported yet. `progress` is told after each batch.
///
/// # Errors
/// [`Refusal::File`], [`Refusal::Mapping`], [`Refusal::ImportRuns`], [`Refusal::NotAllowed`]; a [`PersonError::Store`] ends it too,
/// and the next run goes on from there.
pub fn import(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    ask: &Import<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Report, PersonError> {
    policy::may(&ask.by, Action::ImportResidents)?;
    let failed = |error: io::Error| cannot("read", ask.file, &error);
    let mut file = File::open(ask.file).map_err(failed)?;
    let (fingerprint, bytes) = fingerprint(&mut file).map_err(failed)?;
    let id = import_id(keys, pack, ask.mapping, &fingerprint);
    let home = store.buckets().home();
    let found = store.read::<_, StoreError, _>(home, move |tx| table::import(tx, &id))?;
    if let Some(done) = found.filter(|row| row.done) {
        return Ok(Report { progress: Progress::of(&done, bytes), nothing_new: true });
    }

    let mut rejects = Rejects::open(ask.rejects, found.map_or(0, |row| row.rejects_bytes.unsigned_abs()))?;
    let format = ask.mapping.format_of(ask.file);
    let delimiter = ask.mapping.delimiter as u8;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut rows = Rows::new(file, Place { byte: 0, line: 1 }, format, delimiter);
    let plan = plan(&mut rows, ask.mapping, format).map_err(|error| match error {
        PlanError::File(error) => cannot("read", ask.file, &error),
        PlanError::Refused(refusal) => refusal.into(),
    })?;
    let start = rows.place();
    let mut state = match found {
        Some(state) => state,
        None => {
            let start = ImportRow::at(rows.place());
            store.write::<_, StoreError, _>(home, move |tx| table::start_import(tx, &id, &start))?;
            start
        }
    };
    if state.next_byte.unsigned_abs() != rows.place().byte {
        let place = Place { byte: state.next_byte.unsigned_abs(), line: state.next_line.unsigned_abs() };
        let mut file = File::open(ask.file).map_err(failed)?;
        file.seek(SeekFrom::Start(place.byte)).map_err(failed)?;
        rows = Rows::new(file, place, format, delimiter);
    }

    let run = Run {
        store,
        keys,
        pack,
        numbers,
        env,
        ask,
        id,
        bytes,
        today: env.now.date_in(&pack.time_zone),
        registrar: Arc::new(Registrar {
            by: ask.by.clone(),
            why: ask.why.to_owned(),
            pack: PackVersion::of(pack),
            today: env.now.date_in(&pack.time_zone),
            tells: false,
        }),
        plan,
    };
    let mut index = Gathered::new();
    if let Some(again) = found {
        // What the run that was cut short had gathered is lost: those of its rows that are done are indexed again.
        let until = again.next_byte.unsigned_abs();
        run.index_again(ask.file, start, until, format, delimiter, &mut index)?;
    }
    let mut before: Option<UnderWay> = None;
    loop {
        let batch = run.read(&mut rows).map_err(failed)?;
        let is_last = batch.is_last;
        let promised = run.promise(batch)?;
        for admission in &promised.admissions {
            index.add(keys, pack, admission.person, &admission.particulars);
        }
        if index.is_full() || is_last {
            index.write(store)?;
        }
        if let Some(before) = before.take() {
            run.finish(before, &mut state, &mut rejects)?;
            progress(&Progress::of(&state, bytes));
        }
        let under_way = run.submit(promised)?;
        if is_last {
            run.finish(under_way, &mut state, &mut rejects)?;
            let progress_now = Progress::of(&state, bytes);
            progress(&progress_now);
            return Ok(Report { progress: progress_now, nothing_new: false });
        }
        before = Some(under_way);
    }
}

/// What stays the same during an import.
struct Run<'a> {
    store: &'a Store,
    keys: &'a Keys,
    pack: &'a Pack,
    numbers: &'a Numbers,
    env: &'a Env,
    ask: &'a Import<'a>,
    id: BlindIndex,
    bytes: u64,
    today: Date,
    registrar: Arc<Registrar>,
    plan: Plan,
}

/// Rows that were read and checked.
struct Batch {
    entries: Vec<Checked>,
    rejects: Vec<Reject>,
    next: Place,
    is_last: bool,
}

/// A row that keeps the rules.
struct Checked {
    person: PersonId,
    particulars: Particulars,
    origin: Origin,
}

/// A batch of which everybody new has a number.
struct Promised {
    admissions: Vec<Admission>,
    already_here: i64,
    again: i64,
    rejects: Vec<Reject>,
    next: Place,
    is_last: bool,
}

/// A batch whose people are being registered.
struct UnderWay {
    units: Scattered<Vec<Outcome>, PersonError>,
    lines: Vec<Arc<Vec<Admission>>>,
    already_here: i64,
    again: i64,
    rejects: Vec<Reject>,
    next: Place,
    is_last: bool,
}

impl Run<'_> {
    /// Step 1, first half: reads and checks rows.
    fn read(&self, rows: &mut Rows<File>) -> io::Result<Batch> {
        let mut batch =
            Batch { entries: Vec::new(), rejects: Vec::new(), next: rows.place(), is_last: false };
        let mut row = Row::default();
        while batch.entries.len() + batch.rejects.len() < self.ask.batch.max(1) {
            let Some(read) = rows.next(self.plan.columns(), &mut row)? else {
                batch.is_last = true;
                break;
            };
            match read.map_err(|why| Reject::unreadable(row.line, why)).and_then(|()| self.check(&row)) {
                Ok(checked) => batch.entries.push(checked),
                Err(reject) => batch.rejects.push(reject),
            }
        }
        batch.next = rows.place();
        Ok(batch)
    }

    /// Puts the people of the rows from `from` to the byte `until` into the index once more.
    fn index_again(
        &self,
        path: &Path,
        from: Place,
        until: u64,
        format: Format,
        delimiter: u8,
        index: &mut Gathered,
    ) -> Result<(), PersonError> {
        let failed = |error: io::Error| cannot("read", path, &error);
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(from.byte)).map_err(failed)?;
        let mut rows = Rows::new(file, from, format, delimiter);
        let mut row = Row::default();
        while rows.place().byte < until {
            let Some(read) = rows.next(self.plan.columns(), &mut row).map_err(failed)? else { break };
            let Ok(checked) =
                read.map_err(|why| Reject::unreadable(row.line, why)).and_then(|()| self.check(&row))
            else {
                continue;
            };
            index.add(self.keys, self.pack, checked.person, &checked.particulars);
            if index.is_full() {
                index.write(self.store)?;
            }
        }
        Ok(())
    }

    fn check(&self, row: &Row) -> Result<Checked, Reject> {
        let fault = |fault: Fault| Reject::fault(row.line, self.plan.column(fault.field), fault);
        let texts = self.plan.texts(row).map_err(|why| Reject::unreadable(row.line, why))?;
        let particulars = Particulars::check(&texts.entry(), self.pack, self.today).map_err(fault)?;
        if particulars.reference.is_empty() {
            return Err(fault(Field::Reference.fault(crate::Reason::Missing)));
        }
        let person = person_of_reference(
            self.keys,
            self.store.buckets(),
            &self.ask.mapping.source,
            &particulars.reference,
        );
        let content = content_index(self.keys, &particulars);
        let origin = Origin { file: self.id, line: row.line.cast_signed(), content };
        Ok(Checked { person, particulars, origin })
    }

    /// Step 1, second half, and step 2: tells new people apart, so that no number is spent on others, and promises numbers.
    fn promise(&self, batch: Batch) -> Result<Promised, PersonError> {
        let Batch { entries, mut rejects, next, is_last } = batch;
        let found = self.origins(&entries)?;
        let (mut already_here, mut again) = (0, 0);
        let mut new = Vec::with_capacity(entries.len());
        for (checked, found) in entries.into_iter().zip(found) {
            match found.map(|found| judge(&checked.origin, &found)) {
                None => new.push(checked),
                Some(Outcome::Registered) => again += 1,
                Some(Outcome::AlreadyHere) => already_here += 1,
                Some(outcome) => rejects.extend(self.reject(checked.origin.line, outcome)),
            }
        }
        let numbers = self.promised_numbers(&new)?;
        let admissions = new
            .into_iter()
            .zip(numbers)
            .map(|(checked, (number, number_index))| Admission {
                person: checked.person,
                particulars: checked.particulars,
                number,
                number_index,
                evidence: format!("{IMPORT_LINE}{}", checked.origin.line),
                origin: checked.origin,
            })
            .collect();
        Ok(Promised { admissions, already_here, again, rejects, next, is_last })
    }

    /// Who is in the register already.
    fn origins(&self, entries: &[Checked]) -> Result<Vec<Option<Origin>>, PersonError> {
        let groups = group(entries.iter().map(|checked| bucket_of(checked.person, self.store.buckets())));
        let units = groups
            .iter()
            .map(|(bucket, places)| {
                let people: Vec<PersonId> = places.iter().map(|place| entries[*place].person).collect();
                (*bucket, move |tx: &mut kaname_store::Tx<'_>| {
                    table::origins(tx, &people).map_err(PersonError::from)
                })
            })
            .collect();
        let answers = scatter_reads(self.store, units)?.gather()?;
        Ok(spread(&groups, answers, entries.len()))
    }

    /// A number for each, promised to her.
    fn promised_numbers(&self, new: &[Checked]) -> Result<Vec<(PersonNumber, BlindIndex)>, PersonError> {
        let taken = self.numbers.take(self.store, new.len())?;
        let mut numbers: Vec<_> =
            taken.into_iter().map(|number| (number, number::index_of(self.keys, &number))).collect();
        let buckets = self.store.buckets();
        let groups = group(numbers.iter().map(|(_, index)| table::directory_bucket(buckets, index)));
        let units = groups
            .iter()
            .map(|(bucket, places)| {
                let promises: Vec<_> =
                    places.iter().map(|place| (numbers[*place].1, new[*place].person)).collect();
                (*bucket, move |tx: &mut kaname_store::Tx<'_>| {
                    number::promise(tx, &promises).map_err(PersonError::from)
                })
            })
            .collect();
        let held = scatter(self.store, units)?.gather()?;
        for (place, held) in spread(&groups, held, new.len()).into_iter().enumerate() {
            if !held {
                numbers[place] = number::promise_one(self.store, self.keys, self.numbers, new[place].person)?;
            }
        }
        Ok(numbers)
    }

    /// Step 3: submits the units of work that register.
    fn submit(&self, promised: Promised) -> Result<UnderWay, PersonError> {
        let Promised { admissions, already_here, again, rejects, next, is_last } = promised;
        let mut groups: BTreeMap<Bucket, Vec<Admission>> = BTreeMap::new();
        for admission in admissions {
            groups.entry(bucket_of(admission.person, self.store.buckets())).or_default().push(admission);
        }
        let (mut lines, mut units) = (Vec::new(), Vec::new());
        for (bucket, admissions) in groups {
            let admissions = Arc::new(admissions);
            lines.push(Arc::clone(&admissions));
            let (keys, env, registrar) = (self.keys.clone(), self.env.again(), Arc::clone(&self.registrar));
            units.push((bucket, move |tx: &mut kaname_store::Tx<'_>| {
                register_many(tx, &keys, &env, &registrar, &admissions)
            }));
        }
        let units = scatter(self.store, units)?;
        Ok(UnderWay { units, lines, already_here, again, rejects, next, is_last })
    }

    /// Waits for step 3, then does steps 4 and 5.
    fn finish(
        &self,
        under_way: UnderWay,
        state: &mut ImportRow,
        rejects: &mut Rejects,
    ) -> Result<(), PersonError> {
        let UnderWay { units, lines, already_here, again, rejects: mut bad, next, is_last } = under_way;
        let mut to = *state;
        to.registered += again;
        to.already_here += already_here;
        for (outcomes, admissions) in units.gather()?.into_iter().zip(lines) {
            for (outcome, admission) in outcomes.into_iter().zip(admissions.iter()) {
                match outcome {
                    Outcome::Registered => to.registered += 1,
                    Outcome::AlreadyHere => to.already_here += 1,
                    _ => bad.extend(self.reject(admission.origin.line, outcome)),
                }
            }
        }
        bad.sort_by_key(Reject::line);
        to.rejected += bad.len() as i64;
        to.rejects_bytes = rejects.append(&bad)?.cast_signed();
        (to.next_byte, to.next_line) = (next.byte.cast_signed(), next.line.cast_signed());
        to.done = is_last;

        let (id, from_byte) = (self.id, state.next_byte);
        let moved = self.store.write::<_, StoreError, _>(self.store.buckets().home(), move |tx| {
            table::move_import(tx, &id, from_byte, &to)
        })?;
        if !moved {
            return Err(Refusal::ImportRuns.into());
        }
        debug_assert!(to.next_byte.unsigned_abs() <= self.bytes);
        *state = to;
        Ok(())
    }

    fn reject(&self, line: i64, outcome: Outcome) -> Option<Reject> {
        let column = self.plan.column(Field::Reference);
        match outcome {
            Outcome::Registered | Outcome::AlreadyHere => None,
            Outcome::Duplicate { first_line } => Some(Reject::duplicate(line, column, first_line)),
            Outcome::OtherData => Some(Reject::other_data(line, column)),
        }
    }
}

impl ImportRow {
    fn at(place: Place) -> ImportRow {
        ImportRow {
            done: false,
            next_byte: place.byte.cast_signed(),
            next_line: place.line.cast_signed(),
            registered: 0,
            already_here: 0,
            rejected: 0,
            rejects_bytes: 0,
        }
    }
}

impl Progress {
    fn of(row: &ImportRow, bytes: u64) -> Progress {
        Progress {
            bytes_done: row.next_byte.unsigned_abs(),
            bytes,
            registered: row.registered.unsigned_abs(),
            already_here: row.already_here.unsigned_abs(),
            rejected: row.rejected.unsigned_abs(),
        }
    }
}

/// The places of each bucket.
type Groups = Vec<(Bucket, Vec<usize>)>;

fn group(buckets: impl Iterator<Item = Bucket>) -> Groups {
    let mut groups: BTreeMap<Bucket, Vec<usize>> = BTreeMap::new();
    for (place, bucket) in buckets.enumerate() {
        groups.entry(bucket).or_default().push(place);
    }
    groups.into_iter().collect()
}

/// Puts the answers of groups back in the order of the places.
fn spread<T>(groups: &Groups, answers: Vec<Vec<T>>, count: usize) -> Vec<T> {
    let mut spread: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for ((_, places), answers) in groups.iter().zip(answers) {
        for (place, answer) in places.iter().zip(answers) {
            spread[*place] = Some(answer);
        }
    }
    spread.into_iter().map(|answer| answer.expect("each place stands in one group")).collect()
}

pub(crate) enum PlanError {
    File(io::Error),
    Refused(Refusal),
}

/// Reads the header, and finds the columns in it.
pub(crate) fn plan<R: Read>(
    rows: &mut Rows<R>,
    mapping: &Mapping,
    format: Format,
) -> Result<Plan, PlanError> {
    if format == Format::Jsonl {
        return Ok(mapping.plan_for_json());
    }
    let mut header = Row::default();
    match rows.next(None, &mut header).map_err(PlanError::File)? {
        Some(Ok(())) => mapping.plan_for_csv(&header).map_err(PlanError::Refused),
        Some(Err(why)) => {
            Err(PlanError::Refused(Refusal::File(format!("the first line, with the columns' names: {why}"))))
        }
        None => Err(PlanError::Refused(Refusal::File("the file is empty".to_owned()))),
    }
}

/// SHA-256 of the file, and its length.
pub(crate) fn fingerprint(file: &mut File) -> io::Result<(digest::Digest, u64)> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut piece = vec![0; 262_144];
    let mut bytes = 0;
    loop {
        match file.read(&mut piece)? {
            0 => return Ok((context.finish(), bytes)),
            read => {
                context.update(&piece[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// What stands for this file, read in this way under this pack. Read in another way it is another import.
fn import_id(keys: &Keys, pack: &Pack, mapping: &Mapping, fingerprint: &digest::Digest) -> BlindIndex {
    let mapping = serde_json::to_vec(mapping).expect("a mapping is plain data");
    let pack = format!("\0{}\0{}\0", pack.id, pack.version);
    keys.blind_index("person.import", &[fingerprint.as_ref(), pack.as_bytes(), &mapping].concat())
}

pub(crate) fn cannot(what: &str, path: &Path, error: &io::Error) -> PersonError {
    Refusal::File(format!("cannot {what} {}: {error}", path.display())).into()
}

/// Appends bytes and makes them durable.
fn append_durably(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()
}
