//! How long a small unit of work takes on SQLite besides its SQL: `cargo run --release -p kaname-store --example units`.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kaname_store::{Buckets, Location, Migration, Store, StoreConfig, StoreError, Value};

const MIGRATIONS: &[Migration] = &[Migration {
    block: "units",
    number: 1,
    sql: "CREATE TABLE thing (bucket BIGINT NOT NULL, id BIGINT NOT NULL, note TEXT NOT NULL,
        PRIMARY KEY (bucket, id)) WITHOUT ROWID;",
}];
const ADD: &str = "INSERT INTO thing (bucket, id, note) VALUES ($1, $2, $3)";
const FIND: &str = "SELECT note FROM thing WHERE bucket = $1 AND id = $2";
const THREADS: u64 = 16;
const UNITS: u64 = 200_000;

fn main() {
    let folder = std::env::temp_dir().join(format!("kaname-units-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    bare(&folder.join("bare.sqlite"));
    let buckets = Buckets::new(1).expect("one is a power of two");
    let config = StoreConfig::new(Location::Sqlite(folder.join("store.sqlite")), buckets);
    let store = Store::open(&config, &[MIGRATIONS]).expect("the store opens");
    submitted(&store);
    waited_for(&store);
    read(&store);
    bulk(&store);
    drop(store);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

/// The same rows by the driver alone, 512 to a commit.
fn bare(path: &std::path::Path) {
    let connection = rusqlite::Connection::open(path).expect("opens");
    connection.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    connection.pragma_update(None, "synchronous", "FULL").expect("FULL");
    connection.pragma_update(None, "cache_size", -65_536).expect("cache");
    connection.execute_batch(&MIGRATIONS[0].sql.replace("BIGINT", "INTEGER")).expect("table");
    let text = ADD.replace('$', "?");
    let watch = Watch::start();
    for first in (0..UNITS).step_by(512) {
        connection.execute_batch("BEGIN IMMEDIATE").expect("begins");
        for id in first..(first + 512).min(UNITS) {
            let mut statement = connection.prepare_cached(&text).expect("prepares");
            statement.execute((0, id as i64, "a short note")).expect("inserts");
        }
        connection.execute_batch("COMMIT").expect("commits");
    }
    watch.stop("the driver alone, 512 rows to a commit", UNITS);
}

/// Units handed over without waiting: what the store itself costs.
fn submitted(store: &Store) {
    let (watch, done) = (Watch::start(), Arc::new(AtomicU64::new(0)));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, done) = (store.clone(), Arc::clone(&done));
            scope.spawn(move || {
                for i in 0..UNITS / THREADS {
                    let id = (thread * UNITS + i) as i64;
                    let done = Arc::clone(&done);
                    loop {
                        let done = Arc::clone(&done);
                        let reply = move |answer: Result<(), StoreError>| {
                            answer.expect("inserts");
                            done.fetch_add(1, Ordering::Relaxed);
                        };
                        let work = move |tx: &mut kaname_store::Tx<'_>| {
                            tx.change(ADD, &[id.into(), "a short note".into()]).map(drop)
                        };
                        if store.submit_write(store.buckets().home(), work, reply).is_ok() {
                            break;
                        }
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
    while done.load(Ordering::Relaxed) < UNITS {
        std::thread::yield_now();
    }
    watch.stop("submitted by 16 threads, nobody waits", UNITS);
}

/// Units that 16 threads wait for, one after another.
fn waited_for(store: &Store) {
    let watch = Watch::start();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for i in 0..UNITS / THREADS / 4 {
                    let id = ((thread + 100) * UNITS + i) as i64;
                    store
                        .write(store.buckets().home(), move |tx| {
                            tx.change(ADD, &[id.into(), "a short note".into()]).map(drop)
                        })
                        .expect("inserts");
                }
            });
        }
    });
    watch.stop("written by 16 threads, each waits for the disk", UNITS / 4);
}

fn read(store: &Store) {
    let watch = Watch::start();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for i in 0..UNITS / THREADS {
                    let id = (thread * UNITS + i) as i64;
                    let found = store.read(store.buckets().home(), move |tx| tx.row(FIND, &[id.into()]));
                    assert!(found.is_ok_and(|row| row.is_some()));
                }
            });
        }
    });
    watch.stop("read by 4 threads, each waits", UNITS / THREADS * 4);
}

/// One large unit of work, and the memory it leaves behind.
fn bulk(store: &Store) {
    const ROWS: i64 = 400_000;
    const TOUCH: &str = "UPDATE thing SET note = $2 WHERE bucket = $1 AND id < 0";
    let before = resident_mib();
    let watch = Watch::start();
    let work = |tx: &mut kaname_store::Tx<'_>| {
        let note = "x".repeat(200);
        for id in 0..ROWS {
            // Scattered over the tree, so that pages are written again and again.
            let id = -1 - (id * 7_919) % 1_000_003;
            tx.change(ADD, &[id.into(), Value::Text(&note)])?;
        }
        Ok::<_, StoreError>(())
    };
    store.write(store.buckets().home(), work).expect("inserts");
    watch.stop("inserted in one unit of work, scattered", ROWS as u64);
    let after_insert = resident_mib();
    let work = |tx: &mut kaname_store::Tx<'_>| tx.change(TOUCH, &["y".repeat(200).as_str().into()]);
    let touched = store.write::<_, StoreError, _>(store.buckets().home(), work).expect("updates");
    println!(
        "resident: {before} MiB, then {after_insert}, after an update of {touched} rows {}",
        resident_mib()
    );
}

struct Watch {
    wall: Instant,
    cpu: Duration,
}

impl Watch {
    fn start() -> Watch {
        Watch { wall: Instant::now(), cpu: cpu() }
    }

    fn stop(self, what: &str, units: u64) {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / units as f64;
        let (wall, cpu) = (each(self.wall.elapsed()), each(cpu().saturating_sub(self.cpu)));
        println!("{what:<50} {wall:7.2} us each, {cpu:7.2} us of processor");
    }
}

/// Processor time of this process so far, in the kernel's ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1_024
}
