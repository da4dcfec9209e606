//! Use case: check an agency's file, some thousand rows at a time.
//!
//! The file is read as an import's is: CSV or JSON lines, by a mapping, with a file of rejects. Each batch is decided
//! ([`check_rows`]), then its rejects are flushed, then the run's row moves on. Killed anywhere, the next run goes on from that row,
//! and what the batch had done already counts as done by it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::StoreError;
use kaname_trust::Actor;
use kaname_trust::keys::BlindIndex;

use super::check::{Check, NumberGiven, Outcome, OutsideRow, check_rows};
use super::list::Counts;
use super::table::{self, RunRow};
use super::{Desk, index};
use crate::import::mapping::Plan;
use crate::import::reader::{Place, Row, Rows};
use crate::import::rejects::{Reject, Rejects};
use crate::import::{Format, Mapping, PlanError, cannot, fingerprint, plan};
use crate::{Action, Entry, Fault, Field, Particulars, PersonError, Reason, Refusal, policy};

/// How many rows go through together.
pub const BATCH: usize = 4_096;

/// A file to be checked.
#[derive(Clone)]
pub struct CheckFile<'a> {
    /// The source of the pack.
    pub source: &'a str,
    /// CSV, or JSON lines when its name ends in `.jsonl` or `.ndjson`, or the mapping says so.
    pub file: &'a Path,
    /// Where the rows go that cannot be read.
    pub rejects: &'a Path,
    /// Which column is which.
    pub mapping: &'a LinkMapping,
    /// Who checks.
    pub by: Actor,
    /// How many rows go through together: [`BATCH`], or fewer to see more steps.
    pub batch: usize,
}

/// Which column is which: an import's mapping, and where the resident's number stands if the agency has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkMapping {
    mapping: Mapping,
    number: Option<String>,
    own: bool,
}

/// The column that holds the resident's number in our own form.
const NUMBER: &str = "number";

impl LinkMapping {
    /// Our own form: the columns are called as the fields are; `reference` is the agency's id, and `number` may be there.
    pub fn own() -> LinkMapping {
        let mut mapping = Mapping::own();
        mapping.columns.remove(&Field::Status);
        LinkMapping { mapping, number: Some(NUMBER.to_owned()), own: true }
    }

    /// Reads a mapping file (TOML): an import's, with `number = "column"` beside it.
    ///
    /// # Errors
    /// [`Refusal::Mapping`], with the line.
    pub fn parse(text: &str) -> Result<LinkMapping, Refusal> {
        let mut file: toml::Table =
            text.parse().map_err(|error: toml::de::Error| Refusal::Mapping(error.to_string()))?;
        let number = match file.remove(NUMBER) {
            None => None,
            Some(toml::Value::String(column)) => Some(column),
            Some(_) => return Err(Refusal::Mapping("`number` must be the name of a column".to_owned())),
        };
        // The source is named by the command; a mapping of an import may name one all the same.
        file.entry("source").or_insert_with(|| toml::Value::String("outside".to_owned()));
        let text = toml::to_string(&file).map_err(|error| Refusal::Mapping(error.to_string()))?;
        Ok(LinkMapping { mapping: Mapping::parse(&text)?, number, own: false })
    }

    /// The mapping with what a record of an agency need not have.
    fn completed(&self, pack: &Pack) -> Mapping {
        let mut mapping = self.mapping.clone();
        let has = |mapping: &Mapping, field| {
            mapping.columns.contains_key(&field) || mapping.constants.contains_key(&field)
        };
        if !has(&mapping, Field::Status) {
            // Not compared. A foreign resident's, because less is asked of her entry.
            let status = pack.statuses.iter().find(|status| !status.citizen).or(pack.statuses.first());
            let code = status.map_or_else(String::new, |status| status.code.clone());
            mapping.constants.insert(Field::Status, code);
        }
        mapping
    }
}

