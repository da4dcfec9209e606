//! What allocation and import cost on SQLite: `cargo run --release -p kaname-person --example measure -- 100000 [SCRATCH-FOLDER]`.
//! With a file and a mapping instead of the count, imports that file and shows what was rejected: `… -- people.csv map.toml`.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Clock};

use kaname_base::pack::Pack;
use kaname_base::{Buckets, Env, Instant};
use kaname_person::Numbers;
use kaname_person::import::{BATCH, Import, Mapping, import};
use kaname_store::{Location, Store, StoreConfig};
use kaname_trust::keys::random;
use kaname_trust::{Actor, Keys};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let first = arguments.first().map_or("100000", String::as_str);
    let count: Option<u64> = first.parse().ok();
    let scratch = arguments.get(1).filter(|_| count.is_some()).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = scratch.join(format!("kaname-measure-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let keys = Keys::create(&folder.join("keys")).expect("keys");
    let people = count.unwrap_or(10_000);
    let config =
        StoreConfig::new(Location::Sqlite(folder.join("kaname.sqlite")), Buckets::for_population(people));
    let store = Store::open(&config, &[kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS]).expect("opens");

    match count {
        Some(count) => {
            let pack = Pack::load_shipped("japan").expect("shipped");
            allocate(&store, &keys, &pack);
            let file = folder.join("residents.csv");
            let people = kaname_sim::people("japan", 1, count).expect("known");
            kaname_sim::write_csv(std::fs::File::create(&file).expect("a file"), people).expect("writes");
            run(&store, &keys, &pack, &file, &Mapping::own(), &folder.join("rejects.csv"));
            run(&store, &keys, &pack, &file, &Mapping::own(), &folder.join("rejects.csv"));
            println!("{} buckets", store.buckets().count());
        }
        None => {
            let pack = Pack::load_shipped("uk").expect("shipped");
            let mapping = arguments.get(1).expect("FILE MAPPING");
            let mapping =
                Mapping::parse(&std::fs::read_to_string(mapping).expect("reads")).expect("a mapping");
            let rejects = folder.join("rejects.csv");
            run(&store, &keys, &pack, Path::new(first), &mapping, &rejects);
            print!("{}", std::fs::read_to_string(rejects).expect("reads"));
        }
    }
    drop(store);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

fn allocate(store: &Store, keys: &Keys, pack: &Pack) {
    const NUMBERS: u64 = 5_000_000;
    let numbers = Numbers::new(keys, pack);
    let watch = Watch::start();
    for _ in 0..NUMBERS / 4_096 {
        numbers.take(store, 4_096).expect("takes");
    }
    watch.stop("numbers, leases of 4,096 durable included", NUMBERS);
}

fn run(store: &Store, keys: &Keys, pack: &Pack, file: &Path, mapping: &Mapping, rejects: &Path) {
    let numbers = Numbers::new(keys, pack);
    let env = Env::new(Instant::from_seconds(1_790_000_000), random());
    let by = Actor::program("measure", "program");
    let ask = Import { file, rejects, mapping, by, why: "measuring", batch: BATCH };
    let watch = Watch::start();
    let report = import(store, keys, pack, &numbers, &env, &ask, &mut |_| {}).expect("imports");
    let rows = report.progress.registered + report.progress.rejected;
    watch.stop("rows imported", rows.max(1));
    println!("{report:?}");
}

struct Watch {
    wall: Clock,
    cpu: Duration,
}

impl Watch {
    fn start() -> Watch {
        Watch { wall: Clock::now(), cpu: cpu() }
    }

    fn stop(self, what: &str, count: u64) {
        let (wall, cpu) = (self.wall.elapsed(), cpu().saturating_sub(self.cpu));
        let rate = |time: Duration| count as f64 / time.as_secs_f64().max(0.001);
        println!(
            "{what}: {:.0} per core-second, {:.0} per second; at most {} MiB resident so far",
            rate(cpu),
            rate(wall),
            peak_mib()
        );
    }
}

/// Processor time of this process so far, in the kernel's ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1_024
}
