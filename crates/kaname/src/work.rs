//! Jobs: what a deployment does after a decision, at least once. Each kind has one handler, and this is where blocks that do not know
//! each other are told of what happened in one of them.

use std::sync::{Arc, OnceLock};

use kaname_base::pack::Pack;
use kaname_pay::payee;
use kaname_person::agency::feed::{self, prune};
use kaname_person::delegate::end::{end_all, reinstate_all};
use kaname_person::event::EventKind;
use kaname_person::event::follow::{self, Told, failed, follow};
use kaname_person::identity::{ProposalId, carry_out, decide};
use kaname_person::link::incident::{self, ESCALATE};
use kaname_person::link::list::{CHECK, check_list};
use kaname_person::link::recall::{self, RECALL, TELL};
use kaname_person::link::{self, Desk};
use kaname_person::show::Asking;
use kaname_person::{Numbers, Standing};
use kaname_signin::Provider;
use kaname_store::jobs::{Job, JobError, Round, Stop, Worker};
use kaname_store::{Store, StoreError};
use kaname_trust::person::bucket_of;
use kaname_trust::{Actor, Keys, PersonId};
use kaname_web::api::dci::later::{self, Answering};
use kaname_web::api::webhooks;
use kaname_web::http::client::system_authorities;

use crate::clock;
use crate::deployment::Deployment;

/// How long the worker of a server rests when nothing is due. Looking costs a read of each bucket.
const REST_MS: u64 = 5_000;

/// Why mandates ended with a life.
const DEATH: &str = "death";

/// Does the jobs of a deployment.
pub(crate) struct Jobs {
    store: Store,
    keys: Keys,
    pack: Arc<Pack>,
    linking: Desk,
    issuer: String,
    numbers: Numbers,
    provider: OnceLock<Provider>,
}

impl Jobs {
    pub(crate) fn of(deployment: &Deployment) -> Jobs {
        let Deployment { store, keys, pack, .. } = deployment;
        let linking = crate::command::link::desk(deployment);
        let issuer = deployment.config.serve.issuer.clone();
        let numbers = Numbers::new(keys, pack);
        Jobs {
            store: store.clone(),
            keys: keys.clone(),
            pack: Arc::clone(pack),
            linking,
            issuer,
            numbers,
            provider: OnceLock::new(),
        }
    }

    /// Does what is due now, and what follows from it.
    pub(crate) fn do_all(&self) -> Result<Round, StoreError> {
        let worker = Worker::new(self.store.clone());
        let mut all = Round::default();
        loop {
            let round = worker.round(&clock::now, &|job| self.handle(job))?;
            all.done += round.done;
            all.failed += round.failed;
            if round.done == 0 {
                return Ok(all);
            }
        }
    }

    /// Does jobs on a thread of its own, until `stop` is pulled.
    pub(crate) fn start(self, stop: Stop) -> std::io::Result<std::thread::JoinHandle<()>> {
        let worker = Worker { rest_ms: REST_MS, ..Worker::new(self.store.clone()) };
        let alarm = |error: &StoreError| tracing::error!(%error, "jobs could not be done");
        std::thread::Builder::new()
            .name("jobs".to_owned())
            .spawn(move || worker.run(&clock::now, &|job| self.handle(job), &alarm, &stop))
    }

    /// One handler for each kind. Each may be called again for a job that it has done.
    fn handle(&self, job: &Job) -> Result<(), JobError> {
        match job.kind.as_str() {
            follow::KIND => {
                let told = follow(&self.store, &self.keys, &self.pack, &clock::env(), job)?;
                self.tell(&told)?;
                self.tell_agencies(&told)
            }
            webhooks::KIND => {
                let provider = self.provider()?;
                webhooks::deliver(&self.store, &self.keys, provider, &clock::env, system_authorities(), job)
            }
            later::KIND => {
                let Jobs { store, keys, pack, numbers, .. } = self;
                let (provider, authorities) = (self.provider()?, system_authorities());
                let with = Answering { store, keys, pack, numbers, provider, authorities };
                later::deliver(&with, &clock::env(), job)
            }
            prune::KIND => {
                let agency = prune::agency(&self.keys, job).ok_or(JobError::Never("unreadable"))?;
                prune::prune(&self.store, &self.keys, &self.pack, &clock::env(), &agency)
                    .map_err(|_| JobError::Later("agencies"))
            }
            decide::KIND => {
                let id = ProposalId::from_bytes(job.id);
                carry_out(&self.store, &self.keys, &self.pack, &clock::env(), id)
                    .map(drop)
                    .map_err(|error| failed(&error))
            }
            ESCALATE => {
                incident::escalate(&self.linking, &clock::env(), job).map_err(|error| unlinked(&error))
            }
            RECALL => recall::recall(&self.linking, &clock::env(), job).map_err(|error| unlinked(&error)),
            TELL => {
                let env = clock::env();
                let listeners = webhooks::listeners(self.provider()?, &env);
                let listeners = listeners.map_err(|_| JobError::Later("signin"))?;
                recall::tell(&self.linking, &env, &listeners, job).map_err(|error| unlinked(&error))
            }
            CHECK => check_list(&self.linking, &clock::env(), job).map_err(|error| unlinked(&error)),
            kind => {
                tracing::error!(kind, "there is no handler for a job");
                Err(JobError::Never("no-handler"))
            }
        }
        .inspect_err(|error| tracing::warn!(kind = job.kind, attempt = job.attempt, ?error, "a job failed"))
    }

