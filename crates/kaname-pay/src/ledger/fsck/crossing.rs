//! Whether what left one bucket arrived in another, or is on its way.
//!
//! The clearing accounts' credits are all that was ever sent, and their debits all that ever arrived: both only grow. So whatever is
//! sent and carried between the first view and the last, nothing arrived that was not sent a view later, and all that was sent has
//! arrived two views later or stood in an outbox in between. When nothing moved in the meantime both say the same: equality.

use kaname_base::{Bucket, Currency};
use kaname_store::{Store, StoreError, Tx};

use crate::ledger::balance;
use crate::ledger::clearing::{clearing_account, leg_in};
use crate::ledger::table::{self, Outgoing};

const PAGE: i64 = 4_096;

/// Minor units of one currency in all buckets, each at the moment of its view.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct View {
    sent: i128,
    arrived: i128,
    on_its_way: i128,
}

/// Compares; says what is wrong.
pub(super) fn check(store: &Store, currencies: Vec<Currency>) -> Result<Vec<String>, StoreError> {
    let views = [look(store, &currencies)?, look(store, &currencies)?, look(store, &currencies)?];
    let mut wrong = Vec::new();
    for (place, currency) in currencies.iter().enumerate() {
        let [first, second, third] = [0, 1, 2].map(|view: usize| views[view][place]);
        let is_at_rest = (first.sent, first.arrived) == (third.sent, third.arrived);
        let made = first.arrived - if is_at_rest { first.sent } else { second.sent };
        let lost = first.sent - third.arrived - second.on_its_way;
        let rest = if is_at_rest { lost } else { lost.max(0) };
        let code = currency.code();
        if made > 0 {
            wrong.push(format!("clearing: {made} minor units of {code} arrived and were never sent"));
        } else if rest != 0 {
            wrong.push(format!(
                "clearing: {rest} minor units of {code} left a bucket and are neither on their way nor arrived"
            ));
        }
    }
    Ok(wrong)
}

/// One view, in the order of the currencies.
fn look(store: &Store, currencies: &[Currency]) -> Result<Vec<View>, StoreError> {
    let mut views = vec![View::default(); currencies.len()];
    for bucket in store.buckets().all() {
        let ids: Vec<_> = currencies.iter().map(|currency| clearing_account(*currency)).collect();
        let (accounts, outbox) = store.read::<_, StoreError, _>(bucket, move |tx| {
            Ok((balance::accounts(tx, &ids)?, whole_outbox(tx)?))
        })?;
        for (view, account) in views.iter_mut().zip(accounts) {
            if let Some(account) = account {
                view.sent += i128::from(account.credits_posted.stored());
                view.arrived += i128::from(account.debits_posted.stored());
            }
        }
        for outgoing in outbox {
            let place = currencies.iter().position(|currency| *currency == outgoing.currency);
            if let Some(place) = place
                && !has_arrived(store, bucket, &outgoing)?
            {
                views[place].on_its_way += i128::from(outgoing.amount.stored());
            }
        }
    }
    Ok(views)
}

fn whole_outbox(tx: &mut Tx<'_>) -> Result<Vec<Outgoing>, StoreError> {
    let mut all: Vec<Outgoing> = Vec::new();
    loop {
        let after = all.last().map_or(Vec::new(), |last| last.id.bytes().to_vec());
        let page = table::outbox(tx, &after, PAGE)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn has_arrived(store: &Store, from: Bucket, outgoing: &Outgoing) -> Result<bool, StoreError> {
    let Some(to) = store.buckets().get(outgoing.to_bucket) else { return Ok(false) };
    let leg = leg_in(from, outgoing).id;
    store.read::<_, StoreError, _>(to, move |tx| Ok(!table::transfers(tx, &[leg])?.is_empty()))
}
