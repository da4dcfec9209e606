//! How fast the hot paths are: `cargo bench -p kaname-codec`. One core, one line for each.
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use kaname_codec::iso20022::{Account, Agent, Currency, Header, Transfer, parse_pain001, write_pain001};
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

    let ids: Vec<String> = (0..200_000).map(|n| format!("pay_{n:016}")).collect();
    let transfers: Vec<Transfer<'_>> = ids
        .iter()
        .map(|id| Transfer {
            end_to_end_id: id.as_str().into(),
            amount_minor: 10_000,
            creditor_name: "Yamada Taro".into(),
            creditor_account: Account::Other("0001-001-1234567".into()),
            creditor_agent: Some(Agent::Member("0001".into())),
            remittance: Some("child benefit april".into()),
        })
        .collect();
    let header = Header {
        message_id: "m".into(),
        created: "2026-04-01T09:30:00Z".into(),
        initiator: "Ministry".into(),
        payment_id: "p".into(),
        execution_date: "2026-04-02".into(),
        debtor_name: "Treasury".into(),
        debtor_account: Account::Other("1".into()),
        debtor_agent: Agent::NotProvided,
        currency: Currency::new("JPY", 0).expect("a currency"),
    };
    let mut message = Vec::new();
    measure("payments written", transfers.len(), || {
        message = write_pain001(&header, &transfers).expect("a good message");
    });
    measure("payments read", transfers.len(), || {
        black_box(parse_pain001(&message, &|_| Some(0)).expect("our own message"));
    });
}

fn measure(what: &str, count: usize, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {:.0} a second, {:.3} µs each", count as f64 / seconds, 1e6 * seconds / count as f64);
}
