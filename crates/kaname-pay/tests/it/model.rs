//! The ledger against a model of it that anybody can follow: a list of transfers, and sums made anew each time.

use std::cell::Cell;

use kaname_base::{Bucket, Currency, Instant};
use kaname_pay::ledger::statement::account_at;
use kaname_pay::ledger::{
    Account, Kind, Limit, Posted, Side, Transfer, accounts, expire_all, fsck, open_accounts, post_batch,
    post_chains,
};
use kaname_pay::{AccountId, PayError, Refusal, TransferId};
use kaname_store::{Store, StoreError};
use kaname_testkit::{TestStore, on_every_store};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use super::world::{MIGRATIONS, amount, auditor, currency, env};

on_every_store!(the_ledger_does_what_the_model_does);

/// The last is kept in another currency.
const LIMITS: [Limit; 5] =
    [Limit::None, Limit::None, Limit::DebitsUpToCredits, Limit::CreditsUpToDebits, Limit::None];

fn currency_of(account: usize) -> Currency {
    if account == 4 { Currency::new("JPY", 0).unwrap() } else { currency() }
}

struct Done {
    transfer: Transfer,
    moved: u64,
    at: Instant,
}

/// Only what was accepted, in order.
#[derive(Default)]
struct Model {
    done: Vec<Done>,
}

impl Model {
    fn find(&self, id: TransferId) -> Option<&Done> {
        self.done.iter().find(|done| done.transfer.id == id)
    }

    /// What resolved a pending transfer.
    fn end_of(&self, pending: TransferId) -> Option<Kind> {
        let kinds = self.done.iter().map(|done| done.transfer.kind);
        kinds.into_iter().find(|kind| kind.named() == Some(pending))
    }

    fn is_closed(&self, account: AccountId) -> bool {
        self.done.iter().any(|Done { transfer, .. }| {
            let closed = match transfer.kind {
                Kind::Close(Side::Debit) => Some(transfer.debit),
                Kind::Close(Side::Credit) => Some(transfer.credit),
                _ => None,
            };
            closed == Some(account) && self.end_of(transfer.id).is_none()
        })
    }

