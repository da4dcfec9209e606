//! Instant payments on every store.

use std::sync::Arc;

use kaname_pay::instant::Change;
use kaname_pay::instant::message::Topic;
use kaname_pay::instant::window::{close, settle, windows};
use kaname_pay::ledger::fsck;
use kaname_pay::{PayError, instant};
use kaname_sim::participant::{Booked, Faults};
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::Actor;
use serde_json::{Value, json};

use super::instant_world::{CAP, Street3, administrator, code_of, id, outcome};
use super::world::auditor;

on_every_store!(
    a_payment_is_reserved_committed_and_told,
    one_id_pays_once,
    nobody_owes_more_than_its_cap,
    what_the_payee_declines_is_released,
    a_lost_answer_makes_it_unknown_until_it_is_asked_for,
    what_nobody_answers_is_reversed_and_compensated,
    whoever_asks_too_soon_waits,
    a_message_counts_once_and_only_as_signed,
    refunds_stay_below_the_payment,
    a_suspended_participant_ends_what_was_begun,
    windows_net_to_nothing_and_positions_return,
);

fn sound(world: &Street3) {
    let books = fsck(&world.scheme.store, &auditor()).unwrap();
    assert!(books.is_sound(), "{:?}", books.wrong);
    assert_eq!(world.positions().iter().sum::<i64>(), 0, "positions add up to nothing");
}

fn pay(world: &Street3, number: u64, minor: u64) -> String {
    let order = world.order(id(number), "north", ("south", "south-2"), minor);
    world.reserve("north", &order).unwrap()
}

fn a_payment_is_reserved_committed_and_told(t: &TestStore) {
    let world = Street3::open(t);
    let payee = json!({ "payee": { "participant": "south", "account": "south-2" } });
    let resolved = world.say("north", Topic::Resolve, payee).unwrap();
    assert_eq!(resolved.text("holder").unwrap(), "A••• L•••", "the name is masked");
    assert_eq!(pay(&world, 1, 2_500), "reserved");
    assert_eq!(world.position("north"), 0, "what is pending is not paid");
    assert_eq!(world.bank("south").balance("south-2"), Some(0));

    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.state(id(1)), "committed");
    assert_eq!((world.position("north"), world.position("south")), (-2_500, 2_500));
    let booked = Some(Booked { state: "committed".to_owned(), times: 1 });
    assert_eq!(world.bank("south").booked(id(1)), booked);
    assert_eq!(world.bank("north").booked(id(1)), booked);
    assert_eq!(world.bank("south").balance("south-2"), Some(2_500));
    assert_eq!(world.bank("north").balance("north-1"), Some(-2_500));
    sound(&world);
}

fn one_id_pays_once(t: &TestStore) {
    let world = Street3::open(t);
    let order = world.order(id(1), "north", ("south", "south-2"), 100);
    assert_eq!(world.reserve("north", &order).unwrap(), "reserved");
    assert_eq!(world.reserve("north", &order).unwrap(), "reserved", "the same order is answered as before");
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.reserve("north", &order).unwrap(), "committed", "also when it is over");
    let other = world.order(id(1), "north", ("south", "south-2"), 101);
    assert_eq!(world.reserve("north", &other).unwrap(), "id-reused");
    let others = world.order(id(1), "south", ("north", "north-2"), 100);
    assert_eq!(world.reserve("south", &others).unwrap(), "id-reused", "an id belongs to one participant");
    let twice = world.order(id(2), "north", ("south", "south-2"), 7);
    let answer = world.say("north", Topic::Reserve, json!({ "orders": [&twice, &twice] })).unwrap();
    assert_eq!(answer.claims["outcomes"][1]["state"], "reserved");
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.position("south"), 107);
    sound(&world);
}

fn nobody_owes_more_than_its_cap(t: &TestStore) {
    let world = Street3::open(t);
    assert_eq!(pay(&world, 1, CAP), "reserved", "pending money counts");
    assert_eq!(pay(&world, 2, 1), "net-debit-cap");
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.position("north"), -(CAP as i64));
    let cap =
        |cap_minor| Change { code: "north".to_owned(), cap_minor: Some(cap_minor), ..Change::default() };
    assert_eq!(code_of(world.change(&cap(CAP - 1))), "net-debit-cap", "it owes more than the new cap");
    world.change(&cap(CAP + 1)).unwrap();
    assert_eq!(pay(&world, 2, 1), "reserved", "the refused id may be used when the facts have changed");
    assert_eq!(pay(&world, 3, 1), "net-debit-cap");
    let back = world.order(id(4), "south", ("north", "north-1"), CAP + CAP);
    assert_eq!(world.reserve("south", &back).unwrap(), "reserved", "what was received can be spent");
    sound(&world);
}

