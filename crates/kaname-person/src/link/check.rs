//! Use case: compare an agency's records with the register, some thousand at a time, and link those whose evidence is there.
//!
//! A batch goes through these steps, each durable before the next begins:
//!
//! 1. the directory says which records are known already;
//! 2. the residents who come into question are found, and each is opened under a receipt and compared;
//! 3. a link whose record says something else by now is suspended, or keeps that; then what is decided is written into the directory:
//!    claimed for somebody, a case for an officer, or refused;
//! 4. those that were claimed are linked, in the buckets of the people;
//! 5. the directory confirms them.
//!
//! Killed anywhere and asked again with the same run, each record ends as it would have. Ids of links follow from the record and the
//! person, so that step 4 done twice links once, and a claim that step 4 never came to is decided anew.

mod find;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kaname_base::number::PersonNumber;
use kaname_base::pack::source::Source;
use kaname_base::{Bucket, Env};
use kaname_store::{StoreError, Tx};
use kaname_trust::Actor;
use kaname_trust::keys::BlindIndex;

use super::case::open_case;
use super::table::{self, EntryRow, Standing};
use super::{Desk, Doubt, outside_index};
use crate::scatter::scatter_reads;
use crate::{Action, Particulars, PersonError, number, policy};
use write::Plan;

/// One record of an agency's list.
#[derive(Clone)]
pub struct OutsideRow {
    /// Where it stands in the list, from 1.
    pub line: u64,
    /// What the agency says; `reference` is its own id. The sex is empty where the list has none.
    pub record: Particulars,
    /// The resident's number, where the agency has it.
    pub number: Option<NumberGiven>,
}

/// The number that an agency gives for a person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NumberGiven {
    /// It could be one.
    Wellformed(PersonNumber),
    /// It breaks the rules of the scheme: somebody mistyped it.
    Mistyped,
}

/// A list, or a part of one, to be checked.
#[derive(Clone)]
pub struct Check<'a> {
    /// The source of the pack.
    pub source: &'a str,
    /// What stands for the list: the same run again changes nothing.
    pub run: BlindIndex,
    /// Who checks.
    pub by: Actor,
}

/// What became of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is linked; with some sources it still waits for its holder.
    Linked,
    /// An officer is to look.
    Review(Doubt),
    /// It is nobody's here.
    Refused,
    /// It was decided before, with the same data.
    Already,
    /// An earlier line of the same list has its id.
    Duplicate {
        /// That line.
        first_line: i64,
    },
}

/// Checks records; the answers are in their order.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`], [`crate::Refusal::UnknownSource`]; after a [`PersonError::Store`] ask again with the same run.
pub fn check_rows(
    desk: &Desk,
    env: &Env,
    ask: &Check<'_>,
    rows: &[OutsideRow],
) -> Result<Vec<Outcome>, PersonError> {
    policy::may(&ask.by, Action::CheckLinks)?;
    let source = Arc::new(desk.source(ask.source)?.clone());
    let batch = Batch { desk, env, ask, source };
    let known = batch.known(rows)?;

    let mut outcomes: Vec<Option<Outcome>> = known.iter().map(|known| known.outcome).collect();
    let open: Vec<usize> = (0..rows.len()).filter(|place| outcomes[*place].is_none()).collect();
    let decisions = batch.decide(rows, &known, &open)?;
    let plans: Vec<Plan> = open
        .iter()
        .zip(decisions)
        .map(|(place, decision)| batch.plan(*place, &rows[*place], &known[*place], decision))
        .collect();
    for (place, outcome) in batch.carry_out(&plans, rows)? {
        outcomes[place] = Some(outcome);
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Already)).collect())
}

/// What stays the same for a batch.
struct Batch<'a> {
    desk: &'a Desk,
    env: &'a Env,
    ask: &'a Check<'a>,
    source: Arc<Source>,
}

/// A record with what the directory says of it.
struct Known {
    outside: BlindIndex,
    content: BlindIndex,
    entry: Option<EntryRow>,
    outcome: Option<Outcome>,
}

