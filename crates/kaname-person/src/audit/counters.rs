//! Counters with unusual patterns: what officers do at counters, held against what people can do and against what is usual.
//!
//! An audit opens only who has changed, and what is usual is known from three months: what was counted is kept, a row for each officer,
//! act and day, and the next audit adds to it. The same thing seen twice counts once.

use std::collections::{BTreeMap, BTreeSet};

use kaname_base::Instant;
use kaname_store::{StoreError, Tx};
use kaname_trust::{PersonId, TrustError};
use serde::{Deserialize, Serialize};

use super::table;
use crate::link::Desk;
use crate::{PersonError, serial};

/// What an officer does for one person at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Entered somebody into the register.
    Registration,
    /// Corrected a record.
    Correction,
    /// Decided about a link.
    Link,
    /// Registered an account to be paid on.
    Account,
}

impl Act {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Act::Registration => "registration",
            Act::Correction => "correction",
            Act::Link => "link",
            Act::Account => "account",
        }
    }
}

/// Something unusual: it names an officer or an office, and nobody else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pattern {
    /// What was done.
    pub act: Act,
    /// The officer's id, or the office by the pack's code.
    pub who: String,
    /// A word: `two-people-at-once`, `many-in-a-minute`, `many-in-a-day` or `busy-office`.
    pub word: &'static str,
    /// On which day, counted since 1970.
    pub day: u32,
}

/// How far back is looked. What is older was looked at when it was new, and memory is bounded by what officers do in this time.
const DAYS: i64 = 92;

/// How close together an officer may write about two different people: nobody leaves a counter and another one sits down in less.
const SECONDS_APART: u32 = 10;

/// How many in one minute are a pattern, whatever the distance.
const A_MINUTE: usize = 12;

/// How many in a day are looked at at all: fewer are nothing, however quiet the others were.
const A_DAY: u64 = 40;

/// How many times what is usual in a day is unusual.
const TIMES: u64 = 4;

/// What officers wrote, and for whom, by act and officer.
pub struct Counters {
    since: Instant,
    wrote: BTreeMap<(Act, String), BTreeSet<(Instant, PersonId)>>,
}

/// What an officer did on one day, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    act: Act,
    officer: String,
    at: Vec<Instant>,
    #[serde(with = "serial::people")]
    people: Vec<PersonId>,
}

const KEPT: &[u8] = b"person.audit-counter";
const DAY: i64 = 86_400;

impl Counters {
    /// Counts what was done in the three months before `now`.
    pub fn before(now: Instant) -> Counters {
        Counters { since: now.plus_seconds(-DAYS * DAY), wrote: BTreeMap::new() }
    }

    /// Notes that `officer` did something for `person` at `at`; noted again, it counts once.
    pub fn note(&mut self, act: Act, officer: &str, person: PersonId, at: Instant) {
        if at >= self.since {
            self.wrote.entry((act, officer.to_owned())).or_default().insert((at, person));
        }
    }