/// How far a check is; sums over the whole file, earlier runs included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Bytes of the file that are done and durable.
    pub bytes_done: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Records linked.
    pub linked: u64,
    /// Records that an officer must look at.
    pub review: u64,
    /// Records that are nobody's here.
    pub refused: u64,
    /// Records that were decided before, with the same data.
    pub already: u64,
    /// Rows that could not be read.
    pub rejected: u64,
}

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// The sums.
    pub progress: Progress,
    /// Whether this very file was checked before in this way, and so nothing was done.
    pub nothing_new: bool,
}

/// Checks what of the file is not checked yet. `progress` is told after each batch.
///
/// # Errors
/// [`Refusal::File`], [`Refusal::Mapping`], [`Refusal::ImportRuns`], [`Refusal::NotAllowed`], [`Refusal::UnknownSource`]; a
/// [`PersonError::Store`] ends it too, and the next run goes on from there.
pub fn check_file(
    desk: &Desk,
    env: &Env,
    ask: &CheckFile<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Report, PersonError> {
    policy::may(&ask.by, Action::CheckLinks)?;
    desk.source(ask.source)?;
    let mapping = ask.mapping.completed(&desk.pack);
    let failed = |error: io::Error| cannot("read", ask.file, &error);
    let mut file = File::open(ask.file).map_err(failed)?;
    let (digest, bytes) = fingerprint(&mut file).map_err(failed)?;
    let id = run_id(desk, ask, &mapping, digest.as_ref());
    let home = desk.store.buckets().home();
    let found = desk.store.read::<_, StoreError, _>(home, move |tx| table::run(tx, &id))?;
    if let Some(done) = found.filter(|row| row.done) {
        return Ok(Report { progress: progress_of(&done, bytes), nothing_new: true });
    }

    let mut rejects = Rejects::open(ask.rejects, found.map_or(0, |row| row.rejects_bytes.unsigned_abs()))?;
    let format = mapping.format_of(ask.file);
    let delimiter = mapping.delimiter as u8;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut rows = Rows::new(file, Place { byte: 0, line: 1 }, format, delimiter);
    let header_rows = Rows::new(File::open(ask.file).map_err(failed)?, rows.place(), format, delimiter);
    let header = header_of(header_rows, format).map_err(failed)?;
    let plan = plan(&mut rows, &mapping, format).map_err(|error| match error {
        PlanError::File(error) => cannot("read", ask.file, &error),
        PlanError::Refused(refusal) => refusal.into(),
    })?;
    let number = number_column(ask.mapping, format, &header)?;
    let mut state = match found {
        Some(state) => state,
        None => {
            let at = rows.place();
            let start = RunRow {
                next_byte: at.byte.cast_signed(),
                next_line: at.line.cast_signed(),
                ..RunRow::default()
            };
            desk.store.write::<_, StoreError, _>(home, move |tx| table::start_run(tx, &id, &start))?;
            start
        }
    };
    if state.next_byte.unsigned_abs() != rows.place().byte {
        let place = Place { byte: state.next_byte.unsigned_abs(), line: state.next_line.unsigned_abs() };
        let mut file = File::open(ask.file).map_err(failed)?;
        file.seek(SeekFrom::Start(place.byte)).map_err(failed)?;
        rows = Rows::new(file, place, format, delimiter);
    }

    index::refresh(desk, env, &mut |_| {})?;
    let reading = Reading { pack: &desk.pack, plan, number, today: env.now.date_in(&desk.pack.time_zone) };
    let check = Check { source: ask.source, run: id, by: ask.by.clone() };
    loop {
        let mut batch = reading.batch(&mut rows, ask.batch.max(1)).map_err(failed)?;
        let outcomes = check_rows(desk, env, &check, &batch.rows)?;
        let to = next_state(&state, &reading, &mut batch, &outcomes, rows.place(), &mut rejects)?;

        let from_byte = state.next_byte;
        let moved =
            desk.store.write::<_, StoreError, _>(home, move |tx| table::move_run(tx, &id, from_byte, &to))?;
        if !moved {
            return Err(Refusal::ImportRuns.into());
        }
        state = to;
        let now = progress_of(&state, bytes);
        progress(&now);
        if state.done {
            return Ok(Report { progress: now, nothing_new: false });
        }
    }
}

/// The sums after a batch; its rejects are durable then.
fn next_state(
    state: &RunRow,
    reading: &Reading<'_>,
    batch: &mut Batch,
    outcomes: &[Outcome],
    next: Place,
    rejects: &mut Rejects,
) -> Result<RunRow, PersonError> {
    let mut to = *state;
    let mut counts = Counts::default();
    for (row, outcome) in batch.rows.iter().zip(outcomes) {
        if let Some(first_line) = counts.add(*outcome) {
            let column = reading.plan.column(Field::Reference);
            batch.rejects.push(Reject::duplicate(row.line.cast_signed(), column, first_line));
        }
    }
    to.linked += counts.linked.cast_signed();
    to.review += counts.review.cast_signed();
    to.refused += counts.refused.cast_signed();
    to.already += counts.already.cast_signed();
    batch.rejects.sort_by_key(Reject::line);
    to.rejected += batch.rejects.len() as i64;
    to.rejects_bytes = rejects.append(&batch.rejects)?.cast_signed();
    (to.next_byte, to.next_line) = (next.byte.cast_signed(), next.line.cast_signed());
    to.done = batch.is_last;
    Ok(to)
}

/// Rows that were read.
#[derive(Default)]
struct Batch {
    rows: Vec<OutsideRow>,
    rejects: Vec<Reject>,
    is_last: bool,
}

/// How the rows of a file become records.
struct Reading<'a> {
    pack: &'a Pack,
    plan: Plan,
    number: Option<NumberColumn>,
    today: jiff::civil::Date,
}

