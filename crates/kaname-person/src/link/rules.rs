//! Whether an outside record is this resident's: facts in, decision out. And what a link may become.

use kaname_base::pack::source::{Agreement, Demand, HolderConfirms, Source};
use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::{Particulars, Refusal};

/// A resident who may be meant, and what speaks for her.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate<P> {
    /// Who.
    pub person: P,
    /// What the comparison gave.
    pub evidence: Evidence,
}

/// What is known of an outside record when it is decided.
pub struct Facts<'a, P> {
    /// Everybody who came into question.
    pub candidates: &'a [Candidate<P>],
    /// Whether the agency named a number.
    pub number_given: bool,
    /// Whether somebody has that number.
    pub number_known: bool,
    /// Whether more came into question than were compared.
    pub too_many: bool,
}

/// What becomes of an outside record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision<P> {
    /// It is this resident's: the evidence is there, and nobody else is plausible.
    Link(Candidate<P>),
    /// An officer looks, at these, best first.
    Review(Vec<Candidate<P>>, Doubt),
    /// It is nobody's here.
    Refuse,
}

/// Why no machine decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// More than one resident is plausible.
    SeveralPlausible,
    /// The number is one person's and the particulars are another's.
    NumberOfAnother,
    /// Nobody has the number that the agency named.
    NumberUnknown,
    /// A field that must agree does not.
    FieldDiffers,
    /// The evidence is thinner than the source demands.
    ThinEvidence,
    /// She has as many records of this source as a person may have.
    HasOne,
    /// More residents came into question than can be compared.
    TooMany,
    /// The agency changed what it says of a record that is linked.
    Changed,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Doubt; 8] = [
        Doubt::SeveralPlausible,
        Doubt::NumberOfAnother,
        Doubt::NumberUnknown,
        Doubt::FieldDiffers,
        Doubt::ThinEvidence,
        Doubt::HasOne,
        Doubt::TooMany,
        Doubt::Changed,
    ];

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Doubt::SeveralPlausible => "several-plausible",
            Doubt::NumberOfAnother => "number-of-another",
            Doubt::NumberUnknown => "number-unknown",
            Doubt::FieldDiffers => "field-differs",
            Doubt::ThinEvidence => "thin-evidence",
            Doubt::HasOne => "has-one",
            Doubt::TooMany => "too-many",
            Doubt::Changed => "changed",
        }
    }
}

/// Decides, in this order: who is plausible at all; whether the number fits; whether somebody else is plausible; whether what must
/// agree agrees; whether it is enough.
pub fn decide<P: Clone + PartialEq>(demand: &Demand, facts: &Facts<'_, P>) -> Decision<P> {
    let plausible = |candidate: &&Candidate<P>| {
        candidate.evidence.number || candidate.evidence.probability >= demand.rival.min(demand.review_from)
    };
    let mut ranked: Vec<Candidate<P>> = facts.candidates.iter().filter(plausible).cloned().collect();
    ranked.sort_by_key(|candidate| std::cmp::Reverse(candidate.evidence.probability));
    let Some(best) = ranked.first().cloned() else {
        return if facts.too_many { Decision::Review(ranked, Doubt::TooMany) } else { Decision::Refuse };
    };
    let is_rival = |candidate: &&Candidate<P>| {
        candidate.person != best.person && is_rival(demand, &best.evidence, &candidate.evidence)
    };
    let doubt = if facts.too_many {
        Doubt::TooMany
    } else if facts.number_given && !best.evidence.number {
        if facts.number_known { Doubt::NumberOfAnother } else { Doubt::NumberUnknown }
    } else if ranked.iter().any(|candidate| is_rival(&candidate)) {
        Doubt::SeveralPlausible
    } else if !all_agree(demand, &best.evidence) {
        Doubt::FieldDiffers
    } else if best.evidence.probability < demand.least {
        Doubt::ThinEvidence
    } else {
        return Decision::Link(best);
    };
    // Nobody is shown a stranger's record for the sake of a coincidence.
    if best.evidence.probability < demand.review_from && !best.evidence.number {
        return Decision::Refuse;
    }
    Decision::Review(ranked, doubt)
}

/// Whether another resident is plausible beside the one who fits best. Where all that must agree agrees with the best, somebody of
/// another given or family name is not meant: a twin, the rest of the household, a stranger born on the same day.
pub fn is_rival(demand: &Demand, best: &Evidence, other: &Evidence) -> bool {
    let has_another_name = other.differs("given-name") || other.differs("family-name");
    other.probability >= demand.rival && !(has_another_name && all_agree(demand, best))
}

/// Whether the evidence of a link would still make a machine link it.
pub fn still_holds(demand: &Demand, evidence: &Evidence) -> bool {
    evidence.probability >= demand.least && all_agree(demand, evidence)
}

/// Whether what an agency says by now of a linked record is about somebody else: a field by which people are known, and which the source
/// demands, neither agrees nor is what it was when the link was made, by a machine or by officers who saw the difference.
pub fn another_person(demand: &Demand, evidence: &Evidence, before: &Particulars, now: &Particulars) -> bool {
    demand.must_agree.iter().filter(|field| !evidence.has(**field)).any(|field| match field {
        Agreement::Name => {
            (&before.name, &before.reading, &before.latin) != (&now.name, &now.reading, &now.latin)
        }
        Agreement::BirthDate => before.born != now.born,
        Agreement::Sex => before.sex != now.sex,
        Agreement::Address => false,
    })
}

fn all_agree(demand: &Demand, evidence: &Evidence) -> bool {
    demand.must_agree.iter().all(|field| evidence.has(*field))
}

