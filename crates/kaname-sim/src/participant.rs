//! A simulated participant of instant payments: a bank or wallet with accounts of its own, that can be slow, wrong, dead or lying.
//!
//! It keeps its own books, so that a test can ask it, and not us, who was paid. What it does wrong follows from a seed.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kaname_base::Instant;
use kaname_codec::jose::{Es256Key, JoseError, JwkSet};
use kaname_pay::instant::message::{self, Message, Signer, Topic};
use kaname_pay::instant::work::{Courier, Reply};
use kaname_pay::instant::{Participant, PaymentId};
use serde_json::{Value, json};

use crate::random::Random;

/// How often a participant misbehaves, in a hundred.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// It does what it is asked, and its answer comes too late to count.
    pub slow: u64,
    /// It answers something that cannot be used: another payment, another amount, a broken signature.
    pub wrong: u64,
    /// The connection is cut before it hears anything.
    pub dead: u64,
    /// It says something else than it did: that it never heard, or that it takes what it has refused.
    pub lying: u64,
    /// It does the same message twice, as a proxy that repeats would.
    pub repeats: u64,
    /// It asks for patience.
    pub busy: u64,
}

/// A simulated bank or wallet.
pub struct SimParticipant {
    /// Its code.
    pub code: String,
    key: Es256Key,
    kid: String,
    books: Mutex<Books>,
    minted: AtomicU64,
}

#[derive(Default)]
struct Books {
    faults: Faults,
    random: Option<Random>,
    played: u64,
    /// Who holds an account, and what was paid into it less what was paid out, in minor units.
    accounts: BTreeMap<String, (String, i64)>,
    /// Payments to accounts here: which account, how much, and whether they were taken.
    asked: HashMap<String, (String, i64, bool)>,
    /// Payments to and from accounts here that were told to have ended, with how often they were booked.
    booked: HashMap<String, (String, u32)>,
    /// Payments that accounts here have ordered: which account, how much.
    ordered: HashMap<String, (String, i64)>,
}

/// What a participant says of a payment at the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booked {
    /// The end that it was told.
    pub state: String,
    /// How often it changed an account for it.
    pub times: u32,
}

impl SimParticipant {
    /// A new participant with a key of its own.
    ///
    /// # Errors
    /// [`JoseError`] when no key can be made.
    pub fn new(code: &str) -> Result<SimParticipant, JoseError> {
        SimParticipant::with_key(code, &Es256Key::generate()?)
    }

    /// A participant with this key (PKCS#8).
    ///
    /// # Errors
    /// [`JoseError`] when it is none.
    pub fn with_key(code: &str, pkcs8: &[u8]) -> Result<SimParticipant, JoseError> {
        let key = Es256Key::from_pkcs8(pkcs8)?;
        let kid = key.public().thumbprint();
        let (books, minted) = (Mutex::default(), AtomicU64::new(0));
        Ok(SimParticipant { code: code.to_owned(), key, kid, books, minted })
    }

    /// The keys that it is registered with.
    pub fn jwks(&self) -> String {
        json!({ "keys": [self.key.public().to_jwk(&self.kid)] }).to_string()
    }

    /// Opens an account, which may go below zero: an overdraft without end.
    pub fn open_account(&self, account: &str, holder: &str) {
        self.books().accounts.insert(account.to_owned(), (holder.to_owned(), 0));
    }

