"""Told to Schemathesis: where a token comes from, so that it outlasts no run."""

import json
import os

import schemathesis
from joserfc import jwk

from lib.agency import Agency


@schemathesis.auth(refresh_interval=120)
class Token:
    def get(self, case, context):
        agency = Agency(os.environ["AGENCY"], os.environ["AGENCY_SCOPES"], webhook="http://127.0.0.1:9")
        agency.key = jwk.ECKey.import_key(json.loads(os.environ["AGENCY_KEY"]))
        return agency.token()

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"
