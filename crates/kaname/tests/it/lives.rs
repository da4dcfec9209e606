//! `kaname resident event`: what happens to a resident changes her record, and other blocks hear of it.

use kaname_pay::PayError;
use kaname_pay::payee::{PayeeState, payee_of};
use kaname_person::register::person_of_reference;
use kaname_trust::person::bucket_of;
use kaname_trust::{Access, Actor, access};
use serde_json::Value;

use crate::dump::open_store;
use crate::program::{Place, answer, answer_with, refusal, text};

/// A demonstration, the id of its registrar, and the references of its residents.
pub(crate) fn world(residents: &str) -> (Place, String, Vec<String>) {
    let place = Place::new();
    let folder = place.folder();
    answer(&[
        "demo",
        "--data",
        text(&folder),
        "--residents",
        residents,
        "--country",
        "example",
        "--exit",
        "--json",
    ]);
    let officers = answer(&["officer", "list", "--config", text(&folder), "--json"]);
    let is_registrar = |officer: &&Value| officer["roles"].to_string().contains("registrar");
    let registrar = officers.as_array().unwrap().iter().find(is_registrar).unwrap()["officer"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut file = csv::Reader::from_path(folder.join("residents.csv")).unwrap();
    let references = file.records().map(|row| row.unwrap()[0].to_owned()).collect();
    (place, registrar, references)
}

#[test]
fn a_death_is_told_to_the_payments_and_undone() {
    let (place, registrar, references) = world("60");
    let folder = place.folder();
    let on = ["--config", text(&folder), "--json"];
    let event = |reference: &str, more: &[&str]| {
        let args = ["resident", "event", "add", "--reference", reference, "--officer", &registrar];
        let why = ["--why", "report", "--evidence", "paper 7"];
        answer(&[&args[..], &why, more, &on].concat())
    };
    let with_account = references
        .iter()
        .find(|reference| payee(&place, reference) == Some(PayeeState::Active))
        .expect("somebody of the demonstration is paid on an account");
    let died = event(with_account, &["--kind", "death", "--on", "2026-01-02"]);
    assert_eq!(
        (died["event"].as_i64(), died["jobs_done"].as_u64(), died["jobs_failed"].as_u64()),
        (Some(2), Some(1), Some(0))
    );
    assert_eq!(payee(&place, with_account), Some(PayeeState::Closed));
    let show = ["resident", "show", "--reference", with_account, "--officer", &registrar];
    assert_eq!(answer(&[&show[..], &on].concat())["standing"], "dead");
    let then = answer(&[&show[..], &["--as-of", "2026-01-02"], &on].concat());
    assert_eq!(then["standing"], "dead");
    let too_early = [&show[..], &["--as-of", "2026-01-01"], &on].concat();
    assert!(refusal(&too_early, 1).contains("the register knows her since"));

    let others: Vec<&String> = references.iter().filter(|reference| *reference != with_account).collect();
    let (anna, ben) = (others[0], others[1]);
    event(anna, &["--kind", "marriage", "--with", ben, "--on", "2020-05-01"]);
    let bens = ["resident", "show", "--reference", ben, "--officer", &registrar];
    let shown = answer(&[&bens[..], &on].concat());
    assert_eq!(
        (&shown["relations"][0]["relation"], &shown["relations"][0]["from"]),
        (&"spouse".into(), &"2020-05-01".into())
    );
    let checked = answer(&[&["resident", "check"][..], &on].concat());
    assert_eq!(
        (&checked["sound"], &checked["folded"], &checked["relations"]),
        (&true.into(), &3.into(), &2.into())
    );

    event(with_account, &["--kind", "annulment", "--annuls", "2", "--on", "2026-01-02"]);
    assert_eq!(answer(&[&show[..], &on].concat())["standing"], "here");
    assert_eq!(payee(&place, with_account), Some(PayeeState::Active));
    let history = answer(&[&["resident", "history", "--reference", with_account][..], &on].concat());
    let kinds: Vec<&str> =
        history.as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["registration", "death", "annulment"]);
    assert_eq!(history[1]["annulled_by"], 3);
    assert_eq!(history[1]["by"], registrar.as_str());

    let args = [
        "resident",
        "event",
        "add",
        "--reference",
        anna,
        "--officer",
        &registrar,
        "--why",
        "x",
        "--evidence",
        "y",
    ];
    let again = [&args[..], &["--kind", "marriage", "--with", ben, "--on", "2021-05-01"], &on].concat();
    assert!(refusal(&again, 1).contains("so related already"));
}

