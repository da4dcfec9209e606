//! Use case: compare an agency's records with the register, some thousand at a time, and link those whose evidence is there.
//!
//! A batch goes through these steps, each durable before the next begins:
//!
//! 1. the directory says which records are known already;
//! 2. the residents who come into question are found, and each is opened under a receipt and compared;
//! 3. what is decided is written into the directory: claimed for somebody, a case for an officer, or refused;
//! 4. those that were claimed are linked, in the buckets of the people;
//! 5. the directory confirms them.
//!
//! Killed anywhere and asked again with the same run, each record ends as it would have. Ids of links follow from the record and the
//! person, so that step 4 done twice links once, and a claim that step 4 never came to is decided anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kaname_base::number::PersonNumber;
use kaname_base::pack::source::Source;
use kaname_base::{Bucket, Env, Instant};
use kaname_store::{StoreError, Tx};
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, PersonId, seal};
use serde::{Deserialize, Serialize};

use super::index::Reach;
use super::rules::{self, Candidate, Decision, Facts};
use super::table::{self, Counted, EntryRow, LinkRow, Standing};
use super::{
    Desk, Doubt, Evidence, Link, LinkId, LinkState, Method, Step, incident, link_id, lookup, outside_index,
    slot_index,
};
use crate::number::NumberState;
use crate::scatter::{scatter, scatter_reads};
use crate::{Action, PackVersion, Particulars, PersonError, number, policy};

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

/// What an officer is to decide. Wrapped in the directory, because it is about somebody whom nobody knows yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) source: String,
    pub(crate) record: Particulars,
    pub(crate) doubt: Doubt,
    pub(crate) candidates: Vec<Shown>,
    pub(crate) by: Actor,
    pub(crate) at: Instant,
    pub(crate) proposal: Option<super::review::Proposal>,
}

/// A resident whom an officer compares with the record.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Shown {
    #[serde(with = "crate::serial::person")]
    pub(crate) person: PersonId,
    pub(crate) evidence: Evidence,
}

/// The most candidates that a case shows.
const MOST_SHOWN: usize = 8;

/// What wraps a case.
pub(crate) const CASE: &[u8] = b"person.link-case";

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

/// How an outside record stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// An officer is to look.
    Review,
    /// It is linked to this resident by this link, whatever state that is in.
    Linked(PersonId, LinkId),
    /// It was nobody's, or is nobody's any more.
    Nobody,
}

/// How the record that the source calls `reference` stands; `None` when it was never checked. Opens nobody.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`], [`crate::Refusal::UnknownSource`].
pub fn standing(
    desk: &Desk,
    by: &Actor,
    source: &str,
    reference: &str,
) -> Result<Option<Stands>, PersonError> {
    policy::may(by, Action::CheckLinks)?;
    desk.source(source)?;
    let outside = outside_index(&desk.keys, source, reference);
    let bucket = desk.directory_bucket(&outside);
    let found = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::entries(tx, &[outside]))?;
    Ok(found.into_iter().next().flatten().map(|entry| match (entry.standing, entry.owner) {
        (Standing::Review, _) => Stands::Review,
        (Standing::Linked | Standing::Claimed, Some((person, link))) => Stands::Linked(person, link),
        _ => Stands::Nobody,
    }))
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

/// A record that is to be decided.
struct Question<'a> {
    row: &'a OutsideRow,
    by_number: Option<PersonId>,
    linked: Option<PersonId>,
    candidates: Vec<Candidate<PersonId>>,
    too_many: bool,
}

/// What is to be done with a record.
struct Plan {
    place: usize,
    entry: EntryRow,
    outcome: Outcome,
    /// Who is linked, with what evidence.
    link: Option<Candidate<PersonId>>,
    /// A link that this record's new content speaks against.
    suspend: Option<(PersonId, LinkId)>,
    /// A link whose record says something else by now, and still is the same person's.
    update: Option<(PersonId, LinkId, Evidence)>,
    case: Option<Case>,
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

