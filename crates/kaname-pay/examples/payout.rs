//! How many residents a payout run pays, end to end and durable on SQLite, with receipts, log entries, bank messages and the
//! banks' reports: `cargo run --release -p kaname-pay --example payout -- 100000`.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use kaname_base::pack::Pack;
use kaname_base::{Amount, Buckets, Currency, Env};
use kaname_pay::ledger::fsck;
use kaname_pay::payee::{Desk, RegisterPayee, Registration, register_many};
use kaname_pay::payout::{
    Approve, Go, Payer, PlanRun, Programme, RunPayout, RunState, appropriate, approve, plan, report, run,
};
use kaname_pay::{Bank, BankAccount, Banks, MIGRATIONS, PayError, Residents, RunId, TransferId};
use kaname_person::matching::{Evidence, HolderMatch};
use kaname_sim::bank::{SimAccount, SimBank};
use kaname_store::{Location, Store, StoreConfig, Tx};
use kaname_trust::{Actor, Keys, PersonId, Receipt, seal};

/// Everybody there is, sorted; the account's holder is always the resident.
struct Everybody(Vec<PersonId>, Buckets);

impl Residents for Everybody {
    fn active(
        &self,
        tx: &mut Tx<'_>,
        after: Option<PersonId>,
        most: usize,
    ) -> Result<Vec<PersonId>, PayError> {
        let from = after.map_or(0, |after| self.0.partition_point(|person| *person <= after));
        let here = self.0[from..].iter().filter(|person| person.bucket(self.1) == Some(tx.bucket()));
        Ok(here.take(most).copied().collect())
    }

    fn compare_holder(
        &self,
        _: &mut Tx<'_>,
        _: &Receipt<'_>,
        _: &str,
    ) -> Result<Option<HolderMatch>, PayError> {
        Ok(Some(HolderMatch::Same(Evidence::Written)))
    }
}

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(50_000);
    let folder = std::env::temp_dir().join(format!("kaname-payout-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let buckets = Buckets::for_population(count);
    let config = StoreConfig::new(Location::Sqlite(folder.join("pay.sqlite")), buckets);
    let store = Store::open(&config, &[kaname_trust::MIGRATIONS, MIGRATIONS]).expect("the store opens");
    let keys = Keys::create(&folder.join("keys")).expect("keys");
    let currency = Currency::new("XTS", 2).expect("a currency");

    let mut people: Vec<PersonId> = (0..count)
        .map(|n| {
            kaname_trust::person::from_hash(&keys.blind_index("example.person", &n.to_be_bytes()), buckets)
        })
        .collect();
    people.sort_unstable();
    for bucket in buckets.all() {
        let here: Vec<_> =
            people.iter().filter(|person| person.bucket(buckets) == Some(bucket)).copied().collect();
        let keys = keys.clone();
        store
            .write::<_, PayError, _>(
                bucket,
                move |tx| Ok(seal::create_data_keys(tx, &keys, &here).map(drop)?),
            )
            .expect("data keys");
    }
    let (banks, accounts) = bank_accounts(&folder, currency, count);
    let residents = Arc::new(Everybody(people.clone(), buckets));
    let pack = Arc::new(Pack::load_shipped("example").expect("the template is shipped"));
    let desk = Desk { store, keys, pack, residents, banks };
    let clerk = Actor::program("import", "registrar");
    let commands: Vec<_> = accounts
        .into_iter()
        .zip(&people)
        .map(|(account, person)| RegisterPayee {
            person: *person,
            account: account.account,
            evidence: "import".to_owned(),
            replace: false,
        })
        .collect();
    let watch = Watch::start();
    let answers = register_many(&desk, &env(1), &clerk, &commands).expect("accounts are registered");
    assert!(answers.iter().all(|answer| *answer == Registration::Active));
    watch.stop("payee accounts registered", commands.len() as u64);

    let amount = Amount::from_minor(100_000).expect("a small amount");
    let id = RunId::from_bytes([1; 16]);
    let programme = Programme { code: "grant".to_owned(), currency, amount };
    let mut go_on = |_: &_| Go::On;
    let all = Watch::start();
    let command = PlanRun { id, programme, by: officer("planner") };
    let planned = plan(&desk, &env(2), &command, &mut go_on).expect("planned");
    let total = planned.total;
    desk.store
        .write::<_, PayError, _>(buckets.home(), move |tx| {
            appropriate(&env(3), tx, &officer("approver"), TransferId::from_bytes([9; 16]), currency, total)
                .map(drop)
        })
        .expect("the treasury has money");
    let command =
        Approve { run: id, by: officer("approver"), people: planned.people, total_minor: total.minor() };
    approve(&desk, &env(4), &command).expect("approved");
    all.so_far("planned and approved", count);
    let payer =
        Payer { name: "Exampleland".to_owned(), account: "1".to_owned(), remittance: "Grant".to_owned() };
    let command = RunPayout { run: id, by: officer("approver"), payer, batch: 4_096 };
    let outcome = run(&desk, &env(5), &command, &mut go_on).expect("paid");
    all.stop("paid, end to end", count);
    assert_eq!(outcome.run.state, RunState::Finished);
    let auditor = Actor::program("example", "program");
    let books = report(&desk, &auditor, id).expect("a report");
    assert!(books.is_sound() && fsck(&desk.store, &auditor).expect("the books are read").is_sound());
    println!("{:?}", books.books);
    drop(desk);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

fn officer(id: &str) -> Actor {
    Actor::officer(id, "payments")
}

/// Three banks, and an account for nine in ten.
fn bank_accounts(folder: &std::path::Path, currency: Currency, count: u64) -> (Banks, Vec<SimAccount>) {
    let codes = ["EXA1", "EXB2", "EXC3"];
    let accounts: Vec<_> = (0..count - count / 10)
        .map(|number| SimAccount {
            reference: number.to_string(),
            account: BankAccount {
                bank: codes[number as usize % 3].to_owned(),
                number: format!("{:010}", number * 7_919 % 10_000_000_000),
            },
            holder: format!("RESIDENT NUMBER {number}"),
            is_other_persons: false,
            closes: number % 500 == 7,
        })
        .collect();
    let mut banks = Banks::new();
    for code in codes {
        let bank = SimBank::open(&folder.join(code), code, currency).expect("a bank");
        bank.add(&accounts).expect("accounts");
        banks.insert(code, Arc::new(bank) as Arc<dyn Bank>);
    }
    (banks, accounts)
}

fn env(number: u8) -> Env {
    Env::new(kaname_base::Instant::from_seconds(1_800_000_000 + i64::from(number)), [number; 32])
}

struct Watch {
    wall: Instant,
    cpu: Duration,
}

impl Watch {
    fn start() -> Watch {
        Watch { wall: Instant::now(), cpu: processor_time() }
    }

    fn so_far(&self, what: &str, done: u64) {
        let (wall, cpu) = (self.wall.elapsed(), processor_time().saturating_sub(self.cpu));
        let each = |time: Duration| done as f64 / time.as_secs_f64();
        println!("{what}: {:.0} each second of a core, {:.0} each second on the wall", each(cpu), each(wall));
    }

    fn stop(self, what: &str, done: u64) {
        self.so_far(what, done);
    }
}

/// Processor time of this process so far, in the kernel's ticks of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
