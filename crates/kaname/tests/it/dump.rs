//! Dump it: everything of the register has happened, and whoever copies the database, the log and the program's own output finds no
//! name, number, alias, outside id, address, phone, account, evidence or word of an officer in them, in no encoding, and cannot join
//! two blocks' tables on a person.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use kaname_base::number::PersonNumber;
use kaname_base::pack::Pack;
use kaname_base::{Buckets, Env, Instant};
use kaname_person::PersonError;
use kaname_person::register::people_in_bucket;
use kaname_person::show::{Asking, reveal_number};
use kaname_store::{Location, Store, StoreConfig};
use kaname_testkit::{Options, Postgres};
use kaname_trust::{Keys, PersonId};

use crate::database::{Cell, Database, cluster};
use crate::everything::{Happened, happens};
use crate::needles::Needles;
use crate::program::{Place, files_below, kaname, text};

/// Below this, a deployment has one bucket, so that everybody could be joined with everybody.
const RESIDENTS: usize = 1_000;

#[test]
fn a_stolen_copy_of_sqlite_shows_nobody() {
    let place = Place::with_deployment("japan", &["--population", "1000", "--simulated-banks"]);
    // Somebody who reads all the while: so the write-ahead log keeps every page that ever was.
    let reader = rusqlite::Connection::open(place.folder().join("kaname.sqlite")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM person_record").unwrap();
    let spoken = demo(&place, "japan", &[]);
    let mut secrets = secrets(&place, "japan");
    let happened = happens(&place, "japan", &mut Database::sqlite(&place.folder()));
    secrets.extend(happened.secrets.iter().cloned());
    secrets.extend(numbers(&place, "japan"));
    let needles = Needles::of_texts(&secrets);
    assert!(needles.count() > 100_000, "only {} needles", needles.count());

    // The search itself must be able to find: what lies outside is full of them.
    for outside in ["residents.csv", "world/banks", "letters"] {
        let outside = place.folder().join(outside);
        let files = if outside.is_dir() { files_below(&outside) } else { vec![outside.clone()] };
        assert!(
            files.iter().any(|file| needles.find(&std::fs::read(file).unwrap()).is_some()),
            "{}",
            outside.display()
        );
    }
    let wal = std::fs::metadata(place.folder().join("kaname.sqlite-wal")).unwrap().len();
    assert!(wal > 2_000_000, "the write-ahead log has only {wal} bytes");
    let searched =
        search(&needles, files_below(&place.folder()).into_iter().filter(|file| !is_outside(&place, file)));
    assert!(searched > 3_000_000, "only {searched} bytes were searched");
    check_spoken(&place, &spoken, &happened);
}

#[test]
fn a_stolen_copy_of_postgresql_shows_nobody() {
    if cluster().is_none() {
        return;
    }
    let postgres = Postgres::start(Options::default()).unwrap();
    let url = postgres.database();
    let place = Place::new();
    let spoken = demo(&place, "example", &["--postgres", &url]);
    let mut secrets = secrets(&place, "example");
    let happened = happens(&place, "example", &mut Database::postgres(&url));
    secrets.extend(happened.secrets.iter().cloned());
    secrets.extend(numbers(&place, "example"));
    // Everything goes to its file, and stays in the write-ahead log too.
    postgres.administer("CHECKPOINT").unwrap();
    let needles = Needles::of_texts(&secrets);

    let cluster = PathBuf::from(url.split_whitespace().next().unwrap().strip_prefix("host=").unwrap());
    let database = Database::postgres(&url)
        .number("SELECT oid::bigint FROM pg_database WHERE datname = current_database()");
    let of_database = format!("/base/{database}/");
    let is_ours = |file: &PathBuf| {
        let path = file.to_str().unwrap();
        !path.contains("/base/") || path.contains(&of_database)
    };
    let files: Vec<PathBuf> =
        files_below(&cluster).into_iter().filter(is_ours).filter(|file| file.is_file()).collect();
    for part in [of_database.as_str(), "/pg_wal/"] {
        assert!(files.iter().any(|file| file.to_str().unwrap().contains(part)), "no {part}");
    }
    let searched = search(&needles, files);
    assert!(searched > 10_000_000, "only {searched} bytes were searched");
    search(&needles, files_below(&place.folder()).into_iter().filter(|file| !is_outside(&place, file)));
    check_spoken(&place, &spoken, &happened);
}

#[test]
fn no_two_blocks_share_a_key_for_a_person() {
    let place = Place::new();
    demo(&place, "example", &[]);
    let mut database = Database::sqlite(&place.folder());
    check_orders(&place, &mut database, "place");
    happens(&place, "example", &mut database);
    check_unlinkable(&mut database);

    let Some(postgres) = cluster() else { return };
    let (place, url) = (Place::new(), postgres.database());
    demo(&place, "example", &["--postgres", &url]);
    let mut database = Database::postgres(&url);
    check_orders(&place, &mut database, "ctid");
    happens(&place, "example", &mut database);
    check_unlinkable(&mut database);
}

/// A finished demonstration, and everything that the program said.
fn demo(place: &Place, country: &str, more: &[&str]) -> Vec<u8> {
    let (folder, count) = (place.folder(), RESIDENTS.to_string());
    let args = ["demo", "--data", text(&folder), "--residents", &count, "--country", country, "--exit"];
    let mut spoken = Vec::new();
    for form in [&[][..], &["--json"]] {
        let output = kaname(&[&args[..], more, form].concat()).env("KANAME_LOG", "trace").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        spoken.extend([output.stdout, output.stderr].concat());
    }
    for command in [&["doctor"][..], &["ledger", "fsck"], &["log", "verify"], &["officer", "list"]] {
        let args = [command, &["--config", text(&folder)]].concat();
        let output = kaname(&args).env("KANAME_LOG", "trace").output().unwrap();
        spoken.extend([output.stdout, output.stderr].concat());
    }
    spoken
}

/// What is no copy of the database: paper, the world outside (the file that was imported, the banks' own books), what officers carry
/// with them, and the pack.
fn is_outside(place: &Place, file: &Path) -> bool {
    ["letters", "world", "residents.csv", "pack", "officers"]
        .iter()
        .any(|outside| file.starts_with(place.folder().join(outside)))
}

/// Looks through files; gives how many bytes that were.
fn search(needles: &Needles, files: impl IntoIterator<Item = PathBuf>) -> usize {
    let mut searched = 0;
    for file in files {
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            // PostgreSQL puts files away when it likes: what is gone is no part of the copy.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", file.display()),
        };
        searched += bytes.len();
        if let Some((secret, at)) = needles.find(&bytes) {
            let around = String::from_utf8_lossy(&bytes[at.saturating_sub(60)..(at + 60).min(bytes.len())])
                .into_owned();
            panic!("{} shows {secret:?} at {at}: {around:?}", file.display());
        }
    }
    searched
}

