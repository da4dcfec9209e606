//! `kaname number lock` and `alias`: an officer does for a resident what she would do on her page, and each process sees it.

use std::process::Stdio;
use std::time::Duration;

use crate::database::cluster;
use crate::program::{Dice, Place, answer, borrowed, kaname, pause, refusal, start, text};

#[test]
fn on_sqlite() {
    lives(&[]);
}

#[test]
fn on_postgresql() {
    let Some(postgres) = cluster() else { return };
    lives(&["--postgres", &postgres.database()]);
}

fn lives(more: &[&str]) {
    let place = Place::with_deployment("example", &[&["--population", "1000"], more].concat());
    let (folder, people) = (place.folder(), place.people("example", 20));
    let config = ["--config", text(&folder), "--json"];
    let with = |args: &[&str]| [args, &config].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let run = |args: &[&str]| answer(&borrowed(&with(args)));
    run(&["resident", "import", text(&people)]);
    let header = std::fs::read_to_string(&people).unwrap();
    let reference = header.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let boss = place.officer("Boss", "administrator", None);
    let registrar = place.officer("Registrar", "registrar", Some(&boss));
    let who = ["--reference", &reference, "--officer", &registrar];

    let number = run(&[&["resident", "show", "--number"], &who[..]].concat());
    let (number, name) = (number["number"].as_str().unwrap(), number["name"].as_str().unwrap());
    let permanent = run(&[&["number", "alias", "make", "--kind", "permanent"], &who[..]].concat());
    let permanent = permanent["alias"].as_str().unwrap().to_owned();
    for of in [number, &permanent] {
        assert_eq!(run(&["resident", "show", "--of", of])["name"], name);
    }

    let why = ["--why", "stolen", "--evidence", "report 5"];
    let lock = |word: &str| run(&[&["number", word], &who[..], &why].concat());
    assert_eq!(lock("lock")["locked"], true);
    let words = refusal(&borrowed(&with(&["resident", "show", "--of", number])), 1);
    assert!(words.contains("leads to no resident") && !words.contains(number), "{words}");
    assert_eq!(run(&["resident", "show", "--of", number, "--officer", &registrar])["name"], name);
    assert_eq!(run(&["resident", "show", "--of", &permanent])["name"], name);
    assert_eq!(lock("unlock")["locked"], false);
    assert_eq!(run(&["resident", "show", "--of", number])["name"], name);

    run(&[&["number", "alias", "revoke", "--n", "1"], &who[..]].concat());
    refusal(&borrowed(&with(&["resident", "show", "--of", &permanent])), 1);
    refusal(&borrowed(&with(&[&["number", "alias", "make", "--kind", "temporary"], &who[..]].concat())), 1);
    refusal(&borrowed(&with(&[&["number", "alias", "make", "--kind", "for-ever"], &who[..]].concat())), 2);
    used_once(&|kind| {
        let made = run(&[&["number", "alias", "make", "--kind", kind], &who[..]].concat());
        with(&["resident", "show", "--of", made["alias"].as_str().unwrap()])
    });
    let listed = run(&[&["number", "alias", "list"], &who[..]].concat());
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.last().unwrap()["state"], "revoked");
    assert!(listed.iter().filter(|alias| alias["state"] == "used").count() > 2, "{listed:?}");
}

/// Processes use one alias at the same time, and some are killed on the way: it is good for one of them at most.
fn used_once(alias: &dyn Fn(&str) -> Vec<String>) {
    let mut dice = Dice(7);
    let mut killed = 0;
    for round in 0..8 {
        let args = alias("single-use");
        if round % 2 == 1 {
            let mut child = start(&borrowed(&args));
            pause(Duration::from_millis(dice.below(40)));
            child.kill().unwrap();
            killed += usize::from(child.wait().unwrap().code().is_none());
        }
        let users: Vec<_> = (0..3)
            .map(|_| kaname(&borrowed(&args)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let good = users.into_iter().filter_map(|user| user.wait_with_output().ok());
        let good = good.filter(|output| output.status.success()).count();
        assert!(good == 1 || (round % 2 == 1 && good == 0), "round {round}: good for {good}");
        refusal(&borrowed(&args), 1);
    }
    assert!(killed > 0, "no process was killed on the way");
}
