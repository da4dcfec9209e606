//! Use case: pay the next batch of a run in one bucket. All of it in one unit of work: receipts, transfers, states, vouchers,
//! and the messages to the banks.

use std::collections::BTreeMap;

use kaname_base::{Env, Instant};
use kaname_store::Tx;
use kaname_trust::{Actor, Keys, PersonId, Receipt, Sealed};

use crate::ids::{self, PayeeId, RunId, TransferId, derived_transfer};
use crate::ledger::{Account, Kind, Transfer, open_accounts, post_batch};
use crate::payee::table::{PayeeRow, payees_between};
use crate::payee::{PayeeAccount, Reason};
use crate::payout::message::{self, MessageKey};
use crate::payout::plan::part_digest;
use crate::payout::rules::{self, Way};
use crate::payout::table::{self, Moved, NewVoucher, Part};
use crate::payout::treasury::{Move, Use, run_account};
use crate::payout::voucher::new_voucher;
use crate::payout::{Payer, State};
use crate::receipts::receipts;
use crate::{PayError, Refusal};

/// Pays at most `most` people; returns how many. Vouchers are good `until` then. None means that the bucket is done.
///
/// # Errors
/// [`Refusal::ListChanged`] when the list is not the one that was approved; [`Refusal::InsufficientFunds`] when the
/// bucket's share has not arrived.
pub(crate) fn pay_batch(
    env: &Env,
    tx: &mut Tx<'_>,
    keys: &Keys,
    (actor, basis, until): (&Actor, &str, Instant),
    payer: &Payer,
    id: RunId,
    most: usize,
) -> Result<u64, PayError> {
    let Some(part) = table::part(tx, id)? else { return Ok(0) };
    if part.done_to.is_empty() {
        check_list(tx, &part)?;
    }
    let list = table::list_after(tx, id, &part.done_to, most as i64)?;
    let (Some((first, _)), Some((last, _))) = (list.first().copied(), list.last().copied()) else {
        return Ok(0);
    };
    if list.iter().any(|(_, state)| *state != State::Planned) {
        return Err(Refusal::ListChanged.into());
    }
    let payees: Vec<PayeeId> = list.into_iter().map(|(payee, _)| payee).collect();
    let rows = payees_between(tx, first, last)?;
    let people: Vec<PersonId> = payees.iter().map(|payee| ids::person(keys, *payee)).collect();
    let receipts = receipts(env, tx, keys, actor, basis, &people, &["account"])?;
    let ways = ways(&payees, &rows, &receipts);
    let currency = part.programme.currency;
    let account = |purpose: Use, bank: &str| run_account(id, purpose, bank, currency);
    let disbursement = account(Use::Disbursement, "").id;
    let voucher = account(Use::Voucher, "").id;
    let pending = account(Use::Pending, "").id;

    let mut batch = Batch::default();
    let mut settlements: BTreeMap<String, Account> = BTreeMap::new();
    for ((payee, way), receipt) in payees.iter().zip(ways).zip(&receipts) {
        let credit = match way {
            Way::Account(paid_on) => {
                let bank = paid_on.account.bank.clone();
                batch.moved(*payee, State::Sent, "");
                batch.by_bank.entry(bank.clone()).or_default().push((*payee, paid_on));
                settlements.entry(bank).or_insert_with_key(|bank| account(Use::Settlement, bank)).id
            }
            Way::Voucher => {
                let receipt = receipt.as_ref().expect("a way to pay was found with a receipt");
                batch.moved(*payee, State::Voucher, "");
                batch.vouchers.push(new_voucher(keys, &part, *payee, receipt, until).0);
                voucher
            }
            Way::Wait(reason) => {
                batch.moved(*payee, State::Pending, reason.code());
                pending
            }
        };
        batch.transfers.push(Transfer {
            id: payment_id(keys, &part, *payee, b"pay"),
            debit: disbursement,
            credit,
            amount: part.programme.amount,
            kind: Kind::Posted,
            code: Move::Payment as u16,
        });
    }
    let mut messages = Vec::with_capacity(batch.by_bank.len());
    for (bank, members) in &batch.by_bank {
        let key = MessageKey { run: id, bucket: tx.bucket(), batch: part.batches, bank };
        messages.push(message::write(keys, &key, &part.programme, payer, env.now, members)?);
    }

    open_accounts(tx, &settlements.into_values().collect::<Vec<_>>())?;
    for outcome in post_batch(env, tx, &batch.transfers)? {
        outcome?;
    }
    table::move_entitlements(tx, id, &batch.moved)?;
    table::insert_messages(tx, id, &messages)?;
    table::insert_vouchers(tx, id, &batch.vouchers)?;
    let done_to = last.bytes().to_vec();
    table::advance_part(tx, &Part { done_to, batches: part.batches + 1, ..part })?;
    Ok(payees.len() as u64)
}

/// The transfer of one payee in one run: the same at each retry, and in the order of the list.
pub(crate) fn payment_id(keys: &Keys, part: &Part, payee: PayeeId, leg: &[u8]) -> TransferId {
    derived_transfer(keys, part.planned_at, &payee.bytes()[..4], &[part.run.bytes(), payee.bytes(), leg])
}

/// What a batch writes.
#[derive(Default)]
struct Batch {
    transfers: Vec<Transfer>,
    moved: Vec<Moved<'static>>,
    by_bank: BTreeMap<String, Vec<(PayeeId, PayeeAccount)>>,
    vouchers: Vec<NewVoucher>,
}

impl Batch {
    fn moved(&mut self, payee: PayeeId, to: State, reason: &'static str) {
        self.moved.push(Moved { payee, from: State::Planned, to, reason });
    }
}

fn check_list(tx: &mut Tx<'_>, part: &Part) -> Result<(), PayError> {
    const PAGE: i64 = 8_192;
    let mut payees: Vec<PayeeId> = Vec::with_capacity(part.people as usize);
    loop {
        let after = payees.last().map_or(Vec::new(), |payee| payee.bytes().to_vec());
        let page = table::list_after(tx, part.run, &after, PAGE)?;
        if page.is_empty() {
            break;
        }
        payees.extend(page.into_iter().map(|(payee, _)| payee));
    }
    if part_digest(part.run, &payees) == part.digest { Ok(()) } else { Err(Refusal::ListChanged.into()) }
}

/// How each payee is paid. Both lists are in order of the payee.
pub(crate) fn ways(
    payees: &[PayeeId],
    rows: &[PayeeRow],
    receipts: &[Option<Receipt<'_>>],
) -> Vec<Way<PayeeAccount>> {
    let mut rows = rows.iter().peekable();
    let mut ways = Vec::with_capacity(payees.len());
    for (payee, receipt) in payees.iter().zip(receipts) {
        while rows.next_if(|row| row.payee < *payee).is_some() {} // registered after the list was made
        let row = rows.next_if(|row| row.payee == *payee);
        let Some(receipt) = receipt else {
            ways.push(Way::Wait(Reason::NotRegistered));
            continue;
        };
        let account = row.map(|row| {
            let opened = Sealed::<PayeeAccount>::from_bytes(&row.record).open(receipt);
            let account = opened.and_then(|opened| opened.of(receipt.person())).ok();
            (row.state, account.filter(message::is_writable))
        });
        ways.push(rules::way(account));
    }
    ways
}
