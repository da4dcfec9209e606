//! What an officer sees.

use askama::Template;
use kaname_base::{Amount, Currency, Instant};

use super::format::percent;
use super::portal::PersonView;
use super::shell::errors;
use super::{Field, NoticeKind, Shell};

/// `GET /office`.
#[derive(Template)]
#[template(path = "office/home.html")]
pub struct OfficeHomePage {
    /// The frame.
    pub shell: Shell,
    /// The officer's role, in the reader's language.
    pub role: String,
    /// Payout runs that wait for a second officer.
    pub waiting_runs: u64,
    /// Imports with rejected lines.
    pub imports_with_rejects: u64,
}

/// One choice of a list.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub code: String,
    /// What is read, in the reader's language.
    pub label: String,
    /// More about it, or empty.
    pub hint: String,
}

/// `GET /office/find`: one exact reference or number, and the purpose.
#[derive(Template)]
#[template(path = "office/find.html")]
pub struct OfficeFindPage {
    /// The frame.
    pub shell: Shell,
    /// The reference or number.
    pub reference: Field,
    /// The purpose that was chosen.
    pub purpose: Field,
    /// The purposes that this officer may choose from.
    pub purposes: Vec<Choice>,
}

impl OfficeFindPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("reference", &self.reference), ("purpose", &self.purpose)])
    }
}

/// The answer when nothing is found, or may not be: it says nothing more.
#[derive(Template)]
#[template(path = "office/not_found.html")]
pub struct OfficeNotFoundPage {
    /// The frame.
    pub shell: Shell,
}

/// `GET /office/counter/{counter}`: the resident who is served, and what can be done for her.
#[derive(Template)]
#[template(path = "office/counter.html")]
pub struct OfficeCounterPage {
    /// The frame; its banner says who is served.
    pub shell: Shell,
    /// The record, if the officer's role opens it.
    pub person: Option<PersonView>,
    /// When it was opened.
    pub opened_at: Instant,
    /// Where she lives now, in the reader's language; none when the record was not opened.
    pub standing: Option<String>,
    /// Whether the officer may print a letter.
    pub may_print: bool,
    /// What else the officer may do: address, words, and more about it.
    pub doors: Vec<(String, String, String)>,
    /// The address of the session; its pages lie under it.
    pub base: String,
}

/// `GET /office/counter/ended`.
#[derive(Template)]
#[template(path = "office/counter_ended.html")]
pub struct OfficeCounterEndedPage {
    /// The frame.
    pub shell: Shell,
}

/// The answer to a page of a session at the counter that is over.
#[derive(Template)]
#[template(path = "office/counter_over.html")]
pub struct OfficeCounterOverPage {
    /// The frame; its banner says who is served now, if anybody is.
    pub shell: Shell,
}

/// `GET /office/counter/{counter}/account`.
#[derive(Template)]
#[template(path = "office/account.html")]
pub struct OfficeAccountPage {
    /// The frame.
    pub shell: Shell,
    /// The bank that was chosen.
    pub bank: Field,
    /// The banks of the country.
    pub banks: Vec<Choice>,
    /// The account's number.
    pub number: Field,
    /// The address of the session.
    pub base: String,
}

impl OfficeAccountPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("bank", &self.bank), ("number", &self.number)])
    }
}

/// What became of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountOutcome {
    /// She is paid on it from now on.
    Active,
    /// She was before.
    Stands,
    /// She is not: a code of the texts `payee.*`.
    Refused(&'static str),
}

/// The answer to `POST /office/counter/{counter}/account`.
#[derive(Template)]
#[template(path = "office/account_done.html")]
pub struct OfficeAccountDonePage {
    /// The frame.
    pub shell: Shell,
    /// What became of it.
    pub outcome: AccountOutcome,
    /// The address of the session.
    pub base: String,
}

