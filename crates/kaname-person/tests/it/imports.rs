//! Imports: bad rows are explained, good ones go in once, whatever happens in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use kaname_base::pack::Pack;
use kaname_person::import::{Import, Mapping, import};
use kaname_person::number::find_by_number;
use kaname_person::register::{find_by_reference, people_in_bucket};
use kaname_person::{Numbers, PersonError, Refusal};
use kaname_store::{Buckets, Location, Store, StoreConfig, StoreError};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::Keys;

use crate::numbers::reveal;
use crate::world::{World, env, registrar, rejects_of};

const HEADER: &str = "reference,family_name,given_name,birth_date,sex,status,address,phone\n";

on_every_store!(
    bad_rows_are_explained_and_others_go_in,
    the_same_file_twice_changes_nothing,
    a_broken_import_goes_on_where_it_was,
    json_lines_are_read,
);

fn bad_rows_are_explained_and_others_go_in(t: &TestStore) {
    let w = World::new(t, "example");
    let mut text = HEADER.as_bytes().to_vec();
    text.extend_from_slice(
        b"A1,Smith,Jane,1980-04-21,F,citizen,1 Quay,+44 20 7946 0958\n\
          A2,Smith,Tom,1980-02-30,M,citizen,,\n\
          A3,,,1980-02-03,M,citizen,,\n\
          A1,Other,Person,1970-01-01,M,citizen,,\n\
          A4,Sm\xFFith,Tom,1980-02-03,M,citizen,,\n\
          A5,Smith,Tom,1980-02-03,M,citizen\n\
          A6,=HYPERLINK(1),Tom,1980-02-03,M,citizen,,\n\
          A7,Smith,Tom,1980-02-03,Q,citizen,,\n\
          ,Smith,Tom,1980-02-03,M,citizen,,\n\
          A8,\"Smith,Tom,1980-02-03,M,citizen,,\n\
          A9,Smith,\"Tom\nJames\",1980-02-03,M,citizen,,\n\
          A10,Smith,Tim,1980-02-03,M,citizen,\"2, Quay\",\n",
    );
    let file = w.file("people.csv", &text);
    for batch in [3, 1_000] {
        let report = w.import(&file, &Mapping::own(), batch).expect("imports");
        assert_eq!((report.progress.registered, report.progress.rejected), (2, 10));
        assert_eq!(report.nothing_new, batch == 1_000);
    }
    assert_eq!(w.count(), 2);
    let rejects = std::fs::read_to_string(rejects_of(&file)).expect("rejects");
    let lines: Vec<String> =
        rejects.lines().map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(
        lines,
        [
            "line,column,code",
            "3,birth_date,no-such-day",
            "4,family_name,missing-name",
            "5,reference,duplicate",
            "6,,not-utf8",
            "7,,column-count",
            "8,family_name,formula",
            "9,sex,unknown-code",
            "10,reference,missing",
            "11,,quotes",
            "12,given_name,control-character",
        ]
    );
    assert!(rejects.contains("line 2 has the same reference"));
    for value in ["Smith", "HYPERLINK", "1980-02-30", "Tom", "A6"] {
        assert!(!rejects.contains(value), "the rejects tell {value}");
    }
    let tim =
        find_by_reference(&w.store, &w.keys, &registrar(), "residents", "A10").expect("looks").expect("Tim");
    assert_eq!(find_by_number(&w.store, &w.keys, &registrar(), &reveal(&w, tim)).expect("looks"), Some(tim));
}

#[test]
fn the_rejects_never_take_the_place_of_another_file() {
    let data = TestStore::sqlite();
    let w = World::new(&data, "example");
    let text = format!("{HEADER}A1,Smith,Jane,1980-04-21,F,citizen,1 Quay,\n");
    let file = w.file("people.csv", &text);
    let by = registrar();
    let ask =
        Import { file: &file, rejects: &file, mapping: &Mapping::own(), by, why: "first import", batch: 10 };
    let imported = import(&w.store, &w.keys, &w.pack, &w.numbers, &env(9), &ask, &mut |_| {});
    assert!(matches!(imported, Err(PersonError::Refused(Refusal::File(_)))), "{imported:?}");
    assert_eq!(std::fs::read_to_string(&file).expect("reads"), text);
}

fn the_same_file_twice_changes_nothing(t: &TestStore) {
    let w = World::new(t, "japan");
    let file = population(&w, "japan.csv", 300);
    let first = w.import(&file, &Mapping::own(), 100).expect("imports");
    assert_eq!((first.progress.registered, first.progress.rejected, first.nothing_new), (300, 0, false));
    let again = w.import(&file, &Mapping::own(), 100).expect("imports");
    assert_eq!((again.progress.registered, again.nothing_new), (300, true));

    // Another file with the same people, one of them changed, and one new.
    let mut text = std::fs::read_to_string(&file).expect("reads");
    text = text.replacen("@example", "@changed.example", 1);
    let copy = w.file("copy.csv", &text);
    let report = w.import(&copy, &Mapping::own(), 64).expect("imports");
    let counts = (report.progress.registered, report.progress.already_here, report.progress.rejected);
    assert_eq!(counts, (0, 299, 1));
    assert!(std::fs::read_to_string(rejects_of(&copy)).expect("rejects").contains("use a correction"));
    assert_eq!(w.count(), 300);
}

