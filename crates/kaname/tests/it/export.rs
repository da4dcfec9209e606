//! Everything that is held on a person: complete, for her alone, with its lines in her log.

use std::path::Path;

use serde_json::Value;

use crate::lives::world;
use crate::program::{answer, spoken, text};

/// Records that no export has, each with why. A kind of record that is neither exported nor here fails the test.
const LEFT_OUT: &[(&str, &str)] = &[];

/// Every type that is sealed with a person's key in the program's sources, by file.
fn sealed_types() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                for rest in source.split("impl Record for ").skip(1) {
                    let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
                    found.push((path.display().to_string(), name));
                }
            }
        }
    }
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for block in std::fs::read_dir(crates).unwrap() {
        let sources = block.unwrap().path().join("src");
        if sources.is_dir() {
            walk(&sources, &mut found);
        }
    }
    found
}

/// The sources of the block that a file belongs to, as one text.
fn block_of(file: &str) -> String {
    fn read(folder: &Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => read(&path, into),
                false => into.push_str(&std::fs::read_to_string(&path).unwrap_or_default()),
            }
        }
    }
    let sources = Path::new(file).ancestors().find(|folder| folder.ends_with("src")).unwrap();
    let mut all = String::new();
    read(sources, &mut all);
    all
}

#[test]
fn each_kind_of_record_is_exported_or_left_out_with_a_reason() {
    let types = sealed_types();
    for (file, name) in &types {
        // Consents are sealed as `Body`, which the export calls what it is.
        let names = if file.ends_with("consent.rs") { vec!["Consent"] } else { vec![name.as_str()] };
        let sources = block_of(file);
        // As it is, or told anew without what is another person's.
        let forms = |name: &str| [format!("Held::open::<{name}>"), format!("Held::plain({name}::KIND")];
        let is_exported = names.iter().any(|name| forms(name).iter().any(|form| sources.contains(form)));
        let is_left_out = LEFT_OUT.iter().any(|(known, why)| known == name && !why.is_empty());
        assert!(is_exported != is_left_out, "{name} of {file}");
    }
    assert!(types.len() >= 19, "only {} kinds were found", types.len());
}

#[test]
fn an_officer_takes_out_what_is_held_on_a_resident_and_nobody_elses() {
    let (place, registrar, references) = world("40");
    let folder = place.folder();
    let on = ["--config", text(&folder), "--json"];
    let show = |reference: &str| answer(&[&["resident", "show", "--reference", reference][..], &on].concat());
    let (ann, ben) = (&references[0], &references[1]);
    let others = show(ben)["person"].as_str().unwrap().to_owned();
    let married = [
        "resident",
        "event",
        "add",
        "--reference",
        ann,
        "--officer",
        &registrar,
        "--why",
        "report",
        "--evidence",
        "paper 7",
        "--kind",
        "marriage",
        "--on",
        "2020-05-01",
        "--with",
        ben,
    ];
    answer(&[&married[..], &on].concat());

    let file = folder.join("ann.json");
    let export = [
        "resident",
        "export",
        "--reference",
        ann,
        "--officer",
        &registrar,
        "--to",
        text(&file),
        "--config",
        text(&folder),
    ];
    assert_eq!(spoken(&export, 0), "");
    let exported = std::fs::read_to_string(&file).unwrap();
    let document: Value = serde_json::from_str(&exported).unwrap();
    assert_eq!((&document["format"], &document["version"]), (&"kaname-export".into(), &1.into()));
    let records = document["records"].as_object().unwrap();
    for kind in ["person.resident", "person.number", "person.event", "signin.account"] {
        assert!(records.contains_key(kind), "no {kind}: {:?}", records.keys());
    }
    let resident = &records["person.resident"][0]["record"];
    assert_eq!(resident["particulars"]["reference"], ann.as_str());
    assert!(resident["registered_at"].as_str().unwrap().ends_with('Z'), "moments are for people to read");
    let relation = &resident["life"]["relations"][0];
    assert!(relation["to"].as_str().unwrap().starts_with("person-"), "{relation}");
    assert!(!exported.contains(&others), "nobody else's id goes out");
    let own = show(ann)["person"].as_str().unwrap().to_owned();
    assert!(!exported.contains(&own), "and the register's own name for her is of no use to her");

    // Her log tells who took it out: a line for each block, the newest first.
    let lines = document["access_log"].as_array().unwrap();
    for (line, field) in lines.iter().zip(["record", "sign_ins", "payments"]) {
        assert_eq!((&line["actor"]["kind"], &line["purpose"]), (&"officer".into(), &"help-desk".into()));
        assert_eq!(line["actor"]["id"], registrar.as_str());
        assert_eq!(line["fields"][0], field, "{line}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
    }
}
