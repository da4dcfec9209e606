//! A transparency log as bytes: Merkle hashes and proofs (RFC 6962 section 2.1, RFC 9162 section 2.1), tiles
//! (C2SP tlog-tiles), checkpoints (C2SP tlog-checkpoint) and the notes that carry them (C2SP signed-note).
//!
//! Nothing here reads or writes: tiles are asked from, and returned to, the caller.

mod checkpoint;
mod frontier;
mod hash;
mod note;
mod proof;
mod tile;
mod tree;

pub use checkpoint::Checkpoint;
pub use frontier::Frontier;
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use note::{MAX_NOTE_BYTES, Note, NoteError, NoteSigner, NoteVerifier, Signed, sign_note};
pub use proof::{consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
pub use tile::{
    TILE_WIDTH, Tile, TileKind, decode_entry_bundle, decode_hash_tile, encode_entry_bundle, encode_hash_tile,
};
pub use tree::{Growth, TileHashes, check_log, grow, read_frontier, rebuild};

/// Why log bytes or a proof are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A stored frontier whose length does not fit its size.
    #[error("frontier bytes do not fit their size")]
    Frontier,
    /// A tile or bundle that is not well-formed, or holds fewer items than its name says.
    #[error("{0} is malformed or too short")]
    Tile(String),
    /// A path that is not the canonical name of a tile.
    #[error("not a tile path")]
    Path,
    /// An entry longer than the two length bytes of a bundle can say.
    #[error("entry of {0} bytes, the most is 65535")]
    EntryTooLong(usize),
    /// A leaf or size outside the log.
    #[error("position {index} is outside a log of {size}")]
    OutOfRange {
        /// The leaf or old size asked for.
        index: u64,
        /// The size of the log.
        size: u64,
    },
    /// The proof does not lead to the root.
    #[error("proof does not lead to the root")]
    Proof,
    /// A stored tile contradicts the leaves below it.
    #[error("{0} contradicts the leaves below it")]
    Contradiction(String),
    /// The text of a note is not a checkpoint.
    #[error("not a checkpoint")]
    Checkpoint,
}
