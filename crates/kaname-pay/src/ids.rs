//! The identifiers of this block, and those that are derived instead of minted.

use kaname_base::{Currency, Instant};
use kaname_trust::{Keys, PersonId};

kaname_base::id_types! {
    /// An account of the ledger.
    AccountId(AccountKind) = "acc";
    /// A transfer. The caller chooses it: the same id moves money once.
    TransferId(TransferKind) = "trf";
    /// A payout run.
    RunId(RunKind) = "run";
    /// A person as this block's tables know her.
    PayeeId(PayeeKind) = "pye";
}

/// The name of the block for pseudonyms.
pub(crate) const BLOCK: &str = "pay";

/// This block's name for a person.
pub fn payee(keys: &Keys, person: PersonId) -> PayeeId {
    PayeeId::from_bytes(keys.pseudonym(BLOCK, person))
}

pub(crate) fn person(keys: &Keys, payee: PayeeId) -> PersonId {
    keys.person_of(BLOCK, *payee.bytes())
}

/// An account that the program itself keeps, such as a treasury: the same name always gives the same id.
/// `scope` tells accounts of one name apart, such as those of each run.
pub fn system_account(name: &str, currency: Currency, scope: &[u8]) -> AccountId {
    let parts: [&[u8]; 4] = [b"kaname pay account", name.as_bytes(), currency.code().as_bytes(), scope];
    AccountId::from_bytes(first_16(&digest(&parts)))
}

/// A transfer's id derived from what it is for, so that a retry has the same one. It sorts by `at`, and within by `order`
/// (4 bytes), so that a batch in order is appended to the table and not scattered over it.
pub(crate) fn derived_transfer(keys: &Keys, at: Instant, order: &[u8], parts: &[&[u8]]) -> TransferId {
    let millis = (at.micros().max(0) / 1_000).to_be_bytes();
    let tag = keys.blind_index("pay.transfer", &joined(parts));
    let mut id = [0; 16];
    id[..6].copy_from_slice(&millis[2..]);
    id[6..10].copy_from_slice(&order[..4]);
    id[10..].copy_from_slice(&tag[..6]);
    TransferId::from_bytes(id)
}

/// SHA-256 over the parts, each with its length before it, so that no two lists of parts read alike.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &joined(parts));
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub(crate) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

fn first_16(hash: &[u8; 32]) -> [u8; 16] {
    hash[..16].try_into().expect("32 bytes have 16")
}
