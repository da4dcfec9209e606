//! The field's own errors, planted in an invented country: what agencies and counters get wrong, at known rates and with the truth
//! beside it, so that guards and audits can be measured.

use kaname_base::pack::Bank;
use kaname_pay::BankAccount;

use crate::SimPerson;
use crate::bank::{SimAccount, holder_name};
use crate::random::Random;

/// A kind of error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Planted {
    /// A record of somebody who is not in the register, with the name and date of birth of somebody who is.
    NamesakeUnknown,
    /// A record with the name and date of birth of two residents, and the address of neither.
    NamesakeBoth,
    /// Two twins' records with each other's numbers.
    SwappedTwins,
    /// A record with an address where the person does not live.
    StaleAddress,
    /// A record with another person's number.
    MistypedNumber,
    /// An account that somebody of the family holds.
    FamilyAccount,
    /// An account that was entered for whoever sat at the counter before.
    PreviousSession,
    /// An account that the bank had under the wrong name, and corrected.
    BankCorrected,
}

impl Planted {
    /// All of them.
    pub const ALL: [Planted; 8] = [
        Planted::NamesakeUnknown,
        Planted::NamesakeBoth,
        Planted::SwappedTwins,
        Planted::StaleAddress,
        Planted::MistypedNumber,
        Planted::FamilyAccount,
        Planted::PreviousSession,
        Planted::BankCorrected,
    ];

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Planted::NamesakeUnknown => "namesake-unknown",
            Planted::NamesakeBoth => "namesake-both",
            Planted::SwappedTwins => "swapped-twins",
            Planted::StaleAddress => "stale-address",
            Planted::MistypedNumber => "mistyped-number",
            Planted::FamilyAccount => "family-account",
            Planted::PreviousSession => "previous-session",
            Planted::BankCorrected => "bank-corrected",
        }
    }
}

/// One record of the insurer's list.
#[derive(Clone, Debug)]
pub struct OutsideRecord {
    /// The insurer's own id.
    pub id: String,
    /// What the insurer says.
    pub says: SimPerson,
    /// Whose number stands there, by reference; mostly the insurer has none.
    pub number_of: Option<String>,
    /// Whose it truly is, by reference; nobody's here when `None`.
    pub truth: Option<String>,
    /// The error in it.
    pub planted: Option<Planted>,
}

/// One account that is asked for.
#[derive(Clone, Debug)]
pub struct AskedAccount {
    /// The account, as the bank has it when it is asked for; `reference` is for whom.
    pub account: SimAccount,
    /// The holder whom the bank has later.
    pub corrected: Option<String>,
    /// The error in it.
    pub planted: Option<Planted>,
}

/// What becomes of one invented person.
pub enum Item {
    /// Somebody for the register.
    Resident(SimPerson),
    /// A record of the insurer's.
    Record(OutsideRecord),
    /// An account.
    Account(AskedAccount),
}

/// Tells the drawing of errors from other drawings of a seed.
const ERRORS: u64 = 0x6572_726F_7273;

/// One person in this many has an account: enough to measure by.
const ACCOUNTS_EACH: u64 = 10;

/// Walks over a population and plants each kind of error in about `per_100_000` of it. Nothing is held but three people. The same seed
/// gives the same items.
pub fn plant(
    people: impl Iterator<Item = SimPerson>,
    banks: &[Bank],
    seed: u64,
    per_100_000: u64,
    each: &mut dyn FnMut(Item),
) {
    let mut before: Vec<SimPerson> = Vec::new();
    for (place, person) in people.enumerate() {
        let mut random = Random::new(seed ^ ERRORS, place as u64);
        let lot = random.below(100_000) / per_100_000.max(1);
        let planted = usize::try_from(lot).ok().and_then(|lot| Planted::ALL.get(lot)).copied();
        // Strangers: not of the household, so with another address and mostly another name.
        let stranger = before.iter().rev().find(|other| other.address != person.address).cloned();
        let relative = before
            .last()
            .filter(|other| other.address == person.address && holder_name(other) != holder_name(&person))
            .cloned();
        each(Item::Resident(person.clone()));
        match (planted, &stranger) {
            (Some(kind), Some(stranger)) if before.len() >= 2 => {
                records(kind, &person, stranger, &before, each);
                accounts(kind, &person, stranger, relative.as_ref(), banks, place as u64, each);
            }
            _ => {
                each(Item::Record(own_record(&person)));
                if random.below(ACCOUNTS_EACH) == 0 {
                    account(&person, holder_name(&person), None, None, banks, place as u64, each);
                }
            }
        }
        before.push(person);
        if before.len() > 12 {
            before.remove(0);
        }
    }
}

