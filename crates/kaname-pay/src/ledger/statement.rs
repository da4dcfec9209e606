//! What an account held at any moment, and what moved it, read off its chain from the newest transfer back.
//!
//! Each transfer names the one before it on both of its accounts, so that no index over accounts is needed, which every transfer
//! would change in two places. Every [`MARK_EVERY`]th link leaves a mark with what the account held: a moment of the past is
//! found from the first mark after it, in that many steps and those of the batch.

use std::collections::VecDeque;

use kaname_base::{Amount, Instant};
use kaname_person::{Action, policy};
use kaname_store::{StoreError, Tx};
use kaname_trust::Actor;

use crate::PayError;
use crate::ids::{AccountId, TransferId};
use crate::ledger::rules::{Effect, Standing};
use crate::ledger::table::Link;
use crate::ledger::{Account, Side, balance, table};

/// A mark is left after so many links of an account's chain.
pub(crate) const MARK_EVERY: i64 = 256;

/// One line of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The transfer.
    pub transfer: Standing,
    /// On which side of it the account stands.
    pub side: Side,
    /// The account as the transfer left it.
    pub after: Account,
}

/// Where a page of a statement begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// With the newest.
    Newest,
    /// With what stood there at that moment, included.
    At(Instant),
    /// Behind this transfer of the account, the last one of the page before.
    Behind(TransferId),
}

/// A page of an account's entries, the newest first; `None` when there is no such account, or the transfer to begin behind is not its.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`StoreError`], also when the chain is broken, which `fsck` explains.
pub fn statement(
    tx: &mut Tx<'_>,
    by: &Actor,
    account: AccountId,
    start: Start,
    most: usize,
) -> Result<Option<Vec<Entry>>, PayError> {
    policy::may(by, Action::AuditBooks)?;
    let Some(mut walk) = Walk::from(tx, account, start)? else { return Ok(None) };
    let mut entries = Vec::new();
    while entries.len() < most {
        match walk.step(tx)? {
            Step::Entry(entry) => entries.push(entry),
            Step::End => break,
            Step::Broken(why) => return Err(broken(account, why).into()),
        }
    }
    Ok(Some(entries))
}

/// An account as it was at a moment: what was posted then is included. `None` when there is no such account.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`StoreError`].
pub fn account_at(
    tx: &mut Tx<'_>,
    by: &Actor,
    account: AccountId,
    at: Instant,
) -> Result<Option<Account>, PayError> {
    policy::may(by, Action::AuditBooks)?;
    Ok(Walk::from(tx, account, Start::At(at))?.map(|walk| walk.account))
}

/// Accounts of the unit's bucket, the first so many by id.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`StoreError`].
pub fn account_ids(tx: &mut Tx<'_>, by: &Actor, most: usize) -> Result<Vec<AccountId>, PayError> {
    policy::may(by, Action::AuditBooks)?;
    Ok(table::account_rows_after(tx, &[], most as i64)?.iter().map(|account| account.id).collect())
}

/// Transfers of the unit's bucket that were made in a period and whose id is below `before`, the newest first by id.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`StoreError`].
pub fn transfers(
    tx: &mut Tx<'_>,
    by: &Actor,
    before: Option<TransferId>,
    period: (Instant, Instant),
    most: usize,
) -> Result<Vec<Standing>, PayError> {
    policy::may(by, Action::AuditBooks)?;
    let greatest = [0xFF; 17]; // above each id, which has sixteen bytes
    let before = before.as_ref().map_or(&greatest[..], |id| id.bytes());
    Ok(table::transfers_before(tx, before, period, most as i64)?)
}

/// An account, going back in time.
pub(crate) struct Walk {
    /// As the next link left it.
    pub(crate) account: Account,
    /// Links that were read ahead, and how many are read the next time.
    ahead: VecDeque<Link>,
    page: i64,
}

