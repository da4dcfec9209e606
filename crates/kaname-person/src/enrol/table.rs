//! The SQL of kits and packets.

use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::keys::BlindIndex;

use super::KitId;
use crate::OfficerId;

const NEW_KIT: &str = "INSERT INTO person_enrol_kit (bucket, id, state, officer, version, wrapped)
    VALUES ($1, $2, 'active', $3, 1, $4)";
const KIT: &str =
    "SELECT id, state, officer, version, wrapped FROM person_enrol_kit WHERE bucket = $1 AND id = $2";
const KITS: &str =
    "SELECT id, state, officer, version, wrapped FROM person_enrol_kit WHERE bucket = $1 ORDER BY id";
const REVOKE_KIT: &str = "UPDATE person_enrol_kit SET state = 'revoked', version = version + 1
    WHERE bucket = $1 AND id = $2 AND version = $3";
const NEW_PACKET: &str = "INSERT INTO person_enrol_packet (bucket, id, n, packet_index, state)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const PACKET: &str =
    "SELECT packet_index, state FROM person_enrol_packet WHERE bucket = $1 AND id = $2 AND n = $3";
const SET_PACKET: &str = "UPDATE person_enrol_packet SET state = $4 WHERE bucket = $1 AND id = $2 AND n = $3";
const COUNTS: &str = "SELECT n FROM person_enrol_packet WHERE bucket = $1 AND id = $2 ORDER BY n";

/// A kit's row.
pub(super) struct KitRow {
    pub(super) id: KitId,
    pub(super) active: bool,
    pub(super) officer: OfficerId,
    pub(super) version: i64,
    pub(super) wrapped: Vec<u8>,
}

pub(super) fn insert_kit(
    tx: &mut Tx<'_>,
    id: KitId,
    officer: OfficerId,
    wrapped: &[u8],
) -> Result<(), StoreError> {
    tx.change_one(NEW_KIT, &[Value::from(&id), Value::from(&officer), Value::Bytes(wrapped)])
}

pub(super) fn kit(tx: &mut Tx<'_>, id: KitId) -> Result<Option<KitRow>, StoreError> {
    tx.row(KIT, &[Value::from(&id)])?.as_ref().map(kit_row).transpose()
}

pub(super) fn kits(tx: &mut Tx<'_>) -> Result<Vec<KitRow>, StoreError> {
    tx.query(KITS, &[])?.iter().map(kit_row).collect()
}

pub(super) fn revoke_kit(tx: &mut Tx<'_>, row: &KitRow) -> Result<(), StoreError> {
    tx.change_one(REVOKE_KIT, &[Value::from(&row.id), Value::Int(row.version)])
}

fn kit_row(row: &Row) -> Result<KitRow, StoreError> {
    Ok(KitRow {
        id: row.id(0)?,
        active: row.text(1)? == "active",
        officer: row.id(2)?,
        version: row.int(3)?,
        wrapped: row.bytes(4)?.to_vec(),
    })
}

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PacketState {
    /// It came in, and is being looked at.
    Taken,
    /// The person is in the register.
    Merged,
    /// Somebody in the register looks like the person: an officer is to decide.
    Waits,
    /// The register refused it.
    Refused,
}

impl PacketState {
    fn code(self) -> &'static str {
        match self {
            PacketState::Taken => "taken",
            PacketState::Merged => "merged",
            PacketState::Waits => "waits",
            PacketState::Refused => "refused",
        }
    }
}

/// Takes place `n` of a kit for this packet, unless it is taken; tells which packet has it, and whether that one is merged.
pub(super) fn take_packet(
    tx: &mut Tx<'_>,
    kit: KitId,
    n: i64,
    index: &BlindIndex,
) -> Result<(BlindIndex, bool), StoreError> {
    let state = Value::Text(PacketState::Taken.code());
    tx.change(NEW_PACKET, &[Value::from(&kit), Value::Int(n), Value::from(index), state])?;
    let row = tx.row(PACKET, &[Value::from(&kit), Value::Int(n)])?;
    let row = row.ok_or_else(|| StoreError::Database("a packet's row is gone".to_owned()))?;
    Ok((row.array(0)?, row.text(1)? == PacketState::Merged.code()))
}

/// Whether this packet has place `n` of a kit, and is merged.
pub(super) fn is_merged(tx: &mut Tx<'_>, kit: KitId, n: i64, index: &BlindIndex) -> Result<bool, StoreError> {
    let Some(row) = tx.row(PACKET, &[Value::from(&kit), Value::Int(n)])? else { return Ok(false) };
    Ok(row.array::<16>(0)? == *index && row.text(1)? == PacketState::Merged.code())
}

pub(super) fn set_packet(tx: &mut Tx<'_>, kit: KitId, n: i64, state: PacketState) -> Result<(), StoreError> {
    tx.change_one(SET_PACKET, &[Value::from(&kit), Value::Int(n), Value::Text(state.code())])
}

/// The places of a kit's count that have come in, in order.
pub(super) fn counts(tx: &mut Tx<'_>, kit: KitId) -> Result<Vec<i64>, StoreError> {
    tx.query(COUNTS, &[Value::from(&kit)])?.iter().map(|row| row.int(0)).collect()
}