fn records(
    kind: Planted,
    person: &SimPerson,
    stranger: &SimPerson,
    before: &[SimPerson],
    each: &mut dyn FnMut(Item),
) {
    let own = own_record(person);
    let elsewhere = |id: &str| OutsideRecord {
        id: format!("{id}-{}", person.reference),
        says: at_address_of(person, stranger),
        ..own.clone()
    };
    match kind {
        Planted::NamesakeUnknown => {
            each(Item::Record(own.clone()));
            each(Item::Record(OutsideRecord { truth: None, planted: Some(kind), ..elsewhere("X") }));
        }
        Planted::NamesakeBoth => {
            let mut namesake = at_address_of(person, stranger);
            namesake.reference = format!("N{}", person.reference);
            (namesake.phone, namesake.email) = (String::new(), String::new());
            each(Item::Resident(namesake.clone()));
            each(Item::Record(own.clone()));
            each(Item::Record(own_record(&namesake)));
            let third = before
                .iter()
                .find(|other| other.address != person.address && other.address != namesake.address);
            if let Some(third) = third {
                let says = at_address_of(person, third);
                let id = format!("Y-{}", person.reference);
                each(Item::Record(OutsideRecord { id, says, truth: None, planted: Some(kind), ..own }));
            }
        }
        Planted::SwappedTwins => {
            let twin = twin_of(person, stranger, before);
            each(Item::Resident(twin.clone()));
            for (says, number_of) in [(person, &twin), (&twin, person)] {
                each(Item::Record(OutsideRecord {
                    number_of: Some(number_of.reference.clone()),
                    truth: None,
                    planted: Some(kind),
                    ..own_record(says)
                }));
            }
        }
        Planted::StaleAddress => {
            each(Item::Record(OutsideRecord { id: own.id.clone(), planted: Some(kind), ..elsewhere("S") }));
        }
        Planted::MistypedNumber => each(Item::Record(OutsideRecord {
            number_of: Some(stranger.reference.clone()),
            planted: Some(kind),
            ..own
        })),
        Planted::FamilyAccount | Planted::PreviousSession | Planted::BankCorrected => {
            each(Item::Record(own));
        }
    }
}

fn accounts(
    kind: Planted,
    person: &SimPerson,
    stranger: &SimPerson,
    relative: Option<&SimPerson>,
    banks: &[Bank],
    place: u64,
    each: &mut dyn FnMut(Item),
) {
    let other_name = holder_name(stranger) != holder_name(person);
    match (kind, relative) {
        (Planted::FamilyAccount, Some(relative)) => {
            account(person, holder_name(relative), None, Some(kind), banks, place, each);
        }
        (Planted::PreviousSession, _) if other_name => {
            account(person, holder_name(stranger), None, Some(kind), banks, place, each);
        }
        (Planted::BankCorrected, _) if other_name => {
            let corrected = Some(holder_name(stranger));
            account(person, holder_name(person), corrected, Some(kind), banks, place, each);
        }
        _ => {}
    }
}

fn account(
    person: &SimPerson,
    holder: String,
    corrected: Option<String>,
    planted: Option<Planted>,
    banks: &[Bank],
    place: u64,
    each: &mut dyn FnMut(Item),
) {
    let Some(bank) = banks.get((place % banks.len().max(1) as u64) as usize) else { return };
    let digits = u32::try_from(bank.account_digits).unwrap_or(u32::MAX).clamp(6, 18);
    let number = (place + 1).wrapping_mul(7_919) % 10u64.pow(digits);
    let number = format!("{number:0width$}", width = digits as usize);
    let account = SimAccount {
        reference: person.reference.clone(),
        account: BankAccount { bank: bank.code.clone(), number },
        holder,
        is_other_persons: planted.is_some(),
        closes: false,
    };
    each(Item::Account(AskedAccount { account, corrected, planted }));
}

fn own_record(person: &SimPerson) -> OutsideRecord {
    OutsideRecord {
        id: format!("H-{}", person.reference),
        says: person.clone(),
        number_of: None,
        truth: Some(person.reference.clone()),
        planted: None,
    }
}

fn at_address_of(person: &SimPerson, other: &SimPerson) -> SimPerson {
    SimPerson {
        postcode: other.postcode.clone(),
        region: other.region.clone(),
        city: other.city.clone(),
        address: other.address.clone(),
        ..person.clone()
    }
}

/// Born on the same day at the same place, with a given name of somebody else's.
fn twin_of(person: &SimPerson, stranger: &SimPerson, before: &[SimPerson]) -> SimPerson {
    let named = before
        .iter()
        .find(|other| other.sex == person.sex && other.given_name != person.given_name)
        .unwrap_or(stranger);
    SimPerson {
        reference: format!("T{}", person.reference),
        given_name: named.given_name.clone(),
        given_reading: named.given_reading.clone(),
        given_latin: named.given_latin.clone(),
        phone: String::new(),
        email: String::new(),
        ..person.clone()
    }
}