fn what_the_payee_declines_is_released(t: &TestStore) {
    let world = Street3::open(t);
    let order = world.order(id(1), "north", ("south", "nobody"), 100);
    assert_eq!(world.reserve("north", &order).unwrap(), "reserved");
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.state(id(1)), "aborted");
    assert_eq!(world.positions(), [0, 0, 0]);
    assert_eq!(world.bank("north").booked(id(1)).unwrap().times, 0, "the payer was told, and pays nothing");
    // By a message of its own, the first end counts.
    assert_eq!(pay(&world, 2, 100), "reserved");
    let decides = |topic, number| {
        let payments = json!({ "payments": [{ "id": id(number).to_string(), "reason": "over-limit" }] });
        outcome(&world.say("south", topic, payments).unwrap())
    };
    assert_eq!(decides(Topic::Commit, 2), "committed");
    assert_eq!(decides(Topic::Commit, 2), "committed");
    assert_eq!(decides(Topic::Abort, 2), "payment-over");
    assert_eq!(decides(Topic::Commit, 1), "payment-over");
    let payments = json!({ "payments": [{ "id": id(2).to_string() }] });
    let theirs = world.say("mute", Topic::Commit, payments).unwrap();
    assert_eq!(outcome(&theirs), "no-such-payment", "only the payee's participant decides");
    sound(&world);
}

fn a_lost_answer_makes_it_unknown_until_it_is_asked_for(t: &TestStore) {
    let world = Street3::open(t);
    world.bank("south").misbehave(Faults { slow: 100, ..Faults::default() }, 1);
    assert_eq!(pay(&world, 1, 100), "reserved");
    world.round().unwrap();
    assert_eq!(world.state(id(1)), "unknown");
    assert_eq!(world.round().unwrap().taken, 0, "nobody asks again before its time");
    world.bank("south").misbehave(Faults::default(), 1);
    world.pass(46);
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.state(id(1)), "committed", "it had taken it");

    world.bank("south").misbehave(Faults { dead: 100, ..Faults::default() }, 1);
    assert_eq!(pay(&world, 2, 100), "reserved");
    world.round().unwrap();
    assert_eq!(world.state(id(2)), "unknown");
    world.bank("south").misbehave(Faults::default(), 1);
    world.pass(46);
    world.round().unwrap();
    assert_eq!(world.state(id(2)), "aborted", "it has never heard of it, and the time to answer is over");
    sound(&world);
}

fn what_nobody_answers_is_reversed_and_compensated(t: &TestStore) {
    let world = Street3::open(t);
    world.bank("mute").misbehave(Faults { dead: 100, ..Faults::default() }, 1);
    let order = world.order(id(1), "north", ("mute", "mute-1"), 100);
    assert_eq!(world.reserve("north", &order).unwrap(), "reserved");
    let mut asked = 0;
    for _ in 0..200 {
        asked += world.round().unwrap().taken;
        if world.state(id(1)) == "reversed" {
            break;
        }
        world.pass(600);
    }
    assert_eq!(world.state(id(1)), "reversed");
    assert!((5..60).contains(&asked), "asked {asked} times under a back-off");
    world.round().unwrap();
    assert_eq!((world.position("north"), world.position("mute")), (1_000, -1_000), "the pack's compensation");
    let payments = json!({ "payments": [{ "id": id(1).to_string() }] });
    let late = world.say("mute", Topic::Commit, payments).unwrap();
    assert_eq!(outcome(&late), "payment-over", "it comes too late");
    world.bank("mute").misbehave(Faults::default(), 1);
    world.pass(100_000);
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.bank("mute").booked(id(1)).unwrap().state, "reversed", "told when it is back");
    assert_eq!(world.position("north"), 1_000, "compensated once");
    sound(&world);
}

fn whoever_asks_too_soon_waits(t: &TestStore) {
    let world = Street3::open(t);
    assert_eq!(pay(&world, 1, 100), "reserved");
    let ask = |code| world.say(code, Topic::Status, json!({ "payment": id(1).to_string() }));
    match ask("north") {
        Err(PayError::Instant(instant::Refusal::AskedTooSoon { retry_after_seconds })) => {
            assert!((40..=45).contains(&retry_after_seconds));
        }
        other => panic!("{other:?}"),
    }
    world.pass(46);
    let told = ask("north").unwrap();
    assert_eq!(
        (told.text("state").unwrap(), told.part::<u32>("retry_after_seconds").unwrap() >= 45),
        ("reserved", true)
    );
    assert_eq!(code_of(ask("south")), "asked-too-soon", "the time is the payment's, not the asker's");
    while world.round().unwrap().taken > 0 {}
    for _ in 0..3 {
        assert_eq!(ask("north").unwrap().text("state").unwrap(), "committed", "an end is told at once");
    }
    assert_eq!(code_of(ask("mute")), "no-such-payment");
}

