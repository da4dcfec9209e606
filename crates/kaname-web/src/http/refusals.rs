//! From a block's refusal to a problem: the only translation. Each match is complete, so a new refusal must choose its status.

use axum::http::StatusCode;
use kaname_pay::PayError;
use kaname_person::PersonError;
use kaname_signin::SigninError;

use super::Problem;

impl From<PersonError> for Problem {
    fn from(error: PersonError) -> Problem {
        let refusal = match error {
            PersonError::Refused(refusal) => refusal,
            PersonError::Trust(error) => return error.into(),
            PersonError::Store(error) => return error.into(),
        };
        Problem::new(of_person(&refusal), refusal.code(), refusal.to_string())
    }
}

impl From<kaname_person::Refusal> for Problem {
    fn from(refusal: kaname_person::Refusal) -> Problem {
        PersonError::from(refusal).into()
    }
}

impl From<PayError> for Problem {
    fn from(error: PayError) -> Problem {
        let refusal = match error {
            PayError::Refused(refusal) => refusal,
            PayError::Instant(refusal) => return of_instant(refusal),
            PayError::NotAllowed(refusal) => return refusal.into(),
            PayError::Trust(error) => return error.into(),
            PayError::Store(error) => return error.into(),
            PayError::Bank(error) => {
                tracing::warn!(%error, "a bank could not be asked");
                return Problem::unavailable();
            }
            PayError::Halted => return Problem::unavailable(),
        };
        Problem::new(of_pay(refusal), refusal.code(), refusal.to_string())
    }
}

impl From<SigninError> for Problem {
    fn from(error: SigninError) -> Problem {
        let refusal = match error {
            SigninError::Refused(refusal) => refusal,
            SigninError::NotAllowed(refusal) => return refusal.into(),
            SigninError::Trust(error) => return error.into(),
            SigninError::Store(error) => return error.into(),
        };
        Problem::new(of_signin(refusal), refusal.code(), refusal.to_string()).with_oauth(refusal.oauth())
    }
}

impl From<kaname_signin::Refusal> for Problem {
    fn from(refusal: kaname_signin::Refusal) -> Problem {
        SigninError::from(refusal).into()
    }
}

