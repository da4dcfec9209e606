//! Numbers: random to look at, never given twice, and no slower when the space is nearly full.
//!
//! A counter runs through the scheme's space, and a keyed permutation turns each counter into the index of a number. Two
//! counters never give one number, so nothing is drawn and tried again. Processes lease counters in blocks; what a killed
//! process had leased is lost, and nobody is ever given it.
//!
//! Uniqueness holds twice: the permutation cannot repeat, and before a number is given it is promised to one person in the
//! directory (`person_number`, in the bucket of the number's hash). A unit of work stays in one bucket, so the steps are
//!
//! 1. promise: the directory row is inserted, unless it is there;
//! 2. give: in the person's bucket, the sealed number and her row that points at it, in one unit of work.
//!
//! Killed between the two, the promise confirms nothing and counts for nothing: [`find_by_number`] believes the person's
//! bucket. The next run promises another number; the one in between is lost. So there is nothing to repair, and no third
//! write that confirms.

pub mod alias;
pub mod lock;
pub mod resolve;
mod table;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::cipher::{AES_128, EncryptingKey, UnboundCipherKey};
use kaname_base::number::{NumberScheme, PersonNumber};
use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::keys::BlindIndex;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, PersonId, Record, TrustError, seal};
use serde::{Deserialize, Serialize};

use crate::event::{Change, LifeEvent};
use crate::four_eyes::{self, Approved};
use crate::table as rows;
use crate::{PackVersion, PersonError, Refusal};

/// The least number of counters that a lease takes.
const LEASE: u64 = 4_096;

/// A permutation of `0..size` that only the holder of the key can tell from a random one.
///
/// The generalised Feistel construction of J. Black and P. Rogaway, "Ciphers with Arbitrary Finite Domains" (CT-RSA 2002),
/// section 5: the value is a pair of a remainder below `a` and a quotient below `b`, with `a * b` just above `size`, and
/// values that land outside are walked on (section 4). The round function is AES-128 of round and half, taken modulo the other half's
/// size; from 64 bits to at most 2^32, so its bias is below 2^-32. Ten rounds, as NIST SP 800-38G takes for FF1: the paper's three are
/// proven for large halves only, and some countries' numbers have seven digits.
pub struct Permutation {
    size: u64,
    a: u64,
    b: u64,
    cipher: EncryptingKey,
}

const ROUNDS: u64 = 10;

impl Permutation {
    /// The permutation of `0..size` that belongs to `key`.
    pub fn new(key: &[u8; 16], size: u64) -> Permutation {
        let root = size.isqrt();
        let a = if root * root < size { root + 1 } else { root }.max(1);
        let b = size.div_ceil(a).max(1);
        let unbound = UnboundCipherKey::new(&AES_128, key).expect("AES-128 takes 16 bytes");
        let cipher = EncryptingKey::ecb(unbound).expect("ECB takes every AES key");
        Permutation { size, a, b, cipher }
    }

    /// Permutes each of `values` in place. Many at once cost less: the cipher runs over all of them in one call.
    pub fn apply(&self, values: &mut [u64]) {
        self.pass(values);
        // Fewer than one value in sqrt(size) walks on; each comes back inside, because a permutation's cycles close.
        for value in values {
            while *value >= self.size {
                self.pass(std::slice::from_mut(value));
            }
        }
    }

    /// The permutation of `0..a*b`.
    fn pass(&self, values: &mut [u64]) {
        let mut halves: Vec<(u64, u64)> =
            values.iter().map(|value| (value % self.a, value / self.a)).collect();
        let mut blocks = vec![0_u8; halves.len() * 16];
        for round in 0..ROUNDS {
            let left = round % 2 == 0;
            for (block, (l, r)) in blocks.chunks_exact_mut(16).zip(&halves) {
                block[..8].copy_from_slice(&round.to_le_bytes());
                block[8..].copy_from_slice(&(if left { r } else { l }).to_le_bytes());
            }
            self.cipher.encrypt(&mut blocks).expect("whole blocks");
            for (block, (l, r)) in blocks.chunks_exact(16).zip(&mut halves) {
                let word = u64::from_le_bytes(block[..8].try_into().expect("a block has 16 bytes"));
                if left {
                    *l = (*l + word % self.a) % self.a;
                } else {
                    *r = (*r + word % self.b) % self.b;
                }
            }
        }
        for (value, (l, r)) in values.iter_mut().zip(halves) {
            *value = r * self.a + l;
        }
    }
}