    /// Tells the other blocks of a life event. They are brought in line with what she is now, so that it does not matter in which order
    /// jobs are done, nor how often.
    fn tell(&self, told: &Told) -> Result<(), JobError> {
        // Only these close an entry, or open one again.
        if !matches!(told.kind, EventKind::Death | EventKind::Merge | EventKind::Annulment) {
            return Ok(());
        }
        let (keys, person, is_closed) = (self.keys.clone(), told.person, told.standing.is_closed());
        let by = Actor::program("life-events", "program");
        let actor = by.clone();
        self.in_bucket_of(person, move |tx| {
            if is_closed {
                kaname_signin::close::close(tx, &keys, &actor, person)
                    .map_err(|_| JobError::Later("signin"))?;
                payee::close(tx, &keys, &actor, person).map_err(|_| JobError::Later("pay"))
            } else {
                // The letter and the passkeys are gone; the office prints a new letter.
                payee::reopen(tx, &keys, &actor, person).map_err(|_| JobError::Later("pay"))
            }
        })?;
        let env = clock::env();
        let links = match is_closed {
            true => link::close::close(&self.linking, &env, &by, person),
            false => link::close::reopen(&self.linking, &env, &by, person),
        };
        links.map_err(|error| unlinked(&error))?;
        self.tell_mandates(told, by)
    }

    /// A death ends what she gave and what she held. An entry that was merged needs no more: nobody signs in with it, and nobody opens
    /// it, and it comes back whole.
    fn tell_mandates(&self, told: &Told, by: Actor) -> Result<(), JobError> {
        let Jobs { store, keys, pack, .. } = self;
        let (env, purpose) = (clock::env(), "registration".to_owned());
        let asking = Asking { person: told.person, actor: by, purpose };
        let done = match told.standing {
            Standing::Dead { .. } => end_all(store, keys, pack, &env, &asking, DEATH),
            Standing::Merged { .. } => return Ok(()),
            Standing::Here | Standing::Away { .. } => reinstate_all(store, keys, pack, &env, &asking, DEATH),
        };
        done.map(drop).map_err(|error| failed(&error))
    }

    /// Puts a life event into the feeds of the agencies that may hear of it.
    fn tell_agencies(&self, told: &Told) -> Result<(), JobError> {
        let env = clock::env();
        let listeners = webhooks::listeners(self.provider()?, &env).map_err(|_| JobError::Later("signin"))?;
        let done = feed::tell(&self.store, &self.keys, &self.pack, &env, told, &listeners);
        done.map_err(|_| JobError::Later("agencies"))
    }

    /// Opened with the first job that needs it. It looks by itself for parties and keys that are new.
    fn provider(&self) -> Result<&Provider, JobError> {
        if let Some(provider) = self.provider.get() {
            return Ok(provider);
        }
        let config = kaname_signin::Config::new(&self.issuer).with_pack(Arc::clone(&self.pack));
        let opened = Provider::open(self.store.clone(), self.keys.clone(), config, &clock::env());
        let opened = opened.map_err(|_| JobError::Later("signin"))?;
        Ok(self.provider.get_or_init(|| opened))
    }

    fn in_bucket_of(
        &self,
        person: PersonId,
        mut work: impl for<'u> FnMut(&mut kaname_store::Tx<'u>) -> Result<(), JobError> + Send + 'static,
    ) -> Result<(), JobError> {
        let done = self
            .store
            .write(bucket_of(person, self.store.buckets()), move |tx| work(tx).map_err(Undone::Job));
        done.map_err(|undone| match undone {
            Undone::Job(error) => error,
            Undone::Store => JobError::Later("store"),
        })
    }
}

/// A job about a link is tried again; what it is about was told to nobody.
fn unlinked(error: &kaname_person::PersonError) -> JobError {
    tracing::warn!(%error, "a job about a link failed");
    JobError::Later("link")
}

/// Why a unit of work of a job was not done.
enum Undone {
    Job(JobError),
    Store,
}

impl From<StoreError> for Undone {
    fn from(_: StoreError) -> Undone {
        Undone::Store
    }
}
