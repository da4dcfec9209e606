//! Names of other scripts in plain Latin letters, and what of a Latin name is heard: for comparing, never for showing.
//!
//! One name is spelled in many ways once it has crossed a script: `Satoh` and `サトウ`, `Mohammed` and `محمد`, `Wijay` and `विजय`.
//! [`sound`] makes the spellings of one alphabet equal; [`consonants`] also bridges scripts that write no short vowels.

/// Katakana in Latin letters, long vowels as they are written: `サトウ` is `satou`.
pub(crate) fn kana_to_latin(text: &str) -> String {
    let mut latin = String::with_capacity(text.len());
    let mut double_next = false;
    for c in text.chars() {
        match c {
            'ッ' => double_next = true,
            'ー' => {
                let last = latin.chars().last().filter(|c| is_vowel(*c));
                latin.extend(last);
            }
            'ャ' | 'ュ' | 'ョ' => {
                // The small letter takes the place of the vowel before it: `shi` and `yo` are `sho`.
                if latin.ends_with('i') {
                    latin.pop();
                }
                let soft = latin.ends_with("sh") || latin.ends_with("ch") || latin.ends_with('j');
                if !soft {
                    latin.push('y');
                }
                latin.push(match c {
                    'ャ' => 'a',
                    'ュ' => 'u',
                    _ => 'o',
                });
            }
            'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' => {
                if latin.chars().last().is_some_and(is_vowel) {
                    latin.pop();
                }
                latin.push(match c {
                    'ァ' => 'a',
                    'ィ' => 'i',
                    'ゥ' => 'u',
                    'ェ' => 'e',
                    _ => 'o',
                });
            }
            c => {
                let Some((_, syllable)) = SYLLABLES.iter().find(|(kana, _)| *kana == c) else { continue };
                if std::mem::take(&mut double_next) {
                    latin.extend(syllable.chars().next());
                }
                latin.push_str(syllable);
            }
        }
    }
    latin
}

#[rustfmt::skip]
const SYLLABLES: &[(char, &str)] = &[
    ('ア', "a"), ('イ', "i"), ('ウ', "u"), ('エ', "e"), ('オ', "o"),
    ('カ', "ka"), ('キ', "ki"), ('ク', "ku"), ('ケ', "ke"), ('コ', "ko"),
    ('ガ', "ga"), ('ギ', "gi"), ('グ', "gu"), ('ゲ', "ge"), ('ゴ', "go"),
    ('サ', "sa"), ('シ', "shi"), ('ス', "su"), ('セ', "se"), ('ソ', "so"),
    ('ザ', "za"), ('ジ', "ji"), ('ズ', "zu"), ('ゼ', "ze"), ('ゾ', "zo"),
    ('タ', "ta"), ('チ', "chi"), ('ツ', "tsu"), ('テ', "te"), ('ト', "to"),
    ('ダ', "da"), ('ヂ', "ji"), ('ヅ', "zu"), ('デ', "de"), ('ド', "do"),
    ('ナ', "na"), ('ニ', "ni"), ('ヌ', "nu"), ('ネ', "ne"), ('ノ', "no"),
    ('ハ', "ha"), ('ヒ', "hi"), ('フ', "fu"), ('ヘ', "he"), ('ホ', "ho"),
    ('バ', "ba"), ('ビ', "bi"), ('ブ', "bu"), ('ベ', "be"), ('ボ', "bo"),
    ('パ', "pa"), ('ピ', "pi"), ('プ', "pu"), ('ペ', "pe"), ('ポ', "po"),
    ('マ', "ma"), ('ミ', "mi"), ('ム', "mu"), ('メ', "me"), ('モ', "mo"),
    ('ヤ', "ya"), ('ユ', "yu"), ('ヨ', "yo"),
    ('ラ', "ra"), ('リ', "ri"), ('ル', "ru"), ('レ', "re"), ('ロ', "ro"),
    ('ワ', "wa"), ('ヰ', "i"), ('ヱ', "e"), ('ヲ', "o"), ('ン', "n"), ('ヴ', "vu"),
];

