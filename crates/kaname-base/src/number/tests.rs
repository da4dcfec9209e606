use super::*;
use crate::pack::Pack;

fn scheme(country: &str) -> NumberScheme {
    Pack::load_shipped(country).unwrap().number
}

/// Draws that repeat from run to run (SplitMix64).
fn draws(seed: u64) -> impl Iterator<Item = u64> {
    (1..).map(move |i: u64| {
        let mut z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

#[test]
fn published_numbers_are_accepted() {
    for (country, numbers) in [
        ("japan", &["123456789018", "000000000019", "023132957398", "987654321093"][..]),
        ("india", &["496858245152", "999941057058"]),
        ("singapore", &["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K", "M0000001Q"]),
        ("uk", &["9434765919", "9990123454"]),
        ("jordan", &["9851012345", "2000112233"]),
    ] {
        for number in numbers {
            let read = scheme(country).parse(number);
            assert_eq!(read.as_ref().map(PersonNumber::as_str), Ok(*number), "{country}");
        }
    }
}

#[test]
fn a_wrong_number_is_refused_with_the_reason() {
    use NumberError::*;
    for (country, text, reason) in [
        ("japan", "12345678901", Length { expected: 12, found: 11 }),
        ("japan", "", Length { expected: 12, found: 0 }),
        ("japan", "1234567890181", Length { expected: 12, found: 13 }),
        ("japan", "12345678901A", Character { position: 12 }),
        ("japan", "1234 5678 9O18", Character { position: 10 }),
        ("japan", "123456789017", Check),
        ("japan", "223456789018", Check),
        ("japan", "111111111118", Banned),
        ("india", "096858245152", FirstDigit),
        ("india", "196858245152", FirstDigit),
        ("india", "496858245125", Check),
        ("india", "4968५8#45152", Character { position: 7 }),
        ("singapore", "A1234567D", Prefix),
        ("singapore", "1234567DS", Character { position: 8 }),
        ("singapore", "S12345678", Character { position: 9 }),
        ("singapore", "S1234567E", Check),
        ("singapore", "M1234567X", Check),
        ("uk", "9991234560", NoSuchNumber),
        ("uk", "9434765918", Check),
        ("jordan", "0851012345", FirstDigit),
        ("jordan", "1111111111", Banned),
    ] {
        assert_eq!(scheme(country).parse(text).unwrap_err(), reason, "{country} {text}");
    }
}

#[test]
fn a_number_is_read_as_people_write_it() {
    for (country, text, number) in [
        ("japan", "１２３４　５６７８　９０１８", "123456789018"),
        ("japan", "1234-5678-9018", "123456789018"),
        ("japan", " 1234ー5678−9018\n", "123456789018"),
        ("singapore", "ｓ1234567ｄ", "S1234567D"),
        ("singapore", "m1234567k", "M1234567K"),
        ("india", "४९६८ ५८२४ ५१५२", "496858245152"),
        ("jordan", "\u{200F}٩٨٥١٠١٢٣٤٥", "9851012345"),
        ("uk", "943 476 5919", "9434765919"),
    ] {
        assert_eq!(scheme(country).parse(text).unwrap().as_str(), number, "{text}");
    }
}

#[test]
fn a_number_is_shown_in_groups() {
    for (country, number, shown, end) in [
        ("japan", "123456789018", "1234 5678 9018", "•••• •••• 9018"),
        ("uk", "9434765919", "943 476 5919", "••• ••• 5919"),
        ("singapore", "S1234567D", "S1234567D", "•••••567D"),
    ] {
        let scheme = scheme(country);
        let number = scheme.parse(number).unwrap();
        assert_eq!(scheme.show(&number), shown);
        assert_eq!(scheme.show_end(&number, 4), end);
    }
}

#[test]
fn the_debug_form_hides_the_middle() {
    let number = scheme("japan").parse("123456789018").unwrap();
    assert_eq!(format!("{number:?}"), "PersonNumber(1…8)");
    assert_eq!(PersonNumber::from_stored(number.as_str()), Some(number));
    assert_eq!(PersonNumber::from_stored("1234 5678"), None);
    assert_eq!(PersonNumber::from_stored(""), None);
}

#[test]
fn numbers_made_from_an_index_are_read_and_are_all_different() {
    for country in Pack::shipped() {
        let scheme = scheme(country);
        let (mut made, mut last) = (0, None);
        for index in draws(7).map(|draw| draw % scheme.space()).take(20_000) {
            let Some(number) = scheme.from_index(index) else { continue };
            made += 1;
            assert_eq!(scheme.parse(number.as_str()), Ok(number), "{country} {index}");
            assert_eq!(index_of(&scheme, &number), index, "{country}: not one to one");
            last = Some(number);
        }
        assert!(made > 15_000, "{country}: only {made} of 20000 made");
        assert!(last.is_some_and(|number| number.as_str().len() == scheme.length()));
        assert_eq!(scheme.from_index(scheme.space()), None, "{country}");
        assert_eq!(scheme.from_index(u64::MAX), None, "{country}");
    }
}

/// The inverse of `from_index`, written the other way round.
fn index_of(scheme: &NumberScheme, number: &PersonNumber) -> u64 {
    let text = number.as_str();
    let (prefix, rest) = match scheme.prefixes.is_empty() {
        true => (0, text),
        false => {
            let at = scheme.issued().position(|prefix| prefix.letter == text.as_bytes()[0]).unwrap();
            (at as u64, &text[1..])
        }
    };
    let first =
        scheme.first_digits.iter().position(|digit| digit + b'0' == rest.as_bytes()[0]).unwrap() as u64;
    let others: u64 = rest[1..scheme.body_digits].parse().unwrap_or(0);
    let others_space = 10_u64.pow(scheme.body_digits as u32 - 1);
    (prefix * scheme.first_digits.len() as u64 + first) * others_space + others
}

#[test]
fn the_space_is_counted() {
    for (country, space) in [
        ("japan", 100_000_000_000),
        ("india", 80_000_000_000),
        ("singapore", 30_000_000),
        ("uk", 1_000_000_000),
        ("jordan", 9_000_000_000),
    ] {
        assert_eq!(scheme(country).space(), space, "{country}");
    }
}

#[test]
fn verhoeff_finds_every_wrong_digit_and_every_swap_of_neighbours() {
    assert_eq!((verhoeff(&[2, 3, 6]), verhoeff(&[1, 2, 3, 4, 5])), (3, 1));
    let scheme = scheme("india");
    let (mut wrong, mut swapped) = (0, 0);
    for number in draws(3).filter_map(|draw| scheme.from_index(draw % scheme.space())).take(300) {
        let good = number.as_str().as_bytes();
        for at in 0..good.len() {
            for digit in b'0'..=b'9' {
                let mut bad = good.to_vec();
                bad[at] = digit;
                if bad != good {
                    wrong += 1;
                    assert!(scheme.parse(std::str::from_utf8(&bad).unwrap()).is_err(), "{number:?} {at}");
                }
            }
            let mut bad = good.to_vec();
            bad.swap(at, (at + 1) % good.len());
            if bad != good && at + 1 < good.len() {
                swapped += 1;
                assert!(scheme.parse(std::str::from_utf8(&bad).unwrap()).is_err(), "{number:?} {at}");
            }
        }
    }
    assert!(wrong > 30_000 && swapped > 2_500);
}

#[test]
fn patterns_are_banned() {
    let bans =
        Bans { all_equal: true, repeated_pattern: true, longest_run: Some(4), longest_repeat: Some(3) };
    for (body, banned) in [
        (&[7, 7, 7, 7, 7, 7, 7][..], true),
        (&[1, 2, 3, 1, 2, 3, 1], true),
        (&[5, 0, 1, 2, 3, 7, 7], false),
        (&[5, 0, 1, 2, 3, 4, 7], true),
        (&[2, 1, 0, 9, 8, 3, 3], true),
        (&[4, 4, 4, 1, 9, 2, 6], false),
        (&[4, 4, 4, 4, 9, 2, 6], true),
        (&[8, 1, 5, 2, 9, 9, 3], false),
    ] {
        assert_eq!(bans.forbid(body), banned, "{body:?}");
        assert!(!Bans::default().forbid(body));
    }
}

#[test]
fn reserved_numbers_are_not_made() {
    let mut scheme = scheme("uk");
    assert_eq!(scheme.from_index(999_012_345), None);
    assert!(scheme.parse("9990123454").is_ok(), "a test number is read");
    scheme.reserved[0].accepted = false;
    assert_eq!(scheme.parse("9990123454"), Err(NumberError::Reserved));
}