fn a_broken_import_goes_on_where_it_was(t: &TestStore) {
    let w = World::new(t, "uk");
    let file = with_bad_rows(&population(&w, "uk.csv", 400));
    let mut stops = 0;
    let report = loop {
        // Stops after the second batch of each run, while the third is under way.
        let mut batches = 0;
        let run = catch_unwind(AssertUnwindSafe(|| {
            w.import_watched(&file, &Mapping::own(), 50, &mut |_| {
                batches += 1;
                assert!(batches < 3, "stopped by the test");
            })
        }));
        match run {
            Ok(report) => break report.expect("imports"),
            Err(_) => stops += 1,
        }
    };
    assert!(stops > 2, "the import was stopped");
    check_whole(&w.store, &w.keys, report.progress.registered, 400);
    let rejects = std::fs::read_to_string(rejects_of(&file)).expect("rejects");
    assert_eq!(rejects.lines().count() as u64, report.progress.rejected + 1);

    // The rejects are those of an import that nobody stopped.
    let place = TestStore::sqlite();
    let straight = World::new(&place, "uk");
    let copy = straight.folder.path().join("uk.csv");
    std::fs::copy(&file, &copy).expect("copies");
    straight.import(&copy, &Mapping::own(), 50).expect("imports");
    assert_eq!(std::fs::read_to_string(rejects_of(&copy)).expect("rejects"), rejects);
}

fn json_lines_are_read(t: &TestStore) {
    let w = World::new(t, "example");
    let file = w.file(
        "people.jsonl",
        r#"{"id": 17, "surname": "Smith", "first": "Jane", "born": "21.04.1980", "gender": "w", "street": "Quay", "house": 3}

{"id": "18", "surname": "Smith", "first": "Tom", "born": "1980", "gender": "m"}
{"id": "19", "surname": {"x": 1}}
not json
"#,
    );
    let mapping = Mapping::parse(
        r#"
            source = "city"
            date_format = "DD.MM.YYYY"
            [columns]
            reference = "id"
            family_name = "surname"
            given_name = "first"
            birth_date = "born"
            sex = "gender"
            address = ["street", "house"]
            [constants]
            status = "citizen"
            [values.sex]
            w = "F"
            m = "M"
        "#,
    )
    .expect("a good mapping");
    let report = w.import(&file, &mapping, 10).expect("imports");
    assert_eq!((report.progress.registered, report.progress.rejected), (1, 3));
    assert!(find_by_reference(&w.store, &w.keys, &registrar(), "city", "17").expect("looks").is_some());
    let rejects = std::fs::read_to_string(rejects_of(&file)).expect("rejects");
    let codes: Vec<&str> = rejects.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
    assert_eq!(codes, ["date-form", "not-json", "not-json"]);
}

#[test]
fn a_mapping_that_does_not_fit_is_refused() {
    let t = TestStore::sqlite();
    let w = World::new(&t, "example");
    let file = w.file("people.csv", "a,b\n1,2\n");
    let refused = |mapping: &Mapping| match w.import(&file, mapping, 10) {
        Err(PersonError::Refused(Refusal::Mapping(message))) => message,
        other => panic!("{other:?}"),
    };
    assert!(refused(&Mapping::own()).contains("no column `reference`"));
    for (bad, says) in [
        ("source = \"x\"\n[columns]\n", "columns.reference"),
        ("source = \"\"\n[columns]\nreference = \"a\"", "source"),
        ("source = \"x\"\nspeed = 3\n[columns]\nreference = \"a\"", "speed"),
        ("source = \"x\"\ndate_format = \"YY-MM\"\n[columns]\nreference = \"a\"", "date_format"),
        ("source = \"x\"\n[columns]\nreference = \"a\"\nsex = \"b\"\n[constants]\nsex = \"F\"", "sex"),
        ("source = \"x\"\n[columns]\nshoe_size = \"a\"", "shoe_size"),
    ] {
        match Mapping::parse(bad) {
            Err(Refusal::Mapping(message)) => assert!(message.contains(says), "{message}"),
            _ => panic!("{bad} was taken"),
        }
    }
}

#[test]
fn the_example_mapping_is_good() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/febrl-mapping.toml");
    Mapping::parse(&std::fs::read_to_string(path).expect("the example is there")).expect("a good mapping");
}

