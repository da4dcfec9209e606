//! What a party asks for, read from parameters through one visible list of checks.

use kaname_codec::b64;

use crate::Refusal;
use crate::client::{Asked, Client};
use crate::packed::packed;
use crate::parameters::Parameters;
use crate::rules::Level;

/// A request for authorization that passed every check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    /// The party.
    pub(crate) client_id: String,
    /// Where the answer goes.
    pub(crate) redirect_uri: String,
    /// The party's own value, given back to it.
    pub(crate) state: Option<String>,
    /// Stands in the ID token.
    pub(crate) nonce: Option<String>,
    /// Attributes asked for, sorted, each with the purpose that the party has registered for it by now.
    pub(crate) asked: Vec<Asked>,
    /// SHA-256 of the verifier (RFC 7636 section 4.2, S256).
    pub(crate) code_challenge: String,
    /// What the party says about asking the person.
    pub(crate) prompt: Prompt,
    /// How long ago the sign-in may be, in seconds.
    pub(crate) max_age: Option<i64>,
    /// The least level of the sign-in.
    pub(crate) level: Level,
    /// Languages for the pages, as the party wrote them (BCP 47 tags, space separated).
    pub(crate) ui_locales: Option<String>,
}

/// `prompt` (OpenID Connect Core section 3.1.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Prompt {
    /// Show no page at all.
    pub(crate) none: bool,
    /// Sign in anew.
    pub(crate) login: bool,
    /// Ask for consent anew.
    pub(crate) consent: bool,
}

packed!(Request {
    client_id,
    redirect_uri,
    state,
    nonce,
    asked,
    code_challenge,
    prompt,
    max_age,
    level,
    ui_locales,
});
packed!(Prompt { none, login, consent });

/// A request that is being checked.
struct Checked<'a> {
    client: &'a Client,
    parameters: &'a Parameters,
}

