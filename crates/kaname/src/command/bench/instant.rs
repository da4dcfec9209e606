//! Instant payments between two participants: signed messages checked, payments reserved and committed, durable, answers signed. Then
//! the same at half the rate that was reached, for how long a payment takes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use kaname_base::Amount;
use kaname_pay::instant::message::{MOST, Topic};
use kaname_pay::instant::work::{Courier, Reply};
use kaname_pay::instant::{NewParticipant, Participant, PaymentId, Scheme, quote, register};
use kaname_pay::ledger::fsck;
use kaname_pay::{PayError, instant};
use kaname_person::four_eyes::{self, Approved};
use kaname_person::{Action, PersonError};
use kaname_sim::participant::SimParticipant;
use kaname_store::jobs::Stop;
use kaname_trust::Actor;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Measured, Place, Size};
use crate::clock::{self, Stopwatch};
use crate::command::program;
use crate::deployment::Deployment;
use crate::error::Failure;

/// Measure instant payments
#[derive(Args)]
pub(crate) struct InstantAsk {
    #[command(flatten)]
    pub(super) size: Size,
    /// How many payments one message names
    #[arg(long, default_value_t = MOST as u64, value_parser = clap::value_parser!(u64).range(1..=MOST as u64))]
    batch: u64,
    /// How many messages are on their way at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    lanes: u64,
}

/// What was measured.
#[derive(Serialize)]
pub(crate) struct MeasuredInstant {
    #[serde(flatten)]
    pub(super) measured: Measured,
    payments_a_message: u64,
    /// From handing a reservation in to having the answer to the commit, at half the rate.
    half_load_p50_ms: f64,
    half_load_p99_ms: f64,
    half_load_per_second: f64,
}

const PAYER: &str = "north";
const PAYEE: &str = "south";
const MINOR: u64 = 100;

/// Nobody is asked: the payee's participant commits by a message of its own.
struct Nobody;

impl Courier for Nobody {
    fn send(&self, _: &Participant, _: Topic, _: &str) -> Reply {
        Reply::Nothing
    }
}

pub(super) fn run(ask: &InstantAsk) -> Result<MeasuredInstant, Failure> {
    let place = Place::new(&ask.size)?;
    let count = ask.size.count.unwrap_or(100_000).next_multiple_of(ask.batch);
    let deployment = place.deployment(1, 0)?;
    let scheme = deployment.scheme()?;
    let banks = [PAYER, PAYEE].map(SimParticipant::new);
    let [payer, payee] = banks.map(|bank| bank.map_err(Failure::unavailable));
    let (payer, payee) = (payer?, payee?);
    for bank in [&payer, &payee] {
        take_part(&deployment, &scheme, bank)?;
    }
    let lanes = ask.lanes as usize;
    let pairs = messages(&scheme, &payer, &payee, 0, count, ask.batch);
    let measured = super::measure(&place, "instant", "payments", || {
        all(&scheme, &pairs, lanes, None)?;
        Ok(count)
    })?;

    let rate = measured.per_wall_second / 2.0;
    // Some seconds of it are enough for a percentile.
    let quiet = ((rate * 4.0) as u64).min(count).max(1).next_multiple_of(ask.batch);
    let pairs = messages(&scheme, &payer, &payee, count, quiet, ask.batch);
    let every = Duration::from_secs_f64(ask.batch as f64 / rate);
    let watch = Stopwatch::start();
    let mut took = all(&scheme, &pairs, lanes, Some(every))?;
    let reached = quiet as f64 / watch.seconds();
    took.sort_by(f64::total_cmp);
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize] * 1_000.0;

    let books = fsck(&deployment.store, &program())?;
    // Two transfers for each payment, and one for each cap.
    let is_whole = books.transfers == 2 * (count + quiet) + 2;
    let paid = ((count + quiet) * MINOR) as i64;
    let (pack, home) = (scheme.pack.clone(), scheme.home());
    let position = scheme.store.read(home, move |tx| instant::position(tx, &pack, PAYEE))?.0;
    if !books.is_sound() || !is_whole || position != paid {
        return Err(Failure::refused("the books do not add up after the bench"));
    }
    Ok(MeasuredInstant {
        measured,
        payments_a_message: ask.batch,
        half_load_p50_ms: at(0.5),
        half_load_p99_ms: at(0.99),
        half_load_per_second: reached,
    })
}

