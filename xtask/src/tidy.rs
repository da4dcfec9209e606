//! What the compiler cannot check. It also runs as a test, so that `cargo test` says it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::rust_text::{RustText, split};

/// The store's own reading of a statement: one text for both.
#[path = "../../crates/kaname-store/src/confine.rs"]
mod confine;

/// The floors, lowest first. A crate uses those of lower floors, never its own or a higher one.
const FLOORS: &[&[&str]] = &[
    &["kaname-base"],
    &["kaname-codec"],
    &["kaname-store"],
    &["kaname-trust"],
    &["kaname-person"],
    &["kaname-pay", "kaname-exchange", "kaname-card", "kaname-wallet"],
    &["kaname-signin"],
    &["kaname-service"],
    &["kaname-web"],
    &["kaname-sim"],
    &["kaname"],
];

/// For tests: any crate may use them there, and no crate elsewhere.
const FOR_TESTS: &[&str] = &["kaname-testkit"];

/// Who alone may know HTTP and HTML.
const KNOW_HTTP: &[&str] = &["kaname-web", "kaname"];
const HTTP: &[&str] = &["axum", "hyper", "hyper-util", "tower", "http-body-util", "askama", "tokio"];

/// The crates without a clock and without input or output.
const PURE: &[&str] = &["kaname-base", "kaname-codec"];
const IMPURE: &[&str] = &["std::fs", "std::net", "std::process", "std::thread", "SystemTime", "Instant::now"];

/// Where SQL may stand besides a block's `table.rs`: the store makes it, the test clusters are administered with it, and the
/// tests below tell it from sentences.
const SPEAK_SQL: &[&str] = &["kaname-store", "kaname-testkit", "xtask"];

/// Types whose codes their crate's `Refusal` hands on as its own.
const HANDED_ON: &[(&str, &str)] = &[("kaname-person", "Reason")];

/// Everything that is not as it should be, a sentence each.
pub(crate) fn findings(root: &Path) -> Vec<String> {
    let crates = crates(root);
    let mut findings = Vec::new();
    for one in &crates {
        arrows(one, &mut findings);
        for (path, text) in &one.sources {
            let shown = path.strip_prefix(root).unwrap_or(path).display().to_string();
            let in_src = path.starts_with(one.folder.join("src"));
            unfinished(&shown, text, &mut findings);
            if in_src {
                sql(&one.name, &shown, path, text, &mut findings);
            }
            if in_src && PURE.contains(&one.name.as_str()) {
                let impure = IMPURE.iter().filter(|word| text.code.contains(**word));
                findings.extend(
                    impure.map(|word| format!("{shown}: {word} in a crate that knows no clock and no I/O")),
                );
            }
        }
    }
    reasons(root, &crates, &mut findings);
    error_pages(root, &crates, &mut findings);
    texts(&root.join("crates/kaname-web/texts"), &mut findings);
    for pack in folders(&root.join("packs")) {
        texts(&pack.join("text"), &mut findings);
    }
    packs(root, &mut findings);
    actions(&crates, &mut findings);
    rejects(root, &crates, &mut findings);
    findings
}

/// Where a role is looked at for what a page or a command offers, beside the use case that asks.
const OFFER: &[&str] = &["kaname-web", "kaname"];

/// Every action of the policy is asked by a use case: a page or a command that asks is not enough, for there may be another.
fn actions(crates: &[Crate], findings: &mut Vec<String>) {
    let is_policy = |path: &Path| path.ends_with("kaname-person/src/policy.rs");
    let mut sources = crates.iter().flat_map(|one| &one.sources);
    let Some((_, policy)) = sources.find(|(path, _)| is_policy(path)) else { return };
    let asked: String = crates
        .iter()
        .filter(|one| !OFFER.contains(&one.name.as_str()) && one.name != "xtask")
        .flat_map(|one| one.sources.iter().filter(|(path, _)| path.starts_with(one.folder.join("src"))))
        .filter(|(path, _)| !is_policy(path))
        .map(|(_, text)| text.code.split("#[cfg(test)]").next().unwrap_or_default())
        .collect();
    for action in variants(&policy.code, "Action") {
        if !is_word(&asked, &format!("Action::{action}")) {
            findings.push(format!("no use case asks whether somebody may {action}: ask it, or take it out"));
        }
    }
}

