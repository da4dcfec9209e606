//! Who may act for whom, and who may vouch for somebody without papers: `mandates.toml`.

use super::Labels;
use super::read::{code_of, refuse_twins};
use super::reader::Node;

/// What a mandate can allow. A pack chooses among these.
pub const SCOPES: &[&str] = &["see-data", "see-log", "number", "payments"];

/// A kind of mandate, such as a parent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MandateKind {
    /// As stored.
    pub code: String,
    /// What its holder is called, such as `mother or father`.
    pub name: Labels,
    /// Whether the person herself may give it.
    pub by_resident: bool,
    /// Whether an officer may record it, on evidence.
    pub by_officer: bool,
    /// Whether what one officer records holds only when another has looked at it.
    pub four_eyes: bool,
    /// What it may allow, of [`SCOPES`]; at least one.
    pub scopes: Vec<String>,
    /// It ends on the day on which the person for whom it is becomes so old.
    pub until_age: Option<u16>,
    /// The most days that it holds; without, until it is ended.
    pub longest_days: Option<u16>,
}

/// Who may vouch for somebody who has no papers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introducers {
    /// The most people whom one introducer may vouch for in a year.
    pub most_a_year: u16,
    /// From so many on, each is looked at by a second officer.
    pub review_from: u16,
    /// The roles of officers who may vouch too.
    pub roles: Vec<String>,
}

/// What `mandates.toml` holds.
#[derive(Default)]
pub(super) struct Mandates {
    pub(super) kinds: Vec<MandateKind>,
    pub(super) introducers: Introducers,
}

pub(super) fn read(root: &Node<'_>, tags: &[String]) -> Mandates {
    let kinds: Vec<MandateKind> = root.tables("mandate").iter().map(|node| kind(node, tags)).collect();
    refuse_twins(root, "mandate", kinds.iter().map(|kind| &kind.code));
    let introducers = root.table("introducer").map_or(Introducers::default(), |node| {
        let introducers = Introducers {
            most_a_year: node.number("most_a_year", 0..1_001) as u16,
            review_from: node.number("review_from", 1..1_001) as u16,
            roles: node.texts("roles"),
        };
        node.refuse_other_keys();
        introducers
    });
    Mandates { kinds, introducers }
}

fn kind(node: &Node<'_>, tags: &[String]) -> MandateKind {
    let kind = MandateKind {
        code: code_of(node),
        name: node.labels("name", tags),
        by_resident: node.flag("by_resident"),
        by_officer: node.flag("by_officer"),
        four_eyes: node.flag("four_eyes"),
        scopes: node.texts("scopes"),
        until_age: node.optional_number("until_age", 1..151).map(|age| age as u16),
        longest_days: node.optional_number("longest_days", 1..3_661).map(|days| days as u16),
    };
    if !kind.by_resident && !kind.by_officer {
        node.wrong("by_officer", "nobody could give it: `by_resident` or `by_officer` must be true");
    }
    if kind.scopes.is_empty() {
        node.wrong("scopes", "at least one scope is needed");
    }
    for scope in &kind.scopes {
        if !SCOPES.contains(&scope.as_str()) {
            node.wrong("scopes", format!("`{scope}` is not known; known are {}", SCOPES.join(", ")));
        }
    }
    node.refuse_other_keys();
    kind
}
