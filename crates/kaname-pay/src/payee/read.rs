//! Use case: show a person where she is paid.

use kaname_store::Tx;
use kaname_trust::{Keys, Receipt, Sealed};

use crate::PayError;
use crate::ids;
use crate::payee::{PayeeAccount, PayeeState, table};

/// A payee account, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payee {
    /// Whether it is paid on.
    pub state: PayeeState,
    /// The account.
    pub account: PayeeAccount,
}

/// The payee account of the receipt's person, if she registered one.
///
/// # Errors
/// [`PayError`] when it cannot be read or does not open.
pub fn payee_of(tx: &mut Tx<'_>, keys: &Keys, receipt: &Receipt<'_>) -> Result<Option<Payee>, PayError> {
    let person = receipt.person();
    let Some(row) = table::payees(tx, &[ids::payee(keys, person)])?.pop().flatten() else { return Ok(None) };
    let account = Sealed::<PayeeAccount>::from_bytes(&row.record).open(receipt)?.of(person)?;
    Ok(Some(Payee { state: row.state, account }))
}
