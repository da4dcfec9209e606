//! `kaname enrol`: a kit goes out, packets come back; in any order, twice, killed on the way, with some lost and some bad.

use std::time::Duration;

use crate::database::cluster;
use crate::program::{Dice, Place, answer, answer_with, pause, refusal, start, text};

#[test]
fn on_sqlite() {
    goes_out_and_comes_back(&[]);
}

#[test]
fn on_postgresql() {
    let Some(postgres) = cluster() else { return };
    goes_out_and_comes_back(&["--postgres", &postgres.database()]);
}

const PEOPLE: usize = 120;

fn goes_out_and_comes_back(more: &[&str]) {
    let place = Place::with_deployment("example", &[&["--population", "1000"], more].concat());
    let folder = place.folder();
    let config = ["--config", text(&folder), "--json"];
    let run = |args: &[&str]| answer(&[args, &config].concat());
    let boss = place.officer("Boss", "administrator", None);
    let clerk = place.officer("Clerk", "registrar", Some(&boss));

    let kit = place.beside("field.kit");
    let made = run(&["enrol", "kit", "--officer", &clerk, "--by", &boss, "--out", text(&kit)]);
    let made = made["kit"].as_str().unwrap().to_owned();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&kit).unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "the kit is for its owner only");

    let out = place.beside("other.kit");
    let other = ["enrol", "kit", "--officer", &boss, "--by", &boss, "--out", text(&out)];
    let words = refusal(&[&other[..], &config].concat(), 1);
    assert!(words.contains("is no registrar"), "{words}");

    // In the field: no --config, no database.
    let packets = place.beside("packets");
    let people = std::fs::read_to_string(place.people("example", PEOPLE as u64)).unwrap();
    let file = place.write("field.csv", &people);
    let add = ["enrol", "add", "--kit", text(&kit), "--out", text(&packets), "--json"];
    let added = answer(&[&add[..], &["--from", text(&file), "--evidence", "the mayor knows them"]].concat());
    assert_eq!((added["first"].as_u64(), added["last"].as_u64()), (Some(1), Some(PEOPLE as u64)));
    let one = ["--set", "family_name=Rowe", "--set", "given_name=Ann", "--set", "birth_date=1990-02-01"];
    let two = ["--set", "sex=F", "--set", "status=citizen", "--evidence", "birth report"];
    let added = answer(&[&add[..], &one, &two].concat());
    assert_eq!(added["first"].as_u64(), Some(PEOPLE as u64 + 1));
    refusal(&[&add[..], &["--set", "family_name=Rowe", "--set", "birth_date=1990-02-31"]].concat(), 1);
    let words = refusal(&[&add[..], &["--set", "shoe_size=9"]].concat(), 2);
    assert!(words.contains("there is no field 'shoe_size'") && words.contains("family_name,"), "{words}");

    let lines: Vec<String> = std::fs::read_to_string(&packets).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), PEOPLE + 1);
    let all = lines.join("\n");
    for row in people.lines().skip(1) {
        let name = row.split(',').nth(1).unwrap();
        assert!(!all.contains(name), "a name is in the packets");
    }

    // Number 5 is lost, one is damaged, the rest comes in two files from the end to the start, killed on the way.
    let damaged = lines[7].replacen('.', ".A", 1);
    let mut rest: Vec<&String> =
        lines.iter().enumerate().filter(|(at, _)| ![4, 7].contains(at)).map(|(_, line)| line).collect();
    rest.reverse();
    let half = rest.len() / 2;
    let join = |lines: &[&String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let first = place.write("first.packets", join(&rest[half..]));
    let second = place.write("second.packets", format!("{}\n{damaged}\n", join(&rest[..half + 3])));
    let rejects = place.beside("rejects.csv");
    let merge =
        ["enrol", "merge", text(&second), text(&first), "--officer", &clerk, "--rejects", text(&rejects)];
    let merge = [&merge[..], &config].concat();
    let mut dice = Dice(11);
    let mut killed = 0;
    for _ in 0..8 {
        let mut child = start(&merge);
        pause(Duration::from_millis(dice.below(160)));
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
    }
    assert!(killed > 0);
    let done = answer_with(&merge, 4);
    let here = done["registered"].as_u64().unwrap() + done["already_here"].as_u64().unwrap();
    assert_eq!(here, PEOPLE as u64 + 2, "each of them, and three twice: {done}");
    assert_eq!(done["refused"], 1, "{done}");
    assert_eq!(done["missing"][&made], serde_json::json!([5, 8]), "{done}");
    let listed = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains("packet-broken") && listed.contains("second.packets"), "{listed}");
    let again = answer_with(&merge, 4);
    assert_eq!(again["registered"], 0, "{again}");

    let late = place.write("late.packets", format!("{}\n{}\n", lines[4], lines[7]));
    let late = run(&["enrol", "merge", text(&late), "--officer", &clerk, "--rejects", text(&rejects)]);
    assert_eq!(
        (late["registered"].as_u64(), late["missing"].as_object().unwrap().len()),
        (Some(2), 0),
        "{late}"
    );
    let kits = run(&["enrol", "list", "--officer", &boss]);
    assert_eq!((kits[0]["kit"].as_str(), kits[0]["missing"].as_array().unwrap().len()), (Some(&*made), 0));

    // Revoked, nothing of it is taken any more.
    answer(&[&add[..], &one, &two].concat());
    let lines = std::fs::read_to_string(&packets).unwrap();
    let last = place.write("last.packets", lines.lines().last().unwrap());
    run(&["enrol", "revoke", &made, "--by", &boss]);
    let merge = ["enrol", "merge", text(&last), "--officer", &clerk, "--rejects", text(&rejects)];
    let refused = answer_with(&[&merge[..], &config].concat(), 4);
    assert_eq!(refused["refused"], 1, "{refused}");
    assert!(std::fs::read_to_string(&rejects).unwrap().contains("kit-revoked"));
    let checked = run(&["log", "verify"]);
    assert!(checked.is_object(), "{checked}");
}
