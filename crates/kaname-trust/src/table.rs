//! The only SQL of this block.

use kaname_store::bulk::{Insert, Lookup, Type, Update};
use kaname_store::{StoreError, Tx, Value};

const HOLDERS: Insert = Insert {
    table: "trust_holder",
    columns: &[("holder", Type::Bytes), ("wrapped", Type::Bytes), ("entries", Type::Int)],
    skip_existing: true,
};
const HOLDER: Lookup =
    Lookup { table: "trust_holder", keys: &[("holder", Type::Bytes)], columns: &["wrapped", "entries"] };
const COUNT_ENTRY: Update = Update {
    table: "trust_holder",
    keys: &[("holder", Type::Bytes), ("entries", Type::Int)],
    columns: &[("entries", Type::Int)],
};
const ERASE_HOLDER: &str =
    "UPDATE trust_holder SET wrapped = $3 WHERE bucket = $1 AND holder = $2 AND wrapped <> $3";
const TAKE_PLACES: &str = "INSERT INTO trust_entry_count (bucket, entries) VALUES ($1, $2)
    ON CONFLICT (bucket) DO UPDATE SET entries = trust_entry_count.entries + excluded.entries
    RETURNING entries";
const ENTRIES: Insert = Insert {
    table: "trust_entry",
    columns: &[
        ("place", Type::Int),
        ("holder", Type::Bytes),
        ("n", Type::Int),
        ("leaf", Type::Bytes),
        ("body", Type::Bytes),
    ],
    skip_existing: false,
};
const NEWEST_ENTRIES: &str =
    "SELECT n, leaf, body FROM trust_entry WHERE bucket = $1 AND holder = $2 ORDER BY n DESC LIMIT $3";

/// A line of the access log as it is kept.
pub(crate) struct Entry {
    pub(crate) holder: [u8; 16],
    pub(crate) n: i64,
    pub(crate) leaf: [u8; 32],
    pub(crate) body: Vec<u8>,
}

/// Inserts holders that are not there yet; tells whether all of them were new.
pub(crate) fn insert_holders<'a>(
    tx: &mut Tx<'_>,
    holders: impl Iterator<Item = (&'a [u8; 16], &'a [u8])>,
) -> Result<bool, StoreError> {
    let mut holders: Vec<_> = holders.collect();
    // PostgreSQL remembers in which order rows came: not in that of the register.
    holders.sort_unstable();
    let rows: Vec<_> = holders
        .into_iter()
        .map(|(holder, wrapped)| [Value::from(holder), Value::from(wrapped), Value::Int(0)])
        .collect();
    Ok(tx.insert_many(&HOLDERS, &rows)? == rows.len() as u64)
}

/// Wrapped data key and number of entries of each holder.
pub(crate) fn holders(
    tx: &mut Tx<'_>,
    holders: &[[u8; 16]],
) -> Result<Vec<Option<(Vec<u8>, i64)>>, StoreError> {
    let keys: Vec<_> = holders.iter().map(|holder| [Value::from(holder)]).collect();
    let rows = tx.look_up_many(&HOLDER, &keys)?;
    rows.into_iter().map(|row| row.map(|row| Ok((row.bytes(0)?.to_vec(), row.int(1)?))).transpose()).collect()
}

/// Overwrites the wrapped key with nothing; returns how many holders had one.
pub(crate) fn erase_holder(tx: &mut Tx<'_>, holder: &[u8; 16]) -> Result<u64, StoreError> {
    tx.change(ERASE_HOLDER, &[Value::from(holder), Value::Bytes(&[])])
}

/// Gives the entries the next places of the bucket, and counts them for their holders (compared and set: a holder named
/// twice, or counted by somebody else meanwhile, is a conflict).
pub(crate) fn append_entries(tx: &mut Tx<'_>, entries: &[Entry]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let counted: Vec<_> = entries
        .iter()
        .map(|entry| [Value::from(&entry.holder), Value::Int(entry.n - 1), Value::Int(entry.n)])
        .collect();
    tx.update_many(&COUNT_ENTRY, &counted)?;
    let count = entries.len() as i64;
    let taken = tx.row(TAKE_PLACES, &[Value::Int(count)])?.ok_or(StoreError::Conflict)?.int(0)?;
    let rows: Vec<_> = entries
        .iter()
        .zip(taken - count..)
        .map(|(entry, place)| {
            [
                Value::Int(place),
                Value::from(&entry.holder),
                Value::Int(entry.n),
                Value::from(&entry.leaf),
                Value::from(&entry.body),
            ]
        })
        .collect();
    tx.insert_many(&ENTRIES, &rows)?;
    Ok(())
}

pub(crate) fn newest_entries(tx: &mut Tx<'_>, holder: [u8; 16], most: i64) -> Result<Vec<Entry>, StoreError> {
    let rows = tx.query(NEWEST_ENTRIES, &[Value::from(&holder), Value::Int(most)])?;
    rows.iter()
        .map(|row| Ok(Entry { holder, n: row.int(0)?, leaf: row.array(1)?, body: row.bytes(2)?.to_vec() }))
        .collect()
}

