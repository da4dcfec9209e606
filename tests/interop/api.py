"""Our own description of `/v1` against a running register, by Schemathesis: it is a good OpenAPI document, every operation answers as
it says, and what it does not allow is refused. Then what a fuzzer cannot make by chance: a list, its records and the person behind one."""

import json
import re
import subprocess
import time
import uuid

import jsonschema
import requests

from lib.agency import ISSUER, Agency
from lib.check import check, end

SEED = "20261122"
# Of all that Schemathesis judges, not `use_after_free` and the like, which need ids that the description does not link; and not that
# whatever the description allows is accepted: it allows every id, and a register has some.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,"
    "negative_data_rejection,missing_required_header,unsupported_method,ignored_auth"
)
agency = Agency("list-agency", "events.read links.check links.read uin.generate", webhook="http://127.0.0.1:9", sources=["health-insurer"])
DESCRIPTION = requests.get(ISSUER + "/v1/openapi.json", timeout=20).json()


@check("anybody reads the description, and it is OpenAPI 3.1")
def _():
    assert DESCRIPTION["openapi"].startswith("3.1."), DESCRIPTION["openapi"]
    agency.register()


def answered(method, path, operation, **more):
    answer = requests.request(method, ISSUER + path, headers=agency.headers() | more.pop("headers", {}), timeout=30, **more)
    described = DESCRIPTION["paths"][operation][method]["responses"]
    response = described.get(str(answer.status_code), described["default"])
    while "$ref" in response:
        response = DESCRIPTION["components"]["responses"][response["$ref"].split("/")[-1]]
    if "content" not in response:
        assert not answer.content, answer.text
        return answer
    schema = response["content"][answer.headers["content-type"].split(";")[0]]["schema"]
    schema = schema | {"components": DESCRIPTION["components"]}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(answer.json())
    return answer


@check("a list is handed in and checked, its record is linked, and the person behind it is read as it is described")
def _():
    born = {"firstName": "Meera", "lastName": "Kulkarni", "dateOfBirth": "2026-09-03", "gender": "F", "residenceStatus": "citizen",
            "region": "Karnataka", "city": "Mysuru", "addressLine": "7 Lotus Street", "postalCode": "570001",
            "firstNameLatin": "Meera", "lastNameLatin": "Kulkarni"}
    made = requests.post(ISSUER + f"/osia/uin/v1/uin?transactionId={uuid.uuid4()}", json=born, headers=agency.headers(), timeout=30)
    assert made.status_code == 200, made.text
    row = {"reference": "L-1", "given_name": "Meera", "family_name": "Kulkarni", "given_latin": "Meera", "family_latin": "Kulkarni",
           "birth_date": "2026-09-03", "sex": "F", "region": "Karnataka", "city": "Mysuru", "address": "7 Lotus Street", "postcode": "570001"}
    lines = [json.dumps(row), json.dumps({"reference": "L-2", "no_such_column": "x"})]
    lists = "/v1/links/{source}/lists"
    text = {"data": "\n".join(lines), "headers": {"content-type": "application/x-ndjson"}}
    answer = answered("post", "/v1/links/health-insurer/lists", lists, **text)
    assert answer.status_code in (200, 202), answer.text
    path = f"/v1/links/health-insurer/lists/{answer.json()['list']}"
    for _ in range(60):
        state = answered("get", path, lists + "/{list}").json()
        if state["state"] == "done":
            break
        time.sleep(1)
    assert state["state"] == "done" and state["linked"] + state["review"] + state["refused"] == 1, state
    record, operation = "/v1/links/health-insurer/records/L-1", "/v1/links/{source}/records/{reference}"
    word = answered("get", record, operation).json()["state"]
    assert word in ("linked", "waiting", "review"), word
    person = answered("get", record + "/person?attributeNames=firstName,uin", operation + "/person")
    assert person.status_code == (200 if word == "linked" else 404), person.text
    assert answered("get", "/v1/links/notices", "/v1/links/notices").json() == {"notices": [], "next": None}
    place = answered("get", "/v1/events", "/v1/events").json()["next"]
    assert answered("get", f"/v1/events?after={place}", "/v1/events").json()["next"] == place


@check("schemathesis finds no fault in our own description, nor in what answers to it")
def _():
    command = [
        "schemathesis", "run", ISSUER + "/v1/openapi.json", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing,stateful",
        "--max-examples", "25", "--seed", SEED, "--mode", "all", "--workers", "1", "--no-color", "--suppress-health-check", "all",
        "--warnings", "off", "--request-timeout", "30", "--continue-on-failure", "--no-shrink",
    ]
    told = agency.environment() | {"SCHEMATHESIS_HOOKS": "lib.api_hooks"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=told)
    print("        " + " ".join(re.findall(r"^\s*(?:\d+ generated.*|.*\d+ (?:passed|generated).*)$", done.stdout, re.M)))
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


end()
