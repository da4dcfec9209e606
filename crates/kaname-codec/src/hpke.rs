//! Hybrid public key encryption (RFC 9180), base mode, one message for one key: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! AES-256-GCM. Whoever holds the public key can write; only the holder of the private one can read. It does not say who wrote.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::encoding::{AsBigEndian, Curve25519SeedBin};
use aws_lc_rs::hmac;

/// How many bytes a public key has, a private one, and what stands before a ciphertext.
pub const KEY_BYTES: usize = 32;

/// The message cannot be opened: it is for another key, about something else, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message for this key, or changed on the way")]
pub struct Broken;

/// A private key that opens.
pub struct OpeningKey {
    key: PrivateKey,
    public: [u8; KEY_BYTES],
}

/// Which AEAD; the identifiers of RFC 9180 section 7.3.
#[derive(Clone, Copy)]
struct Suite {
    aead_id: u16,
    aead: &'static Algorithm,
}

/// What we write.
const OURS: Suite = Suite { aead_id: 0x0002, aead: &AES_256_GCM };
/// Another, of which the standard has test vectors.
#[cfg_attr(not(test), expect(dead_code, reason = "the standard's vectors are for it"))]
const WITH_AES_128: Suite = Suite { aead_id: 0x0001, aead: &AES_128_GCM };

const KEM_ID: u16 = 0x0020;
const KDF_ID: u16 = 0x0001;

impl OpeningKey {
    /// A new key.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn generate() -> OpeningKey {
        let key = PrivateKey::generate(&X25519).expect("making a key needs randomness only");
        OpeningKey::of(key).expect("a key that was just made has a public half")
    }

    /// From the 32 bytes of [`OpeningKey::secret`].
    ///
    /// # Errors
    /// [`Broken`] for anything else.
    pub fn from_secret(secret: &[u8]) -> Result<OpeningKey, Broken> {
        OpeningKey::of(PrivateKey::from_private_key(&X25519, secret).map_err(|_| Broken)?)
    }

    fn of(key: PrivateKey) -> Result<OpeningKey, Broken> {
        let public = key.compute_public_key().map_err(|_| Broken)?;
        let public = public.as_ref().try_into().map_err(|_| Broken)?;
        Ok(OpeningKey { key, public })
    }

    /// The private half, for sealing away. The caller wipes it.
    pub fn secret(&self) -> Vec<u8> {
        let bin: Curve25519SeedBin<'static> = self.key.as_be_bytes().expect("an X25519 key has 32 bytes");
        bin.as_ref().to_vec()
    }

    /// The public half.
    pub fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    /// Opens what [`seal`] made for this key, with the same `info` and `about`.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn open(&self, info: &[u8], about: &[u8], message: &[u8]) -> Result<Vec<u8>, Broken> {
        self.open_with(OURS, info, about, message)
    }

    fn open_with(&self, suite: Suite, info: &[u8], about: &[u8], message: &[u8]) -> Result<Vec<u8>, Broken> {
        let (enc, sealed) = message.split_first_chunk::<KEY_BYTES>().ok_or(Broken)?;
        let shared = shared_secret(&self.key, enc, enc, &self.public)?;
        let (key, nonce) = suite.schedule(&shared, info)?;
        let mut body = sealed.to_vec();
        let plain = key.open_in_place(nonce, Aad::from(about), &mut body).map_err(|_| Broken)?;
        Ok(plain.to_vec())
    }
}

/// Seals `plain` for the holder of this public key. `info` says what it is for, `about` what it belongs to; both are bound in.
///
/// # Errors
/// [`Broken`] when the bytes are no public key that can be used.
pub fn seal(public: &[u8; KEY_BYTES], info: &[u8], about: &[u8], plain: &[u8]) -> Result<Vec<u8>, Broken> {
    let once = OpeningKey::generate();
    let shared = shared_secret(&once.key, public, &once.public, public)?;
    let (key, nonce) = OURS.schedule(&shared, info)?;
    let mut message = once.public.to_vec();
    let mut body = plain.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(about), &mut body).map_err(|_| Broken)?;
    message.extend_from_slice(&body);
    Ok(message)
}

