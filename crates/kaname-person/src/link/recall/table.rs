//! The only SQL about who is told of a wrong link.

use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::PersonId;
use kaname_trust::keys::BlindIndex;

use crate::link::LinkId;

const NEW_NOTICE: &str = "INSERT INTO person_link_notice (bucket, agency, id, state, wrapped)
    VALUES ($1, $2, $3, 1, $4) ON CONFLICT (bucket, agency, id) DO NOTHING";
const NOTICES: &str = "SELECT agency, id, state, wrapped FROM person_link_notice
    WHERE bucket = $1 AND agency = $2 AND state <> 2 AND id > $3 ORDER BY id LIMIT $4";
const ALL_NOTICES: &str = "SELECT agency, id, state, wrapped FROM person_link_notice
    WHERE bucket = $1 AND state <> 2 ORDER BY agency, id LIMIT $2";
const NOTICE: &str = "SELECT agency, id, state, wrapped FROM person_link_notice
    WHERE bucket = $1 AND agency = $2 AND id = $3";
const SEND_NOTICE: &str = "UPDATE person_link_notice SET state = 3
    WHERE bucket = $1 AND agency = $2 AND id = $3 AND state = 1";
const TAKE_NOTICE: &str = "UPDATE person_link_notice SET state = 2
    WHERE bucket = $1 AND agency = $2 AND id = $3 AND state <> 2";

/// A notice's row.
#[derive(Clone)]
pub(super) struct NoticeRow {
    pub(super) reader: String,
    pub(super) id: BlindIndex,
    /// Whether it is in the reader's feed.
    pub(super) sent: bool,
    /// Whether the reader has acknowledged it.
    pub(super) taken: bool,
    pub(super) wrapped: Vec<u8>,
}

/// Keeps a notice; `false` when it is there.
pub(super) fn insert_notice(
    tx: &mut Tx<'_>,
    reader: &str,
    id: &BlindIndex,
    wrapped: &[u8],
) -> Result<bool, StoreError> {
    Ok(tx.change(NEW_NOTICE, &[Value::Text(reader), Value::from(id), Value::Bytes(wrapped)])? == 1)
}

/// The notices that a reader has not acknowledged, after one of them.
pub(super) fn notices(
    tx: &mut Tx<'_>,
    reader: &str,
    after: &[u8],
    limit: i64,
) -> Result<Vec<NoticeRow>, StoreError> {
    let rows = tx.query(NOTICES, &[Value::Text(reader), Value::Bytes(after), Value::Int(limit)])?;
    rows.iter().map(notice_row).collect()
}

/// The notices of all readers in this bucket that nobody has acknowledged.
pub(super) fn all_notices(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<NoticeRow>, StoreError> {
    tx.query(ALL_NOTICES, &[Value::Int(limit)])?.iter().map(notice_row).collect()
}

pub(super) fn notice(
    tx: &mut Tx<'_>,
    reader: &str,
    id: &BlindIndex,
) -> Result<Option<NoticeRow>, StoreError> {
    tx.row(NOTICE, &[Value::Text(reader), Value::from(id)])?.as_ref().map(notice_row).transpose()
}

pub(super) fn send_notice(tx: &mut Tx<'_>, reader: &str, id: &BlindIndex) -> Result<(), StoreError> {
    tx.change(SEND_NOTICE, &[Value::Text(reader), Value::from(id)]).map(drop)
}

pub(super) fn take_notice(tx: &mut Tx<'_>, reader: &str, id: &BlindIndex) -> Result<bool, StoreError> {
    Ok(tx.change(TAKE_NOTICE, &[Value::Text(reader), Value::from(id)])? == 1)
}

fn notice_row(row: &Row) -> Result<NoticeRow, StoreError> {
    let state = row.int(2)?;
    Ok(NoticeRow {
        reader: row.text(0)?.to_owned(),
        id: row.array(1)?,
        sent: state == 3,
        taken: state == 2,
        wrapped: row.bytes(3)?.to_vec(),
    })
}

const NEW_LETTER: &str = "INSERT INTO person_link_letter (bucket, id, link, what, written, seen)
    VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT (bucket, id, link) DO NOTHING";
const LETTERS: &str = "SELECT id, link, what FROM person_link_letter
    WHERE bucket = $1 AND written = 0 ORDER BY id, link LIMIT $2";
const WRITTEN: &str = "UPDATE person_link_letter SET written = 1 WHERE bucket = $1 AND id = $2 AND link = $3";
const UNSEEN: &str = "SELECT COUNT(*) FROM person_link_letter WHERE bucket = $1 AND id = $2 AND seen = 0";
const SEEN: &str = "UPDATE person_link_letter SET seen = 1 WHERE bucket = $1 AND id = $2 AND seen = 0";

/// Why a resident is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Affected {
    /// Somebody else's record was linked to her.
    WrongRecord = 1,
    /// Her record was linked to somebody else before.
    WasAnothers = 2,
}

/// Notes that a resident is to be told of a link, once.
pub(crate) fn insert_letter(
    tx: &mut Tx<'_>,
    person: PersonId,
    link: LinkId,
    what: Affected,
) -> Result<(), StoreError> {
    tx.change(NEW_LETTER, &[Value::from(&person), Value::from(&link), Value::Int(what as i64)]).map(drop)
}

/// Letters that nobody has written, of this bucket.
pub(super) fn letters(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(PersonId, LinkId, Affected)>, StoreError> {
    let letter = |row: &Row| {
        let what = match row.int(2)? {
            1 => Affected::WrongRecord,
            2 => Affected::WasAnothers,
            _ => return Err(StoreError::Type(2)),
        };
        Ok((row.id(0)?, row.id(1)?, what))
    };
    tx.query(LETTERS, &[Value::Int(limit)])?.iter().map(letter).collect()
}

pub(super) fn set_written(tx: &mut Tx<'_>, person: PersonId, link: LinkId) -> Result<(), StoreError> {
    tx.change(WRITTEN, &[Value::from(&person), Value::from(&link)]).map(drop)
}

/// How many of them she has not seen in the portal.
pub(crate) fn unseen(tx: &mut Tx<'_>, person: PersonId) -> Result<i64, StoreError> {
    tx.row(UNSEEN, &[Value::from(&person)])?.map_or(Ok(0), |row| row.int(0))
}

pub(crate) fn set_seen(tx: &mut Tx<'_>, person: PersonId) -> Result<(), StoreError> {
    tx.change(SEEN, &[Value::from(&person)]).map(drop)
}