fn of_person(refusal: &kaname_person::Refusal) -> StatusCode {
    use kaname_person::Refusal::*;
    match refusal {
        RegisterKeeps | TooMany | EnrolmentFinished | OfficerDecides => StatusCode::FORBIDDEN,
        FileThere => StatusCode::CONFLICT,
        EventsGone { .. } => StatusCode::GONE,
        IdForm => StatusCode::BAD_REQUEST,
        Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        MandateOver | SamePerson | SameOfficer => StatusCode::CONFLICT,
        MandateTerms | ReasonMissing | AddressInPart { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        DayToCome => StatusCode::UNPROCESSABLE_ENTITY,
        NotKnownThen { .. } => StatusCode::NOT_FOUND,
        OtherDead | TooYoung | MarriedAlready | ParentYounger | CloseKin => StatusCode::CONFLICT,
        MandateThere | NotMerged | ProposedAlready => StatusCode::CONFLICT,
        NoSuchMandate | NoSuchKit => StatusCode::NOT_FOUND,
        KitRevoked | KitExpired | PacketCounter => StatusCode::CONFLICT,
        KitPeriod | PacketBroken => StatusCode::UNPROCESSABLE_ENTITY,
        NoAliases | TooManyAliases => StatusCode::CONFLICT,
        AliasPeriod { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        UnknownSource | NoSuchLink | NoSuchCase | NoSuchCandidate | NoSuchFinding => StatusCode::NOT_FOUND,
        LinkState(_) | HasOne => StatusCode::CONFLICT,
        OwnDecision => StatusCode::FORBIDDEN,
        NoSuchResident | NoSuchOfficer | NoSuchAlias => StatusCode::NOT_FOUND,
        OtherData | LooksLikeSomebody | ImportRuns => StatusCode::CONFLICT,
        SecondOfficer => StatusCode::FORBIDDEN,
        UnknownRelation | NoSuchEvent | NoSuchProposal => StatusCode::NOT_FOUND,
        BadPhoto | EventInFuture | EventBeforeBirth | RelatedToHerself | RecordedOtherwise => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        AfterDeath | LaterEvent | SameAddress | NothingChanges | NotHere | NotAway | AlreadyRelated
        | NotRelated | EntryMerged | ProposalDecided | EventStands | RequestReused => StatusCode::CONFLICT,
        CounterNeeded | CounterOver | TooManyIntroduced => StatusCode::CONFLICT,
        TwoOfficers | NoIntroducer => StatusCode::FORBIDDEN,
        UnknownOffice | RoleNotInOffice => StatusCode::BAD_REQUEST,
        NotAllowed { .. } | OfficerKeyWrong | NotForAgency => StatusCode::FORBIDDEN,
        UnknownPurpose | UnknownRole | Mapping(_) | File(_) => StatusCode::BAD_REQUEST,
        NumbersUsedUp => StatusCode::INSUFFICIENT_STORAGE,
    }
}

fn of_pay(refusal: kaname_pay::Refusal) -> StatusCode {
    use kaname_pay::Refusal::*;
    match refusal {
        NoSuchRun | NoPayee | NoSuchVoucher | NoSuchPending | NoSuchDebitAccount | NoSuchCreditAccount => {
            StatusCode::NOT_FOUND
        }
        IdReused | RunIdReused | WrongState | ListChanged | OtherFigures | AlreadyPosted | AlreadyVoided
        | PendingExpired | NotExpired | AccountClosed | LinkedFailed | InsufficientFunds | ExceedsDebits
        | VoucherUsed | VoucherExpired => StatusCode::CONFLICT,
        SameOfficer | VoucherOwnPrint => StatusCode::FORBIDDEN,
        SameAccount | AmountZero | CurrencyDiffers | NotPending | PendingDiffers | PendingAmount
        | Overflow | VoucherMistyped | VoucherForged | ForeignReport | Unwritable => StatusCode::BAD_REQUEST,
    }
}

fn of_instant(refusal: kaname_pay::instant::Refusal) -> Problem {
    use kaname_pay::instant::Refusal::*;
    let status = match refusal {
        MessageSignature | MessageStale => StatusCode::UNAUTHORIZED,
        ParticipantSuspended | WindowOfficer => StatusCode::FORBIDDEN,
        NoInstantPayments | NoSuchParticipant | NoSuchPayment | PayeeNotFound => StatusCode::NOT_FOUND,
        MessageReplayed | ParticipantThere | QuoteOver | NetDebitCap | PaymentOver | NotRefundable
        | RefundTooLarge | WindowState => StatusCode::CONFLICT,
        ParticipantForm | MessageForm | OneParticipant => StatusCode::BAD_REQUEST,
        AskedTooSoon { .. } => StatusCode::TOO_MANY_REQUESTS,
        Ledger(refusal) => of_pay(refusal),
    };
    let problem = Problem::new(status, refusal.code(), refusal.to_string());
    match refusal {
        AskedTooSoon { retry_after_seconds } => problem.with_retry(retry_after_seconds),
        _ => problem,
    }
}

fn of_signin(refusal: kaname_signin::Refusal) -> StatusCode {
    use kaname_signin::Refusal::*;
    match refusal {
        // RFC 6749 section 5.2 and RFC 6750 section 3.1.
        UnknownClient | AssertionMissing | AssertionMalformed | AssertionAlgorithm | AssertionKey
        | AssertionSignature | AssertionSubject | AssertionAudience | AssertionExpired | AssertionNotYet
        | AssertionTooLong | AssertionId | AssertionReplayed | TokenUnknown | TokenMissing
        | SessionNeeded => StatusCode::UNAUTHORIZED,
        ParameterRepeated | ParameterTooLong | RedirectUriMissing | RedirectUriUnknown | MustPush
        | RequestUriUnknown | RequestUriNotAllowed | RequestObject | ClaimsParameter | ResponseType
        | ResponseMode | ScopeWithoutOpenid | ScopeNotRegistered | PkceMissing | PkceMethod | PkceForm
        | PromptUnknown | MaxAge | LoginRequired | ConsentRequired | InteractionUnknown | InteractionStep
        | GrantType | CodeMissing | CodeUnknown | CodeUsed | CodeOfAnotherClient | RedirectUriDiffers
        | VerifierMissing | VerifierWrong | SquaresNotAsked | PasskeyName | PasskeyLimit | ClientId
        | ClientRedirectUri | ClientKeys | ClientName | ClientAttribute | ClientPurpose | ClientSector
        | ClientScope | ClientWebhook | ClientSource | ClientNotAgency | ScopeNotAllowed => {
            StatusCode::BAD_REQUEST
        }
        ScopeInsufficient
        | ConsentRefused
        | LevelTooLow
        | InteractionOfAnotherBrowser
        | NoAccount
        | PasskeyUnknown
        | PasskeyInvalid
        | CodeWrong
        | LetterUsed
        | LetterExpired
        | StepUp
        | FormForged => StatusCode::FORBIDDEN,
        PasskeyThere => StatusCode::CONFLICT,
        TryLater => StatusCode::TOO_MANY_REQUESTS,
        NoSuchPasskey | NoSuchSession | NoSuchService => StatusCode::NOT_FOUND,
    }
}