pub(super) fn print(measured: &MeasuredInstant) {
    super::print(&measured.measured);
    let MeasuredInstant {
        half_load_p50_ms, half_load_p99_ms, half_load_per_second, payments_a_message, ..
    } = measured;
    println!(
        "  {payments_a_message} payments a message; at {half_load_per_second:.0} a second: p50 {half_load_p50_ms:.1} ms, p99 {half_load_p99_ms:.1} ms"
    );
}

/// Messages that reserve, and those that commit the same payments, signed before anything is measured.
fn messages(
    scheme: &Scheme,
    payer: &SimParticipant,
    payee: &SimParticipant,
    first: u64,
    count: u64,
    batch: u64,
) -> Vec<(String, String)> {
    let now = clock::now();
    let amount = Amount::from_minor(MINOR).expect("a small amount");
    let pair = |start: u64| {
        let mut orders = Vec::new();
        let mut payments = Vec::new();
        for number in start..start + batch {
            let millis = u128::from(now.micros().unsigned_abs() / 1_000 + number / 1_000);
            let id = PaymentId::from_bytes(((millis << 80) | u128::from(number) << 16).to_be_bytes());
            let account = format!("{PAYEE}-{}", number % 10_000);
            let to = (PAYEE, account.as_str());
            let quote = quote::quote(&scheme.keys, scheme.terms(), now, PAYER, to, amount);
            orders.push(json!({
                "id": id.to_string(), "payee": { "participant": PAYEE, "account": account },
                "payer_account": format!("{PAYER}-{}", number % 9_973), "amount_minor": MINOR.to_string(),
                "currency": scheme.pack.currency.code(), "quote": quote.token,
                "valid_until": quote.valid_until.seconds(), "text": "Lunch",
            }));
            payments.push(json!({ "id": id.to_string() }));
        }
        let reserve = payer.say(&scheme.us, now, Topic::Reserve, json!({ "orders": orders }));
        let commit = payee.say(&scheme.us, now, Topic::Commit, json!({ "payments": payments }));
        (reserve, commit)
    };
    (first..first + count).step_by(batch as usize).map(pair).collect()
}

/// Hands all messages in, from some threads; with `every`, each not before its turn. How long each pair took, in seconds.
fn all(
    scheme: &Scheme,
    pairs: &[(String, String)],
    lanes: usize,
    every: Option<Duration>,
) -> Result<Vec<f64>, Failure> {
    let (next, took) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(pairs.len())));
    let (watch, never) = (Stopwatch::start(), Stop::default());
    let lane = || -> Result<(), PayError> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((reserve, commit)) = pairs.get(number) else { return Ok(()) };
            let turn = every.map_or(0.0, |every| every.as_secs_f64() * number as f64);
            while turn > watch.seconds() {
                never.wait(Duration::from_secs_f64((turn - watch.seconds()).max(0.000_05)));
            }
            // From its turn on, so that waiting for those before it counts.
            let begun = if every.is_some() { turn } else { watch.seconds() };
            for (topic, token) in [(Topic::Reserve, reserve), (Topic::Commit, commit)] {
                scheme.answer(&clock::env(), &Nobody, topic, token)?;
            }
            let mut took = took.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            took.push(watch.seconds() - begun);
        }
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().try_for_each(|lane| lane.join().expect("a lane that panics is a mistake of ours"))
    })?;
    Ok(took.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Registers a participant as two administrators would.
fn take_part(deployment: &Deployment, scheme: &Scheme, bank: &SimParticipant) -> Result<(), Failure> {
    let new = NewParticipant {
        code: bank.code.clone(),
        name: bank.code.clone(),
        is_wallet: false,
        address: "http://127.0.0.1:1".to_owned(),
        jwks: bank.jwks(),
        cap_minor: 1_000_000_000_000,
    };
    let (first, second) =
        (Actor::officer("bench-1", "administrator"), Actor::officer("bench-2", "administrator"));
    let (keys, env, by, content): (_, _, _, Value) =
        (deployment.keys.clone(), clock::env(), first.clone(), json!(new));
    let approved: Approved = scheme.store.write::<_, PersonError, _>(scheme.home(), move |tx| {
        let action = Action::ManageParticipants;
        let id = four_eyes::propose(tx, &keys, &env.again(), &by, action, &content)?;
        four_eyes::approve(tx, &keys, &env.again(), &second, id, &[action])
    })?;
    let (pack, env) = (scheme.pack.clone(), clock::env());
    Ok(scheme.store.write::<_, PayError, _>(scheme.home(), move |tx| {
        register(&env.again(), tx, &pack, &first, Some(&approved), &new)
    })?)
}