/// Links read at once: few at first, for who wants one moment only.
const PAGES: (i64, i64) = (16, 1_024);

pub(crate) enum Step {
    Entry(Entry),
    /// There is nothing before.
    End,
    /// The chain does not hold.
    Broken(&'static str),
}

impl Walk {
    pub(crate) fn new(account: Account) -> Walk {
        Walk { account, ahead: VecDeque::new(), page: PAGES.0 }
    }

    fn from(tx: &mut Tx<'_>, id: AccountId, start: Start) -> Result<Option<Walk>, StoreError> {
        let Some(account) = balance::accounts(tx, &[id])?[0] else { return Ok(None) };
        let at = match start {
            Start::Newest => return Ok(Some(Walk::new(account))),
            Start::At(at) => at,
            Start::Behind(behind) => match table::transfers(tx, &[behind])?.first() {
                Some(standing) => standing.at,
                None => return Ok(None),
            },
        };
        let mut walk = Walk::near(tx, account, at)?;
        loop {
            let here = walk.account;
            let entry = match walk.step(tx)? {
                Step::Entry(entry) => entry.transfer,
                Step::End => return Ok(matches!(start, Start::At(_)).then_some(walk)),
                Step::Broken(why) => return Err(broken(id, why)),
            };
            match start {
                Start::Behind(behind) if entry.transfer.id == behind => return Ok(Some(walk)),
                Start::Behind(_) if entry.at < at => return Ok(None),
                Start::At(at) if entry.at <= at => return Ok(Some(Walk::new(here))),
                _ => {}
            }
        }
    }

    /// From the first mark after `at`, or from now when there is none.
    fn near(tx: &mut Tx<'_>, account: Account, at: Instant) -> Result<Walk, StoreError> {
        Ok(Walk::new(balance::mark_after(tx, &account, at)?.unwrap_or(account)))
    }

    /// One link back.
    pub(crate) fn step(&mut self, tx: &mut Tx<'_>) -> Result<Step, StoreError> {
        let Some(last) = self.account.last else { return Ok(Step::End) };
        if self.ahead.is_empty() {
            self.ahead = table::links(tx, self.account.id, last, self.page)?;
            self.page = (self.page * 4).min(PAGES.1);
        }
        let Some(link) = self.ahead.pop_front() else {
            return Ok(Step::Broken("names a transfer that is not there"));
        };
        let after = self.account;
        Ok(match self.back(&link) {
            Ok(side) => Step::Entry(Entry { transfer: link.standing, side, after }),
            Err(why) => Step::Broken(why),
        })
    }

    /// Takes back what the link did.
    fn back(&mut self, link: &Link) -> Result<Side, &'static str> {
        let transfer = &link.standing.transfer;
        let account = &mut self.account;
        let (side, posted, pending) = if transfer.debit == account.id {
            (Side::Debit, &mut account.debits_posted, &mut account.debits_pending)
        } else if transfer.credit == account.id {
            (Side::Credit, &mut account.credits_posted, &mut account.credits_pending)
        } else {
            return Err("names a transfer of other accounts");
        };
        let reserved = link.reserved.unwrap_or(Amount::ZERO);
        let Effect { posts, reserves, releases } = Effect::of(transfer.kind, link.standing.moved, reserved);
        let before = |held: Amount, more: Amount, less: Amount| held.checked_add(less)?.checked_sub(more);
        let sums = (before(*posted, posts, Amount::ZERO), before(*pending, reserves, releases));
        let (Some(posted_before), Some(pending_before)) = sums else {
            return Err("moved more than the account ever held");
        };
        (*posted, *pending) = (posted_before, pending_before);
        account.last = link.before[usize::from(side == Side::Credit)];
        account.version -= 1;
        if account.version < 0 {
            return Err("is longer than the account says");
        }
        Ok(side)
    }
}

fn broken(account: AccountId, why: &str) -> StoreError {
    StoreError::Database(format!("the chain of {account} {why}"))
}
