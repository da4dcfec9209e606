//! The worker of instant payments: asks payees' participants, tells both the end, on a thread of its own.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use kaname_pay::PayError;
use kaname_pay::instant::Scheme;
use kaname_pay::instant::work::{round, sweep};
use kaname_store::jobs::Stop;
use kaname_web::api::instant_courier::HttpCourier;
use kaname_web::http::client::{Client, system_authorities};

use crate::clock;
use crate::deployment::Deployment;
use crate::error::Failure;

/// How long the worker rests when nothing is due: a payment waits for it once.
const REST: Duration = Duration::from_millis(50);

/// How often messages that are too old to be sent again are forgotten, in rounds of rest.
const SWEEP_EVERY: u32 = 1_200;

impl Deployment {
    /// Instant payments, where the country has them.
    pub(crate) fn scheme(&self) -> Result<Scheme, Failure> {
        let (store, keys, pack) = (self.store.clone(), self.keys.clone(), Arc::clone(&self.pack));
        Ok(Scheme::open(store, keys, pack, &self.config.serve.issuer)?)
    }
}

/// Works until `stop` is pulled; nothing where the country has no instant payments.
pub(crate) fn start(deployment: &Deployment, stop: Stop) -> Result<Option<JoinHandle<()>>, Failure> {
    if deployment.pack.instant.is_none() {
        return Ok(None);
    }
    let scheme = deployment.scheme()?;
    let courier = HttpCourier::new(Client::new(system_authorities()).map_err(Failure::unavailable)?);
    let work = move || {
        let mut rests = 0;
        while !stop.is_pulled() {
            let alarm = |error: &PayError| tracing::error!(%error, "instant payments could not be worked on");
            let taken =
                round(&scheme, &courier, &clock::env).inspect_err(alarm).map_or(0, |round| round.taken);
            if taken == 0 {
                stop.wait(REST);
                rests += 1;
            }
            if rests == SWEEP_EVERY {
                rests = 0;
                if let Err(error) = sweep(&scheme, &clock::env()) {
                    tracing::error!(%error, "old messages could not be forgotten");
                }
            }
        }
    };
    let thread = std::thread::Builder::new().name("instant".to_owned()).spawn(work);
    thread.map(Some).map_err(Failure::unavailable)
}
