//! Counters with unusual patterns: what officers do at counters, held against what people can do and against what is usual.

use std::collections::BTreeMap;

use kaname_base::Instant;

/// What an officer does for one person at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
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

/// What officers wrote, as seconds since 1970, by act and officer.
pub struct Counters {
    since: Instant,
    wrote: BTreeMap<(Act, String), Vec<u32>>,
}

impl Counters {
    /// Counts what was done in the three months before `now`.
    pub fn before(now: Instant) -> Counters {
        Counters { since: now.plus_seconds(-DAYS * 86_400), wrote: BTreeMap::new() }
    }

    /// Notes that `officer` did something for somebody at `at`.
    pub fn note(&mut self, act: Act, officer: &str, at: Instant) {
        if at < self.since {
            return;
        }
        let seconds = u32::try_from(at.micros().max(0) / 1_000_000).unwrap_or(u32::MAX);
        self.wrote.entry((act, officer.to_owned())).or_default().push(seconds);
    }

    /// What is unusual, each once for each day. `office_of` says where an officer works. What is usual for an act is the median day
    /// of an officer, and of an office, over all of them.
    pub fn unusual(mut self, office_of: &BTreeMap<String, String>) -> Vec<Pattern> {
        let mut found = Vec::new();
        let mut by_officer: BTreeMap<(Act, &str), Days> = BTreeMap::new();
        let mut by_office: BTreeMap<(Act, &str), Days> = BTreeMap::new();
        for ((act, officer), times) in &mut self.wrote {
            times.sort_unstable();
            found.extend(bursts(times).map(|(word, day)| Pattern {
                act: *act,
                who: officer.clone(),
                word,
                day,
            }));
            for time in times.iter() {
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
fn bursts(times: &[u32]) -> impl Iterator<Item = (&'static str, u32)> {
    let many = times.windows(A_MINUTE).filter(|window| window[A_MINUTE - 1] - window[0] < 60);
    let near = times.windows(2).filter(|pair| pair[1] - pair[0] < SECONDS_APART);
    many.map(|window| ("many-in-a-minute", window[0] / 86_400))
        .chain(near.map(|pair| ("two-people-at-once", pair[0] / 86_400)))
}

fn median<'d>(counts: impl Iterator<Item = &'d u64>) -> u64 {
    let mut counts: Vec<u64> = counts.copied().collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}
