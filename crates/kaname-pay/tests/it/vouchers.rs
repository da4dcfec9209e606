//! Cash for those without an account: printed once more, paid out once, to nobody else.

use kaname_base::{Env, Instant};
use kaname_codec::jose::{Es256Key, JwkSet, sign_jwt};
use kaname_pay::payout::ticket::{self, VoucherKey, brought_code, verify};
use kaname_pay::payout::{Counter, PaidOut, State, Voucher, print_voucher, redeem as pay_out, report};
use kaname_pay::{PayError, Refusal, RunId};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::{Access, Actor, PersonId, access};

use super::world::{AMOUNT, World, auditor, env, payments};

on_every_store!(
    a_voucher_is_paid_out_once_to_its_holder,
    a_new_voucher_takes_the_place_of_the_lost_one,
    a_voucher_ends_with_its_last_day,
    a_scanned_voucher_is_worth_what_it_says,
);

/// Nine people, of whom 2, 5 and 8 have no account, in a run that is done.
fn paid(t: &TestStore) -> (World, RunId) {
    let world = World::new(t, 9);
    world.register_everyone();
    let run = world.approved();
    world.pay(run.id).unwrap();
    (world, run.id)
}

fn print(world: &World, by: &str, person: PersonId, run: RunId, anew: bool) -> Result<Voucher, PayError> {
    let (counter, by) = (Counter::of(&world.desk), payments(by));
    let bucket = person.bucket(world.store().buckets()).unwrap();
    world.store().write(bucket, move |tx| {
        print_voucher(&env(7), tx, &counter, &by, (person, run), anew).map(|(voucher, _)| voucher)
    })
}

fn redeem_at(world: &World, at: Env, by: Actor, person: PersonId, code: &str) -> Result<PaidOut, PayError> {
    let (counter, code) = (Counter::of(&world.desk), code.to_owned());
    let bucket = person.bucket(world.store().buckets()).unwrap();
    world.store().write(bucket, move |tx| pay_out(&at.again(), tx, &counter, &by, person, &code))
}

fn redeem(world: &World, by: &str, person: PersonId, code: &str) -> Result<PaidOut, PayError> {
    redeem_at(world, env(8), payments(by), person, code)
}

