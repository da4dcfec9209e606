//! `cargo run --release -p kaname-signin --example signin -- 4000`: complete sign-ins on SQLite in a temporary folder.

use kaname_base::{Env, Instant};
use kaname_signin::{Config, Provider, bench};
use kaname_store::{Buckets, Location, Store, StoreConfig};
use kaname_trust::{Keys, keys};

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(4_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let location = Location::Sqlite(folder.path().join("kaname.sqlite"));
    let config = StoreConfig::new(location, Buckets::new(8).expect("8 is a power of two"));
    let migrations = [kaname_trust::MIGRATIONS, kaname_signin::MIGRATIONS];
    let store = Store::open(&config, &migrations).expect("the store opens");
    let master = Keys::create(&folder.path().join("keys")).expect("the keys are made");
    let now = Instant::from_seconds(1_800_000_000);
    let env = Env::new(now, keys::random());
    let provider = Provider::open(store, master, Config::new("https://id.example.org"), &env);
    let provider = provider.expect("the provider opens");

    let figures = bench::signin(&provider, now, count).expect("every sign-in succeeds");
    for step in &figures.steps {
        println!("{:>10} {:7.1} µs of CPU", step.step, step.cpu_us);
    }
    let bench::Figures { count, per_core_second, per_second, .. } = figures;
    println!("{count} sign-ins: {per_core_second:.0} per core-second, {per_second:.0} per second");
}
