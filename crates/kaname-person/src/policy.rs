//! Who may do what: one table, role by action. Everything that touches a person's data asks here first.

use std::fmt;

use kaname_trust::{Actor, ActorKind};

use crate::Refusal;

/// Something that an actor does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// Enter a resident at a counter.
    RegisterResident,
    /// Import a file of residents.
    ImportResidents,
    /// See which rows an import rejected, and why.
    SeeImportRejects,
    /// Find a resident by her exact number or reference.
    FindResident,
    /// Ask whether a person is in the register already, by opening those who look like her.
    FindDuplicates,
    /// Find a resident by a number she no longer has.
    FindByReplacedNumber,
    /// Find a resident by her number while it is locked.
    FindByLockedNumber,
    /// Open a resident's record.
    OpenResident,
    /// Open a resident's number.
    RevealNumber,
    /// See who looked at a resident's data.
    SeeAccessLog,
    /// Give a resident another number.
    ReplaceNumber,
    /// Record what happened to a resident.
    RecordEvent,
    /// Record that somebody became a guardian: a court's order.
    RecordGuardianship,
    /// Propose that entries are merged or split, or an event moved; see what is proposed.
    ProposeIdentity,
    /// Decide it.
    DecideIdentity,
    /// Lock a resident's number, or unlock it.
    LockNumber,
    /// See a resident's alias numbers, make one, take one back.
    ManageAliases,
    /// Give somebody a mandate to act for oneself.
    GiveMandate,
    /// Accept a mandate, see those one holds, use one, give one back.
    HoldMandate,
    /// See who may act for a resident.
    SeeMandates,
    /// End a mandate for a resident.
    EndMandate,
    /// Record a mandate on evidence.
    RecordMandate,
    /// Approve a mandate that another officer recorded.
    ApproveMandate,
    /// Act for a resident who stands at the counter.
    StandIn,
    /// See what a resident was paid.
    SeePayments,
    /// Take out everything that is held on a resident, for her.
    ExportHeld,
    /// Make kits for enrolment without a network, revoke one.
    ManageKits,
    /// See the kits, and which of their packets are missing.
    SeeKits,
    /// Merge packets that were made without a network.
    MergePackets,
    /// Print a letter that activates a resident's sign-in.
    IssueActivation,
    /// Print a letter that activates an officer's sign-in.
    IssueOfficerActivation,
    /// End every way in which a resident signs in, because her entry was closed.
    EndSignIn,
    /// Register an account that a resident is paid on.
    RegisterAccount,
    /// Pay nothing more on an account.
    SuspendAccount,
    /// Plan a payout.
    PlanPayout,
    /// Approve somebody else's plan; the second pair of eyes.
    ApprovePayout,
    /// Put into the treasury what was voted for a run that somebody else planned.
    FundTreasury,
    /// Start, stop or resume an approved payout.
    RunPayout,
    /// Watch a payout, and see its report.
    WatchPayout,
    /// Print the voucher of somebody who has no account, or a new one for it.
    PrintVoucher,
    /// Pay a voucher out in cash, which another officer printed.
    RedeemVoucher,
    /// Check the ledger and the access log.
    AuditBooks,
    /// Compare an agency's records with the register.
    CheckLinks,
    /// Decide whose an outside record is.
    ReviewLink,
    /// See what is linked to a resident.
    SeeLinks,
    /// Say that a linked record is hers.
    ConfirmLink,
    /// Say that a linked record is not hers.
    ReportLink,
    /// Decide whether a reported link is wrong.
    SettleLink,
    /// Read a resident through an outside record that is linked to her.
    ReadThroughLink,
    /// See reports of wrong links and their clocks.
    WatchLinks,
    /// Search the register for errors.
    AuditRegistry,
    /// Confirm or dismiss what the audit found.
    SettleFinding,
    /// See who vouches for people without papers, and whom they brought in.
    WatchIntroducers,
    /// End that somebody may vouch, or let her again.
    SuspendIntroducer,
    /// Add officers, change their roles, let them go.
    ManageOfficers,
    /// Add relying parties and change what they may ask for.
    ManageParties,
    /// Let a bank or wallet take part in instant payments, change its net debit cap, suspend or resume it.
    ManageParticipants,
    /// Close a settlement window, or say that one is settled; see positions.
    SettleWindow,
    /// Read what the law gives an agency, through an interface.
    ReadAsAgency,
    /// Tell the register of a person, through an interface.
    TellAsAgency,
}

