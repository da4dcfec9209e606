//! How far two spellings are apart.

/// Whether one letter changed, added, left out, or swapped with its neighbour makes one of the other.
pub(crate) fn one_letter_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let front = short.iter().zip(long.iter()).take_while(|(x, y)| x == y).count();
    match long.len() - short.len() {
        0 => {
            let rest = |skip: usize| short.get(front + skip..) == long.get(front + skip..);
            let swapped = short.len() >= front + 2
                && short[front] == long[front + 1]
                && short[front + 1] == long[front];
            rest(1) || (swapped && rest(2))
        }
        1 => short[front..] == long[front + 1..],
        _ => false,
    }
}

/// How many letters must be changed, added, left out or swapped with a neighbour to make one of the other, where it is two at the
/// most; `None` when it is more.
pub(crate) fn slips(a: &[u8], b: &[u8]) -> Option<u8> {
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - back], &b[..b.len() - back]);
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.is_empty() {
        return Some(0);
    }
    match (short.len(), long.len()) {
        (0, 1) | (1, 1) => Some(1),
        (2, 2) if short[0] == long[1] && short[1] == long[0] => Some(1),
        (0, 2) | (1, 2) | (2, 2) => Some(2),
        (s, l) if l - s <= 2 => two_slips(short, long),
        _ => None,
    }
}

/// Whether two slips suffice, for texts that differ at both ends.
fn two_slips(short: &[u8], long: &[u8]) -> Option<u8> {
    // Undo one slip at the front in each way it can have happened; the rest must then be one slip, at the back.
    let (s, l) = (short, long);
    let swapped = s.len() >= 2 && l.len() >= 2 && s[0] == l[1] && s[1] == l[0];
    let rests = [
        Some((&s[1..], &l[1..])),
        Some((s, &l[1..])),
        (s.len() + 1 > l.len()).then(|| (&s[1..], l)),
        swapped.then(|| (&s[2..], &l[2..])),
    ];
    rests.into_iter().flatten().any(|(s, l)| at_most_one(s, l)).then_some(2)
}

fn at_most_one(a: &[u8], b: &[u8]) -> bool {
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - back], &b[..b.len() - back]);
    match (a.len(), b.len()) {
        (0 | 1, 0 | 1) => true,
        (2, 2) => a[0] == b[1] && a[1] == b[0],
        _ => false,
    }
}

/// Two bits for each letter of a text, so that texts of other letters are told apart without looking at them: two slips change at
/// most eight of the bits.
pub(crate) fn signature(text: &[u8]) -> u64 {
    let mut signature = 0_u64;
    for byte in text {
        let place = u64::from(byte & 31) * 2;
        let once = 1 << place;
        signature |= if signature & once == 0 { once } else { once << 1 };
    }
    signature
}

/// Whether two texts can be at most two slips apart, by their [`signature`]s.
pub(crate) fn may_be_near(a: u64, b: u64) -> bool {
    (a ^ b).count_ones() <= 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The textbook's way (optimal string alignment), to check the short one against.
    fn distance(a: &[u8], b: &[u8]) -> usize {
        let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                rows[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let change = usize::from(a[i - 1] != b[j - 1]);
                    let mut best =
                        (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(rows[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        rows[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn slips_are_counted_as_in_the_textbook(a in "[abc]{0,7}", b in "[abc]{0,7}") {
            let expected = distance(a.as_bytes(), b.as_bytes());
            let counted = slips(a.as_bytes(), b.as_bytes());
            prop_assert_eq!(counted, (expected <= 2).then_some(expected as u8));
            prop_assert_eq!(counted, slips(b.as_bytes(), a.as_bytes()));
            if expected <= 2 {
                prop_assert!(may_be_near(signature(a.as_bytes()), signature(b.as_bytes())));
            }
        }
    }
}