/// `GET /office/register`.
#[derive(Template)]
#[template(path = "office/register.html")]
pub struct OfficeRegisterPage {
    /// The frame.
    pub shell: Shell,
    /// The caller-made id that lets the form be sent twice and act once; sent back in the field `request`.
    pub request: String,
    /// The names, in the forms that the country records.
    pub names: Vec<InputView>,
    /// Year of birth.
    pub birth_year: Field,
    /// Month of birth, empty when unknown.
    pub birth_month: Field,
    /// Day of birth, empty when unknown.
    pub birth_day: Field,
    /// The sex.
    pub sex: Field,
    /// The country's codes for it.
    pub sexes: Vec<Choice>,
    /// The residence status.
    pub status: Field,
    /// The country's codes for it.
    pub statuses: Vec<Choice>,
    /// Address, telephone, email.
    pub places: Vec<InputView>,
    /// How the officer saw who this is.
    pub evidence: Field,
    /// The kinds of evidence.
    pub evidences: Vec<Choice>,
    /// Who vouches for somebody without papers, and from where they know each other.
    pub introducer: [InputView; 2],
}

/// One line of input.
#[derive(Clone, Debug)]
pub struct InputView {
    /// Its name in the form.
    pub id: &'static str,
    /// What it is called, in the reader's language.
    pub label: String,
    /// More about it, or empty.
    pub hint: String,
    /// What was written.
    pub field: Field,
}

impl OfficeRegisterPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        fn input(view: &InputView) -> (&'static str, &Field) {
            (view.id, &view.field)
        }
        let mut fields: Vec<(&'static str, &Field)> = self.names.iter().map(input).collect();
        fields.extend([
            ("birth_year", &self.birth_year),
            ("birth_month", &self.birth_month),
            ("birth_day", &self.birth_day),
            ("sex", &self.sex),
            ("status", &self.status),
        ]);
        fields.extend(self.places.iter().map(input));
        fields.push(("evidence", &self.evidence));
        fields.extend(self.introducer.iter().map(input));
        errors(&fields)
    }

    fn birth_errors(&self) -> Vec<&str> {
        [&self.birth_year, &self.birth_month, &self.birth_day]
            .iter()
            .filter_map(|f| f.error.as_deref())
            .collect()
    }
}

/// The answer to `POST /office/register` when somebody who is here looks like the person: who, and what speaks for it and against it.
#[derive(Template)]
#[template(path = "office/duplicates.html")]
pub struct OfficeDuplicatesPage {
    /// The frame.
    pub shell: Shell,
    /// The form as it was filled in, sent back with the decision.
    pub kept: Vec<(String, String)>,
    /// Who is shown; opaque, sent back in the field `shown`.
    pub shown: String,
    /// The likeliest first.
    pub candidates: Vec<CandidateView>,
    /// What was decided.
    pub decision: Field,
    /// One for each candidate, and that it is none of them.
    pub choices: Vec<Choice>,
    /// Why it is none of them.
    pub why: Field,
}

impl OfficeDuplicatesPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("decision", &self.decision), ("why", &self.why)])
    }
}

/// Somebody who looks like the person.
#[derive(Clone)]
pub struct CandidateView {
    /// Counted from 1.
    pub place: u64,
    /// How likely it is that they are one person, in a hundred.
    pub percent: u64,
    /// The record.
    pub person: PersonView,
    /// Field by field.
    pub compared: Vec<ComparedView>,
}

/// One line of a comparison.
#[derive(Clone, Debug)]
pub struct ComparedView {
    /// Which field, in the reader's language.
    pub label: String,
    /// What was entered now.
    pub entered: String,
    /// What the register has.
    pub here: String,
    /// A code of the texts `says.*`.
    pub says: &'static str,
}

impl ComparedView {
    fn tone(&self) -> &'static str {
        match self.says {
            "for" => "wait",
            "against" => "good",
            _ => "info",
        }
    }
}

/// After a registration.
#[derive(Template)]
#[template(path = "office/registered.html")]
pub struct OfficeRegisteredPage {
    /// The frame.
    pub shell: Shell,
    /// The new resident's number, in groups.
    pub number: String,
    /// The address of the session at the counter that began with the registration.
    pub base: String,
}

/// `GET /office/imports`.
#[derive(Template)]
#[template(path = "office/imports.html")]
pub struct ImportListPage {
    /// The frame.
    pub shell: Shell,
    /// Newest first.
    pub imports: Vec<ImportView>,
}

