//! A scheme with three participants on a store of a test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_codec::jose::JwkSet;
use kaname_pay::PayError;
use kaname_pay::instant::message::{Message, Topic};
use kaname_pay::instant::work::{Round, round};
use kaname_pay::instant::{
    self, Change, NewParticipant, PaymentId, Scheme, participants, position, register,
};
use kaname_person::PersonError;
use kaname_person::four_eyes::{self, Approved};
use kaname_person::policy::Action;
use kaname_sim::participant::{SimParticipant, Street};
use kaname_store::Store;
use kaname_testkit::TestStore;
use kaname_trust::{Actor, Keys};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const MIGRATIONS: [&[kaname_store::Migration]; 3] =
    [kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS, kaname_pay::MIGRATIONS];
pub(crate) const US: &str = "https://pay.example";
pub(crate) const CODES: [&str; 3] = ["north", "south", "mute"];
pub(crate) const CAP: u64 = 1_000_000;

/// Who registers and suspends: never one alone.
pub(crate) fn administrator(name: &str) -> Actor {
    Actor::officer(name, "administrator")
}

pub(crate) struct Street3 {
    pub(crate) scheme: Scheme,
    pub(crate) street: Street,
    clock: Arc<AtomicI64>,
    minted: Arc<AtomicI64>,
    keys: Keys,
    pack: Arc<Pack>,
    _folder: TempDir,
}

impl Street3 {
    pub(crate) fn open(t: &TestStore) -> Street3 {
        Street3::on(t.open(&MIGRATIONS))
    }

    pub(crate) fn on(store: Store) -> Street3 {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(folder.path()).unwrap();
        let pack = Arc::new(Pack::parse(&Pack::shipped_files("example").unwrap()).unwrap());
        let clock = Arc::new(AtomicI64::new(1_800_000_000_000_000));
        let made = CODES.map(|code| Arc::new(SimParticipant::new(code).unwrap()));
        let all: BTreeMap<_, _> = made.iter().map(|one| (one.code.clone(), Arc::clone(one))).collect();
        for one in &made {
            for number in 1..=9 {
                one.open_account(&format!("{}-{number}", one.code), "Ada Lovelace");
            }
        }
        let scheme = Scheme::open(store, keys.clone(), Arc::clone(&pack), US).unwrap();
        let time = Arc::clone(&clock);
        let street = Street {
            participants: Arc::new(all),
            us: US.to_owned(),
            keys: JwkSet::from_value(&scheme.jwks()).unwrap(),
            now: Arc::new(move || Instant::from_micros(time.load(Ordering::Relaxed))),
        };
        let minted = Arc::new(AtomicI64::new(0));
        let world = Street3 { scheme, street, clock, minted, keys, pack, _folder: folder };
        for one in &made {
            let new = NewParticipant {
                code: one.code.clone(),
                name: format!("Bank {}", one.code),
                is_wallet: one.code == "south",
                address: "http://127.0.0.1:1/kaname".to_owned(),
                jwks: one.jwks(),
                cap_minor: CAP,
            };
            world.register(&new).unwrap();
        }
        world
    }

    /// The same participants with another store: what a restart of the program leaves.
    pub(crate) fn restarted(&mut self, store: Store) {
        self.scheme = Scheme::open(store, self.keys.clone(), Arc::clone(&self.pack), US).unwrap();
    }

    /// Two officers let somebody take part.
    pub(crate) fn register(&self, new: &NewParticipant) -> Result<(), PayError> {
        let (env, pack, new) = (self.env(), Arc::clone(&self.pack), new.clone());
        let second = self.approved(&new);
        self.scheme.store.write(self.scheme.home(), move |tx| {
            register(&env.again(), tx, &pack, &administrator("ofc-1"), second.as_ref(), &new)
        })
    }

    pub(crate) fn change(&self, change: &Change) -> Result<(), PayError> {
        let (env, pack, change) = (self.env(), Arc::clone(&self.pack), change.clone());
        let second = self.approved(&change);
        self.scheme.store.write(self.scheme.home(), move |tx| {
            instant::change(&env.again(), tx, &pack, &administrator("ofc-1"), second.as_ref(), &change)
        })
    }

