//! Whether the holder of an account is this resident. Banks write names in their own ways: half-width katakana without small
//! letters, capitals without marks, one glyph of a character for another. What differs only so is the same name; a holder who is
//! somebody else is refused, and what could be either waits for a person.
//!
//! The answers carry no personal data: they may be shown to the payments office, logged and counted.

use unicode_normalization::UnicodeNormalization;

use crate::linkage::fold::{
    Script, fold_han, fold_kana, fold_latin, fold_other, is_foreign_to_kana, script, short_kana, short_latin,
};
use crate::linkage::similar::one_letter_apart;
use crate::{Name, Particulars};

/// What a bank's name of an account holder says about a resident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HolderMatch {
    /// It is her name.
    Same(Evidence),
    /// It may be hers; a person must look.
    Review(Doubt),
    /// It is another person's name.
    Different(Difference),
}

/// Which form of the name agreed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Evidence {
    /// The reading, apart from width, small letters and spaces.
    #[error("the reading agrees")]
    Reading,
    /// The form in Latin letters, apart from case, order, marks and spaces.
    #[error("the name in Latin letters agrees")]
    Latin,
    /// The name as written, apart from variant glyphs and spaces.
    #[error("the name as written agrees")]
    Written,
}

/// Why a person must look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Doubt {
    /// The register does not hold the name in the script that the bank uses.
    #[error("the register does not hold the name in the script that the bank writes")]
    NothingToCompare,
    /// Equal once long and short vowels are taken for the same: often one name, sometimes two.
    #[error("the names differ in the length of a vowel only")]
    VowelLength,
    /// A part of the name is missing on one side, such as a middle name.
    #[error("a part of the name is missing on one side")]
    PartMissing,
    /// A part of the name is an initial.
    #[error("a part of the name is given by its first letter only")]
    Initial,
    /// One letter differs in a long name: a typing error, or a relative.
    #[error("one letter of a long name differs")]
    OneLetter,
}

/// Why it is another person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Difference {
    /// The bank gave no name.
    #[error("the bank gave no name of the holder")]
    NoName,
    /// The family name agrees, the given name does not: a relative.
    #[error("the family name agrees, the given name is another")]
    GivenName,
    /// The given name agrees, the family name does not.
    #[error("the given name agrees, the family name is another")]
    FamilyName,
    /// Neither agrees.
    #[error("the name is another")]
    Name,
}

impl HolderMatch {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            HolderMatch::Same(Evidence::Reading) => "same-reading",
            HolderMatch::Same(Evidence::Latin) => "same-latin",
            HolderMatch::Same(Evidence::Written) => "same-written",
            HolderMatch::Review(Doubt::NothingToCompare) => "nothing-to-compare",
            HolderMatch::Review(Doubt::VowelLength) => "vowel-length",
            HolderMatch::Review(Doubt::PartMissing) => "part-missing",
            HolderMatch::Review(Doubt::Initial) => "initial",
            HolderMatch::Review(Doubt::OneLetter) => "one-letter",
            HolderMatch::Different(Difference::NoName) => "no-name",
            HolderMatch::Different(Difference::GivenName) => "given-name-differs",
            HolderMatch::Different(Difference::FamilyName) => "family-name-differs",
            HolderMatch::Different(Difference::Name) => "name-differs",
        }
    }
}

/// The explanation in plain words, without personal data.
impl std::fmt::Display for HolderMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HolderMatch::Same(evidence) => evidence.fmt(f),
            HolderMatch::Review(doubt) => doubt.fmt(f),
            HolderMatch::Different(difference) => difference.fmt(f),
        }
    }
}

/// Compares the name that a bank holds an account under with a resident's, in the script that the bank uses.
pub fn compare_holder(resident: &Particulars, holder: &str) -> HolderMatch {
    let holder: String = holder.nfkc().collect();
    match script(&holder) {
        None => HolderMatch::Different(Difference::NoName),
        Some(Script::Kana) => match resident.reading.as_ref().or(written_in(resident, Script::Kana)) {
            Some(name) => spoken(name, &holder),
            None => HolderMatch::Review(Doubt::NothingToCompare),
        },
        Some(Script::Latin) => match resident.latin.as_ref().or(written_in(resident, Script::Latin)) {
            Some(name) => lettered(name, &holder, Evidence::Latin, fold_latin),
            None => HolderMatch::Review(Doubt::NothingToCompare),
        },
        Some(Script::Han) if written_in(resident, Script::Han).is_some() => written(&resident.name, &holder),
        Some(Script::Other) if written_in(resident, Script::Other).is_some() => {
            lettered(&resident.name, &holder, Evidence::Written, fold_other)
        }
        Some(Script::Han | Script::Other) => HolderMatch::Review(Doubt::NothingToCompare),
    }
}

fn written_in(resident: &Particulars, wanted: Script) -> Option<&Name> {
    let Name { family, given } = &resident.name;
    (script(&[family.as_str(), given].concat()) == Some(wanted)).then_some(&resident.name)
}