/// Where the number stands.
enum NumberColumn {
    Csv(usize),
    Json(String),
}

impl Reading<'_> {
    /// The next rows, at most `most`.
    fn batch<R: Read>(&self, rows: &mut Rows<R>, most: usize) -> io::Result<Batch> {
        let mut batch = Batch::default();
        let mut row = Row::default();
        while batch.rows.len() + batch.rejects.len() < most {
            let Some(read) = rows.next(self.plan.columns(), &mut row)? else {
                batch.is_last = true;
                break;
            };
            match read.map_err(|why| Reject::unreadable(row.line, why)).and_then(|()| self.row(&row)) {
                Ok(row) => batch.rows.push(row),
                Err(reject) => batch.rejects.push(reject),
            }
        }
        Ok(batch)
    }

    fn row(&self, row: &Row) -> Result<OutsideRow, Reject> {
        let fault = |fault: Fault| Reject::fault(row.line, self.plan.column(fault.field), fault);
        let texts = self.plan.texts(row).map_err(|why| Reject::unreadable(row.line, why))?;
        let record = outside_record(&texts.entry(), self.pack, self.today).map_err(fault)?;
        let number = match &self.number {
            None => String::new(),
            Some(NumberColumn::Csv(column)) => row.cell(*column).to_owned(),
            Some(NumberColumn::Json(name)) => {
                let object = row.json().map_err(|why| Reject::unreadable(row.line, why))?;
                match object.get(name) {
                    None | Some(serde_json::Value::Null) => String::new(),
                    Some(serde_json::Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                }
            }
        };
        Ok(OutsideRow { line: row.line, record, number: number_given(self.pack, &number) })
    }
}

