//! Names as they are compared: every form folded once for each distinct name, so that comparing two is comparing numbers.

use super::fold::{Script, fold_han, fold_kana, fold_latin, fold_other, script};
use super::letters::{arabic_consonants, consonants, general_sound, indic_to_latin, kana_to_latin, sound};
use super::level::{ABSENT, DIFFERS, ONE_SIDED, Rarity, SAME, name};
use super::nicknames::long_form;
use super::profile::Spelled;
use super::texts::{QuickMap, Texts};

/// The number of a name; 0 is no name.
pub(crate) type NameId = u32;

/// A name in the forms that are compared, each by its number among the texts; 0 where the form is not known.
#[derive(Clone, Copy, Default)]
struct Forms {
    /// Folded, in a script other than Latin.
    written: u32,
    kana: u32,
    /// Latin letters, without spaces.
    latin: u32,
    sound: u32,
    /// The sound by the rules of no one language, where no reading is known: `Seeta` and `Sita` could be Japanese, and are not.
    elsewhere: u32,
    consonants: u32,
    /// The sound of the name that this is a short form of.
    long: u32,
    /// The sounds of its first words, where it has several.
    words: [u32; 3],
    latin_length: u16,
}

/// Names and their numbers.
pub(crate) struct Names {
    pub(crate) texts: Texts,
    spelled: QuickMap<Box<[u8]>, NameId>,
    forms: Vec<Forms>,
    buffer: Vec<u8>,
}

