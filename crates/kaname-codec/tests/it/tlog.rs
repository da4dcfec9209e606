//! The Merkle log: against logs and proofs that others made, and against a slow and obvious one of our own.

use kaname_codec::b64;
use kaname_codec::tlog::*;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
const TESSERA: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

fn cases(folder: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    files_below(&Path::new(VECTORS).join("merkle").join(folder), &mut found);
    let read = |path: PathBuf| {
        (path.display().to_string(), serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
    };
    found.into_iter().map(read).collect()
}

/// A hash of a vector; a wrong length is a refusal, because our hashes cannot have one. Some vectors write the text
/// "don't care 1" where any hash would do: there, and only there, it is filled up to 32 bytes.
fn hash(value: &Value) -> Option<Hash> {
    let mut bytes = b64::std_decode(value.as_str().unwrap()).unwrap();
    if bytes.starts_with(b"don't care ") {
        bytes.resize(32, 0);
    }
    bytes.try_into().ok()
}

fn proof(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

#[test]
fn inclusion_agrees_with_transparency_dev() {
    let (mut good, mut bad) = (0, 0);
    for (name, case) in cases("inclusion") {
        let verdict = (|| {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            let (index, size) = (case["leafIdx"].as_u64()?, case["treeSize"].as_u64()?);
            verify_inclusion(&leaf, index, size, &proof(&case["proof"])?, &root).ok()
        })();
        assert_eq!(verdict.is_none(), case["wantErr"].as_bool().unwrap(), "{name}");
        if verdict.is_some() { good += 1 } else { bad += 1 }
    }
    assert!(good >= 6 && bad > 80, "{good} good, {bad} bad");
}

#[test]
fn consistency_agrees_with_transparency_dev() {
    let (mut good, mut bad) = (0, 0);
    for (name, case) in cases("consistency") {
        let verdict = (|| {
            let (old, new) = (case["size1"].as_u64()?, case["size2"].as_u64()?);
            let (old_root, new_root) = (hash(&case["root1"])?, hash(&case["root2"])?);
            verify_consistency(old, new, &old_root, &new_root, &proof(&case["proof"])?).ok()
        })();
        assert_eq!(verdict.is_none(), case["wantErr"].as_bool().unwrap(), "{name}");
        if verdict.is_some() { good += 1 } else { bad += 1 }
    }
    assert!(good >= 5 && bad > 60, "{good} good, {bad} bad");
}

fn tessera(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(VECTORS).join("tessera-log/log").join(file)).unwrap()
}

/// Checks each published checkpoint of the tessera log, grows its entries one by one and all at once, and
/// compares every byte.
#[test]
fn we_grow_the_tessera_log_byte_for_byte() {
    let key = NoteVerifier::from_vkey(TESSERA).unwrap();
    let bundle = tessera("tile/entries/000.p/15");
    let whole = Tile { kind: TileKind::Entries, index: 0, width: 15 };
    let entries = decode_entry_bundle(&whole, &bundle).unwrap();

    let mut stored: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
    let mut frontier = Frontier::new();
    for size in 0..=15u64 {
        if let Some(last) = size.checked_sub(1) {
            let mut read = |tile: Tile| Ok::<_, LogError>(stored[&tile].clone());
            let grown = grow(&frontier, &entries[last as usize..size as usize], &mut read).unwrap();
            frontier = grown.frontier;
            assert_eq!(grown.tiles.len(), 2);
            for (tile, bytes) in grown.tiles {
                assert_eq!(bytes, tessera(&tile.path()), "{tile}");
                stored.insert(tile, bytes);
            }
        }
        let text = String::from_utf8(tessera(&format!("checkpoint.{size}"))).unwrap();
        let signed = Note::parse(&text).unwrap().verify(&[&key]).unwrap();
        let checkpoint = Checkpoint::parse(&signed.text).unwrap();
        assert_eq!(checkpoint, Checkpoint::new("example.com/log/testdata", size, frontier.root()));
        let mut from_disk = |tile: Tile| Ok::<_, LogError>(tessera(&tile.path()));
        assert_eq!(rebuild(size, &mut from_disk).unwrap(), frontier);
        assert_eq!(check_log(size, &mut from_disk).unwrap(), frontier);
        assert_eq!(read_frontier(size, &mut from_disk).unwrap(), frontier);
    }
    let mut never = |tile: Tile| -> Result<Vec<u8>, LogError> { panic!("nothing to read, asked {tile}") };
    let at_once = grow(&Frontier::new(), &entries, &mut never).unwrap();
    assert_eq!(at_once.frontier, frontier);
    assert_eq!(at_once.tiles.len(), 2);
}

/// The definition of RFC 9162 section 2.1.1, as slow as it is obvious.
fn obvious_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let left = many.len().next_power_of_two() / 2;
            node_hash(&obvious_root(&many[..left]), &obvious_root(&many[left..]))
        }
    }
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").repeat(1 + number as usize % 3).into_bytes()
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|number| leaf_hash(&entry(number))).collect()
}