/// What a link is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// It waits for the holder.
    Proposed,
    /// It counts.
    Active,
    /// Somebody said that it is wrong; nothing is read through it.
    Suspended,
    /// It was wrong, and is undone.
    Severed,
    /// The holder never accepted it.
    Refused,
}

impl LinkState {
    /// All of them, with the code in the table.
    const CODES: [(LinkState, i64); 5] = [
        (LinkState::Proposed, 1),
        (LinkState::Active, 2),
        (LinkState::Suspended, 3),
        (LinkState::Severed, 4),
        (LinkState::Refused, 5),
    ];

    /// The code in the table.
    pub(crate) fn code(self) -> i64 {
        LinkState::CODES.iter().find(|(state, _)| *state == self).map_or(0, |(_, code)| *code)
    }

    pub(crate) fn from_code(code: i64) -> Option<LinkState> {
        LinkState::CODES.iter().find(|(_, known)| *known == code).map(|(state, _)| *state)
    }

    /// A stable word for programs.
    pub fn word(self) -> &'static str {
        match self {
            LinkState::Proposed => "proposed",
            LinkState::Active => "active",
            LinkState::Suspended => "suspended",
            LinkState::Severed => "severed",
            LinkState::Refused => "refused",
        }
    }

    /// Whether it takes one of the places that a person has for this source.
    pub fn takes_a_place(self) -> bool {
        matches!(self, LinkState::Proposed | LinkState::Active | LinkState::Suspended)
    }

    /// What a link begins as.
    pub fn first(source: &Source, was_reviewed: bool) -> LinkState {
        match (source.holder_confirms, was_reviewed) {
            (HolderConfirms::Always, _) | (HolderConfirms::AfterReview, true) => LinkState::Proposed,
            (HolderConfirms::AfterReview, false) | (HolderConfirms::Never, _) => LinkState::Active,
        }
    }

    /// The holder says that it is hers.
    ///
    /// # Errors
    /// [`Refusal::LinkState`] unless it waits for her or counts already.
    pub fn confirmed(self) -> Result<LinkState, Refusal> {
        match self {
            LinkState::Proposed | LinkState::Active => Ok(LinkState::Active),
            state => Err(Refusal::LinkState(state)),
        }
    }

    /// Somebody says that it is wrong.
    ///
    /// # Errors
    /// [`Refusal::LinkState`] when it counts for nothing any more.
    pub fn reported(self) -> Result<LinkState, Refusal> {
        match self {
            LinkState::Proposed | LinkState::Active | LinkState::Suspended => Ok(LinkState::Suspended),
            state => Err(Refusal::LinkState(state)),
        }
    }

    /// Officers looked, and it is right.
    ///
    /// # Errors
    /// [`Refusal::LinkState`] unless it is suspended.
    pub fn reinstated(self) -> Result<LinkState, Refusal> {
        match self {
            LinkState::Suspended => Ok(LinkState::Active),
            state => Err(Refusal::LinkState(state)),
        }
    }

    /// Officers looked, and it is wrong. `counted` tells whether it ever did.
    ///
    /// # Errors
    /// [`Refusal::LinkState`] unless it is suspended: who severs has suspended before.
    pub fn severed(self, counted: bool) -> Result<LinkState, Refusal> {
        match self {
            LinkState::Suspended if counted => Ok(LinkState::Severed),
            LinkState::Suspended => Ok(LinkState::Refused),
            state => Err(Refusal::LinkState(state)),
        }
    }
}

impl std::fmt::Display for LinkState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            LinkState::Proposed => "waiting for its holder",
            LinkState::Active => "active",
            LinkState::Suspended => "suspended",
            LinkState::Severed => "severed",
            LinkState::Refused => "refused",
        })
    }
}

/// The month of a day, `2026 * 12 + 0` for January 2026: what is counted in public is no finer.
pub fn month_of(date: jiff::civil::Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// A month as people and programs read it, such as `2026-01`.
pub fn month_text(month: i64) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// The least count that is shown in public: fewer might be one known case.
pub const LEAST_SHOWN: u64 = 5;

/// A count as it is published: exact, or only that it is small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// This many.
    Exactly(u64),
    /// At least one, and fewer than [`LEAST_SHOWN`].
    Few,
    /// Not told, because the others and the sum would give a small one away.
    Withheld,
}

/// What is published of counts that add up to a sum which is published too. A single small count could be had by subtracting, so the
/// smallest other one is withheld with it.
pub fn suppress(counts: &[u64]) -> Vec<Shown> {
    let is_few = |count: u64| count > 0 && count < LEAST_SHOWN;
    let mut shown: Vec<Shown> =
        counts.iter().map(|count| if is_few(*count) { Shown::Few } else { Shown::Exactly(*count) }).collect();
    if shown.iter().filter(|shown| **shown == Shown::Few).count() == 1 {
        let others = counts.iter().enumerate().filter(|(_, count)| **count >= LEAST_SHOWN);
        if let Some((place, _)) = others.min_by_key(|(_, count)| **count) {
            shown[place] = Shown::Withheld;
        }
    }
    shown
}

/// The sum of counts as it is published: not told when it would give the only small count away.
pub fn suppressed_sum(counts: &[u64]) -> Shown {
    let few = counts.iter().filter(|count| **count > 0 && **count < LEAST_SHOWN).count();
    let large = counts.iter().any(|count| *count >= LEAST_SHOWN);
    match counts.iter().sum::<u64>() {
        sum if few == 1 && !large => {
            if sum == 0 {
                Shown::Exactly(0)
            } else {
                Shown::Few
            }
        }
        sum if sum > 0 && sum < LEAST_SHOWN => Shown::Few,
        sum => Shown::Exactly(sum),
    }
}
