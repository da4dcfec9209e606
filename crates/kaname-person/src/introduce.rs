//! Use case: somebody vouches for a person who has no papers. An introducer is a resident, or an officer in a role that the pack names
//! (`[introducer]` in mandates.toml), for so many people a year and no more; from some on a second officer looks at it first.
//!
//! [`register_introduced`] takes a place of the introducer's year, registers the person with the word of the introducer as evidence, and
//! gives the place back when the registration is refused. The introducer finds a line in her own log, and the row of what she vouched
//! for lies beside her, sealed; the person finds who vouched in the event of her registration. [`watch`] lists introducers, and ends
//! what one of them may do.

mod table;
pub mod watch;
mod word;

use std::collections::BTreeMap;

use kaname_base::pack::{Introducers, Pack};
use kaname_base::{Bucket, Env, Instant};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::held::Held;
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, ActorKind, Keys, PersonId, Receipt, Record, Sealed, TrustError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::table::Row;
use self::watch::Standing;
use crate::duplicate::{Decision, register_checked};
use crate::four_eyes::Approved;
use crate::register::{Register, person_of};
use crate::show::{self, Asking};
use crate::{Action, Numbers, OfficerId, Particulars, PersonError, Refusal, policy, serial};

pub use word::Word;

/// Who vouches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Introducer {
    /// A resident, who stands at the counter with the person.
    Resident(PersonId),
    /// The officer who registers her.
    Officer(OfficerId),
}

/// Somebody vouches for a person who is to be registered.
#[derive(Clone)]
pub struct Vouch {
    /// The request of her registration: however often it is sent, she is vouched for once.
    pub request: [u8; 16],
    /// Who vouches.
    pub introducer: Introducer,
    /// From where the introducer knows her.
    pub how: String,
    /// The officer who registers her.
    pub by: Actor,
}

/// What two officers agree on, where the introducer has vouched for so many that a second one looks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VouchAsked {
    request: [u8; 16],
    introducer: [u8; 16],
    is_officer: bool,
    how: String,
}

impl VouchAsked {
    /// Of what was asked for.
    pub fn of(ask: &Vouch) -> VouchAsked {
        let (introducer, is_officer) = (ask.introducer.bytes(), ask.introducer.is_officer());
        VouchAsked { request: ask.request, introducer, is_officer, how: ask.how.clone() }
    }

    /// Who vouches.
    pub fn introducer(&self) -> Introducer {
        Introducer::of(self.introducer, self.is_officer)
    }

    /// From where the introducer knows her.
    pub fn how(&self) -> &str {
        &self.how
    }
}

impl Introducer {
    fn of(bytes: [u8; 16], is_officer: bool) -> Introducer {
        match is_officer {
            false => Introducer::Resident(PersonId::from_bytes(bytes)),
            true => Introducer::Officer(OfficerId::from_bytes(bytes)),
        }
    }

    fn bytes(self) -> [u8; 16] {
        match self {
            Introducer::Resident(person) => *person.bytes(),
            Introducer::Officer(officer) => *officer.bytes(),
        }
    }

    fn is_officer(self) -> bool {
        matches!(self, Introducer::Officer(_))
    }

    /// Where what she vouched for lies; `None` for a resident of no bucket of this deployment.
    fn bucket(self, store: &Store) -> Option<Bucket> {
        match self {
            Introducer::Resident(person) => person.bucket(store.buckets()),
            Introducer::Officer(_) => Some(store.buckets().home()),
        }
    }
}

/// One person for whom somebody vouched, kept beside the introducer.
#[derive(Clone, Serialize, Deserialize)]
struct Introduction {
    request: [u8; 16],
    #[serde(with = "serial::person")]
    person: PersonId,
    at: Instant,
    by: Actor,
    how: String,
    /// Whether she was registered. Until then the place of the year is kept for her, and given back when she is refused.
    registered: bool,
}

impl Record for Introduction {
    const KIND: &'static str = "person.introduction";
}

/// What an introducer reads of an introduction in her export: the person's own id is not hers to have.
#[derive(Serialize)]
struct Vouched<'a> {
    at: Instant,
    by: &'a Actor,
    how: &'a str,
}