    /// Step 2: finds who comes into question, opens and compares them, and decides. First among those born on the very day; where
    /// that is not enough, among those whose date may have a slip.
    fn decide(
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
            kaname_trust::ActorKind::Officer => self.ask.by.clone(),
            _ => Actor::program("link-check", &self.ask.by.role),
        }
    }

    /// What is written for a decision.
    fn plan(&self, place: usize, row: &OutsideRow, known: &Known, decision: Decision<PersonId>) -> Plan {
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
        candidates: Vec<Candidate<PersonId>>,
        doubt: Doubt,
    ) {
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
    fn carry_out(&self, plans: &[Plan], rows: &[OutsideRow]) -> Result<Vec<(usize, Outcome)>, PersonError> {
        let written = self.write_directory(plans.iter().map(|plan| plan.entry.clone()).collect())?;
        let mut outcomes: Vec<(usize, Outcome)> =
            plans.iter().map(|plan| (plan.place, plan.outcome)).collect();
        let mut to_link = Vec::new();
        for (at, plan) in plans.iter().enumerate() {
            if !written[at] {
                // Another check decided it at this very moment.
                outcomes[at].1 = Outcome::Already;
                continue;
            }
            let row = &rows[plan.place];
            if let Some((person, link)) = plan.suspend {
                let report = incident::Report {
                    person,
                    link,
                    by: Actor::program("link-check", crate::policy::PROGRAM),
                    why: Doubt::Changed.code().to_owned(),
                };
                incident::report(self.desk, self.env, &report)?;
            }
            if let Some((person, link, evidence)) = &plan.update {
                update_link(self.desk, self.env, *person, *link, row, evidence)?;
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

    fn by_directory<'i>(&self, indexes: impl Iterator<Item = &'i BlindIndex>) -> Vec<(Bucket, Vec<usize>)> {
        let mut groups: BTreeMap<Bucket, Vec<usize>> = BTreeMap::new();
        for (place, index) in indexes.enumerate() {
            groups.entry(self.desk.directory_bucket(index)).or_default().push(place);
        }
        groups.into_iter().collect()
    }
}

/// A link to be made.
#[derive(Clone)]
pub(crate) struct NewLink {
    pub(crate) id: LinkId,
    pub(crate) person: PersonId,
    pub(crate) outside: BlindIndex,
    pub(crate) record: Particulars,
    pub(crate) evidence: Evidence,
    pub(crate) method: Method,
    pub(crate) by: Actor,
    pub(crate) approved_by: Option<Actor>,
}

/// Makes links of people of this unit's bucket; tells for each whether there was room. What is there already is left alone.
pub(crate) fn link_many(
    tx: &mut Tx<'_>,
    desk: &Desk,
    env: &Env,
    source: &Source,
    new: &[NewLink],
) -> Result<Vec<bool>, PersonError> {
    let mut rows: Vec<LinkRow> = Vec::with_capacity(new.len());
    let mut linked = Vec::with_capacity(new.len());
    for new in new {
        let slot = slot_index(&desk.keys, &source.code, new.person);
        let there = table::links_of(tx, new.person)?;
        if there.iter().any(|row| row.link == new.id) {
            linked.push(true);
            continue;
        }
        let mine = |row: &&LinkRow| row.person == new.person && row.slot == slot && row.state.takes_a_place();
        let taken = there.iter().filter(mine).count() + rows.iter().filter(mine).count();
        if taken >= source.records_each as usize {
            linked.push(false);
            continue;
        }
        let state = LinkState::first(source, new.method == Method::Review);
        let link = Link {
            id: new.id,
            source: source.code.clone(),
            outside: new.record.clone(),
            method: new.method,
            evidence: new.evidence.clone(),
            by: new.by.clone(),
            approved_by: new.approved_by.clone(),
            since: (state == LinkState::Active).then_some(env.now),
            until: None,
            confirmed_at: None,
            history: vec![Step { state, at: env.now, by: new.by.clone(), why: String::new() }],
            issued: Vec::new(),
            readers: Vec::new(),
            pack: PackVersion::of(&desk.pack),
        };
        let sealed = seal::data_key(tx, &desk.keys, new.person)?.seal(&link).bytes().to_vec();
        let (person, link, outside) = (new.person, new.id, new.outside);
        rows.push(LinkRow { person, link, slot, outside, state, version: 1, sealed });
        linked.push(true);
    }

    if !rows.is_empty() {
        // In the order of the ids, not of the agency's list.
        rows.sort_by_key(|row| (row.person, row.link));
        let month = rules::month_of(env.now.date_in(&desk.pack.time_zone));
        table::count_up(tx, &source.code, month, Counted::Linked, rows.len() as i64)?;
        table::insert_links(tx, &rows)?;
    }
    Ok(linked)
}

/// Keeps what the agency says by now of a record that still is the same person's.
fn update_link(
    desk: &Desk,
    env: &Env,
    person: PersonId,
    link: LinkId,
    row: &OutsideRow,
    evidence: &Evidence,
) -> Result<(), PersonError> {
    let (with, env, record, evidence) = (desk.clone(), env.again(), row.record.clone(), evidence.clone());
    desk.store.write(desk.bucket_of(person), move |tx| {
        let by = Actor::program("link-check", crate::policy::PROGRAM);
        let (mut row, mut link) = lookup::open_link(tx, &with, &env.again(), &by, person, link)?;
        link.outside = record.clone();
        link.evidence = evidence.clone();
        lookup::keep(tx, &with, &mut row, &link)
    })
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

pub(crate) fn wrap_case(desk: &Desk, outside: &BlindIndex, case: &Case) -> Vec<u8> {
    let bytes = serde_json::to_vec(case).expect("a case is plain data");
    desk.keys.wrap(&[CASE, outside].concat(), &bytes)
}

pub(crate) fn open_case(desk: &Desk, entry: &EntryRow) -> Result<Case, PersonError> {
    read_case(desk, &entry.outside, &entry.opened)
}

pub(crate) fn read_case(desk: &Desk, outside: &BlindIndex, wrapped: &[u8]) -> Result<Case, PersonError> {
    let bytes = desk.keys.unwrap(&[CASE, outside].concat(), wrapped)?;
    serde_json::from_slice(&bytes)
        .map_err(|_| kaname_trust::TrustError::Unreadable("person.link-case").into())
}
