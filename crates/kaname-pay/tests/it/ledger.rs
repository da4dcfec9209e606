//! The ledger on every store.

use kaname_base::Bucket;
use kaname_pay::ledger::clearing::{Send, carry, clearing_account, send, suspense_account};
use kaname_pay::ledger::{
    Account, Kind, Limit, Posted, Transfer, accounts, fsck, open_accounts, post, post_batch,
};
use kaname_pay::{AccountId, PayError, Refusal, TransferId};
use kaname_store::{Store, StoreError};
use kaname_testkit::{TestStore, on_every_store};

use super::world::{MIGRATIONS, amount, auditor, currency, env};

on_every_store!(
    a_transfer_moves_money_once,
    a_batch_is_decided_one_after_another,
    an_account_does_not_go_below_zero_in_a_batch,
    pending_money_is_posted_or_released_once,
    four_threads_lose_nothing,
    money_between_buckets_arrives_once,
    money_for_an_account_that_is_not_there_waits,
    fsck_says_what_is_wrong,
);

fn id(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn transfer(number: u8, debit: u8, credit: u8, minor: u64) -> Transfer {
    Transfer {
        id: TransferId::from_bytes([number; 16]),
        debit: id(debit),
        credit: id(credit),
        amount: amount(minor),
        kind: Kind::Posted,
        code: 1,
    }
}

/// Account 1 is the outside world; 2 and 3 may not go below zero.
fn open(store: &Store, bucket: Bucket) {
    let limits = [(1, Limit::None), (2, Limit::DebitsUpToCredits), (3, Limit::DebitsUpToCredits)];
    let opened = limits.map(|(number, limit)| Account::new(id(number), currency(), 1, limit));
    store.write::<_, StoreError, _>(bucket, move |tx| open_accounts(tx, &opened)).unwrap();
}

fn post_all(store: &Store, bucket: Bucket, transfers: &[Transfer]) -> Vec<Result<Posted, Refusal>> {
    let transfers = transfers.to_vec();
    store.write::<_, StoreError, _>(bucket, move |tx| post_batch(&env(1), tx, &transfers)).unwrap()
}

fn balance(store: &Store, bucket: Bucket, account: AccountId) -> i64 {
    let found = store.read::<_, StoreError, _>(bucket, move |tx| accounts(tx, &[account])).unwrap();
    found[0].map_or(0, |account| account.balance())
}

fn a_transfer_moves_money_once(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(3);
    open(&store, bucket);
    let wanted = transfer(1, 1, 2, 500);
    for (again, number) in [(false, 1), (true, 2), (true, 3)] {
        let posted =
            store.write::<_, PayError, _>(bucket, move |tx| post(&env(number), tx, &wanted)).unwrap();
        assert_eq!(
            posted,
            Posted { at: env(1).now, again, moved: amount(500) },
            "the first answer is given again"
        );
    }
    let other = Transfer { amount: amount(501), ..wanted };
    let refused = store.write::<_, PayError, _>(bucket, move |tx| post(&env(4), tx, &other));
    assert!(matches!(refused, Err(PayError::Refused(Refusal::IdReused))));
    assert_eq!((balance(&store, bucket, id(1)), balance(&store, bucket, id(2))), (-500, 500));
    assert!(fsck(&store, &auditor()).unwrap().is_sound());
}

fn a_batch_is_decided_one_after_another(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(0);
    open(&store, bucket);
    let outcomes = post_all(
        &store,
        bucket,
        &[
            transfer(9, 2, 3, 10), // nothing in it yet
            transfer(8, 1, 2, 30),
            transfer(9, 2, 3, 10), // the refused one may be asked again
            transfer(8, 1, 2, 30), // in the same batch, with an older id
            transfer(8, 1, 2, 31),
            transfer(7, 2, 2, 1),
            transfer(6, 2, 5, 1),
        ],
    );
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(Posted { again: false, .. }) => "posted",
            Ok(Posted { again: true, .. }) => "again",
            Err(refusal) => refusal.code(),
        })
        .collect();
    let expected = [
        "insufficient-funds",
        "posted",
        "posted",
        "again",
        "id-reused",
        "same-account",
        "no-such-credit-account",
    ];
    assert_eq!(codes, expected);
    assert_eq!((balance(&store, bucket, id(2)), balance(&store, bucket, id(3))), (20, 10));
    assert!(fsck(&store, &auditor()).unwrap().is_sound());
}

