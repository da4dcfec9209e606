//! The only SQL of this block.

use kaname_base::Instant;
use kaname_store::{StoreError, Tx, Value};

use crate::keys::Role;

const PUT_CLIENT: &str = "INSERT INTO signin_client (bucket, client, body) VALUES ($1, $2, $3)
    ON CONFLICT (bucket, client) DO UPDATE SET body = excluded.body";
const CLIENTS: &str = "SELECT body FROM signin_client WHERE bucket = $1 ORDER BY client";
const EDITION: &str = "SELECT edition FROM signin_edition WHERE bucket = $1 AND name = $2";
const NEXT_EDITION: &str = "INSERT INTO signin_edition (bucket, name, edition) VALUES ($1, $2, 1)
    ON CONFLICT (bucket, name) DO UPDATE SET edition = signin_edition.edition + 1";
const KEYS: &str =
    "SELECT kid, role, published, retires, wrapped FROM signin_key WHERE bucket = $1 ORDER BY published, kid";
const INSERT_KEY: &str =
    "INSERT INTO signin_key (bucket, kid, role, published, retires, wrapped) VALUES ($1, $2, $3, $4, $5, $6)";
const SET_KEY_ROLE: &str = "UPDATE signin_key SET role = $3, retires = $4 WHERE bucket = $1 AND kid = $2";
const DELETE_KEY: &str = "DELETE FROM signin_key WHERE bucket = $1 AND kid = $2";
const PARTIES_AND_KEYS: &str = "parties-and-keys";

pub(crate) fn put_client(tx: &mut Tx<'_>, client: &str, body: &str) -> Result<(), StoreError> {
    tx.change_one(PUT_CLIENT, &[Value::from(client), Value::from(body)])
}

