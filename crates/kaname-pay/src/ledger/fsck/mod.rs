//! Proves the books: every balance is the sum of its transfers and is what the chain of them leads to, every transfer has two sides
//! in one currency, what left one bucket arrived in another or is on its way, and no money was made or lost.
//!
//! It may run while others post. Each bucket is read in one consistent view, so that all that is said of a bucket is exact; what crosses
//! buckets is compared in both directions between views taken one after another (`crossing`), and is exact when nothing crossed
//! meanwhile.
//!
//! It streams: at most [`ACCOUNTS_AT_ONCE`] accounts and [`PAGE`] transfers are in memory.

mod chain;
mod crossing;

use std::collections::BTreeMap;

use kaname_base::{Amount, Bucket, Currency};
use kaname_person::{Action, policy};
use kaname_store::{Store, StoreError, Tx};
use kaname_trust::Actor;

use crate::PayError;
use crate::ids::AccountId;
use crate::ledger::clearing::suspense_account;
use crate::ledger::rules::Effect;
use crate::ledger::table::{self, Line, Link};
use crate::ledger::{Account, Limit, balance};

/// Accounts whose sums are held at once; a bucket with more is read in several passes.
const ACCOUNTS_AT_ONCE: i64 = 200_000;

/// Rows read at once.
const PAGE: i64 = 4_096;

/// Findings that are kept in words; more are only counted.
const WORDS: usize = 100;

/// What a check of the books found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Accounts read.
    pub accounts: u64,
    /// Transfers read.
    pub transfers: u64,
    /// What is wrong, in plain words; the first hundred.
    pub wrong: Vec<String>,
    /// How much is wrong in all.
    pub wrong_count: u64,
    /// For each currency, what its accounts hold in the outside world's favour: all credits less all debits, which is zero
    /// when money is conserved.
    pub net_minor: BTreeMap<String, i128>,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.wrong_count == 0
    }

    fn add(&mut self, words: String) {
        self.wrong_count += 1;
        if self.wrong.len() < WORDS {
            self.wrong.push(words);
        }
    }
}

/// Checks the books of all buckets.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`PayError::Store`] when they cannot be read. What is wrong with them is in the [`Findings`].
pub fn fsck(store: &Store, by: &Actor) -> Result<Findings, PayError> {
    policy::may(by, Action::AuditBooks)?;
    let mut found = Findings::default();
    let mut currencies: BTreeMap<String, Currency> = BTreeMap::new();
    for bucket in store.buckets().all() {
        let part = store.read::<_, StoreError, _>(bucket, check_bucket)?;
        found.accounts += part.found.accounts;
        found.transfers += part.found.transfers;
        let unsaid = part.found.wrong_count - part.found.wrong.len() as u64;
        for words in part.found.wrong {
            found.add(words);
        }
        found.wrong_count += unsaid;
        for (currency, net) in part.found.net_minor {
            *found.net_minor.entry(currency).or_default() += net;
        }
        currencies.extend(part.currencies);
    }
    for words in crossing::check(store, currencies.into_values().collect())? {
        found.add(words);
    }
    let unequal: Vec<_> = found.net_minor.iter().filter(|(_, net)| **net != 0).collect();
    let words: Vec<_> = unequal
        .into_iter()
        .map(|(currency, net)| {
            format!("all accounts in {currency}: credits exceed debits by {net} minor units; money is not conserved")
        })
        .collect();
    words.into_iter().for_each(|words| found.add(words));
    Ok(found)
}

#[derive(Default)]
struct Part {
    found: Findings,
    currencies: BTreeMap<String, Currency>,
    marks: i64,
}

fn check_bucket(tx: &mut Tx<'_>) -> Result<Part, StoreError> {
    let bucket = tx.bucket();
    let mut part = Part::default();
    let mut from: Vec<u8> = Vec::new();
    let mut is_first = true;
    loop {
        let accounts = balance::accounts_after(tx, &from, ACCOUNTS_AT_ONCE)?;
        let is_last = (accounts.len() as i64) < ACCOUNTS_AT_ONCE;
        let until = accounts.last().filter(|_| !is_last).map(|account| account.id);
        let mut sums: BTreeMap<AccountId, (Account, Sums)> =
            accounts.into_iter().map(|account| (account.id, (account, Sums::default()))).collect();
        add_up(tx, &mut part, &mut sums, &from, until, is_first)?;
        for (account, sums) in sums.values() {
            compare(bucket, &mut part, account, sums);
            if let Some(words) = chain::check(tx, account, sums, &mut part.marks)? {
                part.found.add(format!("{bucket:?}: {words}"));
            }
        }
        let Some(until) = until else { break };
        from = until.bytes().to_vec();
        is_first = false;
    }
    if part.marks != balance::mark_count(tx)? {
        part.found.add(format!("{bucket:?}: there are marks of balances that no chain leads to"));
    }
    Ok(part)
}