/// One import of a file.
#[derive(Clone, Debug)]
pub struct ImportView {
    /// Its id, for the address.
    pub id: String,
    /// The name of the file.
    pub file: String,
    /// When it began.
    pub at: Instant,
    /// Who started it.
    pub by: String,
    /// A code of the texts `import.state.*`: `running`, `interrupted`, `finished`.
    pub state: String,
    /// Lines read.
    pub lines: u64,
    /// Lines that became a new resident.
    pub added: u64,
    /// Lines that were in the register already.
    pub unchanged: u64,
    /// Lines that were rejected.
    pub rejected: u64,
}

/// `GET /office/imports/{id}`.
#[derive(Template)]
#[template(path = "office/import.html")]
pub struct ImportPage {
    /// The frame.
    pub shell: Shell,
    /// The import.
    pub import: ImportView,
    /// One page of the rejected lines.
    pub rejects: Vec<RejectView>,
    /// The address of the page with the rejects before these.
    pub previous: Option<String>,
    /// The address of the page with the rejects after these.
    pub next: Option<String>,
}

/// A rejected line. It holds no value of the line.
#[derive(Clone, Debug)]
pub struct RejectView {
    /// The line in the file, from 1.
    pub line: u64,
    /// The name of the column.
    pub column: String,
    /// A code of the texts `reject.*`, or a reason in the reader's language.
    pub reason: String,
}

/// `GET /office/payouts`.
#[derive(Template)]
#[template(path = "office/payouts.html")]
pub struct PayoutListPage {
    /// The frame.
    pub shell: Shell,
    /// Whether this officer may plan a run.
    pub may_plan: bool,
    /// Newest first.
    pub runs: Vec<RunLineView>,
}

/// A payout run in the list.
#[derive(Clone, Debug)]
pub struct RunLineView {
    /// Its id, for the address.
    pub id: String,
    /// The programme's name.
    pub programme: String,
    /// The state.
    pub state: RunState,
    /// When it was planned.
    pub planned_at: Instant,
    /// How many residents are paid.
    pub residents: u64,
    /// The sum.
    pub total: Amount,
    /// Its currency.
    pub currency: Currency,
}

/// How far a payout run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunState {
    /// Its list is being made.
    Planning,
    /// Waits for the second officer.
    Planned,
    /// Under way.
    Running,
    /// Stopped before its end; it goes on where it stopped.
    Interrupted,
    /// Every resident is paid or has a reason.
    Finished,
}

impl RunState {
    /// The code of the texts `run.state.*`.
    pub fn code(&self) -> &'static str {
        match self {
            RunState::Planning => "planning",
            RunState::Planned => "planned",
            RunState::Running => "running",
            RunState::Interrupted => "interrupted",
            RunState::Finished => "finished",
        }
    }

    fn tone(&self) -> &'static str {
        match self {
            RunState::Planned | RunState::Interrupted => "wait",
            RunState::Planning | RunState::Running => "info",
            RunState::Finished => "good",
        }
    }
}

/// `GET /office/payouts/new`.
#[derive(Template)]
#[template(path = "office/payout_new.html")]
pub struct PayoutNewPage {
    /// The frame.
    pub shell: Shell,
    /// The caller-made id of the run; sent back in the field `run`.
    pub run: String,
    /// The programme that was chosen.
    pub programme: Field,
    /// The programmes with their figures.
    pub programmes: Vec<ProgrammeView>,
}

impl PayoutNewPage {
    fn errors(&self) -> Vec<(&'static str, &str)> {
        errors(&[("programme", &self.programme)])
    }
}

/// A programme and what a run of it would pay.
#[derive(Clone, Debug)]
pub struct ProgrammeView {
    /// What is sent.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Who is entitled, in a sentence.
    pub rule: String,
    /// What each resident gets.
    pub each: Amount,
    /// How many are entitled.
    pub residents: u64,
    /// The sum.
    pub total: Amount,
    /// The currency.
    pub currency: Currency,
}

