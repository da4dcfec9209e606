//! Alias numbers: what stands for a person's number where she does not want to give it, and can be taken back.

use super::read::read_scheme;
use super::reader::Node;
use crate::number::NumberScheme;

/// Which alias numbers a country has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRules {
    /// Their form. Its length differs from that of the number, so that no alias is ever anybody's number.
    pub scheme: NumberScheme,
    /// Which kinds there are; at least one.
    pub kinds: Vec<AliasKind>,
    /// The most days that a temporary one holds.
    pub longest_days: u16,
    /// The most that a person may have at one time.
    pub most: u16,
}

/// How long an alias number holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AliasKind {
    /// Until she takes it back.
    Permanent,
    /// Until a day.
    Temporary,
    /// Until it was used.
    SingleUse,
}

impl AliasKind {
    /// All of them.
    pub const ALL: [AliasKind; 3] = [AliasKind::Permanent, AliasKind::Temporary, AliasKind::SingleUse];

    /// A stable word, for packs, tables and forms.
    pub fn code(self) -> &'static str {
        match self {
            AliasKind::Permanent => "permanent",
            AliasKind::Temporary => "temporary",
            AliasKind::SingleUse => "single-use",
        }
    }

    /// The kind with this code.
    pub fn of_code(code: &str) -> Option<AliasKind> {
        AliasKind::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Reads `[alias]`; `number` is the scheme that stands before it.
pub(super) fn read(node: &Node<'_>, number: &NumberScheme) -> AliasRules {
    let scheme = read_scheme(node);
    if scheme.length() == number.length() {
        node.wrong(
            "body_digits",
            "an alias must have another length than the number, so that none is taken for one",
        );
    }
    let mut kinds = Vec::new();
    for code in node.texts("kinds") {
        match AliasKind::of_code(&code) {
            Some(kind) if !kinds.contains(&kind) => kinds.push(kind),
            Some(_) => node.wrong("kinds", format!("`{code}` stands there twice")),
            None => node.wrong("kinds", format!("`{code}` is not one of permanent, temporary, single-use")),
        }
    }
    if kinds.is_empty() {
        node.wrong("kinds", "at least one kind is needed");
    }
    let rules = AliasRules {
        scheme,
        kinds,
        longest_days: node.number("longest_days", 1..3_661) as u16,
        most: node.number("most", 1..101) as u16,
    };
    node.refuse_other_keys();
    rules
}
