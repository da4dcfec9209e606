//! The Merkle log over the access entries: C2SP tlog-tiles and a signed checkpoint, as files that any web server can publish.
//!
//! The order of writes, and what holds if the program stops in between:
//!
//! 1. An entry is appended in the unit of work that reads the data (`access.rs`). It has its place in its bucket for good.
//! 2. [`Log::publish`] gives the new places of every bucket their indexes, by comparing and setting the head in the home bucket.
//!    From here the order is fixed: whoever goes on from a stop, or at the same time, makes the same tiles.
//! 3. Tiles are written and flushed. Only then is the checkpoint signed and renamed into its place. After a stop the files are
//!    behind the head, and the next run makes up the rest from the database.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use kaname_codec::tlog::{
    Checkpoint, Frontier, Hash, LogError, MAX_NOTE_BYTES, Note, NoteSigner, NoteVerifier, Tile, TileHashes,
    TileKind, check_log, consistency_proof, decode_entry_bundle, grow, read_frontier, sign_note,
    verify_consistency,
};
use kaname_store::{Bucket, Store};

use crate::keys::random;
use crate::table::{self, Range};
use crate::{Keys, TrustError};

/// How many entries are turned into tiles at a time.
const STEP: u64 = 65_536;

/// The published log of a deployment, and the key that signs it.
pub struct Log {
    store: Store,
    folder: PathBuf,
    signer: NoteSigner,
}

/// The state of the log after it was published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// How many entries it has.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
    /// How many of them are new.
    pub added: u64,
}

impl Log {
    /// Opens the log in `folder`; `origin` names it in every checkpoint (C2SP tlog-checkpoint), such as `kaname.example/log`.
    ///
    /// # Errors
    /// [`TrustError::Keys`] when the signing key cannot be read; [`TrustError::Log`] when the folder cannot be made.
    pub fn open(store: Store, keys: &Keys, folder: &Path, origin: &str) -> Result<Log, TrustError> {
        let seed = keys.file_secret("log.key", || random::<32>().to_vec())?;
        let seed: &[u8; 32] =
            seed.as_slice().try_into().map_err(|_| TrustError::Keys("log.key is not 32 bytes".to_owned()))?;
        let signer =
            NoteSigner::from_seed(origin, seed).map_err(|error| TrustError::Log(error.to_string()))?;
        std::fs::create_dir_all(folder).map_err(|error| file_error(folder, &error))?;
        let log = Log { store, folder: folder.to_owned(), signer };
        let _lock = log.lock()?;
        let vkey = log.folder.join("vkey");
        if !vkey.exists() {
            write_durably(&vkey, log.vkey().as_bytes())?;
        }
        Ok(log)
    }

    /// One writer of the folder at a time, on this machine; the lock goes with the file.
    fn lock(&self) -> Result<File, TrustError> {
        let path = self.folder.join("lock");
        let lock = File::create(&path).map_err(|error| file_error(&path, &error))?;
        lock.lock().map_err(|error| file_error(&path, &error))?;
        Ok(lock)
    }

    /// The public key that checkpoints verify with, as a C2SP note verifier key.
    pub fn vkey(&self) -> String {
        self.signer.verifier().to_vkey()
    }

    /// Brings every committed entry into the log, and signs a checkpoint over all of them.
    ///
    /// # Errors
    /// [`TrustError::Log`] when the files and the database do not agree, or cannot be written.
    pub fn publish(&self) -> Result<Published, TrustError> {
        let _lock = self.lock()?;
        let target = self.give_indexes()?;
        let mut frontier = self.published_frontier()?;
        let before = frontier.size();
        if before > target {
            return Err(TrustError::Log(format!(
                "the published log has {before} entries and the database only {target}: entries were lost or the database is an old copy"
            )));
        }
        self.check_last_published(before)?;
        if before == target && self.folder.join("checkpoint").exists() {
            return Ok(Published { size: target, root: frontier.root(), added: 0 });
        }
        loop {
            let leaves = self.leaves(frontier.size(), target.min(frontier.size() + STEP))?;
            frontier = self.write_tiles(&frontier, &leaves)?;
            self.write_checkpoint(&frontier)?;
            if frontier.size() == target {
                return Ok(Published { size: target, root: frontier.root(), added: target - before });
            }
        }
    }

