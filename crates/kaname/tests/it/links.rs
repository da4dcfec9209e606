//! Linked records by command line: killed at any moment a check goes on where it was, and planted errors are stopped or found.

use std::path::Path;

use serde_json::Value;

use crate::database::{Database, cluster};
use crate::kill::{Far, kill_often_at_most};
use crate::program::{Dice, Place, answer, text};

const RESIDENTS: u64 = 1_500;
const KILLS: usize = 10;

/// `person_link_run.state` of a check that is through.
const DONE: i64 = 2;

/// The insurer's list is the residents' own file, without what an insurer does not know.
pub(crate) fn insurers_list(place: &Place, people: &std::path::Path) -> std::path::PathBuf {
    let mut rows = csv::Reader::from_path(people).unwrap();
    let mut list = csv::Writer::from_writer(Vec::new());
    list.write_record([
        "reference",
        "family_name",
        "given_name",
        "birth_date",
        "sex",
        "postcode",
        "city",
        "address",
    ])
    .unwrap();
    for row in rows.records() {
        let row = row.unwrap();
        let cell = |column: usize| row.get(column).unwrap().to_owned();
        let id = format!("H-{}", cell(0));
        list.write_record([id, cell(1), cell(2), cell(7), cell(8), cell(10), cell(12), cell(13)]).unwrap();
    }
    place.write("insurer.csv", list.into_inner().unwrap())
}

#[test]
fn a_check_that_is_killed_goes_on_and_links_everybody_once_on_sqlite() {
    a_check_that_is_killed(47, &[], Database::sqlite);
}

#[test]
fn a_check_that_is_killed_goes_on_and_links_everybody_once_on_postgresql() {
    let Some(postgres) = cluster() else { return };
    let url = postgres.database();
    a_check_that_is_killed(48, &["--postgres", &url], |_| Database::postgres(&url));
}

fn a_check_that_is_killed(seed: u64, more: &[&str], open: impl Fn(&Path) -> Database) {
    let place = Place::with_deployment("example", &[&["--population", "4000"], more].concat());
    let (folder, people) = (place.folder(), place.people("example", RESIDENTS));
    let (config, mut database) = (text(&folder), open(&folder));
    answer(&["resident", "import", text(&people), "--config", config, "--json"]);
    let list = insurers_list(&place, &people);
    let check = [
        "link",
        "check",
        text(&list),
        "--source",
        "health-insurer",
        "--batch",
        "40",
        "--config",
        config,
        "--json",
    ];
    let mut state = || {
        let decided = database.number("SELECT count(*) FROM person_link_directory WHERE state <> 0");
        let run = database.rows("SELECT state, next_byte FROM person_link_run");
        let (done, byte) = run.first().map_or((false, 0), |run| (run[0].int() == DONE, run[1].int()));
        (!done).then_some(Far { counts: [decided, byte, 0, 0, 0], share: decided as f64 / RESIDENTS as f64 })
    };
    let killed = kill_often_at_most(KILLS, &check, &mut Dice(seed), &mut state);
    assert!(killed > KILLS / 3, "only {killed} kills fell into the work");
    let done = answer(&check);
    let sum = ["linked", "review", "refused"].map(|what| done[what].as_u64().unwrap()).iter().sum::<u64>();
    assert_eq!(sum, RESIDENTS, "{done}");
    assert_eq!(done["already"], 0, "each record counts for the run that decided it: {done}");
    assert!(done["linked"].as_u64().unwrap() > RESIDENTS * 9 / 10, "{done}");
    assert_eq!(answer(&check)["nothing_new"], true);

    let figures = answer(&["link", "statistics", "--config", config, "--json"]);
    let of = |figures: &Value| -> String {
        let insurer = figures.as_array().unwrap().iter().find(|line| line["source"] == "health-insurer");
        insurer.unwrap()["linked"].as_str().unwrap().to_owned()
    };
    assert_eq!(of(&figures), done["linked"].to_string(), "each link was counted once");
    let audited = answer(&["audit", "registry", "--full", "--config", config, "--json"]);
    assert_eq!((audited["people"].as_u64(), audited["opened"].as_u64()), (Some(RESIDENTS), Some(RESIDENTS)));
    assert!(audited["findings"].get("shared-record").is_none(), "{audited}");
    let again = answer(&["audit", "registry", "--config", config, "--json"]);
    assert_eq!((again["opened"].as_u64(), again["new_findings"].as_u64()), (Some(0), Some(0)));
}

/// The field's own errors at a small scale: nothing wrong becomes active by machine, and the audit finds what people let through.
#[test]
fn planted_errors_are_stopped_or_found() {
    let report = answer(&["bench", "registry", "--count", "2000", "--json"]);
    assert_eq!(report["wrong_by_machine"], 0, "{report}");
    assert!(report["wrong_by_people"].as_u64().unwrap() >= 3, "{report}");
    assert!(report["found_percent"].as_f64().unwrap() >= 99.0, "{report}");
    assert_eq!(report["incremental_opened"], 0, "{report}");
    let kinds = report["errors"].as_array().unwrap().iter().filter(|line| line["planted"].as_u64() > Some(0));
    assert!(kinds.count() >= 6, "{report}");
}
