//! Use case: apply what a bank reports about a message (`pain.002.001.10`).

use std::collections::HashMap;

use kaname_base::Env;
use kaname_codec::iso20022::{self, GroupStatus, Status};
use kaname_store::Tx;
use kaname_trust::Keys;

use crate::ids::{PayeeId, RunId};
use crate::ledger::{Kind, Transfer, post_batch};
use crate::payout::State;
use crate::payout::message::{MessageKey, RETRY_FROM, leg, name_of, open_members};
use crate::payout::pay_batch::payment_id;
use crate::payout::rules::{self, Word};
use crate::payout::table::{self, MessageState, Moved};
use crate::payout::treasury::{Move, Use, run_account};
use crate::{PayError, Refusal};

/// Applies a report in one unit of work; returns whether every payment in the message is settled or given back. The same
/// report again changes nothing; one that is not about this message, or names a payment that is not in it, is refused whole.
///
/// # Errors
/// [`Refusal::ForeignReport`].
pub(crate) fn apply_report(
    env: &Env,
    tx: &mut Tx<'_>,
    keys: &Keys,
    run: RunId,
    batch: i64,
    bank: &str,
    report: &[u8],
) -> Result<bool, PayError> {
    let part = table::part(tx, run)?.ok_or(Refusal::NoSuchRun)?;
    let (state, members, _) = table::message(tx, run, batch, bank)?.ok_or(Refusal::ForeignReport)?;
    if state == MessageState::Made {
        return Err(Refusal::ForeignReport.into()); // nothing was sent that could be reported on
    }
    let key = MessageKey { run, bucket: tx.bucket(), batch, bank };
    let members = open_members(keys, &key, &members)?;
    let words = words(keys, (run, batch), &key.id(keys), &members, report)?;
    let asked: Vec<_> = members.iter().map(|payee| (run, *payee)).collect();
    let states = table::entitlements(tx, &asked)?;
    // Whoever was sent her money again since is in another message now.
    let last = table::retries(tx, &asked)?;
    let is_here = |last: Option<i64>| last.map_or(batch < RETRY_FROM, |last| last == batch);

    let mut moved = Vec::new();
    let mut returns = Vec::new();
    let mut is_final = true;
    for (((payee, state), word), last) in members.iter().zip(states).zip(&words).zip(last) {
        if !is_here(last) {
            continue;
        }
        let (from, _) = state.ok_or(Refusal::ForeignReport)?;
        let Some(word) = word else {
            is_final &= from != State::Sent;
            continue;
        };
        match rules::after(from, word)? {
            Some(to) => {
                let reason = if let Word::Rejected(code) = word { code.as_str() } else { "" };
                moved.push(Moved { payee: *payee, from, to, reason });
                if to == State::Returned {
                    returns.push(give_back(keys, &part, (bank, batch), *payee));
                }
            }
            None => is_final &= from != State::Sent,
        }
    }

    for outcome in post_batch(env, tx, &returns)? {
        outcome?;
    }
    table::move_entitlements(tx, run, &moved)?;
    if is_final && state != MessageState::Answered {
        table::mark_answered(tx, run, batch, bank)?;
    }
    Ok(is_final)
}

fn give_back(keys: &Keys, part: &table::Part, (bank, batch): (&str, i64), payee: PayeeId) -> Transfer {
    let currency = part.programme.currency;
    Transfer {
        id: payment_id(keys, part, payee, &leg(b"return", batch)),
        debit: run_account(part.run, Use::Settlement, bank, currency).id,
        credit: run_account(part.run, Use::Returned, "", currency).id,
        amount: part.programme.amount,
        kind: Kind::Posted,
        code: Move::Return as u16,
    }
}

/// The bank's word on each member, in their order; `None` for one it says nothing about.
fn words(
    keys: &Keys,
    (run, batch): (RunId, i64),
    message_id: &str,
    members: &[PayeeId],
    report: &[u8],
) -> Result<Vec<Option<Word>>, Refusal> {
    let report = iso20022::parse_pain002(report).map_err(|_| Refusal::ForeignReport)?;
    let is_other_block = report.original_payment_id.as_ref().is_some_and(|id| id != message_id);
    if report.original_message_id != message_id || is_other_block {
        return Err(Refusal::ForeignReport);
    }
    let of_all = |status: &Option<GroupStatus<'_>>| match status {
        Some(GroupStatus::All(status)) => Some(word(status)),
        Some(GroupStatus::Part) | None => None,
    };
    let (of_message, of_block) = (of_all(&report.message_status), of_all(&report.payment_status));
    if of_message.is_some() && of_block.is_some() && of_message != of_block {
        return Err(Refusal::ForeignReport);
    }
    let of_group = of_message.or(of_block);
    let mut words = vec![of_group.clone(); members.len()];
    if report.transfers.is_empty() {
        return Ok(words);
    }
    let places: HashMap<String, usize> =
        members.iter().enumerate().map(|(place, payee)| (name_of(keys, run, *payee, batch), place)).collect();
    let mut named = vec![false; members.len()];
    for transfer in &report.transfers {
        let place = *places.get(&*transfer.end_to_end_id).ok_or(Refusal::ForeignReport)?;
        let says = word(&transfer.status);
        // A payment named twice, or against what is said of all, leaves open whether the money moved.
        let contradicts = of_group.as_ref().is_some_and(|group| {
            matches!(group, Word::Settled | Word::Rejected(_))
                && std::mem::discriminant(group) != std::mem::discriminant(&says)
        });
        if std::mem::replace(&mut named[place], true) || contradicts {
            return Err(Refusal::ForeignReport);
        }
        words[place] = Some(says);
    }
    Ok(words)
}

fn word(status: &Status<'_>) -> Word {
    match status {
        Status::Accepted => Word::Accepted,
        Status::Settled => Word::Settled,
        Status::Rejected { code, .. } => Word::Rejected(code.clone().into_owned()),
    }
}
