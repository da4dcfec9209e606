//! The right edge of a log: all that is needed to append to it and to know its root.

use super::LogError;
use super::hash::{Hash, empty_root, node_hash};

/// More leaves than anyone will append; a stored size beyond it is damage.
const MAX_SIZE: u64 = 1 << 62;

/// The roots of the largest complete subtrees, from left to right: one for each 1 bit of the size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    edge: Vec<Hash>,
}

impl Frontier {
    /// The empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// From the roots of the complete subtrees of a log of `size`, largest first.
    pub(super) fn from_edge(size: u64, edge: Vec<Hash>) -> Result<Self, LogError> {
        if size > MAX_SIZE || edge.len() != size.count_ones() as usize {
            return Err(LogError::Frontier);
        }
        Ok(Frontier { size, edge })
    }

    /// How many leaves the log has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds one leaf.
    pub fn append(&mut self, leaf: Hash) {
        self.append_each(leaf, |_, _| {});
    }

    /// Adds one leaf and reports each subtree that it completes, the leaf itself first: (height, root).
    pub(super) fn append_each(&mut self, leaf: Hash, mut completed: impl FnMut(u32, &Hash)) {
        let mut hash = leaf;
        completed(0, &hash);
        for height in 1..=self.size.trailing_ones() {
            let left = self.edge.pop().expect("there is a subtree for each 1 bit of the size");
            hash = node_hash(&left, &hash);
            completed(height, &hash);
        }
        self.edge.push(hash);
        self.size += 1;
    }

    /// The root hash of the log.
    pub fn root(&self) -> Hash {
        let mut right_to_left = self.edge.iter().rev();
        let Some(last) = right_to_left.next() else { return empty_root() };
        right_to_left.fold(*last, |right, left| node_hash(left, &right))
    }

    /// The size as 8 big-endian bytes, then the hashes from left to right.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend_from_slice(self.edge.as_flattened());
        bytes
    }

    /// The inverse of [`Frontier::to_bytes`], strictly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogError> {
        let (size, edge) = bytes.split_first_chunk().ok_or(LogError::Frontier)?;
        let (edge, rest) = edge.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(LogError::Frontier);
        }
        Self::from_edge(u64::from_be_bytes(*size), edge.to_vec())
    }
}
