//! Use case: a second way for money that waits or came back: another account that was registered since, or a voucher. It goes
//! only to the person on the list whose it was, and moves out of what waits or was returned, so that nobody gets it twice.

use std::collections::BTreeMap;

use kaname_base::{Bucket, Env, Instant};
use kaname_person::{Action, policy};
use kaname_store::Tx;
use kaname_trust::{Actor, Keys, PersonId, Receipt};

use crate::ids::{self, PayeeId, RunId};
use crate::ledger::{Account, Kind, Transfer, open_accounts, post_batch};
use crate::payee::table::payees_between;
use crate::payee::{Desk, PayeeAccount};
use crate::payout::act::{self, Step};
use crate::payout::message::{self, MessageKey, RETRY_FROM};
use crate::payout::pay_batch::{payment_id, ways};
use crate::payout::rules::Way;
use crate::payout::run::run;
use crate::payout::table::{self, Moved, Part};
use crate::payout::treasury::{Move, Use, run_account};
use crate::payout::voucher::new_voucher;
use crate::payout::{Counter, Outcome, Payer, RunPayout, RunState, State, Steps};
use crate::receipts::receipts;
use crate::{PayError, Refusal};

/// The second way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// The account that a person has now: for money that waited, or an account registered after the run was planned.
    Account,
    /// A voucher.
    Voucher,
}

/// How it went.
#[derive(Clone, Debug)]
pub struct Retried {
    /// How many people were sent their money again.
    pub sent: u64,
    /// How many got a voucher.
    pub vouchers: u64,
    /// How many still wait; the report says why.
    pub left: u64,
    /// What the banks say of it, as after [`run`].
    pub outcome: Outcome,
}

/// Pays those of a run again whose money waits or came back. It may be killed at any moment and asked for again.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::NoSuchRun`]; [`Refusal::WrongState`] before everybody had a turn.
pub fn retry(
    desk: &Desk,
    env: &Env,
    command: &RunPayout,
    to: To,
    steps: &mut Steps<'_>,
) -> Result<Retried, PayError> {
    policy::may(&command.by, Action::RunPayout)?;
    let (id, by, start_env) = (command.run, command.by.clone(), env.again());
    let home = desk.store.buckets().home();
    desk.store.write::<_, PayError, _>(home, move |tx| begin(&start_env, tx, &by, id))?;
    let mut done = Done::default();
    for bucket in desk.store.buckets().all() {
        let mut after = Vec::new();
        while let Some(next) = retry_next(desk, env, command, (bucket, after), to, &mut done)? {
            after = next;
        }
    }
    let outcome = run(desk, env, command, steps)?;
    Ok(Retried { sent: done.sent, vouchers: done.vouchers, left: done.left, outcome })
}

#[derive(Clone, Default)]
struct Done {
    sent: u64,
    vouchers: u64,
    left: u64,
}

/// The run goes on: there will be messages to hand over and reports to read.
fn begin(env: &Env, tx: &mut Tx<'_>, by: &Actor, id: RunId) -> Result<(), PayError> {
    let run = table::run(tx, id)?.ok_or(Refusal::NoSuchRun)?;
    match run.state {
        RunState::Running => {}
        RunState::Finished => {
            table::replace_run(tx, &crate::payout::Run { state: RunState::Running, ..run })?;
        }
        RunState::Planning | RunState::Planned | RunState::Approved | RunState::Stopped => {
            return Err(Refusal::WrongState.into());
        }
    }
    act::note(env, tx, id, Step::Retried, by)
}

/// One page of a bucket's list; where the next one begins, or `None` at the end.
fn retry_next(
    desk: &Desk,
    env: &Env,
    command: &RunPayout,
    (bucket, after): (Bucket, Vec<u8>),
    to: To,
    done: &mut Done,
) -> Result<Option<Vec<u8>>, PayError> {
    let reading = Reading {
        keys: desk.keys.clone(),
        actor: Actor::program(&format!("payout for {}", command.by.id), &command.by.role),
        basis: desk.basis(),
        payer: command.payer.clone(),
        until: Counter::of(desk).until(env.now),
        to,
    };
    let (run, most, env) = (command.run, command.batch.clamp(1, 8_192) as i64, env.again());
    let page = desk.store.write::<_, PayError, _>(bucket, move |tx| {
        let Some(part) = table::part(tx, run)? else { return Ok(None) };
        let list = table::list_after(tx, run, &after, most)?;
        let Some((last, _)) = list.last().copied() else { return Ok(None) };
        let done = retry_batch(&env.again(), tx, &reading, part, &list)?;
        Ok(Some((last.bytes().to_vec(), done)))
    })?;
    Ok(page.map(|(last, page)| {
        done.sent += page.sent;
        done.vouchers += page.vouchers;
        done.left += page.left;
        last
    }))
}

