//! Outside records that are linked to residents: what a pack's `sources.toml` says of each kind of them.

use super::reader::Node;
use super::{Labels, Purpose, Role};

/// One kind of record that another agency holds, such as a health insurance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Such as `health-insurer`.
    pub code: String,
    /// What the record is called.
    pub name: Labels,
    /// Who holds it.
    pub agency: Labels,
    /// The code of the purpose for which a resident's record is opened to compare it.
    pub purpose: String,
    /// What allows this source in particular.
    pub legal_basis: Labels,
    /// How many records of this kind one person may have.
    pub records_each: u32,
    /// When the holder is asked before a link counts.
    pub holder_confirms: HolderConfirms,
    /// Whether a second officer must agree to what one decided.
    pub four_eyes: bool,
    /// After how many hours a report of a wrong link that nobody settled goes one step up.
    pub wrong_link_hours: u32,
    /// The role that it goes to.
    pub escalate_to: String,
    /// What a machine must see before it links.
    pub evidence: Demand,
}

/// What evidence a source demands. Shares are of 10,000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The least probability at which a machine links.
    pub least: u32,
    /// From which probability on an officer looks; below it, it is another person.
    pub review_from: u32,
    /// From which probability on a second resident is plausible, so that no machine decides.
    pub rival: u32,
    /// Fields that must agree, all of them, whatever the probability.
    pub must_agree: Vec<Agreement>,
}

/// When the holder is asked before a link counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderConfirms {
    /// Each link waits for her.
    Always,
    /// Those that an officer decided wait for her.
    AfterReview,
    /// She is told, and can object.
    Never,
}

/// A field that can be demanded to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// The name in one of its forms.
    Name,
    /// The whole date of birth.
    BirthDate,
    /// The sex.
    Sex,
    /// The address.
    Address,
}

impl Agreement {
    /// All, with the word that packs write.
    pub const ALL: [(&'static str, Agreement); 4] = [
        ("name", Agreement::Name),
        ("birth_date", Agreement::BirthDate),
        ("sex", Agreement::Sex),
        ("address", Agreement::Address),
    ];

    /// The word.
    pub fn word(self) -> &'static str {
        Agreement::ALL.iter().find(|(_, field)| *field == self).map_or("", |(word, _)| word)
    }
}

/// The whole.
const WHOLE: u64 = 10_000;

/// A machine that links on less than this links strangers.
const LEAST_OF_ALL: u64 = 9_000;

pub(super) fn read(root: &Node<'_>, tags: &[String], purposes: &[Purpose], roles: &[Role]) -> Vec<Source> {
    let sources: Vec<Source> =
        root.tables("source").iter().map(|node| read_source(node, tags, purposes, roles)).collect();
    super::read::refuse_twins(root, "source", sources.iter().map(|source| &source.code));
    sources
}

fn read_source(node: &Node<'_>, tags: &[String], purposes: &[Purpose], roles: &[Role]) -> Source {
    let purpose = node.text("purpose");
    if !purpose.is_empty() && !purposes.iter().any(|known| known.code == purpose) {
        node.wrong("purpose", format!("there is no [[purpose]] with the code `{purpose}` in policy.toml"));
    }
    let escalate_to = node.text("escalate_to");
    if !escalate_to.is_empty() && !roles.iter().any(|known| known.code == escalate_to) {
        node.wrong(
            "escalate_to",
            format!("there is no [[role]] with the code `{escalate_to}` in policy.toml"),
        );
    }
    let source = Source {
        code: super::read::code_of(node),
        name: node.labels("name", tags),
        agency: node.labels("agency", tags),
        purpose,
        legal_basis: node.labels("legal_basis", tags),
        records_each: node.number("records_each", 1..101) as u32,
        holder_confirms: node.choice(
            "holder_confirms",
            &[
                ("always", HolderConfirms::Always),
                ("after-review", HolderConfirms::AfterReview),
                ("never", HolderConfirms::Never),
            ],
        ),
        four_eyes: node.choice("review", &[("four-eyes", true), ("two-eyes", false)]),
        // A year is no clock: the first wrong links of the field waited ten months.
        wrong_link_hours: node.number("wrong_link_hours", 1..721) as u32,
        escalate_to,
        evidence: node.table("evidence").map_or_else(Demand::none, |node| read_demand(&node)),
    };
    node.refuse_other_keys();
    source
}

fn read_demand(node: &Node<'_>) -> Demand {
    let demand = Demand {
        least: node.number("least", LEAST_OF_ALL..WHOLE + 1) as u32,
        review_from: node.number("review_from", 1..WHOLE + 1) as u32,
        rival: node.number("rival", 1..WHOLE + 1) as u32,
        must_agree: read_agreements(node),
    };
    if demand.review_from > demand.least {
        node.wrong("review_from", "it is above `least`: nothing between the two would ever be looked at");
    }
    if demand.rival > demand.least {
        node.wrong(
            "rival",
            "it is above `least`: of two residents who both reach `least` the first would be taken",
        );
    }
    for needed in [Agreement::Name, Agreement::BirthDate] {
        if !demand.must_agree.contains(&needed) {
            let word = needed.word();
            node.wrong(
                "must_agree",
                format!("`{word}` is missing: without it a machine links whoever comes first"),
            );
        }
    }
    if demand.must_agree.len() < 3 {
        node.wrong(
            "must_agree",
            "a name and a date of birth are not enough, many people share both; add `address` or `sex`",
        );
    }
    node.refuse_other_keys();
    demand
}

fn read_agreements(node: &Node<'_>) -> Vec<Agreement> {
    let mut fields = Vec::new();
    for text in node.texts("must_agree") {
        match Agreement::ALL.iter().find(|(word, _)| *word == text) {
            Some((_, field)) if fields.contains(field) => {
                node.wrong("must_agree", format!("`{text}` stands there twice"));
            }
            Some((_, field)) => fields.push(*field),
            None => {
                let known = Agreement::ALL.map(|(word, _)| format!("`{word}`")).join(", ");
                node.wrong("must_agree", format!("`{text}` cannot be compared; what can is {known}"));
            }
        }
    }
    fields
}

impl Demand {
    /// What stands in for a demand that was not written: nothing fulfils it.
    fn none() -> Demand {
        Demand { least: WHOLE as u32 + 1, review_from: 1, rival: 1, must_agree: Vec::new() }
    }
}