fn a_message_counts_once_and_only_as_signed(t: &TestStore) {
    let world = Street3::open(t);
    let order = world.order(id(1), "north", ("south", "south-2"), 100);
    let content = json!({ "orders": [order] });
    let token =
        world.bank("north").say(super::instant_world::US, world.env().now, Topic::Reserve, content.clone());
    let refused = |topic, token: &str| code_of(world.hand_in("north", topic, token));
    for place in (0..token.len()).step_by(token.len() / 24) {
        let mut other = token.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        let code = refused(Topic::Reserve, &other);
        assert!(["message-signature", "message-form"].contains(&code), "{place}: {code}");
    }
    assert_eq!(refused(Topic::Commit, &token), "message-form", "a message is for one purpose");
    let elsewhere =
        world.bank("north").say("https://other.example", world.env().now, Topic::Reserve, content.clone());
    assert_eq!(refused(Topic::Reserve, &elsewhere), "message-stale");
    let old = world.bank("north").say(
        super::instant_world::US,
        world.env().now.plus_seconds(-400),
        Topic::Reserve,
        content,
    );
    assert_eq!(refused(Topic::Reserve, &old), "message-stale");
    let forged = kaname_sim::participant::SimParticipant::new("north").unwrap();
    let forged =
        forged.say(super::instant_world::US, world.env().now, Topic::Reserve, json!({ "orders": [] }));
    assert_eq!(refused(Topic::Reserve, &forged), "message-signature", "another key");
    for rubbish in ["", ".", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(refused(Topic::Reserve, rubbish), "message-signature");
    }

    assert_eq!(outcome(&world.hand_in("north", Topic::Reserve, &token).unwrap()), "reserved");
    assert_eq!(refused(Topic::Reserve, &token), "message-replayed");
    let malformed = |order: Value| code_of(world.say("north", Topic::Reserve, json!({ "orders": [order] })));
    let good = world.order(id(9), "north", ("south", "south-2"), 100);
    let with = |name: &str, value: Value| {
        let mut order = good.clone();
        order[name] = value;
        order
    };
    for bad in [
        with("amount_minor", json!("-5")),
        with("amount_minor", json!("0")),
        with("amount_minor", json!("+5")),
        with("amount_minor", json!("1.5")),
        with("amount_minor", json!(5)),
        with("amount_minor", json!("9223372036854775808")),
        with("id", json!("pmt_1")),
        with("payer_account", json!("")),
        with("text", json!("a\u{0}b")),
        with("more", json!(1)),
    ] {
        assert_eq!(malformed(bad), "message-form");
    }
    assert_eq!(malformed(with("currency", json!("EUR"))), "currency-differs");
    assert_eq!(world.reserve("north", &with("amount_minor", json!("101"))).unwrap(), "quote-over");
    world.pass(301);
    assert_eq!(world.reserve("north", &good).unwrap(), "quote-over");
    let own = world.order(id(10), "north", ("north", "north-2"), 100);
    assert_eq!(world.reserve("north", &own).unwrap(), "one-participant");
    let nobody = world.order(id(11), "north", ("west", "x"), 100);
    assert_eq!(world.reserve("north", &nobody).unwrap(), "no-such-participant");
}

fn refunds_stay_below_the_payment(t: &TestStore) {
    let world = Street3::open(t);
    let refund = |number: u64, of: u64, minor: u64| {
        world.bank("south").note_order(id(number), "south-2", minor);
        json!({
            "id": id(number).to_string(), "payee": { "participant": "north", "account": "north-1" },
            "payer_account": "south-2", "amount_minor": minor.to_string(), "currency": "XTS",
            "refund_of": id(of).to_string(), "text": "Returned",
        })
    };
    pay(&world, 1, 1_000);
    assert_eq!(world.reserve("south", &refund(2, 1, 10)).unwrap(), "not-refundable", "not paid yet");
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.reserve("south", &refund(2, 1, 1_001)).unwrap(), "refund-too-large");
    assert_eq!(world.reserve("south", &refund(2, 1, 600)).unwrap(), "reserved");
    assert_eq!(
        world.reserve("south", &refund(3, 1, 401)).unwrap(),
        "refund-too-large",
        "what is on its way counts"
    );
    let both = json!({ "orders": [refund(4, 1, 300), refund(5, 1, 300)] });
    let answer = world.say("south", Topic::Reserve, both).unwrap();
    assert_eq!(answer.claims["outcomes"][1]["refused"], "refund-too-large", "also within one message");
    world.bank("north").misbehave(Faults::default(), 1);
    let decline = json!({ "payments": [{ "id": id(4).to_string(), "reason": "closed" }] });
    assert_eq!(outcome(&world.say("north", Topic::Abort, decline).unwrap()), "aborted");
    assert_eq!(
        world.reserve("south", &refund(6, 1, 400)).unwrap(),
        "reserved",
        "what was declined is free again"
    );
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.positions(), [0, 0, 0]);
    assert_eq!(world.reserve("north", &refund(7, 2, 1)).unwrap(), "one-participant");
    let of_refund = json!({
        "id": id(8).to_string(), "payee": { "participant": "south", "account": "south-2" },
        "payer_account": "north-1", "amount_minor": "1", "currency": "XTS", "refund_of": id(2).to_string(),
    });
    assert_eq!(world.reserve("north", &of_refund).unwrap(), "not-refundable", "a refund is not refunded");
    world.pass(181 * 86_400);
    assert_eq!(world.reserve("south", &refund(9, 1, 1)).unwrap(), "not-refundable", "too long ago");
    sound(&world);
}