    fn ask(&mut self, asked: &Transfer, now: Instant) -> Result<u64, &'static str> {
        let named = asked.kind.named().and_then(|id| self.find(id)).map(|done| done.transfer);
        let names_closing = named.is_some_and(|named| matches!(named.kind, Kind::Close(_)));
        let may_be_zero =
            matches!(asked.kind, Kind::Close(_)) || (matches!(asked.kind, Kind::VoidOf(_)) && names_closing);
        let is_release = matches!(asked.kind, Kind::VoidOf(_) | Kind::ExpiryOf(_));
        if asked.debit == asked.credit {
            return Err("same-account");
        }
        if asked.amount.minor() == 0 && !may_be_zero {
            return Err("amount-zero");
        }
        let (debit, credit) = (number(asked.debit), number(asked.credit));
        if debit >= LIMITS.len() {
            return Err("no-such-debit-account");
        }
        if credit >= LIMITS.len() {
            return Err("no-such-credit-account");
        }
        if currency_of(debit) != currency_of(credit) {
            return Err("currency-differs");
        }
        if !is_release && (self.is_closed(asked.debit) || self.is_closed(asked.credit)) {
            return Err("account-closed");
        }
        if let Some(id) = asked.kind.named() {
            self.may_resolve(asked, id, named, now)?;
        }
        if matches!(asked.kind, Kind::PendingUntil(until) if until <= now) {
            return Err("pending-expired");
        }
        let before = (self.sums(asked.debit, now), self.sums(asked.credit, now));
        let moved = match asked.kind {
            Kind::UpTo(Side::Debit) => before.0[1] - before.0[0] - before.0[2],
            Kind::UpTo(Side::Credit) => before.1[0] - before.1[1] - before.1[3],
            _ => i128::MAX,
        };
        let moved = moved.min(i128::from(asked.amount.minor()));
        match asked.kind {
            Kind::UpTo(Side::Debit) if moved <= 0 => return Err("insufficient-funds"),
            Kind::UpTo(Side::Credit) if moved <= 0 => return Err("exceeds-debits"),
            _ => {}
        }
        self.done.push(Done { transfer: *asked, moved: moved as u64, at: now });
        let (from, to) = (self.sums(asked.debit, now), self.sums(asked.credit, now));
        let refused = match () {
            () if is_release => None,
            () if LIMITS[debit] == Limit::DebitsUpToCredits && from[0] + from[2] > from[1] => {
                Some("insufficient-funds")
            }
            () if LIMITS[credit] == Limit::CreditsUpToDebits && to[1] + to[3] > to[0] => {
                Some("exceeds-debits")
            }
            () => None,
        };
        if let Some(code) = refused {
            self.done.pop();
            return Err(code);
        }
        Ok(moved as u64)
    }

    fn may_resolve(
        &self,
        asked: &Transfer,
        id: TransferId,
        named: Option<Transfer>,
        now: Instant,
    ) -> Result<(), &'static str> {
        let pending = named.ok_or("no-such-pending")?;
        let until = match pending.kind {
            Kind::Pending | Kind::Close(_) => None,
            Kind::PendingUntil(until) => Some(until),
            _ => return Err("not-pending"),
        };
        if (pending.debit, pending.credit, pending.code) != (asked.debit, asked.credit, asked.code) {
            return Err("pending-differs");
        }
        let is_post = matches!(asked.kind, Kind::PostOf(_));
        if asked.amount > pending.amount || (!is_post && asked.amount != pending.amount) {
            return Err("pending-amount");
        }
        match self.end_of(id) {
            Some(Kind::PostOf(_)) => return Err("already-posted"),
            Some(Kind::VoidOf(_)) => return Err("already-voided"),
            Some(_) => return Err("pending-expired"),
            None => {}
        }
        let is_over = until.is_some_and(|until| until <= now);
        match asked.kind {
            Kind::ExpiryOf(_) if !is_over => Err("not-expired"),
            Kind::PostOf(_) | Kind::VoidOf(_) if is_over => Err("pending-expired"),
            _ => Ok(()),
        }
    }

    /// What each transfer of a chain is answered. All are made, or none.
    fn ask_chain(&mut self, chain: &[Transfer], now: Instant) -> Vec<String> {
        let before = self.done.len();
        let mut answers = Vec::new();
        let mut refused = None;
        for (place, asked) in chain.iter().enumerate() {
            let answer = match self.find(asked.id) {
                Some(standing) if standing.transfer == *asked => Ok(format!("again {}", standing.moved)),
                Some(_) => Err("id-reused"),
                None => self.ask(asked, now).map(|moved| format!("posted {moved}")),
            };
            match answer {
                Ok(words) => answers.push(words),
                Err(code) => {
                    answers.push(code.to_owned());
                    refused = Some(place);
                    break;
                }
            }
        }
        if refused.is_some() {
            self.done.truncate(before);
            answers.resize(chain.len(), "linked-failed".to_owned());
            for answer in answers.iter_mut().filter(|answer| answer.starts_with("posted")) {
                *answer = "linked-failed".to_owned();
            }
            // What stood only since an earlier link of this very chain stands no longer.
            for (place, asked) in chain.iter().enumerate() {
                if answers[place].starts_with("again") && self.find(asked.id).is_none() {
                    answers[place] = "linked-failed".to_owned();
                }
            }
        }
        answers
    }

    fn expire(&mut self, now: Instant) -> u64 {
        let due: Vec<Transfer> = self
            .done
            .iter()
            .map(|done| done.transfer)
            .filter(|t| matches!(t.kind, Kind::PendingUntil(until) if until <= now))
            .filter(|t| self.end_of(t.id).is_none())
            .collect();
        for pending in &due {
            let id = TransferId::from_bytes([255; 16]);
            let transfer = Transfer { id, kind: Kind::ExpiryOf(pending.id), ..*pending };
            self.done.push(Done { transfer, moved: pending.amount.minor(), at: now });
        }
        due.len() as u64
    }

    /// Debits and credits posted, debits and credits pending, as of a moment.
    fn sums(&self, account: AccountId, at: Instant) -> [i128; 4] {
        let mut sums = [0; 4];
        for done in self.done.iter().filter(|done| done.at <= at) {
            let moved = i128::from(done.moved);
            let reserved = |id| self.find(id).map_or(0, |pending| i128::from(pending.moved));
            let (posted, pending) = match done.transfer.kind {
                Kind::Posted | Kind::UpTo(_) => (moved, 0),
                Kind::Pending | Kind::PendingUntil(_) | Kind::Close(_) => (0, moved),
                Kind::PostOf(named) => (moved, -reserved(named)),
                Kind::VoidOf(named) | Kind::ExpiryOf(named) => (0, -reserved(named)),
            };
            for (place, side) in [done.transfer.debit, done.transfer.credit].into_iter().enumerate() {
                if side == account {
                    sums[place] += posted;
                    sums[2 + place] += pending;
                }
            }
        }
        sums
    }
}