    /// Misbehaves from now on, the same way for the same seed.
    pub fn misbehave(&self, faults: Faults, seed: u64) {
        let mut books = self.books();
        books.faults = faults;
        let stream = self.code.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte));
        books.random = Some(Random::new(seed, stream));
    }

    /// How often it has misbehaved.
    pub fn played(&self) -> u64 {
        self.books().played
    }

    /// What an account was paid less what it paid.
    pub fn balance(&self, account: &str) -> Option<i64> {
        self.books().accounts.get(account).map(|(_, balance)| *balance)
    }

    /// What it was told of a payment, and booked.
    pub fn booked(&self, payment: PaymentId) -> Option<Booked> {
        let books = self.books();
        let (state, times) = books.booked.get(&payment.to_string())?;
        Some(Booked { state: state.clone(), times: *times })
    }

    /// A message of its own, to the scheme called `us`.
    pub fn say(&self, us: &str, now: Instant, topic: Topic, content: Value) -> String {
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number:08}-{:016x}", self.code, now.micros());
        self.signer().sign(topic, us, now, &id, content)
    }

    /// Notes that an account here pays, so that the end of the payment can be booked on it.
    pub fn note_order(&self, payment: PaymentId, account: &str, minor: u64) {
        let amount = i64::try_from(minor).unwrap_or(i64::MAX);
        self.books().ordered.insert(payment.to_string(), (account.to_owned(), amount));
    }

    /// Reads the scheme's answer to a message of ours.
    pub fn read(&self, us: &str, keys: &JwkSet, now: Instant, answer: &str) -> Option<Message> {
        message::open(answer, Topic::Answer, (us, keys), &self.code, now).ok()
    }

    /// Does what the scheme asks; the answer, or what comes instead of one.
    pub fn receive(&self, us: &str, keys: &JwkSet, now: Instant, topic: Topic, token: &str) -> Reply {
        let mut books = self.books();
        if books.plays(|faults| faults.dead) {
            return Reply::Nothing;
        }
        if books.plays(|faults| faults.busy) {
            return Reply::Later(1);
        }
        let Ok(message) = message::open(token, topic, (us, keys), &self.code, now) else {
            return Reply::Nothing;
        };
        let mut content = books.work_on(topic, &message);
        if books.plays(|faults| faults.repeats) {
            content = books.work_on(topic, &message);
        }
        if books.plays(|faults| faults.slow) {
            return Reply::Nothing;
        }
        if books.plays(|faults| faults.lying) {
            lie(&mut content);
        }
        content["to"] = message.id.as_str().into();
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number:08}", self.code);
        let is_wrong = books.plays(|faults| faults.wrong);
        if is_wrong && number.is_multiple_of(2) {
            content["payment"] = "pmt_00000000000000000000000000000000".into();
            content["amount_minor"] = "1".into();
        }
        let mut answer = self.signer().sign(Topic::Answer, us, now, &id, content);
        if is_wrong && !number.is_multiple_of(2) {
            answer.replace_range(answer.len() - 6.., "AAAAAA");
        }
        Reply::Message(answer)
    }

    fn signer(&self) -> Signer<'_> {
        Signer { name: &self.code, key: &self.key, kid: &self.kid }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says the opposite, or that nothing was heard.
fn lie(content: &mut Value) {
    match content["answer"].as_str() {
        Some("accepts") => content["answer"] = "never-heard".into(),
        Some("declines") => content["answer"] = "accepts".into(),
        _ => {}
    }
}

impl Books {
    /// Whether a fault is played now.
    fn plays(&mut self, rate: impl Fn(&Faults) -> u64) -> bool {
        let rate = rate(&self.faults);
        let Some(random) = &mut self.random else { return false };
        let is_played = rate > 0 && random.percent(rate);
        self.played += u64::from(is_played);
        is_played
    }

    fn work_on(&mut self, topic: Topic, message: &Message) -> Value {
        let text = |name: &str| message.text(name).unwrap_or_default().to_owned();
        let (payment, minor) = (text("payment"), text("amount_minor"));
        let amount: i64 = minor.parse().unwrap_or_default();
        let mut content = json!({ "payment": payment, "amount_minor": minor });
        match topic {
            Topic::Holder => {
                if let Some((holder, _)) = self.accounts.get(&text("account")) {
                    content["holder"] = holder.as_str().into();
                }
            }
            Topic::Credit => {
                let account = text("account");
                let is_here = self.accounts.contains_key(&account);
                // The first answer about a payment stays.
                let (_, _, takes) = self.asked.entry(payment).or_insert((account, amount, is_here));
                content["answer"] = if *takes { "accepts" } else { "declines" }.into();
                content["reason"] = if *takes { "" } else { "no-account" }.into();
            }
            Topic::Inquiry => {
                content["answer"] = match self.asked.get(&payment) {
                    Some((_, _, true)) => "accepts",
                    Some((_, _, false)) => "declines",
                    None => "never-heard",
                }
                .into();
            }
            Topic::Outcome => {
                let state = text("state");
                content["state"] = state.as_str().into();
                self.book(payment, state);
            }
            _ => {}
        }
        content
    }

    /// Books the end of a payment, once, however often it is told.
    fn book(&mut self, payment: String, state: String) {
        if self.booked.contains_key(&payment) {
            return;
        }
        let mut times = 0;
        if state == "committed" {
            let credit = self.asked.get(&payment).map(|(account, amount, _)| (account, *amount));
            let debit = self.ordered.get(&payment).map(|(account, amount)| (account, -*amount));
            for (account, change) in credit.into_iter().chain(debit) {
                if let Some((_, balance)) = self.accounts.get_mut(account) {
                    *balance += change;
                    times += 1;
                }
            }
        }
        self.booked.insert(payment, (state, times));
    }
}

/// Participants of one process, reached without a network.
#[derive(Clone)]
pub struct Street {
    /// By code.
    pub participants: Arc<BTreeMap<String, Arc<SimParticipant>>>,
    /// What the scheme is called.
    pub us: String,
    /// The keys of the scheme.
    pub keys: JwkSet,
    /// The time, as participants see it.
    pub now: Arc<dyn Fn() -> Instant + Send + Sync>,
}

impl Courier for Street {
    fn send(&self, to: &Participant, topic: Topic, message: &str) -> Reply {
        match self.participants.get(&to.code) {
            Some(participant) => participant.receive(&self.us, &self.keys, (self.now)(), topic, message),
            None => Reply::Nothing,
        }
    }
}
