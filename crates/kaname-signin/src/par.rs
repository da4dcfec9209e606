//! The endpoint for pushed authorization requests (RFC 9126): the party proves who it is before the browser comes.

use kaname_base::Env;

use crate::handout::Handout;
use crate::interaction::Pushed;
use crate::parameters::Parameters;
use crate::provider::Provider;
use crate::{Refusal, SigninError, assertion, request};

/// Where a pushed request waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushedUri {
    /// For the browser: `request_uri`.
    pub request_uri: String,
    /// For how many seconds.
    pub expires_in: i64,
}

pub(crate) const URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// Takes a request. Answer 201 with both members as JSON, `Cache-Control: no-store`.
///
/// # Errors
/// [`Refusal`]: answer its `oauth()` as JSON with 400, or 401 for `invalid_client`.
pub fn push(provider: &Provider, env: &Env, parameters: &Parameters) -> Result<PushedUri, SigninError> {
    let (config, keys) = (provider.config(), provider.keys());
    let snapshot = provider.snapshot(env.now)?;
    let proven = assertion::prove(&snapshot, keys, config, &config.par_endpoint(), parameters, env.now)?;
    if parameters.get("request_uri").is_some() {
        return Err(Refusal::RequestUriNotAllowed.into());
    }
    let request = request::read(&proven.client, parameters)?;

    let request_uri = [URI_PREFIX, &Pushed::new(request, env.now).hand_out(keys)].concat();

    let bucket = proven.once.bucket(provider.buckets());
    provider.store().write(bucket, move |tx| proven.use_once(tx))?;
    Ok(PushedUri { request_uri, expires_in: config.request_uri_seconds })
}
