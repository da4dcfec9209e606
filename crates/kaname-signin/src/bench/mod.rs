//! Complete sign-ins, driven without HTTP, step by step: what each costs in CPU time of the process.
//!
//! The parties' and authenticators' own work (signing assertions and challenges) is prepared between the steps, outside the
//! measurement: it is not the provider's.

mod actors;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kaname_base::{Env, Instant};
use kaname_person::policy;
use kaname_trust::keys::random;
use kaname_trust::{Actor, PersonId, TrustError, seal};

pub use actors::{Authenticator, PARTY_KID, Party, verifier};

use crate::authorize::{self, Browser, Step};
use crate::client::{self, Profile};
use crate::letter;
use crate::passkey::{self, NewPasskey, PasskeyAnswer};
use crate::provider::Provider;
use crate::session::{self, Cookie};
use crate::{Holder, Parameters, SigninError, consent, par, token};

/// What a step cost.
#[derive(Clone, Debug)]
pub struct StepCost {
    /// Which step.
    pub step: &'static str,
    /// CPU microseconds of the whole process for one sign-in.
    pub cpu_us: f64,
}

/// What the sign-ins cost.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How many sign-ins.
    pub count: usize,
    /// By step.
    pub steps: Vec<StepCost>,
    /// Sign-ins for a second of one core.
    pub per_core_second: f64,
    /// Sign-ins for a second of the clock, as many at a time as there were workers.
    pub per_second: f64,
}

/// As many sign-ins are under way at a time, so that units of work share commits as they do when served.
const WORKERS: usize = 64;

/// One person with a passkey, and her sign-in as far as it has come.
struct Person {
    holder: Holder,
    authenticator: Option<Authenticator>,
    browser: Browser,
    verifier: String,
    /// What the next step is given.
    parameters: Parameters,
    /// What the last step gave.
    step: Option<Step>,
    cookie: Option<Cookie>,
    answer: Option<PasskeyAnswer>,
}

/// Makes `count` people with passkeys, and lets each of them sign in to a party for the first time: pushed request, passkey,
/// consent, code, tokens. The store must have the tables of the trust block and of this one.
///
/// # Errors
/// [`SigninError`] when any step is refused: then the figures would mean nothing.
pub fn signin(provider: &Provider, now: Instant, count: usize) -> Result<Figures, SigninError> {
    let party = Party::new("bench-library", Profile::Fapi2);
    client::register(provider, &env(now), &program(), &party.registration)?;
    let people = enrol(provider, now, count)?;
    let mut clock = Clock::default();

    each(&people, |person| {
        let mut pairs = party.request(&person.verifier);
        pairs.retain(|(name, _)| name != "client_id");
        pairs.extend(party.proof(party.sign(&party.claims(&provider.config().issuer, now))));
        person.parameters = Parameters::read(pairs)?;
        Ok(())
    })?;
    clock.step("push", &people, |person| {
        let pushed = par::push(provider, &env(now), &person.parameters)?;
        person.parameters = Parameters::read([
            ("client_id", party.registration.client_id.clone()),
            ("request_uri", pushed.request_uri),
        ])?;
        Ok(())
    })?;
    clock.step("authorize", &people, |person| {
        person.step = Some(authorize::start(provider, &env(now), &person.parameters, &person.browser, None)?);
        Ok(())
    })?;
    each(&people, |person| {
        let (Some(Step::SignIn(page)), Some(passkey)) = (&person.step, &person.authenticator) else {
            panic!("a pushed request leads to the page for signing in");
        };
        person.answer = Some(PasskeyAnswer::read(&passkey.get(&page.passkey_options))?);
        Ok(())
    })?;
    clock.step("passkey", &people, |person| {
        let (Some(Step::SignIn(page)), Some(answer)) = (person.step.take(), &person.answer) else {
            panic!("the passkey has answered");
        };
        let signed =
            passkey::sign_in(provider, &env(now), &page.handle, &person.browser, answer, "bench", None)?;
        (person.cookie, person.step) = (Some(signed.cookie), Some(signed.step));
        Ok(())
    })?;
    clock.step("consent", &people, |person| {
        let (Some(Step::Consent(page)), Some(cookie)) = (person.step.take(), &person.cookie) else {
            panic!("the first sign-in to a party leads to the page for consent");
        };
        let session = session::open(provider, &env(now), cookie.as_str())?;
        person.step = Some(consent::give(provider, &env(now), &page.handle, &person.browser, &session)?);
        Ok(())
    })?;
    each(&people, |person| {
        let Some(Step::Redirect(location)) = &person.step else {
            panic!("consent leads back to the party");
        };
        let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap_or_default();
        let mut pairs = party.redeeming(code, &person.verifier);
        pairs.extend(party.proof(party.sign(&party.claims(&provider.config().issuer, now))));
        person.parameters = Parameters::read(pairs)?;
        Ok(())
    })?;
    clock
        .step("token", &people, |person| token::redeem(provider, &env(now), &person.parameters).map(drop))?;
    Ok(clock.figures(count))
}

