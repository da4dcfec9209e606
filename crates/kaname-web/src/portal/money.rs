//! A resident's payments.

use kaname_pay::PayError;
use kaname_pay::payee::payee_of;
use kaname_pay::payout::{self, Payment, State, Voucher, payments_of, told, voucher_of};
use kaname_person::show::payments_receipt;

use super::subject::Subject;
use crate::http::answer::{Answer, page};
use crate::http::guard::Resident;
use crate::http::{App, Call, Problem};
use crate::pages::portal::{MyPaymentsPage, PaymentStateView, PaymentView};

/// The latest payout runs in which her payments are looked for.
const RUNS: i64 = 50;

/// The digits of an account that are shown.
const SHOWN_DIGITS: usize = 4;

/// What is known of a payment, opened.
struct Opened {
    payment: Payment,
    voucher: Option<Voucher>,
}

/// `GET /my/payments`
pub(crate) fn payments(app: &App, call: &Call, resident: &Resident) -> Answer {
    payments_to(app, call, resident, &Subject::own(resident))
}

/// The payments to this person.
pub(super) fn payments_to(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    let (keys, pack, env, ask) =
        (app.keys.clone(), app.pack.clone(), call.env.clone(), subject.asking.clone());
    let (mut opened, account) = app.write_of::<_, Problem, _>(subject.person, move |tx| {
        let receipt = payments_receipt(tx, &keys, &pack, &env.again(), &ask)?;
        let account = payee_of(tx, &keys, &receipt)?.map(|payee| payee.account.account.number);
        let mut opened = Vec::new();
        for payment in payments_of(tx, &keys, &receipt, RUNS)? {
            let voucher = match payment.state {
                State::Voucher => voucher_of(tx, &keys, &receipt, payment.run)?,
                _ => None,
            };
            opened.push(Opened { payment, voucher });
        }
        Ok((opened, account))
    })?;
    let promised = promised(app, opened.iter().map(|one| one.payment.clone()).collect())?;
    opened.retain(|one| promised.contains(&one.payment));
    let shell = subject.shell(app, call, resident);
    let tag = shell.lang.code();
    let payments = opened.into_iter().map(|opened| view(app, tag, opened, account.as_deref())).collect();
    page(&MyPaymentsPage { payments, shell })
}

/// Those of a person's payments that she is told of.
pub(crate) fn promised(app: &App, payments: Vec<Payment>) -> Result<Vec<Payment>, Problem> {
    Ok(app.desk.store.read::<_, PayError, _>(app.home(), move |tx| told(tx, &payments))?)
}

fn view(app: &App, tag: &str, opened: Opened, account: Option<&str>) -> PaymentView {
    let Opened { payment, voucher } = opened;
    let payout::Programme { code, currency, amount } = payment.programme;
    let state = match (payment.state, voucher) {
        (State::Paid, _) => PaymentStateView::Paid { last_digits: last_digits(account.unwrap_or_default()) },
        (State::Voucher, Some(voucher)) => {
            PaymentStateView::Voucher { code: voucher.code, how: app.pack.voucher.text.get(tag).to_owned() }
        }
        (State::Cash, _) => PaymentStateView::Cash,
        (state, _) => PaymentStateView::Pending { reason: pending(state, &payment.reason).to_owned() },
    };
    let programme =
        app.pack.programme(&code).map_or(code.as_str(), |programme| programme.name.get(tag)).to_owned();
    PaymentView { programme, amount, currency, at: payment.planned_at, state }
}

/// The code of the texts `pending.*` for where a payment stands.
pub(crate) fn pending(state: State, reason: &str) -> &'static str {
    use kaname_pay::payee::Reason;
    match (state, Reason::from_code(reason)) {
        (State::Planned | State::Voucher | State::Cash | State::Paid, _) => "waiting",
        (State::Sent, _) => "bank_silent",
        (State::Returned, _) => "returned",
        (State::Pending, Some(Reason::OtherHolder(_) | Reason::AccountTaken)) => "name_differs",
        (State::Pending, Some(Reason::UnsureHolder(_) | Reason::HasAccount | Reason::Unreadable)) => {
            "account_unconfirmed"
        }
        (State::Pending, Some(Reason::NoSuchAccount | Reason::NoSuchBank | Reason::Suspended)) => {
            "account_closed"
        }
        (State::Pending, Some(Reason::NotRegistered) | None) => "no_account",
    }
}

fn last_digits(number: &str) -> String {
    let skipped = number.chars().count().saturating_sub(SHOWN_DIGITS);
    number.chars().skip(skipped).collect()
}
