//! Payouts in the background: planning and paying take minutes, a request takes milliseconds. One thread works; killed at any moment,
//! the next start of the program goes on with what was begun.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use kaname_base::Env;
use kaname_pay::payee::Desk;
use kaname_pay::payout::{self, BATCH, Go, PlanRun, RunPayout, RunState};
use kaname_pay::{PayError, RunId};
use kaname_person::policy;
use kaname_trust::Actor;

/// Hands work to the thread. Cheap to clone.
#[derive(Clone)]
pub struct Runs {
    send: mpsc::Sender<Work>,
    at_work: Arc<Mutex<BTreeSet<[u8; 16]>>>,
}

/// Whether a plan can be looked at already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begun {
    /// It can.
    Now,
    /// Other work comes first.
    Later,
}

enum Work {
    Plan(PlanRun, mpsc::Sender<()>),
    Pay(RunId, Actor),
}

impl Work {
    fn run(&self) -> RunId {
        match self {
            Work::Plan(plan, _) => plan.id,
            Work::Pay(run, _) => *run,
        }
    }
}

/// How long a request waits for its plan to begin.
const PATIENCE: Duration = Duration::from_secs(2);

impl Runs {
    /// Starts the thread, with what an earlier process has left half done.
    ///
    /// # Errors
    /// When the runs cannot be read.
    pub fn start(
        desk: Desk,
        payer: impl Fn(&payout::Programme) -> payout::Payer + Send + 'static,
        env: fn() -> Env,
    ) -> Result<Runs, PayError> {
        let (send, receive) = mpsc::channel::<Work>();
        let runs = Runs { send, at_work: Arc::default() };
        let program = Actor::program("payouts", policy::PROGRAM);
        for run in
            desk.store.read(desk.store.buckets().home(), move |tx| payout::runs(tx, &program, 1_000))?
        {
            match (run.state, run.approved) {
                (RunState::Planning, _) => {
                    let by = payout::going_on(&run.planned_by);
                    let plan = PlanRun { id: run.id, programme: run.programme, by };
                    runs.hand_over(Work::Plan(plan, mpsc::channel().0));
                }
                (RunState::Approved | RunState::Running, Some((officer, _))) => {
                    runs.pay(run.id, payout::going_on(&officer));
                }
                _ => {}
            }
        }
        let at_work = Arc::clone(&runs.at_work);
        thread::Builder::new()
            .name("payouts".to_owned())
            .spawn(move || {
                for work in receive {
                    let run = work.run();
                    if let Err(error) = carry_out(&desk, &payer, &env(), work) {
                        tracing::error!(%run, %error, "a payout stopped; it goes on when it is resumed");
                    }
                    lock(&at_work).remove(run.bytes());
                }
            })
            .map_err(|error| kaname_store::StoreError::Database(error.to_string()))?;
        Ok(runs)
    }

    /// Makes the list of a run; waits a moment for its beginning, so that whoever asked can watch it.
    pub(crate) fn plan(&self, plan: PlanRun) -> Begun {
        let (send, receive) = mpsc::channel();
        self.hand_over(Work::Plan(plan, send));
        if receive.recv_timeout(PATIENCE).is_ok() { Begun::Now } else { Begun::Later }
    }

    /// Pays an approved or stopped run, for the officer who started it.
    pub(crate) fn pay(&self, run: RunId, by: Actor) {
        self.hand_over(Work::Pay(run, by));
    }

    fn hand_over(&self, work: Work) {
        // Twice in the queue would be harmless, and a waste.
        if lock(&self.at_work).insert(*work.run().bytes()) {
            let _ = self.send.send(work);
        }
    }
}

fn carry_out(
    desk: &Desk,
    payer: &impl Fn(&payout::Programme) -> payout::Payer,
    env: &Env,
    work: Work,
) -> Result<(), PayError> {
    match work {
        Work::Plan(plan, begun) => {
            // Told before each step; at the first one the run has its row.
            let mut on = |_: &payout::Progress| {
                let _ = begun.send(());
                Go::On
            };
            payout::plan(desk, env, &plan, &mut on).map(drop)
        }
        Work::Pay(id, by) => {
            let asks = by.clone();
            let run =
                desk.store.read(desk.store.buckets().home(), move |tx| payout::run_of(tx, &asks, id))?;
            let (payer, mut on) = (payer(&run.programme), |_: &payout::Progress| Go::On);
            let outcome = payout::run(desk, env, &RunPayout { run: id, by, payer, batch: BATCH }, &mut on)?;
            for error in &outcome.unreachable {
                tracing::warn!(run = %id, %error, "a bank could not be asked; resume the run later");
            }
            Ok(())
        }
    }
}

fn lock(at_work: &Mutex<BTreeSet<[u8; 16]>>) -> MutexGuard<'_, BTreeSet<[u8; 16]>> {
    at_work.lock().unwrap_or_else(PoisonError::into_inner)
}
