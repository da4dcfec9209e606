//! `kaname resident import`: good rows go in, bad ones are explained, whatever the file looks like.

use std::path::Path;

use serde_json::Value;

use crate::database::Database;
use crate::program::{Place, answer, answer_with, refusal, run, text};

const HEADER: &str = "reference,family_name,given_name,birth_date,sex,status,address,phone\n";

/// What a good row looks like.
fn good(reference: &str) -> String {
    format!("{reference},Smith,Jane,1980-04-21,F,citizen,1 Quay,+44 20 7946 0958\n")
}

/// Imports a file with this content; gives the answer and line, column and code of each reject.
fn import(
    place: &Place,
    name: &str,
    bytes: impl AsRef<[u8]>,
    more: &[&str],
    code: i32,
) -> (Value, Vec<String>) {
    let (file, folder) = (place.write(name, bytes), place.folder());
    let args = ["resident", "import", text(&file), "--config", text(&folder), "--json"];
    let answer = answer_with(&[&args[..], more].concat(), code);
    let rejects = std::fs::read_to_string(answer["rejects_file"].as_str().unwrap()).unwrap_or_default();
    let lines = rejects.lines().skip(1).map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(","));
    (answer, lines.collect())
}

fn counts(answer: &Value) -> [u64; 3] {
    ["registered", "already_here", "rejected"].map(|name| answer[name].as_u64().unwrap())
}

#[test]
fn every_bad_row_is_explained_and_all_others_go_in() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let mut file = HEADER.as_bytes().to_vec();
    file.extend(good("A1").bytes());
    let long = "x".repeat(70_000);
    let bad: &[(&[u8], &str)] = &[
        (b"B1,Smith,Tom,1980-02-30,M,citizen,,\n", "birth_date,no-such-day"),
        (b"B2,Smith,Tom,21/04/1980,M,citizen,,\n", "birth_date,date-form"),
        (b"B3,Smith,Tom,2999-01-01,M,citizen,,\n", "birth_date,in-future"),
        (b"B4,,,1980-02-03,M,citizen,,\n", "family_name,missing-name"),
        (b"A1,Other,Person,1970-01-01,M,citizen,,\n", "reference,duplicate"),
        (b"B5,Sm\xFFith,Tom,1980-02-03,M,citizen,,\n", ",not-utf8"),
        (b"B6,\xED\xA0\x80,Tom,1980-02-03,M,citizen,,\n", ",not-utf8"),
        (b"B7,Smith,Tom,1980-02-03,M,citizen\n", ",column-count"),
        (b"B8,Smith,Tom,1980-02-03,M,citizen,,,,\n", ",column-count"),
        (b"B9,=HYPERLINK(1),Tom,1980-02-03,M,citizen,,\n", "family_name,formula"),
        (b"B10,@SUM(1),Tom,1980-02-03,M,citizen,,\n", "family_name,formula"),
        (b"B11,Smith,Tom,1980-02-03,Q,citizen,,\n", "sex,unknown-code"),
        (b"B12,Smith,Tom,1980-02-03,M,wizard,,\n", "status,unknown-code"),
        (b",Smith,Tom,1980-02-03,M,citizen,,\n", "reference,missing"),
        (b"B13,\"Smith,Tom,1980-02-03,M,citizen,,\n", ",quotes"),
        (b"B14,Smith,To\0m,1980-02-03,M,citizen,,\n", "given_name,control-character"),
    ];
    let mut expected = Vec::new();
    for (i, (row, reason)) in bad.iter().enumerate() {
        file.extend(*row);
        expected.push(format!("{},{reason}", i + 3));
    }
    let mut line = bad.len() + 3;
    for (row, reason) in [
        (format!("B20,{},Tom,1980-02-03,M,citizen,,\n", "x".repeat(61)), "family_name,too-long"),
        (format!("B21,{long},Tom,1980-02-03,M,citizen,,\n"), ",row-too-long"),
        ("B22,Smith,\"Tom\nJames\",1980-02-03,M,citizen,,\n".to_owned(), "given_name,control-character"),
    ] {
        file.extend(row.bytes());
        expected.push(format!("{line},{reason}"));
        line += row.matches('\n').count();
    }
    file.extend(good("A2").bytes());
    file.extend(b"A3,Smith,\"Jane \"\"Jenny\"\"\",1980-02-03,F,citizen,\"2, Quay\",");
    let (answer, rejects) = import(&place, "people.csv", &file, &[], 4);
    assert_eq!(rejects, expected);
    assert_eq!(counts(&answer), [3, 0, expected.len() as u64]);
    // No value of a row stands in what lies around.
    let told = std::fs::read_to_string(answer["rejects_file"].as_str().unwrap()).unwrap();
    for value in ["Smith", "HYPERLINK", "wizard", "1980", "B1", "xxxx"] {
        assert!(!told.contains(value), "the rejects tell {value}");
    }
    let shown = show(&place, "A3", "residents");
    assert_eq!(
        (&shown["name"], &shown["address"]),
        (&"Jane \"Jenny\" Smith".into(), &"2, Quay".into()),
        "{shown}"
    );

    // Mended and imported again: those who are there stay as they are.
    let mended = [HEADER, &good("A1"), &good("A2"), &good("B1"), &good("B2")].concat();
    let (answer, rejects) = import(&place, "mended.csv", mended, &[], 0);
    assert_eq!((counts(&answer), rejects.len()), ([2, 2, 0], 0));
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let place = Place::with_deployment("japan", &["--population", "1000"]);
    let (file, folder) = (place.people("japan", 200), place.folder());
    let args = ["resident", "import", text(&file), "--config", text(&folder), "--json"];
    assert_eq!(counts(&answer(&args)), [200, 0, 0]);
    let mut database = Database::sqlite(&folder);
    let content = database.content();
    let again = answer(&args);
    assert_eq!((counts(&again), &again["nothing_new"]), ([200, 0, 0], &true.into()));
    assert!(database.content() == content, "the second import wrote something");
    let words = String::from_utf8(run(&args[..args.len() - 1]).stdout).unwrap();
    assert!(words.contains("nothing has changed"), "{words}");

    // Renamed, it is the same file; with another line in it, only that line is new.
    let text = std::fs::read_to_string(&file).unwrap();
    let (answer, _) = import(&place, "renamed.csv", &text, &[], 0);
    assert_eq!(answer["nothing_new"], true);
    let last = text.lines().last().unwrap();
    let (reference, rest) = last.split_once(',').unwrap();
    let longer = format!("{text}{reference}X,{rest}\n");
    let (answer, _) = import(&place, "longer.csv", longer, &[], 0);
    assert_eq!(counts(&answer), [1, 200, 0]);
    // Another person under a reference that is taken is no second person, and no silent correction.
    let changed = format!(
        "{}\n{reference},{}\n",
        text.lines().next().unwrap(),
        rest.replacen("19", "18", 1).replacen("20", "19", 1)
    );
    let (answer, rejects) = import(&place, "changed.csv", changed, &[], 4);
    assert_eq!((counts(&answer), rejects), ([0, 0, 1], vec!["2,reference,other-data".to_owned()]));
}

