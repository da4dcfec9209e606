//! Logs made of tiles: growing one, reading hashes out of it, and checking the whole.

use super::LogError;
use super::frontier::Frontier;
use super::hash::{Hash, leaf_hash};
use super::proof::root_of_complete;
use super::tile::{TILE_WIDTH, Tile, TileKind, decode_entry_bundle, decode_hash_tile, push_entry};
use std::collections::BTreeMap;

/// What changes when entries are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// Every tile and bundle that is new or wider than before, with its bytes. Store all of them before the
    /// checkpoint of the new size is published; writing one twice is harmless.
    pub tiles: Vec<(Tile, Vec<u8>)>,
    /// The new right edge.
    pub frontier: Frontier,
}

/// Appends `entries` to the log that ends at `frontier`. `read` is asked only for the partial tiles at the old
/// right edge: at most one for each level, and one bundle.
pub fn grow<E: From<LogError>>(
    frontier: &Frontier,
    entries: &[impl AsRef<[u8]>],
    read: &mut dyn FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Growth, E> {
    let mut grown = Growth { tiles: Vec::new(), frontier: frontier.clone() };
    if entries.is_empty() {
        return Ok(grown);
    }
    let old_size = frontier.size();
    let mut bundles = Open::resume(TileKind::Entries, old_size, read)?;
    let mut levels: Vec<Open> = Vec::new();

    for entry in entries {
        let entry = entry.as_ref();
        push_entry(&mut bundles.bytes, entry)?;
        bundles.filled(&mut grown.tiles);
        let mut failed = None;
        grown.frontier.append_each(leaf_hash(entry), |height, hash| {
            if height % 8 != 0 || failed.is_some() {
                return;
            }
            let level = (height / 8) as usize;
            if level == levels.len() {
                match Open::resume(TileKind::Hashes(level as u8), old_size, read) {
                    Ok(open) => levels.push(open),
                    Err(error) => return failed = Some(error),
                }
            }
            levels[level].bytes.extend_from_slice(hash);
            levels[level].filled(&mut grown.tiles);
        });
        if let Some(error) = failed {
            return Err(error);
        }
    }
    for open in levels.into_iter().chain([bundles]) {
        open.close(&mut grown.tiles);
    }
    Ok(grown)
}

/// The rightmost tile of a level while it fills.
struct Open {
    tile: Tile,
    bytes: Vec<u8>,
}

impl Open {
    /// Continues where a log of `size` stopped.
    fn resume<E: From<LogError>>(
        kind: TileKind,
        size: u64,
        read: &mut dyn FnMut(Tile) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let items = match kind {
            TileKind::Entries => size,
            TileKind::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        };
        let (index, width) = (items / u64::from(TILE_WIDTH), (items % u64::from(TILE_WIDTH)) as u16);
        let tile = Tile { kind, index, width };
        let mut bytes = Vec::new();
        if width > 0 {
            let stored = read(tile)?;
            match kind {
                TileKind::Entries => {
                    for entry in decode_entry_bundle(&tile, &stored)? {
                        push_entry(&mut bytes, entry)?;
                    }
                }
                TileKind::Hashes(_) => {
                    bytes.extend_from_slice(decode_hash_tile(&tile, &stored)?.as_flattened());
                }
            }
        }
        Ok(Open { tile, bytes })
    }

    /// Counts one more item, and moves on to the next tile when this one is full.
    fn filled(&mut self, done: &mut Vec<(Tile, Vec<u8>)>) {
        self.tile.width += 1;
        if self.tile.width == TILE_WIDTH {
            let room = Vec::with_capacity(self.bytes.len());
            done.push((self.tile, std::mem::replace(&mut self.bytes, room)));
            self.tile = Tile { index: self.tile.index + 1, width: 0, ..self.tile };
        }
    }

    fn close(self, done: &mut Vec<(Tile, Vec<u8>)>) {
        if self.tile.width > 0 {
            done.push((self.tile, self.bytes));
        }
    }
}

/// Reads the hashes of complete subtrees out of the tiles of a log of `size`, each tile once.
pub struct TileHashes<'a, E> {
    size: u64,
    read: &'a mut dyn FnMut(Tile) -> Result<Vec<u8>, E>,
    known: BTreeMap<Tile, Vec<u8>>,
}

impl<'a, E: From<LogError>> TileHashes<'a, E> {
    /// A reader for one log at one size.
    pub fn new(size: u64, read: &'a mut dyn FnMut(Tile) -> Result<Vec<u8>, E>) -> Self {
        TileHashes { size, read, known: BTreeMap::new() }
    }

