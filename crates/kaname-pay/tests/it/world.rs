//! A small country with two banks, on a store of a test.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use kaname_base::pack::Pack;
use kaname_base::{Amount, Buckets, Currency, Env, Instant};
use kaname_pay::ledger::{Findings, fsck};
use kaname_pay::payee::{Desk, RegisterPayee, Registration, register_many};
use kaname_pay::payout::{
    Approve, Go, Outcome, Payer, PlanRun, Programme, Run, RunPayout, State, appropriate, approve, plan,
    report, run,
};
use kaname_pay::{Bank, BankAccount, BankError, Banks, PayError, Residents, RunId, TransferId};
use kaname_person::matching::{Difference, Evidence, HolderMatch};
use kaname_sim::bank::{Credit, SimAccount, SimBank};
use kaname_store::{Store, Tx};
use kaname_testkit::TestStore;
use kaname_trust::{Actor, Keys, PersonId, Receipt, seal};
use tempfile::TempDir;

pub(crate) const MIGRATIONS: [&[kaname_store::Migration]; 2] =
    [kaname_trust::MIGRATIONS, kaname_pay::MIGRATIONS];
pub(crate) const AMOUNT: u64 = 100_000;

/// A register that knows names only.
pub(crate) struct Names {
    by_person: Mutex<BTreeMap<PersonId, String>>,
    buckets: Buckets,
}

impl Residents for Names {
    fn active(
        &self,
        tx: &mut Tx<'_>,
        after: Option<PersonId>,
        most: usize,
    ) -> Result<Vec<PersonId>, PayError> {
        let names = self.by_person.lock().unwrap();
        let here = names.keys().filter(|person| person.bucket(self.buckets) == Some(tx.bucket()));
        Ok(here.filter(|person| after.is_none_or(|after| **person > after)).take(most).copied().collect())
    }

    fn compare_holder(
        &self,
        _tx: &mut Tx<'_>,
        receipt: &Receipt<'_>,
        holder: &str,
    ) -> Result<Option<HolderMatch>, PayError> {
        let names = self.by_person.lock().unwrap();
        Ok(names.get(&receipt.person()).map(|name| match name == holder {
            true => HolderMatch::Same(Evidence::Written),
            false => HolderMatch::Different(Difference::Name),
        }))
    }
}

/// A bank whose reports a test may change on their way.
pub(crate) struct Wire {
    pub(crate) bank: SimBank,
    pub(crate) forged: Mutex<HashMap<String, Vec<u8>>>,
    pub(crate) silent: Mutex<bool>,
    pub(crate) submissions: Mutex<Vec<String>>,
}

impl Bank for Wire {
    fn holder(&self, number: &str) -> Result<Option<String>, BankError> {
        self.bank.holder(number)
    }
    fn submit(&self, message_id: &str, message: &[u8]) -> Result<(), BankError> {
        self.submissions.lock().unwrap().push(message_id.to_owned());
        self.bank.submit(message_id, message)
    }
    fn status(&self, message_id: &str) -> Result<Option<Vec<u8>>, BankError> {
        if *self.silent.lock().unwrap() {
            return Ok(None);
        }
        let forged = self.forged.lock().unwrap().get(message_id).cloned();
        forged.map_or_else(|| self.bank.status(message_id), |report| Ok(Some(report)))
    }
}

pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) people: Vec<PersonId>,
    pub(crate) names: Arc<Names>,
    pub(crate) banks: Vec<Arc<Wire>>,
    _folder: TempDir,
}

pub(crate) fn currency() -> Currency {
    Currency::new("XTS", 2).unwrap()
}

pub(crate) fn amount(minor: u64) -> Amount {
    Amount::from_minor(minor).unwrap()
}

/// An environment of its own for each number.
pub(crate) fn env(number: u64) -> Env {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Env::new(Instant::from_seconds(1_800_000_000 + number as i64), seed)
}

pub(crate) fn go_on(_: &kaname_pay::payout::Progress) -> Go {
    Go::On
}

impl World {
    /// So many residents, without accounts.
    pub(crate) fn new(t: &TestStore, people: u64) -> World {
        let store = t.open(&MIGRATIONS);
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let names = Arc::new(Names { by_person: Mutex::default(), buckets: store.buckets() });
        let mut banks = Banks::new();
        let mut wires = Vec::new();
        for code in ["EXA1", "EXB2"] {
            let bank = SimBank::open(&folder.path().join(code), code, currency()).unwrap();
            let wire = Arc::new(Wire {
                bank,
                forged: Mutex::default(),
                silent: Mutex::default(),
                submissions: Mutex::default(),
            });
            banks.insert(code, Arc::clone(&wire) as Arc<dyn Bank>);
            wires.push(wire);
        }
        let pack = Arc::new(Pack::load_shipped("example").unwrap());
        let residents = Arc::clone(&names) as Arc<dyn Residents>;
        let desk = Desk { store, keys, pack, residents, banks };
        let mut world = World { desk, people: Vec::new(), names, banks: wires, _folder: folder };
        for number in 0..people {
            let person = world.newcomer(number);
            world.people.push(person);
        }
        world
    }

    pub(crate) fn newcomer(&self, number: u64) -> PersonId {
        let hash = self.desk.keys.blind_index("test.person", &number.to_be_bytes());
        let buckets = self.store().buckets();
        let person = kaname_trust::person::from_hash(&hash, buckets);
        let keys = self.desk.keys.clone();
        let bucket = person.bucket(buckets).unwrap();
        self.store()
            .write::<_, PayError, _>(bucket, move |tx| {
                Ok(seal::create_data_keys(tx, &keys, &[person]).map(drop)?)
            })
            .unwrap();
        self.names.by_person.lock().unwrap().insert(person, name(number));
        person
    }