/// Compares readings. Spaces say nothing: banks leave them out and put them in.
fn spoken(name: &Name, holder: &str) -> HolderMatch {
    let (family, given, holder) = (fold_kana(&name.family), fold_kana(&name.given), fold_kana(holder));
    if [&family, &given].iter().any(|part| part.contains(is_foreign_to_kana)) {
        return HolderMatch::Review(Doubt::NothingToCompare);
    }
    let whole = |fold: fn(&str) -> String| {
        let (family, given, holder) = (fold(&family), fold(&given), fold(&holder));
        holder == [family.as_str(), &given].concat() || holder == [given.as_str(), &family].concat()
    };
    if whole(str::to_owned) {
        HolderMatch::Same(Evidence::Reading)
    } else if whole(short_kana) {
        HolderMatch::Review(Doubt::VowelLength)
    } else {
        HolderMatch::Different(which(&family, &given, &holder))
    }
}

/// Compares names as written in Han characters.
fn written(name: &Name, holder: &str) -> HolderMatch {
    let (family, given, holder) = (fold_han(&name.family), fold_han(&name.given), fold_han(holder));
    if holder == [family.as_str(), &given].concat() || holder == [given.as_str(), &family].concat() {
        HolderMatch::Same(Evidence::Written)
    } else {
        HolderMatch::Different(which(&family, &given, &holder))
    }
}

/// Which part is another, where words are not told apart by spaces.
fn which(family: &str, given: &str, holder: &str) -> Difference {
    let has = |part: &str| !part.is_empty() && (holder.starts_with(part) || holder.ends_with(part));
    match (has(family), has(given)) {
        (true, false) => Difference::GivenName,
        (false, true) => Difference::FamilyName,
        _ => Difference::Name,
    }
}

/// Compares names in an alphabet, word by word and in any order.
fn lettered(name: &Name, holder: &str, evidence: Evidence, fold: fn(&str) -> Vec<String>) -> HolderMatch {
    let (family, given, mut holder) = (fold(&name.family), fold(&name.given), fold(holder));
    let mut own: Vec<String> = family.iter().chain(&given).cloned().collect();
    own.sort();
    holder.sort();
    // Compared without spaces too: `de la Cruz` is `DELACRUZ` at many banks.
    let run_together = [[&family[..], &given].concat().concat(), [&given[..], &family].concat().concat()];
    let holder_is_one_word = holder.len() == 1 && run_together.contains(&holder[0]);
    if own == holder || holder_is_one_word {
        return HolderMatch::Same(evidence);
    }
    let short = |words: &[String]| {
        let mut words: Vec<String> = words.iter().map(|word| short_latin(word)).collect();
        words.sort();
        words
    };
    if evidence == Evidence::Latin && short(&own) == short(&holder) {
        return HolderMatch::Review(Doubt::VowelLength);
    }
    let missing = |all: &[String], some: &[String]| some.iter().all(|word| all.contains(word));
    let of_each = |part: &[String]| part.is_empty() || part.iter().any(|word| holder.contains(word));
    if of_each(&family) && of_each(&given) && (missing(&own, &holder) || missing(&holder, &own)) {
        return HolderMatch::Review(Doubt::PartMissing);
    }
    if let Some(doubt) = nearly(&own, &holder) {
        return HolderMatch::Review(doubt);
    }
    HolderMatch::Different(match (of_each(&family), of_each(&given)) {
        (true, false) => Difference::GivenName,
        (false, true) => Difference::FamilyName,
        _ => Difference::Name,
    })
}

