//! `kaname log verify`: from outside, with nothing but the public key; and what it says when somebody has changed the log, its
//! files or the database behind them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::database::Database;
use crate::program::{
    FINISHED, Place, answer, copy_folder, files_below, finished, kaname, refusal, run, spoken, text,
};

/// What an outsider has: a copy of the log's folder, and the key that the authority publishes.
fn outsider(place: &Place) -> (PathBuf, String) {
    let copy = place.beside("mirror");
    copy_folder(&place.folder().join("log"), &copy);
    (copy, key(place))
}

/// The public key of the log, as its checkpoint's signer.
fn key(place: &Place) -> String {
    let folder = place.folder();
    answer(&["log", "verify", "--config", text(&folder), "--json"])["key"]
        .as_str()
        .expect("the key is told")
        .to_owned()
}

fn size(place: &Place) -> u64 {
    let folder = place.folder();
    let verified = answer(&["log", "verify", "--config", text(&folder), "--json"]);
    assert_eq!(verified["size"], verified["compared_with_database"], "{verified}");
    verified["size"].as_u64().unwrap()
}

#[test]
fn anybody_can_check_a_copy_and_that_it_only_grew() {
    let place = finished();
    let folder = place.folder();
    let (mirror, key) = outsider(&place);
    let seen = place.beside("seen");
    let verify = |folder: &Path| -> Value {
        answer(&["log", "verify", "--folder", text(folder), "--key", &key, "--since", text(&seen), "--json"])
    };
    let first = verify(&mirror);
    let count = first["size"].as_u64().unwrap();
    assert!(count > FINISHED, "{first}");
    assert_eq!((&first["continues"], &first["compared_with_database"]), (&Value::Null, &Value::Null));

    // A reading is one entry more; a failed one is none.
    let reference = reference(&place);
    let show = ["resident", "show", "--reference", &reference, "--config", text(&folder)];
    assert!(spoken(&show, 0).contains("is in the resident's access log"));
    assert_eq!(size(&place), count + 1);
    refusal(&["resident", "show", "--reference", "nobody", "--config", text(&folder)], 1);
    assert_eq!(size(&place), count + 1);
    // The number is a reading of its own, for a registrar; the program itself and other officers do not get it.
    let officers = answer_list(&place);
    let shown = answer(&[&show[..], &["--number", "--officer", &officers["registrar"], "--json"]].concat());
    assert!(shown["number"].as_str().is_some_and(|number| number.len() >= 9), "{shown}");
    assert_eq!(size(&place), count + 3);
    refusal(&[&show[..], &["--number"]].concat(), 2);
    let words = refusal(&[&show[..], &["--number", "--officer", &officers["payments"]]].concat(), 1);
    assert!(words.contains("reveal a number"), "{words}");
    assert_eq!(size(&place), count + 3);

    // The grown log continues the one that was seen; the old one does not continue the new one.
    let grown = place.beside("grown");
    copy_folder(&folder.join("log"), &grown);
    let second = verify(&grown);
    assert_eq!((&second["continues"], &second["size"]), (&count.into(), &(count + 3).into()));
    let words =
        refusal(&["log", "verify", "--folder", text(&mirror), "--key", &key, "--since", text(&seen)], 1);
    assert!(!words.is_empty());
    // Another deployment's key does not fit.
    let words = refusal(&["log", "verify", "--folder", text(&grown), "--key", &other_key()], 1);
    assert!(!words.is_empty());
    refusal(&["log", "verify", "--folder", text(&grown), "--key", "no key"], 1);
    // A copy with the key beside it needs no other word.
    spoken(&["log", "verify", "--folder", text(&grown)], 0);
}

fn reference(place: &Place) -> String {
    let mut reader = csv::Reader::from_path(place.folder().join("residents.csv")).unwrap();
    reader.records().nth(10).unwrap().unwrap()[0].to_owned()
}

/// The officers of a demonstration by role.
fn answer_list(place: &Place) -> std::collections::BTreeMap<String, String> {
    let folder = place.folder();
    let officers = answer(&["officer", "list", "--config", text(&folder), "--json"]);
    let of = |officer: &Value| {
        (officer["roles"][0].as_str().unwrap().to_owned(), officer["officer"].as_str().unwrap().to_owned())
    };
    officers.as_array().unwrap().iter().map(of).collect()
}

fn other_key() -> String {
    let other = Place::new();
    let folder = other.folder();
    answer(&["init", text(&folder), "--population", "1000", "--json"])["log_key"].as_str().unwrap().to_owned()
}

