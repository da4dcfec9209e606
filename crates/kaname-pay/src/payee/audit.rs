//! Use case: look once more at the accounts that people are paid on: each is one person's, and its holder at the bank is still she.
//!
//! Some hundred at a time: one unit of work opens the accounts, each with an entry in its person's log, and holds the name that was
//! kept against the register. Then, outside, the directory is asked whose the account is and the bank who holds it now; what the bank
//! says otherwise than it did is held against the register again.

use std::collections::BTreeMap;

use kaname_base::{Bucket, Env, Instant};
use kaname_person::matching::HolderMatch;
use kaname_person::{Action, policy};
use kaname_store::{StoreError, Tx};
use kaname_trust::{Actor, PersonId, Sealed};

use super::{Desk, PayeeAccount, PayeeState, table};
use crate::ids::{self, PayeeId};
use crate::receipts::receipts;
use crate::{BankAccount, PayError};

/// Something that is not right about an account. It holds no name and no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doubtful {
    /// Who is paid on it.
    pub person: PersonId,
    /// What is wrong.
    pub fault: AccountFault,
}

/// An account that was opened, for what other blocks know of it. It goes no further than the memory of this run.
#[derive(Clone)]
pub struct Opened {
    /// Who is paid on it.
    pub person: PersonId,
    /// The account.
    pub account: BankAccount,
    /// Who registered it.
    pub by: Option<Actor>,
    /// When.
    pub since: Instant,
}

/// What can be wrong with an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountFault {
    /// The account is somebody else's in the directory: two people would be paid on it.
    Shared,
    /// Its holder's name is not hers, or no longer.
    Holder(HolderMatch),
}

impl AccountFault {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            AccountFault::Shared => "account-taken",
            AccountFault::Holder(found) => found.code(),
        }
    }
}

/// What an audit of accounts saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Audited {
    /// Accounts that were opened.
    pub accounts: u64,
    /// Accounts whose bank could not be asked.
    pub not_asked: u64,
}

/// Accounts opened in one unit of work.
const AT_ONCE: usize = 500;

/// What of a person is read.
const FIELDS: [&str; 2] = ["name", "account"];

/// An account, opened.
struct Held {
    payee: PayeeId,
    person: PersonId,
    index: [u8; 16],
    account: BankAccount,
    holder: String,
    by: Option<Actor>,
    since: Instant,
    fault: Option<AccountFault>,
}

/// Audits the accounts of one bucket that are paid on; each is told to `opened`, and what is wrong to `found`.
///
/// # Errors
/// [`PayError::NotAllowed`], or as store, keys and register have it. A bank that cannot be asked is counted, and no error.
pub fn audit_bucket(
    desk: &Desk,
    env: &Env,
    actor: &Actor,
    bucket: Bucket,
    opened: &mut dyn FnMut(Opened),
    found: &mut dyn FnMut(Doubtful),
) -> Result<Audited, PayError> {
    policy::may(actor, Action::AuditRegistry)?;
    let mut audited = Audited::default();
    let all = |byte| PayeeId::from_bytes([byte; 16]);
    let rows =
        desk.store.read::<_, StoreError, _>(bucket, move |tx| table::payees_between(tx, all(0), all(255)))?;
    let paid: Vec<PayeeId> =
        rows.into_iter().filter(|row| row.state == PayeeState::Active).map(|row| row.payee).collect();
    for some in paid.chunks(AT_ONCE) {
        let (with, again, by, some) = (desk.clone(), env.again(), actor.clone(), some.to_vec());
        let held = desk.store.write(bucket, move |tx| open_some(&again.again(), tx, &with, &by, &some))?;
        audited.accounts += held.len() as u64;
        let shared = shared(desk, &held)?;
        let mut renamed = Vec::new();
        for (held, shared) in held.into_iter().zip(shared) {
            let Held { person, account, holder, by, since, fault, .. } = held;
            opened(Opened { person, account: account.clone(), by, since });
            if let Some(fault) = fault.or(shared.then_some(AccountFault::Shared)) {
                found(Doubtful { person, fault });
                continue;
            }
            match desk.banks.get(&account.bank).and_then(|bank| bank.holder(&account.number)) {
                Ok(Some(now)) if now != holder => renamed.push((person, now)),
                // An account that was closed shows with the next payment: nobody else gets that.
                Ok(_) => {}
                Err(_) => audited.not_asked += 1,
            }
        }
        if renamed.is_empty() {
            continue;
        }
        let (with, again, by) = (desk.clone(), env.again(), actor.clone());
        for doubtful in
            desk.store.write(bucket, move |tx| compare(&again.again(), tx, &with, &by, &renamed))?
        {
            found(doubtful);
        }
    }
    Ok(audited)
}