    fn approved(&self, content: &impl serde::Serialize) -> Option<Approved> {
        let (env, keys) = (self.env(), self.keys.clone());
        let content = serde_json::to_value(content).unwrap();
        let approved = self.scheme.store.write::<_, PersonError, _>(self.scheme.home(), move |tx| {
            let (first, second) = (administrator("ofc-1"), administrator("ofc-2"));
            let env = env.again();
            let id = four_eyes::propose(tx, &keys, &env, &first, Action::ManageParticipants, &content)?;
            four_eyes::approve(tx, &keys, &env, &second, id, &[Action::ManageParticipants])
        });
        approved.ok()
    }

    /// Another moment and other dice with each call.
    pub(crate) fn env(&self) -> Env {
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        let mut seed = [3; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Env::new(Instant::from_micros(self.clock.fetch_add(1_000, Ordering::Relaxed)), seed)
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    pub(crate) fn bank(&self, code: &str) -> &Arc<SimParticipant> {
        &self.street.participants[code]
    }

    /// A participant's message and its answer.
    pub(crate) fn say(&self, code: &str, topic: Topic, content: Value) -> Result<Message, PayError> {
        let env = self.env();
        let token = self.bank(code).say(US, env.now, topic, content);
        self.hand_in(code, topic, &token)
    }

    pub(crate) fn hand_in(&self, code: &str, topic: Topic, token: &str) -> Result<Message, PayError> {
        let env = self.env();
        let answer = self.scheme.answer(&env, &self.street, topic, token)?;
        Ok(self.bank(code).read(US, &self.street.keys, env.now, &answer).expect("our answer is signed"))
    }

    /// An order from account 1 of `payer` to an account of `payee`, with a quote.
    pub(crate) fn order(
        &self,
        id: PaymentId,
        payer: &str,
        (payee, account): (&str, &str),
        minor: u64,
    ) -> Value {
        let to = json!({ "participant": payee, "account": account });
        let asked = json!({ "payee": to, "amount_minor": minor.to_string(), "currency": "XTS" });
        let quote = self.say(payer, Topic::Quote, asked).unwrap();
        self.bank(payer).note_order(id, &format!("{payer}-1"), minor);
        json!({
            "id": id.to_string(),
            "payee": to,
            "payer_account": format!("{payer}-1"),
            "amount_minor": minor.to_string(),
            "currency": "XTS",
            "quote": quote.text("quote").unwrap(),
            "valid_until": quote.part::<i64>("valid_until").unwrap(),
            "text": "Rent",
        })
    }

    /// What came of one order.
    pub(crate) fn reserve(&self, payer: &str, order: &Value) -> Result<String, PayError> {
        let answer = self.say(payer, Topic::Reserve, json!({ "orders": [order] }))?;
        Ok(outcome(&answer))
    }

    pub(crate) fn round(&self) -> Result<Round, PayError> {
        round(&self.scheme, &self.street, &|| self.env())
    }

    /// What a payment is now.
    pub(crate) fn state(&self, id: PaymentId) -> &'static str {
        let found = self.scheme.store.read(self.scheme.home(), move |tx| instant::work::payment(tx, id));
        found.unwrap().state.code()
    }

    pub(crate) fn position(&self, code: &'static str) -> i64 {
        let pack = Arc::clone(&self.pack);
        self.scheme.store.read(self.scheme.home(), move |tx| position(tx, &pack, code)).unwrap().0
    }

    pub(crate) fn positions(&self) -> Vec<i64> {
        let pack = Arc::clone(&self.pack);
        let found = self.scheme.store.read::<_, PayError, _>(self.scheme.home(), move |tx| {
            let all = participants(tx)?;
            all.iter().map(|one| Ok(position(tx, &pack, &one.code)?.0)).collect::<Result<Vec<_>, _>>()
        });
        found.unwrap()
    }
}

/// The first outcome of an answer: the state, or the code of the refusal.
pub(crate) fn outcome(answer: &Message) -> String {
    let outcomes = answer.claims["outcomes"].as_array().unwrap();
    let first = &outcomes[0];
    first.get("refused").unwrap_or(&first["state"]).as_str().unwrap().to_owned()
}

pub(crate) fn id(number: u64) -> PaymentId {
    PaymentId::from_bytes((u128::from(number) << 32 | 7).to_be_bytes())
}

pub(crate) fn code_of<T: std::fmt::Debug>(refused: Result<T, PayError>) -> &'static str {
    match refused {
        Err(PayError::Instant(refusal)) => refusal.code(),
        Err(PayError::Refused(refusal)) => refusal.code(),
        Err(PayError::NotAllowed(refusal)) => refusal.code(),
        other => panic!("not a refusal: {other:?}"),
    }
}