/// Reads all transfers, and adds up those sides that fall on accounts after `from` up to `until`.
fn add_up(
    tx: &mut Tx<'_>,
    part: &mut Part,
    sums: &mut BTreeMap<AccountId, (Account, Sums)>,
    from: &[u8],
    until: Option<AccountId>,
    is_first: bool,
) -> Result<(), StoreError> {
    let bucket = tx.bucket();
    let mut after: Vec<u8> = Vec::new();
    let mut resolving = 0;
    loop {
        let page = table::transfers_after(tx, &after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.link.standing.transfer.id.bytes().to_vec();
        for Line { link, resolves } in &page {
            let (transfer, reserved) = (&link.standing.transfer, link.reserved);
            let names_pending = transfer.kind.named().is_some();
            resolving += i64::from(names_pending);
            if is_first {
                part.found.transfers += 1;
                if names_pending && !(reserved.is_some() && *resolves) {
                    part.found.add(format!(
                        "{bucket:?}: {} posts or voids a transfer that is not pending, or that another resolved",
                        transfer.id
                    ));
                }
            }
            for (id, is_debit) in [(transfer.debit, true), (transfer.credit, false)] {
                if id.bytes().as_slice() <= from || until.is_some_and(|until| id > until) {
                    continue; // of another pass
                }
                match sums.get_mut(&id) {
                    Some((_, sums)) => sums.add(link, is_debit),
                    None => {
                        let id = transfer.id;
                        part.found.add(format!("{bucket:?}: {id} names an account that is not there"));
                    }
                }
            }
            if let (Some((debit, _)), Some((credit, _))) =
                (sums.get(&transfer.debit), sums.get(&transfer.credit))
                && debit.currency != credit.currency
            {
                part.found.add(format!("{bucket:?}: {} has two currencies", transfer.id));
            }
        }
    }
    if is_first && resolving != table::resolution_count(tx)? {
        part.found
            .add(format!("{bucket:?}: a pending transfer counts as resolved, and no transfer resolved it"));
    }
    Ok(())
}

fn compare(bucket: Bucket, part: &mut Part, account: &Account, sums: &Sums) {
    let found = &mut part.found;
    found.accounts += 1;
    let id = account.id;
    let pairs = [
        ("paid out", account.debits_posted, sums.debits_posted),
        ("paid in", account.credits_posted, sums.credits_posted),
        ("pending out", account.debits_pending, sums.debits_pending),
        ("pending in", account.credits_pending, sums.credits_pending),
    ];
    for (what, holds, sum) in pairs {
        let holds = i128::from(holds.stored());
        if holds != sum {
            found.add(format!(
                "{bucket:?}: {id} says {holds} minor units {what}, its transfers sum up to {sum}"
            ));
        }
    }
    let out = sums.debits_posted + sums.debits_pending;
    let into = sums.credits_posted + sums.credits_pending;
    let broken = match account.limit {
        Limit::None => false,
        Limit::DebitsUpToCredits => out > sums.credits_posted,
        Limit::CreditsUpToDebits => into > sums.debits_posted,
    };
    if broken {
        found.add(format!("{bucket:?}: {id} is beyond its limit"));
    }
    let code = account.currency.code();
    *found.net_minor.entry(code.to_owned()).or_default() += i128::from(account.balance());
    part.currencies.insert(code.to_owned(), account.currency);
    if account.id == suspense_account(account.currency) && account.balance() != 0 {
        let rest = account.balance();
        found.add(format!(
            "{bucket:?}: {rest} minor units of {code} arrived for an account that is not there"
        ));
    }
}

/// Sums of the transfers of one account.
#[derive(Clone, Copy, Default)]
struct Sums {
    debits_posted: i128,
    credits_posted: i128,
    debits_pending: i128,
    credits_pending: i128,
    /// How many transfers there are, and how many of them name none before on this account.
    transfers: i64,
    firsts: i64,
}

impl Sums {
    fn add(&mut self, link: &Link, is_debit: bool) {
        let (posted, pending) = if is_debit {
            (&mut self.debits_posted, &mut self.debits_pending)
        } else {
            (&mut self.credits_posted, &mut self.credits_pending)
        };
        let reserved = link.reserved.unwrap_or(Amount::ZERO);
        let effect = Effect::of(link.standing.transfer.kind, link.standing.moved, reserved);
        *posted += i128::from(effect.posts.stored());
        *pending += i128::from(effect.reserves.stored()) - i128::from(effect.releases.stored());
        self.transfers += 1;
        self.firsts += i64::from(link.before[usize::from(!is_debit)].is_none());
    }
}