/// The source of new numbers of one process: leased counters, permuted.
pub struct Numbers {
    scheme: NumberScheme,
    /// Names the space in the table of leases. Another space has another permutation, and so counts anew.
    name: String,
    permutation: Permutation,
    in_hand: Mutex<VecDeque<PersonNumber>>,
}

impl Numbers {
    /// The numbers of the pack's scheme, in the order of this deployment's key.
    pub fn new(keys: &Keys, pack: &Pack) -> Numbers {
        let name = format!("{}/{}", pack.id, pack.number.space());
        Numbers::of_scheme(keys, pack.number.clone(), "person number permutation", name)
    }

    /// The alias numbers of the pack, if it has any: another space, another permutation, another count.
    pub fn aliases(keys: &Keys, pack: &Pack) -> Option<Numbers> {
        let scheme = pack.alias.as_ref()?.scheme.clone();
        let name = format!("{}/alias/{}", pack.id, scheme.space());
        Some(Numbers::of_scheme(keys, scheme, "person alias permutation", name))
    }

    fn of_scheme(keys: &Keys, scheme: NumberScheme, label: &str, name: String) -> Numbers {
        let key = keys.derive(&format!("{label} {name}"));
        let key: [u8; 16] = key[..16].try_into().expect("32 bytes have a first half");
        let permutation = Permutation::new(&key, scheme.space());
        Numbers { scheme, name, permutation, in_hand: Mutex::default() }
    }

    /// `count` numbers that nobody was ever given, and nobody else will be.
    ///
    /// # Errors
    /// [`Refusal::NumbersUsedUp`]; [`PersonError::Store`].
    pub fn take(&self, store: &Store, count: usize) -> Result<Vec<PersonNumber>, PersonError> {
        let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        while in_hand.len() < count {
            // A tenth more, for the indexes that give no number (bans, impossible check digits).
            let missing = (count - in_hand.len()) as u64;
            let counters = self.lease(store, (missing + missing / 10).max(LEASE))?;
            in_hand.extend(self.of_counters(counters));
        }
        Ok(in_hand.drain(..count).collect())
    }

    fn lease(&self, store: &Store, count: u64) -> Result<std::ops::Range<u64>, PersonError> {
        let name = self.name.clone();
        let (count, space) = (stored(count), stored(self.scheme.space()));
        let home = store.buckets().home();
        let leased = store.write::<_, StoreError, _>(home, move |tx| rows::lease(tx, &name, count, space))?;
        if leased.is_empty() {
            return Err(Refusal::NumbersUsedUp.into());
        }
        Ok(leased.start.cast_unsigned()..leased.end.cast_unsigned())
    }

    /// The numbers of some counters, without those that are never given. Made in pieces that fit the processor's cache.
    fn of_counters(&self, counters: std::ops::Range<u64>) -> Vec<PersonNumber> {
        const PIECE: usize = 1_024;
        let mut numbers = Vec::with_capacity((counters.end - counters.start) as usize);
        let mut indexes = Vec::with_capacity(PIECE);
        for from in counters.clone().step_by(PIECE) {
            indexes.clear();
            indexes.extend(from..(from + PIECE as u64).min(counters.end));
            self.permutation.apply(&mut indexes);
            numbers.extend(indexes.iter().filter_map(|index| self.scheme.from_index(*index)));
        }
        numbers
    }
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A number, sealed with its holder's data key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SealedNumber {
    pub(crate) number: String,
    pub(crate) given_at: Instant,
}

impl Record for SealedNumber {
    const KIND: &'static str = "person.number";
}

impl SealedNumber {
    pub(crate) fn new(number: &PersonNumber, given_at: Instant) -> SealedNumber {
        SealedNumber { number: number.as_str().to_owned(), given_at }
    }

    pub(crate) fn read(&self) -> Result<PersonNumber, TrustError> {
        PersonNumber::from_stored(&self.number).ok_or(TrustError::Unreadable(SealedNumber::KIND))
    }
}

/// Whether a number is its holder's number now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumberState {
    /// It is.
    Current,
    /// It is, and she has locked it. It resolves for the authority only.
    Locked,
    /// It was, and another took its place (after a leak). It resolves for the authority only.
    Replaced,
    /// She died, or the entry was a second one of somebody: the person is then the one that counts. It resolves for the authority only.
    Closed,
}

/// What stands for a number in the tables.
pub(crate) fn index_of(keys: &Keys, number: &PersonNumber) -> BlindIndex {
    keys.blind_index("person.number", number.as_str().as_bytes())
}