/// What an agency filled in, checked as a resident's entry is; only the sex may be missing.
///
/// # Errors
/// The first [`Fault`].
pub fn outside_record(
    entry: &Entry<'_>,
    pack: &Pack,
    today: jiff::civil::Date,
) -> Result<Particulars, Fault> {
    let no_sex = entry.sex.trim().is_empty();
    let any_sex = pack.person.sexes.first().map_or("", |sex| sex.code.as_str());
    let entry = Entry { sex: if no_sex { any_sex } else { entry.sex }, ..*entry };
    let mut record = Particulars::check(&entry, pack, today)?;
    if record.reference.is_empty() {
        return Err(Field::Reference.fault(Reason::Missing));
    }
    if no_sex {
        record.sex.clear();
    }
    Ok(record)
}

/// The number in a record; `None` when the agency has none.
pub fn number_given(pack: &Pack, text: &str) -> Option<NumberGiven> {
    match text.trim() {
        "" => None,
        text => Some(pack.number.parse(text).map_or(NumberGiven::Mistyped, NumberGiven::Wellformed)),
    }
}

/// Reads a whole list in our own form that is small enough to be held: its rows, and which of them cannot be read.
///
/// # Errors
/// [`Refusal::Mapping`] and [`Refusal::File`] when the first line is not ours.
pub(super) fn read_text(
    pack: &Pack,
    text: &[u8],
    format: Format,
    today: jiff::civil::Date,
) -> Result<(Vec<OutsideRow>, Vec<Reject>), Refusal> {
    let wrong = |error: io::Error| Refusal::File(error.to_string());
    let start = || Rows::new(text, Place { byte: 0, line: 1 }, format, b',');
    let own = LinkMapping::own();
    let mut rows = start();
    let plan = plan(&mut rows, &own.completed(pack), format).map_err(|error| match error {
        PlanError::File(error) => wrong(error),
        PlanError::Refused(refusal) => refusal,
    })?;
    let number = number_column(&own, format, &header_of(start(), format).map_err(wrong)?)?;
    let batch = Reading { pack, plan, number, today }.batch(&mut rows, usize::MAX).map_err(wrong)?;
    Ok((batch.rows, batch.rejects))
}

/// The names of a CSV file's columns, from its first line.
fn header_of<R: Read>(mut rows: Rows<R>, format: Format) -> io::Result<Vec<String>> {
    if format == Format::Jsonl {
        return Ok(Vec::new());
    }
    let mut header = Row::default();
    let _read = rows.next(None, &mut header)?;
    Ok((0..header.len()).map(|column| header.cell(column).to_owned()).collect())
}

fn number_column(
    mapping: &LinkMapping,
    format: Format,
    header: &[String],
) -> Result<Option<NumberColumn>, Refusal> {
    let Some(name) = &mapping.number else { return Ok(None) };
    match format {
        Format::Jsonl => Ok(Some(NumberColumn::Json(name.clone()))),
        Format::Csv => match header.iter().position(|column| column.trim() == name) {
            Some(place) => Ok(Some(NumberColumn::Csv(place))),
            None if mapping.own => Ok(None),
            None => Err(Refusal::Mapping(format!("the file has no column `{name}` (for `number`)"))),
        },
    }
}

fn progress_of(row: &RunRow, bytes: u64) -> Progress {
    Progress {
        bytes_done: row.next_byte.unsigned_abs(),
        bytes,
        linked: row.linked.unsigned_abs(),
        review: row.review.unsigned_abs(),
        refused: row.refused.unsigned_abs(),
        already: row.already.unsigned_abs(),
        rejected: row.rejected.unsigned_abs(),
    }
}

/// What stands for this file, checked in this way for this source under this pack.
fn run_id(desk: &Desk, ask: &CheckFile<'_>, mapping: &Mapping, digest: &[u8]) -> BlindIndex {
    let mapping = serde_json::to_vec(mapping).expect("a mapping is plain data");
    let number = ask.mapping.number.as_deref().unwrap_or("");
    let what = format!("\0{}\0{}\0{}\0{number}\0", ask.source, desk.pack.id, desk.pack.version);
    desk.keys.blind_index("person.link-run", &[digest, what.as_bytes(), &mapping].concat())
}
