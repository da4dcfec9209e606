//! What a unit of work may know of the outside: the time, and a seed for what must look random.

use std::cell::Cell;

use crate::id::{Id, Kind};
use crate::{Bucket, Instant};

/// Time and randomness of one unit of work. Made once, outside; a retry sees the same one and so mints the same ids.
///
/// The seed makes *identifiers*. Secrets (keys, codes, nonces of seals) come from the operating system, in `kaname-trust`.
#[derive(Clone, Debug)]
pub struct Env {
    /// When the unit of work takes place.
    pub now: Instant,
    seed: [u8; 32],
    minted: Cell<u64>,
}

impl Env {
    /// An environment at `now` with 32 bytes of randomness.
    pub fn new(now: Instant, seed: [u8; 32]) -> Env {
        Env { now, seed, minted: Cell::new(0) }
    }

    /// The same time and seed, counting from the start: what a retry of the unit of work is given.
    pub fn again(&self) -> Env {
        Env::new(self.now, self.seed)
    }

    /// A new id that sorts by time and names `bucket`. Two calls give two ids; a retry gives the same two.
    pub fn id<K: Kind>(&self, bucket: Bucket) -> Id<K> {
        let count = self.minted.get();
        self.minted.set(count + 1);
        Id::mint(self.now, mix(&self.seed, count), bucket)
    }
}

/// 64 well-mixed bits from the seed and a counter (SplitMix64's finaliser over both halves): enough for ids, not for secrets.
fn mix(seed: &[u8; 32], count: u64) -> u64 {
    seed.chunks_exact(8).fold(count.wrapping_mul(0x9E37_79B9_7F4A_7C15), |state, chunk| {
        let word = u64::from_le_bytes(chunk.try_into().expect("chunks_exact gives 8 bytes"));
        let mut z = (state ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Buckets;

    struct Thing;
    impl Kind for Thing {
        const PREFIX: &'static str = "thg";
    }

    #[test]
    fn a_retry_mints_the_same_ids() {
        let env = Env::new(Instant::from_seconds(1_800_000_000), [7; 32]);
        let bucket = Buckets::new(16).unwrap().get(11).unwrap();
        let first: [Id<Thing>; 2] = [env.id(bucket), env.id(bucket)];
        let again = env.again();
        assert_eq!(first, [again.id(bucket), again.id(bucket)]);
        assert_ne!(first[0], first[1]);
        assert_eq!(first[0].bucket_bits(), 11);
    }
}
