use super::*;

fn program() -> Texts {
    let mut texts = Texts::new("en");
    texts.add("en", "hello = \"Good day, {name}\"\nnumber.name = \"number\"\nonly = \"English\"").unwrap();
    texts.add("ja", "hello = \"{name}さん、こんにちは\"\nnumber.name = \"番号\"").unwrap();
    texts
}

#[test]
fn a_text_falls_back_to_the_country_then_english_then_its_key() {
    let mut country = Texts::new("ja");
    country.add("ja", "number.name = \"個人番号\"").unwrap();
    let texts = program().merge(&country);
    for (language, key, expected) in [
        ("ja", "number.name", "個人番号"),
        ("ja-JP", "number.name", "個人番号"),
        ("en", "number.name", "number"),
        ("fr", "number.name", "個人番号"),
        ("fr", "only", "English"),
        ("fr", "no.such.key", "no.such.key"),
    ] {
        assert_eq!(texts.get(language, key, &[]), expected, "{language} {key}");
    }
}

#[test]
fn placeholders_are_filled_once() {
    let texts = program();
    assert_eq!(texts.get("ja", "hello", &[("name", "花子")]), "花子さん、こんにちは");
    assert_eq!(texts.get("en", "hello", &[]), "Good day, {name}");
    assert_eq!(texts.get("en", "hello", &[("name", "{name}")]), "Good day, {name}");
    assert_eq!(fill("{ a {b} {} {", &[("b", "é")]), "{ a é {} {");
}

#[test]
fn gaps_are_named() {
    let mut texts = program();
    texts.add("ja", "hello = \"こんにちは\"").unwrap();
    assert_eq!(texts.gaps(), ["ja: `hello` has other placeholders than in en", "ja: `only` is missing"]);
}

#[test]
fn a_bad_catalogue_is_refused_with_its_line() {
    let mut texts = Texts::new("en");
    let problems = texts.add("en", "good = \"x\"\ncount = 3\n").unwrap_err();
    assert_eq!((problems[0].line, problems[0].key.as_str()), (2, "count"));
    assert_eq!(texts.add("en", "good = \"x\"\nbad = \n").unwrap_err()[0].line, 2);
    assert!(texts.keys().is_empty());
}
