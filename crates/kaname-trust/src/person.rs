//! How the program names a person while it works. No table holds this id but the person block's.

use kaname_base::{Bucket, Buckets};

kaname_base::id_types! {
    /// A person, citizen or foreign resident. Its low 12 bits are the bucket in which all her rows lie.
    PersonId(Person) = "res";
}

/// The id that a keyed hash gives: the same input always gives the same person, in the same bucket.
pub fn from_hash(hash: &[u8; 16], buckets: Buckets) -> PersonId {
    let mut bytes = *hash;
    let [low, high] = buckets.of_hash(hash).index().to_be_bytes();
    bytes[14] = (bytes[14] & 0xF0) | low;
    bytes[15] = high;
    PersonId::from_bytes(bytes)
}

/// The bucket of a person's rows.
///
/// # Panics
/// When the id was made by a deployment with more buckets; ids are only minted, or decrypted from pseudonyms, here.
pub fn bucket_of(person: PersonId, buckets: Buckets) -> Bucket {
    person.bucket(buckets).expect("a person's id was made by this deployment")
}
