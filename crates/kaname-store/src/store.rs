//! The handle that the program holds: where the data lies, and who works on it.
//!
//! On SQLite the caller's own thread does: it takes its turn at the one connection that writes, or a connection of its own
//! that reads. A server's connections belong to threads, to which work goes through a queue; so does, everywhere, work whose
//! caller does not wait.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use kaname_base::{Bucket, Buckets};

use crate::postgres::Postgres;
use crate::queue::{Connect, Queue, Replying, Unit, run_alone, serve};
use crate::sqlite::Sqlite;
use crate::tx::{Engine, Tx};
use crate::writer::{self, Unflushed, Writer};
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
    /// Threads that read, per database, at least one. On SQLite as many connections more are for callers' own threads, which wait for
    /// one when all are in use.
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
    /// On SQLite: what callers' own threads work with.
    own: Option<Own>,
}

#[derive(Clone)]
struct Own {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

/// Connections for reading: whoever comes when all are in use waits for one, as making one more costs as much as many reads.
struct Readers {
    /// Those that nobody uses at the moment; `None` is one that is yet to be made.
    idle: Mutex<Vec<Option<Box<dyn Engine>>>>,
    given_back: Condvar,
    connect: Connect,
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
            let connect_writer = faulty(connect_writer, config.faults.as_ref());
            let own = matches!(config.location, Location::Sqlite(_)).then(|| Own {
                writer: Arc::new(Writer::new(connect_writer.clone())),
                readers: Arc::new(Readers::new(config.readers, connect_reader.clone())),
            });
            let shard = Shard { writes: Queue::new(config.waiting), reads: Queue::new(config.waiting), own };
            inner.shards.push(shard.clone()); // before its threads start, so that a failure further on ends them
            if let (Some(own), Location::Sqlite(path)) = (&shard.own, &config.location) {
                let (copier, path) = (Arc::clone(&own.writer.copier), path.clone());
                let builder = std::thread::Builder::new().name(format!("store-copy-back-{index}"));
                let thread = builder.spawn(move || drop(copier.serve(&path)));
                inner.threads.push(thread.map_err(|error| StoreError::Database(error.to_string()))?);
            }
            let writers = if shard.own.is_some() { 1 } else { config.writers };
            let groups = [
                ("write", writers, &shard.writes, shard.own.map(|own| own.writer), connect_writer),
                ("read", config.readers, &shard.reads, None, connect_reader),
            ];
            for (name, count, queue, writer, connect) in groups {
                for number in 0..count {
                    let (queue, writer, connect) = (Arc::clone(queue), writer.clone(), connect.clone());
                    let builder = std::thread::Builder::new().name(format!("store-{name}-{index}-{number}"));
                    let thread = builder.spawn(move || match writer {
                        Some(writer) => writer.serve(&queue),
                        None => serve(&queue, &connect),
                    });
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
    /// a reply: it would wait for itself.
    ///
    /// # Errors
    /// What `work` refuses, or a [`StoreError`].
    pub fn write<T, E, W>(&self, bucket: Bucket, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
    {
        let (shard, unit) = (self.shard(bucket), Unit::new(bucket, work));
        match &shard.own {
            Some(own) => writer::write(&own.writer, unit),
            None => wait_for(&shard.writes, unit),
        }
    }

    /// Runs one unit of work that only reads `bucket`, over one consistent view. Never call this from inside a unit of work: all
    /// connections may be in the hands of callers who wait for another one.
    ///
    /// # Errors
    /// What `work` refuses, or a [`StoreError`].
    pub fn read<T, E, W>(&self, bucket: Bucket, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
    {
        let (shard, mut unit) = (self.shard(bucket), Unit::reading(bucket, work));
        let Some(own) = &shard.own else { return wait_for(&shard.reads, unit) };
        // The connection that writes has the newest pages at hand; another one would read them anew after every commit.
        if writer::is_unflushed(&own.writer) {
            return writer::write(&own.writer, unit);
        }
        let mut lent = own.readers.lend();
        let outcome = run_alone(&mut lent.engine, &own.readers.connect, &shard.reads, &mut unit);
        drop(lent);
        unit.conclude(outcome)
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
        let unit = Unit::new(bucket, work);
        self.shard(bucket).writes.offer(Box::new(Replying { unit, reply })).map_err(|_| StoreError::Busy)
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
        let unit = Unit::reading(bucket, work);
        self.shard(bucket).reads.offer(Box::new(Replying { unit, reply })).map_err(|_| StoreError::Busy)
    }

    /// Runs `work`, whose units of work end before they are durable; nobody may be told of them, and nothing may be done
    /// outside the database, before [`Unflushed::flush`] is well. So a thread that serves many callers waits for the disk
    /// once for all of them. A store of more than this file waits as ever, and has nothing to flush.
    pub fn unflushed<R>(&self, work: impl FnOnce() -> R) -> (R, Unflushed) {
        let own = self.inner.shards[0].own.as_ref();
        writer::unflushed(own.map(|own| &own.writer), work)
    }

    /// Whether a short unit of work would be run by its caller's thread, and at once: on SQLite, while no long one is under way.
    pub fn is_at_hand(&self) -> bool {
        self.inner.shards.iter().all(|shard| shard.own.as_ref().is_some_and(|own| own.writer.is_at_hand()))
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

/// Puts a unit of work into the queue and waits for its answer.
fn wait_for<T, E, W>(queue: &Queue, unit: Unit<T, E, W>) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Send + 'static,
{
    let (send, receive) = mpsc::sync_channel(1);
    let reply = move |answer| drop(send.send(answer));
    queue.push(Box::new(Replying { unit, reply }));
    receive.recv().unwrap_or_else(|_| Err(StoreError::CommitUnknown.into()))
}

impl Readers {
    fn new(most: usize, connect: Connect) -> Readers {
        let idle = Mutex::new((0..most).map(|_| None).collect());
        Readers { idle, given_back: Condvar::new(), connect }
    }

    fn lend(&self) -> Lent<'_> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle =
            self.given_back.wait_while(idle, |idle| idle.is_empty()).unwrap_or_else(PoisonError::into_inner);
        Lent { engine: idle.pop().flatten(), of: self }
    }
}

/// One of the connections for reading, in use.
struct Lent<'a> {
    engine: Option<Box<dyn Engine>>,
    of: &'a Readers,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.of.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.engine.take());
        self.of.given_back.notify_one();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for shard in &self.shards {
            shard.writes.close();
            shard.reads.close();
            if let Some(own) = &shard.own {
                own.writer.copier.close();
            }
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

fn faulty(connect: Connect, faults: Option<&Faults>) -> Connect {
    match faults.cloned() {
        None => connect,
        Some(faults) => Arc::new(move || Ok(faults.wrap(connect()?))),
    }
}

/// For each database: how to connect a writer, and how to connect a reader.
fn connectors(config: &StoreConfig) -> Vec<(Connect, Connect)> {
    let cache_mib = config.cache_mib;
    match &config.location {
        Location::Sqlite(path) => {
            let (for_writing, for_reading) = (path.clone(), path.clone());
            vec![(
                Arc::new(move || Ok(Box::new(Sqlite::writer(&for_writing, cache_mib)?) as Box<dyn Engine>)),
                Arc::new(move || Ok(Box::new(Sqlite::reader(&for_reading, 8)?) as Box<dyn Engine>)),
            )]
        }
        Location::Postgres(urls) => urls
            .iter()
            .cloned()
            .map(|url| {
                let again = url.clone();
                let writer: Connect =
                    Arc::new(move || Ok(Box::new(Postgres::connect(&url, false)?) as Box<dyn Engine>));
                let reader: Connect =
                    Arc::new(move || Ok(Box::new(Postgres::connect(&again, true)?) as Box<dyn Engine>));
                (writer, reader)
            })
            .collect(),
    }
}
