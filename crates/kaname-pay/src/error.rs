//! How this block says no, and how it fails.

use kaname_person::Refusal as NotAllowed;
use kaname_store::StoreError;
use kaname_trust::TrustError;

/// The answer is no. The text is for people and never holds personal data; the code is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// A transfer's id was used before, for something else.
    #[error("this transfer id was used before for another transfer")]
    IdReused,
    /// Both sides of a transfer are one account.
    #[error("a transfer needs two different accounts")]
    SameAccount,
    /// Nothing to move.
    #[error("the amount is zero")]
    AmountZero,
    /// The account that would pay is not in this bucket's ledger.
    #[error("there is no such account to debit")]
    NoSuchDebitAccount,
    /// The account that would receive is not in this bucket's ledger.
    #[error("there is no such account to credit")]
    NoSuchCreditAccount,
    /// The accounts are kept in two currencies.
    #[error("the two accounts are kept in different currencies")]
    CurrencyDiffers,
    /// The pending transfer is not there.
    #[error("there is no such pending transfer")]
    NoSuchPending,
    /// The transfer named as pending was posted at once.
    #[error("the transfer to be posted or voided is not a pending one")]
    NotPending,
    /// Accounts or code are not those of the pending transfer.
    #[error("accounts or code differ from those of the pending transfer")]
    PendingDiffers,
    /// More than is pending; a void names the whole of it.
    #[error("the amount is not what is pending")]
    PendingAmount,
    /// It was posted before.
    #[error("the pending transfer was posted before")]
    AlreadyPosted,
    /// It was voided before.
    #[error("the pending transfer was voided before")]
    AlreadyVoided,
    /// Its time is over: it is released, or will be by the next sweep.
    #[error("the time of the pending transfer is over")]
    PendingExpired,
    /// Only what has a time, and is beyond it, expires.
    #[error("the time of the pending transfer is not over")]
    NotExpired,
    /// One of the accounts is closed.
    #[error("one of the accounts is closed")]
    AccountClosed,
    /// Another transfer of the same chain was refused, so that none was made.
    #[error("another transfer that this one is linked with was refused")]
    LinkedFailed,
    /// A sum would exceed what is ever held.
    #[error("the sum is larger than the ledger can hold")]
    Overflow,
    /// An account that may not go below zero would.
    #[error("the account has not enough money")]
    InsufficientFunds,
    /// An account that may not receive more than it paid would.
    #[error("the account may not receive more than it has paid out")]
    ExceedsDebits,

    /// There is no such payout run.
    #[error("there is no such payout run")]
    NoSuchRun,
    /// The run's id was used before, for another programme or by another officer.
    #[error("this run id was used before for another run")]
    RunIdReused,
    /// The run is not in the state that this step needs.
    #[error("the payout run is not in the state that this step needs")]
    WrongState,
    /// Four eyes: whoever planned a run does not approve it.
    #[error("another officer than the one who planned the run must fund and approve it")]
    SameOfficer,
    /// The list is not the one that was planned.
    #[error("the list of the payout run was changed after it was planned")]
    ListChanged,
    /// Approval was given for other figures than the plan's.
    #[error("the figures shown for approval are not those of the plan")]
    OtherFigures,
    /// A status report that is not about what we sent.
    #[error("the bank's report is not about the message that was sent")]
    ForeignReport,
    /// A message of this block that the standard cannot carry.
    #[error("the bank message cannot be written")]
    Unwritable,
    /// No voucher of this person waits to be paid out, or none with this code.
    #[error("this person has no such voucher that waits to be paid out")]
    NoSuchVoucher,
    /// The letters of the code do not fit together.
    #[error("this is no voucher's code; read it again")]
    VoucherMistyped,
    /// What was scanned is not signed with the key that vouchers are signed with.
    #[error("this is no voucher of ours")]
    VoucherForged,
    /// It was paid out before.
    #[error("this voucher was paid out before")]
    VoucherUsed,
    /// Its last day is past.
    #[error("the last day of this voucher is past; print a new one")]
    VoucherExpired,
    /// Four eyes: whoever printed a voucher does not pay it out.
    #[error("another officer than the one who printed the voucher must pay it out")]
    VoucherOwnPrint,
    /// The person has no payee account.
    #[error("this person has no account to be paid on")]
    NoPayee,
}

impl Refusal {
    /// The stable code, as in `/errors/<code>`.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::IdReused => "id-reused",
            Refusal::SameAccount => "same-account",
            Refusal::AmountZero => "amount-zero",
            Refusal::NoSuchDebitAccount => "no-such-debit-account",
            Refusal::NoSuchCreditAccount => "no-such-credit-account",
            Refusal::CurrencyDiffers => "currency-differs",
            Refusal::NoSuchPending => "no-such-pending",
            Refusal::NotPending => "not-pending",
            Refusal::PendingDiffers => "pending-differs",
            Refusal::PendingAmount => "pending-amount",
            Refusal::AlreadyPosted => "already-posted",
            Refusal::AlreadyVoided => "already-voided",
            Refusal::PendingExpired => "pending-expired",
            Refusal::NotExpired => "not-expired",
            Refusal::AccountClosed => "account-closed",
            Refusal::LinkedFailed => "linked-failed",
            Refusal::Overflow => "overflow",
            Refusal::InsufficientFunds => "insufficient-funds",
            Refusal::ExceedsDebits => "exceeds-debits",
            Refusal::NoSuchRun => "no-such-run",
            Refusal::RunIdReused => "run-id-reused",
            Refusal::WrongState => "wrong-state",
            Refusal::SameOfficer => "same-officer",
            Refusal::ListChanged => "list-changed",
            Refusal::OtherFigures => "other-figures",
            Refusal::ForeignReport => "foreign-report",
            Refusal::Unwritable => "unwritable",
            Refusal::NoSuchVoucher => "no-such-voucher",
            Refusal::VoucherMistyped => "voucher-mistyped",
            Refusal::VoucherForged => "voucher-forged",
            Refusal::VoucherUsed => "voucher-used",
            Refusal::VoucherExpired => "voucher-expired",
            Refusal::VoucherOwnPrint => "voucher-own-print",
            Refusal::NoPayee => "no-payee",
        }
    }
}

/// Why a use case of this block did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PayError {
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer of instant payments is no.
    #[error(transparent)]
    Instant(#[from] crate::instant::Refusal),
    /// The actor's role does not allow it ([`kaname_person::policy`]).
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// Keys, seals or the access log failed.
    #[error(transparent)]
    Trust(TrustError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A bank could not be reached; nothing is lost, and the step can be run again.
    #[error(transparent)]
    Bank(#[from] crate::BankError),
    /// Whoever watches the steps asked to stop here. Running again goes on.
    #[error("halted between two steps")]
    Halted,
}

impl From<TrustError> for PayError {
    fn from(error: TrustError) -> PayError {
        match error {
            TrustError::Store(error) => PayError::Store(error),
            other => PayError::Trust(other),
        }
    }
}
