//! Records of other agencies: what a resident and an officer see of them, and the public figure.

use askama::Template;
use kaname_base::Instant;
use kaname_base::time::BirthDate;

use super::office::{Choice, RejectView};
use super::shell::errors;
use super::{Field, NoticeKind, Shell};

/// `GET /my/links`.
#[derive(Template)]
#[template(path = "portal/links.html")]
pub struct MyLinksPage {
    /// The frame.
    pub shell: Shell,
    /// What counts first.
    pub links: Vec<LinkView>,
}

/// A linked record as its holder sees it.
#[derive(Clone, Debug)]
pub struct LinkView {
    /// The link, sent in the field `link`.
    pub id: String,
    /// What kind of record, in the reader's language.
    pub record: String,
    /// Who holds it.
    pub agency: String,
    /// What allows the link.
    pub law: String,
    /// A code of the texts `link.state.*`.
    pub state: &'static str,
    /// The end of the agency's own number of the record.
    pub reference_end: String,
    /// Whether it was compared by machine; else officers decided.
    pub by_machine: bool,
    /// Codes of the texts `attribute.*`.
    pub agrees: Vec<String>,
    /// Since when it counts.
    pub since: Option<Instant>,
    /// Whether she can still say that it is hers.
    pub may_confirm: bool,
    /// Whether she can say that it is not.
    pub may_report: bool,
    /// Who was given data through it, when it was wrong.
    pub readers: Vec<String>,
    /// Whether the record was linked to somebody else before, by mistake.
    pub was_anothers: bool,
    /// When officers found that a report of it was mistaken.
    pub found_right: Option<Instant>,
}

/// `GET /office/counter/{counter}/links`.
#[derive(Template)]
#[template(path = "office/counter_links.html")]
pub struct CounterLinksPage {
    /// The frame.
    pub shell: Shell,
    /// What counts first.
    pub links: Vec<LinkView>,
    /// Where the pages of this session lie.
    pub base: String,
}

/// `GET /office/links/lists`.
#[derive(Template)]
#[template(path = "office/link_lists.html")]
pub struct LinkListsPage {
    /// The frame.
    pub shell: Shell,
    /// Which kinds of records there are.
    pub sources: Vec<Choice>,
    /// Field `source`.
    pub source: Field,
    /// Field `file`.
    pub file: Field,
    /// The most lines of a list.
    pub most: u64,
    /// What of the list that was just handed in cannot be read.
    pub rejects: Vec<RejectView>,
    /// The newest first.
    pub lists: Vec<ListLine>,
}

impl LinkListsPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("source", &self.source), ("file", &self.file)])
    }
}

/// A list that was handed in.
#[derive(Clone, Debug)]
pub struct ListLine {
    /// What kind of record.
    pub record: String,
    /// When.
    pub at: Instant,
    /// The agency whose system did it; an officer if none.
    pub by_agency: Option<String>,
    /// Whether all of it is checked.
    pub done: bool,
    /// Lines that can be read.
    pub rows: u64,
    /// Linked.
    pub linked: u64,
    /// Left to officers.
    pub review: u64,
    /// Nobody's here, or decided before.
    pub refused: u64,
    /// Lines that cannot be read.
    pub rejected: u64,
}

/// `GET /office/links`.
#[derive(Template)]
#[template(path = "office/links.html")]
pub struct LinkedPage {
    /// The frame.
    pub shell: Shell,
    /// What no machine may decide, oldest first.
    pub cases: Vec<CaseLine>,
    /// Reports of wrong links, the most urgent first.
    pub reports: Vec<ReportLine>,
    /// What the audit found.
    pub findings: Vec<FindingLine>,
    /// Readers of wrong links who have not said that they know, first those who have no feed.
    pub notices: Vec<NoticeLine>,
    /// Whether the officer may see who vouches for people without papers.
    pub may_watch_introducers: bool,
    /// Whether the officer may hand in a list.
    pub may_hand_in: bool,
    /// Whether the officer may say that a reader was told.
    pub may_tell: bool,
}

