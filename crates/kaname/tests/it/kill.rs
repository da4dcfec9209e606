//! Kill it: SIGKILL at 30 random moments of an import and of a payout run, then go on. Nobody is there twice, nobody is paid
//! twice or forgotten, the books balance, the log verifies, and nothing that was acknowledged is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kaname_base::pack::Pack;
use kaname_sim::bank::accounts;
use serde_json::Value;

use crate::database::{Database, cluster};
use crate::program::{Dice, Place, answer, answer_with, files_below, pause, run, start, text};

const RESIDENTS: u64 = 3_000;
/// After so many good rows of the file comes a bad one.
const GOOD_ROWS: usize = 150;
/// Kills that must fall into the import, and as many into the payout run.
const KILLS: usize = 15;
/// The seed of the simulated accounts.
const ACCOUNTS: u64 = 7;

#[test]
fn on_sqlite() {
    survives_kills(20_261_122, &[], Database::sqlite);
}

#[test]
fn on_postgresql() {
    let Some(postgres) = cluster() else { return };
    let url = postgres.database();
    survives_kills(20_261_123, &["--postgres", &url], |_| Database::postgres(&url));
}

fn survives_kills(seed: u64, more: &[&str], open: impl Fn(&Path) -> Database) {
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let init = [&["--population", "4000", "--simulated-banks"], more].concat();
    let place = Place::with_deployment("example", &init);
    let (folder, people) = (place.folder(), place.people("example", RESIDENTS));
    let config = text(&folder);
    let mut database = open(&folder);

    let (file, expected_rejects) = with_bad_rows(&place, &people);
    let rejects = place.beside("rejects.csv");
    let import = [
        "resident",
        "import",
        text(&file),
        "--rejects",
        text(&rejects),
        "--batch",
        "60",
        "--config",
        config,
        "--json",
    ];
    let landed = kill_often(&import, &mut dice, &mut || imported(&mut database));
    assert_eq!(landed, KILLS, "kills that fell into the import");
    let done = answer_with(&import, 4);
    assert_eq!(done["registered"], RESIDENTS, "{done}");
    assert_eq!(done["already_here"], 0, "{done}");
    assert_eq!(rejects_in(&rejects), expected_rejects);
    check_register(&mut database);
    verify(config);

    answer(&[
        "sim",
        "accounts",
        text(&people),
        "--seed",
        &ACCOUNTS.to_string(),
        "--config",
        config,
        "--json",
    ]);
    let [_, planner, approver] = place.staff();
    let mut runs = Vec::new();
    let mut landed = 0;
    // A run that ends before all kills fell into it is followed by another one: the same people are paid again.
    while landed < KILLS && runs.len() < 3 {
        let plan = answer(&["payout", "plan", "--officer", &planner, "--config", config, "--json"]);
        assert_eq!(plan["count"], RESIDENTS, "{plan}");
        let id = plan["run"].as_str().unwrap().to_owned();
        for _ in 0..2 {
            answer(&["payout", "fund", &id, "--officer", &approver, "--config", config, "--json"]);
        }
        let pay =
            ["payout", "run", &id, "--batch", "50", "--officer", &approver, "--config", config, "--json"];
        landed += kill_often_at_most(KILLS - landed, &pay, &mut dice, &mut || paid(&mut database));
        let finished = answer(&pay);
        assert_eq!(finished["state"], "finished", "{finished}");
        let again = answer(&pay);
        assert_eq!(again["report"], finished["report"], "a finished run changes nothing");
        runs.push(answer(&["payout", "report", &id, "--config", config, "--json"]));
    }
    assert_eq!(landed, KILLS, "kills that fell into the payout");
    verify(config);
    check_payouts(&runs, &folder, &people);
    println!("{KILLS} kills in the import, {KILLS} in {} payout run(s)", runs.len());
}

fn kill_often(args: &[&str], dice: &mut Dice, state: &mut impl FnMut() -> Option<Far>) -> usize {
    kill_often_at_most(KILLS, args, dice, state)
}