    /// Gives the new places of each bucket their indexes; returns the size that the log has now.
    fn give_indexes(&self) -> Result<u64, TrustError> {
        let home = self.store.buckets().home();
        let mut waiting = Vec::new();
        for bucket in self.store.buckets().all() {
            waiting.push((
                bucket,
                self.store.read(bucket, |tx| table::entry_count(tx).map_err(TrustError::from))?,
            ));
        }
        self.store.write(home, move |tx| {
            let (size, cursors) = (table::log_size(tx)?, table::log_cursors(tx)?);
            let mut next = size;
            let mut ranges = Vec::new();
            for (bucket, places) in &waiting {
                let from = cursors.get(&i64::from(bucket.index())).copied().unwrap_or(0);
                if *places > from {
                    let of_bucket = i64::from(bucket.index());
                    ranges.push(Range { first_index: next, of_bucket, from_place: from, to_place: *places });
                    next += places - from;
                }
            }

            if next > size {
                table::append_ranges(tx, &ranges)?;
                table::set_log_size(tx, size, next)?;
            }
            Ok(next as u64)
        })
    }

    /// The right edge of what is published, or of nothing.
    fn published_frontier(&self) -> Result<Frontier, TrustError> {
        let path = self.folder.join("checkpoint");
        if !path.exists() {
            return Ok(Frontier::new());
        }
        let (checkpoint, _) = verify_checkpoint(&read_text(&path)?, &[self.signer.verifier()])?;
        let frontier = read_frontier(checkpoint.size, &mut |tile| read_tile(&self.folder, tile))?;
        match frontier.root() == checkpoint.root {
            true => Ok(frontier),
            false => Err(TrustError::Log(
                "the published tiles do not give the root of the published checkpoint".to_owned(),
            )),
        }
    }

    /// The newest bundle must be what the database has there. An older copy of the database that went on by itself has given
    /// the same indexes to other entries; found here, before more is signed on top of it.
    fn check_last_published(&self, size: u64) -> Result<(), TrustError> {
        let Some(last) = size.checked_sub(1).and_then(|last| Tile::of(TileKind::Entries, last / 256, size))
        else {
            return Ok(());
        };
        let bytes = read_tile(&self.folder, last)?;
        let published = decode_entry_bundle(&last, &bytes)?;
        match self.leaves(last.index * 256, size)? == published {
            true => Ok(()),
            false => Err(TrustError::Log(format!(
                "the database has other entries than the log published up to index {size}: it is an old copy, or was changed"
            ))),
        }
    }

    /// The commitments at indexes `from..to`, from the database.
    fn leaves(&self, from: u64, to: u64) -> Result<Vec<Hash>, TrustError> {
        let ranges = ranges_between(&self.store, from, to)?;
        let mut leaves = Vec::with_capacity((to - from) as usize);
        for range in ranges {
            leaves.extend(range_leaves(&self.store, &range)?);
        }
        match leaves.len() as u64 == to - from {
            true => Ok(leaves),
            false => Err(TrustError::Log(format!(
                "entries between index {from} and {to} are missing from the database"
            ))),
        }
    }

    /// Writes what grew. When this returns, all of it survives a loss of power, names included: the checkpoint may follow.
    fn write_tiles(&self, frontier: &Frontier, leaves: &[Hash]) -> Result<Frontier, TrustError> {
        let grown = grow(frontier, leaves, &mut |tile| read_tile(&self.folder, tile))?;
        let mut folders = BTreeSet::new();
        for (tile, bytes) in &grown.tiles {
            let path = self.folder.join(tile.path());
            write_whole(&path, bytes)?;
            let above = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.folder));
            folders.extend(above.map(Path::to_owned));
        }
        for folder in &folders {
            flush_folder(folder)?;
        }
        Ok(grown.frontier)
    }

    fn write_checkpoint(&self, frontier: &Frontier) -> Result<(), TrustError> {
        let checkpoint = Checkpoint::new(self.signer.verifier().name(), frontier.size(), frontier.root());
        let note = sign_note(&checkpoint.to_text(), &[&self.signer])
            .map_err(|error| TrustError::Log(error.to_string()))?;
        write_durably(&self.folder.join("checkpoint"), note.as_bytes())
    }
}

/// What an outside check of a published log found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// The log's name.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
    /// The size of the earlier checkpoint that this one continues, if one was given.
    pub continues: Option<u64>,
    /// The very checkpoint that was checked, to be kept: read again, the file might hold another one.
    pub note: String,
}

