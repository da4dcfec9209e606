"""An agency with a key: registers itself with a running deployment, and gets access tokens."""

import base64
import json
import os
import subprocess
import time
from pathlib import Path

import requests
from joserfc import jwk, jwt

ISSUER, FOLDER = os.environ["KANAME_INDIA_URL"], Path(os.environ["KANAME_INDIA_DATA"])


def kaname(*words):
    command = [os.environ["KANAME"], *words, "--config", str(FOLDER), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


class Agency:
    def __init__(self, id, scopes, webhook, sources=()):
        self.id, self.scopes, self.webhook, self.sources = id, scopes, webhook, sources
        self.key = jwk.ECKey.generate_key("P-256", {"kid": "agency-1", "alg": "ES256", "use": "sig"})

    def register(self):
        officers = kaname("officer", "list")
        administrator = next(one["officer"] for one in officers if "administrator" in one["roles"])
        attributes = [{"attribute": code, "purpose": "public-service"} for code in ("name", "birth_date", "sex", "address")]
        file = FOLDER / f"{self.id}.json"
        file.write_text(json.dumps({
            "client_id": self.id, "names": [["en", self.id]], "redirect_uris": [], "sector": self.id,
            "jwks": {"keys": [self.key.as_dict(private=False)]}, "profile": "plain", "level": "letter", "attributes": attributes,
            "agency": {"scopes": [], "webhooks": [], "sources": list(self.sources)},
        }))
        scopes = [word for scope in self.scopes.split() for word in ("--scope", scope)]
        kaname("party", "add", str(file), "--by", administrator, "--webhook", self.webhook, *scopes)
        time.sleep(6)  # the serving process looks for new parties every five seconds

    def ask_token(self, scope=None, **changed):
        now = int(time.time())
        claims = {"iss": self.id, "sub": self.id, "aud": ISSUER, "iat": now, "exp": now + 60,
                  "jti": base64.urlsafe_b64encode(os.urandom(16)).decode()} | changed
        return requests.post(ISSUER + "/token", {
            "grant_type": "client_credentials", "scope": scope or self.scopes,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode({"alg": "ES256", "kid": "agency-1"}, claims, self.key),
        }, timeout=30)

    def token(self):
        answer = self.ask_token()
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def headers(self):
        return {"authorization": f"Bearer {self.token()}"}

    def environment(self):
        """What `lib.token_hook` reads, so that Schemathesis asks as this agency."""
        return os.environ | {"AGENCY": self.id, "AGENCY_SCOPES": self.scopes, "AGENCY_KEY": json.dumps(self.key.as_dict(private=True)),
                             "PYTHONPATH": str(Path.cwd())}