/// What the program says names applications by their references, and nobody; and what it notes of its work, not even these.
fn check_spoken(place: &Place, spoken: &[u8], happened: &Happened) {
    assert!(spoken.len() > 2_000 && !happened.said.is_empty());
    let mut secrets = secrets_of_file(&place.folder().join("residents.csv"), &["reference"]);
    secrets.extend(secrets_of_banks(&place.folder()));
    secrets.extend(happened.secrets.iter().cloned());
    let needles = Needles::of_texts(&secrets);
    for said in [spoken, &happened.said] {
        let found = needles.find(said).map(|(secret, _)| secret.to_owned());
        assert_eq!(found, None, "{}", String::from_utf8_lossy(said));
    }
}

/// Everything that says who somebody is: names, readings, dates of birth, addresses, phones, mail; numbers; accounts.
fn secrets(place: &Place, country: &str) -> BTreeSet<String> {
    let mut secrets = secrets_of_file(&place.folder().join("residents.csv"), &[]);
    let accounts = secrets_of_banks(&place.folder());
    assert!(accounts.len() > RESIDENTS, "the banks hold {} names and numbers", accounts.len());
    secrets.extend(accounts);
    let numbers = numbers(place, country);
    assert!(numbers.len() >= RESIDENTS, "only {} numbers", numbers.len());
    secrets.extend(numbers);
    secrets
}

