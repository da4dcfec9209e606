//! Use case: somebody vouches for a person who has no papers. An introducer is a resident, or an officer in a role that the pack names
//! (`[introducer]` in mandates.toml), for so many people a year and no more; from some on a second officer looks at it first.
//!
//! What [`vouch`] gives is the evidence with which the person is registered. The introducer finds a line in her own log, and the row
//! of what she vouched for lies beside her, sealed; the person finds who vouched in the event of her registration.

mod table;

use kaname_base::pack::{Introducers, Pack};
use kaname_base::{Env, Instant};
use kaname_store::{Store, Tx};
use kaname_trust::{Actor, ActorKind, Keys, PersonId, Record, Sealed, TrustError};
use serde::{Deserialize, Serialize};

use crate::four_eyes::Approved;
use crate::show::{self, Asking};
use crate::{Action, OfficerId, PersonError, Refusal, policy};

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
        let (introducer, is_officer) = match ask.introducer {
            Introducer::Resident(person) => (*person.bytes(), false),
            Introducer::Officer(officer) => (*officer.bytes(), true),
        };
        VouchAsked { request: ask.request, introducer, is_officer, how: ask.how.clone() }
    }

    /// Who vouches.
    pub fn introducer(&self) -> Introducer {
        match self.is_officer {
            false => Introducer::Resident(PersonId::from_bytes(self.introducer)),
            true => Introducer::Officer(OfficerId::from_bytes(self.introducer)),
        }
    }

    /// From where the introducer knows her.
    pub fn how(&self) -> &str {
        &self.how
    }
}

/// One person for whom somebody vouched, kept beside the introducer.
#[derive(Clone, Serialize, Deserialize)]
struct Introduction {
    request: [u8; 16],
    at: Instant,
    by: Actor,
    how: String,
}

impl Record for Introduction {
    const KIND: &'static str = "person.introduction";
}

/// For whom a resident vouched, as it is kept beside her.
pub(crate) fn held(
    tx: &mut kaname_store::Tx<'_>,
    receipt: &kaname_trust::Receipt<'_>,
) -> Result<Vec<kaname_trust::held::Held>, PersonError> {
    let rows = table::of(tx, receipt.person().bytes())?;
    let open = |row: &Vec<u8>| Ok(kaname_trust::held::Held::open::<Introduction>(receipt, "", row)?);
    rows.iter().map(open).collect()
}

/// Records that somebody vouches; gives the evidence for the registration. The same request again changes nothing.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::NoIntroducer`] when the country knows none, or not this one; [`Refusal::TooManyIntroduced`];
/// [`Refusal::TwoOfficers`] until another officer has agreed.
pub fn vouch(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    second: Option<&Approved>,
    ask: &Vouch,
) -> Result<String, PersonError> {
    policy::may(&ask.by, Action::RegisterResident)?;
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
    let (bucket, words) = match ask.introducer {
        Introducer::Resident(person) => {
            (person.bucket(store.buckets()).ok_or(Refusal::NoIntroducer)?, person.to_string())
        }
        Introducer::Officer(officer) => (store.buckets().home(), officer.to_string()),
    };
    let evidence = format!("introduced by {words}: {}", ask.how);
    let (keys, pack, env, ask) = (keys.clone(), pack.clone(), env.again(), ask.clone());
    store.write::<_, PersonError, _>(bucket, move |tx| {
        let env = env.again();
        let beside = Beside::open(tx, &keys, &pack, &env, &ask)?;
        if beside.earlier.iter().any(|one| one.request == ask.request) {
            return Ok(());
        }
        let year = |at: Instant| at.date_in(&pack.time_zone).year();
        let this_year = beside.earlier.iter().filter(|one| year(one.at) == year(env.now)).count();
        may_vouch(&pack.introducers, this_year, is_agreed)?;

        let Vouch { request, how, by, .. } = ask.clone();
        beside.append(tx, &keys, &ask, &Introduction { request, at: env.now, by, how })
    })?;
    Ok(evidence)
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

/// What lies beside an introducer.
struct Beside {
    earlier: Vec<Introduction>,
    rows: i64,
}

impl Beside {
    fn open(
        tx: &mut Tx<'_>,
        keys: &Keys,
        pack: &Pack,
        env: &Env,
        ask: &Vouch,
    ) -> Result<Beside, PersonError> {
        let id = id_of(ask.introducer);
        let rows = table::of(tx, &id)?;
        let mut earlier = Vec::with_capacity(rows.len());
        match ask.introducer {
            Introducer::Resident(person) => {
                if !show::is_active(tx, person)? {
                    return Err(Refusal::NoIntroducer.into());
                }
                let asking = Asking { person, actor: ask.by.clone(), purpose: PURPOSE.to_owned() };
                let receipt =
                    show::log(tx, keys, pack, env, &asking, Action::RegisterResident, &["introduction"])?;
                for row in &rows {
                    earlier.push(Sealed::<Introduction>::from_bytes(row).open(&receipt)?.of(person)?);
                }
            }
            Introducer::Officer(officer) => {
                for row in &rows {
                    let plain = keys.unwrap(&context(officer), row)?;
                    let unreadable = |_| TrustError::Unreadable(Introduction::KIND);
                    earlier.push(serde_json::from_slice(&plain).map_err(unreadable)?);
                }
            }
        }
        Ok(Beside { earlier, rows: rows.len() as i64 })
    }

    fn append(
        self,
        tx: &mut Tx<'_>,
        keys: &Keys,
        ask: &Vouch,
        new: &Introduction,
    ) -> Result<(), PersonError> {
        let sealed = match ask.introducer {
            Introducer::Resident(person) => {
                kaname_trust::seal::data_key(tx, keys, person)?.seal(new).bytes().to_vec()
            }
            Introducer::Officer(officer) => {
                let plain = serde_json::to_vec(new).expect("an introduction is plain data");
                keys.wrap(&context(officer), &plain)
            }
        };
        Ok(table::insert(tx, &id_of(ask.introducer), self.rows + 1, &sealed)?)
    }
}

/// The purpose under which the introducer finds it in her log.
const PURPOSE: &str = "registration";

fn id_of(introducer: Introducer) -> [u8; 16] {
    match introducer {
        Introducer::Resident(person) => *person.bytes(),
        Introducer::Officer(officer) => *officer.bytes(),
    }
}

/// Bound into the wrapping, so that one officer's introductions never stand for another's.
fn context(officer: OfficerId) -> Vec<u8> {
    [b"person.introduction\0".as_slice(), officer.bytes()].concat()
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
