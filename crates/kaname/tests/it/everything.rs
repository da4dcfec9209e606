//! A deployment in which everything of the register has happened, and what of it nobody may find in a copy.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_person::agency::feed::{self, Listener, subscription};
use kaname_person::agency::file::Buffer;
use kaname_person::agency::{Agency, Desk as AgencyDesk, enrol, person, read, transaction};
use kaname_person::event::photo::{Photo, keep_photo};
use kaname_person::event::{Change, NewEvent};
use kaname_person::import::Format;
use kaname_person::link::Desk;
use kaname_person::link::disclose::{ReadThrough, note_issued, read_through};
use kaname_person::link::incident::{Report, report};
use kaname_person::link::list::{List, hand_in};
use kaname_person::link::review::{self, waiting};
use kaname_person::link::sever::{Settle, settle};
use kaname_person::link::{LinkState, holder};
use kaname_person::register::person_of_reference;
use kaname_person::show::Asking;
use kaname_person::{Numbers, OfficerId, counter};
use kaname_store::Store;
use kaname_trust::{Actor, Keys, PersonId};
use serde_json::{Map, Value, json};

use crate::database::{Cell, Database};
use crate::dump::open_store;
use crate::program::{Place, kaname, text};

/// What was put in, and what the program said to its log meanwhile.
pub(crate) struct Happened {
    /// Names, numbers, aliases, outside ids, addresses, evidence, words of officers, codes of vouchers, addresses of agencies.
    pub(crate) secrets: BTreeSet<String>,
    /// Everything on standard error, at the finest level.
    pub(crate) said: Vec<u8>,
}

/// Whoever is at work.
struct Scene<'a> {
    place: &'a Place,
    pack: Arc<Pack>,
    /// The rows of the file of residents: those who are grown up.
    people: Vec<BTreeMap<String, String>>,
    registrar: String,
    second: String,
    secrets: RefCell<BTreeSet<String>>,
    said: RefCell<Vec<u8>>,
}

/// Lets everything happen in a finished demonstration. `database` opens its tables, to learn the id of its payout.
pub(crate) fn happens(place: &Place, country: &str, database: &mut Database) -> Happened {
    let pack = Arc::new(Pack::load_shipped(country).unwrap());
    let officers = officers(place);
    let boss = officers["administrator"].clone();
    let second = place.officer("Zenobia Quartermaine", "registrar", Some(&boss));
    let mut file = csv::Reader::from_path(place.folder().join("residents.csv")).unwrap();
    let header = file.headers().unwrap().clone();
    let row = |row: csv::StringRecord| -> BTreeMap<String, String> {
        header.iter().zip(row.iter()).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
    };
    let people = file.records().map(|record| row(record.unwrap()));
    let mut grown: Vec<_> = people.filter(|row| row["birth_date"].as_str() < "1985").take(60).collect();
    // Older ones first, as parents are.
    grown.sort_by(|a, b| a["birth_date"].cmp(&b["birth_date"]));
    let scene = Scene {
        place,
        pack,
        people: grown,
        registrar: officers["registrar"].clone(),
        second,
        secrets: RefCell::default(),
        said: RefCell::default(),
    };
    scene.secret("Zenobia Quartermaine");
    scene.lives();
    scene.numbers();
    scene.delegates();
    scene.identities();
    scene.enrols(&boss);
    scene.links();
    scene.agencies(&boss);
    scene.vouchers(&officers["payments"], database);
    scene.officers(&boss);
    scene.counter_and_photo();
    scene.run(&["audit", "registry", "--full"]);
    Happened { secrets: scene.secrets.into_inner(), said: scene.said.into_inner() }
}

/// One officer of each role of a demonstration.
fn officers(place: &Place) -> BTreeMap<String, String> {
    let folder = place.folder();
    let listed = crate::program::answer(&["officer", "list", "--config", text(&folder), "--json"]);
    let of = |officer: &Value| {
        (officer["roles"][0].as_str().unwrap().to_owned(), officer["officer"].as_str().unwrap().to_owned())
    };
    listed.as_array().unwrap().iter().map(of).collect()
}