/// Promises each number to its person; tells which promises hold. A number promised to somebody else before is refused, the
/// same promise once more holds.
pub(crate) fn promise(tx: &mut Tx<'_>, promises: &[(BlindIndex, PersonId)]) -> Result<Vec<bool>, StoreError> {
    if rows::insert_promises(tx, promises)? {
        return Ok(vec![true; promises.len()]);
    }
    let indexes: Vec<BlindIndex> = promises.iter().map(|(index, _)| *index).collect();
    let holders = rows::promised(tx, &indexes)?;
    Ok(promises.iter().zip(holders).map(|((_, person), holder)| holder == Some(*person)).collect())
}

/// Takes a number and promises it to `person`.
pub(crate) fn promise_one(
    store: &Store,
    keys: &Keys,
    numbers: &Numbers,
    person: PersonId,
) -> Result<(PersonNumber, BlindIndex), PersonError> {
    promise_index(store, numbers, person, |number| index_of(keys, number))
}

/// [`promise_one`] under an index of the caller's.
fn promise_index(
    store: &Store,
    numbers: &Numbers,
    person: PersonId,
    index_of: impl Fn(&PersonNumber) -> BlindIndex,
) -> Result<(PersonNumber, BlindIndex), PersonError> {
    loop {
        let number = numbers.take(store, 1)?.pop().ok_or(Refusal::NumbersUsedUp)?;
        let index = index_of(&number);
        let bucket = rows::directory_bucket(store.buckets(), &index);
        let held = store.write::<_, StoreError, _>(bucket, move |tx| promise(tx, &[(index, person)]))?;
        if held == [true] {
            return Ok((number, index));
        }
    }
}

/// Whose number this is now, and not locked: one look in the directory, one in the person's bucket. Never a list.
/// [`resolve::resolve`] takes an alias too, and knows who may see more.
///
/// # Errors
/// [`Refusal::NotAllowed`](crate::Refusal::NotAllowed).
pub fn find_by_number(
    store: &Store,
    keys: &Keys,
    by: &Actor,
    number: &PersonNumber,
) -> Result<Option<PersonId>, PersonError> {
    crate::policy::may(by, crate::Action::FindResident)?;
    let found = look_up(store, keys, number)?;
    Ok(found.filter(|(_, state)| *state == NumberState::Current).map(|(person, _)| person))
}

pub(crate) fn look_up(
    store: &Store,
    keys: &Keys,
    number: &PersonNumber,
) -> Result<Option<(PersonId, NumberState)>, PersonError> {
    let index = index_of(keys, number);
    let Some(person) = promised_to(store, index)? else { return Ok(None) };

    let state = store.read::<_, StoreError, _>(bucket_of(person, store.buckets()), move |tx| {
        let Some(row) = rows::resident(tx, person)? else { return Ok(None) };
        if !row.active {
            let is_hers = row.number_index == index || rows::given_number(tx, person, &index)?.is_some();
            return Ok(is_hers.then_some(NumberState::Closed));
        }
        if row.number_index == index {
            let locked = lock::is_locked(tx, person)?;
            return Ok(Some(if locked { NumberState::Locked } else { NumberState::Current }));
        }
        Ok(rows::given_number(tx, person, &index)?.map(|_| NumberState::Replaced))
    })?;
    let Some(state) = state else { return Ok(None) };
    // The number of a second entry leads to the one that counts.
    let counts = if state == NumberState::Closed { follow_merges(store, person)? } else { person };
    Ok(Some((counts, state)))
}

/// The entry that counts, from one that may have been merged into another, and that into a third.
fn follow_merges(store: &Store, person: PersonId) -> Result<PersonId, StoreError> {
    let mut at = person;
    // A chain is short, and a merge that would close it to a ring is taken back.
    for _ in 0..LONGEST_CHAIN {
        let next = store.read::<_, StoreError, _>(bucket_of(at, store.buckets()), move |tx| {
            crate::identity::table::leads(tx, at)
        })?;
        match next {
            Some(next) => at = next,
            None => return Ok(at),
        }
    }
    Ok(person)
}

/// The most entries that were merged one into the next.
pub(crate) const LONGEST_CHAIN: usize = 16;

/// To whom the directory has promised what stands under this index.
fn promised_to(store: &Store, index: BlindIndex) -> Result<Option<PersonId>, StoreError> {
    let directory = rows::directory_bucket(store.buckets(), &index);
    let promised = store.read::<_, StoreError, _>(directory, move |tx| rows::promised(tx, &[index]))?;
    Ok(promised.into_iter().next().flatten())
}

/// What is asked for when a number leaked.
#[derive(Clone)]
pub struct ReplaceNumber {
    /// Chosen by the caller: the same request replaces once.
    pub request: [u8; 16],
    /// Whose number.
    pub person: PersonId,
    /// Who asks.
    pub by: Actor,
    /// Why.
    pub why: String,
    /// What shows it: a police report, a letter.
    pub evidence: String,
}

