//! The lock on a number, and the aliases that are given in its place.

use askama::Template;
use kaname_base::Instant;

use super::office::Choice;
use super::shell::errors;
use super::{Field, NoticeKind, Shell};

/// `GET /my/number/aliases`.
#[derive(Template)]
#[template(path = "portal/aliases.html")]
pub struct MyAliasesPage {
    /// The frame.
    pub shell: Shell,
    /// Where the pages about this person begin, such as `/my`.
    pub base: String,
    /// Whether the number is locked.
    pub locked: bool,
    /// The ids of what the two forms ask for: the lock, the alias.
    pub requests: [String; 2],
    /// Newest first.
    pub aliases: Vec<AliasView>,
    /// The kinds that the country has; none, and there is no form.
    pub kinds: Vec<Choice>,
    /// The kind that was chosen.
    pub kind: Field,
    /// For how many days.
    pub days: Field,
    /// The most days that a temporary one holds.
    pub longest_days: u64,
}

impl MyAliasesPage {
    fn number_page(&self) -> String {
        format!("{}/number", self.base)
    }

    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("kind", &self.kind), ("days", &self.days)])
    }
}

/// One alias.
#[derive(Clone, Debug)]
pub struct AliasView {
    /// Sent in the field `alias`.
    pub n: i64,
    /// In groups, as it is given away.
    pub alias: String,
    /// A code of the texts `alias.kind.*`.
    pub kind: String,
    /// A code of the texts `alias.state.*`: `active`, `over`, `revoked`, `used`.
    pub state: String,
    /// When it was made.
    pub made_at: Instant,
    /// The last day of a temporary one, in the reader's language.
    pub until: Option<String>,
    /// When it was used or taken back.
    pub ended_at: Option<Instant>,
    /// By whom; herself when `None`.
    pub ended_by: Option<String>,
}
