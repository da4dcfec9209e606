"""OSIA's own descriptions against a running register, by Schemathesis: every operation answers by the published schema, and nobody
comes in with a bad token. The descriptions are not part of this project: KANAME_SPECS names the folder that has them."""

import base64
import os
import re
import subprocess
from pathlib import Path

import requests
import yaml
from joserfc import jwk, jwt

from lib.agency import ISSUER, Agency
from lib.check import check, end

SPECS = Path(os.environ["KANAME_SPECS"]) / "osia"
EXAMPLES, SEED = os.environ.get("KANAME_EXAMPLES", "6"), "20261122"
SCOPES = (
    "uin.generate uin.read pr.person.read pr.person.write pr.person.match pr.person.verify pr.document.read pr.identity.read"
    " pr.identity.write pr.reference.read pr.reference.write pr.gallery.read notif.sub.read notif.sub.write notif.topic.read"
    " notif.topic.write notif.topic.publish enroll.read enroll.write enroll.buf.read enroll.buf.write events.read"
)
INTERFACES = {
    "uin": "uin.yaml",
    "data": "dataaccess.yaml",
    "pr": "pr.yaml",
    "enrollment": "enrollment.yaml",
    "notification": "notification.yaml",
}
# What is judged. Not positive_data_acceptance: OSIA's schemas allow any text for a status, a token, an address or a person's data,
# and a register cannot take any text. Not use_after_free and the like: an id that was taken back is never given again.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,ignored_auth,negative_data_rejection"
)


agency = Agency("osia-agency", SCOPES, webhook="http://127.0.0.1:9")


@check("an agency gets an access token that the published keys verify")
def _():
    agency.register()
    text = agency.token()
    keys = jwk.KeySet.import_key_set(requests.get(ISSUER + "/jwks", timeout=20).json())
    read = jwt.decode(text, keys)
    assert read.header["typ"] == "at+jwt", read.header
    assert read.claims["aud"] == ISSUER + "/registry" and read.claims["client_id"] == "osia-agency"
    assert read.claims["exp"] - read.claims["iat"] <= 300


@check("a wrong assertion, audience or scope gives no token")
def _():
    for answer, error in [
        (agency.ask_token(aud="https://elsewhere.example"), "invalid_client"),
        (agency.ask_token(iss="somebody"), "invalid_client"),
        (agency.ask_token(scope="openid"), "invalid_scope"),
    ]:
        assert answer.json()["error"] == error, answer.text


def operations():
    for interface, file in INTERFACES.items():
        paths = yaml.safe_load((SPECS / file).read_text(encoding="utf-8"))["paths"]
        for path, methods in paths.items():
            for method, operation in methods.items():
                if method in ("get", "post", "put", "patch", "delete"):
                    yield interface, method, path, operation


@check("each operation that OSIA publishes refuses no token, a made-up one and a changed one")
def _():
    good = agency.token()
    head, body, signature = good.split(".")
    changed = f"{head}.{base64.urlsafe_b64encode(b'{}').decode().strip('=')}.{signature}"
    asked = 0
    for interface, method, path, _ in operations():
        address = f"{ISSUER}/osia/{interface}{re.sub(r'{[^}]*}', 'x', path)}?transactionId=1"
        for bad in (None, "abc", changed, good[:-4]):
            headers = {} if bad is None else {"authorization": f"Bearer {bad}"}
            answer = requests.request(method, address, headers=headers, json={}, timeout=30)
            assert answer.status_code == 401, f"{method} {path} with {bad and 'a bad token'}: {answer.status_code}"
            assert answer.headers["www-authenticate"].startswith("Bearer"), path
            asked += 1
    assert asked >= 4 * 35, f"only {asked} requests"


def schemathesis(interface, file):
    report = Path(f"osia-{interface}.json")
    command = [
        "schemathesis", "run", str(SPECS / file), "--url", f"{ISSUER}/osia/{interface}",
        "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED,
        "--mode", "all", "--workers", "1", "--no-color", "--suppress-health-check", "all", "--warnings", "off",
        "--request-timeout", "30", "--continue-on-failure", "--no-shrink", "--report", "json", "--report-json-path", str(report),
    ]
    # Schemathesis cannot write `plain/text`, as OSIA has it; it is tried below.
    command += ["--exclude-operation-id", "publish"] if interface == "notification" else []
    told = agency.environment() | {"SCHEMATHESIS_HOOKS": "lib.osia_hooks"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=told)
    print(f"        {interface}: " + " ".join(re.findall(r"^\s*(?:\d+ generated.*|.*\d+ (?:passed|generated).*)$", done.stdout, re.M)))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


for interface, file in INTERFACES.items():
    check(f"schemathesis finds no fault in {file}")(lambda: schemathesis(interface, file))


@check("a topic is made once, published to and taken back")
def _():
    base, headers = ISSUER + "/osia/notification/v1/topics", {"authorization": f"Bearer {agency.token()}"}
    topics = [requests.post(base, params={"name": "reforms"}, headers=headers, timeout=30).json() for _ in range(2)]
    assert topics[0] == topics[1] and topics[0]["name"] == "reforms", topics
    one = f"{base}/{topics[0]['uuid']}"
    text = headers | {"content-type": "plain/text"}
    answer = requests.post(one + "/publish", params={"subject": "x"}, data="a message", headers=text, timeout=30)
    assert answer.status_code == 200, answer.text
    assert requests.post(base + "/life.death/publish", data="x", headers=text, timeout=30).status_code == 400
    for status in (204, 404):
        assert requests.delete(one, headers=headers, timeout=30).status_code == status


end()
