//! `cargo xtask test`: everything that must pass, on a machine that may have nothing but Rust and a C compiler.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// Something that the tests use and cargo does not bring.
struct Need {
    what: &'static str,
    package: &'static str,
    is_there: fn() -> bool,
}

const NEEDS: &[Need] =
    &[Need { what: "PostgreSQL 15 or later", package: "postgresql", is_there: has_postgres }];

/// What the steps reported.
#[derive(Default)]
struct Report {
    passed: u64,
    failed: u64,
    /// Steps that ended badly without a failed test to show for it.
    broken: Vec<String>,
    not_run: Vec<String>,
}

pub(crate) fn run(root: &Path, with_dependencies: bool) -> ExitCode {
    if let Err(message) = provide() {
        eprintln!("{message}");
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    report.check(root, "fmt", &["fmt", "--all", "--check"]);
    report.check(root, "clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    if with_dependencies {
        report.check(root, "deny", &["deny", "check"]);
    }
    let interop = root.join("tests/interop/run");
    if interop.exists() {
        let mut runner = Command::new(interop);
        report.tests("tests/interop/run", runner.current_dir(root));
    }
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast"]).env("KANAME_REQUIRE_POSTGRES", "1");
    report.tests("cargo test", tests.current_dir(root));
    report.end()
}

impl Report {
    /// A step of cargo that passes or does not.
    fn check(&mut self, root: &Path, tool: &str, args: &[&str]) {
        let step = format!("cargo {}", args.join(" "));
        if !has_tool(tool) {
            return self.not_run.push(format!("{step} (cargo-{tool} is not installed)"));
        }
        println!("── {step}");
        if !cargo().args(args).current_dir(root).status().is_ok_and(|status| status.success()) {
            self.broken.push(step);
        }
    }

    /// A step that runs tests and tells how many in lines such as `test result: ok. 46 passed; 0 failed`.
    fn tests(&mut self, step: &str, command: &mut Command) {
        println!("── {step}");
        let Ok(mut child) = command.stdout(Stdio::piped()).spawn() else {
            return self.broken.push(format!("{step} does not start"));
        };
        let failed_before = self.failed;
        let output = child.stdout.take().expect("standard output is piped");
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            if let Some((passed, failed)) = counts(&line) {
                self.passed += passed;
                self.failed += failed;
            }
        }
        let went_well = child.wait().is_ok_and(|status| status.success());
        if !went_well && self.failed == failed_before {
            self.broken.push(step.to_owned());
        }
    }

    fn end(self) -> ExitCode {
        self.not_run.iter().for_each(|step| println!("not run: {step}"));
        self.broken.iter().for_each(|step| println!("failed: {step}"));
        let failed = self.failed + self.broken.len() as u64;
        println!("{} passed, {failed} failed", self.passed);
        if failed == 0 && self.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// What a test runner counted, if `line` says so.
fn counts(line: &str) -> Option<(u64, u64)> {
    let result = line.trim_start().strip_prefix("test result:")?;
    let before = |word: &str| {
        let mut words = result.split([' ', ';', '.']).filter(|part| !part.is_empty());
        let mut last = None;
        words.find_map(|part| {
            if part == word {
                last
            } else {
                last = part.parse().ok();
                None
            }
        })
    };
    Some((before("passed")?, before("failed")?))
}

/// Installs what is missing if it may, or says what to install.
fn provide() -> Result<(), String> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_there)()).collect();
    if !missing.is_empty() {
        let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
        if is_root() && answers("apt-get", &["--version"]) {
            println!("── installing {}", packages.join(" "));
            // Archives answer badly now and then; a second and a third time they mostly do not.
            let _ = (0..3).any(|_| apt(&["update"]) && apt(&[&["install"], packages.as_slice()].concat()));
        }
        if let Some(need) = missing.iter().find(|need| !(need.is_there)()) {
            let packages = packages.join(" ");
            return Err(format!(
                "the tests need {}; on Debian or Ubuntu: apt-get install {packages}",
                need.what
            ));
        }
    }
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !has_tool(tool) && answers("rustup", &["--version"]) {
            let _ = Command::new("rustup").args(["component", "add", component]).status();
        }
    }
    Ok(())
}

fn apt(args: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["--yes", "--quiet", "--no-install-recommends", "-o", "Acquire::Retries=3"]).args(args);
    command.stdin(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin/initdb")).any(|path| path.is_file())
        || answers("initdb", &["--version"])
}

fn has_tool(tool: &str) -> bool {
    answers(&cargo_program(), &[tool, "--version"])
}

fn answers(program: &str, args: &[&str]) -> bool {
    let quiet = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

fn cargo() -> Command {
    Command::new(cargo_program())
}

fn cargo_program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Whether this process is root: it owns its own entry in `/proc`.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_runner_are_read() {
        let line = "test result: FAILED. 44 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 10.50s";
        assert_eq!(counts(line), Some((44, 2)));
        assert_eq!(counts("test result: ok. 3 passed; 0 failed"), Some((3, 0)));
        assert_eq!(counts("test seals::no_changed_bit_opens ... ok"), None);
    }
}