fn refused<T: std::fmt::Debug>(result: Result<T, PayError>) -> Refusal {
    match result {
        Err(PayError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn a_voucher_is_paid_out_once_to_its_holder(t: &TestStore) {
    let (world, run) = paid(t);
    let (hers, others, with_account) = (world.people[2], world.people[5], world.people[0]);
    let voucher = print(&world, "printer", hers, run, false).unwrap();
    assert_eq!(voucher.amount.minor(), AMOUNT);
    assert_eq!(refused(print(&world, "printer", with_account, run, false)), Refusal::NoSuchVoucher);

    let typed = voucher.code.to_lowercase().replace('-', " ");
    assert_eq!(refused(redeem(&world, "printer", hers, &typed)), Refusal::VoucherOwnPrint);
    assert_eq!(refused(redeem(&world, "teller", others, &typed)), Refusal::NoSuchVoucher, "another person's");
    let mut wrong = voucher.code.clone();
    let last = if wrong.ends_with('0') { "1" } else { "0" };
    wrong.replace_range(13.., last);
    assert_eq!(refused(redeem(&world, "teller", hers, &wrong)), Refusal::VoucherMistyped);
    let registrar = Actor::officer("teller", "registrar");
    assert!(matches!(redeem_at(&world, env(8), registrar, hers, &typed), Err(PayError::NotAllowed(_))));
    let before = report(&world.desk, &auditor(), run).unwrap();
    assert_eq!((before.people(State::Voucher), before.people(State::Cash)), (3, 0), "nothing moved yet");

    let paid_out = redeem(&world, "teller", hers, &typed).unwrap();
    assert_eq!((paid_out.run, paid_out.programme.amount.minor()), (run, AMOUNT));
    assert_eq!(refused(redeem(&world, "teller", hers, &typed)), Refusal::VoucherUsed);
    assert_eq!(refused(print(&world, "printer", hers, run, true)), Refusal::NoSuchVoucher);
    let after = report(&world.desk, &auditor(), run).unwrap();
    assert!(after.is_sound(), "{after:?}");
    assert_eq!((after.people(State::Voucher), after.people(State::Cash)), (2, 1));
    assert_eq!((after.books.vouchers, after.books.cash), (2 * AMOUNT, AMOUNT));
    assert!(world.books().is_sound());
    let who: Vec<String> = log_of(&world, hers);
    let lines = ["printer name voucher", "teller voucher-paid-out"].map(str::to_owned);
    assert!(lines.iter().all(|line| who.contains(line)), "she sees both: {who:?}");
}

fn a_new_voucher_takes_the_place_of_the_lost_one(t: &TestStore) {
    let (world, run) = paid(t);
    let person = world.people[5];
    let lost = print(&world, "printer", person, run, false).unwrap();
    assert_eq!(print(&world, "printer", person, run, false).unwrap(), lost, "printed twice, it is the same");
    let new = print(&world, "printer", person, run, true).unwrap();
    assert_ne!(new.code, lost.code);
    assert_eq!(refused(redeem(&world, "teller", person, &lost.code)), Refusal::NoSuchVoucher);
    redeem(&world, "teller", person, &new.code).unwrap();
    assert!(report(&world.desk, &auditor(), run).unwrap().is_sound());
}

fn a_voucher_ends_with_its_last_day(t: &TestStore) {
    let (world, run) = paid(t);
    let person = world.people[8];
    let voucher = print(&world, "printer", person, run, false).unwrap();
    let days = i64::from(world.desk.pack.voucher.valid_days);
    let at = |seconds: i64| Env::new(Instant::from_seconds(seconds), [9; 32]);
    let last_day = voucher.until.seconds() / 86_400 * 86_400;
    assert!(
        (env(5).now.seconds() + (days - 1) * 86_400..=env(5).now.seconds() + (days + 1) * 86_400)
            .contains(&last_day)
    );
    let late = redeem_at(&world, at(last_day + 86_400), payments("teller"), person, &voucher.code);
    assert_eq!(refused(late), Refusal::VoucherExpired);
    redeem_at(&world, at(last_day + 86_399), payments("teller"), person, &voucher.code).unwrap();
}

fn log_of(world: &World, person: PersonId) -> Vec<String> {
    let keys = world.desk.keys.clone();
    let bucket = person.bucket(world.store().buckets()).unwrap();
    let entries = world
        .store()
        .write::<_, PayError, _>(bucket, move |tx| {
            let (actor, fields) = (Actor::resident(), &["access-log"]);
            let ask = Access { person, actor: &actor, purpose: "own-access", basis: "own-access", fields };
            let receipt = access::record(tx, &keys, &env(30), &ask)?;
            Ok(access::entries(tx, &keys, &receipt, 20)?)
        })
        .unwrap();
    entries.into_iter().map(|entry| format!("{} {}", entry.actor.id, entry.fields.join(" "))).collect()
}

/// A counter without a network trusts nothing but the signature: each part of a token is changed, taken from another, and signed by others.
fn a_scanned_voucher_is_worth_what_it_says(t: &TestStore) {
    let (world, run) = paid(t);
    let hers = world.people[2];
    let voucher = print(&world, "printer", hers, run, false).unwrap();
    let (keys, currency) = (&world.desk.keys, world.desk.pack.currency);
    let key = VoucherKey::open(keys).unwrap();
    let ours = JwkSet::from_value(&key.public()).unwrap();
    let token = key.sign(&voucher, currency);
    let stated = verify(&ours, &token, env(8).now).unwrap();
    assert_eq!((&stated.jti, &stated.currency), (&voucher.code, &voucher.currency));
    assert_eq!(stated.amount, voucher.amount.to_decimal(currency));

    let forged =
        |token: &str| assert_eq!(verify(&ours, token, env(8).now), Err(Refusal::VoucherForged), "{token}");
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        forged(&String::from_utf8(bytes).unwrap());
        forged(&token[..at]);
    }
    let other = key.sign(&Voucher { code: "0000-0000-0000".to_owned(), ..voucher.clone() }, currency);
    let (mine, yours): (Vec<_>, Vec<_>) = (token.split('.').collect(), other.split('.').collect());
    forged(&[mine[0], yours[1], mine[2]].join("."));
    forged(&[mine[0], mine[1], yours[2]].join("."));
    let stranger = Es256Key::from_pkcs8(&Es256Key::generate().unwrap()).unwrap();
    let kid = key.public()["keys"][0]["kid"].as_str().unwrap().to_owned();
    forged(&sign_jwt(&stranger, &kid, ticket::TYPE, &stated));
    forged(&sign_jwt(&stranger, &stranger.public().thumbprint(), ticket::TYPE, &stated));

    let last = kaname_base::Instant::from_seconds(stated.exp);
    assert!(verify(&ours, &token, last.plus_seconds(-1)).is_ok());
    assert_eq!(verify(&ours, &token, last), Err(Refusal::VoucherExpired));

    // Scanned at a counter with a network it is the code, and paid out once.
    assert_eq!(refused(brought_code(keys, &other.replace('.', ".A"))), Refusal::VoucherForged);
    let scanned = brought_code(keys, &token).unwrap();
    redeem(&world, "teller", hers, &scanned).unwrap();
    assert_eq!(refused(redeem(&world, "teller", hers, &scanned)), Refusal::VoucherUsed);
}
