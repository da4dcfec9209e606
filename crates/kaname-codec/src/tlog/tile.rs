//! Names and bytes of tiles and entry bundles (C2SP tlog-tiles, "Merkle tree" and "Log entries").

use super::LogError;
use super::hash::Hash;
use std::fmt;

/// How many hashes or entries a full tile has.
pub const TILE_WIDTH: u16 = 256;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Log entries: `tile/entries/…`.
    Entries,
    /// Hashes of this level, 0 for leaf hashes, each level standing on 256 of the one below: `tile/<L>/…`.
    Hashes(u8),
}

/// The address of a tile. `width` is 256 for a full tile, less for a partial one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Its place in its level, from 0.
    pub index: u64,
    /// How many items it has, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The tile at this place in a log of `size`, as wide as that log makes it; none if the log is too small.
    pub fn of(kind: TileKind, index: u64, size: u64) -> Option<Tile> {
        let items = match kind {
            TileKind::Entries => size,
            TileKind::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        };
        let before = index.checked_mul(u64::from(TILE_WIDTH))?;
        let width = items.checked_sub(before)?.min(u64::from(TILE_WIDTH)) as u16;
        (width > 0).then_some(Tile { kind, index, width })
    }

    /// The path below the prefix of the log: `tile/0/x001/x234/067`, partial ones with `.p/<W>` behind.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a path, accepting only the spelling that [`Tile::path`] gives.
    pub fn parse(path: &str) -> Result<Tile, LogError> {
        let mut parts: Vec<&str> = path.split('/').collect();
        let width = match parts.len().checked_sub(2).and_then(|at| parts[at].strip_suffix(".p")) {
            None => TILE_WIDTH,
            Some(last) => {
                let width = parts.pop().and_then(|width| width.parse().ok()).ok_or(LogError::Path)?;
                parts.pop();
                parts.push(last);
                width
            }
        };
        let (["tile", kind], digits) = parts.split_at_checked(2).ok_or(LogError::Path)? else {
            return Err(LogError::Path);
        };
        let kind = match *kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().map_err(|_| LogError::Path)?),
        };
        let mut index: u64 = 0;
        for group in digits {
            let group: u16 = group.trim_start_matches('x').parse().map_err(|_| LogError::Path)?;
            index =
                index.checked_mul(1000).and_then(|i| i.checked_add(group.into())).ok_or(LogError::Path)?;
        }
        let tile = Tile { kind, index, width };
        let canonical = (1..=TILE_WIDTH).contains(&width)
            && !matches!(kind, TileKind::Hashes(level) if level > 63)
            && tile.path() == path;
        if canonical { Ok(tile) } else { Err(LogError::Path) }
    }

    pub(super) fn malformed(&self) -> LogError {
        LogError::Tile(self.path())
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => out.write_str("tile/entries")?,
            TileKind::Hashes(level) => write!(out, "tile/{level}")?,
        }
        let mut unit = 1;
        while self.index / unit >= 1000 {
            unit *= 1000;
        }
        while unit > 1 {
            write!(out, "/x{:03}", self.index / unit % 1000)?;
            unit /= 1000;
        }
        write!(out, "/{:03}", self.index % 1000)?;
        if self.width < TILE_WIDTH {
            write!(out, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// The bytes of a hash tile: the hashes, one behind the other.
pub fn encode_hash_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.as_flattened().to_vec()
}

/// The first `tile.width` hashes of a tile. More bytes are allowed, because a log may drop a partial tile once
/// the full one is there; fewer are not.
pub fn decode_hash_tile<'a>(tile: &Tile, bytes: &'a [u8]) -> Result<&'a [Hash], LogError> {
    match bytes.as_chunks::<32>() {
        (hashes, []) if hashes.len() <= usize::from(TILE_WIDTH) => {
            hashes.get(..usize::from(tile.width)).ok_or_else(|| tile.malformed())
        }
        _ => Err(tile.malformed()),
    }
}

/// The bytes of an entry bundle: each entry behind its length as two big-endian bytes.
pub fn encode_entry_bundle(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, LogError> {
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| 2 + entry.as_ref().len()).sum());
    for entry in entries {
        push_entry(&mut bytes, entry.as_ref())?;
    }
    Ok(bytes)
}

pub(super) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), LogError> {
    let length = u16::try_from(entry.len()).map_err(|_| LogError::EntryTooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The first `tile.width` entries of a bundle; as with hash tiles, more are allowed and fewer are not.
pub fn decode_entry_bundle<'a>(tile: &Tile, mut bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, LogError> {
    let mut entries = Vec::with_capacity(tile.width.into());
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk().ok_or_else(|| tile.malformed())?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or_else(|| tile.malformed())?;
        entries.push(entry);
        bytes = rest;
    }
    if entries.len() > usize::from(TILE_WIDTH) || entries.len() < usize::from(tile.width) {
        return Err(tile.malformed());
    }
    entries.truncate(tile.width.into());
    Ok(entries)
}
