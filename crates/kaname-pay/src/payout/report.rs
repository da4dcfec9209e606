//! Use case: how a run stands, by its list and by the ledger, and whether the two agree.

use std::collections::BTreeMap;

use kaname_base::{Amount, Bucket};
use kaname_person::{Action, policy};
use kaname_store::StoreError;
use kaname_trust::Actor;

use crate::ids::RunId;
use crate::ledger::clearing::{outgoing_to, sent};
use crate::ledger::{Account, accounts};
use crate::payee::Desk;
use crate::payout::act::Act;
use crate::payout::approve::share_id;
use crate::payout::treasury::{Use, for_people, run_account};
use crate::payout::{Run, State, table};
use crate::{PayError, Refusal};

/// How many payees stand where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Where they stand.
    pub state: State,
    /// Why, for those who wait or whose money came back: a [`crate::payee::Reason`] or a bank's ISO 20022 code.
    pub reason: String,
    /// How many.
    pub people: u64,
    /// What they get in all.
    pub sum: Amount,
}

/// The run in the ledger, in minor units. These are read from accounts, not from the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Taken out of the treasury.
    pub out_of_treasury: u64,
    /// With the banks and not given back.
    pub received: u64,
    /// In vouchers that wait to be paid out.
    pub vouchers: u64,
    /// Paid out in cash, for vouchers.
    pub cash: u64,
    /// Waiting, with a reason.
    pub pending: u64,
    /// Given back by banks.
    pub returned: u64,
    /// In the buckets, not yet paid out.
    pub undisbursed: u64,
    /// On its way to the buckets.
    pub in_transit: u64,
}

/// How a run stands.
#[derive(Clone, Debug)]
pub struct Report {
    /// The run.
    pub run: Run,
    /// What officers did to it, in order.
    pub acts: Vec<Act>,
    /// The list, by state and reason.
    pub tallies: Vec<Tally>,
    /// The ledger.
    pub books: Books,
}

impl Books {
    /// Whether what left the treasury is all accounted for.
    pub fn balance(&self) -> bool {
        let Books { received, vouchers, cash, pending, returned, undisbursed, in_transit, .. } = *self;
        let parts = [received, vouchers, cash, pending, returned, undisbursed, in_transit];
        parts.iter().map(|part| u128::from(*part)).sum::<u128>() == u128::from(self.out_of_treasury)
    }
}

impl Report {
    /// People in a state.
    pub fn people(&self, state: State) -> u64 {
        self.tallies.iter().filter(|tally| tally.state == state).map(|tally| tally.people).sum()
    }

    /// The sum of a state, in minor units.
    pub fn sum_minor(&self, state: State) -> u64 {
        self.tallies.iter().filter(|tally| tally.state == state).map(|tally| tally.sum.minor()).sum()
    }

    /// Whether the ledger balances, everybody on the list is counted, and list and ledger say the same.
    pub fn is_sound(&self) -> bool {
        let Books { received, vouchers, cash, pending, returned, .. } = self.books;
        let listed = (
            self.sum_minor(State::Sent) + self.sum_minor(State::Paid),
            self.sum_minor(State::Voucher),
            self.sum_minor(State::Cash),
            self.sum_minor(State::Pending),
            self.sum_minor(State::Returned),
        );
        let counted: u64 = self.tallies.iter().map(|tally| tally.people).sum();
        self.books.balance()
            && listed == (received, vouchers, cash, pending, returned)
            && counted == self.run.people
    }
}

/// Reads list and ledger, bucket for bucket.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::NoSuchRun`].
pub fn report(desk: &Desk, by: &Actor, id: RunId) -> Result<Report, PayError> {
    policy::may(by, Action::WatchPayout)?;
    let home = desk.store.buckets().home();
    let (run, acts) = desk.store.read::<_, PayError, _>(home, move |tx| {
        Ok((table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?, table::acts(tx, id)?))
    })?;
    let shares: Vec<_> =
        desk.store.buckets().all().map(|bucket| share_id(&desk.keys, &run, bucket)).collect();
    let disbursement = run_account(id, Use::Disbursement, "", run.programme.currency).id;
    let (out, on_the_way) = desk
        .store
        .read::<_, StoreError, _>(home, move |tx| Ok((sent(tx, &shares)?, outgoing_to(tx, disbursement)?)))?;
    let mut books = Books { out_of_treasury: out, ..Books::default() };
    let mut counts: BTreeMap<(State, String), u64> = BTreeMap::new();
    for bucket in desk.store.buckets().all() {
        let has_arrived = read_bucket(desk, &run, bucket, &mut books, &mut counts)?;
        let coming = on_the_way.iter().filter(|(to, _)| *to == bucket.index() && !has_arrived);
        books.in_transit += coming.map(|(_, amount)| amount).sum::<u64>();
    }
    let tally = |((state, reason), people): ((State, String), u64)| {
        Ok(Tally { state, reason, people, sum: for_people(run.programme.amount, people)? })
    };
    let tallies = counts.into_iter().map(tally).collect::<Result<Vec<_>, PayError>>()?;
    Ok(Report { run, acts, tallies, books })
}

/// Adds one bucket to the books and the counts; returns whether its share has arrived.
fn read_bucket(
    desk: &Desk,
    run: &Run,
    bucket: Bucket,
    books: &mut Books,
    counts: &mut BTreeMap<(State, String), u64>,
) -> Result<bool, PayError> {
    let (id, currency) = (run.id, run.programme.currency);
    let (tallies, found) = desk.store.read::<_, StoreError, _>(bucket, move |tx| {
        let banks: std::collections::BTreeSet<String> =
            table::messages(tx, id)?.into_iter().map(|message| message.bank).collect();
        let account = |purpose: Use, bank: &str| run_account(id, purpose, bank, currency).id;
        let mut asked = vec![
            account(Use::Disbursement, ""),
            account(Use::Voucher, ""),
            account(Use::Pending, ""),
            account(Use::Returned, ""),
            account(Use::Cash, ""),
        ];
        asked.extend(banks.iter().map(|bank| account(Use::Settlement, bank)));
        Ok((table::tallies(tx, id)?, accounts(tx, &asked)?))
    })?;
    for (state, reason, people) in tallies {
        *counts.entry((state, reason)).or_default() += people;
    }
    let held = |account: &Option<Account>| account.map_or(0, |account| account.balance().unsigned_abs());
    books.undisbursed += held(&found[0]);
    books.vouchers += held(&found[1]);
    books.pending += held(&found[2]);
    books.returned += held(&found[3]);
    books.cash += held(&found[4]);
    books.received += found[5..].iter().map(held).sum::<u64>();
    Ok(found[0].is_some_and(|disbursement| disbursement.credits_posted > Amount::ZERO))
}
