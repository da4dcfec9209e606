//! What follows from a reservation, done at least once: the payee's participant is asked, and both are told the end.
//!
//! The payments' own rows are the queue: `due` says when to come back. A round claims what is due by setting `due` ahead, in one
//! unit of work; talks to participants outside any; and writes what came of it. Killed anywhere, the next round goes on: whatever
//! was asked is asked again, and participants answer the same payment in the same way.

use std::sync::Arc;

use kaname_base::{Amount, Env};
use kaname_store::{StoreError, Tx};

use super::decide::end;
use super::message::Topic;
use super::reserve::Details;
use super::rules::{self, Next, Step, Verdict};
use super::scheme::{NoAnswer, view};
use super::{COMPENSATED, PAYEE_KNOWS, PAYER_KNOWS, Participant, Payment, PaymentId, Refusal, Scheme, State};
use super::{books, table};
use crate::PayError;
use crate::ids::TransferKind;
use crate::ledger;

/// The way to participants. Always called outside units of work; each message may be sent again.
pub trait Courier: Send + Sync {
    /// Brings a message to a participant, and its answer back.
    fn send(&self, to: &Participant, topic: Topic, message: &str) -> Reply;

    /// How many messages may be on their way at once: a slow participant then holds up one of so many.
    fn lanes(&self) -> usize {
        1
    }
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// An answer, not yet checked.
    Message(String),
    /// The participant asks for patience: so many seconds.
    Later(u32),
    /// Nothing, or nothing that could be read. What was asked may have been heard.
    Nothing,
}

/// How many payments one round takes up.
const BATCH: i64 = 64;

/// How long a round may take before another worker takes its payments up, in seconds.
const LEASE_SECONDS: i64 = 60;

/// What a round did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// Payments taken up.
    pub taken: u64,
    /// Those of them that came to their end.
    pub ended: u64,
}

/// What came of asking the payee's participant.
enum Heard {
    Verdict(Verdict, String),
    /// It has never heard of the payment.
    Unseen,
    Nothing(NoAnswer),
}

/// Takes up the payments that are due now, each once. `env` is asked again before each step.
///
/// # Errors
/// [`PayError`] when the store fails; the next round goes on.
pub fn round(
    scheme: &Scheme,
    courier: &dyn Courier,
    env: &(dyn Fn() -> Env + Sync),
) -> Result<Round, PayError> {
    let now = env().now;
    // Mostly there is nothing to do; seeing that should cost no write.
    if scheme.store.read(scheme.home(), move |tx| table::due(tx, now, 1))?.is_empty() {
        return Ok(Round::default());
    }
    let claimed = scheme.store.write::<_, StoreError, _>(scheme.home(), move |tx| {
        let mut due = table::due(tx, now, BATCH)?;
        for payment in &mut due {
            payment.due = Some(now.plus_seconds(LEASE_SECONDS));
            payment.attempts += 1;
        }
        table::update_payments(tx, &due)?;
        for payment in &mut due {
            payment.version += 1;
        }
        Ok(due)
    })?;
    let mut round = Round { taken: claimed.len() as u64, ended: 0 };
    let lanes = courier.lanes().clamp(1, claimed.len().max(1));
    if lanes == 1 {
        for payment in &claimed {
            round.ended += u64::from(take_up(scheme, courier, &env(), payment)?);
        }
        return Ok(round);
    }
    let ended = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes)
            .map(|lane| {
                let (claimed, lanes) = (&claimed, lanes);
                scope.spawn(move || {
                    let mine = claimed.iter().skip(lane).step_by(lanes);
                    mine.map(|payment| take_up(scheme, courier, &env(), payment)).collect::<Vec<_>>()
                })
            })
            .collect();
        let done =
            lanes.into_iter().map(|lane| lane.join().expect("a step that panics is a mistake of ours"));
        done.flatten().collect::<Result<Vec<bool>, PayError>>()
    })?;
    round.ended = ended.into_iter().map(u64::from).sum();
    Ok(round)
}

/// Forgets messages that are too old to be sent again; how many.
///
/// # Errors
/// [`StoreError`].
pub fn sweep(scheme: &Scheme, env: &Env) -> Result<u64, StoreError> {
    let now = env.now;
    scheme.store.write(scheme.home(), move |tx| table::forget_seen(tx, now))
}