impl Names {
    pub(crate) fn new() -> Names {
        Names {
            texts: Texts::new(),
            spelled: QuickMap::default(),
            forms: vec![Forms::default()],
            buffer: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.forms.len()
    }

    /// The number of a name.
    pub(crate) fn number(&mut self, name: &Spelled<'_>) -> NameId {
        let Spelled { written, reading, latin } = name;
        if written.is_empty() && reading.is_empty() && latin.is_empty() {
            return 0;
        }
        if reading.is_empty()
            && latin.is_empty()
            && let Some(number) = self.spelled.get(written.as_bytes())
        {
            return *number;
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(written.as_bytes());
        if !(reading.is_empty() && latin.is_empty()) {
            self.buffer.push(0);
            self.buffer.extend_from_slice(reading.as_bytes());
            self.buffer.push(0);
            self.buffer.extend_from_slice(latin.as_bytes());
        }
        if let Some(number) = self.spelled.get(self.buffer.as_slice()) {
            return *number;
        }
        let forms = self.fold(name);
        // Spellings that fold to the same forms are one name.
        let key: Vec<u8> = [0xFF]
            .into_iter()
            .chain([forms.written, forms.kana, forms.latin].iter().flat_map(|text| text.to_le_bytes()))
            .collect();
        let number = match self.spelled.get(key.as_slice()) {
            Some(number) => *number,
            None if forms.written == 0 && forms.kana == 0 && forms.latin == 0 => 0,
            None => {
                let number = u32::try_from(self.forms.len()).expect("fewer names than 2^32 in one run");
                self.forms.push(forms);
                self.spelled.insert(key.into(), number);
                number
            }
        };
        self.spelled.insert(self.buffer.as_slice().into(), number);
        number
    }

    fn fold(&mut self, name: &Spelled<'_>) -> Forms {
        let mut forms = Forms::default();
        let mut words: Vec<String> = fold_latin(name.latin);
        let mut reading = name.reading;
        match script(name.written) {
            Some(Script::Latin) if words.is_empty() => words = fold_latin(name.written),
            Some(Script::Latin) | None => {}
            // Kana is how a name is read, also where it is all that is known: it is compared with readings.
            Some(Script::Kana) if reading.is_empty() => reading = name.written,
            Some(Script::Kana) => {}
            Some(Script::Han) => forms.written = self.texts.number(fold_han(name.written).as_bytes()),
            Some(Script::Other) => {
                let folded = without_titles(fold_other(name.written));
                forms.written = self.texts.number(folded.concat().as_bytes());
                if words.is_empty() {
                    words = folded.iter().filter_map(|word| indic_to_latin(word)).collect();
                }
                let arabic: Vec<String> = folded.iter().filter_map(|word| arabic_consonants(word)).collect();
                forms.consonants = self.texts.number(arabic.concat().as_bytes());
            }
        }
        let mut heard: Option<String> = None;
        if !reading.is_empty() {
            forms.kana = self.texts.number(fold_kana(reading).as_bytes());
            let read = kana_to_latin(&wide_kana(reading));
            heard = Some(sound(&read));
            if words.is_empty() {
                words = vec![read];
            }
        }
        words = without_titles(words);
        let latin = words.concat();
        if !latin.is_empty() {
            let heard = heard.unwrap_or_else(|| sound(&latin));
            forms.latin = self.texts.number(latin.as_bytes());
            forms.latin_length = latin.len().min(1_000) as u16;
            forms.sound = self.texts.number(heard.as_bytes());
            if forms.kana == 0 {
                forms.elsewhere = self.texts.number(general_sound(&latin).as_bytes());
            }
            if forms.consonants == 0 {
                // An article that stands apart is left out as often as not, like one that is written with the name.
                let is_article =
                    |word: &&String| words.len() > 1 && matches!(word.as_str(), "al" | "el" | "ul");
                let bare = words.iter().filter(|word| !is_article(word)).map(|word| consonants(word));
                let bare = bare.collect::<String>();
                forms.consonants = if bare.len() > 1 { self.texts.number(bare.as_bytes()) } else { 0 };
            }
            let long = long_form(&words[0]).map_or(heard, sound);
            forms.long = self.texts.number(long.as_bytes());
            if words.len() > 1 {
                let mut sounds = words.iter().filter(|word| word.len() > 1).map(|word| sound(word));
                forms.words = std::array::from_fn(|_| {
                    sounds.next().map_or(0, |word| self.texts.number(word.as_bytes()))
                });
            }
        }
        forms
    }

    /// What a name is counted by: its Latin letters, or else how it is written.
    pub(crate) fn key(&self, name: NameId) -> u32 {
        let forms = &self.forms[name as usize];
        if forms.latin != 0 { forms.latin } else { forms.written }
    }

    /// What is heard of a name, for blocking; how it is written where that is not known.
    pub(crate) fn sound(&self, name: NameId) -> u32 {
        let forms = &self.forms[name as usize];
        if forms.sound != 0 { forms.sound } else { forms.written }
    }

    /// The first letters of a name: enough to tell most names apart, and the same in most slips.
    pub(crate) fn opening(&self, name: NameId, letters: usize) -> u32 {
        let text = self.texts.get(self.key(name));
        text.iter().take(letters).fold(0, |all, byte| (all << 8) | u32::from(*byte))
    }

    /// How far two names agree, as a code of [`name`]; `share` and `rarity` tell how common a name is.
    pub(crate) fn compare(
        &self,
        a: NameId,
        b: NameId,
        share: impl Fn(NameId) -> u8,
        rarity: impl Fn(NameId) -> Rarity,
    ) -> u8 {
        if a == 0 || b == 0 {
            return if a == b { ABSENT } else { ONE_SIDED };
        }
        if a == b {
            return SAME + share(a);
        }
        let (x, y) = (&self.forms[a as usize], &self.forms[b as usize]);
        let both = |form: fn(&Forms) -> u32| form(x) != 0 && form(y) != 0;
        let agree = |form: fn(&Forms) -> u32| form(x) != 0 && form(x) == form(y);
        let same = if both(|f| f.written) {
            agree(|f| f.written)
        } else if both(|f| f.kana) {
            agree(|f| f.kana)
        } else {
            agree(|f| f.latin)
        };
        if same {
            return SAME + share(a).min(share(b));
        }
        let rarity = || rarity(a).min(rarity(b));
        if agree(|f| f.sound) || agree(|f| f.elsewhere) || agree(|f| f.kana) || agree(|f| f.latin) {
            return name::SOUND + rarity();
        }
        let slips = if both(|f| f.latin) { self.texts.slips(x.latin, y.latin) } else { None };
        let (short, long) = if x.latin_length <= y.latin_length { (x, y) } else { (y, x) };
        if slips == Some(1) && short.latin_length > 1 {
            return name::SLIP + rarity();
        }
        if agree(|f| f.consonants) {
            return name::CONSONANTS + rarity();
        }
        if slips == Some(2) && short.latin_length >= 5 {
            return name::NEAR + rarity();
        }
        if both(|f| f.latin) {
            let is_opening = self.texts.get(long.latin).starts_with(self.texts.get(short.latin));
            if is_opening && short.latin_length == 1 {
                return name::INITIAL;
            }
            if (is_opening && short.latin_length >= 3) || agree(|f| f.long) {
                return name::SHORT + rarity();
            }
            let is_word = |word: &u32| *word != 0 && (y.words.contains(word) || y.sound == *word);
            if x.words.iter().any(is_word) || (x.sound != 0 && y.words.contains(&x.sound)) {
                return name::PART;
            }
        }
        DIFFERS
    }
}

/// The words of a name without what people are called by; a title alone is a name.
fn without_titles(mut words: Vec<String>) -> Vec<String> {
    const TITLES: &[&str] = &[
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "prof",
        "sir",
        "shri",
        "shree",
        "sri",
        "smt",
        "shrimati",
        "kum",
        "haji",
        "hajji",
        "sheikh",
        "श्री",
        "श्रीमती",
        "डॉ",
        "कु",
        "السيد",
        "السيده",
        "الحاج",
        "الحاجه",
        "الدكتور",
        "د",
    ];
    if words.len() > 1 && TITLES.contains(&words[0].as_str()) {
        words.remove(0);
    }
    words
}

/// Katakana of full width with its small letters.
fn wide_kana(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfkc()
        .map(|c| match c {
            'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            c => c,
        })
        .collect()
}
