//! Kill it: SIGKILL at random moments while life events are read from a file and sent to an agency, while entries are merged and split,
//! and while the register is audited. Afterwards nothing is half done, nothing acknowledged is lost, nothing is there twice, each
//! resident's log counts without a gap, and the agency has heard of everything, in order.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_person::Numbers;
use kaname_person::agency::feed::{self, subscription};
use kaname_person::agency::{Agency, Desk};
use serde_json::{Value, json};

use crate::database::{Database, cluster};
use crate::dump::open_store;
use crate::kill::{Far, kill_often_at_most};
use crate::program::{Dice, Place, answer, borrowed, pause, refusal, run, start, text};

#[test]
fn life_events_on_sqlite() {
    life_events(41, &[], Database::sqlite);
}

#[test]
fn life_events_on_postgresql() {
    let Some(postgres) = cluster() else { return };
    let url = postgres.database();
    life_events(42, &["--postgres", &url], |_| Database::postgres(&url));
}

#[test]
fn merges_and_splits_on_sqlite() {
    merges_and_splits(43, &[], Database::sqlite);
}

#[test]
fn merges_and_splits_on_postgresql() {
    let Some(postgres) = cluster() else { return };
    let url = postgres.database();
    merges_and_splits(44, &["--postgres", &url], |_| Database::postgres(&url));
}

#[test]
fn an_audit_on_sqlite() {
    audit(45, &[], Database::sqlite);
}

#[test]
fn an_audit_on_postgresql() {
    let Some(postgres) = cluster() else { return };
    let url = postgres.database();
    audit(46, &["--postgres", &url], |_| Database::postgres(&url));
}

/// A deployment with some people in it, its administrator, two registrars, and the people's references.
struct Town {
    place: Place,
    boss: String,
    clerk: String,
    second: String,
    references: Vec<String>,
}

fn town(people: u64, more: &[&str]) -> Town {
    let place = Place::with_deployment("example", &[&["--population", "4000"], more].concat());
    let (folder, file) = (place.folder(), place.people("example", people));
    answer(&["resident", "import", text(&file), "--config", text(&folder), "--json"]);
    let boss = place.officer("Boss", "administrator", None);
    let clerk = place.officer("Clerk", "registrar", Some(&boss));
    let second = place.officer("Second", "registrar", Some(&boss));
    let mut rows = csv::Reader::from_path(file).unwrap();
    // Who is grown up: what happens here cannot lie before her birth.
    let grown = rows.records().map(Result::unwrap).filter(|row| row[7].as_bytes() < b"1985".as_slice());
    let references = grown.map(|row| row[0].to_owned()).collect();
    Town { place, boss, clerk, second, references }
}

impl Town {
    fn run(&self, args: &[&str]) -> Value {
        let folder = self.place.folder();
        answer(&[args, &["--config", text(&folder), "--json"]].concat())
    }

    /// Nothing of a job is done by now that was begun by a process that is dead: its lease has run out, and it is due.
    fn time_passes(&self, database: &mut Database) {
        database.execute("UPDATE store_job SET leased_until = 0, due = 0 WHERE state = 0");
    }

    /// What must hold afterwards, whatever was killed.
    fn check(&self, database: &mut Database) {
        let checked = self.run(&["resident", "check"]);
        assert_eq!(checked["sound"], true, "{checked}");
        let left = database.rows("SELECT kind, state, attempts FROM store_job WHERE state <> 1");
        assert!(left.is_empty(), "these jobs were not done: {left:?}");
        let log = self.run(&["log", "verify"]);
        assert_eq!(log["size"], log["compared_with_database"], "{log}");
        let gaps = "SELECT count(*) FROM trust_holder AS h WHERE h.entries <>
            (SELECT count(DISTINCT e.n) FROM trust_entry AS e WHERE e.bucket = h.bucket AND e.holder = h.holder)";
        assert_eq!(database.number(gaps), 0, "a log has a gap");
    }
}

/// How often each of these is killed on its way.
const KILLS: usize = 8;

