//! Who may act for whom.

use askama::Template;
use kaname_base::Instant;

use super::office::Choice;
use super::shell::errors;
use super::{Field, NoticeKind, Shell};

/// `GET /my/delegates`.
#[derive(Template)]
#[template(path = "portal/delegates.html")]
pub struct MyDelegatesPage {
    /// The frame.
    pub shell: Shell,
    /// The id of what the form asks for.
    pub request: String,
    /// Who may act for the reader.
    pub given: Vec<GivenView>,
    /// For whom the reader may act.
    pub held: Vec<HeldView>,
    /// The kinds that a person may give herself; none, and there is no form.
    pub kinds: Vec<Choice>,
    /// What a mandate may allow.
    pub scopes: Vec<ScopeView>,
    /// What is wrong with the choice among them.
    pub scope_error: Option<String>,
    /// The kind that was chosen.
    pub kind: Field,
    /// The number or alias of the representative.
    pub holder: Field,
    /// For how many days.
    pub days: Field,
    /// The most of them.
    pub longest_days: u64,
}

impl MyDelegatesPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        let scope = self.scope_error.as_deref().map(|error| ("scope", error));
        let mut all = errors(&[("kind", &self.kind), ("holder", &self.holder)]);
        all.extend(scope);
        all.extend(errors(&[("days", &self.days)]));
        all
    }
}

/// A thing that a mandate may allow.
#[derive(Clone, Debug)]
pub struct ScopeView {
    /// A code of the texts `scope.*`.
    pub code: String,
    /// The name of its box in the form.
    pub field: String,
    /// Whether it was chosen.
    pub checked: bool,
}

/// A mandate for the reader.
#[derive(Clone, Debug)]
pub struct GivenView {
    /// Sent in the field `mandate`.
    pub id: String,
    /// Who holds it; not known before she accepts.
    pub holder: Option<String>,
    /// What makes it one, in the reader's language.
    pub kind: String,
    /// Codes of the texts `scope.*`.
    pub scope: Vec<String>,
    /// A code of the texts `mandate.state.*`.
    pub state: String,
    /// The last day, in the reader's language.
    pub until: Option<String>,
    /// The officer who recorded it; the reader herself when `None`.
    pub by: Option<String>,
    /// Since when.
    pub at: Instant,
}

/// A mandate that the reader holds.
#[derive(Clone, Debug)]
pub struct HeldView {
    /// Sent in the field `mandate`, and part of its address.
    pub id: String,
    /// For whom.
    pub name: String,
    /// What makes it one, in the reader's language.
    pub kind: String,
    /// Codes of the texts `scope.*`.
    pub scope: Vec<String>,
    /// A code of the texts `mandate.state.*`.
    pub state: String,
    /// The last day, in the reader's language.
    pub until: Option<String>,
}

/// `GET /for/{mandate}`: what the reader may do for this person.
#[derive(Template)]
#[template(path = "portal/acting.html")]
pub struct ActingPage {
    /// The frame, which says for whom.
    pub shell: Shell,
    /// Codes of the texts `scope.*`.
    pub scope: Vec<String>,
}

impl ActingPage {
    fn may(&self, code: &str) -> bool {
        self.scope.iter().any(|known| known == code)
    }
}
