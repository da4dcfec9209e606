//! `kaname demo`: the whole country in one command, what it says of it, and that a second time changes nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::database::{Database, cluster};
use crate::program::{Place, answer, files_below, refusal, run, spoken, text};
use crate::serve::free_port;

/// The demonstration of 200 residents, to its end.
fn demo(place: &Place, country: &str, more: &[&str]) -> Value {
    let folder = place.folder();
    let args = ["demo", "--data", text(&folder), "--country", country, "--exit", "--json"];
    let count = if more.contains(&"--residents") { &[][..] } else { &["--residents", "200"] };
    answer(&[&args[..], count, more].concat())
}

/// What must hold of every demonstration.
fn check(summary: &Value, people: u64) {
    let number = |path: &str| {
        summary.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {path}: {summary}"))
    };
    assert_eq!(number("/residents/registered"), people);
    assert_eq!(summary["payout"]["state"], "finished");
    assert_eq!(summary["payout"]["sound"], true);
    let books = |name: &str| number(&format!("/payout/books/{name}"));
    assert!(books("received") > 0);
    assert_eq!(books("out"), books("received") + books("vouchers") + books("pending") + books("returned"));
    assert_eq!((books("undisbursed"), books("in_transit")), (0, 0));
    let of_people: u64 = ["paid", "voucher", "pending", "returned"]
        .iter()
        .map(|name| number(&format!("/payout/people/{name}")))
        .sum();
    assert_eq!(of_people, people, "nobody is forgotten: {summary}");
    assert_eq!(books("out") % people, 0, "everybody gets the same");
    let refused = summary["accounts"]["refused"].as_array().unwrap();
    assert!(refused.iter().all(|refused| !refused["words"].as_str().unwrap().is_empty()));
    assert!(refused.len() as u64 >= number("/accounts/held_by_another"), "{refused:?}");
    assert_eq!(number("/accounts/active") + refused.len() as u64, number("/accounts/asked"));
    let activated = summary["letters"].as_array().unwrap().iter();
    let residents = activated.filter(|letter| letter["holder"] == "resident" && letter["activated"] == true);
    assert_eq!(residents.count(), 3, "three residents can sign in");
}

#[test]
fn every_country_is_paid_to_the_last_resident() {
    for country in ["japan", "india", "singapore", "uk", "jordan", "example"] {
        let place = Place::new();
        let summary = demo(&place, country, &[]);
        assert_eq!(summary["country"], country);
        assert_eq!((&summary["nothing_new"], &summary["residents"]["rejected"]), (&false.into(), &0.into()));
        check(&summary, 200);
        for letter in summary["letters"].as_array().unwrap() {
            let letter = std::fs::read_to_string(letter["file"].as_str().unwrap()).unwrap();
            assert!(
                letter.contains("</html>") && !letter.contains("<link"),
                "a letter is whole without a server"
            );
        }
    }
}

#[test]
fn the_page_about_the_summary_names_its_fields() {
    let place = Place::new();
    let mut fields = BTreeSet::new();
    collect(&demo(&place, "japan", &["--residents", "1000"]), String::new(), &mut fields);
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/demo-summary.md");
    let page = std::fs::read_to_string(page).unwrap();
    let described: BTreeSet<String> = page
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect();
    assert_eq!(fields, described, "left: what is printed; right: what docs/demo-summary.md describes");
}

/// The paths of all values that are neither an object nor a list.
fn collect(value: &Value, path: String, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, format!("{path}{dot}{name}"), fields);
            }
        }
        Value::Array(values) => {
            assert!(!values.is_empty(), "{path} is empty: this demonstration shows too little");
            values.iter().for_each(|value| collect(value, format!("{path}[]"), fields));
        }
        _ => {
            fields.insert(path);
        }
    }
}

#[test]
fn a_second_time_changes_nothing_and_says_so() {
    let place = Place::new();
    let first = demo(&place, "example", &[]);
    twice(&place, &first, &mut Database::sqlite(&place.folder()), &[]);

    let Some(postgres) = cluster() else { return };
    let (place, url) = (Place::new(), postgres.database());
    let more = ["--postgres", &url];
    let first = demo(&place, "example", &more);
    check(&first, 200);
    assert!(!place.folder().join("kaname.sqlite").exists());
    twice(&place, &first, &mut Database::postgres(&url), &more);
}

