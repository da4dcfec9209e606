//! How fast the hot paths are: `cargo bench -p kaname-codec`. One core, one line for each.
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use kaname_codec::jose::{Es256Key, Unverified, sign_jwt};
use kaname_codec::tlog::{Frontier, LogError, Tile, grow};
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;

fn main() {
    const LEAVES: usize = 1 << 20;
    let entries: Vec<Vec<u8>> = (0..LEAVES).map(|n| [&n.to_be_bytes()[..], &[7; 120]].concat()).collect();
    let mut none = |_: Tile| -> Result<Vec<u8>, LogError> { Err(LogError::Path) };
    measure("log leaves hashed into tiles", LEAVES, || {
        black_box(grow(&Frontier::new(), &entries, &mut none).expect("an empty log needs no tiles"));
    });

    let key = Es256Key::from_pkcs8(&Es256Key::generate().expect("a key")).expect("our own key");
    let claims = json!({"iss":"https://id.example","sub":"s-01234567","aud":"client","exp":2_000_000_000,"iat":1,"nonce":"n"});
    measure("tokens signed", 20_000, || {
        (0..20_000).for_each(|_| _ = black_box(sign_jwt(&key, "k1", "at+jwt", &claims)));
    });
    let token = sign_jwt(&key, "k1", "at+jwt", &claims);
    measure("tokens verified", 20_000, || {
        for _ in 0..20_000 {
            let read = Unverified::parse(black_box(&token)).expect("our own token");
            black_box(read.verify(key.public()).expect("our own token"));
        }
    });
}

fn measure(what: &str, count: usize, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {:.0} a second, {:.3} µs each", count as f64 / seconds, 1e6 * seconds / count as f64);
}
