//! Addresses as they are compared: house, street, town, postcode, each without what is written in many ways.

use unicode_normalization::UnicodeNormalization;

use super::fold::{Script, fold_han, fold_latin, fold_other, script};

/// A street's or a town's name folded: lower case, abbreviations spelled out in one way, words that only say what it is left out.
pub(crate) fn fold_street(text: &str) -> String {
    let words = match script(text) {
        Some(Script::Han | Script::Kana) => return fold_han(text),
        Some(Script::Latin) => fold_latin(text),
        Some(Script::Other) => fold_other(text),
        None => return text.nfkc().filter(|c| c.is_alphanumeric()).collect(),
    };
    let known: Vec<&str> = words.iter().map(|word| abbreviation(word)).collect();
    known.join(" ")
}

/// The short form of a word that addresses abbreviate.
fn abbreviation(word: &str) -> &str {
    const WORDS: &[(&str, &str)] = &[
        ("street", "st"),
        ("str", "st"),
        ("saint", "st"),
        ("road", "rd"),
        ("avenue", "ave"),
        ("av", "ave"),
        ("lane", "ln"),
        ("drive", "dr"),
        ("court", "ct"),
        ("place", "pl"),
        ("square", "sq"),
        ("terrace", "tce"),
        ("ter", "tce"),
        ("crescent", "cres"),
        ("close", "cl"),
        ("boulevard", "blvd"),
        ("circuit", "cct"),
        ("highway", "hwy"),
        ("mount", "mt"),
        ("apartment", "apt"),
        ("building", "bldg"),
        ("north", "n"),
        ("south", "s"),
        ("east", "e"),
        ("west", "w"),
        ("marg", "mg"),
        ("nagar", "ngr"),
        ("colony", "col"),
        ("मार्ग", "मा"),
        ("रोड", "रो"),
        ("شارع", "ش"),
    ];
    WORDS.iter().find(|(long, _)| *long == word).map_or(word, |(_, short)| short)
}

/// A house number folded: its digits and letters, without the signs between them and in one width.
pub(crate) fn fold_house(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkc() {
        match digit(c) {
            Some(digit) => folded.push(digit),
            None if c.is_alphanumeric() => folded.extend(c.to_lowercase()),
            None if !folded.is_empty() && !folded.ends_with('-') => folded.push('-'),
            None => {}
        }
    }
    folded.truncate(folded.trim_end_matches('-').len());
    folded
}

/// A postcode folded: its digits and letters, without signs and spaces, which are left out as often as not.
pub(crate) fn fold_postcode(text: &str) -> String {
    let mut folded = fold_house(text);
    folded.retain(|c| c != '-');
    folded
}

/// A decimal digit of any script, or the kanji of one.
fn digit(c: char) -> Option<char> {
    let value = match c {
        '0'..='9' => return Some(c),
        '\u{660}'..='\u{669}' => c as u32 - 0x660,
        '\u{6F0}'..='\u{6F9}' => c as u32 - 0x6F0,
        '\u{966}'..='\u{96F}' => c as u32 - 0x966,
        '〇' => 0,
        '一' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    };
    char::from_digit(value, 10)
}

/// Parts a line such as `12 Quay Street`, `緑町3丁目5-2` or `मकान 12, गांधी मार्ग` into the number of the house and the street.
pub(crate) fn parse_line(line: &str) -> (String, String) {
    /// What only says which kind of number follows.
    const SIGNS: &[&str] = &["丁目", "番地", "番", "号室", "号", "の"];
    let mut line: String = line.nfkc().collect();
    for sign in SIGNS {
        line = line.replace(sign, "-");
    }
    let (mut house, mut street) = (String::new(), String::new());
    // A name such as 三田 begins with what is a digit elsewhere: in Han, only digits beside other digits or signs count.
    let is_number = |c: char| c.is_numeric() && digit(c).is_some() && !is_han(c);
    let mut in_number = false;
    for c in line.chars() {
        if is_number(c)
            || (in_number && c == '-')
            || (in_number && c.is_ascii_alphabetic() && house.ends_with(|l: char| l.is_ascii_digit()))
        {
            if !in_number && !house.is_empty() {
                house.push('-');
            }
            in_number = true;
            house.push(c);
        } else {
            in_number = false;
            street.push(if c.is_alphanumeric() || is_mark(c) { c } else { ' ' });
        }
    }
    let noise = |word: &&str| {
        !["no", "house", "flat", "apt", "unit", "मकान", "गली", "फ्लैट", "वार्ड", "संख्या"]
            .contains(&word.to_lowercase().as_str())
    };
    let street: Vec<&str> = street.split_whitespace().filter(noise).collect();
    (fold_house(&house), fold_street(&street.join(" ")))
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '〇')
}

/// A mark that belongs to the letter before it: a vowel sign or a virama of an Indic script, a vowel of Arabic.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// A telephone number: its last nine digits as a number, 0 when there are fewer than five. Country codes and trunk zeros stand before
/// them.
pub(crate) fn fold_phone(text: &str) -> u64 {
    let mut digits = 0_u64;
    let mut count = 0;
    for c in text.chars() {
        if let Some(value) =
            digit(if c.is_ascii() { c } else { c.nfkc().next().unwrap_or(c) }).and_then(|d| d.to_digit(10))
        {
            digits = (digits * 10 + u64::from(value)) % 1_000_000_000;
            count += 1;
        }
    }
    if count < 5 { 0 } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parted() {
        for (line, house, street) in [
            ("1 Quay Street", "1", "quay st"),
            ("Flat 3, 12b Quay St.", "3-12b", "quay st"),
            ("緑町3丁目5-2", "3-5-2", "緑町"),
            ("緑町３－５－２", "3-5-2", "緑町"),
            ("緑町3丁目5番2号", "3-5-2", "緑町"),
            ("三田1-2", "1-2", "三田"),
            ("मकान 12, गली 3, गांधी मार्ग", "12-3", "गांधी मा"),
            ("१२, गांधी मार्ग", "12", "गांधी मा"),
            ("", "", ""),
        ] {
            assert_eq!(parse_line(line), (house.to_owned(), street.to_owned()), "{line}");
        }
    }

    #[test]
    fn telephones_lose_what_stands_before() {
        assert_eq!(fold_phone("+44 20 7946 0958"), fold_phone("020 7946 0958"));
        assert_eq!(fold_phone("０９０-1234-5678"), fold_phone("09012345678"));
        assert_eq!(fold_phone("12"), 0);
    }
}
