//! The rules of instant payments, as tables; and what a copy of the database shows.

use kaname_base::Instant;
use kaname_base::pack::{InstantTerms, Pack};
use kaname_pay::instant::message::minor;
use kaname_pay::instant::rules::{self, Next, Step, Verdict};
use kaname_pay::instant::work::payments;
use kaname_pay::instant::{Payment, State, asking};
use kaname_store::Location;
use kaname_testkit::TestStore;
use proptest::prelude::*;

use super::instant_world::{Street3, id};
use super::world::amount;

fn pack() -> Pack {
    Pack::load_shipped("example").unwrap()
}

fn terms() -> InstantTerms {
    pack().instant.unwrap()
}

/// A payment that was reserved at second 0 of the test's time.
fn payment(state: State) -> Payment {
    let t = TestStore::sqlite();
    let world = Street3::open(&t);
    let order = world.order(id(1), "north", ("south", "south-2"), 500);
    world.reserve("north", &order).unwrap();
    let found = world.scheme.store.read(world.scheme.home(), |tx| payments(tx, None, 1)).unwrap();
    let mut payment = found[0].clone();
    (payment.state, payment.reserved_at) = (state, Instant::from_seconds(0));
    payment
}

#[test]
fn the_first_end_counts() {
    use State::{Aborted, Committed, Reserved, Reversed, Unknown};
    use Verdict::{Accepts, Declines};
    let (terms, template) = (terms(), payment(Reserved));
    let day = terms.reverse_after_seconds;
    for (state, verdict, second, expected) in [
        (Reserved, Accepts, 1, Ok(Step::To(Committed))),
        (Reserved, Declines, 1, Ok(Step::To(Aborted))),
        (Unknown, Accepts, day - 1, Ok(Step::To(Committed))),
        (Unknown, Accepts, day, Err("payment-over")),
        (Unknown, Declines, day, Ok(Step::To(Aborted))),
        (Committed, Accepts, 9 * day, Ok(Step::Stands)),
        (Committed, Declines, 1, Err("payment-over")),
        (Aborted, Declines, 1, Ok(Step::Stands)),
        (Aborted, Accepts, 1, Err("payment-over")),
        (Reversed, Accepts, 1, Err("payment-over")),
        (Reversed, Declines, 1, Ok(Step::Stands)),
    ] {
        let mut payment = template.clone();
        payment.state = state;
        let judged = rules::judge(&terms, &payment, verdict, Instant::from_seconds(second));
        assert_eq!(judged.map_err(|refusal| refusal.code()), expected, "{state:?} {verdict:?} at {second}");
    }
    for (state, second, expected) in [
        (Reserved, 0, Next::Ask),
        (Unknown, 1, Next::AskAgain),
        (Reserved, day, Next::Reverse),
        (Unknown, day, Next::Reverse),
        (Committed, day, Next::Tell),
    ] {
        let mut payment = template.clone();
        payment.state = state;
        assert_eq!(rules::next(&terms, &payment, Instant::from_seconds(second)), expected, "{state:?}");
    }
}

#[test]
fn waits_double_and_compensation_counts_days() {
    let (terms, payment) = (terms(), payment(State::Unknown));
    let waits: Vec<i64> = [1, 2, 3, 7, 8, 40].map(|attempts| rules::wait_seconds(&terms, attempts)).to_vec();
    assert_eq!(waits, [45, 90, 180, 2_880, 3_600, 3_600]);
    for (seconds, days) in [(0, 1), (1, 1), (86_400, 1), (86_401, 2), (10 * 86_400, 10)] {
        let owed = rules::compensation(&terms, &payment, Instant::from_seconds(seconds));
        assert_eq!(owed.minor(), terms.compensation_a_day.minor() * days, "after {seconds} seconds");
    }
}

#[test]
fn a_code_and_a_link_of_the_country_say_the_same() {
    let pack = pack();
    let asked = asking::Asked {
        address: "till@north".to_owned(),
        name: "Grocer".to_owned(),
        city: "Port".to_owned(),
        category: "5411".to_owned(),
        amount: Some(amount(1_250)),
        reference: Some("b-7".to_owned()),
    };
    let (code, link) = asking::write(&pack, &asked).unwrap();
    assert_eq!(asking::read(&pack, &code).unwrap(), asked);
    let of_link = asking::Asked { city: String::new(), category: String::new(), ..asked.clone() };
    assert_eq!(asking::read(&pack, &link).unwrap(), of_link);
    let japan = Pack::load_shipped("japan").unwrap();
    assert!(matches!(asking::read(&japan, &code), Err(asking::AskingError::OtherCurrency)));
    assert!(matches!(asking::read(&japan, &link), Err(asking::AskingError::Link(_))));
    for address in ["north", "@north", "till@", "a b@north"] {
        let asked = asking::Asked { address: address.to_owned(), ..asked.clone() };
        assert!(asking::write(&pack, &asked).is_err(), "{address}");
    }
}

#[test]
fn a_copy_of_the_database_shows_no_account_and_no_text() {
    let t = TestStore::sqlite();
    let Location::Sqlite(file) = t.config().location else { panic!("this store is a file") };
    let world = Street3::open(&t);
    let order = world.order(id(1), "north", ("south", "south-2"), 500);
    world.reserve("north", &order).unwrap();
    while world.round().unwrap().taken > 0 {}
    let folder = std::fs::read_dir(file.parent().unwrap()).unwrap();
    let copy: Vec<u8> = folder.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    let shows = |text: &str| copy.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(shows("south"), "the participants stand there, so the search finds");
    for secret in ["south-2", "north-1", "Rent", "Ada Lovelace"] {
        assert!(!shows(secret), "{secret}");
    }
}

proptest! {
    #[test]
    fn amounts_are_digits_and_nothing_else(text in "[0-9+.e -]{0,22}") {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        let expected = text.parse::<i64>().ok().filter(|_| plain).map(|minor| minor as u64);
        prop_assert_eq!(minor(&text).map(|amount| amount.minor()), expected);
    }

    #[test]
    fn nets_add_up_to_nothing(moves in proptest::collection::vec((0..4_usize, 0..4_usize, 1..1_000_i64), 0..40)) {
        let mut balances = [5_000_i64; 4];
        for (from, to, minor) in moves {
            balances[from] -= minor;
            balances[to] += minor;
        }
        let nets = balances.map(|balance| rules::net(balance, amount(5_000), 0).unwrap());
        prop_assert_eq!(nets.iter().sum::<i64>(), 0);
    }
}
