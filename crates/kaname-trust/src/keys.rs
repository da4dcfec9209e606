//! The master key, and what is derived from it.
//!
//! One file with 32 random bytes, readable by its owner only, is the root of everything: the key that wraps data keys, the keys of the
//! blind indexes, and the ciphers that give each block its own name for a person. HKDF (RFC 5869) separates them by label.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::{hkdf, hmac, rand};
use zeroize::{Zeroize, Zeroizing};

use crate::{PersonId, TrustError};

/// The keys of a deployment. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    root: hkdf::Prk,
    /// Wraps people's data keys, and nothing that [`Keys::unwrap`] would hand out: that would open seals without a receipt.
    data_keys: LessSafeKey,
    secrets: LessSafeKey,
    handouts: hmac::Key,
    indexes: RwLock<HashMap<&'static str, Arc<hmac::Key>>>,
    pseudonyms: RwLock<HashMap<&'static str, Arc<IdCipher>>>,
}

/// A 16-byte keyed hash of a value: what stands in a table instead of a number, a phone or an account.
pub type BlindIndex = [u8; 16];

const MASTER_FILE: &str = "master.key";

impl Keys {
    /// Makes the folder with a new master key in it.
    ///
    /// # Errors
    /// [`TrustError::Keys`] when there is one already, or the folder cannot be written.
    pub fn create(folder: &Path) -> Result<Keys, TrustError> {
        let master = Zeroizing::new(random::<32>());
        let path = folder.join(MASTER_FILE);
        write_secret(&path, &*master)
            .map_err(|error| TrustError::Keys(format!("cannot write {}: {error}", path.display())))?;
        Ok(Keys::from_master(folder, &master))
    }

