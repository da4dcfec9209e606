//! Use cases: show runs to an officer, and a person her own payments.

use kaname_person::{Action, policy};
use kaname_store::Tx;
use kaname_trust::{Actor, Keys, Receipt, Sealed};

use crate::ids::{self, RunId};
use crate::payout::{Programme, Run, State, Voucher, table};
use crate::{PayError, Refusal};

/// One payment to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// In which run.
    pub run: RunId,
    /// What for.
    pub programme: Programme,
    /// When the run was planned.
    pub planned_at: kaname_base::Instant,
    /// Where it stands.
    pub state: State,
    /// Why, when it waits or came back.
    pub reason: String,
}

/// A run. The unit is on the home bucket.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::NoSuchRun`].
pub fn run_of(tx: &mut Tx<'_>, by: &Actor, id: RunId) -> Result<Run, PayError> {
    policy::may(by, Action::WatchPayout)?;
    Ok(table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?)
}

/// The latest runs, newest first. The unit is on the home bucket.
///
/// # Errors
/// [`PayError::NotAllowed`].
pub fn runs(tx: &mut Tx<'_>, by: &Actor, most: i64) -> Result<Vec<Run>, PayError> {
    policy::may(by, Action::WatchPayout)?;
    Ok(table::runs(tx, most)?)
}

/// The payments of the receipt's person, newest first, of the latest `most` runs.
///
/// # Errors
/// [`PayError::Store`].
pub fn payments_of(
    tx: &mut Tx<'_>,
    keys: &Keys,
    receipt: &Receipt<'_>,
    most: i64,
) -> Result<Vec<Payment>, PayError> {
    let payee = ids::payee(keys, receipt.person());
    let parts = table::parts(tx, most)?;
    let asked: Vec<_> = parts.iter().map(|part| (part.run, payee)).collect();
    let found = table::entitlements(tx, &asked)?;
    let payment = |(part, found): (table::Part, Option<(State, String)>)| {
        let (state, reason) = found?;
        let table::Part { run, programme, planned_at, .. } = part;
        Some(Payment { run, programme, planned_at, state, reason })
    };
    Ok(parts.into_iter().zip(found).filter_map(payment).collect())
}

/// Of a person's payments, those that she is told of. Whoever is only on the list of a run is promised nothing until another
/// officer has approved it, and so funded it. The unit is on the home bucket.
///
/// # Errors
/// [`PayError::Store`].
pub fn told(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<Vec<Payment>, PayError> {
    let mut told = Vec::with_capacity(payments.len());
    for payment in payments {
        let is_approved = payment.state != State::Planned
            || table::run(tx, payment.run)?.is_some_and(|run| run.approved.is_some());
        if is_approved {
            told.push(payment.clone());
        }
    }
    Ok(told)
}

/// The latest runs that were approved before and pay the same programme as this one: whoever is on both lists is paid by each
/// of them. Newest first. The unit is on the home bucket.
///
/// # Errors
/// [`PayError::NotAllowed`].
pub fn earlier_runs(tx: &mut Tx<'_>, by: &Actor, run: &Run, most: i64) -> Result<Vec<Run>, PayError> {
    let mut earlier = runs(tx, by, most)?;
    earlier.retain(|other| {
        other.id != run.id && other.programme.code == run.programme.code && other.approved.is_some()
    });
    Ok(earlier)
}

/// The voucher of the receipt's person in a run, if she has one.
///
/// # Errors
/// [`PayError`] when it cannot be read or does not open.
pub fn voucher_of(
    tx: &mut Tx<'_>,
    keys: &Keys,
    receipt: &Receipt<'_>,
    run: RunId,
) -> Result<Option<Voucher>, PayError> {
    let person = receipt.person();
    let Some(record) = table::voucher(tx, run, ids::payee(keys, person))? else { return Ok(None) };
    Ok(Some(Sealed::<Voucher>::from_bytes(&record).open(receipt)?.of(person)?))
}
