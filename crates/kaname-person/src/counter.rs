//! Sessions at the counter: an officer serves one resident at a time, and whoever comes next is nobody until a session begins for her.
//!
//! In Japan, bank accounts were registered for strangers because the terminal was still signed in as the person before. Here an act
//! at the counter takes an open [`CounterSession`], which names the resident, and which a page of another session does not open.
//!
//! A session is a row in the home bucket. Its beginning and its end are entries of the resident's own log, written in her bucket:
//! the first before the row, the second before the row goes. Stopped between the two, the program writes the second one again rather
//! than never.

mod rules;
mod table;

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_store::{Store, Tx};
use kaname_trust::{Access, Actor, Keys, PersonId, TrustError, access, person};
use serde::{Deserialize, Serialize};

use self::table::CounterRow;
use crate::{Action, OfficerId, PersonError, Refusal, policy, register, show};

pub use rules::{Ending, over};

kaname_base::id_types! {
    /// A session at the counter.
    CounterId(CounterKind) = "ctr";
}

/// An officer begins to serve a resident.
#[derive(Clone)]
pub struct Begin {
    /// Who serves.
    pub officer: OfficerId,
    /// The same, in a role that may find residents.
    pub actor: Actor,
    /// A keyed hash of the sign-in on one terminal: pages of another terminal do not reach the session.
    pub terminal: [u8; 16],
    /// Who is served.
    pub person: PersonId,
    /// A purpose code of the pack, one of [`policy::purposes_of`] the role.
    pub purpose: String,
}

/// An open session. Only this file makes one: it is the proof that the officer serves this resident now.
#[derive(Clone, PartialEq, Eq)]
pub struct CounterSession {
    id: CounterId,
    person: PersonId,
    body: Body,
}

/// What is found for an officer at a terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// No session.
    None,
    /// A session that is open.
    Open(Box<CounterSession>),
    /// A session that is over, and still has to be ended: [`end`].
    Over(Ending),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Body {
    id: String,
    person: [u8; 16],
    terminal: [u8; 16],
    actor: Actor,
    purpose: String,
    /// Shown on every page of the session, under the entry of its beginning; it goes with the row.
    name: String,
    since: Instant,
    seen: Instant,
    /// Set first when it ends: from then on nothing can be done in it.
    ending: Option<Ending>,
}

/// A session is written again at most so often, in seconds.
const SEEN_SECONDS: i64 = 20;

/// Sessions that may end between reading and inserting before we give up; two tabs that begin at once need one.
const TRIES: usize = 4;

impl CounterSession {
    /// Its id, for the forms of its pages.
    pub fn id(&self) -> CounterId {
        self.id
    }

    /// Who is served.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// Her name, for the banner.
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// Why she came: a purpose code of the pack.
    pub fn purpose(&self) -> &str {
        &self.body.purpose
    }

    /// Since when.
    pub fn since(&self) -> Instant {
        self.body.since
    }
}

/// Personal data: the debug form shows the id only.
impl std::fmt::Debug for CounterSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CounterSession({})", self.id)
    }
}

/// Begins a session; one that the officer has, on whichever terminal, ends.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::UnknownPurpose`] when the role may not read for it, [`Refusal::NoSuchResident`].
pub fn begin(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Begin,
) -> Result<CounterId, PersonError> {
    policy::may(&ask.actor, Action::FindResident)?;
    if !policy::purposes_of(&ask.actor.role).contains(&ask.purpose.as_str()) {
        return Err(Refusal::UnknownPurpose.into());
    }
    let name = greet(store, keys, pack, env, ask)?;
    let id: CounterId = env.again().id(store.buckets().home());
    let body = Body {
        id: id.to_string(),
        person: *ask.person.bytes(),
        terminal: ask.terminal,
        actor: ask.actor.clone(),
        purpose: ask.purpose.clone(),
        name,
        since: env.now,
        seen: env.now,
        ending: None,
    };
    let officer = ask.officer;
    for _ in 0..TRIES {
        end(store, keys, pack, env, officer, Ending::Replaced)?;
        let wrapped = wrap(keys, officer, &body);
        let inserted = store.write(store.buckets().home(), move |tx| table::insert(tx, officer, &wrapped))?;
        if inserted {
            return Ok(id);
        }
    }
    Err(kaname_store::StoreError::Busy.into())
}

/// The officer's session at this terminal. Reads the home bucket.
///
/// # Errors
/// [`PersonError::Trust`] when the row was tampered with.
pub fn open(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    now: Instant,
    officer: OfficerId,
    terminal: &[u8; 16],
) -> Result<Found, PersonError> {
    let Some(row) = table::of_officer(tx, officer)? else { return Ok(Found::None) };
    let body = unwrap(keys, &row)?;
    if body.terminal != *terminal {
        return Ok(Found::None);
    }
    match body.ending.or_else(|| over(pack.counter, body.since, body.seen, now)) {
        Some(ending) => Ok(Found::Over(ending)),
        None => Ok(Found::Open(Box::new(session(body)?))),
    }
}

/// Notes that something was done in a session, now and then.
///
/// # Errors
/// [`PersonError::Store`].
pub fn touch(
    store: &Store,
    keys: &Keys,
    now: Instant,
    officer: OfficerId,
    session: &CounterSession,
) -> Result<(), PersonError> {
    if now < session.body.seen.plus_seconds(SEEN_SECONDS) {
        return Ok(());
    }
    let (keys, id) = (keys.clone(), session.body.id.clone());
    store.write(store.buckets().home(), move |tx| {
        let Some(row) = table::of_officer(tx, officer)? else { return Ok(()) };
        let body = unwrap(&keys, &row)?;
        if body.id != id || body.ending.is_some() {
            return Ok(());
        }

        let wrapped = wrap(&keys, officer, &Body { seen: now, ..body });
        Ok(table::replace(tx, &CounterRow { wrapped, ..row })?)
    })
}