fn a_suspended_participant_ends_what_was_begun(t: &TestStore) {
    let world = Street3::open(t);
    let suspend =
        |suspended| Change { code: "south".to_owned(), suspended: Some(suspended), ..Change::default() };
    assert_eq!(pay(&world, 1, 100), "reserved");
    let pack = Arc::clone(&world.scheme.pack);
    let (env, change) = (world.env(), suspend(true));
    let alone = world.scheme.store.write::<_, PayError, _>(world.scheme.home(), move |tx| {
        instant::change(&env.again(), tx, &pack, &administrator("ofc-1"), None, &change)
    });
    assert!(matches!(alone, Err(PayError::NotAllowed(_))), "never one officer alone: {alone:?}");
    world.change(&suspend(true)).unwrap();
    assert_eq!(pay(&world, 2, 100), "participant-suspended");
    let order = world.order(id(3), "south", ("north", "north-1"), 10);
    assert_eq!(world.reserve("south", &order).unwrap(), "participant-suspended");
    while world.round().unwrap().taken > 0 {}
    assert_eq!(world.state(id(1)), "committed");
    world.change(&suspend(false)).unwrap();
    assert_eq!(pay(&world, 2, 100), "reserved");
    let nobody = Change { code: "west".to_owned(), ..Change::default() };
    assert_eq!(code_of(world.change(&nobody)), "no-such-participant");
}

fn windows_net_to_nothing_and_positions_return(t: &TestStore) {
    let world = Street3::open(t);
    let (first, second) = (Actor::officer("ofc-8", "payments"), Actor::officer("ofc-9", "payments"));
    pay(&world, 1, 700);
    let back = world.order(id(2), "south", ("mute", "mute-3"), 200);
    world.reserve("south", &back).unwrap();
    while world.round().unwrap().taken > 0 {}
    let run = |by: &Actor, number: Option<i64>| {
        let (env, pack, by) = (world.env(), Arc::clone(&world.scheme.pack), by.clone());
        world.scheme.store.write::<_, PayError, _>(world.scheme.home(), move |tx| match number {
            None => close(&env.again(), tx, &pack, &by),
            Some(number) => settle(&env.again(), tx, &pack, &by, number),
        })
    };
    let closed = run(&first, None).unwrap();
    let nets = vec![("mute".to_owned(), 200), ("north".to_owned(), -700), ("south".to_owned(), 500)];
    assert_eq!((closed.number, closed.state, &closed.nets), (1, "closed", &nets));
    assert_eq!(closed.nets.iter().map(|(_, net)| net).sum::<i64>(), 0);
    assert_eq!(world.positions(), [200, -700, 500], "positions stay until the money has moved");

    pay(&world, 3, 50);
    while world.round().unwrap().taken > 0 {}
    let next = run(&first, None).unwrap();
    assert_eq!(next.nets, [("mute".to_owned(), 0), ("north".to_owned(), -50), ("south".to_owned(), 50)]);
    assert_eq!(code_of(run(&first, Some(1))), "window-officer", "four eyes");
    assert_eq!(run(&second, Some(1)).unwrap().state, "settled");
    assert_eq!(code_of(run(&second, Some(1))), "window-state", "once");
    assert_eq!(world.positions(), [0, -50, 50]);
    assert_eq!(run(&second, Some(2)).unwrap().state, "settled");
    assert_eq!(world.positions(), [0, 0, 0]);
    assert_eq!(code_of(run(&administrator("ofc-1"), None)), "not-allowed");
    let shown = world.scheme.store.read(world.scheme.home(), move |tx| windows(tx, &first, 10)).unwrap();
    assert_eq!(shown.iter().map(|window| window.state).collect::<Vec<_>>(), ["open", "settled", "settled"]);
    sound(&world);
}
