//! The simulated bank: its names are those the register knows, and it pays a message once.

use std::collections::HashMap;

use kaname_base::Currency;
use kaname_base::pack::Pack;
use kaname_codec::iso20022::{self, Account, Agent, Header, Status, Transfer, parse_pain002, write_pain001};
use kaname_pay::{Bank, BankAccount};
use kaname_person::matching::{HolderMatch, compare_holder};
use kaname_person::{Entry, Particulars};
use kaname_sim::bank::{SimAccount, SimBank, accounts};
use kaname_sim::{SimPerson, people};

#[test]
fn a_bank_writes_names_so_that_the_register_knows_them() {
    for country in Pack::shipped() {
        let pack = Pack::load_shipped(country).unwrap();
        let population: Vec<SimPerson> = people(country, 11, 4_000).unwrap().collect();
        let drawn: Vec<SimAccount> = accounts(&population, &pack.banks, 11).collect();
        assert!(drawn == accounts(&population, &pack.banks, 11).collect::<Vec<_>>(), "the seed decides");
        assert!((3_450..3_750).contains(&drawn.len()), "{country}: nine in ten have one, {}", drawn.len());
        let by_reference: HashMap<&str, &SimPerson> =
            population.iter().map(|person| (person.reference.as_str(), person)).collect();
        let (mut others, mut close) = (0, 0);
        for account in &drawn {
            let person = by_reference[account.reference.as_str()];
            let says = compare_holder(&particulars(person, &pack), &account.holder);
            let is_hers = matches!(says, HolderMatch::Same(_));
            let tell = format!("{country}: {} {says:?}", person.reference);
            assert_eq!(is_hers, !account.is_other_persons, "{tell}");
            others += usize::from(account.is_other_persons);
            close += usize::from(account.closes);
        }
        assert!((10..70).contains(&others) && (5..40).contains(&close), "{country}: {others} {close}");
        let mut numbers: Vec<_> = drawn.iter().map(|account| &account.account).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), drawn.len(), "{country}: no number is given twice");
    }
}

fn particulars(person: &SimPerson, pack: &Pack) -> Particulars {
    let birth_date = person.birth_date.to_string();
    let entry = Entry {
        reference: &person.reference,
        family_name: &person.family_name,
        given_name: &person.given_name,
        family_reading: &person.family_reading,
        given_reading: &person.given_reading,
        family_latin: &person.family_latin,
        given_latin: &person.given_latin,
        birth_date: &birth_date,
        sex: &person.sex,
        status: &person.status,
        postcode: &person.postcode,
        region: &person.region,
        city: &person.city,
        address: &person.address,
        phone: &person.phone,
        email: &person.email,
        ..Entry::default()
    };
    Particulars::check(&entry, pack, jiff::civil::date(2026, 11, 22)).unwrap()
}

const ID: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_message_is_carried_out_once() {
    let folder = tempfile::tempdir().unwrap();
    let currency = Currency::new("XTS", 2).unwrap();
    let bank = SimBank::open(folder.path(), "EXA1", currency).unwrap();
    let account = |number: u8, closes: bool, bank: &str| SimAccount {
        reference: String::new(),
        account: BankAccount { bank: bank.to_owned(), number: format!("000000000{number}") },
        holder: "SOMEBODY".to_owned(),
        is_other_persons: false,
        closes,
    };
    bank.add(&[account(1, false, "EXA1"), account(2, true, "EXA1"), account(3, false, "EXB2")]).unwrap();
    assert_eq!(bank.holder("0000000001").unwrap().as_deref(), Some("SOMEBODY"));
    assert_eq!(bank.holder("0000000003").unwrap(), None, "another bank's account");
    assert_eq!(bank.status(ID).unwrap(), None);

    bank.submit(ID, &message(ID)).unwrap();
    let answer = bank.status(ID).unwrap().unwrap();
    let report = parse_pain002(&answer).unwrap();
    let codes: Vec<_> = report
        .transfers
        .iter()
        .map(|transfer| match &transfer.status {
            Status::Rejected { code, .. } => code.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, ["Settled", "AC04", "AC01"]);
    let credits = bank.credits().unwrap();
    assert_eq!(credits.len(), 1);
    assert_eq!((credits[0].end_to_end_id.as_str(), credits[0].amount_minor), ("payment 1", 2_500));

    bank.submit(ID, &message(ID)).unwrap();
    // Killed before the answer was written: it is all done again, to the same end.
    std::fs::remove_file(folder.path().join("answers").join(format!("{ID}.xml"))).unwrap();
    let bank = SimBank::open(folder.path(), "EXA1", currency).unwrap();
    bank.submit(ID, &message(ID)).unwrap();
    assert_eq!(bank.credits().unwrap(), credits);
    assert_eq!(bank.status(ID).unwrap(), Some(answer));

    assert!(bank.submit("../elsewhere", &message(ID)).is_err());
    assert!(bank.submit("fedcba9876543210", &message(ID)).is_err(), "the id is not the message's");
    assert!(bank.submit("00", b"<Document/>").is_err());
    assert_eq!(bank.credits().unwrap().len(), 1);
}

fn message(id: &str) -> Vec<u8> {
    let header = Header {
        message_id: id.into(),
        created: "2026-11-22T10:00:00Z".into(),
        initiator: "Exampleland".into(),
        payment_id: id.into(),
        execution_date: "2026-11-22".into(),
        debtor_name: "Exampleland".into(),
        debtor_account: Account::Other("1".into()),
        debtor_agent: Agent::Member("EXA1".into()),
        currency: iso20022::Currency::new("XTS", 2).unwrap(),
    };
    let transfers = [1, 2, 3].map(|number| Transfer {
        end_to_end_id: format!("payment {number}").into(),
        amount_minor: 2_500,
        creditor_name: "SOMEBODY".into(),
        creditor_account: Account::Other(format!("000000000{number}").into()),
        creditor_agent: None,
        remittance: None,
    });
    write_pain001(&header, &transfers).unwrap()
}
