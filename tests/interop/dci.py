"""DCI registry search: answers by DCI's own description of civil registration and by its published keys; and the public compliance
kit. Neither is part of this project: KANAME_DCI_KIT names a checkout of the kit, which has the descriptions in `spec/`."""

import base64
import json
import os
import queue
import shutil
import socket
import subprocess
import threading
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import jsonschema
import requests
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from lib.agency import ISSUER, Agency
from lib.check import check, end

KIT = Path(os.environ["KANAME_DCI_KIT"])
SPEC = yaml.safe_load((KIT / "spec" / "crvs_api_v1.0.0.yaml").read_text(encoding="utf-8"))
TO_BE_SIGNED = "unsigned"  # what the kit writes by itself in half of its messages, told to it for the other half
LEFT_OUT = [
    # What only somebody who asks others is called with.
    *(f"@endpoint=registry/{name}" for name in ("notify", "on-search", "on-subscribe", "on-unsubscribe", "txn/on-status")),
    # For programs that ask, not for registers.
    "@profile=spmis-client", "@profile=crvs-client", "@profile=crvs-subscriber",
    # The kit waits a millisecond for each callback (it hands its waiting function the arguments of another); tried here, above.
    "@needs-callback",
    # The kit sends an operator that is none of DCI's, and stops at its own check of what it sends; tried here, above.
    "@req=CRVS-CORE-RG-SEARCH-PREDICATE-01", "@req=CRVS-CORE-RG-SYNC-SEARCH-PREDICATE-01",
    # The kit has no steps for them; tried with every operation in `osia.py` and in our own tests.
    "@category=security",
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


CALLBACKS = free_port()
agency = Agency("dci-agency", "dci.search uin.read uin.generate notif.sub.write enroll.write", webhook=f"http://127.0.0.1:{CALLBACKS}")


def part(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unpart(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def canonical(value):
    """RFC 8785, for texts and whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(header, message):
    head = part(json.dumps({"alg": "ES256", "kid": "agency-1"}).encode())
    over = f"{head}.{part(canonical({'header': header, 'message': message}))}".encode()
    key = agency.key.private_key
    r, s = decode_dss_signature(key.sign(over, ec.ECDSA(hashes.SHA256())))
    return f"{head}..{part(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def verify(answer):
    head, signature = answer["signature"].split("..")
    header = json.loads(unpart(head))
    jwks = requests.get(ISSUER + "/.well-known/jwks.json", timeout=20).json()
    jwk = next(one for one in jwks["keys"] if one["kid"] == header["kid"])
    x, y = (int.from_bytes(unpart(jwk[name]), "big") for name in ("x", "y"))
    raw = unpart(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    over = f"{head}.{part(canonical({'header': answer['header'], 'message': answer['message']}))}".encode()
    ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key().verify(der, over, ec.ECDSA(hashes.SHA256()))


def now():
    return datetime.now(timezone.utc).isoformat()


def ask(path, action, message, **changed):
    header = {"version": "1.0.0", "message_id": str(uuid.uuid4()), "message_ts": now(), "action": action,
              "sender_id": "dci-agency", "receiver_id": urlparse(ISSUER).netloc, "total_count": 1} | changed
    body = {"signature": sign(header, message), "header": header, "message": message}
    return requests.post(ISSUER + path, json=body, headers=agency.headers(), timeout=30)


def search(kind, query):
    criteria = {"query_type": kind, "query": query, "pagination": {"page_size": 5, "page_number": 1}}
    return {"transaction_id": str(uuid.uuid4()),
            "search_request": [{"reference_id": "r-1", "timestamp": now(), "search_criteria": criteria}]}


def matches(path, answer):
    responses = SPEC["paths"][path]["post"]["responses"]
    response = responses.get(str(answer.status_code), responses["default"])
    while "$ref" in response:
        response = SPEC["components"]["responses"][response["$ref"].split("/")[-1]]
    schema = response["content"]["application/json"]["schema"] | {"components": SPEC["components"]}
    jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).validate(answer.json())


@check("a person is found by her number, in DCI's own form, signed by a published key")
def _():
    agency.register()
    born = {"firstName": "Asha", "lastName": "Rao", "dateOfBirth": "2026-10-01", "gender": "F", "residenceStatus": "citizen",
            "city": "Mysuru", "addressLine": "1 Palace Road", "firstNameLatin": "Asha", "lastNameLatin": "Rao"}
    given = requests.post(ISSUER + f"/osia/uin/v1/uin?transactionId={uuid.uuid4()}", json=born, headers=agency.headers(), timeout=30)
    assert given.status_code == 200, given.text
    number = agency.number = given.json()
    answer = ask("/registry/sync/search", "search", search("idtype-value", {"type": "UIN", "value": number}))
    assert answer.status_code == 200, answer.text
    matches("/registry/sync/search", answer)
    verify(answer.json())
    person = answer.json()["message"]["search_response"][0]["data"]["reg_records"][0]
    assert person["name"]["surname"] == "Rao" and person["birth_date"] == "2026-10-01", person
    changed = answer.json()
    changed["message"]["transaction_id"] = "another"
    try:
        verify(changed)
    except InvalidSignature:
        return
    raise AssertionError("a changed answer verified")


@check("an expression and a predicate are judged of whom they name, and never give a list")
def _():
    says = lambda name, operator, value: {"attribute_name": name, "operator": operator, "attribute_value": value}
    hers = says("UIN", "eq", agency.number)
    for year, found in (("2026-01-01", 1), ("2027-01-01", 0)):
        query = [{"seq_num": 1, "expression1": hers, "condition": "and", "expression2": says("birth_date", "ge", year)}]
        answer = ask("/registry/sync/search", "search", search("predicate", query))
        matches("/registry/sync/search", answer)
        assert len(answer.json()["message"]["search_response"][0]["data"]["reg_records"]) == found, answer.text
    everybody = {"type": "ns:org:QueryType:expression", "value": {"expression": {"query": {"surname": {"$eq": "Rao"}}}}}
    answer = ask("/registry/sync/search", "search", search("expression", everybody))
    matches("/registry/sync/search", answer)
    assert answer.json()["message"]["search_response"][0]["status_reason_code"] == "rjct.search.too_many_records_found"


@check("what was changed on its way, is old, or is another's is refused in DCI's own form")
def _():
    message = search("idtype-value", {"type": "UIN", "value": agency.number})
    for changed in ({"sender_id": "somebody"}, {"receiver_id": "elsewhere.example"}, {"message_ts": "2020-01-01T00:00:00Z"}):
        for path in ("/registry/sync/search", "/registry/search"):
            answer = ask(path, "search", message, **changed)
            assert answer.status_code == 400, answer.text
            matches(path, answer)


brought = queue.Queue()


class Receiver(BaseHTTPRequestHandler):
    """The agency's own address, to which answers are brought."""

    def do_POST(self):
        brought.put((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@check("an answer is brought to the agency, signed, once for one transaction; and its state can be asked")
def _():
    server = ThreadingHTTPServer(("127.0.0.1", CALLBACKS), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    message = search("idtype-value", {"type": "UIN", "value": agency.number})
    own = f"http://127.0.0.1:{CALLBACKS}"
    acknowledged = [ask("/registry/search", "search", message, sender_uri=f"{own}/on-search") for _ in range(2)]
    for answer in acknowledged:
        assert answer.json()["message"]["ack_status"] == "ACK", answer.text
        matches("/registry/search", answer)
    path, answer = brought.get(timeout=30)
    assert path == "/on-search" and answer["header"]["action"] == "on-search", answer["header"]
    verify(answer)
    assert answer["message"]["correlation_id"] == acknowledged[0].json()["message"]["correlation_id"]
    assert answer["message"]["search_response"][0]["data"]["reg_records"][0]["name"]["surname"] == "Rao"
    status = {"transaction_id": str(uuid.uuid4()), "txnstatus_request": {
        "reference_id": "r-2", "txn_type": "search", "attribute_type": "transaction_id", "attribute_value": message["transaction_id"]}}
    state = ask("/registry/sync/txn/status", "txn-status", status)
    matches("/registry/sync/txn/status", state)
    assert state.json()["message"]["txnstatus_response"]["txn_status"]["search_response"][0]["status"] in ("pdng", "succ")
    ask("/registry/txn/status", "txn-status", status, sender_uri=f"{own}/on-status")
    path, answer = brought.get(timeout=30)
    assert path == "/on-status" and answer["header"]["action"] == "txn-on-status", answer["header"]
    verify(answer)
    assert brought.empty(), "the same transaction was answered twice"
    server.shutdown()
    server.server_close()


def brought_as(action):
    path, answer = brought.get(timeout=60)
    assert answer["header"]["action"] == action, answer["header"]
    verify(answer)
    schema = SPEC["paths"][f"/registry/{action}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.Draft7Validator(schema | {"components": SPEC["components"]}, format_checker=jsonschema.FormatChecker()).validate(answer)
    return answer["message"]


@check("events are subscribed to, brought as DCI describes, signed, and ended")
def _():
    server = ThreadingHTTPServer(("127.0.0.1", CALLBACKS), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own = {"sender_uri": f"http://127.0.0.1:{CALLBACKS}/events"}
    everybody = {"type": "expression", "value": {"expression": {"query": {}}}}
    wishes = [("e-1", "spdci-common:RegistryEventType:REGISTER", everybody), ("e-2", "DEATH", {"type": "UIN", "value": agency.number}),
              ("e-3", "DEATH", {"type": "UIN", "value": "1"})]
    message = {"transaction_id": str(uuid.uuid4()), "subscribe_request": [
        {"reference_id": reference, "timestamp": now(), "subscribe_criteria": {
            "reg_event_type": event, "filter": who, "notify_record_type": "spdci-extensions-dci:Person"}}
        for reference, event, who in wishes]}
    answer = ask("/registry/subscribe", "subscribe", message, total_count=3, **own)
    matches("/registry/subscribe", answer)
    assert answer.json()["message"]["ack_status"] == "ACK", answer.text
    parts = brought_as("on-subscribe")["subscribe_response"]
    assert [part["status"] for part in parts] == ["succ", "succ", "rjct"], parts
    codes = [one["code"] for part in parts for one in part.get("subscriptions", [])]
    born = {"firstName": "Ravi", "lastName": "Menon", "dateOfBirth": "2026-09-01", "gender": "M", "residenceStatus": "citizen",
            "city": "Mysuru", "addressLine": "9 Lake Road", "firstNameLatin": "Ravi", "lastNameLatin": "Menon"}
    # A station of the same agency enters somebody: it has a file of him, and so hears of his registration.
    enrolled = requests.post(ISSUER + f"/osia/enrollment/v1/enrollments/{uuid.uuid4()}?transactionId=1&finalize=true",
                             json={"biographicData": born}, headers=agency.headers(), timeout=30)
    assert enrolled.status_code == 204, enrolled.text
    event = brought_as("notify")["notify_event"][0]
    assert event["reference_id"] == codes[0] and event["data"]["reg_records"]["identifier"][0]["identifier_type"] == "PERSON_ID", event
    for rest, status in ((codes, "succ"), (codes, "rjct")):
        end = {"transaction_id": str(uuid.uuid4()), "timestamp": now(), "subscription_codes": rest}
        answer = ask("/registry/unsubscribe", "unsubscribe", end, **own)
        matches("/registry/unsubscribe", answer)
        assert brought_as("on-unsubscribe")["status"] == status
    server.shutdown()
    server.server_close()


class Signer(BaseHTTPRequestHandler):
    """Stands before the register and signs, because the kit cannot: a message that says so gets its signature here, and nothing
    else is changed."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw)
            if body.get("signature") == TO_BE_SIGNED:
                body["signature"] = sign(body.get("header"), body.get("message"))
                raw = json.dumps(body).encode()
        except (ValueError, AttributeError):
            pass
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length", "connection")}
        answer = requests.post(ISSUER + self.path, data=raw, headers=kept, timeout=30)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "content-encoding"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_):
        pass


@check("the public compliance kit finds nothing wrong")
def _():
    kit = Path("dci-kit").resolve()
    shutil.rmtree(kit, ignore_errors=True)
    shutil.copytree(KIT, kit, ignore=shutil.ignore_patterns(".git", "node_modules"))
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=kit, check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Signer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own = f"http://127.0.0.1:{CALLBACKS}"
    environment = os.environ | {
        "DOMAIN": "crvs", "API_BASE_URL": f"http://127.0.0.1:{server.server_port}/", "DCI_AUTH_TOKEN": agency.token(),
        "DCI_SIGNATURE": TO_BE_SIGNED, "DCI_SENDER_ID": "dci-agency", "DCI_RECEIVER_ID": urlparse(ISSUER).netloc,
        "SENDER_ID": "dci-agency", "RECEIVER_ID": urlparse(ISSUER).netloc, "CALLBACK_SERVER_BASE_URL": own, "QUIET_LOGS": "1",
    }
    tags = [f"not {tag}" for tag in LEFT_OUT]
    (kit / "results").mkdir(exist_ok=True)
    command = ["node_modules/.bin/cucumber-js", "--config", "cucumber.cjs", "--tags", " and ".join(tags), "--format", "json:results/kit.json"]
    done = subprocess.run(command, cwd=kit, env=environment, capture_output=True, text=True, timeout=280)
    server.shutdown()
    counts = {}
    wrong = []
    for feature in json.loads((kit / "results" / "kit.json").read_text()):
        for scenario in feature["elements"]:
            states = {step["result"]["status"] for step in scenario["steps"]}
            state = "passed" if states == {"passed"} else ("undefined" if "undefined" in states else "failed")
            counts[state] = counts.get(state, 0) + 1
            if state != "passed":
                wrong.append((state, feature["name"], scenario["name"],
                              [step["result"].get("error_message", "")[:300] for step in scenario["steps"]]))
    print("        the kit: " + ", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    assert not wrong and counts.get("passed", 0) >= 20, json.dumps(wrong, indent=1)[:8000] + done.stderr[-1500:]


end()