impl Scene<'_> {
    fn run(&self, args: &[&str]) -> Value {
        self.run_with(args, 0)
    }

    fn run_with(&self, args: &[&str], code: i32) -> Value {
        let folder = self.place.folder();
        let args = [args, &["--config", text(&folder), "--json"]].concat();
        let output = kaname(&args).env("KANAME_LOG", "trace").output().unwrap();
        let shown = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "kaname {args:?}: {shown}");
        self.said.borrow_mut().extend(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Notes what nobody may find, and gives it.
    fn secret(&self, text: impl Into<String>) -> String {
        let text = text.into();
        self.secrets.borrow_mut().insert(text.clone());
        text
    }

    fn reference(&self, n: usize) -> &str {
        &self.people[n]["reference"]
    }

    fn open(&self) -> (Store, Keys) {
        open_store(&self.place.folder())
    }

    fn person(&self, n: usize) -> PersonId {
        let (store, keys) = self.open();
        person_of_reference(&keys, store.buckets(), "residents", self.reference(n))
    }

    fn desk(&self) -> Desk {
        let (store, keys) = self.open();
        Desk::new(store, keys, Arc::clone(&self.pack))
    }

    fn lives(&self) {
        let moved_to = self.secret("Hidden Lane 4711");
        let family = self.people[2]["family_reading"].clone();
        let mut names = json!({ "family_name": self.secret("Featherstonehaugh"), "given_name": self.secret("Persephone") });
        if !family.is_empty() {
            names["family_reading"] = json!(self.secret("フェザーストン"));
            names["given_reading"] = json!(self.secret("ペルセポネ"));
        }
        let events = [
            (
                0,
                "move",
                json!({ "set": { "city": self.people[0]["city"], "postcode": self.people[0]["postcode"], "region": self.people[0]["region"], "address": moved_to } }),
            ),
            (
                1,
                "change-of-contact",
                json!({ "set": { "phone": self.secret("+81 70-1234-9876"), "email": self.secret("nobody.finds@secret.example") } }),
            ),
            (2, "change-of-name", json!({ "set": names })),
            (3, "marriage", json!({ "with": self.reference(4) })),
            (5, "parenthood", json!({ "with": self.reference(6), "relation": "child" })),
            (7, "guardianship", json!({ "with": self.reference(8), "relation": "ward" })),
            (9, "emigration", json!({ "place": self.secret("Tristan da Cunha") })),
            (10, "death", json!({})),
            (11, "correction", json!({ "set": { "birth_date": self.secret("1931-07-23") } })),
            (0, "annulment", json!({ "annuls": 2 })),
        ];
        let mut lines = String::new();
        for (at, (who, kind, more)) in events.into_iter().enumerate() {
            let mut line = json!({
                "kind": kind, "reference": self.reference(who), "on": "2025-01-01",
                "why": self.secret(format!("why-she-{at}-{kind}")),
                "evidence": self.secret(format!("court-paper-{at}-{kind}")),
            });
            line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            writeln!(lines, "{line}").unwrap();
        }
        let file = self.place.write("events.jsonl", lines);
        let done = self.run(&["resident", "event", "import", text(&file), "--officer", &self.registrar]);
        assert_eq!((&done["recorded"], &done["proposed"]), (&9.into(), &1.into()), "{done}");
        // A court's order takes two officers.
        let line = ["--reference", self.reference(7), "--kind", "guardianship", "--on", "2025-01-01"];
        let other = ["--with", self.reference(8), "--relation", "ward"];
        let said = ["--why", &self.secret("the court says so"), "--evidence", &self.secret("order 9-9")];
        let by = ["--officer", self.registrar.as_str()];
        let add = [&["resident", "event", "add"], &line[..], &other, &said, &by].concat();
        let proposed = self.run(&add)["proposal"].as_str().unwrap().to_owned();
        self.run(&["resident", "event", "approve", &proposed, "--officer", &self.second]);
    }

    fn numbers(&self) {
        let who = ["--reference", self.reference(12), "--officer", &self.registrar];
        for kind in ["permanent", "temporary", "single-use"] {
            let days: &[&str] = if kind == "temporary" { &["--days", "9"] } else { &[] };
            let args = [&["number", "alias", "make", "--kind", kind], &who[..], days].concat();
            let made = self.run(&args);
            let alias = self.secret(made["alias"].as_str().unwrap());
            if kind == "single-use" {
                self.run(&["resident", "show", "--of", &alias]);
            }
            self.secret(alias.replace(' ', ""));
            self.secret(alias.replace(' ', "-"));
        }
        self.run(&[&["number", "alias", "revoke", "--n", "1"], &who[..]].concat());
        let why =
            ["--why", &self.secret("purse was stolen"), "--evidence", &self.secret("police report 88-1")];
        self.run(&[&["number", "lock"], &who[..], &why].concat());
        let other = ["--reference", self.reference(13), "--officer", &self.registrar];
        let proposed = self.run(&[&["resident", "replace-number"], &other[..], &why].concat());
        let proposed = proposed["proposal"].as_str().unwrap();
        self.run(&["resident", "approve-number", proposed, "--officer", &self.second]);
    }

    fn delegates(&self) {
        let who = ["--reference", self.reference(14), "--officer", &self.registrar];
        let holder =
            ["resident", "show", "--number", "--reference", self.reference(15), "--officer", &self.registrar];
        let number = self.run(&holder)["number"].as_str().unwrap().to_owned();
        let evidence = self.secret("guardianship order 7-7-7");
        let terms =
            ["--kind", "guardian", "--scope", "see-data", "--holder", &number, "--evidence", &evidence];
        let made = self.run(&[&["delegate", "record"], &terms[..], &who].concat());
        self.run(&["delegate", "approve", "--officer", &self.second]);
        let ended = self.secret("the ward is well again");
        let id = made["mandate"].as_str().unwrap();
        self.run(&[&["delegate", "end", "--mandate", id, "--why", &ended], &who[..]].concat());
    }

    fn identities(&self) {
        let why = self.secret("looked at both faces");
        let evidence = self.secret("fingerprint card 12-34");
        let act = |act: &str, one: usize, other: usize| {
            let who = ["resident", act, "--reference", self.reference(one), "--other", self.reference(other)];
            let said = ["--why", &why, "--evidence", &evidence, "--officer", &self.registrar];
            self.run(&[&who[..], &said].concat())["proposal"].as_str().unwrap().to_owned()
        };
        let decide = |id: &str| self.run(&["resident", "decide", id, "--officer", &self.second]);
        decide(&act("merge", 16, 17));
        decide(&act("split", 18, 19));
        // These wait.
        act("merge", 20, 21);
        act("unmerge", 16, 17);
    }

    fn enrols(&self, boss: &str) {
        let (kit, packets) = (self.place.beside("field.kit"), self.place.beside("field.packets"));
        self.run(&["enrol", "kit", "--officer", &self.registrar, "--by", boss, "--out", text(&kit)]);
        let mut set: Vec<String> = vec![
            format!("family_name={}", self.secret("Wolfeschlegel")),
            format!("given_name={}", self.secret("Wilhelmina")),
            format!("birth_date={}", self.secret("1943-11-30")),
            format!("sex={}", self.people[0]["sex"]),
            format!("status={}", self.people[0]["status"]),
            format!("city={}", self.people[0]["city"]),
            format!("region={}", self.people[0]["region"]),
        ];
        if !self.people[0]["family_reading"].is_empty() {
            set.push(format!("family_reading={}", self.secret("ヴォルフェシュ")));
            set.push(format!("given_reading={}", self.secret("ヴィルヘルミナ")));
        }
        let evidence = self.secret("the village elder knows her");
        let mut args = vec![
            "enrol",
            "add",
            "--kit",
            text(&kit),
            "--out",
            text(&packets),
            "--evidence",
            &evidence,
            "--json",
        ];
        // She has no papers: a neighbour vouches for her.
        let neighbour = ["resident", "show", "--number", "--reference", self.reference(52)];
        let neighbour = self.run(&[&neighbour[..], &["--officer", &self.registrar]].concat());
        args.extend(["--introducer", neighbour["number"].as_str().unwrap()]);
        args.extend(set.iter().flat_map(|pair| ["--set", pair.as_str()]));
        crate::program::answer(&args);
        let rejects = self.place.beside("packets.rejects.csv");
        let merge =
            ["enrol", "merge", text(&packets), "--officer", &self.registrar, "--rejects", text(&rejects)];
        assert_eq!(self.run(&merge)["registered"], 1);
        // Later it is found that she vouches for whoever pays.
        let known = self.run(&["introducer", "list", "--officer", &self.registrar]);
        assert_eq!((known.as_array().unwrap().len(), &known[0]["brought"]), (1, &1.into()), "{known}");
        let why = self.secret("she was paid for her word");
        let introducer = known[0]["introducer"].as_str().unwrap();
        let suspend = ["introducer", "suspend", introducer, "--why", &why, "--officer", &self.registrar];
        assert_eq!(self.run(&suspend)["new_findings"], 1);
    }

    /// The insurer's list of the first thirty; at the second reading three of them live elsewhere.
    fn list(&self, moved: bool) -> String {
        let mut list = csv::Writer::from_writer(Vec::new());
        list.write_record([
            "reference",
            "family_name",
            "given_name",
            "family_reading",
            "given_reading",
            "birth_date",
            "sex",
            "postcode",
            "city",
            "address",
        ])
        .unwrap();
        for (at, row) in self.people.iter().enumerate().skip(22).take(30) {
            let id = self.secret(format!("INSURED-{:06}", 770_000 + at));
            let address = match moved && at < 25 || at > 49 {
                true => self.secret(format!("Otherwhere Street {at}00")),
                false => row["address"].clone(),
            };
            let cell = |name: &str| row[name].as_str();
            let cells = [
                &id,
                cell("family_name"),
                cell("given_name"),
                cell("family_reading"),
                cell("given_reading"),
                cell("birth_date"),
                cell("sex"),
                cell("postcode"),
                cell("city"),
                &address,
            ];
            list.write_record(cells).unwrap();
        }
        String::from_utf8(list.into_inner().unwrap()).unwrap()
    }

    fn links(&self) {
        let check = |name: &str, moved| {
            let file = self.place.write(name, self.list(moved));
            let args =
                ["link", "check", text(&file), "--source", "health-insurer", "--officer", &self.registrar];
            self.run(&args)
        };
        let done = check("insurer.csv", false);
        assert!(done["linked"].as_u64() > Some(20) && done["review"].as_u64() > Some(0), "{done}");
        let desk = self.desk();
        let fund = agency("health-fund", "health-insurer");
        let other = Actor::officer("off_9", "registrar");
        let mut undone = 0;
        for at in 30..34 {
            let person = self.person(at);
            let held = holder::linked_to(&desk, &env(), &Asking::herself(person)).unwrap();
            let Some(link) = held.into_iter().find(|link| link.state == LinkState::Active) else { continue };
            let reference = format!("INSURED-{:06}", 770_000 + at);
            let through = ReadThrough { agency: &fund, source: "health-insurer", reference: &reference };
            read_through(&desk, &env(), through, &["firstName".to_owned()]).unwrap();
            let card = self.secret(format!("CARD-{at}-998877"));
            note_issued(&desk, &env(), through, "card", &card).unwrap();
            let why = self.secret(format!("that insurance is not mine {at}"));
            report(&desk, &env(), &Report { person, link: link.id, by: Actor::resident(), why }).unwrap();
            let why = self.secret(format!("the insurer confused two people {at}"));
            if at < 32 {
                let ask = Settle { person, link: link.id, wrong: true, by: other.clone(), why };
                settle(&desk, &env(), &ask).unwrap();
                undone += 1;
            }
        }
        assert!(undone > 0, "no link was undone");
        let case = waiting(&desk, &other, 10).unwrap().remove(0);
        let opened = review::open(&desk, &env(), &other, case.id).unwrap();
        let choice = opened.candidates.first().map(|(person, ..)| *person);
        let why = self.secret("asked the insurer by phone");
        review::decide(&desk, &env(), &review::Decide { id: case.id, choice, by: other, why: &why }).unwrap();

        // A list that is handed in through the office waits to be checked.
        let handed =
            self.list(false).lines().take(3).collect::<Vec<_>>().join("\n").replace("INSURED-", "PENSION-");
        for line in handed.lines().skip(1) {
            self.secret(line.split(',').next().unwrap());
        }
        let by = Actor::officer("off_9", "registrar");
        let list = List { source: "pension", text: handed.as_bytes(), format: Format::Csv, by };
        hand_in(&desk, &env(), &list).unwrap();

        // What the insurer says of them by now is thinner than the law asks: the audit finds it, and one of them is settled.
        check("insurer-2.csv", true);
        let found = self.run(&["audit", "registry"]);
        assert!(found["new_findings"].as_u64() > Some(0), "{found}");
        let listed = self.run(&["audit", "findings", "--officer", &self.second]);
        let finding =
            listed.as_array().unwrap().iter().find_map(|line| line["finding"].as_str()).unwrap().to_owned();
        let why = self.secret("she has moved and told us");
        self.run(&[
            "audit",
            "settle",
            &finding,
            "--as",
            "confirmed",
            "--why",
            &why,
            "--officer",
            &self.second,
        ]);
    }

    fn agencies(&self, boss: &str) {
        let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/party.json");
        let mut party: Value = serde_json::from_slice(&std::fs::read(example).unwrap()).unwrap();
        party["client_id"] = json!("pension-office");
        party["attributes"] = json!([{ "attribute": "name", "purpose": "public-service" }]);
        let file = self.place.write("party.json", party.to_string());
        let scopes = ["--scope", "events.read", "--scope", "notif.sub.write", "--scope", "pr.person.read"];
        let hook = ["--webhook", "http://127.0.0.1:9", "--by", boss];
        self.run(&[&["party", "add", text(&file)], &scopes[..], &hook].concat());

        let (store, keys) = self.open();
        let (numbers, env) = (Numbers::new(&keys, &self.pack), env());
        let agency = agency("pension-office", "pension");
        let desk = AgencyDesk {
            store: &store,
            keys: &keys,
            pack: &self.pack,
            numbers: &numbers,
            env: &env,
            agency: &agency,
        };
        let names = ["firstName".to_owned()];
        for n in [40, 41, 42] {
            read::of_person(&store, &keys, &self.pack, &env, &agency, self.person(n), &names).unwrap();
        }
        let document = |value: Value| -> Map<String, Value> { value.as_object().unwrap().clone() };
        let told = |given: &str| {
            document(
                json!({ "biographicData": { "firstName": self.secret(given), "dateOfBirth": self.secret("1888-02-29") } }),
            )
        };
        let id = self.secret("agency-file-5512");
        person::create(desk, &id, true, true).unwrap();
        person::claim(desk, &id, Some(&self.secret("claimed-identity-1")), told("Thessalonika")).unwrap();
        let id = self.secret("agency-enrolment-6623");
        enrol::create(desk, &id, told("Nebuchadnezzar")).unwrap();
        let picture = Buffer { kind: "image/png".to_owned(), base64: self.secret("UElDVFVSRS1PRi1OT0JPRFk") };
        enrol::add_buffer(desk, &id, picture).unwrap();
        let address = self.secret("http://127.0.0.1:9/pension-hook-31337");
        subscription::subscribe(desk, "life.death", &address, Some(&self.secret("deliver-at-night")))
            .unwrap();
        let topic = subscription::make_topic(desk, &self.secret("pension-reform-topic")).unwrap();
        subscription::subscribe(desk, &topic.id, &address, None).unwrap();
        let listeners = [Listener { agency: agency.clone(), everyone: false }];
        // What was told half a year ago is forgotten, and up to where is remembered.
        let long_ago = Env::new(env.now.plus_seconds(-200 * 86_400), kaname_trust::keys::random());
        let then = AgencyDesk { env: &long_ago, ..desk };
        subscription::publish(
            then,
            &topic.id,
            "old",
            &self.secret("pensions of half a year ago"),
            &listeners,
        )
        .unwrap();
        feed::prune::prune(&store, &keys, &self.pack, &env, &agency).unwrap();
        let question = self.secret("agency-question-7734");
        let asked = self.secret("where does Featherstonehaugh live");
        transaction::open(desk, &question, vec![self.secret("reference-of-question")], &asked).unwrap();
        let (subject, words) = (self.secret("subject-of-reform"), self.secret("all pensions change"));
        subscription::publish(desk, &topic.id, &subject, &words, &listeners).unwrap();
        // The agency hears of those whose record it has read.
        for (n, kind) in [(40, "death"), (41, "emigration")] {
            let who = ["--reference", self.reference(n), "--officer", &self.registrar, "--on", "2025-02-02"];
            let why = ["--why", "seen", "--evidence", "paper", "--place", "Elsewhere", "--kind", kind];
            self.run(&[&["resident", "event", "add"], &who[..], &why].concat());
        }
    }

    fn vouchers(&self, payments: &str, database: &mut Database) {
        let run = match &database.rows("SELECT id FROM pay_run")[0][0] {
            Cell::Bytes(id) => id.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            other => panic!("{other:?}"),
        };
        let (run, folder) = (format!("run_{run}"), self.place.folder());
        let mut printed = 0;
        for n in 0..self.people.len() {
            let paper = self.place.beside(&format!("voucher-{n}.html"));
            let args = ["payout", "voucher", "print", &run, self.reference(n), "--officer", payments];
            let args = [&args[..], &["--paper", text(&paper), "--config", text(&folder), "--json"]].concat();
            if !kaname(&args).output().unwrap().status.success() {
                continue; // she has an account
            }
            let paper = std::fs::read_to_string(paper).unwrap();
            let is_code = |text: &&str| {
                let of_it = |b: u8| b == b'-' || b.is_ascii_uppercase() || b.is_ascii_digit();
                text.len() == 14 && text.matches('-').count() == 2 && text.bytes().all(of_it)
            };
            let code = paper.split(['<', '>']).find(is_code).unwrap_or_else(|| panic!("no code: {paper}"));
            self.secret(code);
            self.secret(code.replace('-', ""));
            printed += 1;
            if printed == 3 {
                break;
            }
        }
        assert_eq!(printed, 3, "nobody is paid in cash");
    }

    fn officers(&self, boss: &str) {
        self.place.officer("Other Administrator", "administrator", Some(boss));
        let letter = self.place.beside("proposed.html");
        let name = self.secret("Ysolde Fourfold");
        let args = ["officer", "add", &name, "--office", "town-hall", "--role", "registrar", "--by", boss];
        let proposed = self.run(&[&args[..], &["--letter", text(&letter)]].concat());
        assert!(proposed["proposal"].is_string(), "{proposed}");
        for file in std::fs::read_dir(self.place.folder().join("officers")).unwrap() {
            let key = std::fs::read_to_string(file.unwrap().path()).unwrap();
            self.secret(key.lines().nth(1).unwrap());
        }
    }

    fn counter_and_photo(&self) {
        let (store, keys) = self.open();
        let ask = counter::Begin {
            officer: OfficerId::parse(&self.registrar).unwrap(),
            actor: Actor::officer(self.registrar.clone(), "registrar"),
            terminal: [5; 16],
            person: self.person(50),
            purpose: "registration".to_owned(),
        };
        counter::begin(&store, &keys, &self.pack, &env(), &ask).unwrap();
        let comment = self.secret("PHOTOGRAPH-OF-HER-FACE");
        let length = ((comment.len() + 2) as u16).to_be_bytes();
        let frame = [0xFF, 0xC0, 0, 11, 8, 1, 194, 1, 94, 1, 1, 0x11, 0];
        let jpeg = [
            &[0xFF, 0xD8, 0xFF, 0xFE][..],
            &length,
            comment.as_bytes(),
            &frame,
            &[0xFF, 0xDA, 0, 2, 1, 2, 3, 0xFF, 0xD9],
        ]
        .concat();
        let event = NewEvent {
            request: [6; 16],
            person: self.person(51),
            change: Change::Photo,
            on: "2025-01-01".parse().unwrap(),
            by: Actor::officer(self.registrar.clone(), "registrar"),
            why: self.secret("a new picture of her"),
            evidence: self.secret("taken at counter 9-9"),
        };
        keep_photo(&store, &keys, &self.pack, &env(), &event, &Photo::read(&jpeg).unwrap()).unwrap();
    }
}

/// An agency that may read names, and holds records of one kind.
fn agency(id: &str, source: &str) -> Agency {
    Agency {
        id: id.to_owned(),
        sector: "archive".to_owned(),
        attributes: vec![("name".to_owned(), "public-service".to_owned())],
        purpose: None,
        sees_numbers: false,
        sources: vec![source.to_owned()],
    }
}

/// Now, with new dice.
fn env() -> Env {
    #[expect(clippy::disallowed_methods, reason = "the program beside it has the real time too")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Env::new(Instant::from_micros(now.as_micros() as i64), kaname_trust::keys::random())
}