/// Every reason why a line of an import is rejected is told in the reader's words: a text `reject.<code>` for each code.
fn rejects(root: &Path, crates: &[Crate], findings: &mut Vec<String>) {
    // The register's own two, which are no rules about a value.
    let mut codes: BTreeSet<String> = ["duplicate", "other-data"].map(str::to_owned).into();
    for one in crates.iter().filter(|one| one.name == "kaname-person") {
        for (path, text) in one.sources.iter().filter(|(path, _)| path.starts_with(one.folder.join("src"))) {
            let is_reader = path.ends_with("import/reader.rs");
            let kinds: &[&str] = if is_reader { &["Unreadable"] } else { &["Reason"] };
            if is_reader || path.ends_with("src/entry.rs") {
                codes.extend(refusal_codes(text, kinds));
            }
        }
    }
    let told: BTreeSet<String> = keys(&root.join("crates/kaname-web/texts/en.toml"))
        .iter()
        .filter_map(|key| key.strip_prefix("reject."))
        .map(str::to_owned)
        .collect();
    let missing =
        codes.difference(&told).map(|code| format!("no text reject.{code} for a line that is rejected"));
    findings.extend(missing);
    let left =
        told.difference(&codes).map(|code| format!("the text reject.{code} is for no code of an import"));
    findings.extend(left);
}

/// The names of an enum's variants that carry nothing.
fn variants(code: &str, name: &str) -> Vec<String> {
    let body = code.split_once(&format!("enum {name} {{")).and_then(|(_, rest)| rest.split_once('}'));
    let lines = body.map_or("", |(body, _)| body).split(',');
    lines.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn is_word(text: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| ends(&text[at + word.len()..]))
}

struct Crate {
    name: String,
    folder: PathBuf,
    /// Dependencies, and whether each is for tests only.
    uses: Vec<(String, bool)>,
    sources: Vec<(PathBuf, RustText)>,
}

fn crates(root: &Path) -> Vec<Crate> {
    let mut members = folders(&root.join("crates"));
    members.push(root.join("xtask"));
    members
        .into_iter()
        .filter_map(|folder| {
            let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
            let mut files = Vec::new();
            for part in ["src", "tests", "benches", "examples"] {
                rust_files(&folder.join(part), &mut files);
            }
            let sources = files.into_iter().map(|path| {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                (path, split(&text))
            });
            let name = folder.file_name()?.to_str()?.to_owned();
            Some(Crate { name, uses: dependencies(&manifest), sources: sources.collect(), folder })
        })
        .collect()
}

/// The names below `[dependencies]`, `[build-dependencies]` and `[dev-dependencies]`.
fn dependencies(manifest: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut section = "";
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            if let Some((kind, name)) = section.rsplit_once("dependencies.") {
                found.push((name.to_owned(), kind.ends_with("dev-")));
            }
        } else if section.ends_with("dependencies") && !line.starts_with('#') {
            let end = line.find(['.', '=', ' ']).unwrap_or(0);
            if end > 0 {
                found.push((line[..end].to_owned(), section.ends_with("dev-dependencies")));
            }
        }
    }
    found
}

