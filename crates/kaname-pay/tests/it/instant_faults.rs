//! Instant payments while everything fails: the database's connections, the program, participants, the network between them.
//! Each run prints its seed. Never paid twice, never lost, the books balanced, every acknowledged payment there.

use std::collections::BTreeMap;

use kaname_pay::instant::work::payments;
use kaname_pay::instant::{PaymentId, State};
use kaname_pay::ledger::fsck;
use kaname_sim::participant::Faults as Misbehaviour;
use kaname_sim::random::Random;
use kaname_store::Faults;
use kaname_testkit::{TestStore, on_every_store};

use super::instant_world::{CODES, MIGRATIONS, Street3, id};
use super::world::auditor;

on_every_store!(nothing_is_paid_twice_and_nothing_is_lost);

const PAYMENTS: u64 = 60;

/// The least number of faults in one run; there are three runs, two of them on PostgreSQL.
const LEAST_FAULTS: u64 = 120;

fn nothing_is_paid_twice_and_nothing_is_lost(t: &TestStore) {
    let seed = std::env::var("KANAME_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_122);
    println!("instant faults: KANAME_SEED={seed}");
    let faults = Faults::new();
    let config = kaname_store::StoreConfig { faults: Some(faults.clone()), ..t.config() };
    drop(t.open(&MIGRATIONS));
    let mut world = Street3::on(t.open_with(&config, &MIGRATIONS).unwrap());
    let mut random = Random::new(seed, 1);
    let bad = Misbehaviour { slow: 20, wrong: 15, dead: 15, lying: 5, repeats: 20, busy: 5 };
    for code in ["north", "south"] {
        world.bank(code).misbehave(bad, seed);
    }
    world.bank("mute").misbehave(Misbehaviour { dead: 100, ..bad }, seed);

    let mut acknowledged: BTreeMap<PaymentId, (usize, usize, u64)> = BTreeMap::new();
    let mut restarts = 0;
    for number in 1..=PAYMENTS {
        let (from, to) = match number % 6 {
            0 => (0, 2),
            odd if odd % 2 == 1 => (0, 1),
            _ => (1, 0),
        };
        let account = if number % 7 == 0 { "nobody".to_owned() } else { format!("{}-2", CODES[to]) };
        let minor = random.between(1, 500);
        let order = world.order(id(number), CODES[from], (CODES[to], &account), minor);
        // At one step out of some, in the statement or in the commit, applied or not; then the payer asks again.
        for attempt in 0..8 {
            match attempt < 3 {
                true => faults.arm(random.between(1, 14), random.percent(50)),
                false => faults.disarm(),
            }
            match world.reserve(CODES[from], &order) {
                Ok(state) => {
                    assert!(
                        ["reserved", "unknown", "committed", "aborted"].contains(&state.as_str()),
                        "{state}"
                    );
                    acknowledged.insert(id(number), (from, to, minor));
                    break;
                }
                Err(error) => assert!(matches!(error, kaname_pay::PayError::Store(_)), "{error}"),
            }
        }
        faults.arm(random.between(1, 30), random.percent(50));
        let _ = world.round();
        if random.percent(10) {
            faults.disarm();
            restarts += 1;
            world.restarted(t.open_with(&config, &MIGRATIONS).unwrap());
        }
        world.pass(random.between(0, 60) as i64);
    }
    for _ in 0..60 {
        faults.arm(random.between(1, 40), random.percent(50));
        let _ = world.round();
        world.pass(random.between(30, 1_200) as i64);
    }
    faults.disarm();
    let played =
        faults.played().len() as u64 + CODES.iter().map(|code| world.bank(code).played()).sum::<u64>();
    println!("{played} faults, {restarts} restarts, {} of {PAYMENTS} acknowledged", acknowledged.len());
    assert!(played >= LEAST_FAULTS, "only {played} faults were played");
    assert!(faults.played().iter().any(|fault| fault.applied), "a commit was applied and not told");

    // The pack's time to answer is over for those that never did; then everybody behaves.
    world.pass(90_000);
    while world.round().unwrap().taken > 0 {}
    for code in CODES {
        world.bank(code).misbehave(Misbehaviour::default(), seed);
    }
    for _ in 0..80 {
        while world.round().unwrap().taken > 0 {}
        world.pass(3_600);
    }
    check(&world, &acknowledged);
}

fn check(world: &Street3, acknowledged: &BTreeMap<PaymentId, (usize, usize, u64)>) {
    let store = &world.scheme.store;
    let all = store.read(world.scheme.home(), |tx| payments(tx, None, 1_000)).unwrap();
    for (payment, (from, to, minor)) in acknowledged {
        let there = all.iter().find(|there| there.id == *payment).expect("what was acknowledged is there");
        let told = (there.payer.as_str(), there.payee.as_str(), there.amount.minor());
        assert_eq!(told, (CODES[*from], CODES[*to], *minor), "{payment}");
    }
    let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for payment in &all {
        let state = payment.state.code();
        *ends.entry(state).or_default() += 1;
        assert!(payment.state.is_final(), "{payment:?}: every payment has an end, acknowledged or not");
        let is_paid = payment.state == State::Committed;
        // A bank that lies takes payments for an account that it does not have: it was paid, and owes its customer.
        let is_taken_by_a_liar = (1..=PAYMENTS).any(|number| number % 7 == 0 && id(number) == payment.id);
        for (code, has_account) in
            [(payment.payer.as_str(), true), (payment.payee.as_str(), !is_taken_by_a_liar)]
        {
            let times = u32::from(is_paid && has_account);
            let booked = world.bank(code).booked(payment.id).expect("both were told");
            assert_eq!((booked.state.as_str(), booked.times), (state, times), "{payment:?} at {code}");
        }
        if is_paid {
            let minor = payment.amount.minor() as i64;
            *expected.entry(&payment.payer).or_default() -= minor;
            *expected.entry(&payment.payee).or_default() += if is_taken_by_a_liar { 0 } else { minor };
        }
    }
    println!("{ends:?}");
    for (end, least) in [("committed", 5), ("aborted", 1), ("reversed", 1)] {
        assert!(ends.get(end).is_some_and(|count| *count >= least), "{ends:?}");
    }
    for code in CODES {
        let accounts = (1..=9).filter_map(|number| world.bank(code).balance(&format!("{code}-{number}")));
        let expected = expected.get(code).copied().unwrap_or_default();
        assert_eq!(accounts.sum::<i64>(), expected, "{code}: its customers have what was paid, once");
    }
    assert_eq!(world.positions().iter().sum::<i64>(), 0);
    let books = fsck(store, &auditor()).unwrap();
    assert!(books.is_sound(), "{:?}", books.wrong);
}
