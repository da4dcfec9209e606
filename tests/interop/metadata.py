"""The OpenID provider's metadata, by the schema of the OpenID Foundation's conformance suite."""

import json
import os
from pathlib import Path

import requests
from jsonschema import Draft202012Validator, FormatChecker

from lib.check import check, end

ISSUER = os.environ["KANAME_JAPAN_URL"]
SCHEMA = json.loads(Path("vectors/oidf-conformance/oauth_authorization_server_metadata.json").read_text())


def get(path):
    answer = requests.get(ISSUER + path, timeout=20)
    answer.raise_for_status()
    assert answer.headers["content-type"].startswith("application/json"), answer.headers["content-type"]
    return answer.json()


def problems(metadata):
    return [error.message for error in Draft202012Validator(SCHEMA, format_checker=FormatChecker()).iter_errors(metadata)]


for name in ("openid-configuration", "oauth-authorization-server"):

    @check(f"/.well-known/{name} is well formed")
    def _():
        metadata = get(f"/.well-known/{name}")
        assert metadata["issuer"] == ISSUER
        assert not problems(metadata), problems(metadata)


@check("the schema would say if it were not")
def _():
    metadata = get("/.well-known/openid-configuration")
    assert problems({**metadata, "jwks_uri": 1})
    assert problems({**metadata, "scopes_supported": "openid"})


@check("what OpenID Connect Discovery 1.0 (section 3) and RFC 9126 require is there, with https")
def _():
    metadata = get("/.well-known/openid-configuration")
    for name in ("authorization", "token", "userinfo", "pushed_authorization_request"):
        assert metadata[f"{name}_endpoint"].startswith(ISSUER + "/"), name
    for name in ("response_types", "subject_types", "id_token_signing_alg_values", "code_challenge_methods"):
        assert metadata[f"{name}_supported"], name


@check("the key set has public signing keys only, each with an id of its own")
def _():
    keys = get("/jwks")["keys"]
    assert keys and len({key["kid"] for key in keys}) == len(keys)
    assert all(key["kty"] == "EC" and key["alg"] == "ES256" and "d" not in key for key in keys)


end()
