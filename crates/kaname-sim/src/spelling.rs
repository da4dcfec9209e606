//! How names are spelled otherwise: by the ear, by the hand, by another office's rules.

use crate::random::Random;

/// Old and regional glyphs beside the common ones.
const GLYPHS: [(&str, &str); 18] = [
    ("高", "髙"),
    ("崎", "﨑"),
    ("辺", "邊"),
    ("辺", "邉"),
    ("斎", "齋"),
    ("沢", "澤"),
    ("浜", "濱"),
    ("広", "廣"),
    ("国", "國"),
    ("島", "嶋"),
    ("桜", "櫻"),
    ("竜", "龍"),
    ("真", "眞"),
    ("恵", "惠"),
    ("富", "冨"),
    ("峰", "峯"),
    ("徳", "德"),
    ("瀬", "瀨"),
];

/// Sounds that are mixed up, and letters that look alike.
const KANA: [(&str, &str); 22] = [
    ("ョウ", "ョ"),
    ("ュウ", "ュ"),
    ("トウ", "ト"),
    ("コウ", "コ"),
    ("オオ", "オ"),
    ("ッ", "ツ"),
    ("ョ", "ヨ"),
    ("ュ", "ユ"),
    ("シ", "ツ"),
    ("ソ", "ン"),
    ("ス", "ズ"),
    ("タ", "ダ"),
    ("カ", "ガ"),
    ("サ", "ザ"),
    ("シ", "ジ"),
    ("ハ", "バ"),
    ("ク", "グ"),
    ("チ", "ジ"),
    ("エ", "イ"),
    ("ヅ", "ズ"),
    ("ヂ", "ジ"),
    ("ウ", "ー"),
];

/// Spellings of one sound in Latin letters.
const LATIN: [(&str, &str); 34] = [
    ("shi", "si"),
    ("sho", "syo"),
    ("chi", "ti"),
    ("tsu", "tu"),
    ("fu", "hu"),
    ("ji", "zi"),
    ("ou", "o"),
    ("oo", "oh"),
    ("o", "oh"),
    ("yu", "yuu"),
    ("mb", "nb"),
    ("v", "w"),
    ("w", "v"),
    ("sh", "s"),
    ("aa", "a"),
    ("a", "aa"),
    ("ee", "i"),
    ("i", "ee"),
    ("oo", "u"),
    ("u", "oo"),
    ("th", "t"),
    ("dh", "d"),
    ("bh", "b"),
    ("kh", "k"),
    ("ks", "x"),
    ("ph", "f"),
    ("ai", "ay"),
    ("ou", "u"),
    ("ss", "s"),
    ("mm", "m"),
    ("ed", "ad"),
    ("q", "k"),
    ("z", "j"),
    ("al-", "el-"),
];

/// Marks and letters of other scripts that are written one for the other.
const OTHER: [(&str, &str); 14] = [
    ("ी", "ि"),
    ("ि", "ी"),
    ("ू", "ु"),
    ("ु", "ू"),
    ("श", "स"),
    ("व", "ब"),
    ("ा", ""),
    ("ज़", "ज"),
    ("ें", "े"),
    ("أ", "ا"),
    ("ة", "ه"),
    ("ى", "ي"),
    ("ال", ""),
    ("إ", "ا"),
];

/// Another glyph for a character, or the same with a selector of its form; other scripts lose or exchange a mark.
pub(crate) fn glyphs(name: &str, random: &mut Random) -> String {
    let other = exchange(name, &GLYPHS, random).or_else(|| exchange(name, &OTHER, random));
    other.unwrap_or_else(|| {
        let mut name = name.to_owned();
        if name.chars().any(|c| matches!(c, '\u{4E00}'..='\u{9FFF}')) {
            name.push('\u{E0100}');
        } else {
            name = slip(&name, random);
        }
        name
    })
}

/// A name written by somebody who only heard it.
pub(crate) fn otherwise(name: &str, random: &mut Random) -> String {
    let folded = name.to_lowercase();
    exchange(name, &OTHER, random)
        .or_else(|| exchange(&folded, &LATIN, random).map(|name| capital(&name)))
        .unwrap_or_else(|| name.to_owned())
}

/// A reading as it is misheard or miswritten.
pub(crate) fn kana(reading: &str, random: &mut Random) -> String {
    exchange(reading, &KANA, random).unwrap_or_else(|| reading.to_owned())
}

/// Latin letters by other rules, or with a slip.
pub(crate) fn latin(name: &str, random: &mut Random) -> String {
    match exchange(&name.to_lowercase(), &LATIN, random) {
        Some(name) if random.percent(70) => capital(&name),
        _ => slip(name, random),
    }
}

/// A slip of the pen: a letter or digit changed, added, left out or swapped with its neighbour.
pub(crate) fn slip(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    // Han characters are not typed letter by letter.
    let places: Vec<usize> = (0..letters.len()).filter(|i| letters[*i].is_ascii_alphanumeric()).collect();
    if places.is_empty() {
        return text.to_owned();
    }
    let at = *random.pick(&places);
    let other = if letters[at].is_ascii_digit() {
        (b'0' + random.below(10) as u8) as char
    } else {
        (b'a' + random.below(26) as u8) as char
    };
    match random.below(4) {
        0 => letters[at] = other,
        1 if letters.len() > 2 => drop(letters.remove(at)),
        2 => letters.insert(at, other),
        _ if at + 1 < letters.len() => letters.swap(at, at + 1),
        _ => letters[at] = other,
    }
    letters.into_iter().collect()
}

/// The first letter of the first word, and the others.
pub(crate) fn initial(name: &str) -> String {
    let (first, rest) = name.split_once(' ').unwrap_or((name, ""));
    match first.chars().next() {
        Some(letter) if letter.is_ascii_alphabetic() => format!("{letter}. {rest}").trim_end().to_owned(),
        _ => name.to_owned(),
    }
}

/// With a title before it.
pub(crate) fn title(name: &str, random: &mut Random) -> String {
    let titles: &[&str] = match name.chars().next() {
        Some('\u{900}'..='\u{97F}') => &["श्री ", "श्रीमती ", "डॉ "],
        Some('\u{600}'..='\u{6FF}') => &["السيد ", "الحاج "],
        Some(c) if c.is_ascii_alphabetic() => &["Mr ", "Dr ", "Shri ", "Smt "],
        _ => return name.to_owned(),
    };
    [*random.pick(titles), name].concat()
}

/// Exchanges one of the pairs that occur; `None` when none does.
fn exchange(text: &str, pairs: &[(&str, &str)], random: &mut Random) -> Option<String> {
    let there: Vec<_> = pairs.iter().filter(|(from, _)| text.contains(from)).collect();
    if there.is_empty() {
        return None;
    }
    let (from, to) = random.pick(&there);
    let changed = text.replacen(from, to, 1);
    // A name of one letter is no name.
    (changed.chars().count() > 1).then_some(changed)
}

fn capital(name: &str) -> String {
    let mut capital = String::with_capacity(name.len());
    let mut starts = true;
    for c in name.chars() {
        if starts {
            capital.extend(c.to_uppercase())
        } else {
            capital.push(c)
        }
        starts = c == ' ' || c == '-';
    }
    capital
}
