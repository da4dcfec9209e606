//! Proofs that a leaf is in a log, and that a log only grew (RFC 9162 sections 2.1.3 and 2.1.4).
//!
//! Making one asks `node(height, index)` for the roots of complete subtrees; [`super::TileHashes`] answers that
//! from tiles. Checking one needs hashes only.

use super::LogError;
use super::hash::{Hash, node_hash};

type Nodes<'a, E> = &'a mut dyn FnMut(u32, u64) -> Result<Hash, E>;

/// The path from leaf `index` to the root of the log of `size`.
pub fn inclusion_proof<E: From<LogError>>(index: u64, size: u64, node: Nodes<'_, E>) -> Result<Vec<Hash>, E> {
    if index >= size {
        return Err(LogError::OutOfRange { index, size }.into());
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(root_of(middle, end, node)?);
            end = middle;
        } else {
            path.push(root_of(start, middle, node)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the log of `new` begins with the log of `old`, which is not empty.
pub fn consistency_proof<E: From<LogError>>(old: u64, new: u64, node: Nodes<'_, E>) -> Result<Vec<Hash>, E> {
    if old == 0 || old > new {
        return Err(LogError::OutOfRange { index: old, size: new }.into());
    }
    let mut path = Vec::new();
    // SUBPROOF of section 2.1.4.1, unrolled: go down to where the old log ends.
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(root_of(middle, end, node)?);
            end = middle;
        } else {
            path.push(root_of(start, middle, node)?);
            start = middle;
        }
    }
    if start != 0 {
        path.push(root_of(start, end, node)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether `proof` leads from the leaf at `index` to `root`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), LogError> {
    if index >= size {
        return Err(LogError::OutOfRange { index, size });
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(LogError::Proof);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(LogError::Proof) }
}

/// Whether `proof` shows that the log with `new_root` begins with the log with `old_root`.
///
/// Nothing is proved about the empty log (the section asks for `0 < m`): `old` = 0 is refused, and who has seen
/// nothing yet has nothing to compare.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), LogError> {
    if old == 0 || old > new {
        return Err(LogError::OutOfRange { index: old, size: new });
    }
    if old == new {
        return if old_root == new_root && proof.is_empty() { Ok(()) } else { Err(LogError::Proof) };
    }
    let mut steps = proof.iter();
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    // Where the old log is one complete subtree, its root is the start, and is not repeated in the proof.
    let start = if old.is_power_of_two() { *old_root } else { *steps.next().ok_or(LogError::Proof)? };
    let (mut old_hash, mut new_hash) = (start, start);
    for step in steps {
        if last == 0 {
            return Err(LogError::Proof);
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(step, &old_hash);
            new_hash = node_hash(step, &new_hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, step);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last == 0 && old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(LogError::Proof) }
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// The root over the leaves `start..end`, where `start` is aligned as the recursion of section 2.1.1 makes it.
fn root_of<E>(start: u64, end: u64, node: Nodes<'_, E>) -> Result<Hash, E> {
    let mut edge = Vec::new();
    let mut from = start;
    while from < end {
        let height = 63 - (end - from).leading_zeros();
        edge.push(node(height, from >> height)?);
        from += 1 << height;
    }
    let mut right_to_left = edge.into_iter().rev();
    let last = right_to_left.next().expect("callers split only ranges that are not empty");
    Ok(right_to_left.fold(last, |right, left| node_hash(&left, &right)))
}

/// The root over a complete subtree: `hashes` are a power of two in number, at most 256.
pub(super) fn root_of_complete(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row[0]
}