/// For whom a resident vouched, and whether she still may, as it is kept beside her.
pub(crate) fn held(tx: &mut Tx<'_>, receipt: &Receipt<'_>) -> Result<Vec<Held>, PersonError> {
    let mut all = Vec::new();
    for row in table::of(tx, receipt.person().bytes())? {
        let one = Sealed::<Introduction>::from_bytes(&row.sealed).open(receipt)?.of(receipt.person())?;
        let state = if one.registered { "registered" } else { "asked" };
        all.push(Held::plain(Introduction::KIND, state, &Vouched { at: one.at, by: &one.by, how: &one.how }));
    }
    if let Some(row) = table::standing(tx, receipt.person().bytes())? {
        let state = if row.suspended { "suspended" } else { "restored" };
        all.push(Held::open::<Standing>(receipt, state, &row.sealed)?);
    }
    Ok(all)
}

/// Registers a person on the word of an introducer, unless somebody who is here looks like her. The same request again changes nothing;
/// a registration that is refused costs the introducer nothing.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::ReasonMissing`] when it is not said from where they know each other; [`Refusal::NoIntroducer`]
/// when the country knows none, or not this one, or she may vouch no more; [`Refusal::TooManyIntroduced`]; [`Refusal::TwoOfficers`]
/// until another officer has agreed; and as [`register_checked`].
#[expect(clippy::too_many_arguments, reason = "those of a registration, and who vouches")]
pub fn register_introduced(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    numbers: &Numbers,
    env: &Env,
    second: Option<&Approved>,
    vouch: &Vouch,
    ask: &Register<'_>,
    decision: Option<&Decision>,
) -> Result<PersonId, PersonError> {
    introduced(store, keys, pack, env, second, vouch, ask, &|ask| {
        register_checked(store, keys, pack, numbers, env, ask, decision)
    })
}