/// One step of one payment; whether it came to its end.
fn take_up(scheme: &Scheme, courier: &dyn Courier, env: &Env, payment: &Payment) -> Result<bool, PayError> {
    match rules::next(scheme.terms(), payment, env.now) {
        Next::Nothing => write(scheme, env, payment.id, |_, _, _, _| Ok(())),
        Next::Reverse => write(scheme, env, payment.id, reverse),
        Next::Ask | Next::AskAgain => {
            let heard = ask(scheme, courier, env, payment)?;
            write(scheme, env, payment.id, move |scheme, env, tx, payment| {
                note_heard(scheme, env, tx, payment, &heard)
            })
        }
        Next::Tell => {
            let told = tell(scheme, courier, env, payment)?;
            write(scheme, env, payment.id, move |scheme, env, tx, payment| {
                note_told(scheme, env, tx, payment, told)
            })
        }
    }
}

/// Runs `step` on the payment as it stands now: somebody may have changed it while we were talking. Whether it ended here.
fn write(
    scheme: &Scheme,
    env: &Env,
    id: PaymentId,
    step: impl Fn(&Scheme, &Env, &mut Tx<'_>, Payment) -> Result<(), PayError> + Send + 'static,
) -> Result<bool, PayError> {
    let (scheme, env) = (scheme.clone(), env.again());
    let store = scheme.store.clone();
    store.write(scheme.home(), move |tx| {
        let Some(payment) = table::payments(tx, &[id])?.pop().flatten() else { return Ok(false) };
        let was_open = !payment.state.is_final();
        step(&scheme, &env.again(), tx, payment)?;
        let now_final = table::payments(tx, &[id])?.pop().flatten().is_some_and(|one| one.state.is_final());
        Ok(was_open && now_final)
    })
}

fn ask(scheme: &Scheme, courier: &dyn Courier, env: &Env, payment: &Payment) -> Result<Heard, PayError> {
    let Some(payee) = partner(scheme, &payment.payee)? else {
        return Ok(Heard::Nothing(NoAnswer { retry_after_seconds: None }));
    };
    let topic = if payment.state == State::Reserved { Topic::Credit } else { Topic::Inquiry };
    let mut content = view(payment);
    if topic == Topic::Credit {
        let details = Details::unwrap(&scheme.keys, payment)?;
        content["account"] = details.payee_account.into();
        content["text"] = details.text.into();
        content["currency"] = scheme.pack.currency.code().into();
    }
    let answer = match scheme.ask(env, courier, &payee, topic, content) {
        Ok(answer) => answer,
        Err(silence) => return Ok(Heard::Nothing(silence)),
    };
    // An answer about another payment or amount is none.
    let is_about = answer.text("payment").is_ok_and(|id| id == payment.id.to_string())
        && answer.text("amount_minor").is_ok_and(|minor| minor == payment.amount.minor().to_string());
    let reason = answer.text("reason").unwrap_or_default().to_owned();
    Ok(match answer.text("answer") {
        Ok("accepts") if is_about => Heard::Verdict(Verdict::Accepts, reason),
        Ok("declines") if is_about => Heard::Verdict(Verdict::Declines, reason),
        Ok("never-heard") if is_about && topic == Topic::Inquiry => Heard::Unseen,
        _ => Heard::Nothing(NoAnswer { retry_after_seconds: None }),
    })
}

fn note_heard(
    scheme: &Scheme,
    env: &Env,
    tx: &mut Tx<'_>,
    mut payment: Payment,
    heard: &Heard,
) -> Result<(), PayError> {
    if payment.state.is_final() {
        return Ok(());
    }
    let terms = scheme.terms();
    match heard {
        Heard::Verdict(verdict, reason) => {
            let Ok(Step::To(state)) = rules::judge(terms, &payment, *verdict, env.now) else {
                return Ok(());
            };
            payment.state = state;
            payment.reason = match verdict {
                Verdict::Accepts => String::new(),
                Verdict::Declines => super::decide::word(reason),
            };
            end(env, tx, &scheme.pack, vec![payment])?;
        }
        Heard::Unseen if env.now > payment.reserved_at.plus_seconds(terms.answer_seconds) => {
            payment.state = State::Aborted;
            payment.reason = "expired".to_owned();
            end(env, tx, &scheme.pack, vec![payment])?;
        }
        Heard::Unseen => {
            payment.state = State::Reserved;
            payment.due = Some(env.now);
            table::update_payments(tx, &[payment])?;
        }
        Heard::Nothing(silence) => {
            let wait = rules::wait_seconds(terms, payment.attempts);
            let wait = silence.retry_after_seconds.map_or(wait, |asked| wait.max(i64::from(asked)));
            payment.state = State::Unknown;
            // Not later than the moment at which it is given up.
            let last = payment.reserved_at.plus_seconds(terms.reverse_after_seconds);
            payment.due = Some(env.now.plus_seconds(wait).min(last));
            table::update_payments(tx, &[payment])?;
        }
    }
    Ok(())
}

fn reverse(scheme: &Scheme, env: &Env, tx: &mut Tx<'_>, mut payment: Payment) -> Result<(), PayError> {
    let is_open = !payment.state.is_final();
    if !is_open || !rules::is_overdue(scheme.terms(), &payment, env.now) {
        return Ok(());
    }
    payment.compensation = rules::compensation(scheme.terms(), &payment, env.now);
    payment.state = State::Reversed;
    payment.reason = "no-answer".to_owned();
    end(env, tx, &scheme.pack, vec![payment])?;
    Ok(())
}

/// Tells those who do not know the end yet; who knows it now.
fn tell(scheme: &Scheme, courier: &dyn Courier, env: &Env, payment: &Payment) -> Result<i64, PayError> {
    let mut told = 0;
    for (bit, code) in [(PAYEE_KNOWS, &payment.payee), (PAYER_KNOWS, &payment.payer)] {
        if payment.told & bit != 0 {
            continue;
        }
        let Some(participant) = partner(scheme, code)? else { continue };
        let answer = scheme.ask(env, courier, &participant, Topic::Outcome, view(payment));
        let is_heard =
            answer.is_ok_and(|answer| answer.text("state").is_ok_and(|s| s == payment.state.code()));
        told |= if is_heard { bit } else { 0 };
    }
    Ok(told)
}

fn note_told(
    scheme: &Scheme,
    env: &Env,
    tx: &mut Tx<'_>,
    mut payment: Payment,
    told: i64,
) -> Result<(), PayError> {
    payment.told |= told;
    if payment.compensation != Amount::ZERO && payment.told & COMPENSATED == 0 {
        let transfer = books::compensate(
            env.id::<TransferKind>(tx.bucket()),
            &payment.payee,
            &payment.payer,
            payment.compensation,
            scheme.pack.currency,
        );
        match ledger::post_batch(env, tx, &[transfer])?.pop() {
            Some(Ok(_)) => payment.told |= COMPENSATED,
            // It owes as much as it may; it pays when others have paid it, or after the next settlement.
            Some(Err(crate::Refusal::InsufficientFunds)) => {}
            Some(Err(refusal)) => return Err(refusal.into()),
            None => {}
        }
    }
    let wait = rules::wait_seconds(scheme.terms(), payment.attempts);
    let is_done = payment.told == rules::all_told(&payment);
    payment.due = (!is_done).then(|| env.now.plus_seconds(wait));
    table::update_payments(tx, &[payment])?;
    Ok(())
}

fn partner(scheme: &Scheme, code: &str) -> Result<Option<Participant>, PayError> {
    let code: Arc<str> = code.into();
    Ok(scheme.store.read(scheme.home(), move |tx| super::participant(tx, &code))?)
}

/// A payment as it stands, for the scheme's own people.
///
/// # Errors
/// [`Refusal::NoSuchPayment`]; [`StoreError`].
pub fn payment(tx: &mut Tx<'_>, id: PaymentId) -> Result<Payment, PayError> {
    Ok(table::payments(tx, &[id])?.pop().flatten().ok_or(Refusal::NoSuchPayment)?)
}

/// Payments with an id above `after`, in order of their ids, at most `most`.
///
/// # Errors
/// [`StoreError`].
pub fn payments(tx: &mut Tx<'_>, after: Option<PaymentId>, most: i64) -> Result<Vec<Payment>, StoreError> {
    let after = after.map(|id| id.bytes().to_vec()).unwrap_or_default();
    table::after(tx, &after, most)
}
