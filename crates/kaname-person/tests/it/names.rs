//! Names come out of the register as they went in, glyph by glyph; what is no glyph does not get in.

use jiff::civil::date;
use kaname_base::pack::Pack;
use kaname_person::{Entry, Particulars, Resident};
use proptest::prelude::*;

use crate::world::jane;

fn keep(text: &str) -> Result<String, &'static str> {
    let pack = Pack::load_shipped("example").expect("shipped");
    let entry = Entry { family_name: text, ..jane() };
    match Particulars::check(&entry, &pack, date(2026, 1, 1)) {
        Ok(kept) => Ok(kept.name.family),
        Err(fault) => Err(fault.reason.code()),
    }
}

#[test]
fn a_glyph_is_kept_as_it_was_written() {
    // Unified look-alikes, compatibility ideographs that NFC would exchange, ideographic and standardised variation sequences.
    for name in [
        "髙橋",
        "﨑山",
        "\u{FA19}田",
        "塚\u{FA10}",
        "\u{F929}",
        "\u{2F81A}",
        "葛\u{E0100}",
        "辻\u{E0101}",
        "神\u{FE00}",
        "𠮷野",
        "\u{FA19}\u{E0100}",
    ] {
        assert_eq!(keep(name).as_deref(), Ok(name), "{:?}", name.escape_unicode().to_string());
    }
    // What is the same letter in another form is composed.
    assert_eq!(keep("E\u{301}tienne").as_deref(), Ok("Étienne"));
    assert_eq!(keep("\u{FA19}か\u{3099}").as_deref(), Ok("\u{FA19}が"));
}

#[test]
fn no_stand_in_is_taken_for_a_character() {
    for name in ["〓田", "\u{FFFD}野", "\u{E000}崎", "\u{F0001}"] {
        assert_eq!(keep(name), Err("placeholder"));
    }
}

proptest! {
    #[test]
    fn keeping_a_name_twice_changes_nothing(text in "\\PC{0,12}") {
        if let Ok(kept) = keep(&text) {
            prop_assert_eq!(keep(&kept), Ok(kept.clone()));
        }
    }

    #[test]
    fn no_ideograph_is_exchanged_for_another(name in "[\u{4E00}-\u{4E0F}\u{F900}-\u{FAD9}\u{2F800}-\u{2FA1D}\u{E0100}\u{FE00}]{1,8}") {
        prop_assert_eq!(keep(&name), Ok(name));
    }
}

#[test]
fn a_period_of_stay_is_a_foreign_residents() {
    let pack = Pack::load_shipped("example").expect("shipped");
    let check = |entry: Entry<'_>| {
        let kept = Particulars::check(&entry, &pack, date(2026, 1, 1));
        kept.map_err(|fault| (fault.field.name(), fault.reason.code()))
    };
    let foreign = pack.statuses.iter().find(|status| !status.citizen).expect("a foreign status").code.clone();
    let guest = Entry { status: &foreign, stay_from: "2024-03-01", stay_until: "2029-02-28", ..jane() };
    let stay = check(guest).expect("a good entry").stay.expect("a period of stay");
    assert_eq!((stay.from, stay.until), (Some(date(2024, 3, 1)), Some(date(2029, 2, 28))));
    assert_eq!(
        check(Entry { stay_until: "2020-01-01", ..guest }).err(),
        Some(("stay_until", "ends-before-start"))
    );
    assert_eq!(check(Entry { stay_from: "1970-01-01", ..guest }).err(), Some(("stay_from", "before-birth")));
    assert_eq!(check(Entry { stay_from: "2024-03", ..guest }).err(), Some(("stay_from", "date-form")));
    assert_eq!(check(Entry { status: "citizen", ..guest }).err(), Some(("stay_from", "not-for-citizens")));
    assert_eq!(
        check(Entry { address_since: "2027-01-01", ..jane() }).err(),
        Some(("address_since", "in-future"))
    );
}

/// As version 0.1 of the program wrote it, before there were life events.
const OLD: &str = r#"{"particulars":{"reference":"A-1","name":{"family":"Smith","given":"Jane"},"born":"1980-04",
    "sex":"F","status":"citizen","address":{"postcode":"1000","region":"","city":"Harbour","line":"1 Quay Street"}},
    "pack":{"id":"example","version":1},"registered_at":1790000000000000,
    "registered_by":{"kind":"officer","id":"off_1","role":"registrar"}}"#;

#[test]
fn a_record_of_before_still_opens_and_is_written_as_it_was() {
    let old: Resident = serde_json::from_str(OLD).expect("opens");
    assert!(old.life.standing.is_here());
    assert_eq!(old.particulars.stay, None);
    let written: serde_json::Value = serde_json::to_value(&old).expect("plain data");
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(OLD).expect("JSON"));
}