/// People with an activated letter and a passkey, by the very use cases that residents go through.
fn enrol(provider: &Provider, now: Instant, count: usize) -> Result<Vec<Mutex<Person>>, SigninError> {
    let minting = env(now);
    let buckets: Vec<_> = provider.store().buckets().all().collect();
    let people: Vec<PersonId> = (0..count).map(|at| minting.id(buckets[at % buckets.len()])).collect();
    for (at, bucket) in buckets.iter().enumerate() {
        let here: Vec<PersonId> = people.iter().copied().skip(at).step_by(buckets.len()).collect();
        let keys = provider.keys().clone();
        provider.store().write(*bucket, move |tx| {
            seal::create_data_keys(tx, &keys, &here)?;
            Ok::<_, TrustError>(())
        })?;
    }
    let person = |person| {
        Mutex::new(Person {
            holder: Holder::Resident(person),
            authenticator: None,
            browser: Browser::new(),
            verifier: verifier(),
            parameters: Parameters::default(),
            step: None,
            cookie: None,
            answer: None,
        })
    };
    let people: Vec<_> = people.into_iter().map(person).collect();
    each(&people, |person| {
        person.authenticator = Some(give_passkey(provider, now, person.holder)?);
        Ok(())
    })?;
    Ok(people)
}

/// Who sets up the measurement.
fn program() -> Actor {
    Actor::program("bench", policy::PROGRAM)
}

/// Sends a holder a letter, activates it, and registers a passkey.
///
/// # Errors
/// [`SigninError`] as the use cases have it.
pub fn give_passkey(provider: &Provider, now: Instant, holder: Holder) -> Result<Authenticator, SigninError> {
    let letter = letter::issue(provider, &env(now), &program(), holder)?;
    let cookie = letter::activate(provider, &env(now), &letter.number, &letter.code, "bench", None)?;
    let session = session::open(provider, &env(now), cookie.as_str())?;
    let options = passkey::begin_registration(provider, &env(now), &session, "bench")?;
    let (authenticator, answer) = Authenticator::create(&options, &provider.config().origins[0]);
    passkey::finish_registration(provider, &env(now), &session, &NewPasskey::read(&answer)?, "bench")?;
    session::end(provider, &session)?;
    Ok(authenticator)
}

fn env(now: Instant) -> Env {
    Env::new(now, random())
}

/// Does something for each, [`WORKERS`] at a time; the first error stops it.
fn each(
    people: &[Mutex<Person>],
    work: impl Fn(&mut Person) -> Result<(), SigninError> + Sync,
) -> Result<(), SigninError> {
    let next = AtomicUsize::new(0);
    let run = || {
        while let Some(person) = people.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut person = person.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            work(&mut person)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(run)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker returns its error"))
    })
}

/// Adds up what the steps cost.
#[derive(Default)]
struct Clock {
    steps: Vec<(&'static str, f64)>,
    wall_seconds: f64,
}

impl Clock {
    fn step(
        &mut self,
        step: &'static str,
        people: &[Mutex<Person>],
        work: impl Fn(&mut Person) -> Result<(), SigninError> + Sync,
    ) -> Result<(), SigninError> {
        let (cpu, wall) = (cpu_seconds(), wall_clock());
        each(people, work)?;
        self.steps.push((step, cpu_seconds() - cpu));
        self.wall_seconds += wall.elapsed().as_secs_f64();
        Ok(())
    }

    fn figures(self, count: usize) -> Figures {
        let total: f64 = self.steps.iter().map(|(_, seconds)| seconds).sum();
        let cost =
            |(step, seconds): (&'static str, f64)| StepCost { step, cpu_us: seconds / count as f64 * 1e6 };
        Figures {
            count,
            per_core_second: count as f64 / total,
            per_second: count as f64 / self.wall_seconds,
            steps: self.steps.into_iter().map(cost).collect(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the wall clock")]
fn wall_clock() -> std::time::Instant {
    std::time::Instant::now()
}

/// User and system time of the process so far (proc(5), fields 14 and 15, in ticks of 10 ms); 0 where there is no `/proc`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks =
        after_name.split_ascii_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
