//! What the ledger can do beyond moving money: chains, times, what is left, closing, history, large batches, and its check at work.

use std::sync::atomic::{AtomicBool, Ordering};

use kaname_base::{Bucket, Currency, Instant};
use kaname_pay::ledger::clearing::{Send, carry, send};
use kaname_pay::ledger::statement::{Start, account_at, statement, transfers};
use kaname_pay::ledger::{
    Account, Findings, Kind, Limit, Posted, Side, Transfer, accounts, expire_all, fsck, open_accounts,
    post_batch, post_chains,
};
use kaname_pay::{AccountId, PayError, Refusal, TransferId};
use kaname_store::{Store, StoreError};
use kaname_testkit::{TestStore, on_every_store};

use super::world::{MIGRATIONS, amount, auditor, currency, env};

on_every_store!(
    a_chain_is_made_whole_or_not_at_all,
    time_gives_reserved_money_back_once,
    what_is_left_is_moved_and_the_account_closed,
    currencies_are_never_mixed,
    a_statement_has_every_page_of_the_past,
    large_batches_leave_what_small_ones_would,
    fsck_finds_what_is_wrong_with_the_past,
    fsck_runs_while_others_post,
);

fn id(number: u16) -> AccountId {
    let mut bytes = [7; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    AccountId::from_bytes(bytes)
}

fn named(number: u32) -> TransferId {
    let mut bytes = [9; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    TransferId::from_bytes(bytes)
}

fn transfer(number: u32, debit: u16, credit: u16, minor: u64) -> Transfer {
    Transfer {
        id: named(number),
        debit: id(debit),
        credit: id(credit),
        amount: amount(minor),
        kind: Kind::Posted,
        code: 1,
    }
}

/// Account 1 is the outside world; the others may not go below zero.
fn open(store: &Store, bucket: Bucket, count: u16) {
    let limit = |number| if number == 1 { Limit::None } else { Limit::DebitsUpToCredits };
    let opened: Vec<_> =
        (1..=count).map(|number| Account::new(id(number), currency(), 1, limit(number))).collect();
    store.write::<_, StoreError, _>(bucket, move |tx| open_accounts(tx, &opened)).unwrap();
}

fn post(
    store: &Store,
    bucket: Bucket,
    second: u64,
    transfers: Vec<Transfer>,
) -> Vec<Result<Posted, Refusal>> {
    store.write::<_, StoreError, _>(bucket, move |tx| post_batch(&env(second), tx, &transfers)).unwrap()
}

fn account(store: &Store, bucket: Bucket, number: u16) -> Account {
    let found = store.read::<_, StoreError, _>(bucket, move |tx| accounts(tx, &[id(number)])).unwrap();
    found[0].expect("the account is there")
}

fn sound(store: &Store) {
    let found = fsck(store, &auditor()).unwrap();
    assert!(found.is_sound(), "{:?}", found.wrong);
}

fn codes(outcomes: &[Result<Posted, Refusal>]) -> Vec<&'static str> {
    let code = |outcome: &Result<Posted, Refusal>| match outcome {
        Ok(Posted { again: false, .. }) => "posted",
        Ok(Posted { again: true, .. }) => "again",
        Err(refusal) => refusal.code(),
    };
    outcomes.iter().map(code).collect()
}

fn a_chain_is_made_whole_or_not_at_all(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(1);
    open(&store, bucket, 4);
    let chains = [
        vec![transfer(1, 1, 2, 50)],
        vec![transfer(2, 2, 3, 40), transfer(3, 3, 4, 30), transfer(4, 4, 3, 31)],
        vec![transfer(5, 2, 3, 40), transfer(6, 3, 4, 30)],
        vec![transfer(1, 1, 2, 50), transfer(7, 1, 2, 1), transfer(8, 2, 3, 1_000)],
    ];
    let ask = |chains: Vec<Vec<Transfer>>| {
        let work = move |tx: &mut kaname_store::Tx<'_>| {
            let chains: Vec<&[Transfer]> = chains.iter().map(Vec::as_slice).collect();
            post_chains(&env(1), tx, &chains)
        };
        store.write::<_, StoreError, _>(bucket, work).unwrap()
    };
    let outcomes: Vec<_> = ask(chains.to_vec()).iter().map(|chain| codes(chain)).collect();
    let expected = [
        vec!["posted"],
        vec!["linked-failed", "linked-failed", "insufficient-funds"],
        vec!["posted", "posted"],
        vec!["again", "linked-failed", "insufficient-funds"],
    ];
    assert_eq!(outcomes, expected);
    let outcomes: Vec<_> = ask(chains[..3].to_vec()).iter().map(|chain| codes(chain)).collect();
    assert_eq!(outcomes[2], ["again", "again"], "a chain that was made answers as before");
    assert_eq!([2, 3, 4].map(|number| account(&store, bucket, number).balance()), [10, 10, 30]);
    sound(&store);
}

