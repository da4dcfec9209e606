//! The catalogues: every key in every language, and none that nobody uses.

use std::collections::BTreeSet;
use std::path::Path;

use kaname_web::pages::{Lang, texts};

#[test]
fn every_language_is_complete() {
    let texts = texts();
    assert_eq!(texts.languages().collect::<BTreeSet<_>>(), Lang::ALL.map(Lang::code).into_iter().collect());
    assert_eq!(texts.gaps(), Vec::<String>::new());
}

#[test]
fn every_key_that_a_page_uses_exists() {
    let texts = texts();
    let known = texts.keys();
    let missing: Vec<String> =
        keys_in_use().into_iter().filter(|key| !known.contains(key.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn no_text_is_left_over() {
    let used = keys_in_use();
    let handlers = sources_of_handlers();
    // Looked up by code.
    let by_code = [
        "attribute.",
        "pending.",
        "pending_do.",
        "means.",
        "import.state.",
        "reject.",
        "evidence.",
        "mandate.state.",
        "scope.",
        "link.state.",
        "link.doubt.",
        "finding.",
        "finding_do.",
        "found.",
        "event.",
        "alias.kind.",
        "alias.hint.",
        "alias.state.",
        "run.state.",
        "run.pending.",
        "payee.",
        "says.",
        "compared.",
        "problems.",
        "relation.",
        "standing.",
        "refused.",
        "act.",
        "program.",
        "role.",
        "why.",
        "proposal.state.",
    ];
    let texts = texts();
    let keys = texts.keys();
    let left: Vec<&str> = keys
        .into_iter()
        .filter(|key| !used.contains(*key) && !by_code.iter().any(|prefix| key.starts_with(prefix)))
        .filter(|key| !handlers.contains(&format!("\"{key}\"")))
        .collect();
    assert_eq!(left, Vec::<&str>::new());
}

/// What happens to a resident has a name that she reads.
#[test]
fn every_event_has_a_name() {
    let texts = texts();
    let keys = texts.keys();
    for kind in kaname_person::event::EventKind::ALL {
        assert!(keys.contains(format!("event.{}", kind.code()).as_str()), "{}", kind.code());
    }
}

/// Every kind of finding has a name and says what to do about it.
#[test]
fn every_finding_says_what_to_do() {
    let texts = texts();
    let keys = texts.keys();
    for kind in kaname_person::audit::Kind::ALL {
        for family in ["finding", "finding_do"] {
            assert!(keys.contains(format!("{family}.{}", kind.code()).as_str()), "{family} {}", kind.code());
        }
    }
}

/// A reason is told to the resident, with what to do, and to the officer.
#[test]
fn every_reason_is_told_to_everyone() {
    let texts = texts();
    let codes = |family: &str| -> BTreeSet<String> {
        texts.keys().into_iter().filter_map(|key| key.strip_prefix(family)).map(str::to_owned).collect()
    };
    assert!(codes("pending.").len() >= 7);
    assert_eq!(codes("pending."), codes("pending_do."));
    assert_eq!(codes("pending."), codes("run.pending."));
}

/// A reader of Hindi or Arabic sees their script, not an English text that was forgotten.
#[test]
fn every_text_is_in_its_own_script() {
    let texts = texts();
    let script = |lang: Lang, c: char| match lang {
        Lang::En => c.is_ascii_alphabetic(),
        Lang::Ja => matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'),
        Lang::Hi => matches!(c, '\u{0900}'..='\u{097f}'),
        Lang::Ar => matches!(c, '\u{0600}'..='\u{06ff}'),
    };
    let mut foreign = Vec::new();
    for lang in Lang::ALL {
        for key in texts.keys().into_iter().filter(|key| *key != "app.name") {
            let text = texts.find(lang.code(), key).unwrap();
            if !text.chars().any(|c| script(lang, c)) {
                foreign.push(format!("{} {key}: {text}", lang.code()));
            }
        }
    }
    assert_eq!(foreign, Vec::<String>::new());
}

fn sources_of_handlers() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut text = String::new();
    let mut folders = ["http", "api", "portal", "office"].map(|folder| root.join(folder)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => text.push_str(&std::fs::read_to_string(path).unwrap()),
            }
        }
    }
    text
}

/// The keys that templates and samples name in `t("…")`, `t1("…")` and `t2("…")`.
pub(crate) fn keys_in_use() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("templates"), root.join("src/pages")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            for call in [".t(\"", ".t1(\"", ".t2(\""] {
                for after in source.split(call).skip(1) {
                    keys.insert(after.split('"').next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    keys
}
