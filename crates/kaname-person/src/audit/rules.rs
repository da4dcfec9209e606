//! What is wrong with a person's entry or her links: facts in, findings out.

use jiff::civil::Date;
use kaname_base::pack::source::Source;

use crate::link::rules::still_holds;
use crate::link::{Evidence, Link};
use crate::linkage::{self, Field, Level};
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

/// Whether two entries have given names that are no spellings of one: twins share the day, the family name and the address.
pub(super) fn has_another_given_name(evidence: &linkage::Evidence) -> bool {
    evidence.fields.iter().any(|found| found.field == Field::Given && found.level == Level::Differs)
}
