//! Signed notes: a text and the Ed25519 signatures below it (C2SP signed-note).

use crate::b64;
use crate::verified::Verified;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use std::fmt;

/// Longest note that is read.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// Most signature lines that are read; a log has one key and a few witnesses.
const MAX_SIGNATURES: usize = 100;
/// The signature type of a plain Ed25519 signature over the text.
const ED25519_TYPE: u8 = 0x01;
/// In front of every signature line: em dash, space.
const DASH: &str = "\u{2014} ";

/// Why a note or a note key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text is too long, does not end a line, or holds control characters.
    #[error("malformed note")]
    Malformed,
    /// Not `name+id+key`, or the id is not that of the key.
    #[error("malformed note key")]
    Key,
    /// Empty, or with a space or a plus sign.
    #[error("malformed key name")]
    Name,
    /// A signature claims to be by a known key and is not.
    #[error("signature by {0:?} does not verify")]
    Signature(String),
    /// No signature is by a known key.
    #[error("no signature by a known key")]
    Unsigned,
}

/// A private note key.
pub struct NoteSigner {
    pair: Ed25519KeyPair,
    verifier: NoteVerifier,
}

impl NoteSigner {
    /// The key that `seed` stands for (RFC 8032 section 5.1.5), under this name. The seed is the secret.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Key)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| NoteError::Key)?;
        Ok(NoteSigner { verifier: NoteVerifier::new(name, public)?, pair })
    }

    /// The public half.
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "NoteSigner({})", self.verifier.to_vkey())
    }
}

/// A public note key.
#[derive(Clone)]
pub struct NoteVerifier {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
    parsed: ParsedPublicKey,
}

impl NoteVerifier {
    /// A raw Ed25519 public key, under this name.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        let parsed = ParsedPublicKey::new(&ED25519, public).map_err(|_| NoteError::Key)?;
        Ok(NoteVerifier { name: name.to_owned(), id: key_id(name, &public), public, parsed })
    }

    /// Reads `name+id+key`: the id as 8 hex digits, the key as base64 of type and key.
    pub fn from_vkey(vkey: &str) -> Result<Self, NoteError> {
        let (name, rest) = vkey.split_once('+').ok_or(NoteError::Key)?;
        let (_, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        let typed = b64::std_decode(key).map_err(|_| NoteError::Key)?;
        let Some((&ED25519_TYPE, public)) = typed.split_first() else { return Err(NoteError::Key) };
        let verifier = Self::new(name, public.try_into().map_err(|_| NoteError::Key)?)?;
        if verifier.to_vkey() == vkey { Ok(verifier) } else { Err(NoteError::Key) }
    }

    /// The key as `name+id+key`, to publish.
    pub fn to_vkey(&self) -> String {
        let mut typed = [ED25519_TYPE; 33];
        typed[1..].copy_from_slice(&self.public);
        format!("{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), b64::std_encode(&typed))
    }

    /// The name of the key; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the hash of name and key.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }
}

impl fmt::Debug for NoteVerifier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "NoteVerifier({})", self.to_vkey())
    }
}

/// Signs `text`, which must end with a line break, with each of `signers`.
pub fn sign_note(text: &str, signers: &[&NoteSigner]) -> Result<String, NoteError> {
    check_text(text)?;
    let mut note = format!("{text}\n");
    for signer in signers {
        let mut signature = signer.verifier.id.to_vec();
        signature.extend_from_slice(signer.pair.sign(text.as_bytes()).as_ref());
        note.push_str(&format!("{DASH}{} {}\n", signer.verifier.name, b64::std_encode(&signature)));
    }
    Ok(note)
}

/// A note that has the right form. Nothing in it is true yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<(&'a str, [u8; 4], Vec<u8>)>,
}

/// A text, and who of those we know signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signed text, with its last line break.
    pub text: String,
    /// The names of the known keys that signed, each once.
    pub by: Vec<String>,
}

impl<'a> Note<'a> {
    /// Splits a note at its last empty line into text and signatures.
    pub fn parse(note: &'a str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Malformed);
        }
        let (text, _) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let (text, signatures) = (&note[..=text.len()], &note[text.len() + 2..]);
        check_text(text)?;
        let lines = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let signatures = lines.split('\n').map(parse_signature).collect::<Option<Vec<_>>>();
        let signatures = signatures.filter(|all| all.len() <= MAX_SIGNATURES).ok_or(NoteError::Malformed)?;
        Ok(Note { text, signatures })
    }

    /// The text, before any signature is checked: for finding the key of the log and nothing else.
    pub fn unverified_text(&self) -> &'a str {
        self.text
    }

    /// The text, if at least one of `known` signed it. Signatures by others are ignored; one that names a known
    /// key and does not verify refuses the note.
    pub fn verify(&self, known: &[&NoteVerifier]) -> Result<Verified<Signed>, NoteError> {
        let mut by: Vec<String> = Vec::new();
        for (name, id, signature) in &self.signatures {
            let Some(key) = known.iter().find(|key| key.name == *name && key.id == *id) else { continue };
            key.parsed
                .verify_sig(self.text.as_bytes(), signature)
                .map_err(|_| NoteError::Signature((*name).to_owned()))?;
            if !by.iter().any(|known| known == name) {
                by.push((*name).to_owned());
            }
        }
        if by.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(Verified::new(Signed { text: self.text.to_owned(), by }))
    }
}

fn parse_signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    check_name(name).ok()?;
    let bytes = b64::std_decode(signature).ok()?;
    let (id, signature) = bytes.split_first_chunk()?;
    (!signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

fn check_text(text: &str) -> Result<(), NoteError> {
    let bad = |c: char| c < ' ' && c != '\n' || c == '\u{7f}';
    if text.len() > MAX_NOTE_BYTES || !text.ends_with('\n') || text.contains(bad) {
        return Err(NoteError::Malformed);
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(bad) { Err(NoteError::Name) } else { Ok(()) }
}

/// `SHA-256(name || 0A || type || key)`, its first four bytes.
fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let mut input = name.as_bytes().to_vec();
    input.extend_from_slice(&[b'\n', ED25519_TYPE]);
    input.extend_from_slice(public);
    let hashed = digest(&SHA256, &input);
    *hashed.as_ref().first_chunk().expect("SHA-256 gives 32 bytes")
}