fn an_account_does_not_go_below_zero_in_a_batch(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(1);
    open(&store, bucket);
    post_all(&store, bucket, &[transfer(1, 1, 2, 25)]);
    let outcomes = post_all(&store, bucket, &[2, 3, 4].map(|number| transfer(number, 2, 3, 10)));
    assert_eq!(outcomes[2], Err(Refusal::InsufficientFunds));
    assert_eq!(balance(&store, bucket, id(2)), 5);
}

fn pending_money_is_posted_or_released_once(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(2);
    open(&store, bucket);
    let pending = |number, minor| Transfer { kind: Kind::Pending, ..transfer(number, 2, 3, minor) };
    let post_of = |number, of, minor| Transfer {
        kind: Kind::PostOf(TransferId::from_bytes([of; 16])),
        ..transfer(number, 2, 3, minor)
    };
    let void_of = |number, of, minor| Transfer {
        kind: Kind::VoidOf(TransferId::from_bytes([of; 16])),
        ..transfer(number, 2, 3, minor)
    };
    post_all(&store, bucket, &[transfer(1, 1, 2, 100), pending(2, 60), pending(3, 40)]);
    let outcomes = post_all(&store, bucket, &[transfer(4, 2, 3, 1), pending(5, 1)]);
    assert_eq!(outcomes, [Err(Refusal::InsufficientFunds); 2], "reserved money is not spent again");
    let outcomes = post_all(
        &store,
        bucket,
        &[post_of(10, 2, 50), post_of(11, 2, 10), void_of(12, 3, 40), void_of(13, 3, 40), void_of(12, 3, 40)],
    );
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok() && outcomes[4].unwrap().again);
    assert_eq!((outcomes[1], outcomes[3]), (Err(Refusal::AlreadyPosted), Err(Refusal::AlreadyVoided)));
    let outcomes = post_all(&store, bucket, &[post_of(14, 3, 40)]);
    assert_eq!(outcomes, [Err(Refusal::AlreadyVoided)], "and so in a later batch");
    let found = store.read::<_, StoreError, _>(bucket, |tx| accounts(tx, &[id(2), id(3)])).unwrap();
    let [Some(payer), Some(payee)] = found[..] else { panic!("both accounts are there") };
    assert_eq!((payer.balance(), payer.debits_pending.minor()), (50, 0));
    assert_eq!((payee.balance(), payee.credits_pending.minor()), (50, 0));
    assert!(fsck(&store, &auditor()).unwrap().is_sound());
}

fn four_threads_lose_nothing(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(5);
    open(&store, bucket);
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let store = store.clone();
            scope.spawn(move || {
                for number in 0..10u8 {
                    // The ids of two threads are between each other's, and one of each is asked for by all.
                    let own = transfer(10 + number * 4 + thread, 1, 2, 1);
                    let shared = transfer(100 + number, 1, 3, 1);
                    assert!(post_all(&store, bucket, &[own, shared]).iter().all(Result::is_ok));
                }
            });
        }
    });
    assert_eq!((balance(&store, bucket, id(2)), balance(&store, bucket, id(3))), (40, 10));
    let found = fsck(&store, &auditor()).unwrap();
    assert!(found.is_sound(), "{:?}", found.wrong);
    assert_eq!(found.transfers, 50);
}

fn sending(number: u8, from: u8, to_bucket: Bucket, to: u8, minor: u64) -> Send {
    Send {
        id: TransferId::from_bytes([number; 16]),
        from: id(from),
        to_bucket,
        to: id(to),
        currency: currency(),
        amount: amount(minor),
        code: 1,
    }
}

