//! The SQL of mandates.

use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::PersonId;
use kaname_trust::keys::BlindIndex;

const NEW: &str = "INSERT INTO person_mandate (bucket, id, side, mandate_index, state, version, sealed)
    VALUES ($1, $2, $3, $4, $5, 1, $6) ON CONFLICT DO NOTHING";
const ONE: &str = "SELECT mandate_index, state, version, sealed, holder, ended FROM person_mandate
    WHERE bucket = $1 AND id = $2 AND side = $3 AND mandate_index = $4";
const ALL: &str = "SELECT mandate_index, state, version, sealed, holder, ended FROM person_mandate
    WHERE bucket = $1 AND id = $2 AND side = $3 ORDER BY mandate_index";
const SET: &str = "UPDATE person_mandate
    SET state = $6, holder = $7, ended = $8, version = version + 1
    WHERE bucket = $1 AND id = $2 AND side = $3 AND mandate_index = $4 AND version = $5";
const PROPOSED: &str = "SELECT id, mandate_index FROM person_mandate
    WHERE bucket = $1 AND side = 1 AND state = 'proposed' ORDER BY id, mandate_index LIMIT $2";

/// Beside whom a row lies.
#[derive(Clone, Copy)]
pub(super) enum Side {
    /// Beside the person for whom the mandate is.
    Given = 1,
    /// Beside its holder.
    Held = 2,
}

/// Whether a mandate holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MandateState {
    /// It waits for its holder to accept it.
    Offered,
    /// It waits for a second officer.
    Proposed,
    /// It holds, until its last day.
    Active,
    /// It was ended, or refused.
    Ended,
}

impl MandateState {
    const ALL: [MandateState; 4] =
        [MandateState::Offered, MandateState::Proposed, MandateState::Active, MandateState::Ended];

    pub(super) fn of_code(code: &str) -> Option<MandateState> {
        MandateState::ALL.into_iter().find(|state| state.code() == code)
    }

    /// As stored, and as the texts have it.
    pub fn code(self) -> &'static str {
        match self {
            MandateState::Offered => "offered",
            MandateState::Proposed => "proposed",
            MandateState::Active => "active",
            MandateState::Ended => "ended",
        }
    }
}

/// A row of `person_mandate`.
pub(super) struct MandateRow {
    pub(super) index: BlindIndex,
    pub(super) state: MandateState,
    pub(super) version: i64,
    pub(super) sealed: Vec<u8>,
    /// Who accepted it, sealed for the person for whom it is.
    pub(super) holder: Option<Vec<u8>>,
    pub(super) ended: Option<Vec<u8>>,
}

/// Inserts a row, unless it is there.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    person: PersonId,
    side: Side,
    index: &BlindIndex,
    state: MandateState,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let args = [
        Value::from(&person),
        Value::Int(side as i64),
        Value::from(index),
        Value::Text(state.code()),
        Value::Bytes(sealed),
    ];
    tx.change(NEW, &args).map(drop)
}

pub(super) fn one(
    tx: &mut Tx<'_>,
    person: PersonId,
    side: Side,
    index: &BlindIndex,
) -> Result<Option<MandateRow>, StoreError> {
    let args = [Value::from(&person), Value::Int(side as i64), Value::from(index)];
    tx.row(ONE, &args)?.as_ref().map(read).transpose()
}

pub(super) fn all(tx: &mut Tx<'_>, person: PersonId, side: Side) -> Result<Vec<MandateRow>, StoreError> {
    tx.query(ALL, &[Value::from(&person), Value::Int(side as i64)])?.iter().map(read).collect()
}

/// Compares and sets what became of a mandate.
pub(super) fn replace(tx: &mut Tx<'_>, person: PersonId, row: &MandateRow) -> Result<(), StoreError> {
    let args = [
        Value::from(&person),
        Value::Int(Side::Given as i64),
        Value::from(&row.index),
        Value::Int(row.version),
        Value::Text(row.state.code()),
        Value::from(row.holder.as_deref()),
        Value::from(row.ended.as_deref()),
    ];
    tx.change_one(SET, &args)
}

/// Mandates of this bucket that wait for a second officer.
pub(super) fn proposed(tx: &mut Tx<'_>, most: i64) -> Result<Vec<(PersonId, BlindIndex)>, StoreError> {
    tx.query(PROPOSED, &[Value::Int(most)])?.iter().map(|row| Ok((row.id(0)?, row.array(1)?))).collect()
}

fn read(row: &Row) -> Result<MandateRow, StoreError> {
    let state = MandateState::of_code(row.text(1)?);
    Ok(MandateRow {
        index: row.array(0)?,
        state: state.ok_or_else(|| StoreError::Database("a mandate has an unknown state".to_owned()))?,
        version: row.int(2)?,
        sealed: row.bytes(3)?.to_vec(),
        holder: row.maybe_bytes(4)?.map(<[u8]>::to_vec),
        ended: row.maybe_bytes(5)?.map(<[u8]>::to_vec),
    })
}
