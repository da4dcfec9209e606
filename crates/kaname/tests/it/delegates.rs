//! `kaname delegate`: a guardian's mandate takes two registrars, and ends.

use crate::program::{Place, answer, refusal, text};

#[test]
fn a_guardian_is_recorded_by_one_officer_and_approved_by_another() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let (folder, people) = (place.folder(), place.people("example", 10));
    let config = ["--config", text(&folder), "--json"];
    let run = |args: &[&str]| answer(&[args, &config].concat());
    run(&["resident", "import", text(&people)]);
    let file = std::fs::read_to_string(&people).unwrap();
    let mut references = file.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned());
    let (ward, guardian) = (references.next().unwrap(), references.next().unwrap());
    let boss = place.officer("Boss", "administrator", None);
    let one = place.officer("One", "registrar", Some(&boss));
    let two = place.officer("Two", "registrar", Some(&boss));
    let shown = run(&["resident", "show", "--number", "--reference", &guardian, "--officer", &one]);
    let (number, name) = (shown["number"].as_str().unwrap(), shown["name"].as_str().unwrap());

    let who = ["--reference", &ward, "--officer", &one];
    let terms =
        ["--kind", "guardian", "--scope", "see-data", "--holder", number, "--evidence", "court order 9"];
    let made = run(&[&["delegate", "record"], &terms[..], &who].concat());
    assert_eq!(made["waits"], true, "{made}");
    let id = made["mandate"].as_str().unwrap();
    let listed = || run(&[&["delegate", "list"], &who[..]].concat());
    assert_eq!(
        (listed()[0]["state"].as_str(), listed()[0]["holder"].as_str()),
        (Some("proposed"), Some(name))
    );
    let approve = |officer: &str| run(&["delegate", "approve", "--officer", officer]);
    assert_eq!(approve(&one), serde_json::json!({ "approved": 0, "your_own": 1 }));
    assert_eq!(approve(&two), serde_json::json!({ "approved": 1, "your_own": 0 }));
    assert_eq!(listed()[0]["state"], "active");
    run(&[&["delegate", "end", "--mandate", id, "--why", "of age"], &who[..]].concat());
    assert_eq!(listed()[0]["state"], "ended");

    for (wrong, code) in [
        (["--kind", "guardian", "--scope", "everything", "--holder", number, "--evidence", "x"], 2),
        (["--kind", "king", "--scope", "see-data", "--holder", number, "--evidence", "x"], 2),
        (["--kind", "guardian", "--scope", "see-data", "--holder", "123", "--evidence", "x"], 1),
    ] {
        refusal(&[&["delegate", "record"], &wrong[..], &who, &config].concat(), code);
    }
}
