//! Use case: move money once.

use std::collections::HashMap;

use kaname_base::Env;
use kaname_store::{StoreError, Tx};

use crate::ids::{AccountId, TransferId};
use crate::ledger::balance::{Balances, insert_marks};
use crate::ledger::rules::{self, Decision, Facts, Resolution, Standing};
use crate::ledger::statement::MARK_EVERY;
use crate::ledger::table::Link;
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
    let mut book = Book::read(env, tx, || transfers.iter())?;
    let outcomes = transfers.iter().map(|transfer| book.decide(transfer)).collect();

    book.write(tx)?;
    Ok(outcomes)
}

/// Like [`post_batch`] with chains of transfers: of a chain all are made, or none. Where one is refused, the others of its chain
/// answer [`Refusal::LinkedFailed`], unless they stood there before.
///
/// # Errors
/// [`StoreError`]; nothing was written then.
pub fn post_chains(
    env: &Env,
    tx: &mut Tx<'_>,
    chains: &[&[Transfer]],
) -> Result<Vec<Vec<Result<Posted, Refusal>>>, StoreError> {
    let mut book = Book::read(env, tx, || chains.iter().copied().flatten())?;
    let outcomes = chains.iter().map(|chain| book.decide_chain(chain)).collect();

    book.write(tx)?;
    Ok(outcomes)
}

/// What a batch needs to know, and what it changes.
struct Book {
    balances: Balances,
    standing: HashMap<TransferId, Standing>,
    resolved: HashMap<TransferId, Resolution>,
    accepted: Vec<Link>,
    /// Accounts as they were after each link that is to be marked.
    marks: Vec<Account>,
    /// Accounts as they were before the transfers of the chain that is being decided.
    undo: Option<Vec<(u32, Account)>>,
}

impl Book {
    fn read<'a, I>(env: &Env, tx: &mut Tx<'_>, transfers: impl Fn() -> I) -> Result<Book, StoreError>
    where
        I: Iterator<Item = &'a Transfer>,
    {
        let mut balances = Balances::take(tx, env.now)?;
        let mut ids: Vec<AccountId> = transfers().flat_map(|t| [t.debit, t.credit]).collect();
        ids.retain(|id| balances.place(*id).is_none());
        ids.sort_unstable();
        ids.dedup();
        balances.find(tx, &ids)?;

        let named: Vec<TransferId> = transfers().filter_map(|t| t.kind.named()).collect();
        let mut asked: Vec<TransferId> = transfers().map(|t| t.id).chain(named.iter().copied()).collect();
        // Nothing above the greatest id stands in the ledger: a batch of new, time-ordered ids asks for none.
        let greatest = table::greatest_transfer(tx)?;
        asked.retain(|id| greatest.is_some_and(|greatest| *id <= greatest));
        asked.sort_unstable();
        asked.dedup();
        let count = transfers().count();
        let mut standing = HashMap::with_capacity(count);
        for found in table::transfers(tx, &asked)? {
            standing.insert(found.transfer.id, found);
        }
        let resolved = table::resolutions(tx, &named)?;
        let accepted = Vec::with_capacity(count);
        Ok(Book { balances, standing, resolved, accepted, marks: Vec::new(), undo: None })
    }

    fn decide(&mut self, transfer: &Transfer) -> Result<Posted, Refusal> {
        let balances = &self.balances;
        let (debit, credit) = (balances.place(transfer.debit), balances.place(transfer.credit));
        let named = transfer.kind.named();
        let facts = Facts {
            now: balances.at,
            existing: self.standing.get(&transfer.id),
            debit: debit.map(|place| balances.account(place)),
            credit: credit.map(|place| balances.account(place)),
            pending: named.and_then(|id| self.standing.get(&id)).map(|pending| &pending.transfer),
            resolved: named.and_then(|id| self.resolved.get(&id)).copied(),
        };
        let (from, to, moved) = match rules::decide(transfer, &facts)? {
            Decision::Stands(at, moved) => return Ok(Posted { at, again: true, moved }),
            Decision::Move { debit, credit, amount } => (debit, credit, amount),
        };
        let at = balances.at;
        let [debit, credit] = [debit, credit].map(|place| place.expect("a decision to move found both"));
        let before = [self.append(debit, from, transfer.id), self.append(credit, to, transfer.id)];
        let standing = Standing { transfer: *transfer, moved, at };
        self.standing.insert(transfer.id, standing);
        match transfer.kind {
            Kind::PostOf(pending) => drop(self.resolved.insert(pending, Resolution::Posted)),
            Kind::VoidOf(pending) => drop(self.resolved.insert(pending, Resolution::Voided)),
            Kind::ExpiryOf(pending) => drop(self.resolved.insert(pending, Resolution::Expired)),
            Kind::Posted | Kind::Pending | Kind::PendingUntil(_) | Kind::UpTo(_) | Kind::Close(_) => {}
        }
        self.accepted.push(Link { standing, before, reserved: None });
        Ok(Posted { at, again: false, moved })
    }

    /// Makes the transfer the last link of the account's chain; returns which was the last before.
    fn append(&mut self, place: u32, mut account: Account, id: TransferId) -> Option<TransferId> {
        if let Some(undo) = &mut self.undo {
            undo.push((place, *self.balances.account(place)));
        }
        let before = account.last.replace(id);
        account.version += 1;
        if account.version % MARK_EVERY == 0 {
            self.marks.push(account);
        }
        self.balances.set(place, account);
        before
    }

    fn decide_chain(&mut self, chain: &[Transfer]) -> Vec<Result<Posted, Refusal>> {
        self.undo = Some(Vec::new());
        let (accepted, marks) = (self.accepted.len(), self.marks.len());
        let mut outcomes: Vec<Result<Posted, Refusal>> = Vec::with_capacity(chain.len());
        for transfer in chain {
            outcomes.push(self.decide(transfer));
            if outcomes.last().is_some_and(Result::is_err) {
                break;
            }
        }
        if outcomes.iter().all(Result::is_ok) {
            return outcomes;
        }
        for (place, account) in self.undo.take().into_iter().flatten().rev() {
            self.balances.set(place, account);
        }
        self.marks.truncate(marks);
        for link in self.accepted.drain(accepted..) {
            let transfer = link.standing.transfer;
            self.standing.remove(&transfer.id);
            transfer.kind.named().map(|pending| self.resolved.remove(&pending));
        }
        // Those behind the refused one are not decided: what they would be depends on what was not made.
        outcomes.resize(chain.len(), Err(Refusal::LinkedFailed));
        for (outcome, transfer) in outcomes.iter_mut().zip(chain) {
            if outcome.is_ok() && !self.standing.contains_key(&transfer.id) {
                *outcome = Err(Refusal::LinkedFailed);
            }
        }
        outcomes
    }

    /// Appends in order of id: neighbours lie on the same page.
    fn write(mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.accepted.sort_unstable_by_key(|link| link.standing.transfer.id);
        let expiry = |link: &Link| match link.standing.transfer.kind {
            Kind::PendingUntil(until) => Some((until, link.standing.transfer.id)),
            _ => None,
        };
        table::insert_transfers(tx, &self.accepted)?;
        table::insert_resolutions(tx, &self.accepted)?;
        table::insert_expiries(tx, &self.accepted.iter().filter_map(expiry).collect::<Vec<_>>())?;
        insert_marks(tx, &self.marks, self.balances.at)?;
        self.balances.write(tx)
    }
}