/// What a proposal to replace a number keeps until another officer approves it ([`four_eyes`]).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceAsked {
    request: [u8; 16],
    #[serde(with = "crate::serial::person")]
    person: PersonId,
    why: String,
    evidence: String,
}

impl ReplaceAsked {
    /// Of what was asked for.
    pub fn of(ask: &ReplaceNumber) -> ReplaceAsked {
        let ReplaceNumber { request, person, why, evidence, .. } = ask.clone();
        ReplaceAsked { request, person, why, evidence }
    }

    /// What was asked for, by whoever proposed it.
    pub fn by(self, by: Actor) -> ReplaceNumber {
        let ReplaceAsked { request, person, why, evidence } = self;
        ReplaceNumber { request, person, by, why, evidence }
    }
}

/// Gives a person another number. The old one resolves for the authority only, from the moment this returns.
///
/// # Errors
/// [`Refusal::NoSuchResident`], [`Refusal::NotAllowed`], [`Refusal::NumbersUsedUp`]; [`Refusal::TwoOfficers`] where the country asks for
/// a second officer.
pub fn replace_number(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    second: Option<&Approved>,
    ask: &ReplaceNumber,
) -> Result<(), PersonError> {
    four_eyes::check(pack, crate::Action::ReplaceNumber, &ask.by, second)?;
    // The two agreed on one person's number, and on no other's.
    if let Some(approved) = second
        && approved.proposal().content::<ReplaceAsked>()? != ReplaceAsked::of(ask)
    {
        return Err(Refusal::TwoOfficers.into());
    }
    let bucket = bucket_of(ask.person, store.buckets());
    let (person, request) = (ask.person, ask.request);
    if store.read::<_, PersonError, _>(bucket, move |tx| was_done(tx, person, &request))? {
        return Ok(());
    }
    let (number, index) = promise_one(store, keys, numbers, ask.person)?;

    let time_zone = pack.time_zone.clone();
    let (keys, env, ask, pack) = (keys.clone(), env.again(), ask.clone(), PackVersion::of(pack));
    store.write(bucket, move |tx| {
        let Some(row) = rows::resident(tx, ask.person)?.filter(|row| row.active) else {
            return Err(Refusal::NoSuchResident.into());
        };
        if was_done(tx, ask.person, &ask.request)? {
            return Ok(()); // the promise lapses
        }
        let n = rows::events(tx, ask.person)?.last().map_or(1, |event| event.n + 1);
        let key = seal::data_key(tx, &keys, ask.person)?;
        let number = key.seal(&SealedNumber::new(&number, env.now));
        let event = key.seal(&LifeEvent {
            change: Change::NumberReplaced,
            on: Some(env.now.date_in(&time_zone)),
            other_side: false,
            at: env.now,
            by: ask.by.clone(),
            why: ask.why.clone(),
            evidence: ask.evidence.clone(),
            pack: pack.clone(),
        });

        let given = rows::count_given(tx, ask.person)?;

        let (id, number_index) = (&ask.person, &index);
        let records = [
            rows::NewRecord::Number { id, n: given + 1, number_index, sealed: number.bytes() },
            rows::NewRecord::Event { id, n, request: &ask.request, sealed: event.bytes() },
        ];
        rows::insert_records(tx, &records)?;
        rows::set_number(tx, ask.person, row.version, &index)?;
        Ok(())
    })
}

fn was_done(tx: &mut Tx<'_>, person: PersonId, request: &[u8; 16]) -> Result<bool, PersonError> {
    if rows::resident(tx, person)?.is_none() {
        return Err(Refusal::NoSuchResident.into());
    }
    Ok(rows::events(tx, person)?.iter().any(|event| event.request == request))
}

/// `count` distinct numbers of a country, for trying a form out. They belong to nobody: no deployment has the key.
pub fn samples(pack: &Pack, key: &[u8; 16], count: usize) -> Vec<PersonNumber> {
    let space = pack.number.space();
    let permutation = Permutation::new(key, space);
    let mut numbers = Vec::new();
    for from in (0..space).step_by(1_024) {
        let mut indexes: Vec<u64> = (from..(from + 1_024).min(space)).collect();
        permutation.apply(&mut indexes);
        numbers.extend(indexes.iter().filter_map(|index| pack.number.from_index(*index)));
        if numbers.len() >= count {
            break;
        }
    }
    numbers.truncate(count);
    numbers
}
