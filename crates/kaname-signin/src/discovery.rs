//! What the provider says about itself (OpenID Connect Discovery section 3; RFC 8414; RFC 9126 section 5; RFC 9207 section 3).

use kaname_base::Env;
use serde_json::{Value, json};

use crate::SigninError;
use crate::provider::Provider;
use crate::rules::Level;

/// For `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`.
///
/// # Errors
/// [`SigninError::Store`].
pub fn metadata(provider: &Provider, env: &Env) -> Result<Value, SigninError> {
    let (config, snapshot) = (provider.config(), provider.snapshot(env.now)?);
    let mut scopes = vec!["openid"];
    for client in snapshot.clients.values() {
        scopes.extend(client.registration().attributes.iter().map(|asked| asked.attribute.as_str()));
    }
    scopes[1..].sort_unstable();
    scopes.dedup();
    let claims: Vec<&str> = ["sub", "acr", "amr", "auth_time", "nonce", "at_hash"]
        .into_iter()
        .chain(scopes[1..].iter().map(|scope| crate::rules::claim_name(scope)))
        .collect();
    Ok(json!({
        "issuer": config.issuer,
        "authorization_endpoint": config.authorization_endpoint(),
        "pushed_authorization_request_endpoint": config.par_endpoint(),
        "token_endpoint": config.token_endpoint(),
        "userinfo_endpoint": config.userinfo_endpoint(),
        "jwks_uri": config.jwks_uri(),
        "scopes_supported": scopes,
        "claims_supported": claims,
        "claim_types_supported": ["normal"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [Level::Letter.acr(), Level::Passkey.acr()],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": true,
        "require_pushed_authorization_requests": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "claims_parameter_supported": false,
    }))
}
