use super::*;

fn files() -> BTreeMap<String, String> {
    Pack::shipped_files("example").unwrap()
}

/// The example pack with `from` replaced by `to` in one file.
fn changed(file: &str, from: &str, to: &str) -> Vec<PackProblem> {
    let mut files = files();
    let text = files.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    *text = text.replacen(from, to, 1);
    Pack::parse(&files).err().unwrap_or_default()
}

#[test]
fn every_shipped_pack_is_good() {
    assert_eq!(Pack::shipped(), ["example", "india", "japan", "jordan", "singapore", "uk"]);
    for id in Pack::shipped() {
        let pack =
            Pack::parse(&Pack::shipped_files(id).unwrap()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(pack.id, *id);
        assert_eq!(pack.banks.len(), 3, "{id}");
        assert!(!pack.programmes.is_empty() && !pack.attributes.is_empty());
        let sources: Vec<_> = pack.sources.iter().map(|source| source.code.as_str()).collect();
        let expected =
            ["health-insurer", "pension", "tax", "drivers-licence", "bank-account", "disability", "school"];
        assert_eq!(sources, expected, "{id}");
        assert_eq!(pack.texts.gaps(), Vec::<String>::new(), "{id}");
        assert!(pack.texts.find("en", "number.name").is_some());
    }
    assert!(Pack::load_shipped("atlantis").is_none());
}

#[test]
fn a_pack_speaks_its_languages() {
    let japan = Pack::load_shipped("japan").unwrap();
    let payment = japan.programme("special-cash-payment").unwrap();
    assert_eq!(
        (payment.name.get("ja"), payment.name.get("en-GB")),
        ("特別定額給付金", "Special cash payment")
    );
    assert_eq!(payment.name.get("fr"), "特別定額給付金");
    assert_eq!(payment.amount.to_decimal(japan.currency), "100000");
    let day = jiff::civil::date(2024, 3, 9);
    assert_eq!(japan.language("ja").date(day), "2024年3月9日");
    assert_eq!(japan.language("en").date(day), "9 March 2024");
    assert_eq!(japan.person.full_name("山田", "花子"), "山田 花子");
    assert_eq!(japan.person.full_name("", "Suharto"), "Suharto");
    assert!(japan.person.reading(ReadingKind::Kana).unwrap().required);

    let jordan = Pack::load_shipped("jordan").unwrap();
    assert_eq!(jordan.default_language().direction.html(), "rtl");
    assert_eq!(jordan.currency.exponent(), 3);
}

#[test]
fn each_mistake_is_told_with_its_place() {
    for (file, from, to, line, path, message) in [
        (
            "pack.toml",
            "version = 1",
            "version = \"1\"",
            4,
            "version",
            "a whole number is expected here, not a string",
        ),
        ("pack.toml", "version = 1", "version = 0", 4, "version", "from 1 to"),
        ("pack.toml", "Etc/UTC", "Etc/Nowhere", 8, "time_zone", "no time zone `Etc/Nowhere`"),
        ("pack.toml", "currency = \"XTS\"", "currency = \"xts\"", 6, "currency", "ISO 4217"),
        ("pack.toml", "ltr", "left", 14, "language[1].direction", "it can be `ltr`, `rtl`"),
        ("pack.toml", "%B", "%H", 15, "language[1].date_pattern", "`%H`"),
        ("pack.toml", "longest_name", "longest_nom", 17, "person.longest_name", "missing"),
        ("pack.toml", "longest_name", "longest_nom", 19, "person.longest_nom", "unknown key"),
        ("number.toml", "[4, 4, 4]", "[4, 4]", 5, "groups", "add up to the 12"),
        ("number.toml", "\"verhoeff\"", "\"luhn\"", 8, "check.kind", "`luhn` is not known"),
        ("policy.toml", "\"payout\"", "\"pay-out\"", 3, "purpose", "code `payout` is needed"),
        (
            "policy.toml",
            "code = \"birth_date\"",
            "code = \"blood_group\"",
            0,
            "attribute[2].code",
            "known are name",
        ),
        ("policy.toml", "purposes = [\"delivery\"", "purposes = [\"deliveries\"", 0, "", "no [[purpose]]"),
        (
            "programmes.toml",
            "amount_minor = 25000",
            "amount_minor = 250.5",
            4,
            "programme[1].amount_minor",
            "not a float",
        ),
        (
            "banks.toml",
            "name = { en = \"Payment letter\" }",
            "name = { fr = \"Lettre\" }",
            0,
            "voucher.name.en",
            "missing",
        ),
        ("instant.toml", "\"pay\"", "\"https\"", 11, "link_scheme", "no browser uses"),
        (
            "instant.toml",
            "answer_seconds = 20",
            "answer_seconds = 86400",
            7,
            "reverse_after_seconds",
            "be over before",
        ),
        ("sources.toml", "\"record-linking\"", "\"linking\"", 9, "source[1].purpose", "no [[purpose]]"),
        (
            "sources.toml",
            "least = 9990",
            "least = 5000",
            18,
            "source[1].evidence.least",
            "from 9000 to 10000",
        ),
        (
            "sources.toml",
            "rival = 100",
            "rival = 10000",
            20,
            "source[1].evidence.rival",
            "the first would be taken",
        ),
        (
            "sources.toml",
            "\"birth_date\", ",
            "",
            21,
            "source[1].evidence.must_agree",
            "`birth_date` is missing",
        ),
        (
            "sources.toml",
            "\"birth_date\", \"sex\", \"address\"",
            "\"birth_date\"",
            21,
            "source[1].evidence.must_agree",
            "not enough",
        ),
        ("sources.toml", "\"sex\", \"address\"", "\"shoe_size\"", 21, "must_agree", "cannot be compared"),
        ("sources.toml", "\"auditor\"", "\"minister\"", 15, "source[1].escalate_to", "no [[role]]"),
        ("sources.toml", "\"four-eyes\"", "\"none\"", 13, "source[1].review", "can be `four-eyes`"),
        ("sources.toml", "\"pension\"", "\"health-insurer\"", 0, "source", "stands there twice"),
        ("number.toml", "body_digits = 15", "body_digits = 11", 25, "alias.body_digits", "another length"),
        ("number.toml", "\"single-use\"]", "\"single\"]", 28, "alias.kinds", "`single` is not one of"),
        ("mandates.toml", "\"see-data\"", "\"see-all\"", 7, "mandate[1].scopes", "`see-all` is not known"),
        (
            "mandates.toml",
            "by_officer = true\nscopes",
            "by_officer = false\nscopes",
            6,
            "by_officer",
            "nobody could",
        ),
        (
            "text/en.toml",
            "number.name = \"Resident number\"",
            "number.name = 3",
            2,
            "number.name",
            "a text is expected",
        ),
        ("text/en.toml", "number.name = ", "number.name ", 2, "", "not TOML"),
    ] {
        let problems = changed(file, from, to);
        let told = problems.iter().any(|problem| {
            problem.file == file
                && (line == 0 || problem.line == line)
                && problem.path.ends_with(path)
                && problem.message.contains(message)
        });
        assert!(told, "{file}: {to}: wanted line {line} {path} {message}, got {problems:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mut files = files();
    files.remove("banks.toml");
    files.insert("wishes.toml".to_owned(), String::new());
    files.insert("text/xx.toml".to_owned(), String::new());
    let number = files.get_mut("number.toml").unwrap();
    *number = number.replace("body_digits = 11", "body_digits = 12").replace("longest_run", "longest_walk");
    let problems = Pack::parse(&files).unwrap_err();
    let told: Vec<_> = problems.iter().map(|p| (p.file.as_str(), p.path.as_str())).collect();
    for expected in [
        ("banks.toml", ""),
        ("wishes.toml", ""),
        ("text/xx.toml", ""),
        ("number.toml", "groups"),
        ("number.toml", "bans.longest_walk"),
        ("number.toml", "reserved[1].from"),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:#?}");
    }
    assert!(Pack::parse(&BTreeMap::new()).is_err());
}

#[test]
fn a_date_pattern_can_always_be_rendered() {
    for (pattern, fits) in
        [("%Y年%-m月%-d日", true), ("%d/%m/%Y 100%%", true), ("%", false), ("%-Y", false), ("%Q", false)]
    {
        let mut files = files();
        let text = files.get_mut("pack.toml").unwrap();
        *text = text.replace("%-d %B %Y", pattern);
        let pack = Pack::parse(&files);
        assert_eq!(pack.is_ok(), fits, "{pattern}");
        if let Ok(pack) = pack {
            assert!(!pack.default_language().date(jiff::civil::date(2024, 3, 9)).is_empty());
        }
    }
}
