//! The handle that the program holds: where the data lies, and the threads that work on it.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use kaname_base::{Bucket, Buckets};

use crate::postgres::Postgres;
use crate::queue::{Connect, Manner, Queue, Unit, serve};
use crate::sqlite::Sqlite;
use crate::tx::{Engine, Tx};
use crate::{Faults, Migration, StoreError, migrate};

/// Where the data lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// One file on this machine.
    Sqlite(PathBuf),
    /// One PostgreSQL (or Citus) by its connection string; several share the buckets between them, bucket modulo count.
    Postgres(Vec<String>),
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where the data lies.
    pub location: Location,
    /// How many buckets the deployment has. Never changes after the first migration.
    pub buckets: Buckets,
    /// Threads that write, per PostgreSQL. SQLite has one always.
    pub writers: usize,
    /// Threads that read, per database.
    pub readers: usize,
    /// SQLite's page cache for the writer, in MiB.
    pub cache_mib: u32,
    /// How many units of work may wait before [`StoreError::Busy`].
    pub waiting: usize,
    /// Faults that the connections play, for tests. `None` outside them.
    pub faults: Option<Faults>,
}

impl StoreConfig {
    /// The defaults for a location.
    pub fn new(location: Location, buckets: Buckets) -> StoreConfig {
        StoreConfig { location, buckets, writers: 8, readers: 4, cache_mib: 64, waiting: 4_096, faults: None }
    }
}

/// The store. Clones share the same threads; when the last one goes, they finish their work and end.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shards: Vec<Shard>,
    config: StoreConfig,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Clone)]
struct Shard {
    writes: Arc<Queue>,
    reads: Arc<Queue>,
}

impl Store {
    /// Opens the store, applies what `migrations` it lacks, and starts its threads.
    ///
    /// # Errors
    /// [`StoreError::Version`] when the data was made by a newer program or with another number of buckets;
    /// [`StoreError::Database`] when it cannot be reached.
    pub fn open(config: &StoreConfig, migrations: &[&[Migration]]) -> Result<Store, StoreError> {
        let mut inner = Inner { shards: Vec::new(), config: config.clone(), threads: Vec::new() };
        let connectors = connectors(config);
        let count = connectors.len();
        for (index, (connect_writer, connect_reader)) in connectors.into_iter().enumerate() {
            let place = migrate::Place { buckets: config.buckets, shard: index, shards: count };
            migrate::apply(&mut *connect_writer()?, migrations, place)?;
            let shard = Shard { writes: Queue::new(config.waiting), reads: Queue::new(config.waiting) };
            let (writers, manner) = match config.location {
                Location::Sqlite(_) => (1, Manner::Grouped),
                Location::Postgres(_) => (config.writers, Manner::Alone),
            };
            inner.shards.push(shard.clone()); // before its threads start, so that a failure further on ends them
            let groups = [
                ("write", writers, manner, &shard.writes, faulty(connect_writer, config.faults.as_ref())),
                ("read", config.readers, Manner::Alone, &shard.reads, connect_reader),
            ];
            for (name, count, manner, queue, connect) in groups {
                let connect = Arc::new(connect);
                for number in 0..count {
                    let (queue, connect) = (Arc::clone(queue), Arc::clone(&connect));
                    let connect: Connect = Box::new(move || connect());
                    let builder = std::thread::Builder::new().name(format!("store-{name}-{index}-{number}"));
                    let thread = builder.spawn(move || serve(&queue, manner, &connect));
                    inner.threads.push(thread.map_err(|error| StoreError::Database(error.to_string()))?);
                }
            }
        }
        Ok(Store { inner: Arc::new(inner) })
    }

    /// How many buckets the deployment has.
    pub fn buckets(&self) -> Buckets {
        self.inner.config.buckets
    }

