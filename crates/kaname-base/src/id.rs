//! Identifiers: 16 bytes with a type. What is shown carries a prefix, so that a payment's id is never taken for a person's.
//!
//! Layout of a minted id: 48 bits of milliseconds, 64 random bits, 4 zero bits, 12 bits of bucket. Ids derived with a key
//! (`kaname-trust`) are 16 bytes without structure; their bucket travels beside them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::{Bucket, Buckets, Instant};

/// What an id is the id of.
pub trait Kind {
    /// Three or four letters shown before the hexadecimal digits, such as `res`.
    const PREFIX: &'static str;
}

/// A 16-byte identifier of a `K`.
pub struct Id<K> {
    bytes: [u8; 16],
    kind: PhantomData<fn() -> K>,
}

/// Why a text is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form {prefix}_ and 32 hexadecimal digits")]
pub struct IdError {
    prefix: &'static str,
}

impl<K: Kind> Id<K> {
    /// From stored bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Id<K> {
        Id { bytes, kind: PhantomData }
    }

    /// From a stored blob; `None` unless it is 16 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Id<K>> {
        Some(Id::from_bytes(bytes.try_into().ok()?))
    }

    /// The bytes, as stored.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// A new id at `now`; `random` are 64 bits of the caller's randomness.
    pub(crate) fn mint(now: Instant, random: u64, bucket: Bucket) -> Id<K> {
        let millis = (now.micros().max(0) as u128 / 1_000) & 0xFFFF_FFFF_FFFF;
        let value = (millis << 80) | (u128::from(random) << 16) | u128::from(bucket.index());
        Id::from_bytes(value.to_be_bytes())
    }

    /// The low 12 bits: the bucket of a minted id.
    pub fn bucket_bits(&self) -> u16 {
        u16::from_be_bytes([self.bytes[14], self.bytes[15]]) & 0x0FFF
    }

    /// The bucket of a minted id, if the deployment has it.
    pub fn bucket(&self, buckets: Buckets) -> Option<Bucket> {
        buckets.get(self.bucket_bits())
    }

    /// Parses `prefix_` and 32 hexadecimal digits.
    ///
    /// # Errors
    /// [`IdError`] for anything else, an id of another kind included.
    pub fn parse(text: &str) -> Result<Id<K>, IdError> {
        let refused = || IdError { prefix: K::PREFIX };
        let digits =
            text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or_else(refused)?;
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Err(refused());
        }
        let value = u128::from_str_radix(digits, 16).map_err(|_| refused())?;
        Ok(Id::from_bytes(value.to_be_bytes()))
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{:032x}", K::PREFIX, u128::from_be_bytes(self.bytes))
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Id<K> {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Id<K>) -> bool {
        self.bytes == other.bytes
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Id<K>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Id<K>) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// Declares id types: `id_types! { /// A resident. ResidentId = "res"; }`.
#[macro_export]
macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident ($kind:ident) = $prefix:literal;)+) => {$(
        #[doc = concat!("Marks an id shown as `", $prefix, "_…`.")]
        #[derive(Debug)]
        pub enum $kind {}
        impl $crate::id::Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $name = $crate::id::Id<$kind>;
    )+};
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro declares ids for a crate to publish")]
mod tests {
    use super::*;

    id_types! {
        /// A thing.
        ThingId(Thing) = "thg";
    }

    #[test]
    fn an_id_is_read_as_it_is_shown() {
        let id = ThingId::mint(
            Instant::from_seconds(1_800_000_000),
            u64::MAX,
            Buckets::new(4096).unwrap().get(4095).unwrap(),
        );
        assert_eq!(ThingId::parse(&id.to_string()), Ok(id));
        for bad in [
            "",
            "thg_",
            "res_00000000000000000000000000000000",
            "thg_0000000000000000000000000000000G",
            "thg_+0000000000000000000000000000000",
        ] {
            assert!(ThingId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_sort_by_time() {
        let bucket = Buckets::new(4096).unwrap().get(4095).unwrap();
        let early = ThingId::mint(Instant::from_micros(1_000), u64::MAX, bucket);
        let late = ThingId::mint(Instant::from_micros(2_000), 0, bucket);
        assert!(early < late);
    }
}
