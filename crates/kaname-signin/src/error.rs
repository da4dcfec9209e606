//! How a sign-in fails: the answer is no, or the world failed.

use kaname_person::PersonError;
use kaname_store::StoreError;
use kaname_trust::TrustError;

/// Why a use case of this block did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SigninError {
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The actor's role does not allow it ([`kaname_person::policy`]).
    #[error(transparent)]
    NotAllowed(#[from] kaname_person::Refusal),
    /// A key, a seal or the access log failed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the answer is no. Plain words, never personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    // The party proves who it is (RFC 7521, 7523).
    /// No relying party is registered under this client_id.
    #[error("no relying party is registered under this client_id")]
    UnknownClient,
    /// Client_assertion and client_assertion_type of private_key_jwt are required.
    #[error("client_assertion and client_assertion_type of private_key_jwt are required")]
    AssertionMissing,
    /// Client_assertion is not a signed token that is read here.
    #[error("client_assertion is not a signed token that is read here")]
    AssertionMalformed,
    /// Client_assertion must be signed with ES256.
    #[error("client_assertion must be signed with ES256")]
    AssertionAlgorithm,
    /// Client_assertion names a key that the party has not registered.
    #[error("client_assertion names a key that the party has not registered")]
    AssertionKey,
    /// Client_assertion is not signed by the party's key.
    #[error("client_assertion is not signed by the party's key")]
    AssertionSignature,
    /// Iss and sub of client_assertion, and client_id, must be one and the same.
    #[error("iss and sub of client_assertion, and client_id, must be one and the same")]
    AssertionSubject,
    /// Aud of client_assertion must be the issuer, as a single string.
    #[error("aud of client_assertion must be the issuer, as a single string")]
    AssertionAudience,
    /// Client_assertion has expired.
    #[error("client_assertion has expired")]
    AssertionExpired,
    /// Client_assertion was issued in the future.
    #[error("client_assertion was issued in the future")]
    AssertionNotYet,
    /// Client_assertion must expire within five minutes; in the plain profile, within an hour.
    #[error("client_assertion must expire within five minutes; in the plain profile, within an hour")]
    AssertionTooLong,
    /// Client_assertion must have a jti of at most 128 characters.
    #[error("client_assertion must have a jti of at most 128 characters")]
    AssertionId,
    /// Client_assertion was used before.
    #[error("client_assertion was used before")]
    AssertionReplayed,
    // The request for authorization.
    /// A parameter is given twice.
    #[error("a parameter is given twice")]
    ParameterRepeated,
    /// A parameter is too long.
    #[error("a parameter is too long")]
    ParameterTooLong,
    /// Redirect_uri is missing.
    #[error("redirect_uri is missing")]
    RedirectUriMissing,
    /// Redirect_uri is not one that the party has registered.
    #[error("redirect_uri is not one that the party has registered")]
    RedirectUriUnknown,
    /// This party must push its request first (PAR).
    #[error("this party must push its request first (PAR)")]
    MustPush,
    /// Request_uri is unknown, was used, or has expired.
    #[error("request_uri is unknown, was used, or has expired")]
    RequestUriUnknown,
    /// Request_uri must not be pushed.
    #[error("request_uri must not be pushed")]
    RequestUriNotAllowed,
    /// Request objects are not supported.
    #[error("request objects are not supported")]
    RequestObject,
    /// The claims parameter is not supported; ask by scope.
    #[error("the claims parameter is not supported; ask by scope")]
    ClaimsParameter,
    /// Response_type must be code.
    #[error("response_type must be code")]
    ResponseType,
    /// Response_mode must be query.
    #[error("response_mode must be query")]
    ResponseMode,
    /// Scope must contain openid.
    #[error("scope must contain openid")]
    ScopeWithoutOpenid,
    /// Scope names an attribute that the party has not registered.
    #[error("scope names an attribute that the party has not registered")]
    ScopeNotRegistered,
    /// Code_challenge is missing.
    #[error("code_challenge is missing")]
    PkceMissing,
    /// Code_challenge_method must be S256.
    #[error("code_challenge_method must be S256")]
    PkceMethod,
    /// Code_challenge must be the SHA-256 of the verifier in base64url.
    #[error("code_challenge must be the SHA-256 of the verifier in base64url")]
    PkceForm,
    /// Prompt must be none, or of login, consent and select_account.
    #[error("prompt must be none, or of login, consent and select_account")]
    PromptUnknown,
    /// Max_age must be a number of seconds.
    #[error("max_age must be a number of seconds")]
    MaxAge,
    /// The person must sign in.
    #[error("the person must sign in")]
    LoginRequired,
    /// The person must be asked for her consent.
    #[error("the person must be asked for her consent")]
    ConsentRequired,
    /// The person refused.
    #[error("the person refused")]
    ConsentRefused,
    /// The sign-in is of a lower level than required.
    #[error("the sign-in is of a lower level than required")]
    LevelTooLow,
    // One sign-in on its way.
    /// This sign-in has ended or expired; start again from the service.
    #[error("this sign-in has ended or expired; start again from the service")]
    InteractionUnknown,
    /// This sign-in was started in another browser.
    #[error("this sign-in was started in another browser")]
    InteractionOfAnotherBrowser,
    /// This step of the sign-in is over.
    #[error("this step of the sign-in is over")]
    InteractionStep,
    // The token endpoint and userinfo.
    /// Grant_type must be authorization_code.
    #[error("grant_type must be authorization_code")]
    GrantType,
    /// Code is missing.
    #[error("code is missing")]
    CodeMissing,
    /// The code is unknown or has expired.
    #[error("the code is unknown or has expired")]
    CodeUnknown,
    /// The code was used before; what it gave was taken back.
    #[error("the code was used before; what it gave was taken back")]
    CodeUsed,
    /// The code was given to another party.
    #[error("the code was given to another party")]
    CodeOfAnotherClient,
    /// Redirect_uri is not that of the request.
    #[error("redirect_uri is not that of the request")]
    RedirectUriDiffers,
    /// Code_verifier is missing.
    #[error("code_verifier is missing")]
    VerifierMissing,
    /// Code_verifier does not fit the code_challenge.
    #[error("code_verifier does not fit the code_challenge")]
    VerifierWrong,
    /// The access token is unknown, expired or taken back.
    #[error("the access token is unknown, expired or taken back")]
    TokenUnknown,
    // Means of signing in.
    /// There is no active sign-in account for this.
    #[error("there is no active sign-in account for this")]
    NoAccount,
    /// This passkey is not registered here.
    #[error("this passkey is not registered here")]
    PasskeyUnknown,
    /// The passkey's answer does not hold.
    #[error("the passkey's answer does not hold")]
    PasskeyInvalid,
    /// This passkey is registered already.
    #[error("this passkey is registered already")]
    PasskeyThere,
    /// An account has at most ten passkeys.
    #[error("an account has at most ten passkeys")]
    PasskeyLimit,
    /// The account has no such passkey.
    #[error("the account has no such passkey")]
    NoSuchPasskey,
    /// A passkey's name has 1 to 60 characters.
    #[error("a passkey's name has 1 to 60 characters")]
    PasskeyName,
    /// The letter's number or code is wrong.
    #[error("the letter's number or code is wrong")]
    CodeWrong,
    /// This letter was activated before.
    #[error("this letter was activated before")]
    LetterUsed,
    /// This letter has expired; ask for a new one.
    #[error("this letter has expired; ask for a new one")]
    LetterExpired,
    /// Too many wrong tries; wait and try again.
    #[error("too many wrong tries; wait and try again")]
    TryLater,
    /// These squares were not asked here; begin again.
    #[error("these squares were not asked here; begin again")]
    SquaresNotAsked,
    /// Sign in first.
    #[error("sign in first")]
    SessionNeeded,
    /// Sign in with a passkey, or with a new letter, to do this.
    #[error("sign in with a passkey, or with a new letter, to do this")]
    StepUp,
    /// The form was not sent from a page of this site.
    #[error("the form was not sent from a page of this site")]
    FormForged,
    /// There is no such session.
    #[error("there is no such session")]
    NoSuchSession,
    /// No such service is connected.
    #[error("no such service is connected")]
    NoSuchService,
    // Registering a party.
    /// A client_id has 1 to 64 letters, digits, hyphens, dots or underscores.
    #[error("a client_id has 1 to 64 letters, digits, hyphens, dots or underscores")]
    ClientId,
    /// A redirect URI is https (http on loopback only), without fragment.
    #[error("a redirect URI is https (http on loopback only), without fragment")]
    ClientRedirectUri,
    /// The key set must hold an ES256 public key.
    #[error("the key set must hold an ES256 public key")]
    ClientKeys,
    /// A party has a name in at least one language.
    #[error("a party has a name in at least one language")]
    ClientName,
    /// An attribute is unknown, named twice, or without a purpose.
    #[error("an attribute is unknown, named twice, or without a purpose")]
    ClientAttribute,
    /// The country's pack does not let this attribute be asked for this purpose.
    #[error("the country's pack does not let this attribute be asked for this purpose")]
    ClientPurpose,
    /// A party has a sector identifier.
    #[error("a party has a sector identifier")]
    ClientSector,
    // The interfaces of the registry.
    /// The access token is not for this scope.
    #[error("the access token is not for this scope")]
    ScopeInsufficient,
    /// The scope is not one that the agency is allowed.
    #[error("the scope is not one that the agency is allowed")]
    ScopeNotAllowed,
    /// An access token of an agency is needed.
    #[error("an access token of an agency is needed")]
    TokenMissing,
    /// The party is not registered as an agency that asks the registry.
    #[error("the party is not registered as an agency that asks the registry")]
    ClientNotAgency,
    /// There is no such scope.
    #[error("there is no such scope")]
    ClientScope,
    /// An address for events must be https, or of this machine.
    #[error("an address for events must be https, or of this machine")]
    ClientWebhook,
    /// An agency is registered for outside records that the country does not link.
    #[error("the country links no records of such a source")]
    ClientSource,
}

