//! Estimating a model from pairs without knowing which are one person: expectation and maximisation over the kinds of pairs.

use super::level::{ABSENT, CODES, Field, ONE_SIDED, Pattern, SAME, UNKNOWN_SHARE};
use super::model::{ByClass, CLASSES, Model, Rival, agrees_by_nature, prior_levels};
use super::records::{Records, WITH_GIVEN};

/// At most so many pairs are counted: more change the estimate less than the sample's luck does.
const SAMPLE: usize = 400_000;
const ROUNDS: usize = 40;
/// How many pairs the prior is worth in each kind and field.
const PRIOR_PAIRS: f64 = 100.0;

/// How many pairs of each kind are thought to be there before any are seen, for each record: a list that is short has too few twins and
/// namesakes to learn of them, and would take them for one person.
const THOUGHT: [(Rival, f64); 2] = [(Rival::Twin, 0.012), (Rival::Namesake, 0.02)];

impl Model {
    /// The model under which the patterns of the candidate pairs are most likely, starting from what is known of such records.
    pub(crate) fn estimate_from(records: &Records, patterns: &[Pattern]) -> Model {
        let step = patterns.len().div_ceil(SAMPLE).max(1);
        let mut sample: Vec<Pattern> = patterns.iter().copied().step_by(step).collect();
        sample.sort_unstable();
        let mut counted: Vec<(Pattern, f64)> = Vec::new();
        for same in sample.chunk_by(|a, b| a == b) {
            counted.push((same[0], same.len() as f64));
        }
        let start = start(records);
        let mut model = Model::built_in(records.len() as u64);
        for field in Field::ALL {
            model.set(field, &start[field as usize]);
        }
        let mut thought = [1.0; CLASSES];
        for (rival, each) in THOUGHT {
            thought[rival as usize] = (records.len() as f64 * each).clamp(1.0, PRIOR_PAIRS);
        }
        for _ in 0..ROUNDS {
            model = maximise(&model, &counted, &start, thought);
        }
        model
    }
}

/// What is thought before the pairs are seen: the built-in levels, with the records' own frequencies.
fn start(records: &Records) -> Vec<[ByClass; CODES]> {
    Field::ALL
        .into_iter()
        .map(|field| {
            let mut levels = prior_levels(field);
            if let Some(people) = shares_of_people(records, field) {
                for (share, part) in people.iter().enumerate() {
                    let frequency = (-(share as f32 + 5.5)).exp2();
                    let row = &mut levels[usize::from(SAME) + share];
                    for (p, by_nature) in row.iter_mut().zip(agrees_by_nature(field)) {
                        // For a reason a value is met as often as people have it, by chance as often again as it is common.
                        *p = if by_nature { *p * 13.0 * part } else { part * frequency };
                    }
                }
            }
            normalise(&mut levels);
            levels
        })
        .collect()
}

/// Which part of the people has a value of each share.
fn shares_of_people(records: &Records, field: Field) -> Option<[f32; UNKNOWN_SHARE as usize]> {
    let mut parts = [0.0_f32; UNKNOWN_SHARE as usize];
    let mut known = 0.0;
    for i in 0..records.len() {
        let code = records.pattern_with_itself(i).code(field);
        if (SAME..SAME + UNKNOWN_SHARE).contains(&code) {
            parts[usize::from(code - SAME)] += 1.0;
            known += 1.0;
        }
    }
    // No share is impossible: a thousandth of the people, at least.
    (known > 0.0).then(|| parts.map(|part| (part / known).max(0.001)))
}

fn normalise(levels: &mut [ByClass; CODES]) {
    for class in 0..CLASSES {
        let missing = levels[usize::from(ABSENT)][class] + levels[usize::from(ONE_SIDED)][class];
        let sum: f32 = levels.iter().map(|row| row[class]).sum::<f32>() - missing;
        for (code, row) in levels.iter_mut().enumerate() {
            if code != usize::from(ABSENT) && code != usize::from(ONE_SIDED) {
                row[class] *= 0.7 / sum;
            }
        }
        levels[usize::from(ABSENT)][class] = 0.15;
        levels[usize::from(ONE_SIDED)][class] = 0.15;
    }
}

fn maximise(
    model: &Model,
    counted: &[(Pattern, f64)],
    start: &[[ByClass; CODES]],
    thought: [f64; CLASSES],
) -> Model {
    let mut sums = vec![[[0.0_f64; CLASSES]; CODES]; Field::ALL.len()];
    let mut totals = thought;
    for (pattern, count) in counted {
        let joint = model.joint(*pattern);
        let best = joint.iter().copied().fold(f32::MIN, f32::max);
        let likely = joint.map(|weight| (weight - best).exp2());
        let sum: f32 = likely.iter().sum();
        let parts = likely.map(|p| f64::from(p / sum) * count);
        for (total, part) in totals.iter_mut().zip(parts) {
            *total += part;
        }
        for field in Field::ALL {
            let row = &mut sums[field as usize][usize::from(pattern.code(field))];
            for (sum, part) in row.iter_mut().zip(parts) {
                *sum += part;
            }
        }
    }

    let all: f64 = totals.iter().sum();
    let mut next = model.clone();
    next.priors = totals.map(|total| (total / all).log2() as f32);
    for field in Field::ALL {
        let (sums, start) = (&sums[field as usize], &start[field as usize]);
        let mut levels = [[0.0; CLASSES]; CODES];
        for class in 0..CLASSES {
            let seen: f64 =
                sums.iter().map(|row| row[class]).sum::<f64>() - sums[usize::from(WITH_GIVEN)][class];
            for code in 0..CODES {
                let p =
                    (sums[code][class] + PRIOR_PAIRS * f64::from(start[code][class])) / (seen + PRIOR_PAIRS);
                levels[code][class] = p as f32;
            }
        }
        next.set(field, &levels);
    }
    next
}
