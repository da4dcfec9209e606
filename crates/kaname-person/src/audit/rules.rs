//! What is wrong with a person's entry or her links: facts in, findings out.

use jiff::civil::Date;
use kaname_base::pack::MarriageRules;
use kaname_base::pack::source::Source;
use kaname_base::time::BirthDate;
use kaname_trust::PersonId;

use crate::event::rules::{CHILD, LEAST_GUARDIAN, is_younger};
use crate::link::rules::still_holds;
use crate::link::{Evidence, Link};
use crate::linkage::{self, Field, Level};
use crate::{Relation, RelationKind, Resident, Standing};

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

/// What relations ask of somebody: her side of what is impossible between two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Related {
    /// When she was born.
    pub born: BirthDate,
    /// What became of her.
    pub standing: Standing,
}

impl Related {
    /// Of a resident.
    pub fn of(resident: &Resident) -> Related {
        Related { born: resident.particulars.born, standing: resident.life.standing }
    }
}

/// What cannot be about her relations alone, whoever the others are; each a word.
pub fn impossible_alone(me: PersonId, resident: &Resident, law: &MarriageRules) -> Vec<&'static str> {
    let of_now: Vec<&Relation> = resident.life.relations_now().collect();
    let kin = |to| of_now.iter().any(|one| one.to == to && is_kin(one.kind));
    let spouses = || resident.life.relations.iter().filter(|one| one.kind == RelationKind::Spouse);
    // A marriage begins on the day on which another one ended, and not before.
    let at_once = |day: Date| {
        spouses().filter(|one| one.from <= day && one.until.is_none_or(|until| day < until)).count()
    };
    let checks = [
        ("related-to-herself", resident.life.relations.iter().any(|one| one.to == me)),
        ("too-many-spouses", spouses().any(|one| at_once(one.from) > law.spouses)),
        ("married-to-kin", of_now.iter().any(|one| one.kind == RelationKind::Spouse && kin(one.to))),
    ];
    checks.into_iter().filter(|(_, wrong)| *wrong).map(|(word, _)| word).collect()
}

/// What cannot be about one of her relations that holds today, beside the other as she is now: a word. Parent and child say the same of
/// each other, so that it is found once.
pub fn impossible_relation(relation: &Relation, hers: Related, other: Related) -> Option<&'static str> {
    let child_at = |of: Related| is_younger(of.born.earliest(), CHILD, relation.from);
    let minor_at = |of: Related| is_younger(of.born.earliest(), LEAST_GUARDIAN, relation.from);
    let word = match relation.kind {
        RelationKind::Parent if is_born_after(other.born, hers.born) => "parent-younger",
        RelationKind::Child if is_born_after(hers.born, other.born) => "parent-younger",
        RelationKind::Spouse if child_at(hers) || child_at(other) => "married-as-child",
        RelationKind::Guardian if minor_at(other) => "guardian-a-child",
        RelationKind::Ward if minor_at(hers) => "guardian-a-child",
        kind => match other.standing {
            Standing::Dead { .. } if !is_kin(kind) => "other-dead",
            Standing::Merged { .. } => "other-merged",
            _ => return None,
        },
    };
    Some(word)
}

fn is_kin(kind: RelationKind) -> bool {
    matches!(kind, RelationKind::Parent | RelationKind::Child)
}

/// Whether somebody was surely born after another: what is not known of a date speaks for nobody.
fn is_born_after(one: BirthDate, other: BirthDate) -> bool {
    let parts = |of: BirthDate| [of.month(), of.day()];
    if one.year() != other.year() {
        return one.year() > other.year();
    }
    for (one, other) in parts(one).into_iter().zip(parts(other)) {
        match (one, other) {
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => return one > other,
            _ => return false,
        }
    }
    false
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

#[cfg(test)]
mod tests {
    use super::*;

    const ME: PersonId = PersonId::from_bytes([1; 16]);
    const OTHER: PersonId = PersonId::from_bytes([2; 16]);

    fn related(born: &str, standing: Standing) -> Related {
        Related { born: BirthDate::parse(born).expect("a date"), standing }
    }

    fn relation(kind: RelationKind) -> Relation {
        Relation { kind, to: OTHER, from: jiff::civil::date(2020, 5, 1), until: None }
    }

    #[test]
    fn what_two_people_cannot_be_to_each_other_is_told() {
        use RelationKind::*;
        let here = Standing::Here;
        let dead = Standing::Dead { on: jiff::civil::date(2024, 1, 1) };
        let merged = Standing::Merged { into: ME };
        for (kind, hers, others, standing, expected) in [
            (Parent, "1980-04-21", "1980-04-22", here, Some("parent-younger")),
            (Parent, "1980-04-21", "1980-04-21", here, None),
            (Parent, "1980", "1980-12", here, None),
            (Parent, "1980", "1981", here, Some("parent-younger")),
            (Parent, "1980-04", "1980-05", here, Some("parent-younger")),
            (Child, "2001-01-01", "2000-01-01", here, Some("parent-younger")),
            (Child, "1980-01-01", "2000-01-01", here, None),
            (Spouse, "1980-01-01", "2012-01-01", here, Some("married-as-child")),
            (Spouse, "1980-01-01", "1990-01-01", here, None),
            (Spouse, "1980-01-01", "1990-01-01", dead, Some("other-dead")),
            (Parent, "1980-01-01", "1950-01-01", dead, None),
            (Parent, "1980-01-01", "1950-01-01", merged, Some("other-merged")),
            (Guardian, "2012-01-01", "2010-01-01", here, Some("guardian-a-child")),
            (Ward, "1980-01-01", "2010-01-01", here, None),
            (HouseholdHead, "1980-01-01", "1950-01-01", dead, Some("other-dead")),
            (HouseholdMember, "1980-01-01", "1950-01-01", here, None),
        ] {
            let found = impossible_relation(&relation(kind), related(hers, here), related(others, standing));
            assert_eq!(found, expected, "{} {hers} {others}", kind.code());
        }
    }
}