impl Refusal {
    /// All of them, for lists that must be complete.
    pub const ALL: &'static [Refusal] = &[
        Refusal::UnknownClient,
        Refusal::AssertionMissing,
        Refusal::AssertionMalformed,
        Refusal::AssertionAlgorithm,
        Refusal::AssertionKey,
        Refusal::AssertionSignature,
        Refusal::AssertionSubject,
        Refusal::AssertionAudience,
        Refusal::AssertionExpired,
        Refusal::AssertionNotYet,
        Refusal::AssertionTooLong,
        Refusal::AssertionId,
        Refusal::AssertionReplayed,
        Refusal::ParameterRepeated,
        Refusal::ParameterTooLong,
        Refusal::RedirectUriMissing,
        Refusal::RedirectUriUnknown,
        Refusal::MustPush,
        Refusal::RequestUriUnknown,
        Refusal::RequestUriNotAllowed,
        Refusal::RequestObject,
        Refusal::ClaimsParameter,
        Refusal::ResponseType,
        Refusal::ResponseMode,
        Refusal::ScopeWithoutOpenid,
        Refusal::ScopeNotRegistered,
        Refusal::PkceMissing,
        Refusal::PkceMethod,
        Refusal::PkceForm,
        Refusal::PromptUnknown,
        Refusal::MaxAge,
        Refusal::LoginRequired,
        Refusal::ConsentRequired,
        Refusal::ConsentRefused,
        Refusal::LevelTooLow,
        Refusal::InteractionUnknown,
        Refusal::InteractionOfAnotherBrowser,
        Refusal::InteractionStep,
        Refusal::GrantType,
        Refusal::CodeMissing,
        Refusal::CodeUnknown,
        Refusal::CodeUsed,
        Refusal::CodeOfAnotherClient,
        Refusal::RedirectUriDiffers,
        Refusal::VerifierMissing,
        Refusal::VerifierWrong,
        Refusal::TokenUnknown,
        Refusal::NoAccount,
        Refusal::PasskeyUnknown,
        Refusal::PasskeyInvalid,
        Refusal::PasskeyThere,
        Refusal::PasskeyLimit,
        Refusal::NoSuchPasskey,
        Refusal::PasskeyName,
        Refusal::CodeWrong,
        Refusal::LetterUsed,
        Refusal::LetterExpired,
        Refusal::TryLater,
        Refusal::SquaresNotAsked,
        Refusal::SessionNeeded,
        Refusal::StepUp,
        Refusal::FormForged,
        Refusal::NoSuchSession,
        Refusal::NoSuchService,
        Refusal::ClientId,
        Refusal::ClientRedirectUri,
        Refusal::ClientKeys,
        Refusal::ClientName,
        Refusal::ClientAttribute,
        Refusal::ClientPurpose,
        Refusal::ClientSector,
        Refusal::ScopeInsufficient,
        Refusal::ScopeNotAllowed,
        Refusal::TokenMissing,
        Refusal::ClientNotAgency,
        Refusal::ClientScope,
        Refusal::ClientWebhook,
        Refusal::ClientSource,
    ];

    /// The stable code: the page in the manual, and `type` of a problem document.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::UnknownClient => "unknown-client",
            Refusal::AssertionMissing => "assertion-missing",
            Refusal::AssertionMalformed => "assertion-malformed",
            Refusal::AssertionAlgorithm => "assertion-algorithm",
            Refusal::AssertionKey => "assertion-key",
            Refusal::AssertionSignature => "assertion-signature",
            Refusal::AssertionSubject => "assertion-subject",
            Refusal::AssertionAudience => "assertion-audience",
            Refusal::AssertionExpired => "assertion-expired",
            Refusal::AssertionNotYet => "assertion-not-yet",
            Refusal::AssertionTooLong => "assertion-too-long",
            Refusal::AssertionId => "assertion-id",
            Refusal::AssertionReplayed => "assertion-replayed",
            Refusal::ParameterRepeated => "parameter-repeated",
            Refusal::ParameterTooLong => "parameter-too-long",
            Refusal::RedirectUriMissing => "redirect-uri-missing",
            Refusal::RedirectUriUnknown => "redirect-uri-unknown",
            Refusal::MustPush => "must-push",
            Refusal::RequestUriUnknown => "request-uri-unknown",
            Refusal::RequestUriNotAllowed => "request-uri-not-allowed",
            Refusal::RequestObject => "request-object",
            Refusal::ClaimsParameter => "claims-parameter",
            Refusal::ResponseType => "response-type",
            Refusal::ResponseMode => "response-mode",
            Refusal::ScopeWithoutOpenid => "scope-without-openid",
            Refusal::ScopeNotRegistered => "scope-not-registered",
            Refusal::PkceMissing => "pkce-missing",
            Refusal::PkceMethod => "pkce-method",
            Refusal::PkceForm => "pkce-form",
            Refusal::PromptUnknown => "prompt-unknown",
            Refusal::MaxAge => "max-age",
            Refusal::LoginRequired => "login-required",
            Refusal::ConsentRequired => "consent-required",
            Refusal::ConsentRefused => "consent-refused",
            Refusal::LevelTooLow => "level-too-low",
            Refusal::InteractionUnknown => "interaction-unknown",
            Refusal::InteractionOfAnotherBrowser => "interaction-of-another-browser",
            Refusal::InteractionStep => "interaction-step",
            Refusal::GrantType => "grant-type",
            Refusal::CodeMissing => "code-missing",
            Refusal::CodeUnknown => "code-unknown",
            Refusal::CodeUsed => "code-used",
            Refusal::CodeOfAnotherClient => "code-of-another-client",
            Refusal::RedirectUriDiffers => "redirect-uri-differs",
            Refusal::VerifierMissing => "verifier-missing",
            Refusal::VerifierWrong => "verifier-wrong",
            Refusal::TokenUnknown => "token-unknown",
            Refusal::NoAccount => "no-account",
            Refusal::PasskeyUnknown => "passkey-unknown",
            Refusal::PasskeyInvalid => "passkey-invalid",
            Refusal::PasskeyThere => "passkey-there",
            Refusal::PasskeyLimit => "passkey-limit",
            Refusal::NoSuchPasskey => "no-such-passkey",
            Refusal::PasskeyName => "passkey-name",
            Refusal::CodeWrong => "code-wrong",
            Refusal::LetterUsed => "letter-used",
            Refusal::LetterExpired => "letter-expired",
            Refusal::TryLater => "try-later",
            Refusal::SquaresNotAsked => "squares-not-asked",
            Refusal::SessionNeeded => "session-needed",
            Refusal::StepUp => "step-up",
            Refusal::FormForged => "form-forged",
            Refusal::NoSuchSession => "no-such-session",
            Refusal::NoSuchService => "no-such-service",
            Refusal::ClientId => "client-id",
            Refusal::ClientRedirectUri => "client-redirect-uri",
            Refusal::ClientKeys => "client-keys",
            Refusal::ClientName => "client-name",
            Refusal::ClientAttribute => "client-attribute",
            Refusal::ClientPurpose => "client-purpose",
            Refusal::ClientSector => "client-sector",
            Refusal::ScopeInsufficient => "scope-insufficient",
            Refusal::ScopeNotAllowed => "scope-not-allowed",
            Refusal::TokenMissing => "token-missing",
            Refusal::ClientNotAgency => "client-not-agency",
            Refusal::ClientScope => "client-scope",
            Refusal::ClientWebhook => "client-webhook",
            Refusal::ClientSource => "client-source",
        }
    }

    /// The `error` of OAuth 2.0 (RFC 6749 sections 4.1.2.1 and 5.2; OpenID Connect Core section 3.1.2.6; RFC 6750 section 3.1).
    pub fn oauth(self) -> &'static str {
        match self {
            Refusal::UnknownClient
            | Refusal::AssertionMissing
            | Refusal::AssertionMalformed
            | Refusal::AssertionAlgorithm
            | Refusal::AssertionKey
            | Refusal::AssertionSignature
            | Refusal::AssertionSubject
            | Refusal::AssertionAudience
            | Refusal::AssertionExpired
            | Refusal::AssertionNotYet
            | Refusal::AssertionTooLong
            | Refusal::AssertionId
            | Refusal::AssertionReplayed => "invalid_client",
            Refusal::ParameterRepeated
            | Refusal::ParameterTooLong
            | Refusal::RedirectUriMissing
            | Refusal::RedirectUriUnknown
            | Refusal::MustPush
            | Refusal::RequestUriNotAllowed
            | Refusal::ClaimsParameter
            | Refusal::ResponseMode
            | Refusal::PkceMissing
            | Refusal::PkceMethod
            | Refusal::PkceForm
            | Refusal::PromptUnknown
            | Refusal::MaxAge
            | Refusal::InteractionUnknown
            | Refusal::InteractionOfAnotherBrowser
            | Refusal::InteractionStep
            | Refusal::CodeMissing
            | Refusal::PasskeyThere
            | Refusal::PasskeyLimit
            | Refusal::NoSuchPasskey
            | Refusal::PasskeyName
            | Refusal::SquaresNotAsked
            | Refusal::FormForged
            | Refusal::NoSuchSession
            | Refusal::NoSuchService => "invalid_request",
            Refusal::RequestUriUnknown => "invalid_request_uri",
            Refusal::RequestObject => "request_not_supported",
            Refusal::ResponseType => "unsupported_response_type",
            Refusal::ScopeWithoutOpenid | Refusal::ScopeNotRegistered | Refusal::ScopeNotAllowed => {
                "invalid_scope"
            }
            Refusal::ScopeInsufficient => "insufficient_scope",
            Refusal::ClientNotAgency => "unauthorized_client",
            Refusal::LoginRequired | Refusal::SessionNeeded => "login_required",
            Refusal::ConsentRequired => "consent_required",
            Refusal::ConsentRefused
            | Refusal::NoAccount
            | Refusal::PasskeyUnknown
            | Refusal::PasskeyInvalid
            | Refusal::CodeWrong
            | Refusal::LetterUsed
            | Refusal::LetterExpired
            | Refusal::TryLater => "access_denied",
            Refusal::LevelTooLow | Refusal::StepUp => "unmet_authentication_requirements",
            Refusal::GrantType => "unsupported_grant_type",
            Refusal::CodeUnknown
            | Refusal::CodeUsed
            | Refusal::CodeOfAnotherClient
            | Refusal::RedirectUriDiffers
            | Refusal::VerifierMissing
            | Refusal::VerifierWrong => "invalid_grant",
            Refusal::TokenUnknown | Refusal::TokenMissing => "invalid_token",
            Refusal::ClientId
            | Refusal::ClientKeys
            | Refusal::ClientName
            | Refusal::ClientAttribute
            | Refusal::ClientPurpose
            | Refusal::ClientSector
            | Refusal::ClientScope
            | Refusal::ClientWebhook
            | Refusal::ClientSource => "invalid_client_metadata",
            Refusal::ClientRedirectUri => "invalid_redirect_uri",
        }
    }
}

/// The register of residents said no, or failed. Whoever is not there, or is there no more, has no account here.
impl From<PersonError> for SigninError {
    fn from(error: PersonError) -> SigninError {
        match error {
            PersonError::Refused(_) => SigninError::Refused(Refusal::NoAccount),
            PersonError::Trust(error) => SigninError::Trust(error),
            PersonError::Store(error) => SigninError::Store(error),
        }
    }
}

/// The result of a use case that keeps what it wrote although the answer is no: a counted wrong try, a revoked code.
/// The unit of work commits in both cases, which it would not on an error.
pub(crate) type Kept<T> = Result<Result<T, Refusal>, SigninError>;
