//! `kaname serve`: begins quickly, ends politely, and survives being killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::dump::{open_store, people, reveal};
use crate::program::{Dice, FINISHED, Place, answer, finished, kaname, pause, refusal, start, text};

/// A port that nobody uses now, nor the next one. Below those that systems give out by themselves.
pub(crate) fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % 500) as u16 * 20;
    loop {
        let port = 20_000 + (first + TRIED.fetch_add(2, Ordering::Relaxed)) % 10_000;
        if [port, port + 1].iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
            return port;
        }
    }
}

/// Makes a deployment listen on another port.
pub(crate) fn move_to(place: &Place, port: u16) {
    let path = place.folder().join("kaname.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, config.replace(":8080", &format!(":{port}"))).unwrap();
}

/// Starts the server and waits until it answers.
pub(crate) fn serve(place: &Place, port: u16) -> Child {
    let folder = place.folder();
    let mut command = kaname(&["serve", "--config", text(&folder)]);
    let mut server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..600 {
        if get(port, "/healthz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            return server;
        }
        assert!(server.try_wait().unwrap().is_none(), "the server ended: {}", rest(&mut server));
        pause(Duration::from_millis(50));
    }
    let _ = server.kill();
    panic!("the server does not answer: {}", rest(&mut server));
}

pub(crate) fn get(port: u16, path: &str) -> Option<String> {
    get_from("localhost", port, path)
}

/// As [`get`], from another host on this machine.
fn get_from(host: &str, port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn rest(server: &mut Child) -> String {
    let mut words = String::new();
    let _ = server.stderr.take().unwrap().read_to_string(&mut words);
    words
}

fn terminate(server: &Child) {
    let killed = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

/// Resident memory of a process in kibibytes.
fn memory_kib(server: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn it_answers_and_ends_when_it_is_asked_to() {
    let (place, port) = (finished(), free_port());
    move_to(&place, port);
    #[expect(clippy::disallowed_methods, reason = "the time is printed and decides nothing")]
    let begun = std::time::Instant::now();
    let mut server = serve(&place, port);
    println!("answers after {:?}; {} MiB when idle", begun.elapsed(), memory_kib(&server) / 1_024);
    assert!(get(port, "/").unwrap().starts_with("HTTP/1.1 "), "the portal answers");
    let discovery = get(port, "/.well-known/openid-configuration").unwrap();
    assert!(discovery.contains(&format!("http://localhost:{port}")), "{discovery}");
    assert!(get(port, "/no/such/page").unwrap().starts_with("HTTP/1.1 404"));

    // A second one on the same port says what is wrong and what to do.
    let folder = place.folder();
    let words = refusal(&["serve", "--config", text(&folder)], 3);
    assert!(words.contains(&format!("127.0.0.1:{port}")) && words.contains("what to do"), "{words}");
    assert!(get(port, "/healthz").unwrap().contains("200"), "the first one goes on");

    terminate(&server);
    assert_eq!(server.wait().unwrap().code(), Some(0));
    let words = rest(&mut server);
    assert!(words.contains("nothing is lost") && !words.contains("panicked"), "{words}");
    assert!(get(port, "/healthz").is_none());
}

#[test]
fn killed_while_it_publishes_the_log_it_goes_on_where_it_was() {
    let seed = 20_261_124;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let (place, port) = (finished(), free_port());
    move_to(&place, port);
    let folder = place.folder();
    let config = text(&folder);
    let checkpoint = || std::fs::read_to_string(folder.join("log/checkpoint")).unwrap();
    let (store, keys) = open_store(&folder);
    let people = people(&store);
    // How long the server lives: around the moment at which it first publishes, which is found by trying.
    let (mut longest_ms, mut with_more, mut without) = (100, 0, 0);
    for round in 0..60 {
        if with_more >= 5 && without >= 5 {
            break;
        }
        // Readings that nobody has published: everybody of some part looks at her own number.
        for person in people.iter().skip(round % 10).step_by(10) {
            reveal(&store, &keys, "example", *person);
        }
        let before = checkpoint();
        let mut server = start(&["serve", "--config", config]);
        pause(Duration::from_millis(10 + dice.below(longest_ms)));
        server.kill().unwrap();
        server.wait().unwrap();
        if checkpoint() == before {
            without += 1;
            longest_ms += 40;
        } else {
            with_more += 1;
            longest_ms = longest_ms.saturating_sub(20).max(50);
        }
    }
    println!("killed {without} times before it published and {with_more} times after");
    assert!(with_more > 0 && without > 0, "{without} kills came before it published and {with_more} after");
    let mut server = serve(&place, port);
    terminate(&server);
    assert!(server.wait().unwrap().success());
    let log = answer(&["log", "verify", "--config", config, "--json"]);
    assert_eq!(log["size"], log["compared_with_database"], "{log}");
    assert!(log["size"].as_u64().unwrap() > FINISHED, "{log}");
}

/// The demonstration serves too, with the library beside it.
#[test]
fn the_demonstration_serves_until_it_is_stopped() {
    let (place, port) = (Place::new(), free_port());
    let (folder, shown) = (place.folder(), port.to_string());
    let args =
        ["demo", "--data", text(&folder), "--residents", "50", "--country", "jordan", "--port", &shown];
    let mut demo = kaname(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("Serving ")), "it says that it serves");
    assert!(get(port, "/healthz").unwrap().starts_with("HTTP/1.1 200"), "{port} does not answer");
    // The library is on another host, so that the browser does not show it Kaname's cookies.
    assert!(get_from("127.0.0.1", port + 1, "/").unwrap().starts_with("HTTP/1.1 200"));
    let elsewhere = get(port + 1, "/signin?x=1").unwrap();
    assert!(elsewhere.starts_with("HTTP/1.1 307"), "{elsewhere}");
    assert!(elsewhere.contains(&format!("http://127.0.0.1:{}/signin?x=1", port + 1)), "{elsewhere}");
    terminate(&demo);
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    demo.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains(&format!("http://localhost:{port}/office")), "{said}");
}