/// A log in memory that was grown in steps of the given sizes.
fn log_of(sizes: &[u64]) -> (BTreeMap<Tile, Vec<u8>>, Frontier) {
    let mut stored: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
    let mut frontier = Frontier::new();
    for size in sizes {
        let entries: Vec<_> = (frontier.size()..*size).map(entry).collect();
        let mut read = |tile: Tile| stored.get(&tile).cloned().ok_or(LogError::Path);
        let grown = grow(&frontier, &entries, &mut read).unwrap();
        frontier = grown.frontier;
        stored.extend(grown.tiles);
    }
    (stored, frontier)
}

#[test]
fn a_large_log_has_upper_tiles_that_hold() {
    let size = 65_536 + 700;
    let (stored, frontier) = log_of(&[1, 255, 256, 257, 5_000, 65_535, 65_536, size]);
    let asked = std::cell::RefCell::new(Vec::new());
    let mut read = |tile: Tile| {
        asked.borrow_mut().push(tile.path());
        stored.get(&tile).cloned().ok_or(LogError::Path)
    };
    assert_eq!(check_log(size, &mut read).unwrap(), frontier);
    assert!(asked.borrow().iter().any(|path| path == "tile/2/000.p/1"), "the third level was reached");
    assert!(asked.borrow().iter().any(|path| path == "tile/1/000"));
    assert_eq!(frontier.root(), obvious_root(&leaves(size)));
    assert_eq!(read_frontier(size, &mut read).unwrap(), frontier);

    let mut hashes = TileHashes::new(size, &mut read);
    let path = inclusion_proof(65_000, size, &mut |height, index| hashes.node(height, index)).unwrap();
    verify_inclusion(&leaf_hash(&entry(65_000)), 65_000, size, &path, &frontier.root()).unwrap();
    let path = consistency_proof(60_001, size, &mut |height, index| hashes.node(height, index)).unwrap();
    let old_root = obvious_root(&leaves(60_001));
    verify_consistency(60_001, size, &old_root, &frontier.root(), &path).unwrap();
    assert!(hashes.node(0, size).is_err() && hashes.node(64, 0).is_err() && hashes.node(17, 0).is_err());
}

#[test]
fn any_changed_tile_is_found() {
    let size = 300;
    let (stored, frontier) = log_of(&[size]);
    let paths: Vec<String> = stored.keys().map(Tile::path).collect();
    let expected =
        ["tile/entries/000", "tile/entries/001.p/44", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"];
    assert_eq!(paths, expected);
    for (victim, bytes) in &stored {
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut read = |tile: Tile| {
                let mut bytes = stored[&tile].clone();
                if tile == *victim {
                    bytes[at] ^= 1;
                }
                Ok::<_, LogError>(bytes)
            };
            let found = check_log(size, &mut read).map(|seen| seen.root() == frontier.root());
            assert!(!matches!(found, Ok(true)), "{victim} at {at}");
            if victim.kind == TileKind::Hashes(0) {
                assert_ne!(rebuild(size, &mut read).unwrap().root(), frontier.root());
            }
        }
    }
    let mut short = |tile: Tile| Ok::<_, LogError>(stored[&tile][32..].to_vec());
    assert!(rebuild(size, &mut short).is_err());
}