    /// Reads the master key from the folder.
    ///
    /// # Errors
    /// [`TrustError::Keys`] when it is missing, of another length, or readable by other users.
    pub fn load(folder: &Path) -> Result<Keys, TrustError> {
        let bytes = Zeroizing::new(read_secret(&folder.join(MASTER_FILE))?);
        let master: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| {
            TrustError::Keys(format!("{} is not a key of 32 bytes", folder.join(MASTER_FILE).display()))
        })?;
        Ok(Keys::from_master(folder, master))
    }

    fn from_master(folder: &Path, master: &[u8; 32]) -> Keys {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"kaname").extract(master);
        let (data_keys, secrets) = (expand(&root, "data keys"), expand(&root, "secrets"));
        let handouts = hmac::Key::new(hmac::HMAC_SHA256, &*expand(&root, "handouts"));
        Keys {
            inner: Arc::new(Inner {
                folder: folder.to_owned(),
                root,
                data_keys: aead_key(&data_keys),
                secrets: aead_key(&secrets),
                handouts,
                indexes: RwLock::default(),
                pseudonyms: RwLock::default(),
            }),
        }
    }

    /// 32 secret bytes for `label`, always the same in this deployment. No label gives a key that this block uses itself.
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        expand(&self.inner.root, &format!("derived {label}"))
    }

    /// What stands for `value` in the index `label`, such as `person.number`. Without the key it tells nothing, and two
    /// indexes share nothing.
    pub fn blind_index(&self, label: &'static str, value: &[u8]) -> BlindIndex {
        let tag = hmac::sign(&self.index_key(label), value);
        tag.as_ref()[..16].try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    /// The name by which `block` knows a person. One to one, and only this deployment's key turns it back.
    pub fn pseudonym(&self, block: &'static str, person: PersonId) -> [u8; 16] {
        self.id_cipher(block).seal(*person.bytes())
    }

    /// The person behind a block's name for her.
    pub fn person_of(&self, block: &'static str, pseudonym: [u8; 16]) -> PersonId {
        PersonId::from_bytes(self.id_cipher(block).open(pseudonym))
    }

    /// Wraps a small secret for keeping; `context` says what it is, and must be the same to unwrap it.
    pub fn wrap(&self, context: &[u8], secret: &[u8]) -> Vec<u8> {
        seal_bytes(&self.inner.secrets, context, secret)
    }

    /// Unwraps what [`Keys::wrap`] made.
    ///
    /// # Errors
    /// [`TrustError::BrokenSeal`] when it was changed or the context differs.
    pub fn unwrap(&self, context: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, TrustError> {
        open_bytes(&self.inner.secrets, context, wrapped).map(Zeroizing::new)
    }

    pub(crate) fn handouts(&self) -> &hmac::Key {
        &self.inner.handouts
    }

    pub(crate) fn wrap_data_key(&self, holder: &[u8; 16], secret: &[u8; 32]) -> Vec<u8> {
        seal_bytes(&self.inner.data_keys, holder, secret)
    }

    pub(crate) fn unwrap_data_key(
        &self,
        holder: &[u8; 16],
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, TrustError> {
        let secret = Zeroizing::new(open_bytes(&self.inner.data_keys, holder, wrapped)?);
        secret.as_slice().try_into().map(Zeroizing::new).map_err(|_| TrustError::BrokenSeal)
    }

    /// The secret kept in the file `name` of the key folder, made with `make` the first time.
    ///
    /// # Errors
    /// [`TrustError::Keys`] when the file cannot be read, written, or is readable by other users.
    pub fn file_secret(
        &self,
        name: &str,
        make: impl FnOnce() -> Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, TrustError> {
        let path = self.inner.folder.join(name);
        if !path.exists() {
            match write_secret(&path, &Zeroizing::new(make())) {
                // Another process was first: its secret counts.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                written => written
                    .map_err(|error| TrustError::Keys(format!("cannot write {}: {error}", path.display())))?,
            }
        }
        read_secret(&path).map(Zeroizing::new)
    }

    fn index_key(&self, label: &'static str) -> Arc<hmac::Key> {
        cached(&self.inner.indexes, label, || {
            let key = expand(&self.inner.root, &format!("blind index {label}"));
            hmac::Key::new(hmac::HMAC_SHA256, &*key)
        })
    }

    fn id_cipher(&self, block: &'static str) -> Arc<IdCipher> {
        cached(&self.inner.pseudonyms, block, || {
            IdCipher::new(&expand(&self.inner.root, &format!("pseudonym {block}")))
        })
    }
}

/// AES-256 on one block: a keyed permutation of 16-byte ids.
struct IdCipher {
    forward: EncryptingKey,
    back: DecryptingKey,
}

impl IdCipher {
    fn new(key: &[u8; 32]) -> IdCipher {
        let unbound = || UnboundCipherKey::new(&AES_256, key).expect("AES-256 takes 32 bytes");
        let forward = EncryptingKey::ecb(unbound()).expect("ECB takes every AES key");
        let back = DecryptingKey::ecb(unbound()).expect("ECB takes every AES key");
        IdCipher { forward, back }
    }

    fn seal(&self, mut block: [u8; 16]) -> [u8; 16] {
        self.forward.encrypt(&mut block).expect("one whole block");
        block
    }

    fn open(&self, mut block: [u8; 16]) -> [u8; 16] {
        self.back.decrypt(&mut block, DecryptionContext::None).expect("one whole block");
        block
    }
}

/// `N` bytes from the operating system's generator: keys, nonces, one-time codes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

pub(crate) fn aead_key(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("AES-256-GCM takes 32 bytes"))
}

/// AES-256-GCM with a random nonce in front: 12 + length + 16 bytes.
pub(crate) fn seal_bytes(key: &LessSafeKey, context: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce = random::<NONCE_LEN>();
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(context), &mut sealed[NONCE_LEN..])
        .expect("a record is far shorter than GCM's limit");
    sealed.extend_from_slice(tag.as_ref());
    sealed
}

pub(crate) fn open_bytes(key: &LessSafeKey, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, TrustError> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(TrustError::BrokenSeal)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| TrustError::BrokenSeal)?;
    let mut body = body.to_vec();
    let plain =
        key.open_in_place(nonce, Aad::from(context), &mut body).map_err(|_| TrustError::BrokenSeal)?;
    let length = plain.len();
    body[length..].zeroize();
    body.truncate(length);
    Ok(body)
}

fn expand(root: &hkdf::Prk, label: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(&[label.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *key))
        .expect("HKDF-SHA256 gives 32 bytes for every label");
    key
}

fn cached<T>(
    cache: &RwLock<HashMap<&'static str, Arc<T>>>,
    label: &'static str,
    make: impl FnOnce() -> T,
) -> Arc<T> {
    if let Some(found) = cache.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(label) {
        return Arc::clone(found);
    }
    let mut cache = cache.write().unwrap_or_else(|poisoned| poisoned.into_inner());
    Arc::clone(cache.entry(label).or_insert_with(|| Arc::new(make())))
}

/// Writes a new file that only its owner can read. It is there whole and durable, or not at all: a key that was used and
/// then lost with the power would take with it whatever it had sealed.
fn write_secret(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let beside = path.with_extension(format!("new-{:016x}", u64::from_be_bytes(random())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let written = file
        .write_all(secret)
        .and_then(|()| file.sync_all())
        // A link, unlike a rename, never replaces a key that is there.
        .and_then(|()| std::fs::hard_link(&beside, path));
    std::fs::remove_file(&beside)?;
    written?;
    File::open(folder)?.sync_all()
}

fn read_secret(path: &Path) -> Result<Vec<u8>, TrustError> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let failed = |error: std::io::Error| TrustError::Keys(format!("cannot read {shown}: {error}"));
    let mut file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(TrustError::Keys(format!(
            "{shown} can be read by other users; mend it with: chmod 600 {shown}"
        )));
    }
    let mut secret = Vec::new();
    file.read_to_end(&mut secret).map_err(failed)?;
    Ok(secret)
}
