//! The name by which an agency knows a person.

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey};
use kaname_base::Buckets;
use kaname_codec::b64;
use kaname_trust::{Keys, PersonId};

use super::Agency;

/// What `agency` knows `person` by: 22 characters of base64url, the same each time, another in each sector.
///
/// AES-256 of the person's id under a key of the sector: one to one, so that no table is needed to turn it back, and only this
/// deployment can turn it back, or compare two of them.
pub fn of_person(keys: &Keys, agency: &Agency, person: PersonId) -> String {
    let mut block = *person.bytes();
    let key = EncryptingKey::ecb(cipher(keys, agency)).expect("ECB takes every AES key");
    key.encrypt(&mut block).expect("one whole block");
    b64::url_encode(&block)
}

/// Whom such a name stands for. What was made up, or belongs to another sector, leads to an id that nobody has.
pub fn person_of(keys: &Keys, buckets: Buckets, agency: &Agency, name: &str) -> Option<PersonId> {
    let mut block: [u8; 16] = b64::url_decode_array(name).ok()?;
    let key = DecryptingKey::ecb(cipher(keys, agency)).expect("ECB takes every AES key");
    key.decrypt(&mut block, DecryptionContext::None).expect("one whole block");
    let person = PersonId::from_bytes(block);
    // An id of another deployment's size has no bucket here.
    person.bucket(buckets).map(|_| person)
}

fn cipher(keys: &Keys, agency: &Agency) -> UnboundCipherKey {
    let key = keys.derive(&format!("agency names {}", agency.sector));
    UnboundCipherKey::new(&AES_256, &*key).expect("AES-256 takes 32 bytes")
}
