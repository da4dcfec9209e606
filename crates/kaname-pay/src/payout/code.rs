//! The code of a voucher: ten letters that are drawn, and two that are worked out from them. A letter that was misread, and two
//! that changed places, are noticed before anybody looks for the voucher.

/// The letters of a voucher's code: none that is read for another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters that are drawn: 50 bits, enough for a code that is tried at a counter, beside the person it is for.
const DRAWN: usize = 10;
/// Letters that check them.
const CHECKS: usize = 2;
/// The largest prime below what two letters can say. The difference of one letter, or of two that changed places, is never a
/// multiple of it.
const PRIME: u64 = 1_021;

/// A code of these random bytes, without breaks.
pub(crate) fn draw(random: [u8; 8]) -> String {
    let bits = u64::from_be_bytes(random) >> (64 - 5 * DRAWN);
    write(bits, DRAWN) + &write(bits % PRIME, CHECKS)
}

/// As it is printed: in groups of four.
pub(crate) fn grouped(code: &str) -> String {
    let groups: Vec<&str> =
        (0..code.len()).step_by(4).map(|at| &code[at..(at + 4).min(code.len())]).collect();
    groups.join("-")
}

/// Reads what was typed, in small letters and with any breaks, an O for a 0 and an I or L for a 1; `None` when it is no code.
pub(crate) fn parse(typed: &str) -> Option<String> {
    let read = |letter: char| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let is_break =
        |letter: &char| !matches!(letter, '-' | '\u{2010}'..='\u{2015}') && !letter.is_whitespace();
    let code: String = typed.chars().filter(is_break).map(read).take(DRAWN + CHECKS + 1).collect();
    if code.len() != DRAWN + CHECKS {
        return None;
    }
    let value = |part: &str| {
        part.bytes().try_fold(0, |value: u64, letter| {
            let place = LETTERS.iter().position(|known| *known == letter)?;
            Some(value << 5 | place as u64)
        })
    };
    (value(&code[..DRAWN])? % PRIME == value(&code[DRAWN..])?).then_some(code)
}

fn write(bits: u64, letters: usize) -> String {
    (0..letters).rev().map(|place| char::from(LETTERS[(bits >> (5 * place)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_however_it_is_typed() {
        for seed in 0..500_u64 {
            let code = draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
            assert_eq!(code.len(), 12);
            assert_eq!(parse(&grouped(&code)), Some(code.clone()));
            let typed = grouped(&code).to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
            assert_eq!(parse(&typed), Some(code));
        }
        for wrong in ["", "0000", "00000000000U", "0000000000000", "äöü", "1234567890123456"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_noticed() {
        let (mut changed, mut swapped) = (0, 0);
        for seed in 1..40_u64 {
            let code = draw(seed.wrapping_mul(0xD6E8_FEB8_6659_FD93).to_be_bytes()).into_bytes();
            for place in 0..code.len() {
                for letter in LETTERS.iter().filter(|letter| **letter != code[place]) {
                    let mut wrong = code.clone();
                    wrong[place] = *letter;
                    assert_eq!(parse(std::str::from_utf8(&wrong).unwrap()), None);
                    changed += 1;
                }
                if place + 1 < DRAWN && code[place] != code[place + 1] {
                    let mut wrong = code.clone();
                    wrong.swap(place, place + 1);
                    assert_eq!(parse(std::str::from_utf8(&wrong).unwrap()), None);
                    swapped += 1;
                }
            }
        }
        assert!(changed > 10_000 && swapped > 200);
    }
}