/// What must hold before an answer may go to `redirect_uri`; a refusal here stays on our page.
const CLIENT_CHECKS: &[fn(&Checked<'_>) -> Result<(), Refusal>] =
    &[redirect_uri_given, redirect_uri_registered];

/// What must hold of the request, in this order; a refusal goes back to the party.
const CHECKS: &[fn(&Checked<'_>) -> Result<(), Refusal>] = &[
    no_request_object,
    no_claims_parameter,
    response_type_is_code,
    response_mode_is_query,
    scope_has_openid,
    scope_is_registered,
    challenge_given,
    challenge_method_is_s256,
    challenge_is_a_hash,
    prompt_is_known,
    max_age_is_a_number,
];

/// Whether the answer may go to the `redirect_uri` of the parameters.
pub(crate) fn check_redirect_uri(client: &Client, parameters: &Parameters) -> Result<(), Refusal> {
    CLIENT_CHECKS.iter().try_for_each(|check| check(&Checked { client, parameters }))
}

/// Reads a request whose `redirect_uri` was checked.
pub(crate) fn read(client: &Client, parameters: &Parameters) -> Result<Request, Refusal> {
    check_redirect_uri(client, parameters)?;
    CHECKS.iter().try_for_each(|check| check(&Checked { client, parameters }))?;

    let owned = |name| parameters.get(name).map(str::to_owned);
    let mut asked: Vec<Asked> = scopes(parameters).filter_map(|scope| client.asked(scope).cloned()).collect();
    asked.sort_by(|one, other| one.attribute.cmp(&other.attribute));
    asked.dedup();
    Ok(Request {
        client_id: client.id().to_owned(),
        redirect_uri: owned("redirect_uri").ok_or(Refusal::RedirectUriMissing)?,
        state: owned("state"),
        nonce: owned("nonce"),
        asked,
        code_challenge: owned("code_challenge").ok_or(Refusal::PkceMissing)?,
        prompt: read_prompt(parameters).ok_or(Refusal::PromptUnknown)?,
        max_age: read_max_age(parameters)?,
        level: wanted_level(client, parameters),
        ui_locales: owned("ui_locales"),
    })
}

fn redirect_uri_given(checked: &Checked<'_>) -> Result<(), Refusal> {
    checked.parameters.get("redirect_uri").map(drop).ok_or(Refusal::RedirectUriMissing)
}

fn redirect_uri_registered(checked: &Checked<'_>) -> Result<(), Refusal> {
    let registered = &checked.client.registration().redirect_uris;
    let given = checked.parameters.get("redirect_uri");
    let known = registered.iter().any(|uri| Some(uri.as_str()) == given);
    if known { Ok(()) } else { Err(Refusal::RedirectUriUnknown) }
}

fn no_request_object(checked: &Checked<'_>) -> Result<(), Refusal> {
    if checked.parameters.get("request").is_some() { Err(Refusal::RequestObject) } else { Ok(()) }
}

fn no_claims_parameter(checked: &Checked<'_>) -> Result<(), Refusal> {
    if checked.parameters.get("claims").is_some() { Err(Refusal::ClaimsParameter) } else { Ok(()) }
}

fn response_type_is_code(checked: &Checked<'_>) -> Result<(), Refusal> {
    if checked.parameters.get("response_type") == Some("code") { Ok(()) } else { Err(Refusal::ResponseType) }
}

fn response_mode_is_query(checked: &Checked<'_>) -> Result<(), Refusal> {
    match checked.parameters.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(Refusal::ResponseMode),
    }
}

fn scope_has_openid(checked: &Checked<'_>) -> Result<(), Refusal> {
    let asked = scopes(checked.parameters).any(|scope| scope == "openid");
    if asked { Ok(()) } else { Err(Refusal::ScopeWithoutOpenid) }
}

fn scope_is_registered(checked: &Checked<'_>) -> Result<(), Refusal> {
    let mut attributes = scopes(checked.parameters).filter(|scope| *scope != "openid");
    let all = attributes.all(|scope| checked.client.asked(scope).is_some());
    if all { Ok(()) } else { Err(Refusal::ScopeNotRegistered) }
}

fn challenge_given(checked: &Checked<'_>) -> Result<(), Refusal> {
    checked.parameters.get("code_challenge").map(drop).ok_or(Refusal::PkceMissing)
}

/// Without a method it would be `plain` (RFC 7636 section 4.3).
fn challenge_method_is_s256(checked: &Checked<'_>) -> Result<(), Refusal> {
    let method = checked.parameters.get("code_challenge_method");
    if method == Some("S256") { Ok(()) } else { Err(Refusal::PkceMethod) }
}

fn challenge_is_a_hash(checked: &Checked<'_>) -> Result<(), Refusal> {
    let challenge = checked.parameters.get("code_challenge").unwrap_or_default();
    b64::url_decode_array::<32>(challenge).map(drop).map_err(|_| Refusal::PkceForm)
}

fn prompt_is_known(checked: &Checked<'_>) -> Result<(), Refusal> {
    read_prompt(checked.parameters).map(drop).ok_or(Refusal::PromptUnknown)
}

fn max_age_is_a_number(checked: &Checked<'_>) -> Result<(), Refusal> {
    read_max_age(checked.parameters).map(drop)
}

fn scopes(parameters: &Parameters) -> impl Iterator<Item = &str> {
    parameters.get("scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty())
}

/// `None` when a value is unknown, or `none` does not stand alone.
fn read_prompt(parameters: &Parameters) -> Option<Prompt> {
    let mut prompt = Prompt::default();
    let values: Vec<&str> =
        parameters.get("prompt").unwrap_or_default().split(' ').filter(|v| !v.is_empty()).collect();
    for value in &values {
        match *value {
            "none" if values.len() == 1 => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return None,
        }
    }
    Some(prompt)
}

fn read_max_age(parameters: &Parameters) -> Result<Option<i64>, Refusal> {
    let number = |text: &str| text.parse::<u32>().map(i64::from).map_err(|_| Refusal::MaxAge);
    parameters.get("max_age").map(number).transpose()
}

/// What the party registered, or more if it asks for more. `acr_values` may name several; the least of those that we know
/// satisfies it (OpenID Connect Core section 3.1.2.1).
fn wanted_level(client: &Client, parameters: &Parameters) -> Level {
    let named = parameters.get("acr_values").unwrap_or_default().split(' ').filter_map(Level::of_acr).min();
    named.map_or(client.registration().level, |level| level.max(client.registration().level))
}
