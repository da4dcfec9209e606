//! Many records at once: the same person twice in one list, or one person in two.

use super::block::candidates;
use super::group::groups;
use super::level::Pattern;
use super::model::{Evidence, Model, probability};
use super::records::Records;

/// Two records that may be one person.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pair {
    /// The place of the one, the smaller.
    pub a: u32,
    /// The place of the other.
    pub b: u32,
    /// The base-2 logarithm of the odds that they are one person.
    pub weight: f32,
}

impl Pair {
    /// The probability that they are one person, from 0 to 1.
    pub fn probability(&self) -> f32 {
        probability(self.weight)
    }
}

/// What was found in a list.
pub struct Found {
    /// Pairs that may be one person, the likeliest first.
    pub pairs: Vec<Pair>,
    /// How many pairs were compared.
    pub compared: usize,
    /// The model that was estimated.
    pub model: Model,
}

/// Pairs below this weight are not kept: a thousand to one against.
const LEAST: f32 = -10.0;

/// Finds who stands twice in a list. Frequencies and weights are estimated from the list itself.
pub fn dedupe(records: &mut Records) -> Found {
    find(records, None)
}

/// Finds who of the records before `split` is who of the others.
pub fn link(records: &mut Records, split: usize) -> Found {
    find(records, Some(split))
}

fn find(records: &mut Records, split: Option<usize>) -> Found {
    records.count();
    let candidates = candidates(records, split);
    let patterns: Vec<Pattern> =
        candidates.iter().map(|(a, b)| records.pattern(*a as usize, *b as usize)).collect();
    let model = Model::estimate_from(records, &patterns);
    let mut pairs: Vec<Pair> = candidates
        .iter()
        .zip(&patterns)
        .map(|((a, b), pattern)| Pair { a: *a, b: *b, weight: model.weight(*pattern) })
        .filter(|pair| pair.weight > LEAST)
        .collect();
    pairs.sort_unstable_by(|x, y| y.weight.total_cmp(&x.weight).then((x.a, x.b).cmp(&(y.a, y.b))));
    Found { pairs, compared: candidates.len(), model }
}

impl Found {
    /// The evidence for a pair of `records`, field by field.
    pub fn explain(&self, records: &Records, pair: &Pair) -> Evidence {
        self.model.explain(records.pattern(pair.a as usize, pair.b as usize))
    }

    /// The people of whom there is more than one record, each as the places of her records, by the first `take` pairs.
    pub fn people(&self, records: &Records, take: usize) -> Vec<Vec<u32>> {
        groups(records, &self.model, &self.pairs[..take])
    }

    /// How many of the first pairs to take for the best balance of what is wrong and what is missed (F1), by the model's own
    /// probabilities.
    pub fn balanced(&self) -> usize {
        let all: f64 = self.pairs.iter().map(|pair| f64::from(pair.probability())).sum();
        let (mut right, mut best, mut take) = (0.0, 0.0, 0);
        for (i, pair) in self.pairs.iter().enumerate() {
            right += f64::from(pair.probability());
            let f1 = 2.0 * right / (i as f64 + 1.0 + all);
            if f1 > best {
                (best, take) = (f1, i + 1);
            }
        }
        take
    }

    /// How many of the first pairs to take so that `precision` of them are expected to be right.
    pub fn precise(&self, precision: f64) -> usize {
        let (mut right, mut take) = (0.0, 0);
        for (i, pair) in self.pairs.iter().enumerate() {
            right += f64::from(pair.probability());
            if right >= precision * (i as f64 + 1.0) {
                take = i + 1;
            }
        }
        take
    }
}
