//! The only SQL of what is kept of one person, whatever part of the register keeps it.

use kaname_store::{StoreError, Tx, Value};
use kaname_trust::PersonId;

const RECORDS: &str =
    "SELECT part, state, sealed FROM person_record WHERE bucket = $1 AND id = $2 ORDER BY part, n";
const PROPOSALS: &str =
    "SELECT state, sealed FROM person_proposal WHERE bucket = $1 AND person = $2 ORDER BY id";

/// Every row of her record: which part it is, where it stands, what is sealed.
pub(super) fn records(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<(i64, String, Vec<u8>)>, StoreError> {
    let rows = tx.query(RECORDS, &[Value::from(&person)])?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned(), row.bytes(2)?.to_vec()))).collect()
}

/// What was proposed about her entry.
pub(super) fn proposals(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let rows = tx.query(PROPOSALS, &[Value::from(&person)])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.bytes(1)?.to_vec()))).collect()
}