#[test]
fn files_of_every_make_are_read() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let rows = |names: [&str; 3]| [HEADER, &good(names[0]), &good(names[1]), &good(names[2])].concat();
    let bom = format!("\u{feff}{}", rows(["C1", "C2", "C3"]));
    let crlf = rows(["D1", "D2", "D3"]).replace('\n', "\r\n");
    let quoted = rows(["E1", "E2", "E3"]).replace("Smith", "\"Smith\"").replace("1 Quay", "\"1, Quay\"");
    let blank_lines = rows(["F1", "F2", "F3"]).replace('\n', "\n\n");
    let unended = rows(["G1", "G2", "G3"]).trim_end().to_owned();
    for (name, file) in
        [("bom", bom), ("crlf", crlf), ("quoted", quoted), ("blank", blank_lines), ("unended", unended)]
    {
        let (answer, rejects) = import(&place, &format!("{name}.csv"), file, &[], 0);
        assert_eq!((counts(&answer), rejects.len()), ([3, 0, 0], 0), "{name}");
    }
    let (answer, _) = import(&place, "only-a-header.csv", HEADER, &[], 0);
    assert_eq!(counts(&answer), [0, 0, 0]);

    let json = "{\"reference\":\"J1\",\"family_name\":\"Smith\",\"given_name\":\"Jo\",\"birth_date\":\"1980-04-21\",\"sex\":\"F\",\"status\":\"citizen\"}\n\
                not json\n\
                [1,2]\n\
                {\"reference\":\"J2\",\"family_name\":{\"x\":1}}\n\
                {\"reference\":\"J3\",\"family_name\":\"Smith\"\n\
                \n\
                {\"reference\":\"J4\",\"family_name\":\"Smith\",\"given_name\":\"Jo\",\"birth_date\":\"1980-13-01\",\"sex\":\"F\",\"status\":\"citizen\"}\n\
                {\"reference\":5,\"family_name\":\"Smith\",\"given_name\":\"Al\",\"birth_date\":\"1980-04-21\",\"sex\":\"M\",\"status\":\"citizen\",\"other\":true}\n";
    let (answer, rejects) = import(&place, "people.jsonl", json, &[], 4);
    assert_eq!(
        rejects,
        ["2,,not-json", "3,,not-json", "4,,not-json", "5,,not-json", "7,birth_date,no-such-day"]
    );
    assert_eq!(counts(&answer), [2, 0, 5]);
    assert_eq!(show(&place, "5", "residents")["name"], "Al Smith");
}