/// A reader of a wrong link.
#[derive(Clone, Debug)]
pub struct NoticeLine {
    /// Sent in the field `notice`.
    pub id: String,
    /// Who; sent in the field `reader`.
    pub reader: String,
    /// What kind of record.
    pub record: String,
    /// When the link was undone.
    pub undone: Instant,
    /// Whether it stands in the reader's feed.
    pub sent: bool,
}

/// A case in the list.
#[derive(Clone, Debug)]
pub struct CaseLine {
    /// Sent in the field `case`.
    pub id: String,
    /// What kind of record.
    pub record: String,
    /// A code of the texts `link.doubt.*`.
    pub doubt: &'static str,
    /// How many residents come into question.
    pub candidates: u64,
    /// Since when it waits.
    pub since: Instant,
    /// Whether an officer has proposed something.
    pub proposed: bool,
}

/// A report of a wrong link.
#[derive(Clone, Debug)]
pub struct ReportLine {
    /// Sent in the field `report`; none for an officer who may only watch.
    pub handle: Option<String>,
    /// What kind of record.
    pub record: String,
    /// When it was reported.
    pub reported_at: Instant,
    /// When the clock runs out.
    pub due: Instant,
    /// Whether it has run out before.
    pub is_over: bool,
    /// The role that it went to.
    pub role: Option<String>,
}

/// Something that the audit found.
#[derive(Clone, Debug)]
pub struct FindingLine {
    /// Sent in the field `finding`.
    pub id: String,
    /// A code of the texts `finding.*`.
    pub kind: &'static str,
    /// More about it, in the reader's language; empty when there is nothing to say.
    pub about: String,
    /// How many people it is about.
    pub people: u64,
    /// When it was found.
    pub found_at: Instant,
}

/// After `POST /office/findings/open`: a finding, and everybody whom it is about side by side.
#[derive(Template)]
#[template(path = "office/finding.html")]
pub struct FindingPage {
    /// The frame.
    pub shell: Shell,
    /// What it is.
    pub finding: FindingLine,
    /// Who, in the order of the finding.
    pub people: Vec<ConcernedView>,
    /// How probable it is that two people are one, in per cent.
    pub percent: Option<String>,
    /// Codes of the texts `attribute.*`.
    pub agrees: Vec<String>,
    /// Whether confirming it suspends a link.
    pub suspends: bool,
    /// The request of a proposal to merge the two; none when there is nothing to merge, or this officer may not propose it.
    pub merge: Option<String>,
}

/// Somebody whom a finding is about.
#[derive(Clone, Debug)]
pub struct ConcernedView {
    /// Sent in the field `counts`.
    pub handle: String,
    /// Who it is.
    pub record: RecordView,
    /// When the entry was made.
    pub registered_at: Instant,
    /// Where she lives, or what became of her: a code of the texts `standing.*`.
    pub standing: &'static str,
    /// What the others of the finding are to her, in the reader's language.
    pub relations: Vec<String>,
}

/// After `POST /office/links/case`: the record and the candidates side by side.
#[derive(Template)]
#[template(path = "office/link_case.html")]
pub struct LinkCasePage {
    /// The frame.
    pub shell: Shell,
    /// Sent in the field `case`.
    pub id: String,
    /// What kind of record.
    pub record: String,
    /// The agency's own id of it.
    pub reference: String,
    /// A code of the texts `link.doubt.*`.
    pub doubt: &'static str,
    /// What the agency says.
    pub says: RecordView,
    /// Who comes into question.
    pub candidates: Vec<FittingView>,
    /// Whether another officer proposes that it is nobody's.
    pub nobody_proposed: bool,
    /// Why the other officer proposes what she proposes.
    pub reason: Option<String>,
    /// Whether this officer may decide: not twice.
    pub may_decide: bool,
}

