//! The project's own tasks. `cargo xtask` lists them.

use std::path::Path;
use std::process::ExitCode;

mod rust_text;
mod test;
mod tidy;

const HELP: &str = "\
cargo xtask test    install what the tests need where that is allowed, check format and lints, run every test
cargo xtask ci      the same, and check licences and advisories of the dependencies (needs cargo-deny)
cargo xtask tidy    check what the compiler cannot: arrows between crates, where SQL stands, texts, error pages";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test::run(root, false),
        ["ci"] => test::run(root, true),
        ["tidy"] => {
            let findings = tidy::findings(root);
            findings.iter().for_each(|finding| println!("{finding}"));
            println!("{} finding(s)", findings.len());
            if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        _ => {
            eprintln!("{HELP}");
            ExitCode::from(2)
        }
    }
}