fn life_events(seed: u64, more: &[&str], open: impl Fn(&Path) -> Database) {
    const MOVERS: usize = 24;
    let mut dice = Dice(seed);
    let town = town(100, more);
    let mut database = open(&town.place.folder());
    let agency = Receiver::start();
    let topics = ["life.move", "life.marriage"];
    agency.subscribe(&town, &topics);

    // Everybody moves twice, each second one marries the next, and each fifth one dies.
    let mut lines = String::new();
    for (at, reference) in town.references.iter().take(MOVERS).enumerate() {
        for (year, street) in [(2020, "Hill"), (2021, "Dale")] {
            let street = format!("{at} {street}");
            let set = json!({ "postcode": "2000", "region": "Hills", "city": "Hilltown", "address": street });
            line(&mut lines, reference, "move", &format!("{year}-01-01"), json!({ "set": set }));
        }
        if at % 2 == 0 {
            let with = &town.references[at + 1];
            line(&mut lines, reference, "marriage", "2022-05-01", json!({ "with": with }));
        }
        if at % 5 == 0 {
            line(&mut lines, reference, "death", "2023-05-01", json!({}));
        }
    }
    let count = lines.lines().count() as i64;
    let file = town.place.write("events.jsonl", lines);
    let folder = town.place.folder();
    let import = [
        "resident",
        "event",
        "import",
        text(&file),
        "--officer",
        &town.clerk,
        "--config",
        text(&folder),
        "--json",
    ];

    let (registered, marriages, bereaved) = (100, MOVERS as i64 / 2, 5);
    let all = registered + count + marriages + bereaved;
    let mut state = || {
        let events = database.number("SELECT count(*) FROM person_record WHERE part = 3");
        let done = database.number("SELECT count(*) FROM store_job WHERE state = 1");
        let waiting = database.number("SELECT count(*) FROM store_job WHERE state <> 1");
        let told = database.number("SELECT count(*) FROM agency_feed");
        let arrived = database.number("SELECT CAST(sum(position) AS BIGINT) FROM agency_subscription");
        town.time_passes(&mut database);
        let share = (events - registered + done) as f64 / (2 * (all - registered)) as f64;
        (events < all || waiting > 0).then_some(Far { counts: [events, done, told, arrived, 0], share })
    };
    let landed = kill_often_at_most(KILLS, &import, &mut dice, &mut state);
    assert!(landed >= KILLS / 2, "only {landed} kills fell into the work");
    let done = answer(&import);
    let there = done["recorded"].as_u64().unwrap() + done["already_here"].as_u64().unwrap();
    assert_eq!((there as i64, done["refused"].as_array().unwrap().len()), (count, 0), "{done}");
    town.time_passes(&mut database);
    answer(&import);
    assert_eq!(
        database.number("SELECT count(*) FROM person_record WHERE part = 3"),
        all,
        "each of them once"
    );
    town.check(&mut database);

    // The feed: each event once, each person's in her order. What was sent: all of a topic, each first time in the feed's order.
    let feed = agency.feed(&town);
    let of_each = |wanted: &str| feed.iter().filter(|(_, topic, _)| topic == wanted).count() as i64;
    assert_eq!((of_each("life.move"), of_each("life.marriage")), (2 * MOVERS as i64, 2 * marriages));
    for person in feed.iter().map(|(_, _, person)| person) {
        let hers: Vec<&str> =
            feed.iter().filter(|(_, _, other)| other == person).map(|(_, topic, _)| topic.as_str()).collect();
        // Her own events as they stand in the file; that the next one married her was recorded when it was.
        let order = ["life.registration", "life.move", "life.death"];
        let own = hers.iter().filter(|topic| **topic != "life.marriage");
        let places = own.map(|topic| order.iter().position(|known| known == topic).unwrap());
        assert!(places.is_sorted() && hers[0] == order[0], "{hers:?}");
    }
    for topic in topics {
        let sent = agency.of_topic(topic);
        let mut first_times: Vec<&String> = Vec::new();
        for id in &sent {
            if !first_times.contains(&id) {
                first_times.push(id);
            }
        }
        let wanted: Vec<&String> =
            feed.iter().filter(|(_, of, _)| of == topic).map(|(id, _, _)| id).collect();
        assert_eq!(first_times, wanted, "{topic}: at least once, in order");
        println!("{topic}: {} events, sent {} times", wanted.len(), sent.len());
    }
}

fn line(lines: &mut String, reference: &str, kind: &str, on: &str, more: Value) {
    let mut line =
        json!({ "kind": kind, "reference": reference, "on": on, "why": "report", "evidence": "paper 7" });
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    writeln!(lines, "{line}").unwrap();
}