/// The same number of words, all alike but one, which is an initial or has one letter changed.
fn nearly(own: &[String], holder: &[String]) -> Option<Doubt> {
    if own.len() != holder.len() || own.len() < 2 {
        return None;
    }
    let only = |words: &[String], others: &[String]| -> Vec<String> {
        words.iter().filter(|word| !others.contains(word)).cloned().collect()
    };
    let (mine, theirs) = (only(own, holder), only(holder, own));
    let ([mine], [theirs]) = (mine.as_slice(), theirs.as_slice()) else { return None };
    let is_initial = |a: &str, b: &str| a.chars().count() == 1 && b.starts_with(a);
    if is_initial(mine, theirs) || is_initial(theirs, mine) {
        return Some(Doubt::Initial);
    }
    // Ann and Ana, Omar and Umar are different people: only in long words is one letter a slip of the pen.
    let long = mine.chars().count().min(theirs.chars().count()) >= 6;
    (long && one_letter_apart(mine, theirs)).then_some(Doubt::OneLetter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kaname_base::pack::Pack;

    fn person(cells: [&str; 6], country: &str) -> Particulars {
        let [family_name, given_name, family_reading, given_reading, family_latin, given_latin] = cells;
        let entry = crate::Entry {
            family_name,
            given_name,
            family_reading,
            given_reading,
            family_latin,
            given_latin,
            birth_date: "1980-04-21",
            sex: "F",
            status: "foreign",
            ..crate::Entry::default()
        };
        let pack = Pack::load_shipped(country).expect("the pack is shipped");
        Particulars::check(&entry, &pack, jiff::civil::date(2026, 1, 1)).expect("a good entry")
    }

    fn check(person: &Particulars, cases: &[(&str, &str)]) {
        for (holder, code) in cases {
            assert_eq!(compare_holder(person, holder).code(), *code, "{holder}");
        }
    }

    #[test]
    fn japanese_names_as_banks_write_them() {
        let shoko = person(["髙橋", "翔子", "タカハシ", "ショウコ", "Takahashi", "Shoko"], "japan");
        check(
            &shoko,
            &[
                ("ﾀｶﾊｼ ｼﾖｳｺ", "same-reading"),
                ("タカハシショウコ", "same-reading"),
                ("たかはし しょうこ", "same-reading"),
                ("ショウコ　タカハシ", "same-reading"),
                ("ﾀｶﾊｼ ｼﾖｺ", "vowel-length"),
                ("タカハシ ショーコ", "vowel-length"),
                ("高橋 翔子", "same-written"),
                ("髙橋翔子", "same-written"),
                ("TAKAHASHI SHOKO", "same-latin"),
                ("Shoko Takahashi", "same-latin"),
                ("SHOKOTAKAHASHI", "same-latin"),
                ("TAKAHASHI SHOUKO", "vowel-length"),
                ("TAKAHASHI S", "initial"),
                ("TAKAHASI SHOKO", "one-letter"),
                ("ﾀｶﾊｼ ｹﾝﾀ", "given-name-differs"),
                ("高橋 健太", "given-name-differs"),
                ("ｽｽﾞｷ ｼﾖｳｺ", "family-name-differs"),
                ("ｽｽﾞｷ ｲﾁﾛｳ", "name-differs"),
                ("SUZUKI ICHIRO", "name-differs"),
                ("TAKAHASHI KENTA", "given-name-differs"),
                ("タカハシ", "given-name-differs"),
                ("", "no-name"),
                ("  12-3", "no-name"),
                ("محمد", "nothing-to-compare"),
            ],
        );
        let ono = person(["大野", "優", "オオノ", "ユウ", "", ""], "japan");
        check(
            &ono,
            &[
                ("ｵﾉ ﾕｳ", "vowel-length"),
                ("小野 優", "family-name-differs"),
                ("ONO YU", "nothing-to-compare"),
            ],
        );
        let jun = person(["小野", "純", "オノ", "ジュン", "", ""], "japan");
        check(
            &jun,
            &[("ｵﾉ ｼﾞﾕﾝ", "same-reading"), ("ｵﾉ ｼﾕﾝ", "given-name-differs"), ("ｵｵﾉ ｼﾞﾕﾝ", "vowel-length")],
        );
    }

    #[test]
    fn names_in_other_scripts() {
        let zoe = person(["Müller-O'Neil", "Zoë Anne", "", "", "", ""], "uk");
        check(
            &zoe,
            &[
                ("MULLER ONEIL ZOE ANNE", "same-latin"),
                ("Zoe Anne Muller-O’Neil", "same-latin"),
                ("Zoe Muller-Oneil", "part-missing"),
                ("Z Anne Muller ONeil", "initial"),
                ("Tom Muller ONeil", "given-name-differs"),
                ("Zoe Anne Smith", "family-name-differs"),
                ("Tom Smith", "name-differs"),
            ],
        );
        let ahmad = person(["الخطيب", "أحمد محمد", "", "", "Al-Khatib", "Ahmad Mohammad"], "jordan");
        check(
            &ahmad,
            &[
                ("احمد محمد الخطيب", "same-written"),
                ("AHMAD MOHAMMAD AL KHATIB", "same-latin"),
                ("احمد الخطيب", "part-missing"),
                ("خالد عمر الخطيب", "given-name-differs"),
                ("Omar Haddad", "name-differs"),
            ],
        );
        let sita = person(["शर्मा", "सीता", "", "", "Sharma", "Sita"], "india");
        check(
            &sita,
            &[
                ("सीता शर्मा", "same-written"),
                ("SITA SHARMA", "same-latin"),
                ("राम शर्मा", "given-name-differs"),
            ],
        );
    }

    #[test]
    fn the_answer_tells_nothing_of_the_person() {
        let shoko = person(["髙橋", "翔子", "タカハシ", "ショウコ", "Takahashi", "Shoko"], "japan");
        for holder in ["ﾀｶﾊｼ ｹﾝﾀ", "高橋 翔子", "TAKAHASI SHOKO", "x"] {
            let answer = compare_holder(&shoko, holder);
            let shown = format!("{answer} {answer:?}");
            for part in ["髙橋", "高橋", "Takahashi", "TAKAHASI", "Shoko", "ﾀｶﾊｼ", "タカハシ"]
            {
                assert!(!shown.contains(part), "{shown}");
            }
        }
    }
}