fn time_gives_reserved_money_back_once(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(2);
    open(&store, bucket, 3);
    let until =
        |number, second| Transfer { kind: Kind::PendingUntil(env(second).now), ..transfer(number, 2, 3, 10) };
    let batch = vec![transfer(1, 1, 2, 30), until(2, 5), until(3, 5), until(4, 9)];
    assert_eq!(codes(&post(&store, bucket, 1, batch)), ["posted"; 4]);
    let posts = Transfer { kind: Kind::PostOf(named(3)), ..transfer(5, 2, 3, 7) };
    assert_eq!(codes(&post(&store, bucket, 4, vec![posts])), ["posted"]);
    assert_eq!(expire_all(&store, &env(4)).unwrap(), 0, "nothing is due");

    let late = Transfer { kind: Kind::PostOf(named(2)), ..transfer(6, 2, 3, 10) };
    assert_eq!(codes(&post(&store, bucket, 5, vec![late])), ["pending-expired"], "before any sweep");
    assert_eq!(account(&store, bucket, 2).debits_pending, amount(20));
    assert_eq!(expire_all(&store, &env(5)).unwrap(), 1);
    drop(store);
    let store = t.reopen();
    assert_eq!(expire_all(&store, &env(6)).unwrap(), 0, "swept once");
    assert_eq!(codes(&post(&store, bucket, 6, vec![late])), ["pending-expired"]);
    let payer = account(&store, bucket, 2);
    assert_eq!((payer.balance(), payer.debits_pending), (23, amount(10)));
    sound(&store);

    // Killed after the money was given back, before the list was struck off.
    const AGAIN: &str = "INSERT INTO pay_expiry (bucket, expires_at, pending) VALUES ($1, $2, $3)";
    let at = env(5).now.micros();
    let put_back =
        move |tx: &mut kaname_store::Tx<'_>| tx.change_one(AGAIN, &[at.into(), (&named(2)).into()]);
    store.write::<_, StoreError, _>(bucket, put_back).unwrap();
    assert_eq!(expire_all(&store, &env(9)).unwrap(), 1, "the third only");
    assert_eq!(account(&store, bucket, 2).debits_pending, amount(0));
    sound(&store);
}

fn what_is_left_is_moved_and_the_account_closed(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(3);
    open(&store, bucket, 3);
    let reserve = Transfer { kind: Kind::Pending, ..transfer(2, 2, 3, 20) };
    let rest = Transfer { kind: Kind::UpTo(Side::Debit), ..transfer(3, 2, 3, 1_000) };
    let close = Transfer { kind: Kind::Close(Side::Debit), ..transfer(4, 2, 3, 0) };
    let outcomes = post(
        &store,
        bucket,
        1,
        vec![transfer(1, 1, 2, 100), reserve, rest, close, transfer(5, 1, 2, 1), rest],
    );
    assert_eq!(codes(&outcomes), ["posted", "posted", "posted", "posted", "account-closed", "again"]);
    assert_eq!(outcomes[2].unwrap().moved, amount(80), "what is reserved is not left");
    assert_eq!(outcomes[5].unwrap().moved, amount(80), "asked again, it says what it moved");
    assert!(account(&store, bucket, 2).closed);
    sound(&store);
    let void = |number, of| Transfer { kind: Kind::VoidOf(named(of)), ..transfer(number, 2, 3, 0) };
    let release = Transfer { amount: amount(20), ..void(6, 2) };
    let post_close = Transfer { kind: Kind::PostOf(named(4)), ..transfer(7, 2, 3, 1) };
    let outcomes = post(
        &store,
        bucket,
        2,
        vec![release, post_close, void(8, 4), void(9, 4), rest, transfer(5, 1, 2, 1)],
    );
    let expected = ["posted", "account-closed", "posted", "already-voided", "again", "posted"];
    assert_eq!(codes(&outcomes), expected);
    let opened = account(&store, bucket, 2);
    assert_eq!((opened.closed, opened.balance()), (false, 21));
    sound(&store);
}

