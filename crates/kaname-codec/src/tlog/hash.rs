//! Leaf and node hashes (RFC 9162 section 2.1.1): SHA-256, with one byte in front so that no leaf is a node.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A SHA-256 value of the tree.
pub type Hash = [u8; 32];

/// `SHA-256(00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    // One call over one buffer is about twice as fast as a streaming context, and most entries are short.
    let mut buffer = [0; 512];
    let short = buffer.get_mut(1..=entry.len()).map(|room| room.copy_from_slice(entry)).is_some();
    let hashed = if short {
        digest(&SHA256, &buffer[..=entry.len()])
    } else {
        let mut context = Context::new(&SHA256);
        context.update(&[0]);
        context.update(entry);
        context.finish()
    };
    hashed.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// `SHA-256(01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut buffer = [1; 65];
    buffer[1..33].copy_from_slice(left);
    buffer[33..].copy_from_slice(right);
    digest(&SHA256, &buffer).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// The root of the empty log: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    digest(&SHA256, &[]).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}