#[test]
fn a_file_of_events_is_recorded_once() {
    let (place, registrar, references) = world("20");
    let folder = place.folder();
    let line = |reference: &str, more: &str| {
        format!(r#"{{"reference":"{reference}","why":"report","evidence":"paper 7",{more}}}"#)
    };
    let file = place.write(
        "events.jsonl",
        [
            line(
                &references[0],
                r#""kind":"move","on":"2025-01-01","set":{"postcode":"2000","region":"Hills","city":"Hilltown","address":"1 Hill"}"#,
            ),
            line(&references[1], r#""kind":"emigration","on":"2025-02-01","place":"Elsewhere""#),
            line(&references[1], r#""kind":"move","on":"2025-03-01","set":{"city":"Hilltown"}"#),
            line(
                &references[2],
                r#""kind":"correction","on":"2025-01-01","set":{"birth_date":"1950-02-30"}"#,
            ),
            "{not json".to_owned(),
            line("nobody", r#""kind":"death","on":"2025-01-01""#),
            // Read again, these are not judged by what she has become since.
            line(
                &references[3],
                r#""kind":"correction","on":"2025-01-01","set":{"birth_date":"1950-02-03"}"#,
            ),
            line(
                &references[3],
                r#""kind":"correction","on":"2025-01-01","set":{"birth_date":"1950-02-04"}"#,
            ),
            line(&references[3], r#""kind":"death","on":"2025-01-01""#),
        ]
        .join("\n"),
    );
    let args = [
        "resident",
        "event",
        "import",
        text(&file),
        "--officer",
        &registrar,
        "--config",
        text(&folder),
        "--json",
    ];
    for (recorded, already_here) in [(5, 0), (0, 5)] {
        let done = answer_with(&args, 4);
        assert_eq!((&done["recorded"], &done["jobs_done"]), (&recorded.into(), &recorded.into()), "{done}");
        assert_eq!(done["already_here"], already_here, "{done}");
        let refused: Vec<u64> =
            done["refused"].as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap()).collect();
        assert_eq!(refused, [3, 4, 5, 6], "{done}");
    }
}

#[test]
fn a_merge_takes_two_officers_and_is_undone() {
    let (place, registrar, references) = world("20");
    let folder = place.folder();
    let on = ["--config", text(&folder), "--json"];
    let (first, second) = (&references[0], &references[1]);
    let why = ["--why", "looked again", "--evidence", "fingerprints", "--officer", &registrar];
    let merge = ["resident", "merge", "--reference", second, "--other", first];
    let id = answer(&[&merge[..], &why, &on].concat())["proposal"].as_str().unwrap().to_owned();
    let waits = answer(&[&["resident", "proposals", "--officer", &registrar][..], &on].concat());
    assert_eq!((&waits[0]["proposal"], &waits[0]["act"]), (&id.as_str().into(), &"merge".into()));
    let alone = ["resident", "decide", &id, "--officer", &registrar];
    assert!(refusal(&[&alone[..], &on].concat(), 1).contains("another officer must decide"));
    let shown = answer(&[&["resident", "show", "--reference", second][..], &on].concat());
    assert_eq!(shown["standing"], "here");
}

/// Where she is paid, if anywhere.
fn payee(place: &Place, reference: &str) -> Option<PayeeState> {
    let (store, keys) = open_store(&place.folder());
    let person = person_of_reference(&keys, store.buckets(), "residents", reference);
    let found = store.write::<_, PayError, _>(bucket_of(person, store.buckets()), move |tx| {
        let actor = Actor::program("test", "program");
        let ask = Access { person, actor: &actor, purpose: "payout", basis: "test", fields: &["account"] };
        let env = kaname_base::Env::new(kaname_base::Instant::from_seconds(1_800_000_000), [3; 32]);
        let receipt = access::record(tx, &keys, &env, &ask)?;
        payee_of(tx, &keys, &receipt)
    });
    found.unwrap().map(|payee| payee.state)
}