/// The role of a person acting for herself.
pub const SELF: &str = "self";
/// The role of whoever acts for a person under a mandate, within its scope: another resident, or an officer at a counter.
pub const DELEGATE: &str = "delegate";
/// The role of the program in a run that an officer started.
pub const PROGRAM: &str = "program";

/// The role of an agency's own system that asks through an interface.
pub const AGENCY: &str = "agency";

/// The columns of the table.
pub const ROLES: [&str; 9] =
    [SELF, DELEGATE, "registrar", "payments", "help-desk", "auditor", "administrator", AGENCY, PROGRAM];

/// The table: each action with the roles that may do it.
pub const POLICY: &[(Action, &[&str])] = &[
    (Action::RegisterResident, &["registrar", AGENCY]),
    (Action::ImportResidents, &["registrar", PROGRAM]),
    (Action::SeeImportRejects, &["registrar"]),
    (Action::FindResident, &["registrar", "payments", "help-desk", "auditor", PROGRAM]),
    (Action::FindDuplicates, &["registrar", PROGRAM]),
    (Action::FindByReplacedNumber, &["registrar", "auditor"]),
    (Action::FindByLockedNumber, &["registrar", "help-desk", "auditor"]),
    (Action::OpenResident, &[SELF, DELEGATE, "registrar", "help-desk", PROGRAM]),
    (Action::RevealNumber, &[SELF, DELEGATE, "registrar"]),
    (Action::SeeAccessLog, &[SELF, DELEGATE, "auditor"]),
    (Action::ReplaceNumber, &["registrar"]),
    (Action::RecordEvent, &["registrar"]),
    (Action::RecordGuardianship, &["registrar"]),
    (Action::ProposeIdentity, &["registrar"]),
    (Action::DecideIdentity, &["registrar"]),
    (Action::LockNumber, &[SELF, DELEGATE, "registrar", "help-desk"]),
    (Action::ManageAliases, &[SELF, DELEGATE, "registrar"]),
    (Action::GiveMandate, &[SELF]),
    (Action::HoldMandate, &[SELF]),
    (Action::SeeMandates, &[SELF, "registrar"]),
    (Action::EndMandate, &[SELF, "registrar", PROGRAM]),
    (Action::RecordMandate, &["registrar"]),
    (Action::ApproveMandate, &["registrar"]),
    (Action::StandIn, &["registrar", "help-desk"]),
    (Action::SeePayments, &[SELF, DELEGATE]),
    (Action::ExportHeld, &[SELF, "registrar"]),
    (Action::ManageKits, &["administrator"]),
    (Action::SeeKits, &["administrator", "registrar"]),
    (Action::MergePackets, &["registrar"]),
    (Action::IssueActivation, &["registrar", "help-desk", PROGRAM]),
    (Action::IssueOfficerActivation, &["administrator", PROGRAM]),
    (Action::EndSignIn, &[PROGRAM]),
    (Action::RegisterAccount, &[SELF, DELEGATE, "payments", PROGRAM]),
    (Action::SuspendAccount, &["payments", PROGRAM]),
    (Action::PlanPayout, &["payments", PROGRAM]),
    (Action::ApprovePayout, &["payments"]),
    (Action::FundTreasury, &["payments"]),
    (Action::RunPayout, &["payments", PROGRAM]),
    (Action::WatchPayout, &["payments", "auditor", PROGRAM]),
    (Action::PrintVoucher, &["payments", "help-desk"]),
    (Action::RedeemVoucher, &["payments", "help-desk"]),
    (Action::AuditBooks, &["auditor", PROGRAM]),
    (Action::CheckLinks, &["registrar", AGENCY, PROGRAM]),
    (Action::ReviewLink, &["registrar"]),
    (Action::SeeLinks, &[SELF, DELEGATE, "registrar", "help-desk"]),
    (Action::ConfirmLink, &[SELF, DELEGATE, "registrar"]),
    (Action::ReportLink, &[SELF, DELEGATE, "registrar", "help-desk", PROGRAM]),
    (Action::SettleLink, &["registrar"]),
    (Action::ReadThroughLink, &[AGENCY]),
    (Action::WatchLinks, &["registrar", "auditor", PROGRAM]),
    (Action::AuditRegistry, &["auditor", PROGRAM]),
    (Action::SettleFinding, &["registrar", "auditor"]),
    (Action::WatchIntroducers, &["registrar", "auditor"]),
    (Action::SuspendIntroducer, &["registrar", "auditor"]),
    (Action::ManageOfficers, &["administrator"]),
    (Action::ManageParties, &["administrator", PROGRAM]),
    (Action::ManageParticipants, &["administrator"]),
    (Action::SettleWindow, &["payments"]),
    (Action::ReadAsAgency, &[AGENCY]),
    (Action::TellAsAgency, &[AGENCY]),
];