fn currencies_are_never_mixed(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(4);
    open(&store, bucket, 2);
    let yen = Currency::new("JPY", 0).unwrap();
    let opened = [3, 4].map(|number| Account::new(id(number), yen, 1, Limit::None));
    store.write::<_, StoreError, _>(bucket, move |tx| open_accounts(tx, &opened)).unwrap();
    let outcomes =
        post(&store, bucket, 1, vec![transfer(1, 1, 3, 5), transfer(2, 3, 4, 5), transfer(3, 1, 2, 5)]);
    assert_eq!(codes(&outcomes), ["currency-differs", "posted", "posted"]);
    let found = fsck(&store, &auditor()).unwrap();
    assert!(found.is_sound(), "{:?}", found.wrong);
    assert_eq!(found.net_minor.len(), 2, "each currency is added up for itself");
}

fn a_statement_has_every_page_of_the_past(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(5);
    open(&store, bucket, 3);
    // 900 links for account 1 and some 450 for the others, ten in each second.
    for second in 0..90u32 {
        let batch = (0..10).map(|place| {
            transfer(1_000 - second * 10 - place, 1, 2 + (place % 2) as u16, 1 + u64::from(second))
        });
        assert!(post(&store, bucket, u64::from(second), batch.collect()).iter().all(Result::is_ok));
    }
    let page = |number: u16, start: Start, most: usize| {
        store
            .read::<_, PayError, _>(bucket, move |tx| statement(tx, &auditor(), id(number), start, most))
            .unwrap()
    };
    let mut start = Start::Newest;
    let (mut lines, mut balance) = (0, account(&store, bucket, 1).balance());
    loop {
        let entries = page(1, start, 130).unwrap();
        for entry in &entries {
            assert_eq!((entry.side, entry.after.balance()), (Side::Debit, balance));
            balance += entry.transfer.moved.stored();
            lines += 1;
        }
        let Some(last) = entries.last() else { break };
        start = Start::Behind(last.transfer.transfer.id);
    }
    assert_eq!((lines, balance), (900, 0), "every page, and nothing at the beginning");
    for second in [0u64, 1, 44, 51, 89, 200] {
        let at = env(second).now;
        let expected: i64 = (0..90).filter(|s| *s <= second).map(|s| 5 * (1 + s as i64)).sum();
        let then = store.read::<_, PayError, _>(bucket, move |tx| account_at(tx, &auditor(), id(3), at));
        assert_eq!(then.unwrap().unwrap().balance(), expected, "at second {second}");
        let entries = page(3, Start::At(at), 1).unwrap();
        assert_eq!(entries[0].after.balance(), expected);
    }
    let at = Instant::from_micros(env(0).now.micros() - 1);
    assert_eq!(page(3, Start::At(at), 5), Some(Vec::new()), "before there was anything");
    assert_eq!(page(9, Start::Newest, 5), None);
    assert_eq!(page(2, Start::Behind(named(999)), 5), None, "a transfer of others");
    let period = (env(10).now, env(12).now);
    let found = store.read::<_, PayError, _>(bucket, move |tx| transfers(tx, &auditor(), None, period, 100));
    assert_eq!(found.unwrap().len(), 20);
    sound(&store);
}

/// Small numbers that look random.
fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 27)
}

fn large_batches_leave_what_small_ones_would(t: &TestStore) {
    const ACCOUNTS: u64 = 1_500;
    let store = t.open(&MIGRATIONS);
    let bucket = t.bucket(6);
    open(&store, bucket, ACCOUNTS as u16);
    let mut expected = vec![0i64; ACCOUNTS as usize + 1];
    let mut next = 0u32;
    for round in 0..12u64 {
        // Some batches are large and some are not; before some, one is undone, so that nothing is remembered.
        let count = if round % 4 == 3 { 100 } else { 1_800 };
        let batch: Vec<Transfer> = (0..count)
            .map(|_| {
                next += 1;
                let credit = 2 + scatter(u64::from(next)) % (ACCOUNTS - 1);
                let minor = 1 + u64::from(next) % 7;
                expected[credit as usize] += minor as i64;
                transfer(next, 1, credit as u16, minor)
            })
            .collect();
        if round % 3 == 2 {
            let batch = batch.clone();
            let undone = store.write::<(), PayError, _>(bucket, move |tx| {
                post_batch(&env(round), tx, &batch)?;
                Err(Refusal::WrongState.into())
            });
            assert!(undone.is_err());
        }
        assert!(post(&store, bucket, round, batch).iter().all(|outcome| outcome.is_ok_and(|p| !p.again)));
        let asked: Vec<AccountId> = (2..=ACCOUNTS as u16).rev().map(id).collect();
        let found = store.read::<_, StoreError, _>(bucket, move |tx| accounts(tx, &asked)).unwrap();
        for (number, account) in (2..=ACCOUNTS as u16).rev().zip(found) {
            assert_eq!(
                account.unwrap().balance(),
                expected[usize::from(number)],
                "{number} in round {round}"
            );
        }
        if round % 4 == 2 {
            sound(&store);
        }
    }
    sound(&store);
}

