//! The rules of an entry, as a table.

use jiff::civil::date;
use kaname_base::pack::Pack;
use kaname_person::{Entry, Field, Particulars};
use proptest::prelude::*;

use crate::world::jane;

#[test]
fn a_rule_that_is_broken_is_named() {
    let cases: &[(&str, Field, &str, &str)] = &[
        ("example", Field::FamilyName, &"x".repeat(61), "too-long"),
        ("example", Field::FamilyName, "=1+1", "formula"),
        ("example", Field::FamilyName, "＝1+1", "formula"),
        ("example", Field::GivenName, "+x", "formula"),
        ("example", Field::City, "-2", "formula"),
        ("example", Field::Address, "@SUM(A1)", "formula"),
        ("example", Field::Address, "\tx", "formula"),
        ("example", Field::Address, "\rx", "formula"),
        ("example", Field::Reference, " =x", "formula"),
        ("example", Field::Email, "=x@example.org", "formula"),
        ("example", Field::Phone, "=1", "formula"),
        ("example", Field::Phone, "+1+cmd|' /C calc'!A0", "not-a-phone"),
        ("example", Field::Phone, "++44 20", "not-a-phone"),
        ("example", Field::Phone, "12", "not-a-phone"),
        ("example", Field::FamilyName, "a\u{0}b", "control-character"),
        ("example", Field::FamilyName, "a\nb", "control-character"),
        ("example", Field::FamilyName, "a\u{202E}b", "control-character"),
        ("example", Field::FamilyName, "\u{AD}", "control-character"),
        ("example", Field::FamilyName, "\u{3164}\u{3164}", "control-character"),
        ("example", Field::GivenName, "a\u{61C}b", "control-character"),
        ("example", Field::Reference, "A\u{34F}1", "control-character"),
        ("example", Field::Reference, "A1\u{E0041}", "control-character"),
        ("example", Field::Address, "\u{2003}=1+1", "formula"),
        ("example", Field::Address, "\u{2009}\u{A0}@x", "formula"),
        ("example", Field::BirthDate, "", "missing"),
        ("example", Field::BirthDate, "21/04/1980", "date-form"),
        ("example", Field::BirthDate, "1981-02-29", "no-such-day"),
        ("example", Field::BirthDate, "2026-01-02", "in-future"),
        ("example", Field::Sex, "", "missing"),
        ("example", Field::Sex, "f", "unknown-code"),
        ("example", Field::Status, "alien", "unknown-code"),
        ("example", Field::Email, "jane", "not-an-email"),
        ("example", Field::Email, "a b@example.org", "not-an-email"),
        ("example", Field::FamilyReading, "スミス", "not-recorded"),
        ("japan", Field::FamilyReading, "", "missing"),
        ("japan", Field::GivenReading, "", "missing"),
        ("japan", Field::FamilyReading, "Smith", "not-kana"),
        ("japan", Field::FamilyLatin, "スミス", "not-latin"),
        ("india", Field::GivenLatin, "", "missing"),
    ];
    for (country, field, text, code) in cases {
        let fault = check(country, *field, text).expect_err(&format!("{country} {field} {text:?}"));
        assert_eq!((fault.reason.code(), fault.field), (*code, *field), "{text:?}");
        assert!(
            text.is_empty() || text.len() < 3 || !fault.to_string().contains(text),
            "{fault} tells the value"
        );
    }
}

#[test]
fn what_keeps_the_rules_is_taken() {
    for (country, field, text) in [
        ("example", Field::FamilyName, ""),
        ("example", Field::FamilyName, "O'Neil-Smith"),
        ("example", Field::FamilyName, "  Smith\u{3000}"),
        ("example", Field::FamilyName, "می\u{200C}خواهم"),
        ("example", Field::BirthDate, "1980"),
        ("example", Field::Phone, "+81 (90) 1234-5678"),
        ("example", Field::Phone, ""),
        ("example", Field::Address, ""),
        ("japan", Field::FamilyReading, "ｽﾐｽ"),
        ("japan", Field::FamilyReading, "すみす"),
        ("japan", Field::FamilyLatin, "Ōno"),
    ] {
        check(country, field, text).unwrap_or_else(|fault| panic!("{country} {text:?}: {fault}"));
    }
    let neither = Entry { family_name: "", given_name: " ", ..jane() };
    let pack = Pack::load_shipped("example").expect("shipped");
    let fault = Particulars::check(&neither, &pack, date(2026, 1, 1)).expect_err("no name");
    assert_eq!(fault.reason.code(), "missing-name");
}

fn check(country: &str, field: Field, text: &str) -> Result<Particulars, kaname_person::Fault> {
    let pack = Pack::load_shipped(country).expect("the pack is shipped");
    let mut entry = jane();
    if country == "japan" {
        (entry.family_reading, entry.given_reading) = ("スミス", "ジェーン");
    }
    if country == "india" {
        (entry.family_latin, entry.given_latin) = ("Smith", "Jane");
    }
    entry.set(field, text);
    Particulars::check(&entry, &pack, date(2026, 1, 1))
}

proptest! {
    #[test]
    fn no_text_ever_gets_in_that_a_spreadsheet_would_run(text in "[ =+@\t\r＝＋－＠a1-]{0,6}") {
        for field in [Field::FamilyName, Field::Address, Field::Reference, Field::Email] {
            let mut entry = jane();
            entry.set(field, &text);
            let pack = Pack::load_shipped("example").expect("shipped");
            if let Ok(kept) = Particulars::check(&entry, &pack, date(2026, 1, 1)) {
                let all = serde_json::to_value(&kept).expect("plain data");
                let cells = [&all["name"]["family"], &all["address"]["line"], &all["reference"], &all["email"]];
                for cell in cells {
                    let cell = cell.as_str().unwrap_or("");
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']), "{cell:?}");
                }
            }
        }
    }
}