/// The cells of the file of residents that say who somebody is, alone and as people join them.
fn secrets_of_file(residents: &Path, but: &[&str]) -> BTreeSet<String> {
    let personal = [
        "reference",
        "family_name",
        "given_name",
        "family_reading",
        "given_reading",
        "family_latin",
        "given_latin",
        "birth_date",
        "postcode",
        "address",
        "phone",
        "email",
    ];
    let mut reader = csv::Reader::from_path(residents).unwrap();
    let header = reader.headers().unwrap().clone();
    assert!(
        personal.iter().all(|name| header.iter().any(|column| column == *name)),
        "other columns: {header:?}"
    );
    let mut secrets = BTreeSet::new();
    for row in reader.records() {
        let row = row.unwrap();
        let cell = |name: &str| row[header.iter().position(|column| column == name).unwrap()].to_owned();
        secrets.extend(personal.iter().filter(|name| !but.contains(name)).map(|name| cell(name)));
        for names in ["name", "reading", "latin"] {
            let (family, given) = (cell(&format!("family_{names}")), cell(&format!("given_{names}")));
            if !family.is_empty() && !given.is_empty() {
                for between in ["", " ", "\u{3000}", ", "] {
                    secrets
                        .extend([format!("{family}{between}{given}"), format!("{given}{between}{family}")]);
                }
            }
        }
        secrets.insert(cell("birth_date").replace('-', ""));
        let digits: String = cell("phone").chars().filter(char::is_ascii_digit).collect();
        secrets.extend([digits.trim_start_matches('0').to_owned(), digits]);
    }
    secrets
}

/// Every account that a simulated bank knows, and its holder as the bank writes the name.
fn secrets_of_banks(folder: &Path) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for file in files_below(&folder.join("world/banks")) {
        if file.file_name().is_some_and(|name| name == "accounts.tsv") {
            for line in std::fs::read_to_string(file).unwrap().lines() {
                let mut cells = line.split('\t');
                secrets.extend(cells.next().map(str::to_owned));
                secrets.extend(cells.nth(1).map(str::to_owned));
            }
        }
    }
    secrets
}

/// Everybody's number, as it is and as people write it, opened in a copy of the deployment: asking is itself written down.
fn numbers(place: &Place, country: &str) -> BTreeSet<String> {
    let copy = tempfile::tempdir().unwrap();
    // By another process: whoever opens the file of a database and closes it again lets go of the locks that this one has on it.
    let copied =
        std::process::Command::new("cp").arg("-R").arg(place.folder().join(".")).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    let (store, keys) = open_store(copy.path());
    let form = Pack::load_shipped(country).unwrap().number;
    let written = |person| {
        let number = reveal(&store, &keys, country, person);
        let shown = form.show(&number);
        [shown.replace(' ', "-"), shown, number.as_str().to_owned()]
    };
    people(&store).into_iter().flat_map(written).collect()
}

/// Somebody looks at her own number; an entry of the access log.
pub(crate) fn reveal(store: &Store, keys: &Keys, country: &str, person: PersonId) -> PersonNumber {
    let (keys, pack) = (keys.clone(), Pack::load_shipped(country).unwrap());
    let bucket = kaname_trust::person::bucket_of(person, store.buckets());
    let revealed = store.write::<_, PersonError, _>(bucket, move |tx| {
        let env = Env::new(Instant::from_micros(1_800_000_000_000_000), [7; 32]);
        reveal_number(tx, &keys, &pack, &env, &Asking::herself(person))
    });
    revealed.unwrap()
}

