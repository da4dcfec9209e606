//! What every handler works with.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_base::text::Texts;
use kaname_pay::instant::Scheme;
use kaname_pay::payee::Desk;
use kaname_person::Numbers;
use kaname_signin::Provider;
use kaname_store::{Bucket, Store, StoreError, Tx};
use kaname_trust::{Keys, PersonId, person};
use tokio::sync::{Mutex, Semaphore};

use super::client::{Client, system_authorities};
use crate::office::runs::Runs;
use crate::pages::Lang;

/// The state of a serving program. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The store, with the tables of every block.
    pub store: Store,
    /// The keys.
    pub keys: Keys,
    /// The country pack.
    pub pack: Arc<Pack>,
    /// The OpenID provider over the same store and keys. Its issuer is the address by which browsers know us.
    pub signin: Provider,
    /// The source of new numbers.
    pub numbers: Numbers,
    /// What payouts work with: the same store and keys, the register, the banks.
    pub desk: Desk,
    /// What runs payouts in the background.
    pub runs: Runs,
    /// Where the public log's files are.
    pub log_folder: PathBuf,
    /// Where the notes of imports and their rejects are: [`crate::ImportNote`].
    pub imports_folder: PathBuf,
    /// Who runs the deployment, for the foot of every page.
    pub authority: String,
    /// Whether officers come in with a letter too, and not with a passkey only. For trying things out, never for people's data.
    pub office_by_letter: bool,
    /// Whether every page says that all people here are invented.
    pub demo: bool,
    /// Time and dice: one environment for each request.
    pub env: fn() -> Env,
}

/// The parts, and what is made of them once.
pub struct Inner {
    /// The parts.
    pub parts: Parts,
    /// The program's texts with the pack's own on top.
    pub(crate) texts: Arc<Texts>,
    /// The languages of the pack that pages are written in.
    pub(crate) languages: Vec<Lang>,
    /// Whether browsers reach us over TLS.
    pub(crate) secure: bool,
    /// Whether we are a loopback address, where HSTS would catch every other server of the machine too.
    pub(crate) loopback: bool,
    /// The source of new alias numbers, where the country has them.
    pub(crate) aliases: Option<Numbers>,
    /// One permit for each request that may wait for a thread or the database.
    pub(crate) waiting: Semaphore,
    /// Instant payments, where the country has them.
    pub(crate) instant: Option<Scheme>,
    /// For talking to participants.
    pub(crate) client: Client,
    /// Held by the request that flushes for all.
    pub(crate) flushing: Mutex<()>,
    /// Whether the log was published when it was last to be.
    log_is_published: AtomicBool,
}

/// How many requests may wait for a thread or the database; the next one is told to come again.
const WAITING: usize = 2_048;

impl App {
    /// An app of these parts.
    pub fn new(parts: Parts) -> App {
        let texts = Arc::new(crate::pages::texts().as_ref().clone().merge(&parts.pack.texts));
        let languages =
            parts.pack.languages.iter().filter_map(|language| Lang::parse(&language.tag)).collect();
        let issuer = &parts.signin.config().issuer;
        let (secure, host) = (issuer.starts_with("https://"), issuer.split('/').nth(2).unwrap_or_default());
        let loopback = ["localhost", "127.", "[::1]"].iter().any(|name| host.starts_with(name));
        let waiting = Semaphore::new(WAITING);
        let (store, keys, pack) = (parts.store.clone(), parts.keys.clone(), Arc::clone(&parts.pack));
        let instant = parts.pack.instant.as_ref().and_then(|_| {
            let opened = Scheme::open(store, keys, pack, issuer);
            opened.inspect_err(|error| tracing::error!(%error, "instant payments cannot begin")).ok()
        });
        // Without the authorities of this machine, participants are reached on it only.
        let client = Client::new(system_authorities()).or_else(|_| Client::new(None));
        let client = client.expect("a client that trusts nobody needs no file");
        App {
            inner: Arc::new(Inner {
                texts,
                languages,
                secure,
                loopback,
                aliases: Numbers::aliases(&parts.keys, &parts.pack),
                waiting,
                instant,
                client,
                flushing: Mutex::default(),
                log_is_published: AtomicBool::new(true),
                parts,
            }),
        }
    }

    /// The address by which browsers and relying parties know us, without a slash at the end.
    pub fn issuer(&self) -> &str {
        &self.signin.config().issuer
    }

    /// The environment of one request that begins now.
    pub fn env(&self) -> Env {
        (self.inner.parts.env)()
    }

    /// Notes whether the log could be published just now. While it cannot, `/readyz` says so: what is read meanwhile is recorded, but
    /// nobody outside could see it.
    pub fn note_published(&self, worked: bool) {
        self.inner.log_is_published.store(worked, Ordering::Relaxed);
    }

    pub(crate) fn log_is_published(&self) -> bool {
        self.inner.log_is_published.load(Ordering::Relaxed)
    }

    /// Runs a unit of work in the bucket of `person`'s rows.
    ///
    /// # Errors
    /// What `work` refuses, or a [`StoreError`].
    pub(crate) fn write_of<T, E, W>(&self, person: PersonId, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
    {
        self.store.write(person::bucket_of(person, self.store.buckets()), work)
    }

    /// The bucket of what belongs to nobody.
    pub(crate) fn home(&self) -> Bucket {
        self.store.buckets().home()
    }

    /// The name of a cookie. Over TLS the prefix makes browsers refuse one that another host or path has set (RFC 6265bis
    /// section 4.1.3.2).
    pub(crate) fn cookie(&self, name: &str) -> String {
        if self.inner.secure { format!("__Host-{name}") } else { name.to_owned() }
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.inner.parts
    }
}

impl App {
    pub(crate) fn made(&self) -> &Inner {
        &self.inner
    }
}