/// A word of an Indic script in Latin letters. The scripts of India share one layout in Unicode, block by block, so that one table
/// reads Devanagari, Bengali, Gurmukhi, Gujarati, Odia, Tamil, Telugu, Kannada and Malayalam. `None` when it is none of them.
pub(crate) fn indic_to_latin(word: &str) -> Option<String> {
    let place = |c: char| matches!(c, '\u{900}'..='\u{D7F}').then_some((c as u32 & 0x7F) as u8);
    let letters: Vec<u8> =
        word.chars().filter(|c| !matches!(c, '\u{200C}' | '\u{200D}')).map(place).collect::<Option<_>>()?;
    let mut latin = String::with_capacity(word.len());
    for (i, letter) in letters.iter().enumerate() {
        let next = letters.get(i + 1).copied();
        match letter {
            0x05..=0x14 => latin.push_str(VOWELS[usize::from(letter - 0x05)]),
            0x15..=0x39 | 0x58..=0x5F => {
                let dotted = next == Some(0x3C);
                latin.push_str(consonant(*letter, dotted));
                let after = if dotted { letters.get(i + 2).copied() } else { next };
                // A consonant carries an `a` unless a vowel sign, a virama or the end of the word says otherwise.
                if after.is_some_and(|after| !matches!(after, 0x3E..=0x4D)) {
                    latin.push('a');
                }
            }
            0x3E..=0x4C => latin.push_str(SIGNS[usize::from(letter - 0x3E)]),
            0x01 | 0x02 => latin.push('n'),
            0x03 => latin.push('h'),
            _ => {}
        }
    }
    Some(latin)
}

const VOWELS: [&str; 16] =
    ["a", "aa", "i", "ee", "u", "oo", "ri", "li", "e", "e", "e", "ai", "o", "o", "o", "au"];
const SIGNS: [&str; 15] = ["aa", "i", "ee", "u", "oo", "ri", "ri", "e", "e", "e", "ai", "o", "o", "o", "au"];

fn consonant(letter: u8, dotted: bool) -> &'static str {
    #[rustfmt::skip]
    const PLAIN: [&str; 37] = [
        "k", "kh", "g", "gh", "n", "ch", "chh", "j", "jh", "n", "t", "th", "d", "dh", "n", "t", "th", "d", "dh", "n", "n",
        "p", "ph", "b", "bh", "m", "y", "r", "r", "l", "l", "l", "v", "sh", "sh", "s", "h",
    ];
    match (letter, dotted) {
        (0x58, _) | (0x15, true) => "q",
        (0x5B, _) | (0x1C, true) => "z",
        (0x5C | 0x5D, _) | (0x21 | 0x22, true) => "r",
        (0x5E, _) | (0x2B, true) => "f",
        (0x59, _) => "kh",
        (0x5A, _) => "gh",
        (0x5F, _) => "y",
        (0x15..=0x39, _) => PLAIN[usize::from(letter - 0x15)],
        _ => "",
    }
}