/// Opens accounts and compares the names that were kept with the register.
fn open_some(
    env: &Env,
    tx: &mut Tx<'_>,
    desk: &Desk,
    actor: &Actor,
    payees: &[PayeeId],
) -> Result<Vec<Held>, PayError> {
    let rows = table::payees(tx, payees)?;
    let people: Vec<PersonId> = payees.iter().map(|payee| ids::person(&desk.keys, *payee)).collect();
    let receipts = receipts(env, tx, &desk.keys, actor, &desk.basis(), &people, &FIELDS)?;
    let mut all = Vec::with_capacity(payees.len());
    for ((row, person), receipt) in rows.into_iter().zip(people).zip(&receipts) {
        let (Some(row), Some(receipt)) = (row.filter(|row| row.state == PayeeState::Active), receipt) else {
            continue;
        };
        let PayeeAccount { account, holder, by, since, .. } =
            Sealed::<PayeeAccount>::from_bytes(&row.record).open(receipt)?.of(person)?;
        let fault = fault_of(desk.residents.compare_holder(tx, receipt, &holder)?);
        all.push(Held { payee: row.payee, person, index: row.account, account, holder, by, since, fault });
    }
    Ok(all)
}

/// Compares the names that banks have now with the register.
fn compare(
    env: &Env,
    tx: &mut Tx<'_>,
    desk: &Desk,
    actor: &Actor,
    renamed: &[(PersonId, String)],
) -> Result<Vec<Doubtful>, PayError> {
    let people: Vec<PersonId> = renamed.iter().map(|(person, _)| *person).collect();
    let receipts = receipts(env, tx, &desk.keys, actor, &desk.basis(), &people, &FIELDS)?;
    let mut doubtful = Vec::new();
    for ((person, holder), receipt) in renamed.iter().zip(&receipts) {
        let Some(receipt) = receipt else { continue };
        if let Some(fault) = fault_of(desk.residents.compare_holder(tx, receipt, holder)?) {
            doubtful.push(Doubtful { person: *person, fault });
        }
    }
    Ok(doubtful)
}

/// Somebody who left the register is paid nothing; that is not a wrong account.
fn fault_of(found: Option<HolderMatch>) -> Option<AccountFault> {
    found.filter(|found| !matches!(found, HolderMatch::Same(_))).map(AccountFault::Holder)
}

/// For each account, whether the directory has it as somebody else's.
fn shared(desk: &Desk, held: &[Held]) -> Result<Vec<bool>, PayError> {
    let mut by_bucket: BTreeMap<Bucket, Vec<usize>> = BTreeMap::new();
    for (place, held) in held.iter().enumerate() {
        by_bucket.entry(desk.store.buckets().of_hash(&held.index)).or_default().push(place);
    }
    let mut shared = vec![false; held.len()];
    for (bucket, places) in by_bucket {
        let accounts: Vec<[u8; 16]> = places.iter().map(|place| held[*place].index).collect();
        let owners = desk.store.read::<_, StoreError, _>(bucket, move |tx| table::owners(tx, &accounts))?;
        for (place, owner) in places.into_iter().zip(owners) {
            shared[place] = owner != Some(held[place].payee);
        }
    }
    Ok(shared)
}
