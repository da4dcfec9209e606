//! Use case: open accounts of the ledger.

use kaname_store::{StoreError, Tx};

use crate::ids::AccountId;
use crate::ledger::{Account, balance, table};

/// Opens accounts in the unit's bucket. One that is there already stays as it is.
///
/// # Errors
/// [`StoreError`].
pub fn open_accounts(tx: &mut Tx<'_>, accounts: &[Account]) -> Result<(), StoreError> {
    table::insert_accounts(tx, accounts)
}

/// Accounts of the unit's bucket, in the order asked.
///
/// # Errors
/// [`StoreError`].
pub fn accounts(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<Vec<Option<Account>>, StoreError> {
    balance::accounts(tx, ids)
}