/// `GET /office/payouts/{id}`.
#[derive(Template)]
#[template(path = "office/payout.html")]
pub struct PayoutPage {
    /// The frame.
    pub shell: Shell,
    /// Its id, for the address.
    pub id: String,
    /// The programme's name.
    pub programme: String,
    /// The state.
    pub state: RunState,
    /// Who planned it.
    pub planned_by: String,
    /// When.
    pub planned_at: Instant,
    /// Who approved and started it.
    pub started_by: Option<String>,
    /// When.
    pub started_at: Option<Instant>,
    /// When it ended.
    /// Whether the reader may start it.
    pub start: MayStart,
    /// The currency.
    pub currency: Currency,
    /// Whether the reader may stop and resume it.
    pub may_stop: bool,
    /// All residents of the run and their sum.
    pub all: Tally,
    /// In a bank account.
    pub paid: Tally,
    /// As vouchers.
    pub vouchers: Tally,
    /// Paid out in cash, for vouchers.
    pub cash: Tally,
    /// Not yet, by a code of the texts `run.pending.*`; `waiting` are those whose turn has not come.
    pub pending: Vec<(String, Tally)>,
    /// Sent back by a bank; counted in no other line.
    pub returned: Tally,
    /// The books: what left the programme's account.
    pub sum_out: Amount,
    /// The books: what residents received.
    pub received: Amount,
    /// The books: what lies in vouchers.
    pub in_vouchers: Amount,
    /// The books: what is pending, returned money included.
    pub in_pending: Amount,
}

/// How many residents and how much money.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Residents.
    pub residents: u64,
    /// The sum.
    pub amount: Amount,
}

/// Whether the reader may start a planned run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MayStart {
    /// Yes: another officer planned it.
    Yes,
    /// No: the reader planned it.
    PlannedIt,
    /// No: the reader's role does not allow it.
    NotTheirRole,
}

/// The pending reason of residents whose turn in the run has not come yet.
const TURN_TO_COME: &str = "waiting";

impl PayoutPage {
    /// Whether the books balance. They always do; if not, the page says so before anything else.
    fn balanced(&self) -> bool {
        let parts =
            self.received.checked_add(self.in_vouchers).and_then(|sum| sum.checked_add(self.in_pending));
        parts == Some(self.sum_out)
    }

    /// Those who wait for a reason of their own; not those whose turn has not come.
    fn held_residents(&self) -> u64 {
        let held = self.pending.iter().filter(|(reason, _)| reason != TURN_TO_COME);
        held.map(|(_, tally)| tally.residents).sum::<u64>() + self.returned.residents
    }

    fn settled(&self) -> u64 {
        self.paid.residents + self.vouchers.residents + self.held_residents()
    }

    fn settled_percent(&self) -> u64 {
        percent(self.settled(), self.all.residents)
    }

    /// The bar of the chart: where each part begins, its width out of 1000, and its class.
    fn bar(&self) -> Vec<(u64, u64, &'static str)> {
        let whole = u128::from(self.all.residents.max(1));
        let place = |residents: u64| (u128::from(residents) * 1000 / whole).min(1000) as u64;
        let mut end = 0;
        let mut parts = Vec::new();
        for (residents, class) in [
            (self.paid.residents, "paid"),
            (self.vouchers.residents, "voucher"),
            (self.held_residents(), "pending"),
        ] {
            let start = place(end);
            end += residents;
            parts.push((start, place(end).saturating_sub(start), class));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lang;
    use super::*;

    #[test]
    fn the_bar_is_never_longer_than_its_frame() {
        let mut page = PayoutPage::sample(Lang::En);
        page.all.residents = 3;
        page.paid.residents = 1;
        page.vouchers.residents = 1;
        page.pending = vec![("no_account".to_owned(), Tally { residents: 1, amount: Amount::ZERO })];
        page.returned = Tally::default();
        assert_eq!(page.bar(), [(0, 333, "paid"), (333, 333, "voucher"), (666, 334, "pending")]);
        assert_eq!(page.settled_percent(), 100);
    }

    #[test]
    fn a_turn_to_come_is_not_progress() {
        let page = PayoutPage::sample(Lang::En);
        assert_eq!((page.settled(), page.settled_percent()), (939_500, 75));
        assert_eq!(page.bar().iter().map(|(_, width, _)| width).sum::<u64>(), 751);
    }

    #[test]
    fn books_that_do_not_balance_are_seen() {
        let mut page = PayoutPage::sample(Lang::En);
        assert!(page.balanced());
        page.received = page.received.checked_add(Amount::from_minor(1).unwrap()).unwrap();
        assert!(!page.balanced());
    }
}