/// Checks a published log from outside: the checkpoint's signature by `vkey`, every tile against the entries, the root against the
/// checkpoint, and that it continues `earlier`, a checkpoint seen before. Needs neither the database nor a secret.
///
/// # Errors
/// [`TrustError::Log`] says what was changed, dropped, reordered or forked.
pub fn verify_published(folder: &Path, vkey: &str, earlier: Option<&str>) -> Result<Verified, TrustError> {
    let verifier =
        NoteVerifier::from_vkey(vkey.trim()).map_err(|error| TrustError::Log(error.to_string()))?;
    let note = read_text(&folder.join("checkpoint"))?;
    let (checkpoint, _) = verify_checkpoint(&note, &[&verifier])?;
    let mut read = |tile: Tile| read_tile(folder, tile);
    let rebuilt = check_log::<TrustError>(checkpoint.size, &mut read)?;
    if rebuilt.root() != checkpoint.root {
        return Err(TrustError::Log(
            "the entries do not give the root that the checkpoint signs: an entry was changed, dropped or reordered"
                .to_owned(),
        ));
    }
    let continues = match earlier {
        None => None,
        Some(note) => {
            let (old, _) = verify_checkpoint(note, &[&verifier])?;
            check_continues(&old, &checkpoint, &mut read)?;
            Some(old.size)
        }
    };
    let Checkpoint { origin, size, root, .. } = checkpoint;
    Ok(Verified { origin, size, root, continues, note })
}

fn check_continues(
    old: &Checkpoint,
    new: &Checkpoint,
    read: &mut dyn FnMut(Tile) -> Result<Vec<u8>, TrustError>,
) -> Result<(), TrustError> {
    if old.size > new.size {
        let (old, new) = (old.size, new.size);
        return Err(TrustError::Log(format!(
            "the log shrank: it had {old} entries when last seen, and has {new}"
        )));
    }
    if old.size == 0 {
        return Ok(());
    }
    let mut hashes = TileHashes::new(new.size, read);
    let proof = consistency_proof(old.size, new.size, &mut |height, index| hashes.node(height, index))?;
    verify_consistency(old.size, new.size, &old.root, &new.root, &proof).map_err(|_| {
        TrustError::Log("the log was forked: it does not continue the checkpoint seen before".to_owned())
    })
}

/// Compares the database with the published log: each entry has the place and the commitment that were published, belongs to
/// somebody, and each person's entries count from 1 without a gap. Returns how many entries were compared.
///
/// # Errors
/// [`TrustError::Log`] names the first difference.
pub fn check_database(store: &Store, folder: &Path, vkey: &str) -> Result<u64, TrustError> {
    let size = verify_published(folder, vkey, None)?.size;
    for from in (0..size).step_by(STEP as usize) {
        check_window(store, folder, from, size.min(from + STEP), size)?;
    }
    for bucket in store.buckets().all() {
        let (gaps, of_nobody) =
            store.read(bucket, |tx| Ok::<_, TrustError>((table::gaps(tx)?, table::of_nobody(tx)?)))?;
        if gaps > 0 {
            return Err(TrustError::Log(format!(
                "{bucket:?}: {gaps} person(s) whose entries do not count from 1 without a gap"
            )));
        }
        if of_nobody > 0 {
            return Err(TrustError::Log(format!(
                "{bucket:?}: {of_nobody} entries of nobody who is registered"
            )));
        }
    }
    Ok(size)
}

fn check_window(store: &Store, folder: &Path, from: u64, to: u64, size: u64) -> Result<(), TrustError> {
    let mut index = from;
    let mut bundle: (Option<Tile>, Vec<Hash>) = (None, Vec::new());
    for range in ranges_between(store, from, to)? {
        if range.first_index as u64 != index {
            return Err(TrustError::Log(format!(
                "nothing in the database stands at index {index} of the log"
            )));
        }
        for leaf in range_leaves(store, &range)? {
            let tile = Tile::of(TileKind::Entries, index / 256, size)
                .ok_or_else(|| TrustError::Log(format!("index {index} lies outside the log")))?;
            if bundle.0 != Some(tile) {
                let bytes = read_tile(folder, tile)?;
                let entries = decode_entry_bundle(&tile, &bytes)?;
                bundle =
                    (Some(tile), entries.iter().filter_map(|entry| Hash::try_from(*entry).ok()).collect());
            }
            if bundle.1.get((index % 256) as usize) != Some(&leaf) {
                return Err(TrustError::Log(format!(
                    "the entry at place {} of bucket {} is not the one published at index {index}",
                    range.from_place + (index as i64 - range.first_index),
                    range.of_bucket
                )));
            }
            index += 1;
        }
    }
    match index == to {
        true => Ok(()),
        false => Err(TrustError::Log(format!(
            "the log has entries up to index {to}, the database only up to {index}"
        ))),
    }
}

