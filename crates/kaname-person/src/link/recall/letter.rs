//! Residents whom a wrong link affects: what the letter to each says, and what she has seen of it.

use kaname_base::Env;
use kaname_store::StoreError;
use kaname_trust::{Actor, PersonId, TrustError};

use super::table::{self, Affected};
use crate::link::holder::{Held, held_of};
use crate::link::{Desk, LinkId, lookup, table as links, through};
use crate::show::record_with;
use crate::{Action, PersonError, Refusal, Resident, policy};

/// A letter that is to be written.
#[derive(Clone)]
pub struct Letter {
    /// To whom.
    pub person: PersonId,
    /// Her record, for name and address.
    pub resident: Resident,
    /// About which link, as she sees it.
    pub link: Held,
    /// Why she is told.
    pub what: Affected,
}

/// What there is to write.
#[derive(Default)]
pub struct Letters {
    /// The letters.
    pub letters: Vec<Letter>,
    /// How many can never be written, because the resident or the link is gone; they are not asked for again.
    pub skipped: usize,
}

/// The letters that nobody has written yet, at most `most`. Opening each is an entry in her log. One that cannot be opened any more
/// holds up none of the others.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn letters(desk: &Desk, env: &Env, by: &Actor, most: usize) -> Result<Letters, PersonError> {
    policy::may(by, Action::SeeLinks)?;
    policy::may(by, Action::OpenResident)?;
    let mut all = Letters::default();
    for bucket in desk.store.buckets().all() {
        let left = i64::try_from(most - all.letters.len()).unwrap_or(i64::MAX);
        let rows = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::letters(tx, left))?;
        for (person, link, what) in rows {
            let (with, env, by) = (desk.clone(), env.again(), by.clone());
            let opened = desk.store.write::<_, PersonError, _>(bucket, move |tx| {
                let row = links::link(tx, person, link)?.ok_or(Refusal::NoSuchLink)?;
                let fields = ["name", "address", "linked-records", &through(link)];
                let receipt = lookup::log(tx, &with, &env.again(), &by, person, lookup::CORRECTION, &fields)?;
                let link = held_of(row.state, lookup::link_with(&receipt, &row)?);
                Ok(Letter { person, resident: record_with(tx, &receipt)?, link, what })
            });
            match opened {
                Ok(letter) => all.letters.push(letter),
                Err(
                    PersonError::Refused(Refusal::NoSuchLink | Refusal::NoSuchResident)
                    | PersonError::Trust(TrustError::NoSuchHolder),
                ) => {
                    desk.store
                        .write::<_, StoreError, _>(bucket, move |tx| table::set_written(tx, person, link))?;
                    all.skipped += 1;
                }
                Err(error) => return Err(error),
            }
        }
        if all.letters.len() >= most {
            break;
        }
    }
    Ok(all)
}

/// Notes that a letter was written.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn set_written(desk: &Desk, by: &Actor, person: PersonId, link: LinkId) -> Result<(), PersonError> {
    policy::may(by, Action::SeeLinks)?;
    let bucket = desk.bucket_of(person);
    Ok(desk.store.write::<_, StoreError, _>(bucket, move |tx| table::set_written(tx, person, link))?)
}

/// How many such things a resident has not seen in the portal yet. Opens nothing.
///
/// # Errors
/// [`PersonError::Store`].
pub fn unseen(desk: &Desk, person: PersonId) -> Result<u64, PersonError> {
    let bucket = desk.bucket_of(person);
    let count = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::unseen(tx, person))?;
    Ok(count.unsigned_abs())
}