fn fsck_finds_what_is_wrong_with_the_past(t: &TestStore) {
    const FAULTS: [(&str, &str); 7] = [
        ("DELETE FROM pay_mark WHERE bucket = $1", "the history of"),
        ("UPDATE pay_mark SET credits_posted = credits_posted + 1 WHERE bucket = $1", "the history of"),
        ("UPDATE pay_mark SET version = version + 1 WHERE bucket = $1", "the history of"),
        (
            "UPDATE pay_transfer SET credit_before = NULL WHERE bucket = $1 AND posted_at > 1800000000000000",
            "is in its chain",
        ),
        ("UPDATE pay_transfer SET credit_before = debit_before WHERE bucket = $1", "the chain of"),
        ("UPDATE pay_account SET last_transfer = NULL WHERE bucket = $1", "broken off"),
        ("UPDATE pay_transfer SET posted_at = 0 - posted_at WHERE bucket = $1", "goes back in time"),
    ];
    let store = t.open(&MIGRATIONS);
    for (index, (fault, words)) in (0..).zip(FAULTS) {
        let bucket = t.bucket(index);
        open(&store, bucket, 3);
        post(&store, bucket, 0, vec![transfer(900, 1, 3, 1)]);
        post(&store, bucket, 1, (1..=300).map(|number| transfer(number, 1, 2, 1)).collect());
        post(&store, bucket, 2, vec![transfer(901, 2, 3, 1)]);
        let ours = |wrong: &String| wrong.starts_with(&format!("{bucket:?}:"));
        assert!(!fsck(&store, &auditor()).unwrap().wrong.iter().any(ours));
        let changed = store.write::<_, StoreError, _>(bucket, move |tx| tx.change(fault, &[])).unwrap();
        assert!(changed > 0, "the fault was made: {fault}");
        let found = fsck(&store, &auditor()).unwrap();
        assert!(
            found.wrong.iter().any(|wrong| ours(wrong) && wrong.contains(words)),
            "{fault}: {:?}",
            found.wrong
        );
    }
}

fn fsck_runs_while_others_post(t: &TestStore) {
    let store = t.open(&MIGRATIONS);
    let (here, there) = (t.bucket(0), t.bucket(1));
    [here, there].into_iter().for_each(|bucket| open(&store, bucket, 40));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                number += 1;
                let batch: Vec<Transfer> =
                    (0..20).map(|place| transfer(number * 100 + place, 1, 2 + (place as u16), 5)).collect();
                let pending = Transfer { kind: Kind::Pending, ..transfer(number * 100 + 50, 2, 3, 1) };
                assert!(post(&store, here, u64::from(number), batch).iter().all(Result::is_ok));
                post(&store, here, u64::from(number), vec![pending]);
                let sends = [Send {
                    id: named(number * 100 + 60),
                    from: id(1),
                    to_bucket: there,
                    to: id(2),
                    currency: currency(),
                    amount: amount(3),
                    code: 1,
                }];
                let env = env(u64::from(number));
                let sending = env.again();
                store.write::<_, PayError, _>(here, move |tx| send(&sending, tx, &sends)).unwrap();
                carry(&store, &env, here).unwrap();
            }
            number
        });
        let mut found = Vec::new();
        // However slow the machine: until it has been checked while it grew.
        let grew = |found: &[Findings]| {
            found.first().map(|first| first.transfers) != found.last().map(|last| last.transfers)
        };
        while (found.len() < 6 || !grew(&found)) && !writer.is_finished() {
            found.push(fsck(&store, &auditor()).unwrap_or_else(|error| Findings {
                wrong: vec![error.to_string()],
                wrong_count: 1,
                ..Findings::default()
            }));
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 0);
        for found in found {
            assert!(found.is_sound(), "{:?}", found.wrong);
        }
    });
    sound(&store);

    // What is really lost is found at rest: sent, and in no outbox.
    const LOSE: &str = "DELETE FROM pay_outbox WHERE bucket = $1";
    let sends = [Send {
        id: named(1),
        from: id(1),
        to_bucket: there,
        to: id(2),
        currency: currency(),
        amount: amount(3),
        code: 1,
    }];
    store.write::<_, PayError, _>(here, move |tx| send(&env(1), tx, &sends)).unwrap();
    assert_eq!(store.write::<_, StoreError, _>(here, |tx| tx.change(LOSE, &[])).unwrap(), 1);
    let found = fsck(&store, &auditor()).unwrap();
    assert!(found.wrong[0].contains("neither on their way nor arrived"), "{:?}", found.wrong);
}
