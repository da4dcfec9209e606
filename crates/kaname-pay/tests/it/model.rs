//! The ledger against a model of it that anybody can follow: a list of transfers, and sums made anew each time.

use std::collections::BTreeMap;

use kaname_pay::ledger::{Account, Kind, Limit, Transfer, accounts, fsck, open_accounts, post_batch};
use kaname_pay::{AccountId, TransferId};
use kaname_store::StoreError;
use kaname_testkit::TestStore;
use proptest::prelude::*;

use super::world::{MIGRATIONS, amount, auditor, currency, env};

const LIMITS: [Limit; 4] = [Limit::None, Limit::None, Limit::DebitsUpToCredits, Limit::CreditsUpToDebits];

/// Only what was accepted, in order.
#[derive(Default)]
struct Model {
    done: Vec<Transfer>,
}

impl Model {
    fn ask(&mut self, asked: &Transfer) -> &'static str {
        if let Some(standing) = self.done.iter().find(|done| done.id == asked.id) {
            return if standing == asked { "again" } else { "id-reused" };
        }
        if asked.debit == asked.credit {
            return "same-account";
        }
        if asked.amount.minor() == 0 {
            return "amount-zero";
        }
        let exists = |account: AccountId| usize::from(account.bytes()[0]) < LIMITS.len();
        if !exists(asked.debit) {
            return "no-such-debit-account";
        }
        if !exists(asked.credit) {
            return "no-such-credit-account";
        }
        if let Kind::PostOf(named) | Kind::VoidOf(named) = asked.kind {
            let Some(pending) = self.done.iter().find(|done| done.id == named) else {
                return "no-such-pending";
            };
            if pending.kind != Kind::Pending {
                return "not-pending";
            }
            if (pending.debit, pending.credit, pending.code) != (asked.debit, asked.credit, asked.code) {
                return "pending-differs";
            }
            let is_void = matches!(asked.kind, Kind::VoidOf(_));
            if asked.amount > pending.amount || (is_void && asked.amount != pending.amount) {
                return "pending-amount";
            }
            for done in &self.done {
                match done.kind {
                    Kind::PostOf(before) if before == named => return "already-posted",
                    Kind::VoidOf(before) if before == named => return "already-voided",
                    _ => {}
                }
            }
        }
        self.done.push(*asked);
        let releases = matches!(asked.kind, Kind::VoidOf(_));
        let sums = self.sums();
        let of = |account: AccountId| sums.get(&account).copied().unwrap_or_default();
        let limit = |account: AccountId| LIMITS[usize::from(account.bytes()[0])];
        let (debit, credit) = (of(asked.debit), of(asked.credit));
        let refused = match () {
            () if releases => None,
            () if limit(asked.debit) == Limit::DebitsUpToCredits && debit[0] + debit[2] > debit[1] => {
                Some("insufficient-funds")
            }
            () if limit(asked.credit) == Limit::CreditsUpToDebits && credit[1] + credit[3] > credit[0] => {
                Some("exceeds-debits")
            }
            () => None,
        };
        if refused.is_some() {
            self.done.pop();
        }
        refused.unwrap_or("posted")
    }

    /// Of each account: debits and credits posted, debits and credits pending.
    fn sums(&self) -> BTreeMap<AccountId, [i128; 4]> {
        let mut sums: BTreeMap<AccountId, [i128; 4]> = BTreeMap::new();
        for done in &self.done {
            let minor = |transfer: &Transfer| i128::from(transfer.amount.minor());
            let (posted, pending) = match done.kind {
                Kind::Posted => (minor(done), 0),
                Kind::Pending => (0, minor(done)),
                Kind::PostOf(named) | Kind::VoidOf(named) => {
                    let reserved = self.done.iter().find(|other| other.id == named).map_or(0, minor);
                    (if matches!(done.kind, Kind::PostOf(_)) { minor(done) } else { 0 }, -reserved)
                }
            };
            let debit = sums.entry(done.debit).or_default();
            (debit[0], debit[2]) = (debit[0] + posted, debit[2] + pending);
            let credit = sums.entry(done.credit).or_default();
            (credit[1], credit[3]) = (credit[1] + posted, credit[3] + pending);
        }
        sums
    }
}

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

/// Few ids, accounts and amounts, so that everything meets everything.
fn any_transfer() -> impl Strategy<Value = Transfer> {
    let id = || (0u8..40).prop_map(|number| TransferId::from_bytes([number; 16]));
    let kind = prop_oneof![
        4 => Just(Kind::Posted),
        3 => Just(Kind::Pending),
        3 => id().prop_map(Kind::PostOf),
        2 => id().prop_map(Kind::VoidOf),
    ];
    let pair = prop_oneof![6 => Just((0, 2)), 2 => Just((2, 1)), 2 => Just((3, 0)), 2 => (0u8..5, 0u8..5)];
    (id(), pair, 0u64..4, kind, prop_oneof![9 => Just(1u16), 1 => Just(2)]).prop_map(
        |(id, (debit, credit), minor, kind, code)| {
            let (debit, credit) = (account(debit), account(credit));
            Transfer { id, debit, credit, amount: amount(minor), kind, code }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_ledger_does_what_the_model_does(
        batches in prop::collection::vec(prop::collection::vec(any_transfer(), 1..24), 1..8)
    ) {
        let t = TestStore::sqlite();
        let store = t.open(&MIGRATIONS);
        let bucket = t.bucket(6);
        let opened: Vec<_> = (0..).zip(LIMITS).map(|(number, limit)| Account::new(account(number), currency(), 1, limit)).collect();
        store.write::<_, StoreError, _>(bucket, move |tx| open_accounts(tx, &opened)).unwrap();
        let mut model = Model::default();
        for (number, batch) in (1..).zip(batches) {
            let expected: Vec<_> = batch.iter().map(|transfer| model.ask(transfer)).collect();
            let outcomes = store
                .write::<_, StoreError, _>(bucket, move |tx| post_batch(&env(number), tx, &batch))
                .unwrap();
            let codes: Vec<_> = outcomes
                .into_iter()
                .map(|outcome| match outcome {
                    Ok(posted) if posted.again => "again",
                    Ok(_) => "posted",
                    Err(refusal) => refusal.code(),
                })
                .collect();
            prop_assert_eq!(codes, expected);
        }
        let ids: Vec<_> = (0..LIMITS.len() as u8).map(account).collect();
        let asked = ids.clone();
        let found = store.read::<_, StoreError, _>(bucket, move |tx| accounts(tx, &asked)).unwrap();
        let sums = model.sums();
        for (id, account) in ids.into_iter().zip(found.into_iter().flatten()) {
            let holds = [account.debits_posted, account.credits_posted, account.debits_pending, account.credits_pending];
            prop_assert_eq!(holds.map(|held| i128::from(held.minor())), sums.get(&id).copied().unwrap_or_default());
        }
        let books = fsck(&store, &auditor()).unwrap();
        prop_assert!(books.is_sound(), "{:?}", books.wrong);
        prop_assert_eq!(books.transfers, model.done.len() as u64);
    }
}