/// The consonants of a word in Arabic script, as [`consonants`] gives them for Latin. `None` when it is not Arabic.
pub(crate) fn arabic_consonants(word: &str) -> Option<String> {
    if !word.chars().any(|c| matches!(c, '\u{600}'..='\u{6FF}')) {
        return None;
    }
    // The article is written with the name, and left out as often as not.
    let word = word.strip_prefix("ال").filter(|rest| rest.chars().count() >= 3).unwrap_or(word);
    let mut bare = String::new();
    for (i, c) in word.chars().enumerate() {
        let letter = match c {
            'ب' | 'پ' => 'b',
            'ت' | 'ث' | 'ط' => 't',
            'ج' | 'چ' => 'j',
            'ح' | 'ه' => 'h',
            'خ' | 'ق' | 'ك' | 'ک' => 'k',
            'د' | 'ذ' | 'ض' => 'd',
            'ر' => 'r',
            'ز' | 'س' | 'ش' | 'ص' | 'ظ' => 's',
            'غ' | 'گ' => 'g',
            'ف' => 'f',
            'ل' => 'l',
            'م' => 'm',
            'ن' => 'n',
            'ا' | 'أ' | 'إ' | 'آ' | 'ع' | 'ء' | 'و' | 'ي' | 'ی' if i == 0 => 'a',
            _ => continue,
        };
        if !bare.ends_with(letter) {
            bare.push(letter);
        }
    }
    // A closed teh is folded to a heh, and not heard.
    if bare.len() > 2 && word.ends_with(['ه', 'ة']) && bare.ends_with('h') {
        bare.pop();
    }
    Some(bare)
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// What is heard of a plain Latin word: long vowels short, doubled letters single, the spellings of one sound as one.
pub(crate) fn sound(word: &str) -> String {
    japanese_sound(word).unwrap_or_else(|| general_sound(word))
}

/// The sound of a word made of Japanese syllables only, whichever romanisation wrote it: `Shouko`, `Shoko`, `Syoko` are `syoko`.
fn japanese_sound(word: &str) -> Option<String> {
    const ONSETS: [(&str, &str); 32] = [
        ("tch", "ty"),
        ("sh", "sy"),
        ("ch", "ty"),
        ("ts", "t"),
        ("ky", "ky"),
        ("gy", "gy"),
        ("sy", "sy"),
        ("zy", "zy"),
        ("jy", "zy"),
        ("ty", "ty"),
        ("dy", "zy"),
        ("ny", "ny"),
        ("hy", "hy"),
        ("by", "by"),
        ("py", "py"),
        ("my", "my"),
        ("ry", "ry"),
        ("k", "k"),
        ("g", "g"),
        ("s", "s"),
        ("z", "z"),
        ("j", "zy"),
        ("t", "t"),
        ("d", "d"),
        ("n", "n"),
        ("h", "h"),
        ("f", "h"),
        ("b", "b"),
        ("p", "p"),
        ("m", "m"),
        ("r", "r"),
        ("w", "w"),
    ];
    let mut heard = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let bytes = rest.as_bytes();
        // A nasal, also written `m` before b, m and p; and the first half of a doubled consonant.
        let next = bytes.get(1).copied().unwrap_or(b' ');
        let nasal =
            bytes[0] == b'n' && !b"aeiouy".contains(&next) || bytes[0] == b'm' && b"bmp".contains(&next);
        if nasal {
            heard.push('n');
            rest = &rest[1..];
            continue;
        }
        if bytes[0] == next && b"kstpgzdb".contains(&bytes[0]) {
            rest = &rest[1..];
            continue;
        }
        if bytes[0] == b'h' && heard.ends_with('o') && !b"aeiouy".contains(&next) {
            rest = &rest[1..];
            continue;
        }
        let onset = ONSETS.iter().find(|(written, _)| rest.starts_with(written));
        let (written, heard_onset) =
            onset.copied().or((bytes[0] == b'y').then_some(("y", "y"))).unwrap_or(("", ""));
        let after = &rest[written.len()..];
        let vowel = after.chars().next().filter(|c| is_vowel(*c))?;
        if written == "f" && vowel != 'u' {
            return None;
        }
        let lengthens = written.is_empty()
            && heard.chars().last().is_some_and(|before| before == vowel || (before == 'o' && vowel == 'u'));
        if !lengthens {
            // `shi` and `si`, `ji` and `zi` are one syllable, and so are `sho` and `siyo` where small letters are lost.
            let softened = heard_onset.ends_with('y') && heard_onset.len() == 2 && vowel == 'i';
            let absorbs = heard_onset == "y" && heard.len() >= 2 && heard.ends_with('i');
            if absorbs {
                heard.pop();
            }
            heard.push_str(if softened { &heard_onset[..1] } else { heard_onset });
            heard.push(vowel);
        }
        rest = &after[1..];
    }
    Some(heard)
}

/// The sound of a word of any language.
pub(crate) fn general_sound(word: &str) -> String {
    const PAIRS: [(&str, char); 22] = [
        ("ph", 'f'),
        ("sh", 's'),
        ("th", 't'),
        ("kh", 'k'),
        ("gh", 'g'),
        ("dh", 'd'),
        ("bh", 'b'),
        ("jh", 'j'),
        ("ck", 'k'),
        ("aa", 'a'),
        ("ee", 'i'),
        ("ie", 'i'),
        ("ii", 'i'),
        ("oo", 'u'),
        ("ou", 'u'),
        ("uu", 'u'),
        ("ai", 'e'),
        ("ay", 'e'),
        ("ei", 'e'),
        ("ey", 'e'),
        ("au", 'o'),
        ("aw", 'o'),
    ];
    let mut heard = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let (letter, length) = match PAIRS.iter().find(|(written, _)| rest.starts_with(written)) {
            Some((_, letter)) => (*letter, 2),
            None => {
                let letter = match first {
                    'c' | 'q' => 'k',
                    'w' => 'v',
                    'y' => 'i',
                    'z' => 's',
                    'x' => 'k',
                    other => other,
                };
                (letter, first.len_utf8())
            }
        };
        if !heard.ends_with(letter) {
            heard.push(letter);
        }
        rest = &rest[length..];
    }
    if heard.len() > 2 && heard.ends_with('h') && heard[..heard.len() - 1].ends_with(is_vowel) {
        heard.pop();
    }
    heard
}