pub(crate) fn open_store(folder: &Path) -> (Store, Keys) {
    let config: toml::Table = std::fs::read_to_string(folder.join("kaname.toml")).unwrap().parse().unwrap();
    let buckets = Buckets::new(config["buckets"].as_integer().unwrap() as u16).unwrap();
    let location = match config["database"].get("postgres") {
        Some(urls) => Location::Postgres(
            urls.as_array().unwrap().iter().map(|url| url.as_str().unwrap().to_owned()).collect(),
        ),
        None => Location::Sqlite(folder.join("kaname.sqlite")),
    };
    let store = Store::open(&StoreConfig::new(location, buckets), crate::database::BLOCKS).unwrap();
    (store, Keys::load(&folder.join("keys")).unwrap())
}

pub(crate) fn people(store: &Store) -> Vec<PersonId> {
    let in_bucket = |bucket| {
        store.read::<_, PersonError, _>(bucket, |tx| Ok(people_in_bucket(tx, None, 100_000)?)).unwrap()
    };
    store.buckets().all().flat_map(in_bucket).collect()
}

/// No value of one block stands in a table of another.
fn check_unlinkable(database: &mut Database) {
    let mut by_block: BTreeMap<String, BTreeMap<Vec<u8>, String>> = BTreeMap::new();
    let mut blobs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    // Officers answer for what they plan and approve by name: they are no secret between the blocks.
    let tables = database.tables().into_iter().filter(|table| !table.starts_with("person_officer"));
    let mut held: BTreeMap<String, usize> = BTreeMap::new();
    for table in tables.chain(["store_job".to_owned()]) {
        let (columns, rows) = database.query(&format!("SELECT * FROM {table}"));
        held.insert(table.clone(), rows.len());
        for row in rows {
            // A job belongs to the block that asked for it.
            let kind = columns.iter().zip(&row).find(|(column, _)| table == "store_job" && *column == "kind");
            let block = match kind.map(|(_, kind)| String::from_utf8_lossy(kind.bytes()).into_owned()) {
                Some(kind) if kind.starts_with("agency.") => "agency".to_owned(),
                Some(_) => "person".to_owned(),
                None => table.split('_').next().unwrap().to_owned(),
            };
            // All that a worker takes together it holds until one moment: that is the worker's, and nobody's.
            let of_work = |column: &str| table == "store_job" && column == "leased_until";
            let told = |column: &str| column != "officer" && !of_work(column);
            for (column, cell) in columns.iter().zip(row).filter(|(column, _)| told(column)) {
                // What could single somebody out: long blobs and texts, and whole numbers as large as a time in seconds. Shorter
                // ones, such as a sum of money, stand inside of others by chance.
                let value = match cell {
                    Cell::Bytes(bytes) if bytes.len() >= 8 => bytes,
                    Cell::Int(number) if number > 1_000_000_000 => number.to_string().into_bytes(),
                    _ => continue,
                };
                blobs.entry(block.clone()).or_default().extend(&value);
                by_block.entry(block.clone()).or_default().insert(value, format!("{table}.{column}"));
            }
        }
    }
    assert_eq!(by_block.keys().collect::<Vec<_>>(), ["agency", "pay", "person", "signin", "trust"]);
    // Everything of the register has happened: a table of its that is empty would prove nothing.
    let of_register =
        |table: &str| ["person_", "agency_", "trust_"].iter().any(|block| table.starts_with(block));
    let empty: Vec<&String> = held
        .iter()
        .filter(|(table, rows)| **rows == 0 && of_register(table))
        .map(|(table, _)| table)
        .collect();
    assert_eq!(empty, Vec::<&String>::new(), "nothing was written into them");
    for (block, values) in &by_block {
        assert!(values.len() > 20, "{block} holds only {} values", values.len());
        // Also inside of another value: an id in a list of ids, a time in a text.
        let needles =
            Needles::new(values.iter().filter(|(value, _)| value.len() <= 40).flat_map(|(value, place)| {
                let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
                [(value.clone(), place.clone()), (hex.into_bytes(), place.clone())]
            }));
        for (other, bytes) in blobs.iter().filter(|(other, _)| *other != block) {
            let found = needles.find(bytes).map(|(place, _)| place);
            assert_eq!(found, None, "{block} and {other} can be joined");
        }
    }
}

