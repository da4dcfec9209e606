//! From pairs to people: who all are one.
//!
//! Two records that share nothing are one person when a third says so; yet a chain of such steps could run through a pair of twins. So
//! two groups become one only when their records, all with all, speak for it.

use super::bulk::Pair;
use super::model::Model;
use super::records::Records;

/// No single pair speaks louder than this for or against a group.
const LOUDEST: f32 = 20.0;
/// A group of more than this many is not asked all with all.
const LARGEST: usize = 24;

/// Groups of the records that are one person each, of two records and more, by their places; made of `pairs`, the likeliest first.
pub(crate) fn groups(records: &Records, model: &Model, pairs: &[Pair]) -> Vec<Vec<u32>> {
    let mut group_of = vec![u32::MAX; records.len()];
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for pair in pairs {
        let [a, b] = [pair.a, pair.b].map(|record| {
            let place = &mut group_of[record as usize];
            if *place == u32::MAX {
                *place = groups.len() as u32;
                groups.push(vec![record]);
            }
            *place as usize
        });
        if a == b || !are_one(records, model, &groups[a], &groups[b]) {
            continue;
        }
        let (into, from) = if groups[a].len() >= groups[b].len() { (a, b) } else { (b, a) };
        let moved = std::mem::take(&mut groups[from]);
        for record in &moved {
            group_of[*record as usize] = into as u32;
        }
        groups[into].extend(moved);
    }
    groups.retain(|group| group.len() > 1);
    for group in &mut groups {
        group.sort_unstable();
    }
    groups.sort_unstable();
    groups
}

fn are_one(records: &Records, model: &Model, a: &[u32], b: &[u32]) -> bool {
    match a.len() * b.len() {
        1 => return true,
        all if all > LARGEST * LARGEST => return false,
        _ => {}
    }
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (*a as usize, *b as usize)));
    let sum: f32 = pairs.map(|(a, b)| model.weight(records.pattern(a, b)).clamp(-LOUDEST, LOUDEST)).sum();
    sum > 0.0
}
