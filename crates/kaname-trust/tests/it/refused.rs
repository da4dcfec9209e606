//! What the compiler must refuse: each file in `tests/refused` is one attempt to have personal data without a receipt, or a
//! receipt without its unit of work. Its first line says how the compiler answers.
//!
//! The files are given to `rustc` with the crates as they were just built: a fifth of a second each, and no dependency.

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn no_personal_data_without_a_receipt_and_no_receipt_without_its_unit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let built = Built::find(&folder.join("allowed.rs"));
    let mut tried = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let case = entry.unwrap().path();
        if case.ends_with("allowed.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&case).unwrap();
        let expected = text.lines().next().and_then(|line| line.strip_prefix("// refused: ")).unwrap();
        let answer = built.compile(&case).expect_err(&format!("{} compiles", case.display()));
        let is_error = |line: &&str| line.starts_with("error") && !line.starts_with("error: aborting");
        let errors: Vec<&str> = answer.lines().filter(is_error).collect();
        let as_expected = !errors.is_empty() && errors.iter().all(|error| error.contains(expected));
        assert!(as_expected, "{}: expected {expected:?} and nothing else in\n{answer}", case.display());
        tried += 1;
    }
    assert!(tried >= 9, "{tried} attempts");
}

/// The libraries that belong together in this build's folder, which may hold those of earlier builds too.
struct Built {
    folder: PathBuf,
    libraries: Vec<(&'static str, PathBuf)>,
}

impl Built {
    /// The newest with which `allowed` compiles.
    fn find(allowed: &Path) -> Built {
        let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let mut last = String::from("no libraries there");
        for trust in newest(&folder, "kaname_trust") {
            for store in newest(&folder, "kaname_store") {
                for base in newest(&folder, "kaname_base") {
                    let libraries = vec![
                        ("kaname_trust", trust.clone()),
                        ("kaname_store", store.clone()),
                        ("kaname_base", base),
                    ];
                    let built = Built { folder: folder.clone(), libraries };
                    match built.compile(allowed) {
                        Ok(()) => return built,
                        Err(answer) => last = answer,
                    }
                }
            }
        }
        panic!("what is allowed does not compile: {last}");
    }

    /// # Errors
    /// What the compiler says.
    fn compile(&self, file: &Path) -> Result<(), String> {
        let out = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
        command.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--color", "never"]);
        command.arg("--out-dir").arg(out.path());
        command.arg("-L").arg(format!("dependency={}", self.folder.display()));
        for (name, library) in &self.libraries {
            command.arg("--extern").arg(format!("{name}={}", library.display()));
        }
        let output = command.arg(file).output().expect("rustc is on the PATH while tests run");
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

fn newest(folder: &Path, name: &str) -> Vec<PathBuf> {
    let is_it = |path: &PathBuf| {
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        file.starts_with(&format!("lib{name}-")) && file.ends_with(".rlib")
    };
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_it).collect();
    found
        .sort_by_key(|path| std::cmp::Reverse(std::fs::metadata(path).and_then(|file| file.modified()).ok()));
    found.truncate(4);
    found
}
