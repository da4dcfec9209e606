//! Use case: record a life event.

use jiff::civil::Date;
use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::person::bucket_of;
use kaname_trust::{Access, Actor, Keys, PersonId, Receipt, Sealed, access};
use serde::{Deserialize, Serialize};

use super::rules::{Numbered, Until, admit, fold, may_relate};
use super::{Change, EventKind, LifeEvent, basis, follow, purpose_of, table as own};
use crate::four_eyes::{self, Approved};
use crate::{Action, PackVersion, PersonError, Refusal, RelationKind, Resident, policy, serial, table};

/// An event to be recorded.
#[derive(Clone)]
pub struct NewEvent {
    /// Chosen by the caller with [`crate::register::new_request`]: the same request records once.
    pub request: [u8; 16],
    /// To whom it happened.
    pub person: PersonId,
    /// What happened.
    pub change: Change,
    /// The day from which it holds.
    pub on: Date,
    /// Who records it.
    pub by: Actor,
    /// Why.
    pub why: String,
    /// What shows it.
    pub evidence: String,
}

/// What two officers agree on where the country wants a second one for an event ([`crate::four_eyes`]).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventAsked {
    request: [u8; 16],
    #[serde(with = "serial::person")]
    person: PersonId,
    change: Change,
    #[serde(with = "serial::date")]
    on: Date,
    why: String,
    evidence: String,
}

impl EventAsked {
    /// Of what was asked for.
    pub fn of(ask: &NewEvent) -> EventAsked {
        let NewEvent { request, person, change, on, why, evidence, .. } = ask.clone();
        EventAsked { request, person, change, on, why, evidence }
    }

    /// What was asked for, by whoever proposed it.
    pub fn by(self, by: Actor) -> NewEvent {
        let EventAsked { request, person, change, on, why, evidence } = self;
        NewEvent { request, person, change, on, by, why, evidence }
    }
}

/// The action under which the country may want a second officer for an event, if there is one.
pub fn asked_of_two(change: &Change) -> Option<Action> {
    let is_guardian =
        |relation: &RelationKind| matches!(relation, RelationKind::Guardian | RelationKind::Ward);
    match change {
        Change::RelationBegins { relation, .. } if is_guardian(relation) => Some(Action::RecordGuardianship),
        _ => None,
    }
}

/// As [`record_event`], of what another officer has agreed to.
///
/// # Errors
/// As [`record_event`]; [`Refusal::TwoOfficers`] when they agreed on something else.
pub fn record_agreed(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    approved: &Approved,
) -> Result<i64, PersonError> {
    let ask = approved.proposal().content::<EventAsked>()?.by(approved.first().clone());
    record_with(store, keys, pack, env, Some(approved), &ask)
}

/// Records an event with the resident to whom it happened; gives its number among her events. What it asks of others follows, done
/// by a worker ([`follow`]). The same request again gives the same number.
///
/// # Errors
/// What [`admit`] refuses; [`Refusal::NotAllowed`]; [`Refusal::UnknownRelation`] and [`Refusal::RelatedToHerself`] for the other
/// whom it names, and what [`may_relate`] refuses; [`Refusal::RecordedOtherwise`] for an event that has a use case of its own; [`Refusal::RequestReused`];
/// [`Refusal::ReasonMissing`]; [`Refusal::TwoOfficers`] where the country wants a second officer, for [`record_agreed`].
pub fn record_event(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &NewEvent,
) -> Result<i64, PersonError> {
    record_with(store, keys, pack, env, None, ask)
}

fn record_with(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    second: Option<&Approved>,
    ask: &NewEvent,
) -> Result<i64, PersonError> {
    policy::may(&ask.by, Action::RecordEvent)?;
    policy::says_why(&[&ask.why, &ask.evidence])?;
    match &ask.change {
        Change::Photo
        | Change::Bereavement { .. }
        | Change::MergedInto { .. }
        | Change::Absorbed { .. }
        | Change::SplitFrom { .. }
        | Change::SplitOff { .. } => return Err(Refusal::RecordedOtherwise.into()),
        change if change.is_beginning() || change.is_of_number() => {
            return Err(Refusal::RecordedOtherwise.into());
        }
        _ => {}
    }
    if let Some(other) = ask.change.other() {
        check_other(store, ask.person, other)?;
    }
    let other = related_on_the_day(store, keys, pack, env, ask)?;
    let (keys, pack, env, ask) = (keys.clone(), pack.clone(), env.again(), ask.clone());
    let second = second.cloned();
    store.write(bucket_of(ask.person, store.buckets()), move |tx| {
        let beside = Beside { other: other.as_ref(), second: second.as_ref() };
        record_beside(tx, &keys, &pack, &env.again(), &ask, Side::Hers, beside)
    })
}