fn arrows(one: &Crate, findings: &mut Vec<String>) {
    let floor = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
    let name = one.name.as_str();
    let mine = floor(name);
    if mine.is_none() && !FOR_TESTS.contains(&name) && name != "xtask" {
        findings.push(format!("{name} has no floor; give it one in xtask/src/tidy.rs and ARCHITECTURE.md"));
    }
    for (used, only_in_tests) in &one.uses {
        if FOR_TESTS.contains(&used.as_str()) && !only_in_tests {
            findings.push(format!("{name} uses {used} outside its tests"));
        }
        if HTTP.contains(&used.as_str()) && !KNOW_HTTP.contains(&name) && !only_in_tests {
            findings.push(format!("{name} uses {used}: only kaname-web knows HTTP"));
        }
        let points_down = mine.zip(floor(used)).is_none_or(|(mine, theirs)| theirs < mine);
        if !points_down && !only_in_tests {
            findings.push(format!("{name} uses {used}, which is not on a floor below"));
        }
    }
}

/// Every dependency that a manifest names stands in docs/DEPENDENCIES.md, with its reason.
fn reasons(root: &Path, crates: &[Crate], findings: &mut Vec<String>) {
    let page = std::fs::read_to_string(root.join("docs/DEPENDENCIES.md")).unwrap_or_default();
    let ours: Vec<&String> = crates.iter().map(|one| &one.name).collect();
    let used: BTreeSet<&String> = crates.iter().flat_map(|one| &one.uses).map(|(used, _)| used).collect();
    for used in used.into_iter().filter(|used| !ours.contains(used)) {
        if !page.contains(&format!("\n| `{used}` |")) {
            findings.push(format!("docs/DEPENDENCIES.md has no line for {used}"));
        }
    }
}

fn sql(name: &str, shown: &str, path: &Path, text: &RustText, findings: &mut Vec<String>) {
    let is_table = path.file_name().is_some_and(|file| file == "table.rs");
    if SPEAK_SQL.contains(&name) {
        return;
    }
    for literal in text.literals.iter().filter(|literal| is_sql(&literal.text)) {
        let line = literal.line;
        if !is_table {
            findings.push(format!("{shown}:{line}: SQL outside table.rs"));
        } else if !confine::is_confined(Box::leak(literal.text.clone().into_boxed_str())) {
            findings.push(format!("{shown}:{line}: a statement that may leave its bucket"));
        }
    }
}

fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    matches!(
        words.as_slice(),
        ["SELECT" | "WITH", _, ..]
            | ["INSERT", "INTO", ..]
            | ["DELETE", "FROM", ..]
            | ["UPDATE", _, "SET" | "AS", ..]
    )
}

/// Nothing is left for later, nothing is passed over, and no lint is silenced without a reason.
fn unfinished(shown: &str, text: &RustText, findings: &mut Vec<String>) {
    for word in ["todo!", "unimplemented!", "#[ignore", "#[allow(", "#![allow("] {
        if text.code.contains(word) {
            findings.push(format!("{shown}: {word}"));
        }
    }
    for word in ["TODO", "FIXME", "XXX", "HACK"] {
        if text.comments.split(|c: char| !c.is_alphanumeric()).any(|part| part == word) {
            findings.push(format!("{shown}: a comment says {word}"));
        }
    }
}

/// Every code that a caller can be answered with has a page, and every page a code.
fn error_pages(root: &Path, crates: &[Crate], findings: &mut Vec<String>) {
    let folder = root.join("docs/errors");
    if !folder.is_dir() {
        return;
    }
    let pages: BTreeSet<String> = files(&folder, "md").iter().map(|path| stem(path)).collect();
    let mut codes = BTreeMap::new();
    for one in crates {
        let handed_on = HANDED_ON.iter().filter(|(name, _)| *name == one.name).map(|(_, kind)| *kind);
        let kinds: Vec<&str> = std::iter::once("Refusal").chain(handed_on).collect();
        for (path, text) in one.sources.iter().filter(|(path, _)| path.starts_with(one.folder.join("src"))) {
            codes.extend(refusal_codes(text, &kinds).into_iter().map(|code| (code, path.clone())));
        }
    }
    for (code, path) in &codes {
        if !pages.contains(code) {
            let shown = path.strip_prefix(root).unwrap_or(path).display();
            findings.push(format!("{shown}: the code {code} has no page docs/errors/{code}.md"));
        }
    }
    let without = pages.iter().filter(|page| !codes.contains_key(*page) && *page != "README");
    findings.extend(without.map(|page| format!("docs/errors/{page}.md: no refusal has this code")));
}

