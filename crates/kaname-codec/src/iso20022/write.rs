//! XML out: elements, escaped texts, and the simple types of the schemas.

use super::IsoError;

/// `<name>text</name>`, if `text` has 1 to `max` characters, none of them a control character.
pub(super) fn push_text(
    out: &mut Vec<u8>,
    name: &'static str,
    text: &str,
    max: usize,
) -> Result<(), IsoError> {
    check_text(name, text, max)?;
    push_open(out, name);
    push_escaped(out, text);
    push_close(out, name);
    Ok(())
}

pub(super) fn push_open(out: &mut Vec<u8>, name: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

pub(super) fn push_close(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'&' | b'<' | b'>')) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(match rest[at] {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            _ => b"&gt;",
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// The texts of the schemas: 1 to `max` characters. Control characters and the two that XML 1.0 section 2.2 leaves
/// out are refused in both directions; no name or reference has them.
pub(super) fn check_text(name: &'static str, text: &str, max: usize) -> Result<(), IsoError> {
    let fits = text.len() <= max || text.chars().count() <= max;
    let plain_ascii = text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    let legal = plain_ascii || !text.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    if text.is_empty() || !fits || !legal { Err(IsoError::Value(name)) } else { Ok(()) }
}

/// An ISODate: `2026-04-01`.
pub(super) fn check_date(name: &'static str, text: &str) -> Result<(), IsoError> {
    if is_date(text.as_bytes()) { Ok(()) } else { Err(IsoError::Value(name)) }
}

/// An ISODateTime: `2026-04-01T09:30:00`, with an optional fraction and an optional zone.
pub(super) fn check_date_time(name: &'static str, text: &str) -> Result<(), IsoError> {
    if is_date_time(text).is_some() { Ok(()) } else { Err(IsoError::Value(name)) }
}

fn is_date(text: &[u8]) -> bool {
    let [a, b, c, d, b'-', m1, m2, b'-', d1, d2] = text else { return false };
    let year = two(*a, *b).zip(two(*c, *d)).map(|(century, year)| century * 100 + year);
    let (Some(year), Some(month), Some(day)) = (year, two(*m1, *m2), two(*d1, *d2)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    year > 0 && (1..=days).contains(&day)
}

fn is_date_time(text: &str) -> Option<()> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.strip_prefix('T')?.split_at_checked(8)?;
    let time = is_time(time.as_bytes());
    let rest = match rest.strip_prefix('.') {
        None => rest,
        Some(rest) => {
            let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let digits = rest.len() - zone.len();
            (1..=9).contains(&digits).then_some(zone)?
        }
    };
    let zone = match rest.as_bytes() {
        [] | [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => two(*h1, *h2)? <= 14 && two(*m1, *m2)? < 60,
        _ => false,
    };
    (is_date(date.as_bytes()) && time && zone).then_some(())
}

fn is_time(text: &[u8]) -> bool {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else { return false };
    let below = |a, b, limit| two(a, b).is_some_and(|value| value < limit);
    below(*h1, *h2, 24) && below(*m1, *m2, 60) && below(*s1, *s2, 60)
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| char::from(byte).to_digit(10);
    Some(digit(tens)? * 10 + digit(ones)?)
}