/// Starts the command again and again, and kills it at a random moment, until `most` kills fell into the work or it ended before.
/// A kill fell into the work when the command changed the database since it was started and was not through. `state` says what
/// was acknowledged so far, in numbers that may only grow, or `None` when all is done.
pub(crate) fn kill_often_at_most(
    most: usize,
    args: &[&str],
    dice: &mut Dice,
    state: &mut impl FnMut() -> Option<Far>,
) -> usize {
    let (mut landed, mut before) = (0, state().expect("the work is not done before it begins"));
    // Until the program has opened the deployment there is nothing to interrupt: how long that takes is found by trying.
    // So is how long a run may work for the kills to be spread over the whole: less where the machine is faster.
    let (mut start_ms, mut window_ms) = (20_u64, 150_u64);
    let mut moments = Vec::new();
    for _ in 0..most * 20 {
        if landed == most {
            break;
        }
        let mut child = start(args);
        let moment_ms = start_ms + dice.below(window_ms);
        pause(Duration::from_millis(moment_ms));
        let had_ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        let Some(now) = state() else { break };
        assert!(!had_ended, "the command ended without being through: {now:?}");
        let kept = before.counts.iter().zip(&now.counts).all(|(before, now)| now >= before);
        assert!(kept, "{before:?} was acknowledged, and now there is {now:?}");
        if now.counts > before.counts {
            landed += 1;
            moments.push(moment_ms);
            let (step, left) = (now.share - before.share, 1.0 - now.share);
            let needed = step * (most - landed + 1) as f64;
            if needed > left {
                window_ms = (window_ms / 2).max(10);
                start_ms = start_ms.saturating_sub(5);
            } else if needed < left / 2.0 {
                window_ms += 50;
            }
        } else {
            start_ms += 15;
        }
        before = now;
    }
    println!("killed after {moments:?} ms, the last time with {:.0}% done", before.share * 100.0);
    landed
}

/// How far the work is.
#[derive(Debug)]
pub(crate) struct Far {
    /// What was acknowledged: these may only grow.
    pub(crate) counts: [i64; 5],
    /// Roughly how much of the whole, from 0 to 1.
    pub(crate) share: f64,
}

/// How far the import is: the people in the register, what it says itself, the numbers that are used up.
fn imported(database: &mut Database) -> Option<Far> {
    let row = database.rows("SELECT state, next_byte, registered FROM person_import");
    let (done, byte, registered) = match row.first() {
        None => (false, 0, 0),
        Some(row) => (row[0].bytes() == b"done", row[1].int(), row[2].int()),
    };
    let people = database.number("SELECT count(*) FROM person_record WHERE part = 1");
    assert!(people >= registered, "{registered} were acknowledged, and {people} are there");
    let leases = database.rows("SELECT next FROM person_number_lease");
    let used_up = leases.iter().map(|row| row[0].int()).sum();
    let share = people as f64 / RESIDENTS as f64;
    (!done).then_some(Far { counts: [people, byte, registered, used_up, 0], share })
}

/// How far the newest run is: it began, so many are no longer waiting, so many messages are made, handed over and answered.
fn paid(database: &mut Database) -> Option<Far> {
    let state = database
        .number("SELECT max(state) FROM pay_run WHERE planned_at = (SELECT max(planned_at) FROM pay_run)");
    let people = database.number("SELECT count(*) FROM pay_entitlement WHERE state > 1");
    let mut messages = |least: i64| {
        database.number(&format!("SELECT count(*) FROM pay_bank_message WHERE state >= {least}"))
    };
    let [made, handed_over, answered] = [messages(1), messages(2), messages(3)];
    let of_messages =
        if people < RESIDENTS as i64 { 0.0 } else { (handed_over + answered) as f64 / made.max(1) as f64 };
    let share = people as f64 / RESIDENTS as f64 * 0.5 + of_messages * 0.25;
    (state != FINISHED).then_some(Far { counts: [people, made, handed_over, answered, state], share })
}

/// `pay_run.state` of a run that is through.
const FINISHED: i64 = 6;

/// Puts bad rows between the good ones; gives the file and what must be in the file of rejects.
fn with_bad_rows(place: &Place, people: &Path) -> (PathBuf, Vec<String>) {
    let good = std::fs::read_to_string(people).unwrap();
    let mut lines = good.lines();
    let header = lines.next().unwrap();
    let columns = header.split(',').count();
    let template = lines.clone().next().unwrap().to_owned();
    let changed = |column: &str, to: &str| {
        let place = header.split(',').position(|name| name == column).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(template.as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        let cells = row.iter().enumerate().map(|(i, cell)| if i == place { to } else { cell });
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(cells).unwrap();
        String::from_utf8(writer.into_inner().unwrap()).unwrap().trim_end().to_owned()
    };
    let bad = [
        (changed("birth_date", "1980-02-30"), "birth_date,no-such-day"),
        (changed("family_name", "=1+1"), "family_name,formula"),
        (",".repeat(columns), ",column-count"),
        (changed("city", "elsewhere"), "reference,duplicate"),
    ];
    let (mut written, mut rejects) = (vec![header.to_owned()], vec!["line,column,code".to_owned()]);
    for (i, line) in lines.enumerate() {
        written.push(line.to_owned());
        if i % GOOD_ROWS == GOOD_ROWS - 1 {
            let (row, reason) = &bad[i / GOOD_ROWS % bad.len()];
            written.push(row.clone());
            rejects.push(format!("{},{reason}", written.len()));
        }
    }
    (place.write("people-with-errors.csv", written.join("\n") + "\n"), rejects)
}

/// Line, column and code of every reject.
fn rejects_in(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(",")).collect()
}