/// The literals inside each `fn code(` of an `impl` of one of `kinds`, and the second argument of each `Problem::new(`.
fn refusal_codes(text: &RustText, kinds: &[&str]) -> Vec<String> {
    let mut codes = Vec::new();
    let mut literals = text.literals.iter();
    let (mut depth, mut in_refusal, mut in_code) = (0_usize, None, None);
    let mut so_far = String::new();
    for piece in text.code.split_inclusive(['{', '}', '"', ';']) {
        so_far.push_str(piece);
        let header = so_far.trim_end_matches('{').trim();
        match piece.chars().next_back() {
            Some('{') => {
                let is_of = |kind: &&str| {
                    (header.starts_with("impl") && header.ends_with(kind))
                        || header.contains(&format!("\nimpl {kind}"))
                };
                if kinds.iter().any(is_of) {
                    in_refusal = Some(depth);
                } else if in_refusal.is_some() && header.contains("fn code(") {
                    in_code = Some(depth);
                }
                depth += 1;
                so_far.clear();
            }
            Some('}') => {
                depth = depth.saturating_sub(1);
                in_refusal = in_refusal.filter(|at| *at != depth);
                in_code = in_code.filter(|at| *at != depth);
                so_far.clear();
            }
            Some('"') => {
                // Every literal is left as two quotes; the first of them is the literal.
                if piece != "\"" {
                    let Some(literal) = literals.next() else { break };
                    let is_problem = so_far.rsplit_once("Problem::new(").is_some_and(|(_, args)| {
                        args.trim_end_matches('"').matches(',').count() == 1 && !args.contains(')')
                    });
                    if in_code.is_some() || is_problem {
                        codes.push(literal.text.clone());
                    }
                }
            }
            _ => so_far.clear(),
        }
    }
    codes
}

/// Every language of a folder has the same keys.
fn texts(folder: &Path, findings: &mut Vec<String>) {
    let languages: Vec<(String, BTreeSet<String>)> =
        files(folder, "toml").iter().map(|path| (stem(path), keys(path))).collect();
    let all: BTreeSet<&String> = languages.iter().flat_map(|(_, keys)| keys).collect();
    for (language, keys) in &languages {
        let missing = all.iter().filter(|key| !keys.contains(**key));
        findings
            .extend(missing.map(|key| format!("{}/{language}.toml: no text for {key}", folder.display())));
    }
}

fn keys(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            keys.insert(format!("{section}{}", key.trim().trim_matches('"')));
        }
    }
    keys
}