/// What happens between two looks at the clock.
#[derive(Clone, Debug)]
enum Step {
    /// Asked for in chains; asked once more when it says so, as after a lost reply.
    Post(Vec<Vec<Transfer>>, bool),
    /// All of it is undone at the end of the unit of work.
    Undone(Vec<Transfer>),
    Sweep,
    Restart,
}

fn number(account: AccountId) -> usize {
    usize::from(account.bytes()[0])
}

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

/// Few ids, accounts and amounts, so that everything meets everything.
fn any_transfer() -> impl Strategy<Value = Transfer> {
    let id = || (0u8..40).prop_map(|number| TransferId::from_bytes([number; 16]));
    let side = || prop_oneof![Just(Side::Debit), Just(Side::Credit)];
    let kind = prop_oneof![
        8 => Just(Kind::Posted),
        5 => Just(Kind::Pending),
        4 => (0i64..10).prop_map(|second| Kind::PendingUntil(Instant::from_seconds(second))),
        6 => id().prop_map(Kind::PostOf),
        4 => id().prop_map(Kind::VoidOf),
        1 => id().prop_map(Kind::ExpiryOf),
        3 => side().prop_map(Kind::UpTo),
        1 => side().prop_map(Kind::Close),
    ];
    let pair = prop_oneof![6 => Just((0, 2)), 3 => Just((2, 1)), 3 => Just((3, 0)), 2 => Just((0, 3)), 2 => (0u8..6, 0u8..6)];
    (id(), pair, 0u64..4, kind, prop_oneof![9 => Just(1u16), 1 => Just(2)]).prop_map(
        |(id, (debit, credit), minor, kind, code)| {
            let (debit, credit) = (account(debit), account(credit));
            Transfer { id, debit, credit, amount: amount(minor), kind, code }
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    let chain = prop_oneof![5 => prop::collection::vec(any_transfer(), 1..2), 1 => prop::collection::vec(any_transfer(), 2..5)];
    let batch = prop::collection::vec(chain, 1..20);
    prop_oneof![
        8 => (batch, any::<bool>()).prop_map(|(batch, again)| Step::Post(batch, again)),
        2 => prop::collection::vec(any_transfer(), 1..8).prop_map(Step::Undone),
        2 => Just(Step::Sweep),
        1 => Just(Step::Restart),
    ]
}

/// The ledger of one case: its accounts and transfers have ids of their own.
struct Case {
    number: u16,
    bucket: Bucket,
}

impl Case {
    fn env(&self, second: u64) -> kaname_base::Env {
        env(u64::from(self.number) * 1_000 + second)
    }

    fn id<K: kaname_base::id::Kind>(&self, id: kaname_base::id::Id<K>) -> kaname_base::id::Id<K> {
        let mut bytes = *id.bytes();
        bytes[8..10].copy_from_slice(&self.number.to_be_bytes());
        kaname_base::id::Id::from_bytes(bytes)
    }

    fn transfer(&self, transfer: &Transfer) -> Transfer {
        let kind = match transfer.kind {
            Kind::PostOf(id) => Kind::PostOf(self.id(id)),
            Kind::VoidOf(id) => Kind::VoidOf(self.id(id)),
            Kind::ExpiryOf(id) => Kind::ExpiryOf(self.id(id)),
            Kind::PendingUntil(until) => Kind::PendingUntil(self.env(until.seconds() as u64).now),
            kind => kind,
        };
        let (id, debit, credit) = (self.id(transfer.id), self.id(transfer.debit), self.id(transfer.credit));
        Transfer { id, debit, credit, kind, ..*transfer }
    }

    fn post(&self, store: &Store, second: u64, chains: &[Vec<Transfer>]) -> Vec<String> {
        let (env, chains) = (self.env(second), chains.to_vec());
        let outcomes = store
            .write::<_, StoreError, _>(self.bucket, move |tx| {
                let env = env.again();
                if chains.iter().all(|chain| chain.len() == 1) {
                    return post_batch(&env, tx, &chains.concat());
                }
                let chains: Vec<&[Transfer]> = chains.iter().map(Vec::as_slice).collect();
                Ok(post_chains(&env, tx, &chains)?.concat())
            })
            .unwrap();
        let words = |outcome: Result<Posted, Refusal>| match outcome {
            Ok(Posted { again: true, moved, .. }) => format!("again {}", moved.minor()),
            Ok(Posted { again: false, moved, .. }) => format!("posted {}", moved.minor()),
            Err(refusal) => refusal.code().to_owned(),
        };
        outcomes.into_iter().map(words).collect()
    }
}

fn the_ledger_does_what_the_model_does(t: &TestStore) {
    let cases = if t.is_sqlite() { 40 } else { 10 };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let store = Cell::new(Some(t.open(&MIGRATIONS)));
    let (number, all_done, met) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let outcome = TestRunner::new(config).run(&prop::collection::vec(any_step(), 1..12), |steps| {
        number.set(number.get() + 1);
        let case = Case { number: number.get(), bucket: t.bucket(6) };
        let open = store.take().unwrap_or_else(|| t.reopen()); // the case before failed half-way
        all_done.set(fsck(&open, &auditor()).unwrap().transfers);
        store.set(Some(open));
        let done = run(t, &store, &case, &steps, &met)?;
        all_done.set(all_done.get() + done);
        let open = store.take().expect("the store is open");
        let books = fsck(&open, &auditor()).unwrap();
        prop_assert!(books.is_sound(), "{:?}", books.wrong);
        prop_assert_eq!(books.transfers, all_done.get());
        store.set(Some(open));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(met.get() > 0, "some transfers were made");
}

fn run(
    t: &TestStore,
    held: &Cell<Option<Store>>,
    case: &Case,
    steps: &[Step],
    met: &Cell<u64>,
) -> Result<u64, TestCaseError> {
    let mut store = held.take().expect("the store is open");
    let bucket = case.bucket;
    let opened: Vec<_> = (0u8..)
        .zip(LIMITS)
        .map(|(number, limit)| Account::new(case.id(account(number)), currency_of(number.into()), 1, limit))
        .collect();
    store.write::<_, StoreError, _>(bucket, move |tx| open_accounts(tx, &opened)).unwrap();
    let mut model = Model::default();
    for (second, step) in (1..).zip(steps) {
        let now = case.env(second).now;
        match step {
            Step::Post(chains, is_asked_again) => {
                let chains: Vec<Vec<Transfer>> =
                    chains.iter().map(|chain| chain.iter().map(|t| case.transfer(t)).collect()).collect();
                for _ in 0..=u8::from(*is_asked_again) {
                    let expected: Vec<String> =
                        chains.iter().flat_map(|chain| model.ask_chain(chain, now)).collect();
                    prop_assert_eq!(case.post(&store, second, &chains), expected);
                }
            }
            Step::Undone(batch) => {
                let batch: Vec<Transfer> = batch.iter().map(|t| case.transfer(t)).collect();
                let env = case.env(second);
                let undone = store.write::<(), PayError, _>(bucket, move |tx| {
                    post_batch(&env.again(), tx, &batch)?;
                    Err(Refusal::WrongState.into())
                });
                prop_assert!(matches!(undone, Err(PayError::Refused(Refusal::WrongState))));
            }
            Step::Sweep => {
                let expected = model.expire(now);
                prop_assert_eq!(expire_all(&store, &case.env(second)).unwrap(), expected);
                prop_assert_eq!(expire_all(&store, &case.env(second)).unwrap(), 0);
            }
            Step::Restart => {
                drop(store);
                store = t.reopen();
            }
        }
    }
    met.set(met.get() + model.done.len() as u64);
    for number in 0..LIMITS.len() as u8 {
        let id = case.id(account(number));
        for second in 0..=steps.len() as u64 {
            let at = case.env(second).now;
            let then = store
                .read::<_, PayError, _>(bucket, move |tx| account_at(tx, &auditor(), id, at))
                .unwrap()
                .expect("the account is there");
            prop_assert_eq!(sums(&then), model.sums(id, at), "account {} at second {}", number, second);
        }
        let now = store.read::<_, StoreError, _>(bucket, move |tx| accounts(tx, &[id])).unwrap();
        let now = now[0].expect("the account is there");
        prop_assert_eq!(sums(&now), model.sums(id, Instant::from_seconds(i64::MAX / 1_000_000)));
        prop_assert_eq!(now.closed, model.is_closed(id));
    }
    // Nothing is left for the sweeps of the next case.
    let swept = expire_all(&store, &case.env(999)).unwrap();
    held.set(Some(store));
    Ok(model.done.len() as u64 + swept)
}

fn sums(account: &Account) -> [i128; 4] {
    [account.debits_posted, account.credits_posted, account.debits_pending, account.credits_pending]
        .map(|held| i128::from(held.minor()))
}