/// As [`register_introduced`], with another way of registering.
#[expect(clippy::too_many_arguments, reason = "those of a registration, and who vouches")]
pub(crate) fn introduced(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    second: Option<&Approved>,
    vouch: &Vouch,
    ask: &Register<'_>,
    enter: &dyn Fn(&Register<'_>) -> Result<PersonId, PersonError>,
) -> Result<PersonId, PersonError> {
    policy::may(&vouch.by, Action::RegisterResident)?;
    policy::says_why(&[&vouch.how])?;
    let particulars = Particulars::check(&ask.entry, pack, env.now.date_in(&pack.time_zone))?;
    let person = person_of(store, keys, ask, &particulars);
    let place = take_place(store, keys, pack, env, second, vouch, person)?;
    let evidence = Word { introducer: vouch.introducer, how: vouch.how.clone() }.evidence(keys);
    let entered = enter(&Register { evidence: &evidence, ..ask.clone() });
    match &entered {
        Ok(_) => keep_place(store, keys, vouch, person, place)?,
        Err(PersonError::Refused(_)) => give_back(store, vouch, place)?,
        // Nobody knows what became of it: sent again it goes on, and until then the place is hers.
        Err(_) => {}
    }
    entered
}

/// A place of an introducer's year: the row, as it was written.
struct Place {
    bucket: Bucket,
    row: Row,
    /// When it was asked for.
    at: Instant,
    /// Whether the person is in the register by it.
    is_kept: bool,
}

/// How long a place is kept for somebody of whom nobody knows whether she was registered, in seconds.
const UNSURE_SECONDS: i64 = 3_600;

fn take_place(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    second: Option<&Approved>,
    ask: &Vouch,
    person: PersonId,
) -> Result<Place, PersonError> {
    let fits = match ask.introducer {
        Introducer::Resident(_) => true,
        Introducer::Officer(officer) => {
            ask.by.id == officer.to_string() && pack.introducers.roles.contains(&ask.by.role)
        }
    };
    if !fits || ask.by.kind != ActorKind::Officer {
        return Err(Refusal::NoIntroducer.into());
    }
    let is_agreed = is_agreed(second, ask)?;
    let bucket = ask.introducer.bucket(store).ok_or(Refusal::NoIntroducer)?;
    // Whoever was asked for and never registered, because the program was stopped in between, takes no place.
    let mut is_here: BTreeMap<PersonId, bool> = BTreeMap::new();
    loop {
        let (with, country, at, ask, known) =
            (keys.clone(), pack.clone(), env.again(), ask.clone(), is_here.clone());
        let asked = store.write::<_, PersonError, _>(bucket, move |tx| {
            let (keys, pack, env) = (&with, &country, at.again());
            let earlier = beside(tx, keys, pack, &env, &ask)?;
            if let Some((row, one)) = earlier.iter().find(|(_, one)| one.request == ask.request) {
                return Ok(Ok(Place { bucket, row: row.clone(), at: one.at, is_kept: one.registered }));
            }
            let is_unsure = |one: &Introduction| {
                !one.registered
                    && one.at.plus_seconds(UNSURE_SECONDS) < env.now
                    && !known.contains_key(&one.person)
            };
            let unsure: Vec<PersonId> =
                earlier.iter().filter(|(_, one)| is_unsure(one)).map(|(_, one)| one.person).collect();
            if !unsure.is_empty() {
                return Ok(Err(unsure));
            }
            let year = |at: Instant| at.date_in(&pack.time_zone).year();
            let counts = |one: &Introduction| one.registered || known.get(&one.person) != Some(&false);
            let this_year =
                earlier.iter().filter(|(_, one)| counts(one) && year(one.at) == year(env.now)).count();
            may_vouch(&pack.introducers, this_year, is_agreed)?;

            let n = earlier.iter().map(|(row, _)| row.n).max().unwrap_or(0) + 1;
            let Vouch { request, how, by, .. } = ask.clone();
            let new = Introduction { request, person, at: env.now, by, how, registered: false };
            let row = Row { n, sealed: close(tx, keys, ask.introducer, &new)? };
            table::insert(tx, &ask.introducer.bytes(), &row)?;
            Ok(Ok(Place { bucket, row, at: env.now, is_kept: false }))
        })?;
        match asked {
            Ok(place) => return Ok(place),
            Err(unsure) => {
                for person in unsure {
                    let bucket = bucket_of(person, store.buckets());
                    let found = store
                        .read::<_, StoreError, _>(bucket, move |tx| crate::table::resident(tx, person))?;
                    is_here.insert(person, found.is_some());
                }
            }
        }
    }
}

/// The person is in the register: the place is taken.
fn keep_place(
    store: &Store,
    keys: &Keys,
    ask: &Vouch,
    person: PersonId,
    place: Place,
) -> Result<(), PersonError> {
    if place.is_kept {
        return Ok(());
    }
    let (keys, ask) = (keys.clone(), ask.clone());
    store.write(place.bucket, move |tx| {
        let Vouch { request, how, by, introducer } = ask.clone();
        let kept = Introduction { request, person, at: place.at, by, how, registered: true };
        let sealed = close(tx, &keys, introducer, &kept)?;
        // The same form sent twice at once: whoever was faster has said so.
        table::replace(tx, &introducer.bytes(), &place.row, &sealed)?;
        Ok(())
    })
}

/// She was refused: the place is free again, unless she was registered by the same form meanwhile.
fn give_back(store: &Store, ask: &Vouch, place: Place) -> Result<(), PersonError> {
    if place.is_kept {
        return Ok(());
    }
    let introducer = ask.introducer.bytes();
    Ok(store.write::<_, StoreError, _>(place.bucket, move |tx| table::delete(tx, &introducer, &place.row))?)
}

/// Whether another officer has agreed to exactly this.
fn is_agreed(second: Option<&Approved>, ask: &Vouch) -> Result<bool, PersonError> {
    let Some(approved) = second else { return Ok(false) };
    let proposal = approved.proposal();
    let is_ours = proposal.action == Action::RegisterResident && approved.first().id == ask.by.id;
    Ok(is_ours && proposal.content::<VouchAsked>()? == VouchAsked::of(ask))
}

/// Whether somebody who has vouched for so many this year may vouch for one more: pure.
fn may_vouch(rules: &Introducers, this_year: usize, is_agreed: bool) -> Result<(), Refusal> {
    if this_year >= usize::from(rules.most_a_year) {
        return Err(Refusal::TooManyIntroduced);
    }
    let is_looked_at = this_year + 1 >= usize::from(rules.review_from);
    if is_looked_at && !is_agreed { Err(Refusal::TwoOfficers) } else { Ok(()) }
}

/// What lies beside an introducer who may vouch.
fn beside(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Vouch,
) -> Result<Vec<(Row, Introduction)>, PersonError> {
    let id = ask.introducer.bytes();
    if table::standing(tx, &id)?.is_some_and(|row| row.suspended) {
        return Err(Refusal::NoIntroducer.into());
    }
    let receipt = match ask.introducer {
        Introducer::Officer(_) => None,
        Introducer::Resident(person) => {
            if !show::is_active(tx, person)? {
                return Err(Refusal::NoIntroducer.into());
            }
            let asking = Asking { person, actor: ask.by.clone(), purpose: PURPOSE.to_owned() };
            Some(show::log(tx, keys, pack, env, &asking, Action::RegisterResident, &["introduction"])?)
        }
    };
    introductions(tx, keys, ask.introducer, receipt.as_ref())
}

fn introductions(
    tx: &mut Tx<'_>,
    keys: &Keys,
    introducer: Introducer,
    receipt: Option<&Receipt<'_>>,
) -> Result<Vec<(Row, Introduction)>, PersonError> {
    let rows = table::of(tx, &introducer.bytes())?;
    let open = |row: Row| {
        let one = open::<Introduction>(keys, introducer, receipt, &row.sealed)?;
        Ok((row, one))
    };
    rows.into_iter().map(open).collect()
}

/// Opens what lies beside an introducer: a resident's with a receipt, an officer's is wrapped.
fn open<T: Record + DeserializeOwned>(
    keys: &Keys,
    introducer: Introducer,
    receipt: Option<&Receipt<'_>>,
    bytes: &[u8],
) -> Result<T, PersonError> {
    match (introducer, receipt) {
        (Introducer::Resident(person), Some(receipt)) => {
            Ok(Sealed::<T>::from_bytes(bytes).open(receipt)?.of(person)?)
        }
        (Introducer::Officer(officer), _) => {
            let plain = keys.unwrap(&context::<T>(officer), bytes)?;
            Ok(serde_json::from_slice(&plain).map_err(|_| TrustError::Unreadable(T::KIND))?)
        }
        (Introducer::Resident(_), None) => Err(TrustError::Unreadable(T::KIND).into()),
    }
}

/// The other way.
fn close<T: Record + Serialize>(
    tx: &mut Tx<'_>,
    keys: &Keys,
    introducer: Introducer,
    record: &T,
) -> Result<Vec<u8>, PersonError> {
    Ok(match introducer {
        Introducer::Resident(person) => {
            kaname_trust::seal::data_key(tx, keys, person)?.seal(record).bytes().to_vec()
        }
        Introducer::Officer(officer) => {
            let plain = serde_json::to_vec(record).expect("what is kept of an introducer is plain data");
            keys.wrap(&context::<T>(officer), &plain)
        }
    })
}

/// The purpose under which the introducer finds it in her log.
const PURPOSE: &str = "registration";

/// Bound into the wrapping, so that one officer's introductions never stand for another's.
fn context<T: Record>(officer: OfficerId) -> Vec<u8> {
    [T::KIND.as_bytes(), b"\0", officer.bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_introducer_vouches_for_so_many_and_two_officers_look_from_some_on() {
        let rules = Introducers { most_a_year: 4, review_from: 3, roles: Vec::new() };
        for (this_year, is_agreed, expected) in [
            (0, false, Ok(())),
            (1, false, Ok(())),
            (2, false, Err(Refusal::TwoOfficers)),
            (2, true, Ok(())),
            (3, true, Ok(())),
            (4, true, Err(Refusal::TooManyIntroduced)),
            (9, false, Err(Refusal::TooManyIntroduced)),
        ] {
            assert_eq!(may_vouch(&rules, this_year, is_agreed), expected, "{this_year} {is_agreed}");
        }
        let nobody = Introducers { most_a_year: 0, review_from: 1, roles: Vec::new() };
        assert_eq!(may_vouch(&nobody, 0, true), Err(Refusal::TooManyIntroduced));
    }
}
