//! Step 2 of a check: who comes into question for each record, and what the evidence says.

use std::collections::BTreeMap;
use std::sync::Arc;

use kaname_base::Bucket;
use kaname_store::Tx;
use kaname_trust::{Actor, ActorKind, PersonId};

use super::{Batch, Known, NumberGiven, OutsideRow};
use crate::link::index::Reach;
use crate::link::lookup;
use crate::link::rules::{self, Candidate, Decision, Facts};
use crate::number::NumberState;
use crate::scatter::scatter;
use crate::{Particulars, PersonError, number};

/// A record that is to be decided.
struct Question<'a> {
    row: &'a OutsideRow,
    by_number: Option<PersonId>,
    linked: Option<PersonId>,
    candidates: Vec<Candidate<PersonId>>,
    too_many: bool,
}

impl Batch<'_> {
    /// Step 2: finds who comes into question, opens and compares them, and decides. First among those born on the very day; where
    /// that is not enough, among those whose date may have a slip.
    pub(super) fn decide(
        &self,
        rows: &[OutsideRow],
        known: &[Known],
        open: &[usize],
    ) -> Result<Vec<Decision<PersonId>>, PersonError> {
        let mut questions = Vec::with_capacity(open.len());
        for place in open {
            let row = &rows[*place];
            let by_number = match row.number {
                Some(NumberGiven::Wellformed(number)) => {
                    // The authority compares; a lock keeps others from her, and her number is still hers.
                    let found = number::look_up(&self.desk.store, &self.desk.keys, &number)?;
                    found.filter(|(_, state)| *state != NumberState::Replaced).map(|(person, _)| person)
                }
                _ => None,
            };
            // Who is linked to it is compared in any case, or a change could not be judged.
            let linked = known[*place].entry.as_ref().and_then(|entry| Some(entry.owner?.0));
            questions.push(Question { row, by_number, linked, candidates: Vec::new(), too_many: false });
        }
        let all: Vec<usize> = (0..questions.len()).collect();
        self.ask(&mut questions, &all, Reach::SameDay)?;
        let far: Vec<usize> =
            all.into_iter().filter(|at| !matches!(self.judge(&questions[*at]), Decision::Link(_))).collect();
        self.ask(&mut questions, &far, Reach::Far)?;
        Ok(questions.iter().map(|question| self.judge(question)).collect())
    }

    fn judge(&self, question: &Question<'_>) -> Decision<PersonId> {
        let facts = Facts {
            candidates: &question.candidates,
            number_given: question.row.number.is_some(),
            number_known: question.by_number.is_some(),
            too_many: question.too_many,
        };
        rules::decide(&self.source.evidence, &facts)
    }

    /// Compares those of `places` with whom the index brings into question and who was not compared before.
    fn ask(&self, questions: &mut [Question<'_>], places: &[usize], reach: Reach) -> Result<(), PersonError> {
        let records: Vec<&Particulars> = places.iter().map(|at| &questions[*at].row.record).collect();
        let mut found = lookup::candidates(self.desk, &records, reach)?;
        for (at, found) in places.iter().zip(&mut found) {
            let question = &mut questions[*at];
            question.too_many = found.too_many;
            found.people.extend(question.by_number.into_iter().chain(question.linked));
            found.people.sort_unstable();
            found.people.dedup();
            found.people.retain(|person| question.candidates.iter().all(|known| known.person != *person));
        }
        let compared = self.compare(&records, &found)?;
        for (at, candidates) in places.iter().zip(compared) {
            let question = &mut questions[*at];
            for mut candidate in candidates {
                candidate.evidence.number = question.by_number == Some(candidate.person);
                question.candidates.push(candidate);
            }
        }
        Ok(())
    }

    /// Opens each resident who comes into question once, in her bucket, with an entry in her log, and compares her.
    fn compare(
        &self,
        records: &[&Particulars],
        found: &[lookup::Found],
    ) -> Result<Vec<Vec<Candidate<PersonId>>>, PersonError> {
        let mut by_bucket: BTreeMap<Bucket, BTreeMap<PersonId, Vec<usize>>> = BTreeMap::new();
        for (place, found) in found.iter().enumerate() {
            for person in &found.people {
                let people = by_bucket.entry(self.desk.bucket_of(*person)).or_default();
                people.entry(*person).or_default().push(place);
            }
        }
        let records: Arc<Vec<Particulars>> =
            Arc::new(records.iter().map(|record| (*record).clone()).collect());
        let units: Vec<_> = by_bucket
            .into_iter()
            .map(|(bucket, people)| {
                let (desk, env) = (self.desk.clone(), self.env.again());
                let (records, source) = (Arc::clone(&records), Arc::clone(&self.source));
                let actor = self.actor();
                let work = move |tx: &mut Tx<'_>| {
                    lookup::open_and_compare(tx, &desk, &env.again(), &source, &actor, &people, &records)
                };
                (bucket, work)
            })
            .collect();
        let mut compared: Vec<Vec<Candidate<PersonId>>> = vec![Vec::new(); records.len()];
        for answer in scatter(&self.desk.store, units)?.gather()? {
            for (place, candidate) in answer {
                compared[place].push(candidate);
            }
        }
        Ok(compared)
    }

    /// In whose name residents are opened: the program's, for whoever started it.
    fn actor(&self) -> Actor {
        match self.ask.by.kind {
            ActorKind::Officer => self.ask.by.clone(),
            _ => Actor::program("link-check", &self.ask.by.role),
        }
    }
}
