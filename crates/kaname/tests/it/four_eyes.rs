//! What one administrator may not do alone, by command line.

use crate::program::{Place, answer, refusal, text};

#[test]
fn a_letter_for_another_officer_takes_two_administrators() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let folder = place.folder();
    let boss = place.officer("Boss", "administrator", None);
    let second = place.officer("Second", "administrator", Some(&boss));
    let (letter, config) = (place.beside("again.html"), ["--config", text(&folder), "--json"]);

    // From here on there are two, so one alone only proposes: to add somebody, to give a letter or a key, to let somebody go.
    let words = ["officer", "letter", &second, "--letter", text(&letter), "--by", &boss];
    let proposed = answer(&[&words[..], &config].concat());
    let proposal = proposed["proposal"].as_str().unwrap().to_owned();
    assert!(!letter.exists(), "nothing is printed by one alone");
    let approve = ["officer", "approve", &proposal, "--letter", text(&letter), "--by"];
    let same = refusal(&[&approve[..], &[boss.as_str()], &config[..2]].concat(), 1);
    assert!(same.contains("another officer"), "{same}");
    assert!(!letter.exists());
    let waiting = answer(&[&["officer", "waiting", "--by", second.as_str()][..], &config].concat());
    assert_eq!(waiting[0]["proposal"], proposal.as_str());
    let done = answer(&[&approve[..], &[second.as_str()], &config].concat());
    assert_eq!(done["officer"], second.as_str());
    assert!(letter.exists());
    let again = refusal(&[&approve[..], &[second.as_str()], &config[..2]].concat(), 1);
    assert!(again.contains("no such proposal"), "{again}");

    let key = place.beside("new.key");
    let new = place.beside("eve.html");
    for words in [
        vec!["officer", "key", &second, "--key", text(&key), "--by", &boss],
        vec!["officer", "change", &second, "--leaves", "--by", &boss],
        vec![
            "officer",
            "add",
            "Eve",
            "--office",
            "operations",
            "--role",
            "administrator",
            "--letter",
            text(&new),
            "--by",
            &boss,
        ],
    ] {
        let proposed = answer(&[&words[..], &config].concat());
        assert!(proposed["proposal"].as_str().unwrap().starts_with("prp_"), "{proposed}");
    }
    assert!(!key.exists() && !new.exists());
    let list = answer(&[&["officer", "list"][..], &config].concat());
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .all(|officer| officer["active"] == true && officer["office"] == "operations")
    );
    let alone = ["officer", "add", "Eve", "--office", "audit", "--role", "auditor", "--letter", text(&new)];
    assert!(refusal(&[&alone[..], &config[..2]].concat(), 2).contains("--by OFFICER"));
    let wrong = [
        "officer",
        "add",
        "Eve",
        "--office",
        "audit",
        "--role",
        "payments",
        "--letter",
        text(&new),
        "--by",
        &boss,
    ];
    assert!(refusal(&[&wrong[..], &config[..2]].concat(), 1).contains("do not have this role"));
}