#[test]
fn a_full_tile_may_stand_in_for_a_partial_one() {
    let (stored, _) = log_of(&[256]);
    let (_, at_200) = log_of(&[200]);
    let mut read = |tile: Tile| Ok::<_, LogError>(stored[&Tile { width: 256, ..tile }].clone());
    assert_eq!(check_log(200, &mut read).unwrap(), at_200);
    let grown = grow(&at_200, &(200..256).map(entry).collect::<Vec<_>>(), &mut read).unwrap();
    for (tile, bytes) in grown.tiles {
        assert_eq!(bytes, stored[&tile], "{tile}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn growing_in_steps_is_growing_at_once(steps in prop::collection::vec(1u64..400, 1..6)) {
        let sizes: Vec<u64> = steps.iter().scan(0, |sum, step| { *sum += step; Some(*sum) }).collect();
        let size = sizes[sizes.len() - 1];
        let (stored, frontier) = log_of(&sizes);
        let (at_once, same) = log_of(&[size]);
        prop_assert_eq!(&frontier, &same);
        for (tile, bytes) in &at_once {
            prop_assert_eq!(&stored[tile], bytes);
        }
        prop_assert_eq!(frontier.root(), obvious_root(&leaves(size)));
        prop_assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
    }

    #[test]
    fn proofs_hold_and_changed_ones_do_not(size in 1u64..600, at: prop::sample::Index, old: prop::sample::Index) {
        let (stored, frontier) = log_of(&[size]);
        let root = frontier.root();
        let mut read = |tile: Tile| stored.get(&tile).cloned().ok_or(LogError::Path);
        let mut hashes = TileHashes::new(size, &mut read);
        let mut node = |height, index| hashes.node(height, index);

        let index = at.index(size as usize) as u64;
        let leaf = leaf_hash(&entry(index));
        let path = inclusion_proof(index, size, &mut node).unwrap();
        verify_inclusion(&leaf, index, size, &path, &root).unwrap();
        let refused = |leaf: &Hash, index, size, path: &[Hash], root: &Hash| {
            verify_inclusion(leaf, index, size, path, root).is_err()
        };
        prop_assert!(refused(&leaf_hash(b"other"), index, size, &path, &root));
        // The root of a log of one entry is that entry's hash.
        prop_assert!(size == 1 || refused(&leaf, index, size, &path, &leaf));
        prop_assert!(size == 1 || refused(&leaf, (index + 1) % size, size, &path, &root));
        prop_assert!(refused(&leaf, size, size, &path, &root));
        for step in 0..path.len() {
            let mut flipped = path.clone();
            flipped[step][7] ^= 1;
            prop_assert!(refused(&leaf, index, size, &flipped, &root));
            let mut dropped = path.clone();
            dropped.remove(step);
            prop_assert!(refused(&leaf, index, size, &dropped, &root));
            let mut doubled = path.clone();
            doubled.insert(step, path[step]);
            prop_assert!(refused(&leaf, index, size, &doubled, &root));
        }

        let old = old.index(size as usize) as u64 + 1;
        let old_root = obvious_root(&leaves(old));
        let path = consistency_proof(old, size, &mut node).unwrap();
        verify_consistency(old, size, &old_root, &root, &path).unwrap();
        prop_assert!(verify_consistency(old, size, &leaf_hash(b"other"), &root, &path).is_err());
        prop_assert!(verify_consistency(old, size, &old_root, &leaf_hash(b"other"), &path).is_err());
        for step in 0..path.len() {
            let mut flipped = path.clone();
            flipped[step][7] ^= 1;
            prop_assert!(verify_consistency(old, size, &old_root, &root, &flipped).is_err());
            let mut dropped = path.clone();
            dropped.remove(step);
            prop_assert!(verify_consistency(old, size, &old_root, &root, &dropped).is_err());
        }
    }

    #[test]
    fn no_bytes_crash_the_readers(bytes: Vec<u8>, text: String) {
        let _ = Frontier::from_bytes(&bytes);
        let tile = Tile { kind: TileKind::Entries, index: 0, width: 3 };
        let _ = (decode_entry_bundle(&tile, &bytes), decode_hash_tile(&tile, &bytes));
        let _ = (Tile::parse(&text), Checkpoint::parse(&text), NoteVerifier::from_vkey(&text));
        let _ = Note::parse(&format!("{text}\n\n\u{2014} a AAAAAAA=\n"));
    }

    #[test]
    fn paths_round_trip(index: u64, level in 0u8..64, width in 1u16..=256) {
        for kind in [TileKind::Entries, TileKind::Hashes(level)] {
            let tile = Tile { kind, index, width };
            prop_assert_eq!(Tile::parse(&tile.path()).unwrap(), tile);
        }
    }
}

#[test]
fn paths_are_those_of_the_specification() {
    let hashes = |index, width| Tile { kind: TileKind::Hashes(0), index, width }.path();
    assert_eq!(hashes(1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(hashes(0, 256), "tile/0/000");
    assert_eq!(hashes(1000, 5), "tile/0/x001/000.p/5");
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/xx001/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/000.p/+5",
        "tile/0/000.p",
        "tile/64/000",
        "tile/00/000",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/../000",
    ] {
        assert!(Tile::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(Tile::of(TileKind::Hashes(1), 0, 255), None);
    assert_eq!(Tile::of(TileKind::Hashes(1), 0, 256).unwrap().width, 1);
    assert_eq!(Tile::of(TileKind::Hashes(0), 1, 256), None);
    assert_eq!(Tile::of(TileKind::Hashes(63), u64::MAX, u64::MAX), None);
}

#[test]
fn bundles_and_frontiers_are_strict() {
    assert!(matches!(encode_entry_bundle(&[vec![0; 65_536]]), Err(LogError::EntryTooLong(65_536))));
    let bundle = encode_entry_bundle(&[&b"ab"[..], b"", b"c"]).unwrap();
    assert_eq!(bundle, b"\0\x02ab\0\0\0\x01c");
    let tile = Tile { kind: TileKind::Entries, index: 0, width: 3 };
    assert_eq!(decode_entry_bundle(&tile, &bundle).unwrap(), [&b"ab"[..], b"", b"c"]);
    for cut in 0..bundle.len() {
        assert!(decode_entry_bundle(&tile, &bundle[..cut]).is_err(), "{cut}");
    }
    let (_, frontier) = log_of(&[11]);
    let bytes = frontier.to_bytes();
    assert_eq!(bytes.len(), 8 + 3 * 32);
    for cut in 0..bytes.len() {
        assert!(Frontier::from_bytes(&bytes[..cut]).is_err(), "{cut}");
    }
    assert!(Frontier::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    assert!(Frontier::from_bytes(&[0xff; 8 + 64 * 32]).is_err(), "a size that cannot be");
    assert_eq!(leaf_hash(&[7; 600]), {
        let mut with_prefix = vec![0];
        with_prefix.extend([7; 600]);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &with_prefix);
        <Hash>::try_from(digest.as_ref()).unwrap()
    });
    let lengths = [510, 511, 512, 513];
    let distinct: std::collections::BTreeSet<_> = lengths.iter().map(|n| leaf_hash(&vec![1; *n])).collect();
    assert_eq!(distinct.len(), lengths.len());
}

#[test]
fn the_signed_note_example_verifies() {
    // C2SP signed-note, as in the package golang.org/x/mod/sumdb/note.
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let key = NoteVerifier::from_vkey(vkey).unwrap();
    assert_eq!(key.to_vkey(), vkey);
    let signed = Note::parse(note).unwrap().verify(&[&key]).unwrap();
    assert_eq!(signed.by, ["PeterNeumann"]);
    assert!(signed.text.ends_with("your problem is.\n"));
}

#[test]
fn notes_that_lie_are_refused() {
    let log = NoteSigner::from_seed("log.example/a", &[1; 32]).unwrap();
    let witness = NoteSigner::from_seed("witness.example", &[2; 32]).unwrap();
    let mallory = NoteSigner::from_seed("log.example/a", &[3; 32]).unwrap();
    let text = Checkpoint::new("log.example/a", 7, leaf_hash(b"x")).to_text();
    let note = sign_note(&text, &[&log, &witness]).unwrap();
    let known = [log.verifier(), witness.verifier()];
    let read = |note: &str| Note::parse(note).and_then(|parsed| parsed.verify(&known));
    assert_eq!(read(&note).unwrap().by, ["log.example/a", "witness.example"]);
    assert_eq!(Note::parse(&note).unwrap().unverified_text(), text);

    let mut tried = 0;
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        // A changed name or id makes a signature a stranger's, which is ignored; the text is never changed.
        if let Ok(signed) = read(&changed) {
            assert_eq!(signed.text, text);
            assert!(signed.by.len() == 1 && at > text.len(), "{at}");
        }
        tried += 1;
    }
    assert!(tried > 200);
    let forged = sign_note(&text, &[&mallory]).unwrap();
    assert_eq!(read(&forged), Err(NoteError::Unsigned), "same name, other key");
    let larger = note.replacen("\n7\n", "\n8\n", 1);
    assert_ne!(larger, note);
    assert_eq!(read(&larger), Err(NoteError::Signature("log.example/a".into())));
    let other = sign_note("other\n", &[&log]).unwrap();
    let swapped = format!("{}\n{}", text, other.split_once("\n\n").unwrap().1);
    assert!(matches!(read(&swapped), Err(NoteError::Signature(_))));
    assert_eq!(Note::parse(&note).unwrap().verify(&[]), Err(NoteError::Unsigned));
    for bad in [
        "",
        "\n",
        &text,
        &format!("{text}\n"),
        note.trim_end(),
        &format!("{note}\n"),
        &format!("{note}x\n"),
        &note.replace('\u{2014}', "-"),
        &note.replace('\n', "\r\n"),
        &format!("\0{note}"),
        &"x\n".repeat(50_000),
    ] {
        assert_eq!(read(bad), Err(NoteError::Malformed), "{bad:?}");
    }
    assert!(sign_note("no line break", &[&log]).is_err());
    for bad in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
        assert!(NoteSigner::from_seed(bad, &[1; 32]).is_err(), "{bad:?}");
    }
    for bad in [
        TESSERA.replace("33d7b496", "33D7B496"),
        TESSERA.replace("33d7b496", "33d7b497"),
        format!("{TESSERA}="),
    ] {
        assert!(NoteVerifier::from_vkey(&bad).is_err(), "{bad}");
    }
}

#[test]
fn checkpoints_have_one_spelling() {
    let root = leaf_hash(b"x");
    let text = Checkpoint::new("o", 7, root).to_text();
    assert_eq!(Checkpoint::parse(&text).unwrap().to_text(), text);
    let extended = format!("{text}ext 1\next 2\n");
    assert_eq!(Checkpoint::parse(&extended).unwrap().extensions, ["ext 1", "ext 2"]);
    let encoded = b64::std_encode(&root);
    for bad in [
        String::new(),
        format!("o\n7\n{encoded}"),
        format!("\n7\n{encoded}\n"),
        format!("o\n07\n{encoded}\n"),
        format!("o\n+7\n{encoded}\n"),
        format!("o\n-1\n{encoded}\n"),
        format!("o\n18446744073709551616\n{encoded}\n"),
        format!("o\n7\n{}\n", encoded.trim_end_matches('=')),
        "o\n7\nAAAA\n".to_owned(),
        format!("o\n7\n{encoded}\n\nx\n"),
        "o\n7\n".to_owned(),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
}