impl Batch<'_> {
    /// Step 1.
    fn known(&self, rows: &[OutsideRow]) -> Result<Vec<Known>, PersonError> {
        let keys = &self.desk.keys;
        let mut known: Vec<Known> = rows
            .iter()
            .map(|row| Known {
                outside: outside_index(keys, &self.source.code, &row.record.reference),
                content: content_of(self.desk, row),
                entry: None,
                outcome: None,
            })
            .collect();
        let mut first_lines: HashMap<BlindIndex, i64> = HashMap::new();
        for (row, known) in rows.iter().zip(&mut known) {
            let line = row.line.cast_signed();
            let first_line = *first_lines.entry(known.outside).or_insert(line);
            known.outcome = (first_line != line).then_some(Outcome::Duplicate { first_line });
        }
        let groups = self.by_directory(known.iter().map(|known| &known.outside));
        let units = groups.iter().map(|(bucket, places)| {
            let indexes: Vec<BlindIndex> = places.iter().map(|place| known[*place].outside).collect();
            (*bucket, move |tx: &mut Tx<'_>| table::entries(tx, &indexes).map_err(PersonError::from))
        });
        let answers = scatter_reads(&self.desk.store, units.collect())?.gather()?;
        for ((_, places), entries) in groups.iter().zip(answers) {
            for (place, entry) in places.iter().zip(entries) {
                known[*place].entry = entry;
            }
        }
        for (row, known) in rows.iter().zip(&mut known) {
            if known.outcome.is_none()
                && let Some(entry) = known.entry.clone()
            {
                known.outcome = self.standing(row, known, &entry)?;
            }
        }
        Ok(known)
    }

    /// What is settled already about a record that the directory knows.
    fn standing(
        &self,
        row: &OutsideRow,
        known: &mut Known,
        entry: &EntryRow,
    ) -> Result<Option<Outcome>, PersonError> {
        let mut entry = entry.clone();
        if entry.standing == Standing::Claimed
            && let Some((person, link)) = entry.owner
        {
            // Whoever claimed it died before confirming. The link tells whether it came to it.
            let bucket = self.desk.bucket_of(person);
            let found =
                self.desk.store.read::<_, StoreError, _>(bucket, move |tx| table::link(tx, person, link))?;
            if found.is_some() {
                entry.standing = Standing::Linked;
                entry.opened = Vec::new();
                let (bucket, confirmed) = (self.desk.directory_bucket(&entry.outside), entry.clone());
                self.desk.store.write::<_, StoreError, _>(bucket, move |tx| {
                    table::put_entries(tx, std::slice::from_ref(&confirmed))
                })?;
                entry.version += 1;
                known.entry = Some(entry.clone());
            }
        }
        let same_run = entry.run == self.ask.run;
        if same_run && entry.line != row.line.cast_signed() {
            return Ok(Some(Outcome::Duplicate { first_line: entry.line }));
        }
        let same_content = entry.content == known.content;
        Ok(match entry.standing {
            Standing::Linked if same_run && same_content => Some(Outcome::Linked),
            Standing::Review if same_run && same_content => {
                let case = open_case(self.desk, &entry)?;
                Some(Outcome::Review(case.doubt))
            }
            Standing::Refused if same_run => Some(Outcome::Refused),
            Standing::Linked | Standing::Review if same_content => Some(Outcome::Already),
            // Whom nobody knew may have come into the register since.
            _ => None,
        })
    }

    fn by_directory<'i>(&self, indexes: impl Iterator<Item = &'i BlindIndex>) -> Vec<(Bucket, Vec<usize>)> {
        let mut groups: BTreeMap<Bucket, Vec<usize>> = BTreeMap::new();
        for (place, index) in indexes.enumerate() {
            groups.entry(self.desk.directory_bucket(index)).or_default().push(place);
        }
        groups.into_iter().collect()
    }
}

/// What stands for everything that the agency says of a record.
fn content_of(desk: &Desk, row: &OutsideRow) -> BlindIndex {
    let mut bytes = serde_json::to_vec(&row.record).expect("particulars are plain data");
    match &row.number {
        None => {}
        Some(NumberGiven::Mistyped) => bytes.push(1),
        Some(NumberGiven::Wellformed(number)) => {
            bytes.extend_from_slice(&number::index_of(&desk.keys, number));
        }
    }
    desk.keys.blind_index("person.outside-content", &bytes)
}