fn money_between_buckets_arrives_once(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let (here, there) = (t.bucket(0), t.bucket(1));
    [here, there].into_iter().for_each(|bucket| open(&store, bucket));
    let sends = [sending(1, 1, there, 2, 70), sending(2, 1, here, 3, 30)];
    for _ in 0..2 {
        store.write::<_, PayError, _>(here, move |tx| send(&env(1), tx, &sends)).unwrap();
    }
    let found = fsck(&store, &auditor()).unwrap();
    assert!(found.is_sound(), "what is on its way is not lost: {:?}", found.wrong);
    assert_eq!(balance(&store, here, clearing_account(currency())), 100);

    assert_eq!(carry(&store, &env(2), here).unwrap(), 2);
    store.write::<_, PayError, _>(here, move |tx| send(&env(3), tx, &sends)).unwrap();
    assert_eq!(carry(&store, &env(4), here).unwrap(), 0, "asked again, nothing is sent again");
    assert_eq!((balance(&store, there, id(2)), balance(&store, here, id(3))), (70, 30));
    assert_eq!(balance(&store, here, clearing_account(currency())), 70);
    assert_eq!(balance(&store, there, clearing_account(currency())), -70);
    assert!(fsck(&store, &auditor()).unwrap().is_sound());

    // Killed after the money arrived and before the sender forgot it: it stands in the outbox once more.
    const AGAIN: &str = "INSERT INTO pay_outbox (bucket, id, to_bucket, to_account, currency, amount, code)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let currency_number = i64::from(u32::from_be_bytes(*b"XTS\x02"));
    store
        .write::<_, StoreError, _>(here, move |tx| {
            let (transfer, account) = (sends[0].id, id(2));
            let args = [
                (&transfer).into(),
                1.into(),
                (&account).into(),
                currency_number.into(),
                70.into(),
                1.into(),
            ];
            tx.change_one(AGAIN, &args)
        })
        .unwrap();
    assert!(fsck(&store, &auditor()).unwrap().is_sound(), "it has arrived, and is not counted as on its way");
    assert_eq!(carry(&store, &env(5), here).unwrap(), 1);
    assert_eq!(balance(&store, there, id(2)), 70);
    assert!(fsck(&store, &auditor()).unwrap().is_sound());
}

fn money_for_an_account_that_is_not_there_waits(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let (here, there) = (t.bucket(4), t.bucket(7));
    open(&store, here);
    let sends = [sending(1, 1, there, 2, 70)];
    store.write::<_, PayError, _>(here, move |tx| send(&env(1), tx, &sends)).unwrap();
    assert_eq!(carry(&store, &env(2), here).unwrap(), 1);
    assert_eq!(balance(&store, there, suspense_account(currency())), 70);
    let found = fsck(&store, &auditor()).unwrap();
    assert_eq!(found.wrong_count, 1, "{:?}", found.wrong);
    assert!(found.wrong[0].contains("arrived for an account that is not there"));
}

fn fsck_says_what_is_wrong(t: &TestStore) {
    const FAULTS: [(&str, &str); 6] = [
        ("UPDATE pay_account SET credits_posted = credits_posted + 1 WHERE bucket = $1", "sum up to"),
        ("UPDATE pay_transfer SET amount = amount + 1 WHERE bucket = $1", "sum up to"),
        (
            "UPDATE pay_account SET currency = currency + 1 WHERE bucket = $1 AND debits_posted > 0",
            "two currencies",
        ),
        ("DELETE FROM pay_account WHERE bucket = $1 AND debits_posted > 0", "an account that is not there"),
        ("DELETE FROM pay_transfer WHERE bucket = $1 AND kind = 2", "no transfer resolved it"),
        ("DELETE FROM pay_resolution WHERE bucket = $1", "not pending, or that another resolved"),
    ];
    let store = t.open(&MIGRATIONS);
    for (index, (fault, words)) in (0..).zip(FAULTS) {
        let bucket = t.bucket(index);
        open(&store, bucket);
        let pending = Transfer { kind: Kind::Pending, ..transfer(2, 1, 3, 10) };
        let posted = Transfer { kind: Kind::PostOf(pending.id), ..transfer(3, 1, 3, 10) };
        post_all(&store, bucket, &[transfer(1, 1, 2, 30), pending, posted]);
        assert!(
            fsck(&store, &auditor())
                .unwrap()
                .wrong
                .iter()
                .all(|words| !words.starts_with(&format!("{bucket:?}:")))
        );
        let changed = store.write::<_, StoreError, _>(bucket, move |tx| tx.change(fault, &[])).unwrap();
        assert!(changed > 0, "the fault was made: {fault}");
        let found = fsck(&store, &auditor()).unwrap();
        let said = found
            .wrong
            .iter()
            .any(|wrong| wrong.starts_with(&format!("{bucket:?}:")) && wrong.contains(words));
        assert!(said, "{fault}: {:?}", found.wrong);
    }
}