/// `ExtractAndExpand` of the key that both sides can compute (RFC 9180 section 4.1).
fn shared_secret(
    own: &PrivateKey,
    other: &[u8; KEY_BYTES],
    enc: &[u8; KEY_BYTES],
    receiver: &[u8; KEY_BYTES],
) -> Result<[u8; 32], Broken> {
    let suite = [&b"KEM"[..], &KEM_ID.to_be_bytes()].concat();
    agree(own, UnparsedPublicKey::new(&X25519, other), Broken, |dh| {
        let prk = extract(&suite, &[], b"eae_prk", dh);
        Ok(expand(&suite, &prk, b"shared_secret", &[&enc[..], receiver].concat(), 32))
    })
}

impl Suite {
    /// The key and the first nonce of base mode (RFC 9180 section 5.1).
    fn schedule(self, shared: &[u8; 32], info: &[u8]) -> Result<(LessSafeKey, Nonce), Broken> {
        let ids = [KEM_ID, KDF_ID, self.aead_id].map(u16::to_be_bytes).concat();
        let suite = [&b"HPKE"[..], &ids].concat();
        let psk_id_hash = extract(&suite, &[], b"psk_id_hash", &[]);
        let info_hash = extract(&suite, &[], b"info_hash", info);
        let context = [&[0][..], &psk_id_hash, &info_hash].concat();
        let secret = extract(&suite, shared, b"secret", &[]);
        let length = self.aead.key_len();
        let key = expand(&suite, &secret, b"key", &context, length as u16);
        let nonce = expand(&suite, &secret, b"base_nonce", &context, 12);
        let key = UnboundKey::new(self.aead, &key[..length]).map_err(|_| Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).map_err(|_| Broken)?;
        Ok((LessSafeKey::new(key), nonce))
    }
}

/// `LabeledExtract` (RFC 9180 section 4): HKDF-Extract is HMAC.
fn extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> [u8; 32] {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, salt));
    for part in [b"HPKE-v1", suite, label, ikm] {
        mac.update(part);
    }
    tag(mac)
}

/// `LabeledExpand` for at most 32 bytes: the first block of HKDF-Expand, of which the caller takes what it asked for.
fn expand(suite: &[u8], prk: &[u8; 32], label: &[u8], info: &[u8], length: u16) -> [u8; 32] {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, prk));
    for part in [&length.to_be_bytes()[..], b"HPKE-v1", suite, label, info, &[1]] {
        mac.update(part);
    }
    tag(mac)
}

fn tag(mac: hmac::Context) -> [u8; 32] {
    mac.sign().as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().collect();
        let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    /// RFC 9180, appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0.
    #[test]
    fn the_standards_vector_opens() {
        let receiver = hex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8");
        let key = OpeningKey::from_secret(&receiver).unwrap();
        let public = hex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d");
        assert_eq!(key.public().as_slice(), public);
        assert_eq!(key.secret(), receiver);
        let enc = hex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        let sealed =
            hex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a");
        let message = [enc, sealed].concat();
        let info = hex("4f6465206f6e2061204772656369616e2055726e");
        let plain = key.open_with(WITH_AES_128, &info, b"Count-0", &message).unwrap();
        assert_eq!(plain, b"Beauty is truth, truth beauty");
        assert_eq!(key.open(&info, b"Count-0", &message), Err(Broken), "another suite");
    }

    #[test]
    fn only_the_key_it_is_for_opens_it_unchanged() {
        let (key, other) = (OpeningKey::generate(), OpeningKey::generate());
        let message = seal(key.public(), b"info", b"about", b"plain").unwrap();
        assert_eq!(key.open(b"info", b"about", &message).unwrap(), b"plain");
        assert_eq!(
            OpeningKey::from_secret(&key.secret()).unwrap().open(b"info", b"about", &message).unwrap(),
            b"plain"
        );
        assert_eq!(other.open(b"info", b"about", &message), Err(Broken));
        assert_eq!(key.open(b"inf", b"about", &message), Err(Broken));
        assert_eq!(key.open(b"info", b"abou", &message), Err(Broken));
        for at in 0..message.len() {
            let mut changed = message.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(b"info", b"about", &changed), Err(Broken), "byte {at}");
            assert_eq!(key.open(b"info", b"about", &message[..at]), Err(Broken), "{at} bytes");
        }
        assert_ne!(seal(key.public(), b"info", b"about", b"plain").unwrap(), message, "a new key each time");
        // A point of small order gives a secret that everybody knows.
        assert_eq!(seal(&[0; 32], b"", b"", b""), Err(Broken));
        assert!(OpeningKey::from_secret(&[1; 31]).is_err());
    }
}