    /// Runs one unit of work that may change `bucket`, and waits until it is durable.
    ///
    /// `work` may run more than once, and has no effect outside its [`Tx`]. Never call this from inside a unit of work or
    /// a reply: they run on the thread that it would wait for.
    ///
    /// # Errors
    /// What `work` refuses, or a [`StoreError`].
    pub fn write<T, E, W>(&self, bucket: Bucket, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
    {
        let (send, receive) = mpsc::sync_channel(1);
        self.shard(bucket).writes.push(Box::new(unit(bucket, work, move |answer| drop(send.send(answer)))));
        receive.recv().unwrap_or_else(|_| Err(StoreError::CommitUnknown.into()))
    }

    /// Runs one unit of work that only reads `bucket`, over one consistent view.
    ///
    /// # Errors
    /// What `work` refuses, or a [`StoreError`].
    pub fn read<T, E, W>(&self, bucket: Bucket, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
    {
        let (send, receive) = mpsc::sync_channel(1);
        self.shard(bucket).reads.push(Box::new(unit(bucket, work, move |answer| drop(send.send(answer)))));
        receive.recv().unwrap_or_else(|_| Err(StoreError::CommitUnknown.into()))
    }

    /// Like [`Store::write`] without waiting: `reply` is called on the store's thread once the work is durable.
    ///
    /// # Errors
    /// [`StoreError::Busy`] at once, when too much work waits; `reply` is not called then.
    pub fn submit_write<T, E, W, R>(&self, bucket: Bucket, work: W, reply: R) -> Result<(), StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
        R: FnOnce(Result<T, E>) + Send + 'static,
    {
        self.shard(bucket).writes.offer(Box::new(unit(bucket, work, reply))).map_err(|_| StoreError::Busy)
    }

    /// Like [`Store::read`] without waiting.
    ///
    /// # Errors
    /// [`StoreError::Busy`] at once, when too much work waits; `reply` is not called then.
    pub fn submit_read<T, E, W, R>(&self, bucket: Bucket, work: W, reply: R) -> Result<(), StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
        R: FnOnce(Result<T, E>) + Send + 'static,
    {
        self.shard(bucket).reads.offer(Box::new(unit(bucket, work, reply))).map_err(|_| StoreError::Busy)
    }

    /// How many runs met a conflict and were run again, since the store was opened.
    pub fn conflicts(&self) -> u64 {
        self.inner.shards.iter().map(|shard| shard.writes.conflicts.load(Ordering::Relaxed)).sum()
    }

    /// A connection of its own to each database, for reading the catalogue.
    pub(crate) fn engines(&self) -> Result<Vec<Box<dyn Engine>>, StoreError> {
        connectors(&self.inner.config).into_iter().map(|(_, connect_reader)| connect_reader()).collect()
    }

    fn shard(&self, bucket: Bucket) -> &Shard {
        &self.inner.shards[usize::from(bucket.index()) % self.inner.shards.len()]
    }
}

fn unit<T, E, W, R>(bucket: Bucket, work: W, reply: R) -> Unit<T, E, W, R> {
    Unit { bucket, work, reply: Some(reply), answer: None }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for shard in &self.shards {
            shard.writes.close();
            shard.reads.close();
        }
        let this = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // The last handle may be dropped by a reply on one of these very threads; it cannot wait for itself.
            if thread.thread().id() != this {
                let _ = thread.join();
            }
        }
    }
}

fn faulty(connect: Connector, faults: Option<&Faults>) -> Connector {
    match faults.cloned() {
        None => connect,
        Some(faults) => Box::new(move || Ok(faults.wrap(connect()?))),
    }
}

/// For each database: how to connect a writer, and how to connect a reader.
fn connectors(config: &StoreConfig) -> Vec<(Connector, Connector)> {
    let cache_mib = config.cache_mib;
    match &config.location {
        Location::Sqlite(path) => {
            let (for_writing, for_reading) = (path.clone(), path.clone());
            vec![(
                Box::new(move || Ok(Box::new(Sqlite::writer(&for_writing, cache_mib)?) as Box<dyn Engine>)),
                Box::new(move || Ok(Box::new(Sqlite::reader(&for_reading, 8)?) as Box<dyn Engine>)),
            )]
        }
        Location::Postgres(urls) => urls
            .iter()
            .cloned()
            .map(|url| {
                let again = url.clone();
                let writer: Connector =
                    Box::new(move || Ok(Box::new(Postgres::connect(&url, false)?) as Box<dyn Engine>));
                let reader: Connector =
                    Box::new(move || Ok(Box::new(Postgres::connect(&again, true)?) as Box<dyn Engine>));
                (writer, reader)
            })
            .collect(),
    }
}

type Connector = Box<dyn Fn() -> Result<Box<dyn Engine>, StoreError> + Send + Sync>;