/// What a mandate's scope must hold for an action; an action that is not here takes no mandate.
pub const SCOPES: &[(Action, &str)] = &[
    (Action::OpenResident, "see-data"),
    (Action::SeeAccessLog, "see-log"),
    (Action::RevealNumber, "number"),
    (Action::LockNumber, "number"),
    (Action::ManageAliases, "number"),
    (Action::RegisterAccount, "payments"),
    (Action::SeeLinks, "see-data"),
    (Action::ConfirmLink, "see-data"),
    (Action::ReportLink, "see-data"),
    (Action::SeePayments, "payments"),
];

/// What is done for one resident: in the office only from a page of the session at the counter with her ([`crate::counter`]).
pub const AT_COUNTER: &[Action] = &[
    Action::OpenResident,
    Action::RevealNumber,
    Action::ReplaceNumber,
    Action::RecordEvent,
    Action::LockNumber,
    Action::ManageAliases,
    Action::SeeMandates,
    Action::RecordMandate,
    Action::EndMandate,
    Action::StandIn,
    Action::IssueActivation,
    Action::RegisterAccount,
    Action::PrintVoucher,
    Action::RedeemVoucher,
    Action::SeeLinks,
    Action::ConfirmLink,
    Action::ReportLink,
];

/// What an officer may read records for, by her role. The other purposes are the program's, the parties' and the resident's own.
pub const PURPOSES: &[(&str, &[&str])] = &[
    ("registrar", &["registration", "correction", "help-desk"]),
    ("help-desk", &["help-desk", "correction"]),
    ("payments", &["payout"]),
    ("auditor", &["audit"]),
];

/// The purposes that a role may read records for.
pub fn purposes_of(role: &str) -> &'static [&'static str] {
    PURPOSES.iter().find(|(known, _)| *known == role).map_or(&[], |(_, purposes)| purposes)
}

/// What a role opens records for that may have to be put right: to correct them if it can, else to look.
pub(crate) fn puts_right(role: &str) -> &'static str {
    if purposes_of(role).contains(&"correction") { "correction" } else { "audit" }
}

/// Whether the actor may do it.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn may(actor: &Actor, action: Action) -> Result<(), Refusal> {
    // The kind decides first: nobody gets an officer's rights by naming a role.
    let role = match (actor.kind, &actor.mandate) {
        (ActorKind::Resident | ActorKind::Officer, Some(mandate)) => {
            let scope = SCOPES.iter().find(|(row, _)| *row == action).map(|(_, scope)| *scope);
            let in_scope = scope.is_some_and(|scope| mandate.scope.iter().any(|given| given == scope));
            if in_scope { DELEGATE } else { "" }
        }
        (ActorKind::Resident, None) => SELF,
        (ActorKind::Program, None) => PROGRAM,
        (ActorKind::Officer, None) if ![SELF, DELEGATE, AGENCY, PROGRAM].contains(&actor.role.as_str()) => {
            actor.role.as_str()
        }
        (ActorKind::Party, None) if actor.role == AGENCY => AGENCY,
        // A relying party that signs people in reads through consent, never here.
        (ActorKind::Officer | ActorKind::Party | ActorKind::Program, _) => "",
    };
    let allowed = POLICY.iter().any(|(row, roles)| *row == action && roles.contains(&role));
    if allowed { Ok(()) } else { Err(Refusal::NotAllowed { role: actor.role.clone(), action }) }
}