const ENTRY_COUNT: &str = "SELECT entries FROM trust_entry_count WHERE bucket = $1";
const LEAVES: &str =
    "SELECT leaf FROM trust_entry WHERE bucket = $1 AND place >= $2 AND place < $3 ORDER BY place";
const LOG_SIZE: &str = "SELECT size FROM trust_log_head WHERE bucket = $1";
const FIRST_LOG_SIZE: &str = "INSERT INTO trust_log_head (bucket, size) VALUES ($1, $2)";
const SET_LOG_SIZE: &str = "UPDATE trust_log_head SET size = $3 WHERE bucket = $1 AND size = $2";
const CURSORS: &str = "SELECT of_bucket, next_place FROM trust_log_cursor WHERE bucket = $1";
const SET_CURSOR: &str = "INSERT INTO trust_log_cursor (bucket, of_bucket, next_place) VALUES ($1, $2, $3)
    ON CONFLICT (bucket, of_bucket) DO UPDATE SET next_place = excluded.next_place";
const RANGES: &str = "SELECT first_index, of_bucket, from_place, to_place FROM trust_log_range
    WHERE bucket = $1 AND first_index < $3 AND first_index >= (
        SELECT COALESCE(MAX(first_index), 0) FROM trust_log_range WHERE bucket = $1 AND first_index <= $2)
    ORDER BY first_index";
const NEW_RANGES: Insert = Insert {
    table: "trust_log_range",
    columns: &[
        ("first_index", Type::Int),
        ("of_bucket", Type::Int),
        ("from_place", Type::Int),
        ("to_place", Type::Int),
    ],
    skip_existing: false,
};
const GAPS: &str = "SELECT COUNT(*) FROM trust_holder AS h WHERE h.bucket = $1 AND h.entries <> (
    SELECT CASE WHEN COUNT(*) = 0 THEN 0 WHEN MIN(e.n) = 1 AND COUNT(*) = MAX(e.n) THEN COUNT(*) ELSE -1 END
    FROM trust_entry AS e WHERE e.bucket = $1 AND e.holder = h.holder)";
const OF_NOBODY: &str = "SELECT COUNT(*) FROM trust_entry AS e WHERE e.bucket = $1 AND NOT EXISTS (
    SELECT h.entries FROM trust_holder AS h WHERE h.bucket = $1 AND h.holder = e.holder)";

/// Places `[from_place, to_place)` of a bucket, which begin at `first_index` in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) first_index: i64,
    pub(crate) of_bucket: i64,
    pub(crate) from_place: i64,
    pub(crate) to_place: i64,
}

/// How many entries this bucket has had.
pub(crate) fn entry_count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.row(ENTRY_COUNT, &[])?.map_or(Ok(0), |row| row.int(0))
}

pub(crate) fn leaves(tx: &mut Tx<'_>, from_place: i64, to_place: i64) -> Result<Vec<[u8; 32]>, StoreError> {
    let rows = tx.query(LEAVES, &[Value::Int(from_place), Value::Int(to_place)])?;
    rows.iter().map(|row| row.array(0)).collect()
}

pub(crate) fn log_size(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.row(LOG_SIZE, &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Compares and sets the log's size.
pub(crate) fn set_log_size(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<(), StoreError> {
    match from {
        0 => tx.change_one(FIRST_LOG_SIZE, &[Value::Int(to)]),
        _ => tx.change_one(SET_LOG_SIZE, &[Value::Int(from), Value::Int(to)]),
    }
}

pub(crate) fn log_cursors(tx: &mut Tx<'_>) -> Result<crate::log::Cursors, StoreError> {
    tx.query(CURSORS, &[])?.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect()
}

/// Appends ranges and moves the cursors of their buckets.
pub(crate) fn append_ranges(tx: &mut Tx<'_>, ranges: &[Range]) -> Result<(), StoreError> {
    let rows: Vec<_> = ranges
        .iter()
        .map(|range| [range.first_index, range.of_bucket, range.from_place, range.to_place].map(Value::Int))
        .collect();
    tx.insert_many(&NEW_RANGES, &rows)?;
    for range in ranges {
        tx.change_one(SET_CURSOR, &[Value::Int(range.of_bucket), Value::Int(range.to_place)])?;
    }
    Ok(())
}

/// The ranges that have an index in `from..to`, in order; the first may begin before `from`, the last may end behind `to`.
pub(crate) fn ranges(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<Vec<Range>, StoreError> {
    let range = |row: &kaname_store::Row| {
        Ok(Range {
            first_index: row.int(0)?,
            of_bucket: row.int(1)?,
            from_place: row.int(2)?,
            to_place: row.int(3)?,
        })
    };
    tx.query(RANGES, &[Value::Int(from), Value::Int(to)])?.iter().map(range).collect()
}

/// How many people of this bucket have entries that do not count from 1 to their number without a gap.
pub(crate) fn gaps(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.row(GAPS, &[])?.map_or(Ok(0), |row| row.int(0))
}

/// How many entries of this bucket belong to nobody who is or was registered.
pub(crate) fn of_nobody(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.row(OF_NOBODY, &[])?.map_or(Ok(0), |row| row.int(0))
}