    pub(crate) fn store(&self) -> &Store {
        &self.desk.store
    }

    /// Two in three have an account of their own, some at each bank; the third has none. One account closes.
    pub(crate) fn register_everyone(&self) {
        let accounts: Vec<_> =
            (0..self.people.len() as u64).filter(|number| number % 3 != 2).map(account).collect();
        self.open_at_bank(&accounts);
        let commands: Vec<_> = accounts.iter().map(|account| self.command(account)).collect();
        let answers = register_many(&self.desk, &env(1), &clerk(), &commands).unwrap();
        assert!(answers.iter().all(|answer| *answer == Registration::Active), "{answers:?}");
    }

    pub(crate) fn open_at_bank(&self, accounts: &[SimAccount]) {
        for wire in &self.banks {
            wire.bank.add(accounts).unwrap();
        }
    }

    pub(crate) fn command(&self, account: &SimAccount) -> RegisterPayee {
        let number: usize = account.reference.parse().unwrap();
        RegisterPayee {
            person: self.people[number],
            account: account.account.clone(),
            evidence: "test".to_owned(),
            replace: false,
        }
    }

    pub(crate) fn plan(&self, id: RunId) -> Run {
        let programme = Programme { code: "grant".to_owned(), currency: currency(), amount: amount(AMOUNT) };
        let command = PlanRun { id, programme, by: payments("planner") };
        plan(&self.desk, &env(2), &command, &mut go_on).unwrap()
    }

    pub(crate) fn fund_treasury(&self, minor: u64) {
        let home = self.store().buckets().home();
        let id = TransferId::from_bytes([9; 16]);
        self.store()
            .write::<_, PayError, _>(home, move |tx| {
                appropriate(&env(3), tx, &payments("approver"), id, currency(), amount(minor)).map(drop)
            })
            .unwrap();
    }

    /// A run that was planned and approved.
    pub(crate) fn approved(&self) -> Run {
        let run = self.plan(run_id(1));
        self.fund_treasury(run.total.minor());
        approve(&self.desk, &env(4), &approval(&run)).unwrap()
    }

    pub(crate) fn pay(&self, run: RunId) -> Result<Outcome, PayError> {
        kaname_pay::payout::run(&self.desk, &env(5), &start(run), &mut go_on)
    }

    /// Runs until `steps` steps are done.
    pub(crate) fn pay_some(&self, id: RunId, steps: usize) -> Result<Outcome, PayError> {
        let mut left = steps;
        run(&self.desk, &env(5), &start(id), &mut |_| match left {
            0 => Go::Halt,
            _ => {
                left -= 1;
                Go::On
            }
        })
    }

    pub(crate) fn credits(&self) -> Vec<Credit> {
        self.banks.iter().flat_map(|wire| wire.bank.credits().unwrap()).collect()
    }

    pub(crate) fn books(&self) -> Findings {
        fsck(self.store(), &auditor()).unwrap()
    }

    /// Whatever happened: nobody twice, nobody forgotten, and bank, list and ledger say the same.
    pub(crate) fn assert_all_is_paid(&self, run: RunId) {
        let books = self.books();
        assert!(books.is_sound(), "{:?}", books.wrong);
        let report = report(&self.desk, &auditor(), run).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.run.state.code(), "finished");
        assert_eq!((report.people(State::Planned), report.people(State::Sent)), (0, 0));
        let credits = self.credits();
        assert_eq!(
            credits.len() as u64,
            report.people(State::Paid),
            "the bank paid as many as the list says"
        );
        let mut names: Vec<_> = credits.iter().map(|credit| &credit.end_to_end_id).collect();
        let mut numbers: Vec<_> = credits.iter().map(|credit| &credit.number).collect();
        for list in [&mut names, &mut numbers] {
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), credits.len(), "nobody was paid twice");
        }
        assert!(credits.iter().all(|credit| credit.amount_minor == AMOUNT));
    }
}

pub(crate) fn name(number: u64) -> String {
    format!("Resident {number}")
}

/// The account of resident `number`; that of number 4 closes.
pub(crate) fn account(number: u64) -> SimAccount {
    let bank = if number.is_multiple_of(2) { "EXA1" } else { "EXB2" };
    SimAccount {
        reference: number.to_string(),
        account: BankAccount { bank: bank.to_owned(), number: format!("{:010}", 77_000 + number) },
        holder: name(number),
        is_other_persons: false,
        closes: number == 4,
    }
}

pub(crate) fn run_id(number: u8) -> RunId {
    RunId::from_bytes([number; 16])
}

/// A payments officer with this id.
pub(crate) fn payments(id: &str) -> Actor {
    Actor::officer(id, "payments")
}

pub(crate) fn auditor() -> Actor {
    Actor::officer("auditor", "auditor")
}

pub(crate) fn clerk() -> Actor {
    Actor::program("import", "registrar")
}

pub(crate) fn approval(run: &Run) -> Approve {
    Approve { run: run.id, by: payments("approver"), people: run.people, total_minor: run.total.minor() }
}

pub(crate) fn start(run: RunId) -> RunPayout {
    RunPayout {
        run,
        by: payments("approver"),
        payer: Payer {
            name: "Exampleland".to_owned(),
            account: "0001".to_owned(),
            remittance: "Grant".to_owned(),
        },
        batch: 3,
    }
}
