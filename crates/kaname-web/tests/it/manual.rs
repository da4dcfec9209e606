//! The manual of codes: what a refusal says, a page explains.

use std::collections::BTreeSet;
use std::path::Path;

use kaname_web::http::manual::codes;

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let listed: Vec<String> = codes().map(str::to_owned).collect();
    assert!(listed.windows(2).all(|pair| pair[0] < pair[1]), "the list is in the order of the alphabet");
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), files);
    let signin = kaname_signin::Refusal::ALL.iter().map(|refusal| refusal.code().to_owned());
    let missing: Vec<String> =
        signin.chain(codes_in_sources()).filter(|code| !files.contains(code)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_page_says_what_it_means_and_what_to_do() {
    for code in codes() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/errors/{code}.md"));
        let text = std::fs::read_to_string(path).unwrap();
        let parts: Vec<&str> = text.trim().split("\n\n").collect();
        assert_eq!(parts[0], format!("# {code}"));
        assert!(parts.len() == 3 && parts[1..].iter().all(|part| part.ends_with('.')), "{code}: {text}");
    }
}

/// The codes of the two blocks that have no list of their own, and of this crate, as their sources name them.
fn codes_in_sources() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(crates.join(path)).unwrap();
    let arms = ["kaname-person/src/error.rs", "kaname-person/src/entry.rs", "kaname-pay/src/error.rs"]
        .map(read)
        .concat();
    let of_blocks = arms
        .lines()
        .filter(|line| {
            line.trim_start().starts_with("Refusal::") || line.trim_start().starts_with("Reason::")
        })
        .filter_map(|line| line.split_once("=> \"")?.1.split('"').next());
    let own = read("kaname-web/src/http/problem.rs");
    let of_web = own.split("StatusCode::").skip(1).filter_map(|after| {
        let (_, quoted) = after.split_once(", \"")?;
        quoted.split('"').next()
    });
    let codes: Vec<String> = of_blocks.chain(of_web).map(str::to_owned).collect();
    assert!(codes.len() > 50, "only {} codes were found", codes.len());
    codes
        .into_iter()
        .filter(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
        .collect()
}