pub(crate) fn clients(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    tx.query(CLIENTS, &[])?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// How often parties or keys have changed.
pub(crate) fn edition(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.row(EDITION, &[Value::from(PARTIES_AND_KEYS)])?.map_or(Ok(0), |row| row.int(0))
}

pub(crate) fn next_edition(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.change_one(NEXT_EDITION, &[Value::from(PARTIES_AND_KEYS)])
}

/// A signing key as stored.
pub(crate) struct KeyRow {
    pub(crate) kid: String,
    pub(crate) role: Role,
    pub(crate) published: Instant,
    pub(crate) retires: Instant,
    pub(crate) wrapped: Vec<u8>,
}

pub(crate) fn keys(tx: &mut Tx<'_>) -> Result<Vec<KeyRow>, StoreError> {
    let key = |row: &kaname_store::Row| {
        Ok(KeyRow {
            kid: row.text(0)?.to_owned(),
            role: Role::of_code(row.text(1)?).ok_or(StoreError::Type(1))?,
            published: Instant::from_micros(row.int(2)?),
            retires: Instant::from_micros(row.int(3)?),
            wrapped: row.bytes(4)?.to_vec(),
        })
    };
    tx.query(KEYS, &[])?.iter().map(key).collect()
}

pub(crate) fn insert_key(tx: &mut Tx<'_>, key: &KeyRow) -> Result<(), StoreError> {
    let (published, retires) = (key.published.micros(), key.retires.micros());
    let args = [
        Value::from(key.kid.as_str()),
        Value::from(key.role.code()),
        Value::Int(published),
        Value::Int(retires),
        Value::from(&key.wrapped),
    ];
    tx.change_one(INSERT_KEY, &args)
}

pub(crate) fn set_key_role(
    tx: &mut Tx<'_>,
    kid: &str,
    role: Role,
    retires: Instant,
) -> Result<(), StoreError> {
    tx.change_one(SET_KEY_ROLE, &[Value::from(kid), Value::from(role.code()), Value::Int(retires.micros())])
}

pub(crate) fn delete_key(tx: &mut Tx<'_>, kid: &str) -> Result<(), StoreError> {
    tx.change_one(DELETE_KEY, &[Value::from(kid)])
}

const INSERT_MARK: &str = "INSERT INTO signin_once (bucket, expires, mark, how) VALUES ($1, $2, $3, $4)
    ON CONFLICT (bucket, expires, mark) DO NOTHING";
const ADVANCE_MARK: &str = "INSERT INTO signin_once (bucket, expires, mark, how) VALUES ($1, $2, $3, $4)
    ON CONFLICT (bucket, expires, mark) DO UPDATE SET how = excluded.how WHERE signin_once.how < excluded.how";
const MARK: &str = "SELECT how FROM signin_once WHERE bucket = $1 AND expires = $2 AND mark = $3";

/// Notes that something happens; tells whether it is the first time.
pub(crate) fn insert_mark(
    tx: &mut Tx<'_>,
    expires: i64,
    mark: &[u8; 16],
    how: &[u8],
) -> Result<bool, StoreError> {
    Ok(tx.change(INSERT_MARK, &[Value::Int(expires), Value::from(mark), Value::from(how)])? == 1)
}

/// The same, over a note that is less, byte by byte; tells whether there was none or a lesser one.
pub(crate) fn advance_mark(
    tx: &mut Tx<'_>,
    expires: i64,
    mark: &[u8; 16],
    how: &[u8],
) -> Result<bool, StoreError> {
    Ok(tx.change(ADVANCE_MARK, &[Value::Int(expires), Value::from(mark), Value::from(how)])? == 1)
}

pub(crate) fn mark(tx: &mut Tx<'_>, expires: i64, mark: &[u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
    let found = tx.row(MARK, &[Value::Int(expires), Value::from(mark)])?;
    found.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

const ACCOUNT: &str = "SELECT version, body FROM signin_account WHERE bucket = $1 AND holder = $2";
const INSERT_ACCOUNT: &str =
    "INSERT INTO signin_account (bucket, holder, version, body) VALUES ($1, $2, 1, $3)";
const REPLACE_ACCOUNT: &str = "UPDATE signin_account SET version = $3 + 1, body = $4
    WHERE bucket = $1 AND holder = $2 AND version = $3";

/// Version and body.
pub(crate) fn account(tx: &mut Tx<'_>, holder: &[u8; 16]) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let found = tx.row(ACCOUNT, &[Value::from(holder)])?;
    found.map(|row| Ok((row.int(0)?, row.bytes(1)?.to_vec()))).transpose()
}

/// Writes an account over the version that was read; version 0 is a new one.
pub(crate) fn replace_account(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    version: i64,
    body: &Vec<u8>,
) -> Result<(), StoreError> {
    match version {
        0 => tx.change_one(INSERT_ACCOUNT, &[Value::from(holder), Value::from(body)]),
        _ => tx.change_one(REPLACE_ACCOUNT, &[Value::from(holder), Value::Int(version), Value::from(body)]),
    }
}

const LETTER: &str = "SELECT version, body FROM signin_letter WHERE bucket = $1 AND letter = $2";
const INSERT_LETTER: &str = "INSERT INTO signin_letter (bucket, letter, version, expires, body)
    VALUES ($1, $2, 1, $3, $4)";
const REPLACE_LETTER: &str = "UPDATE signin_letter SET version = $3 + 1, body = $4
    WHERE bucket = $1 AND letter = $2 AND version = $3";

const DELETE_LETTER: &str = "DELETE FROM signin_letter WHERE bucket = $1 AND letter = $2";

pub(crate) fn delete_letter(tx: &mut Tx<'_>, letter: &[u8; 16]) -> Result<(), StoreError> {
    tx.change(DELETE_LETTER, &[Value::from(letter)]).map(drop)
}

/// Version and body.
pub(crate) fn letter(tx: &mut Tx<'_>, letter: &[u8; 16]) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let found = tx.row(LETTER, &[Value::from(letter)])?;
    found.map(|row| Ok((row.int(0)?, row.bytes(1)?.to_vec()))).transpose()
}

pub(crate) fn insert_letter(
    tx: &mut Tx<'_>,
    letter: &[u8; 16],
    expires: i64,
    body: &Vec<u8>,
) -> Result<(), StoreError> {
    tx.change_one(INSERT_LETTER, &[Value::from(letter), Value::Int(expires), Value::from(body)])
}

pub(crate) fn replace_letter(
    tx: &mut Tx<'_>,
    letter: &[u8; 16],
    version: i64,
    body: &Vec<u8>,
) -> Result<(), StoreError> {
    tx.change_one(REPLACE_LETTER, &[Value::from(letter), Value::Int(version), Value::from(body)])
}

const SESSION: &str =
    "SELECT version, body FROM signin_session WHERE bucket = $1 AND holder = $2 AND session = $3";
const SESSIONS_OF: &str = "SELECT session, body FROM signin_session WHERE bucket = $1 AND holder = $2";
const INSERT_SESSION: &str = "INSERT INTO signin_session (bucket, holder, session, version, expires, body)
    VALUES ($1, $2, $3, 1, $4, $5)";
const REPLACE_SESSION: &str = "UPDATE signin_session SET version = $4 + 1, body = $5
    WHERE bucket = $1 AND holder = $2 AND session = $3 AND version = $4";
const DELETE_SESSION: &str = "DELETE FROM signin_session WHERE bucket = $1 AND holder = $2 AND session = $3";

/// Version and body.
pub(crate) fn session(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    session: &[u8; 16],
) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let found = tx.row(SESSION, &[Value::from(holder), Value::from(session)])?;
    found.map(|row| Ok((row.int(0)?, row.bytes(1)?.to_vec()))).transpose()
}

/// Key and body of each session of a holder.
pub(crate) fn sessions_of(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
) -> Result<Vec<([u8; 16], Vec<u8>)>, StoreError> {
    let rows = tx.query(SESSIONS_OF, &[Value::from(holder)])?;
    rows.iter().map(|row| Ok((row.array(0)?, row.bytes(1)?.to_vec()))).collect()
}

pub(crate) fn insert_session(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    session: &[u8; 16],
    expires: i64,
    body: &Vec<u8>,
) -> Result<(), StoreError> {
    let args = [Value::from(holder), Value::from(session), Value::Int(expires), Value::from(body)];
    tx.change_one(INSERT_SESSION, &args)
}

pub(crate) fn replace_session(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    session: &[u8; 16],
    version: i64,
    body: &Vec<u8>,
) -> Result<(), StoreError> {
    let args = [Value::from(holder), Value::from(session), Value::Int(version), Value::from(body)];
    tx.change_one(REPLACE_SESSION, &args)
}

/// How many went: none if it is not this holder's.
pub(crate) fn delete_session(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    session: &[u8; 16],
) -> Result<u64, StoreError> {
    tx.change(DELETE_SESSION, &[Value::from(holder), Value::from(session)])
}

const GRANTED: &str = "SELECT granted FROM signin_consent WHERE bucket = $1 AND holder = $2 AND party = $3";
const CONSENTS: &str = "SELECT party, body FROM signin_consent WHERE bucket = $1 AND holder = $2";
const PUT_CONSENT: &str = "INSERT INTO signin_consent (bucket, holder, party, granted, body)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (bucket, holder, party) DO UPDATE SET granted = excluded.granted, body = excluded.body";
const DELETE_CONSENT: &str = "DELETE FROM signin_consent WHERE bucket = $1 AND holder = $2 AND party = $3";

pub(crate) fn granted(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    party: &[u8; 16],
) -> Result<Option<Vec<u8>>, StoreError> {
    let found = tx.row(GRANTED, &[Value::from(holder), Value::from(party)])?;
    found.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

/// Party and sealed body of each consent of a holder.
pub(crate) fn consents(tx: &mut Tx<'_>, holder: &[u8; 16]) -> Result<Vec<([u8; 16], Vec<u8>)>, StoreError> {
    let rows = tx.query(CONSENTS, &[Value::from(holder)])?;
    rows.iter().map(|row| Ok((row.array(0)?, row.bytes(1)?.to_vec()))).collect()
}

pub(crate) fn put_consent(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    party: &[u8; 16],
    granted: &Vec<u8>,
    body: &Vec<u8>,
) -> Result<(), StoreError> {
    let args = [Value::from(holder), Value::from(party), Value::from(granted), Value::from(body)];
    tx.change_one(PUT_CONSENT, &args)
}

pub(crate) fn delete_consent(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    party: &[u8; 16],
) -> Result<u64, StoreError> {
    tx.change(DELETE_CONSENT, &[Value::from(holder), Value::from(party)])
}

const HISTORY: &str = "SELECT body FROM signin_history WHERE bucket = $1 AND holder = $2 ORDER BY n DESC";
const LAST_HISTORY: &str =
    "SELECT n FROM signin_history WHERE bucket = $1 AND holder = $2 ORDER BY n DESC LIMIT 1";
const INSERT_HISTORY: &str = "INSERT INTO signin_history (bucket, holder, n, body) VALUES ($1, $2, $3, $4)";
const TRIM_HISTORY: &str = "DELETE FROM signin_history WHERE bucket = $1 AND holder = $2 AND n <= $3";

/// Sealed lines, newest first.
pub(crate) fn history(tx: &mut Tx<'_>, holder: &[u8; 16]) -> Result<Vec<Vec<u8>>, StoreError> {
    tx.query(HISTORY, &[Value::from(holder)])?.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

/// The number of the newest line; 0 if there is none.
pub(crate) fn last_history(tx: &mut Tx<'_>, holder: &[u8; 16]) -> Result<i64, StoreError> {
    tx.row(LAST_HISTORY, &[Value::from(holder)])?.map_or(Ok(0), |row| row.int(0))
}

pub(crate) fn insert_history(
    tx: &mut Tx<'_>,
    holder: &[u8; 16],
    n: i64,
    body: &Vec<u8>,
) -> Result<(), StoreError> {
    tx.change_one(INSERT_HISTORY, &[Value::from(holder), Value::Int(n), Value::from(body)])
}

pub(crate) fn trim_history(tx: &mut Tx<'_>, holder: &[u8; 16], through: i64) -> Result<(), StoreError> {
    tx.change(TRIM_HISTORY, &[Value::from(holder), Value::Int(through)]).map(drop)
}

const SWEEP: &[&str] = &[
    "DELETE FROM signin_once WHERE bucket = $1 AND expires < $2",
    "DELETE FROM signin_session WHERE bucket = $1 AND expires < $2",
    "DELETE FROM signin_letter WHERE bucket = $1 AND expires < $2",
];

/// Deletes what expired before `now`; returns how many rows.
pub(crate) fn sweep(tx: &mut Tx<'_>, now: Instant) -> Result<u64, StoreError> {
    let mut swept = 0;
    for sql in SWEEP {
        swept += tx.change(sql, &[Value::Int(now.micros())])?;
    }
    Ok(swept)
}