    /// The root of the complete subtree of `2^height` leaves that starts at leaf `index * 2^height`. This is the
    /// reader that the proofs ask for: `&mut |height, index| hashes.node(height, index)`.
    pub fn node(&mut self, height: u32, index: u64) -> Result<Hash, E> {
        let outside = LogError::OutOfRange { index, size: self.size };
        let end = (u128::from(index) + 1).checked_shl(height).unwrap_or(u128::MAX);
        if height >= 64 || end > u128::from(self.size) {
            return Err(outside.into());
        }
        let first = index << (height % 8);
        let (place, offset) = (first / u64::from(TILE_WIDTH), (first % u64::from(TILE_WIDTH)) as usize);
        let tile = Tile::of(TileKind::Hashes((height / 8) as u8), place, self.size).ok_or(outside)?;
        if !self.known.contains_key(&tile) {
            let bytes = (self.read)(tile)?;
            self.known.insert(tile, bytes);
        }
        let hashes = decode_hash_tile(&tile, &self.known[&tile])?;
        let below = hashes.get(offset..offset + (1 << (height % 8))).ok_or_else(|| tile.malformed())?;
        Ok(root_of_complete(below))
    }
}

/// The right edge of a stored log of `size`, from its tiles.
pub fn read_frontier<E: From<LogError>>(
    size: u64,
    read: &mut dyn FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Frontier, E> {
    let mut hashes = TileHashes::new(size, read);
    let mut edge = Vec::new();
    for height in (0..64).rev().filter(|height| size >> height & 1 == 1) {
        edge.push(hashes.node(height, (size >> height) - 1)?);
    }
    Ok(Frontier::from_edge(size, edge)?)
}

/// Recomputes the whole tree from its level-0 tiles alone. Compare the root with the signed checkpoint.
pub fn rebuild<E: From<LogError>>(
    size: u64,
    read: &mut dyn FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Frontier, E> {
    let mut frontier = Frontier::new();
    for index in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
        let Some(tile) = Tile::of(TileKind::Hashes(0), index, size) else { break };
        let bytes = read(tile)?;
        for leaf in decode_hash_tile(&tile, &bytes)? {
            frontier.append(*leaf);
        }
    }
    Ok(frontier)
}

/// Recomputes the whole log from its entries, and compares every stored tile on the way: what an auditor runs.
/// Compare the root with the signed checkpoint.
pub fn check_log<E: From<LogError>>(
    size: u64,
    read: &mut dyn FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<Frontier, E> {
    let mut frontier = Frontier::new();
    let mut levels: Vec<(Tile, Vec<u8>)> = Vec::new();
    let width = usize::from(TILE_WIDTH);
    for index in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
        let Some(tile) = Tile::of(TileKind::Entries, index, size) else { break };
        let bundle = read(tile)?;
        let mut full = Vec::new();
        for entry in decode_entry_bundle(&tile, &bundle)? {
            frontier.append_each(leaf_hash(entry), |height, hash| {
                if height % 8 == 0 {
                    let level = (height / 8) as usize;
                    if level == levels.len() {
                        let first = Tile { kind: TileKind::Hashes(level as u8), index: 0, width: 0 };
                        levels.push((first, Vec::new()));
                    }
                    let (tile, hashes) = &mut levels[level];
                    hashes.extend_from_slice(hash);
                    if hashes.len() == 32 * width {
                        let next = Tile { index: tile.index + 1, ..*tile };
                        full.push((Tile { width: TILE_WIDTH, ..*tile }, std::mem::take(hashes)));
                        *tile = next;
                    }
                }
            });
        }
        for (tile, hashes) in full {
            compare(tile, &hashes, read)?;
        }
    }
    for (tile, hashes) in levels.into_iter().filter(|(_, hashes)| !hashes.is_empty()) {
        compare(Tile { width: (hashes.len() / 32) as u16, ..tile }, &hashes, read)?;
    }
    Ok(frontier)
}

fn compare<E: From<LogError>>(
    tile: Tile,
    computed: &[u8],
    read: &mut dyn FnMut(Tile) -> Result<Vec<u8>, E>,
) -> Result<(), E> {
    let stored = read(tile)?;
    if decode_hash_tile(&tile, &stored)?.as_flattened() != computed {
        return Err(LogError::Contradiction(tile.path()).into());
    }
    Ok(())
}
