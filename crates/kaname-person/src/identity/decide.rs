//! Use case: decide a proposal, and carry it out.

use std::cell::Cell;

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::jobs::{self, Enqueued, NewJob};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::{Actor, Keys, PersonId};

use super::propose::{bucket_of_person, bucket_of_proposal, is_possible, open};
use super::{Act, Proposal, ProposalId, ProposalState, rules, table as own};
use crate::event::Change;
use crate::event::follow::program;
use crate::event::record::{Book, NewEvent, Side, record};
use crate::event::rules::Numbered;
use crate::number::LONGEST_CHAIN;
use crate::{Action, PersonError, Refusal, policy};

/// The kind of job that carries out what was decided.
pub const KIND: &str = "person.identity";

/// A decision.
#[derive(Clone)]
pub struct Decide {
    /// About which proposal.
    pub id: ProposalId,
    /// Whether it is to be carried out.
    pub approve: bool,
    /// Who decides.
    pub by: Actor,
}

/// Decides a proposal. An approved one is carried out before this returns; killed in between, a job goes on with it.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::SecondOfficer`] when the pack asks for four eyes and these are the same two;
/// [`Refusal::ProposalDecided`]; and what the events of the act refuse, such as [`Refusal::EntryMerged`]: the proposal waits again then,
/// for another decision, so that it is neither lost nor carried out one day by surprise.
pub fn decide(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Decide,
) -> Result<ProposalState, PersonError> {
    policy::may(&ask.by, Action::DecideIdentity)?;
    let bucket = bucket_of_proposal(store, ask.id)?;
    let (with, country, at, asked) = (keys.clone(), pack.clone(), env.again(), ask.clone());
    let state = store.write(bucket, move |tx| {
        let (proposal, row, receipt) = open(tx, &with, &country, &at.again(), &asked.by, asked.id)?;
        rules::may_decide(&proposal, row.state, &asked.by, &country)?;
        let state = if asked.approve { ProposalState::Approved } else { ProposalState::Refused };
        if asked.approve {
            is_possible(tx, row.person, &proposal.act, &receipt)?;
        }
        let decided = Proposal { decided_by: Some(asked.by.clone()), ..proposal };
        let sealed = receipt.data_key().seal(&decided);

        own::set(tx, asked.id, row.version, state, sealed.bytes())?;
        if asked.approve {
            enqueue(tx, &at, asked.id)?;
        }
        Ok::<_, PersonError>(state)
    })?;
    if state == ProposalState::Refused {
        return Ok(state);
    }
    carry_out(store, keys, pack, env, ask.id)
}

/// Asks for the job. A proposal's id is a keyed hash: it tells nobody anything.
fn enqueue(tx: &mut Tx<'_>, env: &Env, id: ProposalId) -> Result<(), PersonError> {
    match jobs::enqueue(tx, env, &NewJob { id: *id.bytes(), kind: KIND, body: &[], due: env.now })? {
        Enqueued::Added | Enqueued::AlreadyThere => Ok(()),
        Enqueued::IdReused => Err(StoreError::Conflict.into()),
    }
}

/// Carries out an approved proposal. Done twice, or by two at once, it is done once.
///
/// # Errors
/// [`Refusal::NoSuchProposal`]; what the events of the act refuse.
pub fn carry_out(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    id: ProposalId,
) -> Result<ProposalState, PersonError> {
    let bucket = bucket_of_proposal(store, id)?;
    let (with, country, at) = (keys.clone(), pack.clone(), env.again());
    let (person, proposal, state) = store.write(bucket, move |tx| {
        let (proposal, row, _) = open(tx, &with, &country, &at.again(), &program(), id)?;
        Ok::<_, PersonError>((row.person, proposal, row.state))
    })?;
    if state != ProposalState::Approved {
        return Ok(state);
    }
    let work = Work { store, keys, pack, env, id, person, proposal: &proposal, begun: Cell::new(false) };
    let done = match &proposal.act {
        Act::Merge { survivor } => work.merge(*survivor),
        Act::Unmerge => work.unmerge(),
        Act::Split { other } => work.record(*other, 0, Change::SplitFrom { entry: person }).map(drop),
        Act::MoveEvent { n, to } => work.move_event(*n, *to),
    };
    let (state, refusal) = match done {
        Ok(()) => (ProposalState::Done, None),
        // Nothing has happened, and nothing shall happen by surprise: it is to be decided once more.
        Err(PersonError::Refused(refusal)) if !work.begun.get() => (ProposalState::Waiting, Some(refusal)),
        Err(error) => return Err(error),
    };
    let (with, country, at) = (keys.clone(), pack.clone(), env.again());
    store.write(bucket, move |tx| {
        let (proposal, row, receipt) = open(tx, &with, &country, &at.again(), &program(), id)?;
        if row.state == ProposalState::Approved {
            let decided_by = proposal.decided_by.clone().filter(|_| state == ProposalState::Done);
            let sealed = receipt.data_key().seal(&Proposal { decided_by, ..proposal });
            own::set(tx, id, row.version, state, sealed.bytes())?;
        }
        Ok::<_, PersonError>(())
    })?;
    refusal.map_or(Ok(state), |refusal| Err(refusal.into()))
}

