//! What is wrong with a person's entry or her links: facts in, findings out.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kaname_base::Instant;
use kaname_base::pack::source::Source;

use crate::link::rules::still_holds;
use crate::link::{Evidence, Link};
use crate::{Resident, Standing};

/// Nobody is older.
const OLDEST: i16 = 125;

/// Dates of an entry that cannot be; each a word.
pub fn impossible_dates(resident: &Resident, today: Date) -> Vec<&'static str> {
    let of = &resident.particulars;
    let born = of.born.earliest();
    let is_here = resident.life.standing == Standing::Here;
    let dead = match resident.life.standing {
        Standing::Dead { on } => Some(on),
        _ => None,
    };
    let stay = of.stay.as_ref();
    let checks = [
        ("born-in-the-future", born > today),
        ("older-than-anybody", is_here && today.year() - born.year() > OLDEST),
        ("dead-before-born", dead.is_some_and(|on| on < born)),
        ("dead-in-the-future", dead.is_some_and(|on| on > today)),
        ("lived-there-before-born", of.address_since.is_some_and(|since| since < born)),
        (
            "stay-ends-before-it-begins",
            stay.is_some_and(
                |stay| matches!((stay.from, stay.until), (Some(from), Some(until)) if until < from),
            ),
        ),
        (
            "moved-before-it-began",
            resident
                .life
                .former_addresses
                .iter()
                .any(|former| former.from.is_some_and(|from| former.until < from)),
        ),
    ];
    checks.into_iter().filter(|(_, wrong)| *wrong).map(|(word, _)| word).collect()
}

/// Dates of a link that cannot be.
pub(super) fn impossible_link(link: &Link, resident: &Resident, zone: &str) -> Option<&'static str> {
    let since = link.since.or(link.history.first().map(|step| step.at))?;
    let born = resident.particulars.born.earliest();
    if since.date_in(zone) < born {
        return Some("linked-before-born");
    }
    link.until.filter(|until| *until < since).map(|_| "ended-before-it-began")
}

/// Whether the evidence of a link is thinner than its source demands of a machine. Officers and even the holder may have been wrong
/// about such a one: it is looked at once more, and dismissed once.
pub fn is_thin(source: &Source, now: &Evidence) -> bool {
    !still_holds(&source.evidence, now)
}

/// How close together an officer may write about two different people: nobody leaves a counter and another one sits down in less.
const SECONDS_APART: i64 = 10;

/// How many of them in one minute are a pattern, whatever the distance.
const A_MINUTE: usize = 12;

/// What an officer wrote, as seconds since 1970, by officer. Only what officers write at a counter is counted.
#[derive(Default)]
pub struct Counters {
    by_officer: BTreeMap<String, Vec<u32>>,
}

impl Counters {
    /// Notes that `officer` wrote about somebody at `at`.
    pub fn note(&mut self, officer: &str, at: Instant) {
        let seconds = u32::try_from(at.micros().max(0) / 1_000_000).unwrap_or(u32::MAX);
        match self.by_officer.get_mut(officer) {
            Some(times) => times.push(seconds),
            None => drop(self.by_officer.insert(officer.to_owned(), vec![seconds])),
        }
    }

    /// Officers with an unusual pattern: who, a word, and the day on which it began (days since 1970), once for each day.
    pub fn unusual(mut self) -> Vec<(String, &'static str, u32)> {
        let mut found = Vec::new();
        for (officer, times) in &mut self.by_officer {
            times.sort_unstable();
            let bursts = times.windows(A_MINUTE).filter(|window| window[A_MINUTE - 1] - window[0] < 60);
            let bursts = bursts.map(|window| ("many-in-a-minute", window[0] / 86_400));
            let near = times.windows(2).filter(|pair| i64::from(pair[1] - pair[0]) < SECONDS_APART);
            let near = near.map(|pair| ("two-people-at-once", pair[0] / 86_400));
            let mut days: Vec<(&'static str, u32)> = bursts.chain(near).collect();
            days.sort_unstable();
            days.dedup();
            found.extend(days.into_iter().map(|(word, day)| (officer.clone(), word, day)));
        }
        found
    }
}
