//! Use cases: print a voucher, make a new one for one that was lost or has run out, and pay one out in cash.
//!
//! Whoever printed a voucher knows its code, so another officer pays it out, to the person whose voucher it is and nobody else.

use kaname_base::{Amount, Env, Instant};
use kaname_person::{Action, policy};
use kaname_store::Tx;
use kaname_trust::access::{self, Access};
use kaname_trust::keys::random;
use kaname_trust::{Actor, Keys, PersonId, Receipt, Record, Sealed};
use serde::{Deserialize, Serialize};

use crate::ids::{self, PayeeId, RunId};
use crate::ledger::{Kind, Transfer, open_accounts, post};
use crate::payee::{Desk, PURPOSE};
use crate::payout::code;
use crate::payout::pay_batch::payment_id;
use crate::payout::table::{self, Moved, NewVoucher, Part};
use crate::payout::treasury::{Move, Use, run_account};
use crate::payout::{Payment, Programme, State, payments_of};
use crate::{PayError, Refusal};

/// A cash voucher, as sealed for its holder.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher {
    /// The one-time code, as printed.
    pub code: String,
    /// What for: the programme's code.
    pub programme: String,
    /// How much, in minor units.
    pub amount: Amount,
    /// The ISO 4217 code.
    pub currency: String,
    /// It is paid out until the end of this moment's day.
    pub until: Instant,
}

/// The code is a secret.
impl std::fmt::Debug for Voucher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voucher").field("programme", &self.programme).finish_non_exhaustive()
    }
}

impl Record for Voucher {
    const KIND: &'static str = "pay.voucher";
}

/// What a voucher became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidOut {
    /// Of which run.
    pub run: RunId,
    /// What for, and how much.
    pub programme: Programme,
}

/// What the use cases of vouchers need of the deployment.
#[derive(Clone)]
pub struct Counter {
    keys: Keys,
    basis: String,
    time_zone: String,
    valid_days: u16,
}

impl Counter {
    /// The counter of this deployment.
    pub fn of(desk: &Desk) -> Counter {
        Counter {
            keys: desk.keys.clone(),
            basis: desk.basis(),
            time_zone: desk.pack.time_zone.clone(),
            valid_days: desk.pack.voucher.valid_days,
        }
    }

    /// The day until which a voucher of now is paid out, as a moment within it. All of a day share it: it is not to tell when a
    /// voucher was made.
    pub(crate) fn until(&self, now: Instant) -> Instant {
        const DAY: i64 = 86_400;
        let last = now.plus_seconds(i64::from(self.valid_days) * DAY).seconds();
        Instant::from_seconds(last - last.rem_euclid(DAY) + DAY / 2)
    }
}

/// The payments of a person that wait for her as vouchers, newest first. A reading, with its entry.
///
/// # Errors
/// [`PayError::NotAllowed`].
pub fn vouchers_of(
    env: &Env,
    tx: &mut Tx<'_>,
    counter: &Counter,
    by: &Actor,
    person: PersonId,
) -> Result<Vec<Payment>, PayError> {
    policy::may(by, Action::PrintVoucher)?;
    let Counter { keys, basis, .. } = counter;
    let access = Access { person, actor: by, purpose: PURPOSE, basis, fields: &["voucher"] };
    let receipt = access::record(tx, keys, env, &access)?;
    let payments = payments_of(tx, keys, &receipt, RUNS)?;
    Ok(payments.into_iter().filter(|payment| payment.state == State::Voucher).collect())
}

/// In how many of the latest runs vouchers are looked for.
const RUNS: i64 = 50;

