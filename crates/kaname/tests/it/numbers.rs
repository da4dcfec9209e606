//! `kaname number`: as many as asked for, all different, all good; from several processes at once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::database::cluster;
use crate::program::{Place, kaname, refusal, run, spoken, text};

const COUNTRIES: [&str; 6] = ["japan", "india", "singapore", "uk", "jordan", "example"];

#[test]
fn every_country_draws_distinct_numbers_that_pass_its_check() {
    for country in COUNTRIES {
        let said = spoken(&["number", "new", "--country", country, "--count", "2000"], 0);
        let numbers: Vec<&str> = said.lines().collect();
        assert_eq!(numbers.len(), 2_000, "{country}");
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 2_000, "{country} gives a number twice");
        let checked = spoken(&[&["number", "check", "--country", country], &numbers[..]].concat(), 0);
        assert_eq!(checked.lines().filter(|line| line.ends_with(": good")).count(), 2_000, "{country}");

        // One wrong character is found in each of them; Jordan's numbers have nothing to find it by.
        if country == "jordan" {
            continue;
        }
        let wrong: Vec<String> = numbers.iter().take(100).map(|number| with_another_digit(number)).collect();
        let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
        let checked = spoken(&[&["number", "check", "--country", country], &wrong[..]].concat(), 1);
        assert_eq!(
            checked.lines().filter(|line| line.ends_with(": good")).count(),
            0,
            "{country}: {checked}"
        );
    }
    // Two runs have nothing to do with each other.
    let draw = || spoken(&["number", "new", "--country", "japan", "--count", "50"], 0);
    assert_ne!(draw(), draw());
    assert_eq!(draw().lines().count(), 50);
    assert_eq!(spoken(&["number", "new", "--country", "uk", "--count", "0"], 0), "");
}

fn with_another_digit(number: &str) -> String {
    let place = number.rfind(|c: char| c.is_ascii_digit()).unwrap();
    let digit = number.as_bytes()[place] - b'0';
    format!("{}{}{}", &number[..place], (digit + 1) % 10, &number[place + 1..])
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let mut command = kaname(&["number", "new", "--country", "japan", "--count", "1000000"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().len() >= 12);
    drop(lines);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_bad_number_is_refused_in_words() {
    let said =
        spoken(&["number", "check", "--country", "japan", "123456789018", "hello", "", "1234 5678 9019"], 1);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert_eq!(lines[0], "1234 5678 9018: good");
    for (line, code) in lines[1..].iter().zip(["(length)", "(length)", "(check)"]) {
        assert!(line.ends_with(code), "{line}");
    }
    let words = refusal(&["number", "check", "--country", "atlantis", "1"], 2);
    assert!(words.contains("atlantis") && words.contains("jordan"), "{words}");
    refusal(&["number", "check", "--country", "japan"], 2);
    refusal(&["number", "new"], 2);
    refusal(&["number", "new", "--country", "japan", "--count", "-1"], 2);
}

#[test]
fn processes_that_take_at_once_never_get_the_same_number() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    take_at_once(&place);
    let Some(postgres) = cluster() else { return };
    take_at_once(&Place::with_deployment(
        "example",
        &["--population", "1000", "--postgres", &postgres.database()],
    ));
}

fn take_at_once(place: &Place) {
    const EACH: usize = 20_000;
    let (folder, count) = (place.folder(), EACH.to_string());
    let args = ["number", "new", "--config", text(&folder), "--count", &count];
    let takers: Vec<_> = (0..3)
        .map(|_| kaname(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let mut numbers = BTreeSet::new();
    for taker in takers {
        let output = taker.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        numbers.extend(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned));
    }
    numbers.extend(String::from_utf8(run(&args).stdout).unwrap().lines().map(str::to_owned));
    assert_eq!(numbers.len(), 4 * EACH, "a number was given twice");
}
