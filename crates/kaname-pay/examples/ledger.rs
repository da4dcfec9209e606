//! How many transfers the ledger posts, durable on SQLite: `cargo run --release -p kaname-pay --example ledger`.
//! Batches of 8,192 between random pairs of 10,000 accounts; another number of accounts may be given.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::{Duration, Instant, SystemTime};

use kaname_base::{Amount, Buckets, Currency, Env};
use kaname_pay::ledger::{Account, Kind, Limit, Transfer, fsck, open_accounts, post_batch};
use kaname_pay::{AccountId, MIGRATIONS, PayError};
use kaname_store::{Location, Store, StoreConfig};

const BATCH: usize = 8_192;
const BATCHES: u64 = 100;

fn main() {
    let accounts: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let folder = std::env::temp_dir().join(format!("kaname-ledger-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let buckets = Buckets::new(1).expect("one is a power of two");
    let config = StoreConfig::new(Location::Sqlite(folder.join("ledger.sqlite")), buckets);
    let store = Store::open(&config, &[MIGRATIONS]).expect("the store opens");
    let currency = Currency::new("XTS", 2).expect("a currency");
    let home = buckets.home();
    let mut random = Random(7);
    let ids: Vec<AccountId> = (0..accounts).map(|_| AccountId::from_bytes(random.bytes())).collect();
    for ids in ids.chunks(BATCH) {
        let opened: Vec<_> = ids.iter().map(|id| Account::new(*id, currency, 1, Limit::None)).collect();
        store
            .write::<_, PayError, _>(home, move |tx| Ok(open_accounts(tx, &opened)?))
            .expect("accounts open");
    }

    let (wall, cpu) = (Instant::now(), processor_time());
    for batch in 0..BATCHES {
        let env = env(batch);
        let mut pick = || ids[(random.next() % accounts) as usize];
        let transfers: Vec<Transfer> = (0..BATCH)
            .map(|_| {
                let (debit, mut credit) = (pick(), pick());
                while credit == debit {
                    credit = pick();
                }
                let amount = Amount::from_minor(100).expect("a small amount");
                Transfer { id: env.id(home), debit, credit, amount, kind: Kind::Posted, code: 1 }
            })
            .collect();
        let outcomes = store
            .write::<_, PayError, _>(home, move |tx| Ok(post_batch(&env, tx, &transfers)?))
            .expect("posts");
        assert!(outcomes.iter().all(|outcome| outcome.is_ok_and(|posted| !posted.again)));
    }
    let (wall, cpu) = (wall.elapsed(), processor_time().saturating_sub(cpu));
    let transfers = (BATCHES * BATCH as u64) as f64;
    println!(
        "{accounts} accounts, {transfers} transfers: {:.0} each second of a core, {:.0} each second on the wall",
        transfers / cpu.as_secs_f64(),
        transfers / wall.as_secs_f64()
    );
    let (wall, cpu) = (Instant::now(), processor_time());
    let found =
        fsck(&store, &kaname_trust::Actor::program("example", "program")).expect("the books are read");
    assert!(found.is_sound() && found.transfers == transfers as u64, "{found:?}");
    let cpu = processor_time().saturating_sub(cpu);
    println!("fsck: sound, {:.1} s, {:.1} s of a core", wall.elapsed().as_secs_f64(), cpu.as_secs_f64());
    drop(store);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

fn env(batch: u64) -> Env {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&batch.to_le_bytes());
    Env::new(kaname_base::Instant::from_micros(now.as_micros() as i64), seed)
}

/// SplitMix64: the same pairs in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn bytes(&mut self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes()
    }
}

/// Processor time of this process so far, in the kernel's ticks of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
