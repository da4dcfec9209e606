//! Steps 3 to 5 of a check: what is decided is claimed in the directory, linked where the people are, and confirmed.

use std::collections::BTreeMap;
use std::sync::Arc;

use kaname_base::Bucket;
use kaname_store::Tx;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, PersonId};

use super::{Batch, Known, Outcome, OutsideRow};
use crate::link::case::{Case, MOST_SHOWN, Shown, wrap_case};
use crate::link::make::{NewLink, link_many, update_link};
use crate::link::rules::{Candidate, Decision};
use crate::link::table::{self, EntryRow, Standing};
use crate::link::{Doubt, Evidence, LinkId, Method, incident, link_id};
use crate::policy::PROGRAM;
use crate::scatter::scatter;
use crate::{PersonError, Refusal};

/// What is to be done with a record.
pub(super) struct Plan {
    place: usize,
    entry: EntryRow,
    outcome: Outcome,
    /// Who is linked, with what evidence.
    link: Option<Candidate<PersonId>>,
    /// A link that this record's new content speaks against.
    suspend: Option<(PersonId, LinkId)>,
    /// A link whose record says something else by now, and still may be the same person's.
    update: Option<(PersonId, LinkId, Evidence)>,
    case: Option<Case>,
}

impl Batch<'_> {
    /// What is written for a decision.
    pub(super) fn plan(
        &self,
        place: usize,
        row: &OutsideRow,
        known: &Known,
        decision: Decision<PersonId>,
    ) -> Plan {
        let before = known.entry.as_ref();
        let turn = match before {
            None => 1,
            Some(entry) if entry.standing == Standing::Free => entry.turn + 1,
            Some(entry) => entry.turn,
        };
        let entry = EntryRow {
            outside: known.outside,
            standing: Standing::Refused,
            owner: None,
            content: known.content,
            run: self.ask.run,
            line: row.line.cast_signed(),
            turn,
            opened: Vec::new(),
            version: before.map_or(0, |entry| entry.version),
        };
        let mut plan = Plan {
            place,
            entry,
            outcome: Outcome::Refused,
            link: None,
            suspend: None,
            update: None,
            case: None,
        };
        if let Some(entry) = before.filter(|entry| entry.standing == Standing::Linked)
            && let Some((owner, link)) = entry.owner
        {
            plan.entry.standing = Standing::Linked;
            plan.entry.owner = Some((owner, link));
            let same_person = match decision {
                Decision::Link(candidate) if candidate.person == owner => Some(candidate),
                Decision::Review(candidates, Doubt::FieldDiffers | Doubt::ThinEvidence) => {
                    candidates.into_iter().next().filter(|best| best.person == owner)
                }
                _ => None,
            };
            match same_person {
                Some(candidate) => {
                    plan.outcome = Outcome::Already;
                    plan.update = Some((owner, link, candidate.evidence));
                }
                None => {
                    plan.outcome = Outcome::Review(Doubt::Changed);
                    plan.suspend = Some((owner, link));
                }
            }
            return plan;
        }
        match decision {
            Decision::Link(candidate) => {
                let link = link_id(&self.desk.keys, &known.outside, candidate.person, turn);
                plan.entry.standing = Standing::Claimed;
                plan.entry.owner = Some((candidate.person, link));
                plan.outcome = Outcome::Linked;
                plan.link = Some(candidate);
            }
            Decision::Review(candidates, doubt) => self.to_review(&mut plan, row, candidates, doubt),
            Decision::Refuse => {}
        }
        plan
    }

    fn to_review(
        &self,
        plan: &mut Plan,
        row: &OutsideRow,
        mut candidates: Vec<Candidate<PersonId>>,
        doubt: Doubt,
    ) {
        // Whom the agency's number names is shown in any case, however many fit better.
        let named = candidates.iter().position(|candidate| candidate.evidence.number);
        if let Some(at) = named.filter(|at| *at >= MOST_SHOWN) {
            candidates.swap(at, MOST_SHOWN - 1);
        }
        let case = Case {
            source: self.source.code.clone(),
            record: row.record.clone(),
            doubt,
            candidates: candidates
                .into_iter()
                .take(MOST_SHOWN)
                .map(|Candidate { person, evidence }| Shown { person, evidence })
                .collect(),
            by: self.ask.by.clone(),
            at: self.env.now,
            proposal: None,
        };
        plan.entry.standing = Standing::Review;
        plan.entry.owner = None;
        plan.entry.opened = wrap_case(self.desk, &plan.entry.outside, &case);
        plan.outcome = Outcome::Review(doubt);
        plan.case = Some(case);
    }

    /// Steps 3 to 5.
    pub(super) fn carry_out(
        &self,
        plans: &[Plan],
        rows: &[OutsideRow],
    ) -> Result<Vec<(usize, Outcome)>, PersonError> {
        // Before the directory says that this content was dealt with: whoever is cut off in between deals with it again.
        let mut suspended = Vec::with_capacity(plans.len());
        for plan in plans {
            suspended.push(self.follow_record(plan, &rows[plan.place])?);
        }
        let written = self.write_directory(plans.iter().map(|plan| plan.entry.clone()).collect())?;
        let outcome = |(plan, suspended): (&Plan, bool)| {
            (plan.place, if suspended { Outcome::Review(Doubt::Changed) } else { plan.outcome })
        };
        let mut outcomes: Vec<(usize, Outcome)> = plans.iter().zip(suspended).map(outcome).collect();
        let mut to_link = Vec::new();
        for (at, plan) in plans.iter().enumerate() {
            if !written[at] {
                // Another check decided it at this very moment.
                outcomes[at].1 = Outcome::Already;
                continue;
            }
            if plan.link.is_some() {
                to_link.push(at);
            }
        }
        let linked = self.link(plans, rows, &to_link)?;
        let mut confirmed = Vec::with_capacity(to_link.len());
        for (at, linked) in to_link.iter().zip(linked) {
            let plan = &plans[*at];
            let mut entry = plan.entry.clone();
            entry.version += 1;
            if linked {
                entry.standing = Standing::Linked;
            } else {
                let mut other = Plan {
                    place: plan.place,
                    entry,
                    outcome: plan.outcome,
                    link: None,
                    suspend: None,
                    update: None,
                    case: None,
                };
                let candidates = plan.link.clone().into_iter().collect();
                self.to_review(&mut other, &rows[plan.place], candidates, Doubt::HasOne);
                outcomes[*at].1 = other.outcome;
                entry = other.entry;
            }
            confirmed.push(entry);
        }
        self.write_directory(confirmed)?;
        Ok(outcomes)
    }

    /// Suspends a link that its record's new content speaks against, or keeps what the record says by now; whether officers have to
    /// look at it. Done twice, it is done once.
    fn follow_record(&self, plan: &Plan, row: &OutsideRow) -> Result<bool, PersonError> {
        if let Some((person, link)) = plan.suspend {
            self.suspend(person, link)?;
            return Ok(true);
        }
        let Some((person, link, evidence)) = &plan.update else { return Ok(false) };
        update_link(self.desk, self.env, *person, *link, &row.record, evidence)
    }

    fn suspend(&self, person: PersonId, link: LinkId) -> Result<(), PersonError> {
        let by = Actor::program("link-check", PROGRAM);
        let report = incident::Report { person, link, by, why: Doubt::Changed.code().to_owned() };
        match incident::report(self.desk, self.env, &report) {
            // It counts for nothing any more: nothing is left to suspend.
            Ok(()) | Err(PersonError::Refused(Refusal::LinkState(_) | Refusal::NoSuchLink)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes rows of the directory; tells for each whether it was as this check had read it.
    fn write_directory(&self, entries: Vec<EntryRow>) -> Result<Vec<bool>, PersonError> {
        let groups = self.by_directory(entries.iter().map(|entry| &entry.outside));
        let units: Vec<_> = groups
            .iter()
            .map(|(bucket, places)| {
                let rows: Vec<EntryRow> = places.iter().map(|place| entries[*place].clone()).collect();
                let work = move |tx: &mut Tx<'_>| {
                    let indexes: Vec<BlindIndex> = rows.iter().map(|row| row.outside).collect();
                    let there = table::entries(tx, &indexes)?;
                    let as_read: Vec<bool> = rows
                        .iter()
                        .zip(there)
                        .map(|(row, there)| there.map_or(0, |there| there.version) == row.version)
                        .collect();

                    let fresh = rows.iter().zip(&as_read).filter(|(_, as_read)| **as_read);
                    let fresh: Vec<EntryRow> = fresh.map(|(row, _)| row.clone()).collect();
                    table::put_entries(tx, &fresh)?;
                    Ok::<_, PersonError>(as_read)
                };
                (*bucket, work)
            })
            .collect();
        let answers = scatter(&self.desk.store, units)?.gather()?;
        let mut written = vec![false; entries.len()];
        for ((_, places), answers) in groups.iter().zip(answers) {
            for (place, answer) in places.iter().zip(answers) {
                written[*place] = answer;
            }
        }
        Ok(written)
    }

    /// Step 4: tells for each whether the person had room for it.
    fn link(&self, plans: &[Plan], rows: &[OutsideRow], to_link: &[usize]) -> Result<Vec<bool>, PersonError> {
        let mut by_bucket: BTreeMap<Bucket, Vec<(usize, NewLink)>> = BTreeMap::new();
        for (order, at) in to_link.iter().enumerate() {
            let plan = &plans[*at];
            let (Some(candidate), Some((person, id))) = (&plan.link, plan.entry.owner) else { continue };
            let new = NewLink {
                id,
                person,
                outside: plan.entry.outside,
                record: rows[plan.place].record.clone(),
                evidence: candidate.evidence.clone(),
                turn: plan.entry.turn,
                method: Method::Machine,
                by: self.ask.by.clone(),
                approved_by: None,
            };
            by_bucket.entry(self.desk.bucket_of(person)).or_default().push((order, new));
        }
        let (places, units): (Vec<Vec<usize>>, Vec<_>) = by_bucket
            .into_iter()
            .map(|(bucket, new)| {
                let (places, new): (Vec<usize>, Vec<NewLink>) = new.into_iter().unzip();
                let (desk, env, source) = (self.desk.clone(), self.env.again(), Arc::clone(&self.source));
                let work = move |tx: &mut Tx<'_>| link_many(tx, &desk, &env.again(), &source, &new);
                (places, (bucket, work))
            })
            .unzip();
        let mut linked = vec![false; to_link.len()];
        let answers = scatter(&self.desk.store, units)?.gather()?;
        for (place, answer) in places.into_iter().flatten().zip(answers.into_iter().flatten()) {
            linked[place] = answer;
        }
        Ok(linked)
    }
}