/// An agency's own server, that notes what it is sent: the kind, the topic and the id of each message, and the token of a question.
struct Receiver {
    port: u16,
    sent: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Receiver {
    fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let noted = Arc::clone(&sent);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
                // Whoever is killed while it sends sends half a message: it was not told, and nobody answers.
                let message = loop {
                    let Ok(read @ 1..) = stream.read(&mut buffer) else { break None };
                    bytes.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&bytes);
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                        let kind = head.lines().find_map(|line| line.strip_prefix("message-type: "));
                        break Some((kind.unwrap().to_owned(), serde_json::from_str(body).unwrap()));
                    }
                };
                if let Some(message) = message {
                    noted.lock().unwrap().push(message);
                    let _ =
                        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                }
            }
        });
        Receiver { port, sent }
    }

    /// The agency is registered for everybody's events, and has those of `topics` sent.
    fn subscribe(&self, town: &Town, topics: &[&str]) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/party.json");
        let mut party: Value = serde_json::from_slice(&std::fs::read(example).unwrap()).unwrap();
        let base = format!("http://127.0.0.1:{}", self.port);
        let scopes = json!(["events.read", "notif.sub.write", "pr.person.read"]);
        party["client_id"] = json!("statistics");
        party["sector"] = json!("statistics");
        party["attributes"] = json!([{ "attribute": "name", "purpose": "public-service" }]);
        party["agency"] = json!({ "scopes": scopes, "webhooks": [base], "everyone": true });
        let file = town.place.write("party.json", party.to_string());
        town.run(&["party", "add", text(&file), "--by", &town.boss]);
        with_desk(town, |desk| {
            for topic in topics {
                subscription::subscribe(desk, topic, &format!("{base}/{topic}"), None).unwrap();
            }
        });
        // Whatever does jobs asks the receiver first.
        let nothing = town.place.write("nothing.jsonl", "");
        town.run(&["resident", "event", "import", text(&nothing), "--officer", &town.clerk]);
        let tokens: Vec<String> = self
            .messages("SubscriptionConfirmation")
            .iter()
            .map(|body| body["token"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(tokens.len(), topics.len());
        with_desk(town, |desk| {
            for token in &tokens {
                subscription::confirm(desk, token).unwrap();
            }
        });
    }

    fn messages(&self, wanted: &str) -> Vec<Value> {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|(kind, _)| kind == wanted).map(|(_, body)| body.clone()).collect()
    }

    /// The ids of the events of a topic, as often as they were sent.
    fn of_topic(&self, topic: &str) -> Vec<String> {
        let of_it = self.messages("Notification").into_iter().filter(|body| body["topic"] == topic);
        of_it.map(|body| body["messageId"].as_str().unwrap().to_owned()).collect()
    }

    /// The agency's feed: id, topic and person of each event.
    fn feed(&self, town: &Town) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        with_desk(town, |desk| {
            loop {
                let page = feed::after(desk, Some(all.len() as i64), 100).unwrap();
                if page.is_empty() {
                    break;
                }
                for placed in page {
                    assert_eq!(placed.n, all.len() as i64 + 1, "the feed has no gap");
                    all.push((placed.notice.id, placed.notice.topic, placed.notice.text));
                }
            }
        });
        all
    }
}