/// After `POST /office/links/report`: the record and the resident whose it is said not to be, side by side.
#[derive(Template)]
#[template(path = "office/link_report.html")]
pub struct LinkReportPage {
    /// The frame.
    pub shell: Shell,
    /// Sent in the field `report`.
    pub handle: String,
    /// What kind of record.
    pub record: String,
    /// The agency's own id of it.
    pub reference: String,
    /// What the agency says.
    pub says: RecordView,
    /// To whom it is linked.
    pub resident: RecordView,
    /// How probable it is that both are one, in per cent.
    pub percent: String,
    /// Codes of the texts `attribute.*`.
    pub agrees: Vec<String>,
    /// Whether the resident herself said so; else a program or an officer.
    pub by_holder: bool,
    /// When it was reported.
    pub reported_at: Instant,
    /// Why another officer finds the link right.
    pub found_right: Option<String>,
    /// Whether two officers have to find it right.
    pub two: bool,
    /// Whether this officer may settle it: nobody who made it, and nobody twice.
    pub may_settle: bool,
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct RecordView {
    /// The forms of the name.
    pub names: Vec<String>,
    /// Date of birth.
    pub born: BirthDate,
    /// In the reader's language; empty when it is not known.
    pub sex: String,
    /// A line each.
    pub address: Vec<String>,
}

/// Somebody who comes into question.
#[derive(Clone, Debug)]
pub struct FittingView {
    /// Sent in the field `choice`.
    pub handle: String,
    /// Who it is.
    pub record: RecordView,
    /// How probable it is, in per cent.
    pub percent: String,
    /// Codes of the texts `attribute.*`.
    pub agrees: Vec<String>,
    /// Whether the agency named her number.
    pub has_number: bool,
    /// Whether another officer proposes her.
    pub proposed: bool,
}

/// `GET /statistics/links`.
#[derive(Template)]
#[template(path = "common/link_statistics.html")]
pub struct LinkStatisticsPage {
    /// The frame.
    pub shell: Shell,
    /// In the pack's order.
    pub sources: Vec<SourceLines>,
}

/// The figures of one source.
#[derive(Clone, Debug)]
pub struct SourceLines {
    /// Its name.
    pub name: String,
    /// Over all months.
    pub total: FiguresLine,
    /// Each month.
    pub months: Vec<FiguresLine>,
}

/// One line of figures, as they are shown.
#[derive(Clone, Debug)]
pub struct FiguresLine {
    /// Such as `2026-01`; empty for the sum.
    pub month: String,
    /// Records linked.
    pub linked: String,
    /// Links reported as wrong.
    pub reported: String,
    /// Links that were wrong.
    pub wrong: String,
}

/// What is linked to a person, on paper: she ticks, signs and sends it back.
#[derive(Template)]
#[template(path = "paper/links.html")]
pub struct LinkLetterPage {
    /// The frame; its language is that of the letter.
    pub shell: Shell,
    /// The resident's name.
    pub name: String,
    /// The address, a line each.
    pub address: Vec<String>,
    /// The office that sends it, a line each.
    pub sender: Vec<String>,
    /// When it was made.
    pub at: Instant,
    /// What counts, or waits for her.
    pub links: Vec<LinkView>,
}

/// What a resident is told of a link that was wrong, on paper.
#[derive(Template)]
#[template(path = "paper/link_undone.html")]
pub struct LinkUndonePage {
    /// The frame; its language is that of the letter.
    pub shell: Shell,
    /// The resident's name.
    pub name: String,
    /// The address, a line each.
    pub address: Vec<String>,
    /// The office that sends it, a line each.
    pub sender: Vec<String>,
    /// When it was made.
    pub at: Instant,
    /// The link.
    pub link: LinkView,
}

/// What an agency without a feed is told of a link that was wrong, on paper.
#[derive(Template)]
#[template(path = "paper/link_notice.html")]
pub struct LinkNoticePage {
    /// The frame; its language is that of the letter.
    pub shell: Shell,
    /// Who was given the data.
    pub reader: String,
    /// The office that sends it, a line each.
    pub sender: Vec<String>,
    /// When it was made.
    pub at: Instant,
    /// What kind of record.
    pub record: String,
    /// The agency's own id of it.
    pub reference: String,
    /// When it was read first.
    pub first: Instant,
    /// When it was read last.
    pub last: Instant,
    /// When the link was undone.
    pub undone: Instant,
    /// What the reader issued because of it.
    pub issued: Vec<String>,
}
