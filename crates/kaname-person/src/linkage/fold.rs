//! Names without what says nothing: width, case, marks, spaces, variant glyphs. What is left equal is written equal.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Han,
    Kana,
    Latin,
    Other,
}

/// The script of a name: kana only, or Han with whatever else, or Latin, or another alphabet. `None` without a letter.
pub(crate) fn script(text: &str) -> Option<Script> {
    let of = |c: char| match c {
        '\u{3041}'..='\u{30FF}' | '\u{FF66}'..='\u{FF9F}' => Script::Kana,
        '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' | '々' => Script::Han,
        'a'..='z'
        | 'A'..='Z'
        | '\u{C0}'..='\u{24F}'
        | '\u{1E00}'..='\u{1EFF}'
        | 'Ａ'..='Ｚ'
        | 'ａ'..='ｚ' => Script::Latin,
        _ => Script::Other,
    };
    let scripts = || text.chars().filter(|c| c.is_alphabetic() || *c == '々').map(of);
    [Script::Han, Script::Other, Script::Kana, Script::Latin]
        .into_iter()
        .find(|script| scripts().any(|s| s == *script))
}

/// A reading without what banks write differently: katakana, no small letters, no spaces, one bar for long vowels.
pub(crate) fn fold_kana(text: &str) -> String {
    text.nfkc()
        .filter_map(|c| {
            let c = match c {
                'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
                _ => c,
            };
            Some(match c {
                'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ' | 'ヮ' => {
                    char::from_u32(c as u32 + 1).unwrap_or(c)
                }
                'ヵ' => 'カ',
                'ヶ' => 'ケ',
                // Bank transfers have no wo.
                'ヲ' => 'オ',
                '-' | '‐' | '‑' | '–' | '—' | '−' => 'ー',
                '・' | '.' | ',' | '\'' => return None,
                c if c.is_whitespace() => return None,
                c => c,
            })
        })
        .collect()
}

pub(crate) fn is_foreign_to_kana(c: char) -> bool {
    !matches!(c, '\u{30A0}'..='\u{30FF}')
}

/// A folded reading with long vowels made short: no bar, and no vowel that only lengthens the one before.
pub(crate) fn short_kana(text: &str) -> String {
    const ROWS: [(&str, char); 5] = [
        ("アカサタナハマヤラワガザダバパ", 'ア'),
        ("イキシチニヒミリギジヂビピ", 'イ'),
        ("ウクスツヌフムユルグズヅブプ", 'ウ'),
        ("エケセテネヘメレゲゼデベペ", 'エ'),
        ("オコソトノホモヨロゴゾドボポ", 'オ'),
    ];
    let vowel = |c: char| ROWS.iter().find(|(row, _)| row.contains(c)).map(|(_, vowel)| *vowel);
    let mut short = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars().filter(|c| *c != 'ー') {
        let lengthens = matches!(
            (before, c),
            (Some('ア'), 'ア')
                | (Some('イ' | 'エ'), 'イ')
                | (Some('ウ' | 'オ'), 'ウ')
                | (Some('エ'), 'エ')
                | (Some('オ'), 'オ')
        );
        if !lengthens {
            short.push(c);
            before = vowel(c);
        }
    }
    short
}

/// Words of Latin letters without marks and case. Hyphens part words, apostrophes and dots do not.
pub(crate) fn fold_latin(text: &str) -> Vec<String> {
    let mut folded = String::new();
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' | 'Æ' => folded.push_str("ae"),
            'ø' | 'Ø' => folded.push('o'),
            'œ' | 'Œ' => folded.push_str("oe"),
            'đ' | 'Đ' | 'ð' | 'Ð' => folded.push('d'),
            'ł' | 'Ł' => folded.push('l'),
            'þ' | 'Þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            c if c.is_alphabetic() => folded.extend(c.to_lowercase()),
            c if is_within_word(c) => {}
            _ => folded.push(' '),
        }
    }
    words(&folded)
}

/// Words of another alphabet without vowel marks and with the letters that are often written one for the other.
pub(crate) fn fold_other(text: &str) -> Vec<String> {
    let mut folded = String::new();
    for c in text.nfkc() {
        match c {
            // Arabic: alef with any hamza is alef, the bare yeh and the closed teh are their neighbours.
            'أ' | 'إ' | 'آ' | 'ٱ' => folded.push('ا'),
            'ى' | 'ی' => folded.push('ي'),
            'ة' => folded.push('ه'),
            'ک' => folded.push('ك'),
            '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}' => {}
            // Devanagari: the dot below and the joiners; chandrabindu is often written as anusvara.
            '\u{93C}' | '\u{200C}' | '\u{200D}' => {}
            '\u{901}' => folded.push('\u{902}'),
            c if c.is_alphabetic() || is_combining_mark(c) => folded.extend(c.to_lowercase()),
            c if is_within_word(c) => {}
            _ => folded.push(' '),
        }
    }
    words(&folded)
}

fn is_within_word(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | '`' | '.')
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A folded Latin word with long vowels made short, as Japanese names are romanised in several ways: `satoh`, `satou`, `sato`.
pub(crate) fn short_latin(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let is_vowel = |c: &char| "aeiou".contains(*c);
    let mut short = String::new();
    for (i, c) in letters.iter().enumerate() {
        let before = short.chars().last();
        let lengthens = match c {
            'h' => before == Some('o') && letters.get(i + 1).is_none_or(|next| !is_vowel(next)),
            'u' => matches!(before, Some('o' | 'u')),
            'o' => before == Some('o'),
            _ => false,
        };
        if !lengthens {
            short.push(*c);
        }
    }
    short
}

/// A name in Han characters without spaces and with variant glyphs folded into the common one.
pub(crate) fn fold_han(text: &str) -> String {
    text.nfkc()
        .filter(|c| {
            !c.is_whitespace() && !matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '・')
        })
        .map(|c| VARIANTS.iter().find(|(variants, _)| variants.contains(c)).map_or(c, |(_, common)| *common))
        .collect()
}

/// Old and regional glyphs of the characters in names, and the common one. Characters that are different names (斎 and 斉) are
/// not folded into each other.
const VARIANTS: &[(&str, char)] = &[
    ("髙", '高'),
    ("﨑碕嵜", '崎'),
    ("邉邊", '辺'),
    ("齋", '斎'),
    ("齊", '斉'),
    ("澤", '沢'),
    ("濵濱", '浜'),
    ("廣", '広'),
    ("國", '国'),
    ("德", '徳'),
    ("惠", '恵'),
    ("眞", '真'),
    ("龍", '竜'),
    ("嶋嶌", '島'),
    ("𠮷", '吉'),
    ("櫻", '桜'),
    ("榮", '栄'),
    ("學", '学'),
    ("黑", '黒'),
    ("淺", '浅'),
    ("瀨", '瀬'),
    ("瀧", '滝'),
    ("圓", '円'),
    ("鹽", '塩'),
    ("假", '仮'),
    ("驛", '駅'),
    ("關", '関'),
    ("萬", '万'),
    ("與", '与'),
    ("壽", '寿'),
    ("條", '条'),
    ("靜", '静'),
    ("禮", '礼'),
    ("實", '実'),
    ("藏", '蔵'),
    ("傳", '伝'),
    ("豐", '豊'),
    ("鐵", '鉄'),
    ("冨", '富'),
    ("峯", '峰'),
    ("籔", '薮'),
    ("曾", '曽'),
    ("檜", '桧'),
    ("槇", '槙'),
    ("淸", '清'),
    ("ケ", 'ヶ'),
];
