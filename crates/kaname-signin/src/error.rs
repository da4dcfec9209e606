//! How a sign-in fails: the answer is no, or the world failed.

use kaname_store::StoreError;
use kaname_trust::TrustError;

/// Why a use case of this block did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SigninError {
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A key, a seal or the access log failed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Declares [`Refusal`] as one table: variant, stable code, OAuth error, plain words.
macro_rules! refusals {
    ($($variant:ident $code:literal $oauth:literal $words:literal;)+) => {
        /// Why the answer is no. Plain words, never personal data.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
        pub enum Refusal {
            $(
                #[doc = $words]
                #[error($words)]
                $variant,
            )+
        }

        impl Refusal {
            /// All of them, for lists that must be complete.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant),+];

            /// The stable code: the page in the manual, and `type` of a problem document.
            pub fn code(self) -> &'static str {
                match self { $(Refusal::$variant => $code,)+ }
            }

            /// The `error` of OAuth 2.0 (RFC 6749 sections 4.1.2.1 and 5.2; OpenID Connect Core section 3.1.2.6).
            pub fn oauth(self) -> &'static str {
                match self { $(Refusal::$variant => $oauth,)+ }
            }
        }
    };
}

refusals! {
    // The party proves who it is (RFC 7521, 7523).
    UnknownClient "unknown-client" "invalid_client" "no relying party is registered under this client_id";
    AssertionMissing "assertion-missing" "invalid_client" "client_assertion and client_assertion_type of private_key_jwt are required";
    AssertionMalformed "assertion-malformed" "invalid_client" "client_assertion is not a signed token that is read here";
    AssertionAlgorithm "assertion-algorithm" "invalid_client" "client_assertion must be signed with ES256";
    AssertionKey "assertion-key" "invalid_client" "client_assertion names a key that the party has not registered";
    AssertionSignature "assertion-signature" "invalid_client" "client_assertion is not signed by the party's key";
    AssertionSubject "assertion-subject" "invalid_client" "iss and sub of client_assertion, and client_id, must be one and the same";
    AssertionAudience "assertion-audience" "invalid_client" "aud of client_assertion must be the issuer, as a single string";
    AssertionExpired "assertion-expired" "invalid_client" "client_assertion has expired";
    AssertionNotYet "assertion-not-yet" "invalid_client" "client_assertion was issued in the future";
    AssertionTooLong "assertion-too-long" "invalid_client" "client_assertion must expire within five minutes";
    AssertionId "assertion-id" "invalid_client" "client_assertion must have a jti of at most 128 characters";
    AssertionReplayed "assertion-replayed" "invalid_client" "client_assertion was used before";

    // The request for authorization.
    ParameterRepeated "parameter-repeated" "invalid_request" "a parameter is given twice";
    ParameterTooLong "parameter-too-long" "invalid_request" "a parameter is too long";
    RedirectUriMissing "redirect-uri-missing" "invalid_request" "redirect_uri is missing";
    RedirectUriUnknown "redirect-uri-unknown" "invalid_request" "redirect_uri is not one that the party has registered";
    MustPush "must-push" "invalid_request" "this party must push its request first (PAR)";
    RequestUriUnknown "request-uri-unknown" "invalid_request_uri" "request_uri is unknown, was used, or has expired";
    RequestUriNotAllowed "request-uri-not-allowed" "invalid_request" "request_uri must not be pushed";
    RequestObject "request-object" "request_not_supported" "request objects are not supported";
    ClaimsParameter "claims-parameter" "invalid_request" "the claims parameter is not supported; ask by scope";
    ResponseType "response-type" "unsupported_response_type" "response_type must be code";
    ResponseMode "response-mode" "invalid_request" "response_mode must be query";
    ScopeWithoutOpenid "scope-without-openid" "invalid_scope" "scope must contain openid";
    ScopeNotRegistered "scope-not-registered" "invalid_scope" "scope names an attribute that the party has not registered";
    PkceMissing "pkce-missing" "invalid_request" "code_challenge is missing";
    PkceMethod "pkce-method" "invalid_request" "code_challenge_method must be S256";
    PkceForm "pkce-form" "invalid_request" "code_challenge must be the SHA-256 of the verifier in base64url";
    PromptUnknown "prompt-unknown" "invalid_request" "prompt must be none, or of login, consent and select_account";
    MaxAge "max-age" "invalid_request" "max_age must be a number of seconds";
    LoginRequired "login-required" "login_required" "the person must sign in";
    ConsentRequired "consent-required" "consent_required" "the person must be asked for her consent";
    ConsentRefused "consent-refused" "access_denied" "the person refused";
    LevelTooLow "level-too-low" "unmet_authentication_requirements" "the sign-in is of a lower level than required";

    // One sign-in on its way.
    InteractionUnknown "interaction-unknown" "invalid_request" "this sign-in has ended or expired; start again from the service";
    InteractionOfAnotherBrowser "interaction-of-another-browser" "invalid_request" "this sign-in was started in another browser";
    InteractionStep "interaction-step" "invalid_request" "this step of the sign-in is over";

    // The token endpoint and userinfo.
    GrantType "grant-type" "unsupported_grant_type" "grant_type must be authorization_code";
    CodeMissing "code-missing" "invalid_request" "code is missing";
    CodeUnknown "code-unknown" "invalid_grant" "the code is unknown or has expired";
    CodeUsed "code-used" "invalid_grant" "the code was used before; what it gave was taken back";
    CodeOfAnotherClient "code-of-another-client" "invalid_grant" "the code was given to another party";
    RedirectUriDiffers "redirect-uri-differs" "invalid_grant" "redirect_uri is not that of the request";
    VerifierMissing "verifier-missing" "invalid_grant" "code_verifier is missing";
    VerifierWrong "verifier-wrong" "invalid_grant" "code_verifier does not fit the code_challenge";
    TokenUnknown "token-unknown" "invalid_token" "the access token is unknown, expired or taken back";

    // Means of signing in.
    NoAccount "no-account" "access_denied" "there is no active sign-in account for this";
    PasskeyUnknown "passkey-unknown" "access_denied" "this passkey is not registered here";
    PasskeyInvalid "passkey-invalid" "access_denied" "the passkey's answer does not hold";
    PasskeyThere "passkey-there" "invalid_request" "this passkey is registered already";
    PasskeyLimit "passkey-limit" "invalid_request" "an account has at most ten passkeys";
    NoSuchPasskey "no-such-passkey" "invalid_request" "the account has no such passkey";
    PasskeyName "passkey-name" "invalid_request" "a passkey's name has 1 to 60 characters";
    CodeWrong "code-wrong" "access_denied" "the letter's number or code is wrong";
    LetterUsed "letter-used" "access_denied" "this letter was activated before";
    LetterExpired "letter-expired" "access_denied" "this letter has expired; ask for a new one";
    TryLater "try-later" "access_denied" "too many wrong tries; wait and try again";
    SquaresNotAsked "squares-not-asked" "invalid_request" "these squares were not asked here; begin again";
    SessionNeeded "session-needed" "login_required" "sign in first";
    StepUp "step-up" "unmet_authentication_requirements" "sign in with a passkey, or with a new letter, to do this";
    FormForged "form-forged" "invalid_request" "the form was not sent from a page of this site";
    NoSuchSession "no-such-session" "invalid_request" "there is no such session";
    NoSuchService "no-such-service" "invalid_request" "no such service is connected";

    // Registering a party.
    ClientId "client-id" "invalid_client_metadata" "a client_id has 1 to 64 letters, digits, hyphens, dots or underscores";
    ClientRedirectUri "client-redirect-uri" "invalid_redirect_uri" "a redirect URI is https (http on loopback only), without fragment";
    ClientKeys "client-keys" "invalid_client_metadata" "the key set must hold an ES256 public key";
    ClientName "client-name" "invalid_client_metadata" "a party has a name in at least one language";
    ClientAttribute "client-attribute" "invalid_client_metadata" "an attribute is unknown, named twice, or without a purpose";
    ClientSector "client-sector" "invalid_client_metadata" "a party has a sector identifier";
}

/// The result of a use case that keeps what it wrote although the answer is no: a counted wrong try, a revoked code.
/// The unit of work commits in both cases, which it would not on an error.
pub(crate) type Kept<T> = Result<Result<T, Refusal>, SigninError>;
