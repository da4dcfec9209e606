//! The only SQL of what agencies tell.

use kaname_store::{StoreError, Tx, Value};
use kaname_trust::keys::BlindIndex;

const PUT: &str = "INSERT INTO agency_file (bucket, owner, part, item, version, body) VALUES ($1, $2, $3, $4, 1, $5)
    ON CONFLICT (bucket, owner, part, item) DO UPDATE SET body = excluded.body, version = agency_file.version + 1";
const GET: &str = "SELECT body FROM agency_file WHERE bucket = $1 AND owner = $2 AND part = $3 AND item = $4";
const ALL: &str =
    "SELECT body FROM agency_file WHERE bucket = $1 AND owner = $2 AND part = $3 ORDER BY item LIMIT $4";
const REMOVE: &str = "DELETE FROM agency_file WHERE bucket = $1 AND owner = $2 AND part = $3 AND item = $4";
const CLEAR: &str = "DELETE FROM agency_file WHERE bucket = $1 AND owner = $2";
const ENTER: &str = "INSERT INTO agency_list (bucket, agency, part, item, body) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (bucket, agency, part, item) DO NOTHING";
const LISTED: &str =
    "SELECT body FROM agency_list WHERE bucket = $1 AND agency = $2 AND part = $3 ORDER BY item LIMIT $4";
const STRIKE: &str = "DELETE FROM agency_list WHERE bucket = $1 AND agency = $2 AND part = $3 AND item = $4";

/// What a row of a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    File = 1,
    Identity = 2,
    Enrolment = 3,
    Buffer = 4,
}

/// Where the files of an agency on one person stand.
pub(crate) type Owner = BlindIndex;

pub(crate) fn put(
    tx: &mut Tx<'_>,
    owner: &Owner,
    part: Part,
    item: &BlindIndex,
    body: &[u8],
) -> Result<(), StoreError> {
    tx.change_one(PUT, &[owner.into(), Value::Int(part as i64), item.into(), body.into()])
}

pub(crate) fn get(
    tx: &mut Tx<'_>,
    owner: &Owner,
    part: Part,
    item: &BlindIndex,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.row(GET, &[owner.into(), Value::Int(part as i64), item.into()])?;
    row.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

pub(crate) fn all(tx: &mut Tx<'_>, owner: &Owner, part: Part, most: i64) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = tx.query(ALL, &[owner.into(), Value::Int(part as i64), most.into()])?;
    rows.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

pub(crate) fn remove(
    tx: &mut Tx<'_>,
    owner: &Owner,
    part: Part,
    item: &BlindIndex,
) -> Result<(), StoreError> {
    tx.change(REMOVE, &[owner.into(), Value::Int(part as i64), item.into()]).map(drop)
}

pub(crate) fn clear(tx: &mut Tx<'_>, owner: &Owner) -> Result<(), StoreError> {
    tx.change(CLEAR, &[owner.into()]).map(drop)
}

pub(crate) fn enter(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    part: Part,
    item: &BlindIndex,
    body: &[u8],
) -> Result<(), StoreError> {
    tx.change(ENTER, &[agency.into(), Value::Int(part as i64), item.into(), body.into()]).map(drop)
}

pub(crate) fn listed(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    part: Part,
    most: i64,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = tx.query(LISTED, &[agency.into(), Value::Int(part as i64), most.into()])?;
    rows.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

pub(crate) fn strike(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    part: Part,
    item: &BlindIndex,
) -> Result<(), StoreError> {
    tx.change(STRIKE, &[agency.into(), Value::Int(part as i64), item.into()]).map(drop)
}