    /// Adds what was noted to what earlier audits have kept, and forgets what is older than three months.
    ///
    /// # Errors
    /// [`PersonError::Store`]; asked again, nothing counts twice.
    pub(super) fn keep(&self, desk: &Desk) -> Result<(), PersonError> {
        for ((act, officer), all) in &self.wrote {
            let id =
                desk.keys.blind_index("person.audit-counter", format!("{} {officer}", act.code()).as_bytes());
            let bucket = desk.store.buckets().of_hash(&id);
            let mut by_day: BTreeMap<i64, BTreeSet<(Instant, PersonId)>> = BTreeMap::new();
            for (at, person) in all {
                by_day.entry(day_of(*at)).or_default().insert((*at, *person));
            }
            let (with, act, officer) = (desk.clone(), *act, officer.clone());
            desk.store.write::<_, PersonError, _>(bucket, move |tx| {
                for (day, new) in &by_day {
                    let mut done = new.clone();
                    if let Some(wrapped) = table::counter(tx, &id, *day)? {
                        let kept = unwrap(&with, &wrapped)?;
                        let before = kept.at.len();
                        done.extend(kept.at.into_iter().zip(kept.people));
                        if done.len() == before {
                            continue; // seen before
                        }
                    }
                    let (at, people) = done.into_iter().unzip();
                    let kept = Kept { act, officer: officer.clone(), at, people };
                    let bytes = serde_json::to_vec(&kept).expect("a count is plain data");
                    table::set_counter(tx, &id, *day, &with.keys.wrap(KEPT, &bytes))?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Adds what earlier audits have kept.
    pub(super) fn add_kept(&mut self, desk: &Desk) -> Result<(), PersonError> {
        let first = day_of(self.since);
        for bucket in desk.store.buckets().all() {
            let forget = move |tx: &mut Tx<'_>| {
                let rows = table::counters(tx, first)?;
                table::forget_counters(tx, first)?;
                Ok::<_, StoreError>(rows)
            };
            for wrapped in desk.store.write(bucket, forget)? {
                let Kept { act, officer, at, people } = unwrap(desk, &wrapped)?;
                for (at, person) in at.into_iter().zip(people) {
                    self.note(act, &officer, person, at);
                }
            }
        }
        Ok(())
    }

    /// What is unusual, each once for each day. `office_of` says where an officer works. What is usual for an act is the median day
    /// of an officer, and of an office, over all of them.
    pub fn unusual(self, office_of: &BTreeMap<String, String>) -> Vec<Pattern> {
        let mut found = Vec::new();
        let mut by_officer: BTreeMap<(Act, &str), Days> = BTreeMap::new();
        let mut by_office: BTreeMap<(Act, &str), Days> = BTreeMap::new();
        for ((act, officer), all) in &self.wrote {
            let times: Vec<(u32, PersonId)> =
                all.iter().map(|(at, person)| (seconds_of(*at), *person)).collect();
            found.extend(bursts(&times).map(|(word, day)| Pattern {
                act: *act,
                who: officer.clone(),
                word,
                day,
            }));
            for (time, _) in &times {
                let day = time / 86_400;
                *by_officer.entry((*act, officer)).or_default().entry(day).or_default() += 1;
                if let Some(office) = office_of.get(officer) {
                    *by_office.entry((*act, office)).or_default().entry(day).or_default() += 1;
                }
            }
        }
        for (days, word) in [(&by_officer, "many-in-a-day"), (&by_office, "busy-office")] {
            for ((act, who), mine) in days {
                let usual =
                    median(days.iter().filter(|((of, _), _)| of == act).flat_map(|(_, of)| of.values()));
                let many = mine.iter().filter(|(_, count)| **count >= A_DAY && **count > usual * TIMES);
                found.extend(many.map(|(day, _)| Pattern {
                    act: *act,
                    who: (*who).to_owned(),
                    word,
                    day: *day,
                }));
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

/// How often something was done on each day.
type Days = BTreeMap<u32, u64>;

/// Where an officer was faster than people are: a word and the day.
fn bursts(times: &[(u32, PersonId)]) -> impl Iterator<Item = (&'static str, u32)> {
    let many = times.windows(A_MINUTE).filter(|window| window[A_MINUTE - 1].0 - window[0].0 < 60);
    // Twice for one person is one visit.
    let near =
        times.windows(2).filter(|pair| pair[1].0 - pair[0].0 < SECONDS_APART && pair[0].1 != pair[1].1);
    many.map(|window| ("many-in-a-minute", window[0].0 / 86_400))
        .chain(near.map(|pair| ("two-people-at-once", pair[0].0 / 86_400)))
}

fn seconds_of(at: Instant) -> u32 {
    u32::try_from(at.micros().max(0) / 1_000_000).unwrap_or(u32::MAX)
}

fn day_of(at: Instant) -> i64 {
    i64::from(seconds_of(at)) / DAY
}

fn unwrap(desk: &Desk, wrapped: &[u8]) -> Result<Kept, PersonError> {
    let bytes = desk.keys.unwrap(KEPT, wrapped)?;
    serde_json::from_slice(&bytes).map_err(|_| TrustError::Unreadable("person.audit-counter").into())
}

fn median<'d>(counts: impl Iterator<Item = &'d u64>) -> u64 {
    let mut counts: Vec<u64> = counts.copied().collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}