/// Whoever holds the keys knows who is who. To everybody else, the order of rows must not tell it; `order` is what a thief could sort
/// the access log by.
fn check_orders(place: &Place, database: &mut Database, order: &str) {
    let (store, keys) = open_store(&place.folder());
    let people = people(&store);
    assert_eq!(people.len(), RESIDENTS);
    let by_holder: HashMap<Vec<u8>, PersonId> =
        people.iter().map(|person| (keys.pseudonym("trust", *person).to_vec(), *person)).collect();
    let by_payee: HashMap<Vec<u8>, PersonId> =
        people.iter().map(|person| (keys.pseudonym("pay", *person).to_vec(), *person)).collect();
    let mut column = |sql: &str| -> Vec<Vec<u8>> {
        database.rows(sql).into_iter().map(|row| row[0].bytes().to_vec()).collect()
    };
    let who = |rows: Vec<Vec<u8>>, names: &HashMap<Vec<u8>, PersonId>| -> Vec<PersonId> {
        rows.iter().map(|row| *names.get(row).expect("every row is somebody's")).collect()
    };
    let by_id: HashMap<Vec<u8>, PersonId> =
        people.iter().map(|person| (person.bytes().to_vec(), *person)).collect();
    let mut orders = vec![
        ("the register's ids", people.clone()),
        (
            "the register's lines",
            who(column("SELECT id FROM person_record WHERE part = 1 ORDER BY origin_line"), &by_id),
        ),
        ("payees", who(column("SELECT payee FROM pay_entitlement ORDER BY payee"), &by_payee)),
        ("holders", who(column("SELECT holder FROM trust_holder ORDER BY holder"), &by_holder)),
        (
            "the access log",
            who(column(&format!("SELECT holder FROM trust_entry ORDER BY {order}")), &by_holder),
        ),
    ];
    if order == "ctid" {
        // PostgreSQL tells in which order rows were written.
        orders.extend([
            (
                "the register as written",
                who(column("SELECT id FROM person_record WHERE part = 1 ORDER BY ctid"), &by_id),
            ),
            ("payees as written", who(column("SELECT payee FROM pay_payee ORDER BY ctid"), &by_payee)),
            (
                "entitlements as written",
                who(column("SELECT payee FROM pay_entitlement ORDER BY ctid"), &by_payee),
            ),
            ("holders as written", who(column("SELECT holder FROM trust_holder ORDER BY ctid"), &by_holder)),
        ]);
    }
    let block = |name: &str| match name {
        "the register's ids" | "the register's lines" | "the register as written" => "person",
        "payees" | "payees as written" | "entitlements as written" => "pay",
        _ => "trust",
    };
    let mut compared = 0;
    for (i, (name, first)) in orders.iter().enumerate() {
        for (other, second) in orders[i + 1..].iter().filter(|(other, _)| block(other) != block(name)) {
            let rank: HashMap<PersonId, usize> =
                first.iter().enumerate().map(|(rank, person)| (*person, rank)).collect();
            let ranks: Vec<usize> = second.iter().filter_map(|person| rank.get(person).copied()).collect();
            // In orders that have nothing to do with each other, a step is as often up as down.
            let up =
                ranks.windows(2).filter(|pair| pair[0] < pair[1]).count() as f64 / (ranks.len() - 1) as f64;
            assert!(ranks.len() >= RESIDENTS * 8 / 10);
            assert!(
                (0.4..0.6).contains(&up),
                "{name} and {other} have people in the same order ({up:.2} of the steps)"
            );
            compared += 1;
        }
    }
    assert!(compared >= 8, "only {compared} orders were compared");
}