#[test]
fn a_changed_file_of_the_log_shows() {
    let place = finished();
    let (mirror, key) = outsider(&place);
    let verify = ["log", "verify", "--folder", text(&mirror), "--key", &key];
    spoken(&verify, 0);
    let files = files_below(&mirror);
    assert!(files.iter().filter(|file| file.to_str().unwrap().contains("tile")).count() >= 3, "{files:?}");
    let mut noticed = 0;
    for file in files {
        // The lock is empty, and a key is believed only when it comes from elsewhere.
        if ["lock", "vkey"].iter().any(|name| file.ends_with(name)) {
            continue;
        }
        let good = std::fs::read(&file).unwrap();
        let mut flipped = good.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for bytes in [Some(flipped), Some(good[..good.len() - 1].to_vec()), None] {
            match bytes {
                Some(bytes) => std::fs::write(&file, bytes).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            let words = refusal(&verify, 1);
            assert!(words.len() > 20, "{words}");
            noticed += 1;
            std::fs::write(&file, &good).unwrap();
        }
    }
    assert!(noticed >= 9, "only {noticed} changes were tried");
    spoken(&verify, 0);
}

#[test]
fn a_changed_database_shows() {
    // What somebody with the database, but without the keys, might do to hide that she looked.
    let changes = [
        "DELETE FROM trust_entry WHERE place = 7",
        "UPDATE trust_entry SET leaf = (SELECT leaf FROM trust_entry WHERE place = 8) WHERE place = 7",
        "UPDATE trust_entry SET holder = (SELECT holder FROM trust_entry WHERE place = 8), n = 1000 WHERE place = 7",
        "UPDATE trust_entry SET n = n + 5 WHERE place = 7",
        "UPDATE trust_holder SET entries = entries - 1 WHERE holder = (SELECT holder FROM trust_entry WHERE place = 7)",
        "DELETE FROM trust_holder WHERE holder = (SELECT holder FROM trust_entry WHERE place = 7)",
        "DELETE FROM trust_entry WHERE place = (SELECT max(place) FROM trust_entry)",
    ];
    for change in changes {
        let place = finished();
        let folder = place.folder();
        let changed = Database::sqlite(&folder).execute(change);
        assert_eq!(changed, 1, "{change}");
        let words = refusal(&["log", "verify", "--config", text(&folder)], 1);
        assert!(words.len() > 20, "{change}: {words}");
    }
}

#[test]
fn keys_that_others_can_read_are_refused_with_the_command_that_mends_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = finished();
    let folder = place.folder();
    for file in files_below(&folder.join("keys")) {
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o640);
        let words = refusal(&["log", "verify", "--config", text(&folder)], 2);
        assert!(words.contains(&format!("chmod 600 {}", file.display())), "{words}");
        mode(0o600);
    }
    spoken(&["log", "verify", "--config", text(&folder)], 0);
}

#[test]
fn the_doctor_looks_at_everything() {
    let place = finished();
    let folder = place.folder();
    let checks = answer(&["doctor", "--config", text(&folder), "--json"]);
    let checks = checks.as_array().unwrap();
    assert_eq!(checks.len(), 7);
    assert!(checks.iter().all(|check| check["good"] == true), "{checks:?}");
    let said = spoken(&["doctor", "--config", text(&folder)], 0);
    assert!(said.contains("kaname serve"), "{said}");

    // Work that was given up is not forgotten: the doctor says so until somebody has it tried again.
    let job = "0102030405060708090a0b0c0d0e0f10";
    Database::sqlite(&folder).execute(&format!(
        "INSERT INTO store_job (bucket, id, kind, body, state, made, due, attempts, leased_until, error)
         VALUES (0, x'{job}', 'feed.push', x'', 2, 1, 1, 12, 0, 'no-answer')"
    ));
    let said = spoken(&["doctor", "--config", text(&folder)], 1);
    assert!(said.contains("WRONG jobs") && said.contains("kaname jobs dead"), "{said}");
    let said = spoken(&["jobs", "dead", "--config", text(&folder)], 0);
    assert!(said.contains(job) && said.contains("feed.push  no-answer"), "{said}");
    let other = job.replace("01", "02");
    let said = refusal(&["jobs", "again", &other, "--config", text(&folder)], 1);
    assert!(said.contains("kaname jobs dead"), "{said}");
    assert_eq!(answer(&["jobs", "again", job, "--config", text(&folder), "--json"])["again"], 1);
    assert_eq!(answer(&["jobs", "dead", "--config", text(&folder), "--json"]), serde_json::json!([]));

    Database::sqlite(&folder).execute("CREATE TABLE pay_scratch (id INTEGER PRIMARY KEY, note REAL)");
    let said = spoken(&["doctor", "--config", text(&folder)], 1);
    assert!(said.contains("WRONG database") && said.contains("pay_scratch"), "{said}");
    // A key that others may read is one fault among the others.
    for file in files_below(&folder.join("keys")) {
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    }
    let said = spoken(&["doctor", "--config", text(&folder)], 1);
    assert!(
        said.contains("WRONG keys") && said.contains("chmod 600") && said.contains("WRONG database"),
        "{said}"
    );

    let place = finished();
    let folder = place.folder();
    for file in files_below(&folder.join("log")) {
        if file.to_str().unwrap().contains("tile/entries") {
            std::fs::write(file, "nothing").unwrap();
        }
    }
    let output = run(&["doctor", "--config", text(&folder)]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("WRONG log"), "{said}");
}

/// `kaname … | head` goes before the command is through: that is no panic.
#[test]
fn nobody_needs_to_read_to_the_end() {
    let place = finished();
    let folder = place.folder();
    let doctor = ["doctor", "--config", text(&folder)];
    let mut child = kaname(&doctor).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.as_ref()), (Some(141), ""));
}
