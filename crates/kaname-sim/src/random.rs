//! Repeatable randomness. Never for secrets.

/// xoshiro256++ 1.0 by David Blackman and Sebastiano Vigna (public domain, prng.di.unimi.it).
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream number `stream` of `seed`: streams are independent, so that each can be drawn alone.
    pub fn new(seed: u64, stream: u64) -> Random {
        let start = mixed(seed) ^ stream.wrapping_mul(GOLDEN);
        Random { state: [1, 2, 3, 4].map(|i: u64| mixed(start.wrapping_add(i.wrapping_mul(GOLDEN)))) }
    }

    /// 64 bits.
    #[expect(clippy::should_implement_trait, reason = "a stream without end needs no Option")]
    pub fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number in `0..bound`, by multiplication (D. Lemire, 2019); the bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `first` to `last`, both included.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// True this many times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// The place of one of the weights whose running sums are `sums`, in proportion to its weight.
    pub fn weighted(&mut self, sums: &[u64]) -> usize {
        let total = sums.last().copied().expect("weights are checked when a fixture is read");
        let drawn = self.below(total);
        sums.partition_point(|sum| *sum <= drawn)
    }
}

/// A permutation of `0..DOMAIN` that depends on a seed: a Feistel network of four rounds over 34 bits; values outside the
/// domain walk on until they are inside (J. Black and P. Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
#[derive(Clone, Debug)]
pub struct Shuffle {
    keys: [u64; 4],
}

impl Shuffle {
    /// How many values are permuted: ten decimal digits.
    pub const DOMAIN: u64 = 10_000_000_000;

    const HALF: u32 = 17;

    /// The permutation of `seed`.
    pub fn new(seed: u64) -> Shuffle {
        Shuffle {
            keys: [11, 12, 13, 14].map(|i: u64| mixed(mixed(seed).wrapping_add(i.wrapping_mul(GOLDEN)))),
        }
    }

    /// Where `index`, below [`Shuffle::DOMAIN`], goes.
    pub fn of(&self, index: u64) -> u64 {
        let mask = (1 << Self::HALF) - 1;
        let mut value = index;
        loop {
            let (mut left, mut right) = (value >> Self::HALF, value & mask);
            for key in self.keys {
                (left, right) = (right, left ^ (mixed(key ^ right) & mask));
            }
            value = left << Self::HALF | right;
            if value < Self::DOMAIN {
                return value;
            }
        }
    }
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finaliser (Sebastiano Vigna, public domain).
fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