/// Whether the grounds of an act say anything: why, and what shows it.
///
/// # Errors
/// [`Refusal::ReasonMissing`].
pub(crate) fn says_why(grounds: &[&str]) -> Result<(), Refusal> {
    let is_silent = grounds.iter().any(|text| text.trim().is_empty());
    if is_silent { Err(Refusal::ReasonMissing) } else { Ok(()) }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::RegisterResident => "register a resident",
            Action::ImportResidents => "import residents",
            Action::SeeImportRejects => "see import rejects",
            Action::FindDuplicates => "look for duplicates",
            Action::FindResident => "find a resident",
            Action::FindByReplacedNumber => "find by a replaced number",
            Action::FindByLockedNumber => "find by a locked number",
            Action::OpenResident => "open a resident",
            Action::RevealNumber => "reveal a number",
            Action::SeeAccessLog => "see an access log",
            Action::ReplaceNumber => "replace a number",
            Action::RecordEvent => "record a life event",
            Action::RecordGuardianship => "record a guardianship",
            Action::ProposeIdentity => "propose a merge or split",
            Action::DecideIdentity => "decide a merge or split",
            Action::LockNumber => "lock a number",
            Action::ManageAliases => "manage alias numbers",
            Action::GiveMandate => "give a mandate",
            Action::HoldMandate => "hold a mandate",
            Action::SeeMandates => "see mandates",
            Action::EndMandate => "end a mandate",
            Action::RecordMandate => "record a mandate",
            Action::ApproveMandate => "approve a mandate",
            Action::StandIn => "stand in at the counter",
            Action::SeePayments => "see payments",
            Action::ExportHeld => "export all that is held",
            Action::ManageKits => "manage enrolment kits",
            Action::SeeKits => "see enrolment kits",
            Action::MergePackets => "merge packets",
            Action::IssueActivation => "issue an activation",
            Action::IssueOfficerActivation => "activate an officer",
            Action::EndSignIn => "end a resident's sign-in",
            Action::RegisterAccount => "register an account",
            Action::SuspendAccount => "suspend an account",
            Action::PlanPayout => "plan a payout",
            Action::ApprovePayout => "approve a payout",
            Action::FundTreasury => "fund the treasury",
            Action::RunPayout => "run a payout",
            Action::WatchPayout => "watch a payout",
            Action::PrintVoucher => "print a voucher",
            Action::RedeemVoucher => "pay out a voucher",
            Action::AuditBooks => "audit the books",
            Action::CheckLinks => "check outside records",
            Action::ReviewLink => "review a link",
            Action::SeeLinks => "see links",
            Action::ConfirmLink => "confirm a link",
            Action::ReportLink => "report a wrong link",
            Action::SettleLink => "settle a reported link",
            Action::ReadThroughLink => "read through a link",
            Action::WatchLinks => "watch links",
            Action::AuditRegistry => "audit the register",
            Action::SettleFinding => "settle a finding",
            Action::WatchIntroducers => "watch introducers",
            Action::SuspendIntroducer => "suspend an introducer",
            Action::ManageOfficers => "manage officers",
            Action::ManageParties => "manage relying parties",
            Action::ManageParticipants => "manage participants",
            Action::SettleWindow => "settle a window",
            Action::ReadAsAgency => "read as an agency",
            Action::TellAsAgency => "tell as an agency",
        })
    }
}

/// The whole table as people read it: an action a line, a role a column.
pub fn as_text() -> String {
    let mut text = format!("{:26}", "");
    for role in ROLES {
        text.push_str(&format!(" {role:>13}"));
    }
    for (action, roles) in POLICY {
        text.push_str(&format!("\n{:26}", action.to_string()));
        for role in ROLES {
            text.push_str(&format!(" {:>13}", if roles.contains(&role) { "yes" } else { "-" }));
        }
    }
    text.push('\n');
    text
}