/// The other with whom a relation is to begin, as she was on its day; read before, in her bucket, with an entry in her log.
fn related_on_the_day(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &NewEvent,
) -> Result<Option<Resident>, PersonError> {
    let other = match ask.change {
        Change::Marriage { with, .. } => with,
        Change::RelationBegins { to, .. } => to,
        _ => return Ok(None),
    };
    // A mandate is for one person, and not for the other.
    let reader = if ask.by.mandate.is_some() { follow::program() } else { ask.by.clone() };
    let (keys, pack, env, on) = (keys.clone(), pack.clone(), env.again(), ask.on);
    store.write(bucket_of(other, store.buckets()), move |tx| {
        let book = Book::open(tx, &keys, &pack, &env.again(), other, &reader, "registration")?;
        Ok(Some(fold(&book.entered, &book.events, Until { day: Some(on), known: None })?))
    })
}

/// The number of the event that was recorded for a request, if one was. It opens nothing, so that a file that is read a second time says
/// nothing new in anybody's log.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn recorded(
    store: &Store,
    by: &Actor,
    person: PersonId,
    request: &[u8; 16],
) -> Result<Option<i64>, PersonError> {
    policy::may(by, Action::RecordEvent)?;
    let Some(bucket) = person.bucket(store.buckets()) else { return Ok(None) };
    let rows = store.read::<_, StoreError, _>(bucket, move |tx| table::events(tx, person))?;
    Ok(rows.into_iter().find(|row| row.request == request).map(|row| row.n))
}

/// Whether there is such another resident. Asked before, because she lies in another bucket; what has changed until her side is
/// recorded is found by [`super::check`].
pub(crate) fn check_other(store: &Store, person: PersonId, other: PersonId) -> Result<(), PersonError> {
    if other == person {
        return Err(Refusal::RelatedToHerself.into());
    }
    let bucket = other.bucket(store.buckets()).ok_or(Refusal::UnknownRelation)?;
    let found = store.read::<_, StoreError, _>(bucket, move |tx| table::resident(tx, other))?;
    found.map(drop).ok_or_else(|| Refusal::UnknownRelation.into())
}

/// Which side of what happened is recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one that was reported.
    Hers,
    /// The other's, which follows from it.
    Others,
    /// One that was decided, by four eyes where the pack asks for them.
    Decided,
}

/// Records an event in the unit of its resident's bucket, whatever its kind.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &NewEvent,
    side: Side,
) -> Result<i64, PersonError> {
    record_beside(tx, keys, pack, env, ask, side, Beside::default())
}

/// What an event that is reported is held against.
#[derive(Clone, Copy, Default)]
struct Beside<'a> {
    /// The other whom it names, as she was on its day.
    other: Option<&'a Resident>,
    /// That a second officer agreed.
    second: Option<&'a Approved>,
}

/// [`record`], held against what stands beside it.
fn record_beside(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &NewEvent,
    side: Side,
    beside: Beside<'_>,
) -> Result<i64, PersonError> {
    // A mandate is for one person: what follows for the other is read by the program.
    let reader = if side == Side::Others { follow::program() } else { ask.by.clone() };
    let book = Book::open(tx, keys, pack, env, ask.person, &reader, purpose_of(&ask.change))?;
    let event = LifeEvent {
        change: ask.change.clone(),
        on: Some(ask.on),
        at: env.now,
        by: ask.by.clone(),
        why: ask.why.clone(),
        evidence: ask.evidence.clone(),
        pack: PackVersion::of(pack),
        other_side: side == Side::Others,
    };
    if let Some(done) = book.of_request(&ask.request) {
        let same = done.event.change == event.change && done.event.on == event.on;
        return if same { Ok(done.n) } else { Err(Refusal::RequestReused.into()) };
    }
    if side == Side::Hers && needs_decision(&book.events, &event.change) {
        return Err(Refusal::RecordedOtherwise.into());
    }
    let state = admit(&book.entered, &book.events, &event, env.now.date_in(&pack.time_zone))?;
    if let Some(other) = beside.other {
        let hers = fold(&book.entered, &book.events, Until { day: Some(ask.on), known: None })?;
        may_relate(&ask.change, ask.on, &pack.person.marriage, (ask.person, &hers), other)?;
    }
    // Asked last: what cannot be is proposed to nobody.
    if side == Side::Hers
        && let Some(action) = asked_of_two(&ask.change)
    {
        four_eyes::check(pack, action, &ask.by, beside.second)?;
    }

    book.append(tx, keys, env, &ask.request, &event, &state)
}

