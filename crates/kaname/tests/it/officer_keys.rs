//! Whoever names an officer by command line must show the officer's key: four eyes hold there too.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::program::{Place, answer, kaname, refusal, text};

fn rights(file: &Path, mode: u32) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn nobody_acts_for_an_officer_without_her_key() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let folder = place.folder();
    let [boss, planner, approver] = place.staff();
    let key_of = |id: &str| folder.join("officers").join(format!("{id}.key"));
    let plan = ["payout", "plan", "--officer", &planner, "--config", text(&folder)];
    let mode = std::fs::metadata(key_of(&planner)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let own = place.beside("own.key");
    std::fs::rename(key_of(&planner), &own).unwrap();
    assert!(refusal(&plan, 1).contains("must show her key"));
    let named = |file: &Path| {
        let output = kaname(&plan).env("KANAME_OFFICER_KEY", file).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, words) = named(&key_of(&approver));
    assert!(code == Some(1) && words.contains("is not the key of"), "another officer's: {words}");
    // Another officer's secret under her name.
    let others = std::fs::read_to_string(key_of(&approver)).unwrap();
    let forged = place.write("forged.key", others.replace(&approver, &planner));
    rights(&forged, 0o600);
    let (code, words) = named(&forged);
    assert!(code == Some(1) && words.contains("not the officer's key"), "{words}");
    rights(&own, 0o640);
    let (code, words) = named(&own);
    assert!(code == Some(1) && words.contains("others may read"), "{words}");
    rights(&own, 0o600);
    assert_eq!(named(&own).0, Some(0), "with her own key she plans");

    // A new one takes the place of the old one; only an administrator makes it, and who left has none.
    let new = place.beside("new.key");
    let key = ["officer", "key", &planner, "--key", text(&new), "--config", text(&folder)];
    let words = refusal(&[&key[..], &["--by", &approver]].concat(), 1);
    assert!(words.contains("no role that may activate an officer"), "{words}");
    let words = refusal(&key, 1);
    assert!(words.contains("nobody"), "without an administrator only the first key is made: {words}");
    let made = answer(&[&key[..], &["--by", &boss, "--json"]].concat());
    assert_eq!(made["officer"], planner.as_str());
    assert_eq!((named(&own).0, named(&new).0), (Some(1), Some(0)));
    answer(&["officer", "change", &planner, "--leaves", "--by", &boss, "--config", text(&folder), "--json"]);
    assert_eq!(named(&new).0, Some(1));
}
