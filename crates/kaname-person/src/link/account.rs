//! Bank accounts as outside records: what the register and the payments may know of one account together.
//!
//! The two blocks share no key, and none is made here. The payments' audit opens an account under a receipt and asks, in memory, whose
//! the record of that account is; each block works out its own keyed index from the number, and forgets it. What is found stands, wrapped,
//! among the findings of the register only.

use kaname_store::StoreError;
use kaname_trust::{Actor, PersonId};

use super::table::{self, Standing};
use super::{Desk, LinkId, outside_index};
use crate::{Action, PersonError, policy};

/// The source whose records are accounts.
pub const SOURCE: &str = "bank-account";

/// What such a record is called: the bank's code, a hyphen, and the number of the account.
pub fn reference_of(bank: &str, number: &str) -> String {
    format!("{bank}-{number}")
}

/// The bank's code and the number of the account in the id of such a record.
pub fn parts_of(reference: &str) -> Option<(&str, &str)> {
    reference.split_once('-').filter(|(bank, number)| !bank.is_empty() && !number.is_empty())
}

/// Of people who are paid on accounts, those whose account is linked to somebody else: who is paid, to whom it is linked, and by which
/// link. Opens nobody.
///
/// # Errors
/// [`crate::Refusal::NotAllowed`].
pub fn linked_to_others(
    desk: &Desk,
    by: &Actor,
    paid: &[(PersonId, String)],
) -> Result<Vec<(PersonId, PersonId, LinkId)>, PersonError> {
    policy::may(by, Action::AuditRegistry)?;
    if desk.pack.source(SOURCE).is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (payee, reference) in paid {
        let outside = outside_index(&desk.keys, SOURCE, reference);
        let bucket = desk.directory_bucket(&outside);
        let entry = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::entries(tx, &[outside]))?;
        let entry = entry.into_iter().next().flatten().filter(|entry| entry.standing == Standing::Linked);
        let Some((person, link)) = entry.and_then(|entry| entry.owner) else { continue };
        if person == *payee {
            continue;
        }
        let row = desk
            .store
            .read::<_, StoreError, _>(desk.bucket_of(person), move |tx| table::link(tx, person, link))?;
        if row.is_some_and(|row| row.state.takes_a_place()) {
            found.push((*payee, person, link));
        }
    }
    Ok(found)
}