/// A merge and a split are undone as they were done: by a decision.
fn needs_decision(events: &[Numbered], change: &Change) -> bool {
    let Change::Annulment { of } = change else { return false };
    let struck = events.iter().find(|numbered| numbered.n == *of);
    struck.is_some_and(|numbered| matches!(numbered.event.kind(), EventKind::Merge | EventKind::Split))
}

/// A resident's events, with a receipt that the caller has.
pub(crate) fn events_with(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<Vec<Numbered>, PersonError> {
    let rows = table::events(tx, receipt.person())?;
    let open = |row: table::EventRow| {
        let event = Sealed::<LifeEvent>::from_bytes(&row.sealed).open(receipt)?.of(receipt.person())?;
        Ok(Numbered { n: row.n, event })
    };
    rows.into_iter().map(open).collect()
}

/// A resident's entry and her events, opened to add one.
pub(crate) struct Book<'u> {
    receipt: Receipt<'u>,
    row: table::ResidentRow,
    was_changed: bool,
    requests: Vec<(i64, Vec<u8>)>,
    /// Her record as it was made.
    pub(crate) entered: Resident,
    /// Her events, in the order in which they were recorded.
    pub(crate) events: Vec<Numbered>,
}

impl<'u> Book<'u> {
    /// Opens it; an entry in her access log says who did.
    pub(crate) fn open(
        tx: &mut Tx<'u>,
        keys: &Keys,
        pack: &Pack,
        env: &Env,
        person: PersonId,
        actor: &Actor,
        purpose: &str,
    ) -> Result<Book<'u>, PersonError> {
        if table::resident(tx, person)?.is_none() {
            return Err(Refusal::NoSuchResident.into());
        }
        let fields = &["name", "birth_date", "address", "relations", "life-events"];
        let receipt = access::record(
            tx,
            keys,
            env,
            &Access { person, actor, purpose, basis: basis(pack, purpose), fields },
        )?;
        Book::with(tx, receipt)
    }

    /// Opens it with a receipt that the caller has.
    pub(crate) fn with(tx: &mut Tx<'u>, receipt: Receipt<'u>) -> Result<Book<'u>, PersonError> {
        let person = receipt.person();
        let row = table::resident(tx, person)?.ok_or(Refusal::NoSuchResident)?;
        let kept = own::entered(tx, person)?;
        let was_changed = kept.is_some();
        let entered = kept.as_ref().unwrap_or(&row.sealed);
        let entered = Sealed::<Resident>::from_bytes(entered).open(&receipt)?.of(person)?;
        let (mut events, mut requests) = (Vec::new(), Vec::new());
        for row in table::events(tx, person)? {
            let event = Sealed::<LifeEvent>::from_bytes(&row.sealed).open(&receipt)?.of(person)?;
            events.push(Numbered { n: row.n, event });
            requests.push((row.n, row.request));
        }
        Ok(Book { receipt, row, was_changed, requests, entered, events })
    }

    /// The event that was recorded for a request.
    pub(crate) fn of_request(&self, request: &[u8; 16]) -> Option<&Numbered> {
        let (n, _) = self.requests.iter().find(|(_, known)| known == request)?;
        self.events.iter().find(|numbered| numbered.n == *n)
    }

    /// The version of her record of today.
    pub(crate) fn version(&self) -> i64 {
        self.row.version
    }

    /// What is kept as her record of today.
    pub(crate) fn current(&self) -> Result<Resident, PersonError> {
        Ok(Sealed::<Resident>::from_bytes(&self.row.sealed).open(&self.receipt)?.of(self.receipt.person())?)
    }

    /// Writes an event that was admitted, her record after it, and the job for what follows.
    pub(crate) fn append(
        self,
        tx: &mut Tx<'u>,
        keys: &Keys,
        env: &Env,
        request: &[u8; 16],
        event: &LifeEvent,
        state: &Resident,
    ) -> Result<i64, PersonError> {
        let (person, key) = (self.receipt.person(), self.receipt.data_key());
        let n = self.events.last().map_or(1, |last| last.n + 1);
        let (event, state_sealed) = (key.seal(event), key.seal(state));

        if !self.was_changed {
            own::keep_entered(tx, person, &self.row.sealed)?;
        }
        let record = table::NewRecord::Event { id: &person, n, request, sealed: event.bytes() };
        table::insert_records(tx, &[record])?;
        own::set_current(tx, person, self.row.version, state.life.standing, state_sealed.bytes())?;
        follow::enqueue(tx, keys, env, person, n)?;
        Ok(n)
    }
}