/// What a batch reads and writes with.
struct Reading {
    keys: Keys,
    actor: Actor,
    basis: String,
    payer: Payer,
    until: Instant,
    to: To,
}

fn retry_batch(
    env: &Env,
    tx: &mut Tx<'_>,
    with: &Reading,
    part: Part,
    list: &[(PayeeId, State)],
) -> Result<Done, PayError> {
    let waits = |state: State| matches!(state, State::Pending | State::Returned);
    let waiting: Vec<(PayeeId, State)> = list.iter().copied().filter(|(_, state)| waits(*state)).collect();
    let (Some((first, _)), Some((last, _))) = (waiting.first().copied(), waiting.last().copied()) else {
        return Ok(Done::default());
    };
    let keys = &with.keys;
    let payees: Vec<PayeeId> = waiting.iter().map(|(payee, _)| *payee).collect();
    let people: Vec<PersonId> = payees.iter().map(|payee| ids::person(keys, *payee)).collect();
    let rows = payees_between(tx, first, last)?;
    let receipts = receipts(env, tx, keys, &with.actor, &with.basis, &people, &["account"])?;
    let ways = ways(&payees, &rows, &receipts);
    let batch = RETRY_FROM + part.version;
    let currency = part.programme.currency;
    let account = |purpose: Use, bank: &str| run_account(part.run, purpose, bank, currency);

    let (mut done, mut moved, mut transfers) = (Done::default(), Vec::new(), Vec::new());
    let (mut vouchers, mut retried) = (Vec::new(), Vec::new());
    let mut by_bank: BTreeMap<String, Vec<(PayeeId, PayeeAccount)>> = BTreeMap::new();
    let mut settlements: BTreeMap<String, Account> = BTreeMap::new();
    for (((payee, from), way), receipt) in waiting.iter().zip(ways).zip(&receipts) {
        let (to, credit) = match second_way(with.to, way, receipt.as_ref(), *from, part.planned_at) {
            Second::Account(paid_on) => {
                let bank = paid_on.account.bank.clone();
                by_bank.entry(bank.clone()).or_default().push((*payee, paid_on));
                retried.push(*payee);
                done.sent += 1;
                let settlement =
                    settlements.entry(bank).or_insert_with_key(|bank| account(Use::Settlement, bank));
                (State::Sent, settlement.id)
            }
            Second::Voucher(receipt) => {
                vouchers.push(new_voucher(keys, &part, *payee, receipt, with.until).0);
                done.vouchers += 1;
                (State::Voucher, account(Use::Voucher, "").id)
            }
            Second::None => {
                done.left += 1;
                continue;
            }
        };
        let from_account = if *from == State::Pending { Use::Pending } else { Use::Returned };
        moved.push(Moved { payee: *payee, from: *from, to, reason: "" });
        transfers.push(Transfer {
            id: payment_id(keys, &part, *payee, &message::leg(b"retry", batch)),
            debit: account(from_account, "").id,
            credit,
            amount: part.programme.amount,
            kind: Kind::Posted,
            code: Move::Payment as u16,
        });
    }
    if moved.is_empty() {
        return Ok(done);
    }
    let mut messages = Vec::with_capacity(by_bank.len());
    for (bank, members) in &by_bank {
        let key = MessageKey { run: part.run, bucket: tx.bucket(), batch, bank };
        messages.push(message::write(keys, &key, &part.programme, &with.payer, env.now, members)?);
    }

    open_accounts(tx, &settlements.into_values().collect::<Vec<_>>())?;
    for outcome in post_batch(env, tx, &transfers)? {
        outcome?;
    }
    table::move_entitlements(tx, part.run, &moved)?;
    table::note_retries(tx, part.run, &retried, batch)?;
    table::insert_messages(tx, part.run, &messages)?;
    table::insert_vouchers(tx, part.run, &vouchers)?;
    table::advance_part(tx, &part)?;
    Ok(done)
}

/// What is done for one person.
enum Second<'r, 'u> {
    Account(PayeeAccount),
    Voucher(&'r Receipt<'u>),
    None,
}

fn second_way<'r, 'u>(
    to: To,
    way: Way<PayeeAccount>,
    receipt: Option<&'r Receipt<'u>>,
    from: State,
    planned_at: Instant,
) -> Second<'r, 'u> {
    match (to, way, receipt) {
        // What a bank gave back is not sent to the account again that it came back from.
        (To::Account, Way::Account(paid_on), Some(_))
            if from == State::Pending || paid_on.since > planned_at =>
        {
            Second::Account(paid_on)
        }
        (To::Voucher, _, Some(receipt)) => Second::Voucher(receipt),
        // Nobody is there who could be paid, or there is no account yet.
        (To::Account, ..) | (To::Voucher, _, None) => Second::None,
    }
}
