//! `kaname pack`: the shipped packs are good, a new one begins as a good one, and what is wrong is said with file and place.

use crate::program::{Place, files_below, refusal, spoken, text};

#[test]
fn the_shipped_packs_are_good_and_a_new_one_is_too() {
    for country in ["japan", "india", "singapore", "uk", "jordan", "example"] {
        let said = spoken(&["pack", "check", country], 0);
        assert!(said.contains(country) && said.contains("is good"), "{said}");
    }
    let place = Place::new();
    let folder = place.beside("land");
    let said = spoken(&["pack", "new", text(&folder)], 0);
    assert!(said.contains("kaname pack check"), "{said}");
    assert!(spoken(&["pack", "check", text(&folder)], 0).contains("is good"));
    let words = refusal(&["pack", "new", text(&folder)], 2);
    assert!(words.contains("there already") && words.contains("what to do"), "{words}");
    let words = refusal(&["pack", "check", text(&place.beside("nowhere"))], 2);
    assert!(words.contains("nowhere"), "{words}");
}

#[test]
fn what_is_wrong_is_said_with_file_and_place() {
    // File, what is replaced by what, and what must be said about it.
    let cases = [
        ("pack.toml", "currency = \"XTS\"", "currency = \"xt\"", vec!["pack.toml", "currency"]),
        (
            "pack.toml",
            "currency_exponent = 2",
            "currency_exponent = \"two\"",
            vec!["pack.toml", "currency_exponent"],
        ),
        (
            "pack.toml",
            "time_zone = \"Etc/UTC\"",
            "time_zone = \"Mars/Base\"",
            vec!["pack.toml", "time_zone", "Mars/Base"],
        ),
        ("pack.toml", "name_order", "name_ordr", vec!["pack.toml", "name_ordr"]),
        ("pack.toml", "id = \"example\"", "id = ", vec!["pack.toml", "pack.toml:3"]),
        ("number.toml", "body_digits", "body_digit", vec!["number.toml", "body_digit"]),
        ("number.toml", "\"verhoeff\"", "\"guess\"", vec!["number.toml", "guess"]),
        ("policy.toml", "[[", "[", vec!["policy.toml"]),
        ("programmes.toml", "amount_minor", "amount_mino", vec!["programmes.toml", "amount_mino"]),
    ];
    for (file, from, to, words) in cases {
        let place = Place::new();
        let folder = place.beside("land");
        spoken(&["pack", "new", text(&folder)], 0);
        let path = folder.join(file);
        let good = std::fs::read_to_string(&path).unwrap();
        assert!(good.contains(from), "{file} has no {from}");
        std::fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let said = refusal(&["pack", "check", text(&folder)], 2);
        for word in words {
            assert!(said.contains(word), "{file}, {from} -> {to}: nothing of {word} in: {said}");
        }
    }
}

#[test]
fn a_file_that_is_missing_or_broken_is_named() {
    let place = Place::new();
    let folder = place.beside("land");
    spoken(&["pack", "new", text(&folder)], 0);
    // Fixtures are for those who try a country out, and belong to `kaname sim`; own texts are no duty.
    let is_judged = |file: &std::path::PathBuf| !file.to_str().unwrap().contains("fixtures");
    let files: Vec<_> = files_below(&folder).into_iter().filter(is_judged).collect();
    assert!(files.len() >= 6);
    for file in files {
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        let good = std::fs::read(&file).unwrap();
        for bytes in [&b"this is no table\n"[..], b"\xFF\xFE\x00"] {
            std::fs::write(&file, bytes).unwrap();
            let said = refusal(&["pack", "check", text(&folder)], 2);
            assert!(said.contains(&name), "{name}: {said}");
        }
        std::fs::remove_file(&file).unwrap();
        // A country may do without instant payments.
        if !name.contains("text/") && name != "instant.toml" {
            let said = refusal(&["pack", "check", text(&folder)], 2);
            assert!(said.contains(&name), "{name} is missing: {said}");
        }
        std::fs::write(&file, good).unwrap();
    }
    assert!(spoken(&["pack", "check", text(&folder)], 0).contains("is good"));
}