#[test]
fn a_file_that_cannot_be_read_is_refused_in_words() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let folder = place.folder();
    let refused = |name: &str, bytes: &[u8], more: &[&str], code: i32| {
        let file = if bytes == b"absent" { place.beside(name) } else { place.write(name, bytes) };
        refusal(&[&["resident", "import", text(&file), "--config", text(&folder)], more].concat(), code)
    };
    let cases: [(&str, &[u8], i32, &str); 4] = [
        ("empty.csv", b"", 1, "empty"),
        ("absent.csv", b"absent", 2, "absent.csv"),
        ("strange.csv", b"a,b,c\n1,2,3\n", 1, "reference"),
        ("binary.csv", b"\x00\xFF\x01\n\x02", 1, "first line"),
    ];
    for (name, bytes, code, word) in cases {
        let words = refused(name, bytes, &[], code);
        assert!(words.contains(word), "{name}: {words}");
    }
    let map = place.write("map.toml", "source = \"x\"\n[columns]\nno_such_field = \"a\"\n");
    let words = refused("good.csv", HEADER.as_bytes(), &["--map", text(&map)], 2);
    assert!(words.contains("map.toml") && words.contains("no_such_field"), "{words}");
    let words = refused("good.csv", HEADER.as_bytes(), &["--map", "/no/such/map.toml"], 2);
    assert!(words.contains("/no/such/map.toml"), "{words}");
    let words = refusal(&["resident", "import", "x.csv", "--config", text(&place.beside("nowhere"))], 2);
    assert!(words.contains("kaname init"), "{words}");
}

#[test]
fn another_systems_file_needs_a_mapping_and_no_change() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let map = place.write(
        "map.toml",
        "source = \"town\"\ndate_format = \"DD.MM.YYYY\"\ndelimiter = \";\"\n\
         [columns]\nreference = \"Nr\"\nfamily_name = \"Surname\"\ngiven_name = \"First\"\nbirth_date = \"Born\"\nsex = \"S\"\n\
         [values.sex]\nm = \"M\"\nw = \"F\"\n[constants]\nstatus = \"citizen\"\n",
    );
    let file = "Nr;First;Surname;Born;S;Unused\n1;Ana;Lee;21.04.1980;w;x\n2;Bo;Lee;31.02.1980;m;x\n3;Cy;Lee;01.02.1980;q;x\n";
    let (answer, rejects) = import(&place, "town.csv", file, &["--map", text(&map)], 4);
    assert_eq!(rejects, ["3,Born,no-such-day", "4,S,unknown-code"], "the columns have the file's own names");
    assert_eq!(counts(&answer), [1, 0, 2]);
    assert_eq!(show(&place, "1", "town")["born"], "1980-04-21");
    let folder = place.folder();
    refusal(&["resident", "show", "--reference", "1", "--config", text(&folder)], 1);
}

/// Rows in the layout of FEBRL's person files: blanks behind the commas, cells that are empty.
#[test]
fn the_mapping_for_febrl_reads_its_layout() {
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/febrl-mapping.toml");
    let file = "rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id\n\
                rec-1-org, anna, sample, 8, quay street, flat 2, harbour, 4510, nsw, 19800421, 1234567\n\
                rec-1-dup-0, ana, sample, , quay street, , harbour, 4510, nsw, 19800421, 1234567\n\
                rec-2-org, , , 17, hill road, , upton, 3083, vic, 19621231, 7654321\n\
                rec-3-org, joe, other, 4, hill road, , upton, 3083, vic, , 7654322\n";
    let (answer, rejects) = import(&place, "dataset.csv", file, &["--map", text(&map)], 4);
    assert_eq!(rejects, ["4,surname,missing-name", "5,date_of_birth,missing"]);
    assert_eq!(counts(&answer), [2, 0, 2]);
    let shown = show(&place, "rec-1-org", "febrl");
    assert_eq!(shown["name"], "anna sample");
    assert_eq!(shown["address"], "4510 nsw harbour 8 quay street flat 2");
}

fn show(place: &Place, reference: &str, source: &str) -> Value {
    let folder = place.folder();
    answer(&[
        "resident",
        "show",
        "--reference",
        reference,
        "--source",
        source,
        "--config",
        text(&folder),
        "--json",
    ])
}