fn twice(place: &Place, first: &Value, database: &mut Database, more: &[&str]) {
    let content = database.content();
    let files = || -> BTreeSet<(std::path::PathBuf, Vec<u8>)> {
        // The database's own files change when somebody reads; an import's note says when it was last asked for.
        let changes = |file: &std::path::PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap();
            let is_note = file.parent().unwrap().ends_with("imports") && name.ends_with(".json");
            !name.starts_with("kaname.sqlite") && !is_note
        };
        files_below(&place.folder())
            .into_iter()
            .filter(changes)
            .map(|file| (file.clone(), std::fs::read(file).unwrap()))
            .collect()
    };
    let before = files();
    assert!(before.len() > 30);
    let second = demo(place, "example", more);
    assert_eq!(second["nothing_new"], true);
    assert!(database.content() == content, "the second run changed the database");
    let changed: Vec<_> = files().symmetric_difference(&before).map(|(file, _)| file.clone()).collect();
    assert_eq!(changed, Vec::<std::path::PathBuf>::new(), "the second run changed files");
    for part in ["country", "residents", "letters", "accounts", "payout", "log", "addresses"] {
        assert_eq!(second[part], first[part], "{part}");
    }
    let folder = place.folder();
    let words =
        spoken(&["demo", "--data", text(&folder), "--country", "example", "--residents", "200", "--exit"], 0);
    assert!(words.contains("Nothing has changed"), "{words}");
}

#[test]
fn it_takes_a_persons_own_file_and_another_port() {
    let place = Place::new();
    let (file, folder) = (place.people("uk", 60), place.folder());
    let content = std::fs::read(&file).unwrap();
    let args = [
        "demo",
        "--data",
        text(&folder),
        "--country",
        "uk",
        "--residents",
        text(&file),
        "--port",
        "9123",
        "--exit",
        "--json",
    ];
    let summary = answer(&args);
    check(&summary, 60);
    assert_eq!(summary["residents"]["file"], text(&file));
    assert_eq!(std::fs::read(&file).unwrap(), content, "one's own file is left as it is");
    assert_eq!(summary["addresses"]["portal"], "http://localhost:9123/");
    assert_eq!(summary["addresses"]["library"], "http://127.0.0.1:9124/");
    assert_eq!(answer(&args)["nothing_new"], true);
    // It stays where it is until it is moved.
    let args: Vec<&str> = args.into_iter().filter(|arg| !["--port", "9123"].contains(arg)).collect();
    assert_eq!(answer(&args)["addresses"]["portal"], "http://localhost:9123/");
    let moved = answer(&[&args[..], &["--port", "9223"]].concat());
    assert_eq!(moved["addresses"]["portal"], "http://localhost:9223/");
    assert_eq!(answer(&args)["addresses"], moved["addresses"]);

    // Rows that cannot be taken are told, and everybody else is paid.
    let place = Place::new();
    let (file, folder) = (place.people("uk", 40), place.folder());
    let mut text_of_file = std::fs::read_to_string(&file).unwrap();
    text_of_file.push_str("X1,,,,,,,not a date,F,citizen,,,,,,\nX2,too,few\n");
    std::fs::write(&file, text_of_file).unwrap();
    let summary = answer(&[
        "demo",
        "--data",
        text(&folder),
        "--country",
        "uk",
        "--residents",
        text(&file),
        "--exit",
        "--json",
    ]);
    assert_eq!(summary["residents"]["rejected"], 2);
    check(&summary, 40);
}

#[test]
fn what_cannot_be_done_is_said_in_words() {
    let place = Place::new();
    let folder = place.folder();
    let words = refusal(&["demo", "--country", "atlantis", "--data", text(&folder), "--exit"], 2);
    assert!(words.contains("atlantis") && words.contains("japan"), "{words}");
    assert!(!folder.exists(), "nothing is made for a country that is not there");
    demo(&place, "jordan", &["--residents", "20"]);
    let words = refusal(&["demo", "--country", "india", "--data", text(&folder), "--exit"], 2);
    assert!(words.contains("jordan") && words.contains("what to do"), "{words}");
    let words = refusal(&["init", text(&folder)], 2);
    assert!(words.contains("already"), "{words}");

    // A folder that cannot be made, whoever asks: below a file.
    let file = place.write("file", "");
    let below = file.join("deployment");
    for args in [&["demo", "--exit", "--residents", "5", "--data", text(&below)][..], &["init", text(&below)]]
    {
        let words = refusal(args, 3);
        assert!(words.contains(text(&below)), "{words}");
    }
    for (file, code) in [("/no/such/people.csv", 2), ("twelve", 2)] {
        let place = Place::new();
        let folder = place.folder();
        let words = refusal(
            &["demo", "--exit", "--country", "uk", "--data", text(&folder), "--residents", file],
            code,
        );
        assert!(words.contains(file), "{words}");
    }

    // A port that somebody has: either of the two.
    for taken in [0, 1] {
        let port = free_port();
        let _taken = std::net::TcpListener::bind(("127.0.0.1", port + taken)).unwrap();
        let (place, shown) = (Place::new(), port.to_string());
        let folder = place.folder();
        let words = refusal(
            &["demo", "--residents", "20", "--country", "uk", "--data", text(&folder), "--port", &shown],
            3,
        );
        assert!(words.contains(&format!(":{}", port + taken)) && words.contains("--port"), "{words}");
    }
    let words = refusal(
        &[
            "demo",
            "--exit",
            "--residents",
            "5",
            "--country",
            "uk",
            "--postgres",
            "host=/nowhere user=x dbname=x",
        ],
        3,
    );
    assert!(words.len() > 20, "{words}");
    assert!(!run(&["demo", "--residents"]).status.success());
}
