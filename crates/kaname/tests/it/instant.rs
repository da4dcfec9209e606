//! Instant payments over HTTP, with the program's own simulated banks: paid once, whatever is killed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{Dice, Place, answer, kaname, pause, text};
use crate::serve::{free_port, get, move_to, serve};

/// Ends with the test, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const PAYMENTS: u64 = 16;

#[test]
fn payments_between_two_banks_survive_kills() {
    let seed = 20_261_122;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let place = Place::with_deployment("example", &["--population", "1000"]);
    let (folder, port) = (place.folder(), free_port());
    move_to(&place, port);
    let config = ["--config", text(&folder), "--json"];
    let boss = place.officer("Boss", "administrator", None);
    // As long as there is one administrator she adds others alone.
    let closer = place.officer("Closer", "payments", Some(&boss));
    let second = place.officer("Second", "administrator", Some(&boss));
    let banks = [("north", free_port()), ("south", free_port())].map(|(code, port)| {
        let (key, scheme) = (place.beside(&format!("{code}.key")), place_of(&folder));
        let words =
            ["sim", "bank", code, "--key", text(&key), "--scheme", &scheme, "--port", &port.to_string()]
                .map(str::to_owned);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let made = kaname(&[&words[..], &["--only-key"]].concat()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (address, keys) = (format!("http://127.0.0.1:{port}"), place.beside(&format!("{code}.jwks")));
        let add = ["participant", "add", code, "--name", code, "--address", &address, "--keys", text(&keys)];
        let proposed = answer(&[&add[..], &["--cap", "100000", "--by", &boss], &config].concat());
        let proposal = proposed["proposal"].as_str().expect("one alone only proposes");
        let approve = ["participant", "approve", proposal, "--by", &second];
        assert_eq!(answer(&[&approve[..], &config].concat())["standing"], "active");
        let seed = dice.below(1_000).to_string();
        let faults = ["--slow", "15", "--wrong", "10", "--dead", "10", "--repeats", "20", "--seed", &seed];
        let child = kaname(&[&words[..], &faults].concat()).stderr(Stdio::null()).spawn().unwrap();
        (port, Running(child))
    });

    let mut server = Running(serve(&place, port));
    let mut kills = 0;
    let payment = |number: u64| format!("pmt_{:032x}", (u128::from(number) << 64) + 7);
    for number in 1..=PAYMENTS {
        let (from, to) = if number % 3 == 0 { (1, 0) } else { (0, 1) };
        let codes = ["north", "south"];
        let order = json!({
            "id": payment(number), "account": format!("{}-1", codes[from]), "amount_minor": "250", "currency": "XTS",
            "payee": { "participant": codes[to], "account": format!("{}-2", codes[to]) },
        });
        let mut tries = 0;
        loop {
            if dice.below(4) == 0 && kills < 8 {
                let _ = server.0.kill();
                let _ = server.0.wait();
                kills += 1;
                server = Running(serve(&place, port));
            }
            match post(banks[from].0, "/pay", &order) {
                Some(outcome) => {
                    let state = outcome["state"].as_str().unwrap_or_default().to_owned();
                    assert!(["reserved", "unknown", "committed"].contains(&state.as_str()), "{outcome}");
                    break;
                }
                None => tries += 1,
            }
            assert!(tries < 20, "payment {number} was never answered");
        }
    }
    println!("{kills} kills");
    assert!(kills >= 3, "only {kills} kills");

    // Those whose answer was lost wait for their turn to be asked again; the others are through in a moment.
    let mut committed: Vec<u64> = Vec::new();
    for _ in 0..40 {
        let states = (1..=PAYMENTS).map(|number| {
            let shown = answer(&[&["instant", "payment", &payment(number)][..], &config].concat());
            (number, shown["state"].as_str().unwrap().to_owned())
        });
        let states: Vec<(u64, String)> = states.collect();
        committed =
            states.iter().filter(|(_, state)| state == "committed").map(|(number, _)| *number).collect();
        if states.iter().all(|(_, state)| state != "reserved") && committed.len() >= 5 {
            break;
        }
        pause(Duration::from_millis(500));
    }
    assert!(committed.len() >= 5, "{committed:?}");
    let mut booked = 0;
    for number in &committed {
        for (port, _) in &banks {
            let told = get(*port, &format!("/payments/{}", payment(*number))).unwrap_or_default();
            // A bank that was not told yet is told later; one that was has booked it once.
            assert!(!told.contains("HTTP/1.1 200") || told.contains("\"times\":1"), "{told}");
            booked += usize::from(told.contains("\"times\":1"));
        }
    }
    assert!(booked >= 5, "the banks booked {booked}");
    drop(server);
    assert_eq!(answer(&[&["ledger", "fsck"][..], &config].concat())["sound"], true);
    let list = answer(&[&["participant", "list"][..], &config].concat());
    let positions = list.as_array().unwrap().iter().map(|one| number_of(&one["position_minor"]));
    assert_eq!(positions.sum::<i64>(), 0, "{list}");
    let file = place.beside("window.csv");
    let close = ["instant", "close", "--file", text(&file), "--by", &closer];
    let closed = answer(&[&close[..], &config].concat());
    let nets = closed["nets"].as_array().unwrap();
    assert_eq!(nets.iter().map(|net| number_of(&net["net_minor"])).sum::<i64>(), 0, "{closed}");
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("window,participant,direction,amount_minor,currency\n1,"), "{written}");

    let words = ["instant", "qr", "north-1@north", "--name", "Grocer", "--city", "Port", "--amount", "1250"];
    let made = answer(&[&words[..], &config].concat());
    for asked in [&made["qr"], &made["link"]] {
        let read = answer(&[&["instant", "read", asked.as_str().unwrap()][..], &config].concat());
        assert_eq!((&read["address"], &read["amount_minor"]), (&json!("north-1@north"), &json!("1250")));
    }
}

/// What the deployment is known by.
fn place_of(folder: &std::path::Path) -> String {
    let config = std::fs::read_to_string(folder.join("kaname.toml")).unwrap();
    let issuer = config.lines().find_map(|line| line.strip_prefix("issuer = \"")).unwrap();
    issuer.trim_end_matches('"').to_owned()
}

fn number_of(value: &Value) -> i64 {
    value.as_str().unwrap().parse().unwrap()
}

/// A JSON document to a bank, and its answer if it is one.
fn post(port: u16, path: &str, body: &Value) -> Option<Value> {
    for _ in 0..100 {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
            pause(Duration::from_millis(50));
            continue;
        };
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        return head.starts_with("HTTP/1.1 200").then(|| serde_json::from_str(body).ok()).flatten();
    }
    None
}