fn with_desk(town: &Town, work: impl FnOnce(Desk<'_>)) {
    let (store, keys) = open_store(&town.place.folder());
    let pack = Arc::new(Pack::load_shipped("example").unwrap());
    let numbers = Numbers::new(&keys, &pack);
    let env = Env::new(Instant::from_seconds(1_700_000_000), kaname_trust::keys::random());
    let agency = Agency {
        id: "statistics".to_owned(),
        sector: "statistics".to_owned(),
        attributes: Vec::new(),
        purpose: None,
        sees_numbers: false,
        sources: Vec::new(),
    };
    work(Desk { store: &store, keys: &keys, pack: &pack, numbers: &numbers, env: &env, agency: &agency });
}

fn merges_and_splits(seed: u64, more: &[&str], open: impl Fn(&Path) -> Database) {
    let mut dice = Dice(seed);
    let town = town(80, more);
    let (folder, mut database) = (town.place.folder(), open(&town.place.folder()));
    let mut proposals = Vec::new();
    for (at, pair) in town.references.chunks_exact(2).take(14).enumerate() {
        let act = if at % 3 == 2 { "split" } else { "merge" };
        let who = ["resident", act, "--reference", &pair[1], "--other", &pair[0], "--officer", &town.clerk];
        let made = town.run(&[&who[..], &["--why", "looked again", "--evidence", "fingerprints"]].concat());
        proposals.push((act, made["proposal"].as_str().unwrap().to_owned()));
    }
    assert!(proposals.len() > 9, "only {} pairs", proposals.len());
    let decide = |id: &str| -> Vec<String> {
        ["resident", "decide", id, "--officer", &town.second, "--config", text(&folder), "--json"]
            .map(str::to_owned)
            .to_vec()
    };
    // The first is let through, to learn how long one takes here.
    let ((_, first), others) = proposals.split_first().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a process takes here, so that kills fall into it"
    )]
    let began = std::time::Instant::now();
    answer(&borrowed(&decide(first)));
    let whole_us = began.elapsed().as_micros() as u64;
    let (mut killed, mut cut_short) = (0, 0);
    for (_, id) in others {
        for _ in 0..3 {
            let mut child = start(&borrowed(&decide(id)));
            pause(Duration::from_micros(dice.below(whole_us)));
            child.kill().unwrap();
            killed += usize::from(child.wait().unwrap().code().is_none());
            cut_short += database.number("SELECT count(*) FROM person_proposal WHERE state = 'approved'");
            town.time_passes(&mut database);
        }
    }
    assert!(killed >= KILLS, "only {killed} kills");
    println!("{killed} kills; {cut_short} times one was decided and not carried out yet");
    for (act, id) in &proposals {
        let args = decide(id);
        let args = borrowed(&args);
        let output = run(&args);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() || words.contains("decided already"), "{act}: {words}");
        assert!(refusal(&args, 1).contains("decided already"));
    }
    town.time_passes(&mut database);
    let nothing = town.place.write("nothing.jsonl", "");
    town.run(&["resident", "event", "import", text(&nothing), "--officer", &town.clerk]);
    assert_eq!(town.run(&["resident", "proposals", "--officer", &town.second]), json!([]));
    let merges = proposals.iter().filter(|(act, _)| *act == "merge").count() as i64;
    let splits = proposals.len() as i64 - merges;
    assert_eq!(database.number("SELECT count(*) FROM person_proposal WHERE state = 'done'"), merges + splits);
    assert_eq!(
        database.number("SELECT count(*) FROM person_record WHERE part = 6"),
        merges,
        "each leads to one"
    );
    let events = database.number("SELECT count(*) FROM person_record WHERE part = 3");
    assert_eq!(events, 80 + 2 * (merges + splits), "each act stands with both, once");
    town.check(&mut database);
}

fn audit(seed: u64, more: &[&str], open: impl Fn(&Path) -> Database) {
    const PEOPLE: u64 = 800;
    let mut dice = Dice(seed);
    let town = town(PEOPLE, more);
    let (folder, mut database) = (town.place.folder(), open(&town.place.folder()));
    let list = crate::links::insurers_list(&town.place, &town.place.beside("residents.csv"));
    town.run(&["link", "check", text(&list), "--source", "health-insurer"]);
    let quiet = town.run(&["audit", "registry", "--full"]);
    // Somebody with the database takes records from their residents: links that their directory does not know of.
    let taken = database.execute(
        "UPDATE person_link_directory SET state = 5, id = NULL, link = NULL WHERE state = 3 AND line % 16 = 0",
    ) as i64;
    assert!(taken > 20, "{taken}");
    database.execute("DELETE FROM person_audit_seen");

    let audit = ["audit", "registry", "--config", text(&folder), "--json"];
    let mut state = || {
        let seen = database.number("SELECT count(*) FROM person_audit_seen");
        let found = database.number("SELECT count(*) FROM person_finding");
        let entries = database.number("SELECT count(*) FROM trust_entry");
        let share = seen as f64 / PEOPLE as f64;
        (seen < PEOPLE as i64).then_some(Far { counts: [seen, found, entries, 0, 0], share })
    };
    let landed = kill_often_at_most(KILLS, &audit, &mut dice, &mut state);
    assert!(landed > 0, "no kill fell into the work");
    let found = town.run(&["audit", "registry"]);
    assert_eq!(found["findings"]["shared-record"]["open"], taken, "each is found once: {found}");
    let others = |answer: &Value| -> Vec<(String, Value)> {
        let all = answer["findings"].as_object().unwrap().iter();
        all.filter(|(kind, _)| *kind != "shared-record")
            .map(|(kind, sums)| (kind.clone(), sums.clone()))
            .collect()
    };
    assert_eq!(others(&found), others(&quiet), "and nothing else");
    let again = town.run(&["audit", "registry"]);
    assert_eq!((&again["opened"], &again["new_findings"]), (&json!(0), &json!(0)), "{again}");
    town.check(&mut database);
    println!("{landed} kills fell into the audit");
}