/// Ends the officer's session, whatever its state; `false` when there is none. `ending` is why, unless its time was over before.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn end(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    officer: OfficerId,
    ending: Ending,
) -> Result<bool, PersonError> {
    let (home, with, now, rules) = (store.buckets().home(), keys.clone(), env.now, pack.counter);
    let closed = store.write::<_, PersonError, _>(home, move |tx| {
        let Some(row) = table::of_officer(tx, officer)? else { return Ok(None) };
        let mut body = unwrap(&with, &row)?;
        if body.ending.is_some() {
            return Ok(Some((row, body)));
        }
        body.ending = Some(over(rules, body.since, body.seen, now).unwrap_or(ending));

        let row = CounterRow { wrapped: wrap(&with, officer, &body), ..row };
        table::replace(tx, &row)?;
        Ok(Some((CounterRow { version: row.version + 1, ..row }, body)))
    })?;
    let Some((row, body)) = closed else { return Ok(false) };
    // If we stop here, nothing can be done in the session any more, and the next look or the sweep goes on from here.
    part(store, keys, pack, env, &body)?;
    store.write::<_, PersonError, _>(home, move |tx| Ok(table::delete(tx, &row)?))?;
    Ok(true)
}

/// Ends the sessions whose time is over: of officers who never came back. Gives their number.
///
/// # Errors
/// [`PersonError::Store`], [`PersonError::Trust`].
pub fn sweep(store: &Store, keys: &Keys, pack: &Pack, env: &Env) -> Result<u64, PersonError> {
    let (with, now, rules) = (keys.clone(), env.now, pack.counter);
    let late = store.read::<_, PersonError, _>(store.buckets().home(), move |tx| {
        let mut late = Vec::new();
        for row in table::all(tx)? {
            let body = unwrap(&with, &row)?;
            if let Some(ending) = body.ending.or_else(|| over(rules, body.since, body.seen, now)) {
                late.push((row.officer, ending));
            }
        }
        Ok(late)
    })?;
    let mut ended = 0;
    for (officer, ending) in late {
        ended += u64::from(end(store, keys, pack, &env.again(), officer, ending)?);
    }
    Ok(ended)
}

/// The entry of the beginning, and the name for the banner, in the resident's bucket.
fn greet(store: &Store, keys: &Keys, pack: &Pack, env: &Env, ask: &Begin) -> Result<String, PersonError> {
    let bucket = person::bucket_of(ask.person, store.buckets());
    let (keys, pack, env, ask) = (keys.clone(), pack.clone(), env.again(), ask.clone());
    store.write(bucket, move |tx| {
        // Of somebody who died, a mistake is corrected at the counter of whoever records events.
        let is_closed = register::is_closed(tx, ask.person)?;
        let serves_closed = is_closed && policy::may(&ask.actor, Action::RecordEvent).is_ok();
        if !serves_closed && !show::is_active(tx, ask.person)? {
            return Err(Refusal::NoSuchResident.into());
        }
        let purpose = pack.purpose(&ask.purpose).ok_or(Refusal::UnknownPurpose)?;
        let basis = purpose.legal_basis.get(&pack.default_language().tag);
        let fields = &["counter-begun", "name"];
        let access = Access { person: ask.person, actor: &ask.actor, purpose: &purpose.code, basis, fields };
        let receipt = access::record(tx, &keys, &env.again(), &access)?;
        Ok(show::record_with(tx, &receipt)?.display_name(&pack))
    })
}

/// The entry of the end.
fn part(store: &Store, keys: &Keys, pack: &Pack, env: &Env, body: &Body) -> Result<(), PersonError> {
    let session = session(body.clone())?;
    let ending = body.ending.unwrap_or(Ending::Ended);
    let (keys, pack, env) = (keys.clone(), pack.clone(), env.again());
    let written =
        store.write::<_, PersonError, _>(person::bucket_of(session.person, store.buckets()), move |tx| {
            let purpose = &session.body.purpose;
            let basis =
                pack.purpose(purpose).map_or("", |known| known.legal_basis.get(&pack.default_language().tag));
            let fields = &[ending.code()];
            let access =
                Access { person: session.person, actor: &session.body.actor, purpose, basis, fields };
            access::record(tx, &keys, &env.again(), &access)?;
            Ok(())
        });
    match written {
        // She was erased meanwhile: there is no log to write into.
        Err(PersonError::Trust(TrustError::NoSuchHolder)) => Ok(()),
        written => written,
    }
}

fn session(body: Body) -> Result<CounterSession, PersonError> {
    let id = CounterId::parse(&body.id).map_err(|_| TrustError::Unreadable(KIND))?;
    Ok(CounterSession { id, person: PersonId::from_bytes(body.person), body })
}

const KIND: &str = "person.counter";

/// Bound into the wrapping, so that one officer's session never stands for another's.
fn context(officer: OfficerId) -> Vec<u8> {
    [KIND.as_bytes(), b"\0", officer.bytes()].concat()
}

fn wrap(keys: &Keys, officer: OfficerId, body: &Body) -> Vec<u8> {
    let plain = serde_json::to_vec(body).expect("a body is plain data");
    keys.wrap(&context(officer), &plain)
}

fn unwrap(keys: &Keys, row: &CounterRow) -> Result<Body, PersonError> {
    let plain = keys.unwrap(&context(row.officer), &row.wrapped)?;
    Ok(serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable(KIND))?)
}
