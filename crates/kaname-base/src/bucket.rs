//! Buckets: the unit of distribution. Every table's key starts with one, and a unit of work stays in one.

use std::fmt;

/// One bucket of a deployment, `0..count`. All rows of a person, in every block, lie in the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u16);

/// How many buckets a deployment has: a power of two from 1 to 4096, chosen once, at `init`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buckets(u16);

/// The least number of people who should share a bucket, so that the bucket itself points at nobody.
pub const PEOPLE_PER_BUCKET: u64 = 1_000;

/// The most buckets a deployment may have: the low 12 bits of an id hold one.
pub const MOST_BUCKETS: u16 = 4096;

impl Buckets {
    /// A deployment with `count` buckets; `None` unless it is a power of two from 1 to 4096.
    pub fn new(count: u16) -> Option<Buckets> {
        (count.is_power_of_two() && count <= MOST_BUCKETS).then_some(Buckets(count))
    }

    /// The most buckets that still leave at least [`PEOPLE_PER_BUCKET`] people in each.
    pub fn for_population(people: u64) -> Buckets {
        let most = (people / PEOPLE_PER_BUCKET).clamp(1, u64::from(MOST_BUCKETS));
        let power = u64::BITS - 1 - most.leading_zeros();
        Buckets(1 << power)
    }

    /// How many there are.
    pub fn count(self) -> u16 {
        self.0
    }

    /// Bucket number `index`, if the deployment has it.
    pub fn get(self, index: u16) -> Option<Bucket> {
        (index < self.0).then_some(Bucket(index))
    }

    /// The bucket that a uniformly distributed value (a keyed hash, a random id) falls into.
    pub fn of_hash(self, hash: &[u8]) -> Bucket {
        let (first, second) = (hash.first().copied().unwrap_or(0), hash.get(1).copied().unwrap_or(0));
        Bucket(u16::from_be_bytes([first, second]) & (self.0 - 1))
    }

    /// All of them, in order.
    pub fn all(self) -> impl Iterator<Item = Bucket> {
        (0..self.0).map(Bucket)
    }

    /// The bucket of what belongs to the whole deployment and to no person (officers, runs, the log's head).
    pub fn home(self) -> Bucket {
        Bucket(0)
    }
}

impl Bucket {
    /// Its number, `0..4096`.
    pub fn index(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bucket {}", self.0)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_people_share_each_bucket() {
        for (people, count) in
            [(0, 1), (999, 1), (2_000, 2), (10_000, 8), (1_000_000, 512), (320_000_000, 4096)]
        {
            assert_eq!(Buckets::for_population(people).count(), count, "{people} people");
        }
    }

    #[test]
    fn only_powers_of_two_up_to_4096() {
        for bad in [0, 3, 12, 8192] {
            assert!(Buckets::new(bad).is_none(), "{bad}");
        }
        assert_eq!(Buckets::new(4096).map(Buckets::count), Some(4096));
    }
}