/// Kills a real process (SIGKILL) again and again in the middle of an import.
#[test]
fn a_killed_process_loses_and_doubles_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = with_bad_rows(&write_population(&folder.path().join("people.csv"), 6_000));
    let mut kills = 0;
    loop {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "imports::child_process", "--nocapture"])
            .env("KANAME_TEST_IMPORT", folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("a child");
        // Later each time, so that every kill falls into another step; nothing is ever sent.
        let (_keep, never) = mpsc::channel::<()>();
        let patience = Duration::from_millis(40 + 40 * kills);
        let _ = never.recv_timeout(patience);
        let _ = child.kill();
        let ended = child.wait().expect("waits");
        if ended.success() {
            break;
        }
        kills += 1;
        assert!(kills < 200, "the import never ends");
    }
    assert!(kills > 1, "the process was killed");
    let (store, keys) = deployment(folder.path());
    let rejects = std::fs::read_to_string(rejects_of(&file)).expect("rejects");
    assert_eq!(rejects.lines().count(), 1 + BAD_ROWS);
    check_whole(&store, &keys, 6_000, 6_000);
}

/// The process that the test above starts and kills. Run without it, it has nothing to do.
#[test]
fn child_process() {
    let Some(folder) = std::env::var_os("KANAME_TEST_IMPORT").map(PathBuf::from) else { return };
    let (store, keys) = deployment(&folder);
    let pack = Pack::load_shipped("uk").expect("shipped");
    let (file, mapping) = (folder.join("people.bad.csv"), Mapping::own());
    let rejects = rejects_of(&file);
    let ask = Import {
        file: &file,
        rejects: &rejects,
        mapping: &mapping,
        by: registrar(),
        why: "test",
        batch: 400,
    };
    let numbers = Numbers::new(&keys, &pack);
    import(&store, &keys, &pack, &numbers, &env(9), &ask, &mut |_| {}).expect("imports");
}

fn deployment(folder: &Path) -> (Store, Keys) {
    let keys = Keys::load(folder).or_else(|_| Keys::create(folder)).expect("keys");
    let buckets = Buckets::new(4).expect("a power of two");
    let config = StoreConfig::new(Location::Sqlite(folder.join("kaname.sqlite")), buckets);
    let store = Store::open(&config, &[kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS]).expect("opens");
    (store, keys)
}

fn population(w: &World, name: &str, count: u64) -> PathBuf {
    let path = w.folder.path().join(name);
    let file = std::fs::File::create(&path).expect("a file");
    let people = kaname_sim::people(&w.pack.id, 7, count).expect("the country is known");
    kaname_sim::write_csv(file, people).expect("writes");
    path
}

fn write_population(path: &Path, count: u64) -> PathBuf {
    let file = std::fs::File::create(path).expect("a file");
    kaname_sim::write_csv(file, kaname_sim::people("uk", 7, count).expect("known")).expect("writes");
    path.to_owned()
}

const BAD_ROWS: usize = 9;

/// The same file with bad rows strewn in, the first row once more at the end among them.
fn with_bad_rows(file: &Path) -> PathBuf {
    let text = std::fs::read_to_string(file).expect("reads");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut mixed = String::new();
    for (i, line) in lines.iter().enumerate() {
        mixed.push_str(line);
        if i > 0 && i % (lines.len() / 8) == 0 {
            mixed.push_str("bad,row\n");
        }
    }
    mixed.push_str(lines[1]);
    let path = file.with_extension("bad.csv");
    std::fs::write(&path, mixed).expect("writes");
    path
}

/// Everybody is there once, has a number, and no two have the same.
fn check_whole(store: &Store, keys: &Keys, registered: u64, expected: u64) {
    assert_eq!(registered, expected);
    let mut numbers = std::collections::HashSet::new();
    let mut people = 0;
    for bucket in store.buckets().all() {
        let found = store
            .read::<_, StoreError, _>(bucket, |tx| people_in_bucket(tx, None, usize::MAX))
            .expect("reads");
        for person in found {
            people += 1;
            let keys = keys.clone();
            let pack = Pack::load_shipped("uk").expect("shipped");
            if people % 40 != 0 {
                continue;
            }
            let number = store
                .write::<_, PersonError, _>(bucket, move |tx| {
                    let ask = kaname_person::show::Asking::herself(person);
                    let resident =
                        kaname_person::show::open_resident(tx, &keys, &pack, &env(1), &ask, &["name"])?;
                    assert!(!resident.particulars.reference.is_empty());
                    kaname_person::show::reveal_number(tx, &keys, &pack, &env(1), &ask)
                })
                .expect("opens");
            assert!(numbers.insert(number));
        }
        let odd = "SELECT COUNT(*) FROM (SELECT id FROM person_record WHERE bucket = $1
            GROUP BY id HAVING COUNT(*) <> 3 OR SUM(part) <> 6) AS odd";
        let odd =
            store.read::<_, StoreError, _>(bucket, |tx| tx.row(odd, &[])?.map_or(Ok(-1), |row| row.int(0)));
        assert_eq!(odd.expect("counts"), 0, "each person has one record, one number and one event");
    }
    assert_eq!(people, expected);
    for number in &numbers {
        assert!(find_by_number(store, keys, &registrar(), number).expect("looks").is_some());
    }
}
