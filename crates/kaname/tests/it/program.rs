//! Running the binary under test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The binary with these arguments.
pub(crate) fn kaname(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kaname"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs it to its end, whatever that is.
pub(crate) fn run(args: &[&str]) -> Output {
    kaname(args).output().expect("the binary starts")
}

/// Runs it, expects it to succeed, and reads the JSON it prints.
pub(crate) fn answer(args: &[&str]) -> Value {
    answer_with(args, 0)
}

/// Runs it, expects this exit code, and reads the JSON it prints.
pub(crate) fn answer_with(args: &[&str], code: i32) -> Value {
    let output = run(args);
    let shown = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "kaname {args:?} ended with {}: {shown}", output.status);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("kaname {args:?} printed no JSON: {error}"))
}

/// Runs it, expects this exit code, and gives what it says on standard error.
pub(crate) fn refusal(args: &[&str], code: i32) -> String {
    let output = run(args);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "kaname {args:?} ended with {}: {words}", output.status);
    assert!(!words.contains("panicked"), "{words}");
    words
}

/// Runs it, expects this exit code, and gives what it says on standard output.
pub(crate) fn spoken(args: &[&str], code: i32) -> String {
    let output = run(args);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "kaname {args:?} ended with {}: {words}", output.status);
    String::from_utf8(output.stdout).expect("the program speaks UTF-8")
}

/// Starts it without waiting, with nothing shown.
pub(crate) fn start(args: &[&str]) -> Child {
    kaname(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

/// Arguments that were put together, as `run` and the others take them.
pub(crate) fn borrowed(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// Every file below a folder, in no order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    for file in files_below(from) {
        let copy = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(&file, &copy).unwrap();
    }
}

/// Lets another process go on for a while.
#[expect(clippy::disallowed_methods, reason = "another process has no condition that we could wait on")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// A deployment in a temporary folder.
pub(crate) struct Place {
    home: tempfile::TempDir,
}

impl Place {
    /// An empty folder.
    pub(crate) fn new() -> Place {
        Place { home: tempfile::tempdir().unwrap() }
    }

    /// The deployment's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("deployment")
    }

    /// A file beside the deployment.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file beside the deployment.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.beside(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A place with a deployment in it; `more` goes to `kaname init`.
    pub(crate) fn with_deployment(country: &str, more: &[&str]) -> Place {
        let place = Place::new();
        let folder = place.folder();
        answer(&[&["init", text(&folder), "--country", country, "--json"], more].concat());
        place
    }

    /// Invented residents in a file beside the deployment.
    pub(crate) fn people(&self, country: &str, count: u64) -> PathBuf {
        let file = self.beside("residents.csv");
        answer(&[
            "sim",
            "people",
            "--country",
            country,
            "--count",
            &count.to_string(),
            "--out",
            text(&file),
            "--json",
        ]);
        file
    }

    /// An officer of the payments role; the first of a deployment is its administrator.
    pub(crate) fn officer(&self, name: &str, role: &str, by: Option<&str>) -> String {
        let (folder, letter) = (self.folder(), self.beside(&format!("{name}.html")));
        let key = self.beside(&format!("{name}.key"));
        let office = match role {
            "administrator" => "operations",
            "payments" => "benefits",
            "auditor" => "audit",
            _ => "town-hall",
        };
        let mut args = vec!["officer", "add", name, "--office", office, "--role", role];
        args.extend(["--letter", text(&letter)]);
        args.extend(["--key", text(&key), "--config", text(&folder), "--json"]);
        args.extend(by.map(|by| ["--by", by]).into_iter().flatten());
        let id = answer(&args)["officer"].as_str().unwrap().to_owned();
        // Where it is looked for: these tests act for several officers.
        let place = folder.join("officers").join(format!("{id}.key"));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::rename(&key, &place).unwrap();
        id
    }

    /// An administrator, one who plans payouts and one who approves them.
    pub(crate) fn staff(&self) -> [String; 3] {
        let boss = self.officer("Boss", "administrator", None);
        let planner = self.officer("Planner", "payments", Some(&boss));
        let approver = self.officer("Approver", "payments", Some(&boss));
        [boss, planner, approver]
    }
}

/// A small repeatable generator for moments to kill at (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// How many people are in [`finished`].
pub(crate) const FINISHED: u64 = 300;

/// A copy of a finished demonstration of 300 people in `example`, on SQLite.
pub(crate) fn finished() -> Place {
    static FINISHED_ONCE: std::sync::OnceLock<Place> = std::sync::OnceLock::new();
    let original = FINISHED_ONCE.get_or_init(|| {
        let place = Place::new();
        let (folder, count) = (place.folder(), FINISHED.to_string());
        answer(&[
            "demo",
            "--data",
            text(&folder),
            "--residents",
            &count,
            "--country",
            "example",
            "--exit",
            "--json",
        ]);
        place
    });
    let copy = Place::new();
    copy_folder(&original.folder(), &copy.folder());
    copy
}