/// An approved proposal that is being carried out.
struct Work<'a> {
    store: &'a Store,
    keys: &'a Keys,
    pack: &'a Pack,
    env: &'a Env,
    id: ProposalId,
    person: PersonId,
    proposal: &'a Proposal,
    /// Whether a step was done.
    begun: Cell<bool>,
}

impl Work<'_> {
    /// The event of one step, under a request that is always the same.
    fn event(&self, person: PersonId, step: u8, change: Change) -> NewEvent {
        let request =
            self.keys.blind_index("person.proposal-step", &[self.id.bytes().as_slice(), &[step]].concat());
        // Who decided answers for it; who proposed stands in the proposal.
        let by = self.proposal.decided_by.clone().unwrap_or_else(|| self.proposal.by.clone());
        let (why, evidence) = (self.proposal.why.clone(), self.proposal.evidence.clone());
        let on = self.proposal.at.date_in(&self.pack.time_zone);
        NewEvent { request, person, change, on, by, why, evidence }
    }

    fn record(&self, person: PersonId, step: u8, change: Change) -> Result<i64, PersonError> {
        self.record_and(person, self.event(person, step, change), |_| Ok(()))
    }

    /// Records an event, and does `also` in the same unit of work.
    fn record_and(
        &self,
        person: PersonId,
        event: NewEvent,
        also: impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<i64, PersonError> {
        let (keys, pack, env) = (self.keys.clone(), self.pack.clone(), self.env.again());
        let n = self.store.write(bucket_of_person(self.store, person), move |tx| {
            let n = record(tx, &keys, &pack, &env.again(), &event, Side::Decided)?;
            also(tx)?;
            Ok::<_, PersonError>(n)
        })?;
        self.begun.set(true);
        Ok(n)
    }

    fn merge(&self, survivor: PersonId) -> Result<(), PersonError> {
        let second = self.person;
        let was_done = self.leads(second)? == Some(survivor);
        if !was_done && self.leads(survivor)?.is_some() {
            return Err(Refusal::EntryMerged.into()); // what counts must be an entry that counts
        }
        let event = self.event(second, 0, Change::MergedInto { survivor });
        let n = self.record_and(second, event, move |tx| own::lead(tx, second, survivor))?;
        // Another merge may have been decided at the same instant, of the survivor into this one: then nobody would count.
        if self.comes_back(survivor)? { self.take_back(n) } else { Ok(()) }
    }

    fn leads(&self, person: PersonId) -> Result<Option<PersonId>, StoreError> {
        self.store.read(bucket_of_person(self.store, person), move |tx| own::leads(tx, person))
    }

    /// Whether the entry that this one was merged into leads, over however many, back to it.
    fn comes_back(&self, survivor: PersonId) -> Result<bool, StoreError> {
        let mut at = survivor;
        for _ in 0..LONGEST_CHAIN {
            match self.leads(at)? {
                Some(next) if next == self.person => return Ok(true),
                Some(next) => at = next,
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Strikes a merge that must not stand, and refuses its proposal, in one unit of work: both lie in the second entry's bucket.
    fn take_back(&self, of: i64) -> Result<(), PersonError> {
        let (second, id) = (self.person, self.id);
        let annul = self.event(second, 1, Change::Annulment { of });
        self.record_and(second, annul, move |tx| {
            own::lead_nowhere(tx, second)?;
            let Some(row) = own::read(tx, id)? else { return Err(StoreError::Conflict) };
            own::set(tx, id, row.version, ProposalState::Refused, &row.sealed)
        })?;
        self.begun.set(false);
        Err(Refusal::EntryMerged.into())
    }

    fn unmerge(&self) -> Result<(), PersonError> {
        let second = self.person;
        // The merge that was looked at when this was proposed, and no later one.
        let known = |numbered: &Numbered| numbered.event.at <= self.proposal.at;
        let is_merge = |numbered: &Numbered| matches!(numbered.event.change, Change::MergedInto { .. });
        let events = self.events(second)?;
        let merge = events.iter().rfind(|numbered| known(numbered) && is_merge(numbered));
        let merge = merge.ok_or(Refusal::NotMerged)?;
        let undo = self.event(second, 0, Change::Annulment { of: merge.n });
        let event = NewEvent { on: merge.event.day(), ..undo };
        self.record_and(second, event, move |tx| own::lead_nowhere(tx, second)).map(drop)
    }

    /// First with whom it happened, which may be refused, then away from where it stands.
    fn move_event(&self, n: i64, to: PersonId) -> Result<(), PersonError> {
        let events = self.events(self.person)?;
        let event = &rules::may_be_moved(&events, n)?.event;
        let moved = self.event(to, 0, event.change.clone());
        self.record_and(to, NewEvent { on: event.day(), ..moved }, |_| Ok(()))?;
        let annul = self.event(self.person, 1, Change::Annulment { of: n });
        self.record_and(self.person, NewEvent { on: event.day(), ..annul }, |_| Ok(())).map(drop)
    }

    /// The events of somebody, opened by the program for what was decided.
    fn events(&self, person: PersonId) -> Result<Vec<Numbered>, PersonError> {
        let (keys, pack, env) = (self.keys.clone(), self.pack.clone(), self.env.again());
        self.store.write(bucket_of_person(self.store, person), move |tx| {
            let book = Book::open(tx, &keys, &pack, &env.again(), person, &program(), "correction")?;
            Ok(book.events)
        })
    }
}
