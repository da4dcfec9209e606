//! Use case: move money once.

use std::collections::HashMap;

use kaname_base::{Env, Instant};
use kaname_store::{StoreError, Tx};

use crate::ids::{AccountId, TransferId};
use crate::ledger::rules::{self, Decision, Facts, Resolution};
use crate::ledger::{Account, Kind, Posted, Transfer, table};
use crate::{PayError, Refusal};

/// Moves money once, or says why not. Asked again with the same transfer, it answers as before.
///
/// # Errors
/// [`Refusal`] in the order of [`rules::decide`]; [`StoreError`].
pub fn post(env: &Env, tx: &mut Tx<'_>, transfer: &Transfer) -> Result<Posted, PayError> {
    let outcome =
        post_batch(env, tx, std::slice::from_ref(transfer))?.pop().expect("one transfer, one outcome");
    Ok(outcome?)
}

/// Decides the transfers one after another, each on what the ones before it left, and writes all that were accepted.
/// The outcomes are in the order of the transfers; a refused one does not hinder the others.
///
/// Facts are read once for the batch and balances are written once, so some thousands of transfers in one batch cost far
/// less each than one alone.
///
/// # Errors
/// [`StoreError`]; nothing was written then.
pub fn post_batch(
    env: &Env,
    tx: &mut Tx<'_>,
    transfers: &[Transfer],
) -> Result<Vec<Result<Posted, Refusal>>, StoreError> {
    let mut book = Book::read(tx, transfers)?;
    let outcomes = transfers.iter().map(|transfer| book.decide(transfer, env.now)).collect();

    book.write(tx, env.now)?;
    Ok(outcomes)
}

/// What a batch needs to know, and what it changes.
struct Book {
    /// Sorted by id.
    accounts: Vec<Account>,
    changed: Vec<bool>,
    place: HashMap<AccountId, u32>,
    standing: HashMap<TransferId, (Transfer, Instant)>,
    resolved: HashMap<TransferId, Resolution>,
    accepted: Vec<Transfer>,
}

impl Book {
    fn read(tx: &mut Tx<'_>, transfers: &[Transfer]) -> Result<Book, StoreError> {
        let mut ids: Vec<AccountId> = transfers.iter().flat_map(|t| [t.debit, t.credit]).collect();
        ids.sort_unstable();
        ids.dedup();
        let accounts: Vec<Account> = table::accounts(tx, &ids)?.into_iter().flatten().collect();
        let place = (0..).zip(&accounts).map(|(place, account)| (account.id, place)).collect();

        let named: Vec<TransferId> = transfers.iter().filter_map(named_pending).collect();
        let mut asked: Vec<TransferId> =
            transfers.iter().map(|t| t.id).chain(named.iter().copied()).collect();
        // Nothing above the greatest id stands in the ledger: a batch of new, time-ordered ids asks for none.
        let greatest = table::greatest_transfer(tx)?;
        asked.retain(|id| greatest.is_some_and(|greatest| *id <= greatest));
        asked.sort_unstable();
        asked.dedup();
        let mut standing = HashMap::with_capacity(transfers.len());
        for (transfer, at) in table::transfers(tx, &asked)? {
            standing.insert(transfer.id, (transfer, at));
        }
        let resolved = table::resolutions(tx, &named)?;
        let changed = vec![false; accounts.len()];
        Ok(Book {
            accounts,
            changed,
            place,
            standing,
            resolved,
            accepted: Vec::with_capacity(transfers.len()),
        })
    }

    fn decide(&mut self, transfer: &Transfer, now: Instant) -> Result<Posted, Refusal> {
        let debit = self.place.get(&transfer.debit).map(|place| *place as usize);
        let credit = self.place.get(&transfer.credit).map(|place| *place as usize);
        let named = named_pending(transfer);
        let facts = Facts {
            existing: self.standing.get(&transfer.id).map(|(existing, at)| (existing, *at)),
            debit: debit.map(|place| &self.accounts[place]),
            credit: credit.map(|place| &self.accounts[place]),
            pending: named.and_then(|id| self.standing.get(&id)).map(|(pending, _)| pending),
            resolved: named.and_then(|id| self.resolved.get(&id)).copied(),
        };
        let (from, to) = match rules::decide(transfer, &facts)? {
            Decision::Stands(at) => return Ok(Posted { at, again: true }),
            Decision::Move { debit, credit } => (debit, credit),
        };
        for (place, account) in [(debit, from), (credit, to)] {
            let place = place.expect("a decision to move found both accounts");
            self.accounts[place] = account;
            self.changed[place] = true;
        }
        self.standing.insert(transfer.id, (*transfer, now));
        match transfer.kind {
            Kind::PostOf(pending) => drop(self.resolved.insert(pending, Resolution::Posted)),
            Kind::VoidOf(pending) => drop(self.resolved.insert(pending, Resolution::Voided)),
            Kind::Posted | Kind::Pending => {}
        }
        self.accepted.push(*transfer);
        Ok(Posted { at: now, again: false })
    }

    /// Appends in order of id, and changes accounts in order of id: neighbours lie on the same page.
    fn write(mut self, tx: &mut Tx<'_>, now: Instant) -> Result<(), StoreError> {
        self.accepted.sort_unstable_by_key(|transfer| transfer.id);
        table::insert_transfers(tx, &self.accepted, now)?;
        table::insert_resolutions(tx, &self.accepted)?;
        let changed = self.accounts.iter().zip(&self.changed).filter(|(_, changed)| **changed);
        table::update_balances(tx, changed.map(|(account, _)| account))
    }
}

fn named_pending(transfer: &Transfer) -> Option<TransferId> {
    match transfer.kind {
        Kind::PostOf(pending) | Kind::VoidOf(pending) => Some(pending),
        Kind::Posted | Kind::Pending => None,
    }
}