fn ranges_between(store: &Store, from: u64, to: u64) -> Result<Vec<Range>, TrustError> {
    let (from, to) = (from as i64, to as i64);
    let home = store.buckets().home();
    let ranges = store.read(home, move |tx| table::ranges(tx, from, to).map_err(TrustError::from))?;
    let clipped = ranges.into_iter().filter_map(|range| {
        let end = range.first_index.saturating_add(range.to_place.saturating_sub(range.from_place));
        let (first, last) = (range.first_index.max(from), end.min(to));
        (first < last).then(|| Range {
            first_index: first,
            from_place: range.from_place + (first - range.first_index),
            to_place: range.from_place + (last - range.first_index),
            ..range
        })
    });
    Ok(clipped.collect())
}

fn range_leaves(store: &Store, range: &Range) -> Result<Vec<Hash>, TrustError> {
    let Range { from_place, to_place, of_bucket, .. } = *range;
    let bucket: Option<Bucket> = u16::try_from(of_bucket).ok().and_then(|index| store.buckets().get(index));
    let bucket = bucket
        .ok_or_else(|| TrustError::Log(format!("the log names bucket {of_bucket}, which does not exist")))?;
    store.read(bucket, move |tx| table::leaves(tx, from_place, to_place).map_err(TrustError::from))
}

fn verify_checkpoint(note: &str, known: &[&NoteVerifier]) -> Result<(Checkpoint, Vec<String>), TrustError> {
    let log_error = |error: String| TrustError::Log(format!("the checkpoint is not to be trusted: {error}"));
    let signed = Note::parse(note)
        .and_then(|note| note.verify(known))
        .map_err(|e| log_error(e.to_string()))?
        .into_inner();
    let checkpoint = Checkpoint::parse(&signed.text).map_err(|e| log_error(e.to_string()))?;
    match known.iter().any(|key| key.name() == checkpoint.origin) {
        true => Ok((checkpoint, signed.by)),
        false => Err(log_error(format!("it is of another log, {}", checkpoint.origin))),
    }
}

fn read_tile(folder: &Path, tile: Tile) -> Result<Vec<u8>, TrustError> {
    read_bounded(&folder.join(tile.path()), LONGEST_TILE)
}

fn read_text(path: &Path) -> Result<String, TrustError> {
    String::from_utf8(read_bounded(path, MAX_NOTE_BYTES)?)
        .map_err(|_| TrustError::Log(format!("{}: not UTF-8", path.display())))
}

/// A full bundle of the longest entries that the format has; a tile of hashes is shorter.
const LONGEST_TILE: usize = 256 * (2 + 65_535);

/// Reads a file that somebody else may have made: never more of it than a good one has.
fn read_bounded(path: &Path, most: usize) -> Result<Vec<u8>, TrustError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| file_error(path, &error))?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| file_error(path, &error))?;
    match bytes.len() <= most {
        true => Ok(bytes),
        false => Err(TrustError::Log(format!("{}: longer than {most} bytes", path.display()))),
    }
}

/// [`write_whole`], and durable by its name too when this returns.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), TrustError> {
    write_whole(path, bytes)?;
    path.parent().map_or(Ok(()), flush_folder)
}

/// Writes a file beside its place, flushes it, and renames it: readers see the old one or the new one, whole.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), TrustError> {
    let failed = |error: std::io::Error| file_error(path, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let beside = path.with_extension("new");
    let mut file = File::create(&beside).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_data()).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}

/// Makes the names in a folder survive a loss of power.
fn flush_folder(folder: &Path) -> Result<(), TrustError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| file_error(folder, &error))
}

fn file_error(path: &Path, error: &std::io::Error) -> TrustError {
    TrustError::Log(format!("{}: {error}", path.display()))
}

impl From<LogError> for TrustError {
    fn from(error: LogError) -> TrustError {
        TrustError::Log(error.to_string())
    }
}

/// Where each bucket's entries have got to, for [`Log::publish`].
pub(crate) type Cursors = BTreeMap<i64, i64>;