/// The person's voucher of a run, to be printed, with the receipt that also opens her name. With `anew` it gets another code,
/// and the earlier one opens nothing any more.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::NoSuchVoucher`] when none waits to be paid out.
pub fn print_voucher<'u>(
    env: &Env,
    tx: &mut Tx<'u>,
    counter: &Counter,
    by: &Actor,
    (person, run): (PersonId, RunId),
    anew: bool,
) -> Result<(Voucher, Receipt<'u>), PayError> {
    policy::may(by, Action::PrintVoucher)?;
    let Counter { keys, basis, .. } = counter;
    let payee = ids::payee(keys, person);
    let part = table::part(tx, run)?.ok_or(Refusal::NoSuchVoucher)?;
    let state = table::entitlements(tx, &[(run, payee)])?.pop().flatten();
    if !matches!(state, Some((State::Voucher, _))) {
        return Err(Refusal::NoSuchVoucher.into());
    }
    let fields = &["name", "voucher"];
    let receipt =
        access::record(tx, keys, env, &Access { person, actor: by, purpose: PURPOSE, basis, fields })?;
    let kept = table::voucher(tx, run, payee)?.ok_or(Refusal::NoSuchVoucher)?;
    let voucher = match anew {
        false => Sealed::<Voucher>::from_bytes(&kept).open(&receipt)?.of(person)?,
        true => {
            let (new, voucher) = new_voucher(keys, &part, payee, &receipt, counter.until(env.now));
            table::replace_voucher(tx, run, &new)?;
            voucher
        }
    };

    table::mark_printed(tx, run, payee, &by.id)?;
    Ok((voucher, receipt))
}

/// Pays a voucher out in cash, once. `typed` is its code, `person` who stands at the counter and has shown who she is.
///
/// # Errors
/// [`PayError::NotAllowed`]; [`Refusal::VoucherMistyped`]; [`Refusal::NoSuchVoucher`] also for another person's;
/// [`Refusal::VoucherUsed`]; [`Refusal::VoucherExpired`]; [`Refusal::VoucherOwnPrint`] for the officer who printed it.
pub fn redeem(
    env: &Env,
    tx: &mut Tx<'_>,
    counter: &Counter,
    by: &Actor,
    person: PersonId,
    typed: &str,
) -> Result<PaidOut, PayError> {
    policy::may(by, Action::RedeemVoucher)?;
    let Counter { keys, basis, time_zone, .. } = counter;
    let typed = code::parse(typed).ok_or(Refusal::VoucherMistyped)?;
    let payee = ids::payee(keys, person);
    let found = table::voucher_with(tx, payee, &code_index(keys, &typed))?.ok_or(Refusal::NoSuchVoucher)?;
    let part = table::part(tx, found.run)?.ok_or(Refusal::NoSuchVoucher)?;
    match table::entitlements(tx, &[(found.run, payee)])?.pop().flatten() {
        Some((State::Voucher, _)) => {}
        Some((State::Cash, _)) => return Err(Refusal::VoucherUsed.into()),
        _ => return Err(Refusal::NoSuchVoucher.into()),
    }
    if env.now.date_in(time_zone) > found.until.date_in(time_zone) {
        return Err(Refusal::VoucherExpired.into());
    }
    if found.printed_by == by.id.as_bytes() {
        return Err(Refusal::VoucherOwnPrint.into());
    }
    let currency = part.programme.currency;
    let cash = run_account(part.run, Use::Cash, "", currency);

    let fields = &["voucher-paid-out"];
    access::record(tx, keys, env, &Access { person, actor: by, purpose: PURPOSE, basis, fields })?;
    open_accounts(tx, &[cash])?;
    let transfer = Transfer {
        id: payment_id(keys, &part, payee, b"cash"),
        debit: run_account(part.run, Use::Voucher, "", currency).id,
        credit: cash.id,
        amount: part.programme.amount,
        kind: Kind::Posted,
        code: Move::Cash as u16,
    };
    post(env, tx, &transfer)?;
    table::move_entitlements(
        tx,
        part.run,
        &[Moved { payee, from: State::Voucher, to: State::Cash, reason: "" }],
    )?;
    Ok(PaidOut { run: part.run, programme: part.programme })
}

/// Draws a voucher's code and seals the voucher for its holder.
pub(crate) fn new_voucher(
    keys: &Keys,
    part: &Part,
    payee: PayeeId,
    receipt: &Receipt<'_>,
    until: Instant,
) -> (NewVoucher, Voucher) {
    let drawn = code::draw(random::<8>());
    let voucher = Voucher {
        code: code::grouped(&drawn),
        programme: part.programme.code.clone(),
        amount: part.programme.amount,
        currency: part.programme.currency.code().to_owned(),
        until,
    };
    let record = receipt.data_key().seal(&voucher).bytes().to_vec();
    (NewVoucher { payee, code: code_index(keys, &drawn), record, until }, voucher)
}

fn code_index(keys: &Keys, code: &str) -> [u8; 16] {
    keys.blind_index("pay.voucher", code.as_bytes())
}