/// The packs inside the program are the folders of `packs/`.
fn packs(root: &Path, findings: &mut Vec<String>) {
    let source =
        std::fs::read_to_string(root.join("crates/kaname-base/src/pack/shipped.rs")).unwrap_or_default();
    let entry = |line: &str| Some(line.strip_prefix("    \"")?.split_once("\":")?.0.to_owned());
    let shipped: BTreeSet<String> = source.lines().filter_map(entry).collect();
    let lying: BTreeSet<String> = folders(&root.join("packs")).iter().map(|path| stem(path)).collect();
    for pack in shipped.symmetric_difference(&lying) {
        findings.push(format!("packs/{pack}: shipped.rs and the folders do not agree on it"));
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    entries(of).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(of: &Path, extension: &str) -> Vec<PathBuf> {
    entries(of).into_iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn rust_files(of: &Path, found: &mut Vec<PathBuf>) {
    found.extend(files(of, "rs"));
    folders(of).iter().for_each(|folder| rust_files(folder, found));
}

fn entries(of: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(of).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn stem(path: &Path) -> String {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
        let findings = findings(root);
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }

    #[test]
    fn it_read_something() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
        let crates = crates(root);
        let statements = crates.iter().flat_map(|one| &one.sources).flat_map(|(_, text)| &text.literals);
        assert!(statements.filter(|literal| is_sql(&literal.text)).count() > 20);
        let trust =
            crates.iter().find(|one| one.name == "kaname-trust").expect("there is a crate kaname-trust");
        assert!(trust.uses.contains(&("kaname-store".to_owned(), false)), "{:?}", trust.uses);
        assert!(trust.uses.contains(&("kaname-testkit".to_owned(), true)), "{:?}", trust.uses);
        assert!(keys(&root.join("crates/kaname-web/texts/en.toml")).len() > 20);
        let reader = crates.iter().flat_map(|one| &one.sources);
        let mut reader = reader.filter(|(path, _)| path.ends_with("import/reader.rs"));
        let (_, reader) = reader.next().expect("imports are read somewhere");
        assert!(refusal_codes(reader, &["Unreadable"]).contains(&"quotes".to_owned()));
    }

    #[test]
    fn an_action_that_only_a_page_asks_is_found() {
        let source = |folder: &str, file: &str, text: &str| Crate {
            name: folder.to_owned(),
            folder: PathBuf::from(folder),
            uses: Vec::new(),
            sources: vec![(Path::new(folder).join("src").join(file), split(text))],
        };
        let policy = "/// Do.\npub enum Action {\n    /// One.\n    Read,\n    ReadAll,\n    Write,\n}";
        let crates = [
            source("kaname-person", "policy.rs", policy),
            source("kaname-pay", "read.rs", "may(by, Action::ReadAll)?; /* Action::Write */"),
            source("kaname-web", "page.rs", "if officer.may(Action::Read) {}"),
        ];
        let mut findings = Vec::new();
        actions(&crates, &mut findings);
        let missing: Vec<&str> = findings.iter().filter_map(|words| words.split("may ").nth(1)).collect();
        assert_eq!(missing, ["Read: ask it, or take it out", "Write: ask it, or take it out"]);
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let manifest = "[dependencies]\nkaname-web.workspace = true\naxum = \"1\"\n[dev-dependencies]\nkaname = { path = \"x\" }\n";
        let one = Crate {
            name: "kaname-pay".to_owned(),
            folder: PathBuf::new(),
            uses: dependencies(manifest),
            sources: Vec::new(),
        };
        let mut findings = Vec::new();
        arrows(&one, &mut findings);
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn codes_are_read_from_refusals_and_problems_only() {
        let text = split(
            "impl Refusal {\n    pub fn code(&self) -> &'static str {\n        match self {\n            Refusal::A => \"no-a\",\n\
             Refusal::B { .. } => \"no-b\",\n        }\n    }\n    fn other(&self) -> &str { \"not-a-code\" }\n}\n\
             impl Language { fn code(&self) -> &str { \"en\" } }\n\
             fn p() { Problem::new(StatusCode::CONFLICT, \"busy\", \"many are here\"); }",
        );
        assert_eq!(refusal_codes(&text, &["Refusal"]), ["no-a", "no-b", "busy"]);
        assert_eq!(refusal_codes(&text, &["Refusal", "Language"]), ["no-a", "no-b", "en", "busy"]);
    }

    #[test]
    fn what_is_sql_is_told_from_a_sentence() {
        for yes in
            ["SELECT a FROM t", "INSERT INTO t (bucket) VALUES ($1)", "UPDATE t SET a = 1", "DELETE FROM t"]
        {
            assert!(is_sql(yes), "{yes}");
        }
        for no in ["Select a country", "UPDATE", "INSERT a coin", "a SELECT in a sentence"] {
            assert!(!is_sql(no), "{no}");
        }
    }
}
