//! Handouts: what a deployment gives away sealed, and takes back later, instead of keeping it.
//!
//! Each is sealed with AES-256-GCM under a key of its own, which comes from 24 random bytes in front. One key with random nonces
//! may seal some 2^32 times (NIST SP 800-38D section 8.3), which a country's sign-ins use up within months.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::Keys;
use crate::keys::{aead_key, random};

const SALT: usize = 24;

impl Keys {
    /// Seals `plain`; `purpose` says what for, and must be the same to open it. 40 bytes longer than what goes in.
    ///
    /// Opening proves that this deployment has made it, for this purpose. That it is in time, in the right hands and not used
    /// before is for whoever takes it back to check.
    pub fn hand_out(&self, purpose: &[u8], plain: &[u8]) -> Vec<u8> {
        let salt = random::<SALT>();
        let mut sealed = Vec::with_capacity(SALT + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(plain);
        let tag = self
            .handout_key(&salt)
            .seal_in_place_separate_tag(only_nonce(), Aad::from(purpose), &mut sealed[SALT..])
            .expect("a handout is far shorter than GCM's limit");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// What [`Keys::hand_out`] sealed for this purpose; `None` for anything else.
    pub fn take_back(&self, purpose: &[u8], handout: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (salt, sealed) = handout.split_at_checked(SALT)?;
        let mut body = Zeroizing::new(sealed.to_vec());
        let key = self.handout_key(salt);
        let length = key.open_in_place(only_nonce(), Aad::from(purpose), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    fn handout_key(&self, salt: &[u8]) -> LessSafeKey {
        let key = hmac::sign(self.handouts(), salt);
        aead_key(key.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes"))
    }
}

/// A key that seals once needs no other.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}