/// The consonants of a plain Latin word, as a script without short vowels would keep them; an opening vowel is `a`.
pub(crate) fn consonants(word: &str) -> String {
    let word = ["al", "el", "ul"]
        .iter()
        .find_map(|article| word.strip_prefix(article))
        .filter(|rest| rest.len() >= 4)
        .unwrap_or(word);
    let mut bare = String::with_capacity(word.len());
    for (i, c) in general_sound(&word.replace('w', "")).chars().enumerate() {
        let letter = match c {
            'a' | 'e' | 'i' | 'o' | 'u' if i == 0 => 'a',
            'a' | 'e' | 'i' | 'o' | 'u' => continue,
            c => c,
        };
        if !bare.ends_with(letter) {
            bare.push(letter);
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn romanisations_of_one_name_sound_alike() {
        for (one, other) in [
            ("shouko", "shoko"),
            ("shoko", "syoko"),
            ("satoh", "satou"),
            ("sato", "satoo"),
            ("tsuchiya", "tutiya"),
            ("jun", "zyun"),
            ("shimbun", "shinbun"),
            ("fujio", "huzio"),
            ("yuuki", "yuki"),
            ("hattori", "hatori"),
        ] {
            assert_eq!(sound(one), sound(other), "{one} {other}");
        }
        for (one, other) in [("ono", "ohana"), ("keiko", "kaiko"), ("yuki", "yoki")] {
            assert_ne!(sound(one), sound(other), "{one} {other}");
        }
    }

    #[test]
    fn a_reading_sounds_like_its_romanisation() {
        for (kana, latin) in [
            ("タカハシ", "takahashi"),
            ("ショウコ", "shoko"),
            ("サトウ", "satoh"),
            ("ジュンイチ", "junichi"),
            ("ハットリ", "hattori"),
            ("キョウスケ", "kyosuke"),
            ("リョータ", "ryota"),
            ("シヨウコ", "shoko"),
        ] {
            assert_eq!(sound(&kana_to_latin(kana)), sound(latin), "{kana}");
        }
    }

    #[test]
    fn indian_spellings_sound_alike_and_like_the_script() {
        for (one, other) in
            [("vijay", "wijay"), ("seeta", "sita"), ("shobha", "soba"), ("aarti", "arti"), ("pooja", "puja")]
        {
            assert_eq!(general_sound(one), general_sound(other), "{one} {other}");
        }
        for (script, latin) in
            [("शर्मा", "sharma"), ("सीता", "sita"), ("राम", "ram"), ("पटेल", "patel"), ("রাম", "ram")]
        {
            let written = indic_to_latin(script).expect("an Indic script");
            assert_eq!(general_sound(&written), general_sound(latin), "{script} {written}");
        }
        assert_eq!(indic_to_latin("ram"), None);
    }

    #[test]
    fn arabic_spellings_share_their_consonants() {
        let muhammad = consonants("muhammad");
        for spelling in ["mohammed", "mohamad", "mohamed", "mohammad"] {
            assert_eq!(consonants(spelling), muhammad, "{spelling}");
        }
        for (script, latin) in [
            ("محمد", "mohammed"),
            ("احمد", "ahmad"),
            ("الخطيب", "khatib"),
            ("الخطيب", "alkhatib"),
            ("فاطمه", "fatimah"),
            ("عمر", "omar"),
            ("حسين", "hussein"),
            ("خالد", "khaled"),
        ] {
            assert_eq!(arabic_consonants(script).as_deref(), Some(consonants(latin).as_str()), "{script}");
        }
        assert_eq!(arabic_consonants("ahmad"), None);
    }
}