/// Everybody is there once, with one number that nobody else has and that is promised to her.
fn check_register(database: &mut Database) {
    let residents = RESIDENTS as i64;
    let people = "SELECT count(*), count(DISTINCT id), count(DISTINCT number_index), count(DISTINCT content_index) \
                  FROM person_record WHERE part = 1 AND state = 'active'";
    assert_eq!(database.rows(people)[0].iter().map(|cell| cell.int()).collect::<Vec<_>>(), [residents; 4]);
    assert_eq!(database.number("SELECT count(*) FROM person_record WHERE part = 2"), residents);
    let promised = "SELECT count(*) FROM person_record AS r JOIN person_number AS n \
                    ON n.number_index = r.number_index AND n.id = r.id WHERE r.part = 1";
    assert_eq!(database.number(promised), residents);
    assert_eq!(database.number("SELECT count(*) FROM trust_holder"), residents);
}

fn verify(config: &str) {
    let log = answer(&["log", "verify", "--config", config, "--json"]);
    assert_eq!(log["size"], log["compared_with_database"], "{log}");
    let books = run(&["ledger", "fsck", "--config", config, "--json"]);
    assert!(books.status.success(), "{}", String::from_utf8_lossy(&books.stdout));
}

/// What the program says and what the banks' own books say must agree, to the last person.
fn check_payouts(runs: &[Value], folder: &Path, people: &Path) {
    let pack = Pack::load_shipped("example").unwrap();
    let residents = kaname_sim::read_csv(std::fs::File::open(people).unwrap()).unwrap();
    let (mut to_be_paid, mut without, mut closed) = (BTreeSet::new(), residents.len() as u64, 0);
    for account in accounts(&residents, &pack.banks, ACCOUNTS).filter(|account| !account.is_other_persons) {
        without -= 1;
        match account.closes {
            true => closed += 1,
            false => assert!(to_be_paid.insert((account.account.bank, account.account.number))),
        }
    }
    assert!(closed > 0 && without > 0);

    let mut received = 0;
    for report in runs {
        let books = |name: &str| report["books"][name].as_u64().unwrap();
        let people = |name: &str| report["people"][name].as_u64().unwrap();
        assert_eq!(report["sound"], true, "{report}");
        assert_eq!(
            books("out"),
            books("received") + books("vouchers") + books("pending") + books("returned"),
            "{report}"
        );
        assert_eq!((people("planned"), people("sent")), (0, 0), "{report}");
        assert_eq!(people("paid"), to_be_paid.len() as u64, "{report}");
        assert_eq!(people("voucher") + people("pending"), without, "{report}");
        assert_eq!(people("returned"), closed, "{report}");
        received += books("received");
    }

    let mut payments = BTreeSet::new();
    let mut times: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut sum = 0;
    for bank in &pack.banks {
        for file in files_below(&folder.join("world/banks").join(&bank.code).join("credits")) {
            assert!(
                file.extension().is_some_and(|extension| extension == "tsv"),
                "{} was left over",
                file.display()
            );
            for line in std::fs::read_to_string(file).unwrap().lines() {
                let [end_to_end_id, number, amount] = line.split('\t').collect::<Vec<_>>()[..] else {
                    panic!("{line}")
                };
                assert!(
                    payments.insert(end_to_end_id.to_owned()),
                    "payment {end_to_end_id} was credited twice"
                );
                *times.entry((bank.code.clone(), number.to_owned())).or_default() += 1;
                sum += amount.parse::<u64>().unwrap();
            }
        }
    }
    assert!(
        times.values().all(|times| *times == runs.len()),
        "an account was credited twice, or not each time"
    );
    assert_eq!(times.into_keys().collect::<BTreeSet<_>>(), to_be_paid, "others were paid than should be");
    assert_eq!(sum, received, "the banks credited another sum than the books say");
}
