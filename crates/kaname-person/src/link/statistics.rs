//! Use case: the public figure: how many records were linked, and how many of the links were wrong. It holds counts of months and
//! sources, and no small ones.

use std::collections::BTreeMap;

use kaname_store::StoreError;

use super::Desk;
use super::rules::{Shown, month_text, suppress, suppressed_sum};
use super::table::{self, Counted};
use crate::PersonError;

/// What is counted of one source in one month, or of a source over all months.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figures {
    /// Records linked.
    pub linked: Shown,
    /// Links confirmed by their holders.
    pub confirmed: Shown,
    /// Links reported as wrong.
    pub reported: Shown,
    /// Links that were wrong.
    pub wrong: Shown,
    /// Links that were reported and right.
    pub reinstated: Shown,
}

/// One source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFigures {
    /// Its code in the pack.
    pub source: String,
    /// The sum over all months.
    pub total: Figures,
    /// Each month, such as `2026-01`, oldest first.
    pub months: Vec<(String, Figures)>,
}

type Cells = BTreeMap<i64, [u64; 5]>;

/// The figures of every source of the pack, those without a link too.
///
/// # Errors
/// [`PersonError::Store`].
pub fn figures(desk: &Desk) -> Result<Vec<SourceFigures>, PersonError> {
    let mut sources: BTreeMap<String, Cells> =
        desk.pack.sources.iter().map(|source| (source.code.clone(), Cells::new())).collect();
    for bucket in desk.store.buckets().all() {
        for (source, month, what, count) in desk.store.read::<_, StoreError, _>(bucket, table::counts)? {
            let cells = sources.entry(source).or_default().entry(month).or_insert([0; 5]);
            if let Some(cell) = usize::try_from(what - 1).ok().and_then(|what| cells.get_mut(what)) {
                *cell += count.unsigned_abs();
            }
        }
    }
    Ok(sources.into_iter().map(|(source, cells)| published(source, &cells)).collect())
}

/// Suppresses each row of months for itself, since its sum is published with it.
fn published(source: String, cells: &Cells) -> SourceFigures {
    let of = |what: Counted| -> Vec<u64> { cells.values().map(|cell| cell[what as usize - 1]).collect() };
    let all = [Counted::Linked, Counted::Confirmed, Counted::Reported, Counted::Wrong, Counted::Reinstated];
    let shown = all.map(|what| suppress(&of(what)));
    let sums = all.map(|what| suppressed_sum(&of(what)));
    let figures = |[linked, confirmed, reported, wrong, reinstated]: [Shown; 5]| Figures {
        linked,
        confirmed,
        reported,
        wrong,
        reinstated,
    };
    let months = cells
        .keys()
        .enumerate()
        .map(|(place, month)| {
            let row: [Shown; 5] = std::array::from_fn(|what| shown[what][place]);
            (month_text(*month), figures(row))
        })
        .collect();
    SourceFigures { source, total: figures(sums), months }
}
