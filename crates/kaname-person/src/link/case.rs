//! What an officer is to decide: a record, and the residents who come into question for it.

use kaname_base::Instant;
use kaname_trust::keys::BlindIndex;
use kaname_trust::{Actor, PersonId, TrustError};
use serde::{Deserialize, Serialize};

use super::table::EntryRow;
use super::{Desk, Doubt, Evidence, review};
use crate::{Particulars, PersonError};

/// What an officer is to decide. Wrapped in the directory, because it is about somebody whom nobody knows yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) source: String,
    pub(crate) record: Particulars,
    pub(crate) doubt: Doubt,
    pub(crate) candidates: Vec<Shown>,
    pub(crate) by: Actor,
    pub(crate) at: Instant,
    pub(crate) proposal: Option<review::Proposal>,
}

/// A resident whom an officer compares with the record.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Shown {
    #[serde(with = "crate::serial::person")]
    pub(crate) person: PersonId,
    pub(crate) evidence: Evidence,
}

/// The most candidates that a case shows.
pub(super) const MOST_SHOWN: usize = 8;

/// What wraps a case.
const CASE: &[u8] = b"person.link-case";

pub(crate) fn wrap_case(desk: &Desk, outside: &BlindIndex, case: &Case) -> Vec<u8> {
    let bytes = serde_json::to_vec(case).expect("a case is plain data");
    desk.keys.wrap(&[CASE, outside].concat(), &bytes)
}

pub(crate) fn open_case(desk: &Desk, entry: &EntryRow) -> Result<Case, PersonError> {
    read_case(desk, &entry.outside, &entry.opened)
}

pub(crate) fn read_case(desk: &Desk, outside: &BlindIndex, wrapped: &[u8]) -> Result<Case, PersonError> {
    let bytes = desk.keys.unwrap(&[CASE, outside].concat(), wrapped)?;
    serde_json::from_slice(&bytes).map_err(|_| TrustError::Unreadable("person.link-case").into())
}
