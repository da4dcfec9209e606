"""Authlib as a relying party over TLS: parameters in the address, and pushed ones. The person's half is plain HTTP and the letter."""

import base64
import json
import os
import re
import subprocess
import time
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwk, jwt

from lib.check import check, end

ISSUER, FOLDER = os.environ["KANAME_JAPAN_URL"], Path(os.environ["KANAME_JAPAN_DATA"])
REDIRECT = "https://authlib.example/callback"
METADATA = requests.get(ISSUER + "/.well-known/openid-configuration", timeout=20).json()
KEY = jwk.ECKey.generate_key("P-256", {"kid": "authlib-1", "alg": "ES256", "use": "sig"})


def kaname(*words):
    command = [os.environ["KANAME"], *words, "--config", str(FOLDER), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def register(client_id, profile):
    officers = kaname("officer", "list")
    administrator = next(one["officer"] for one in officers if "administrator" in one["roles"])
    file = FOLDER / f"{client_id}.json"
    file.write_text(json.dumps({
        "client_id": client_id, "names": [["en", "Authlib"]], "redirect_uris": [REDIRECT], "sector": "authlib",
        "jwks": {"keys": [KEY.as_dict(private=False)]}, "profile": profile, "level": "letter",
        "attributes": [{"attribute": "name", "purpose": "identity-check"}],
    }))
    kaname("party", "add", str(file), "--by", administrator)


class Person:
    """A resident with a letter and a program that reads forms."""

    def __init__(self, letter):
        self.letter = (FOLDER / "letters" / letter).read_text(encoding="utf-8")
        self.browser = requests.Session()

    def square(self, name):
        row = re.search(rf'<tr><th scope="row">{name[1]}</th>(.*?)</tr>', self.letter).group(1)
        return re.findall(r"<td>([^<]+)</td>", row)["ABCDEFGH".index(name[0])]

    def send(self, page, action, **fields):
        form = re.search(rf'<form[^>]* action="{action}".*?</form>', page.text, re.S).group(0)
        hidden = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', form)
        values = {name: unescape(value) for name, value in hidden} | fields
        return self.browser.post(ISSUER + action, values, allow_redirects=False, timeout=30)

    def follow(self, address, decision="allow"):
        """To the answer that the party gets."""
        page = self.browser.get(address, allow_redirects=False, timeout=30)
        while True:
            if page.status_code == 303:
                address = urljoin(ISSUER, page.headers["location"])
                if address.startswith(REDIRECT):
                    return address
                page = self.browser.get(address, allow_redirects=False, timeout=30)
            elif 'action="/signin/letter"' in page.text:
                number = re.search(r'class="figure"><bdi dir="ltr">([^<]+)<', self.letter).group(1)
                page = self.send(page, "/signin/letter", letter=number)
                first, second = re.findall(r'<label for="(?:first|second)">[^<]*?([A-H][1-5])', page.text)
                page = self.send(page, "/signin/code", first=self.square(first), second=self.square(second))
            elif 'action="/consent"' in page.text:
                page = self.send(page, "/consent", decision=decision)
            else:
                raise AssertionError(f"status {page.status_code}: {page.text[:2000]}")


def session(client_id, **more):
    made = OAuth2Session(
        client_id, KEY, scope="openid name", redirect_uri=REDIRECT,
        token_endpoint_auth_method="private_key_jwt", code_challenge_method="S256", **more,
    )
    made.register_client_auth_method(PrivateKeyJWT(METADATA["token_endpoint"], alg="ES256", headers={"kid": "authlib-1"}))
    return made


def sign_in(client, person):
    """Parameters in the address, which is how Authlib works by itself."""
    verifier, nonce = generate_token(64), generate_token(32)
    address, state = client.create_authorization_url(METADATA["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    return person.follow(address), verifier, nonce, state


def id_token_claims(token, client_id, nonce):
    keys = jwk.KeySet.import_key_set(requests.get(METADATA["jwks_uri"], timeout=20).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["ES256"])
    rules = {"iss": ISSUER, "aud": client_id, "nonce": nonce}
    checks = {name: {"essential": True, "value": value} for name, value in rules.items()}
    jwt.JWTClaimsRegistry(sub={"essential": True}, exp={"essential": True}, iat={"essential": True}, **checks).validate(decoded.claims)
    return decoded.claims


register("authlib-plain", "plain")
register("authlib-fapi", "fapi2")
# The process that serves looks for new registrations every five seconds.
time.sleep(6)
person = Person("resident-2.html")
client = session("authlib-plain")
answer, verifier, nonce, state = sign_in(client, person)


@check("plain profile: the answer has code, state and iss")
def _():
    query = parse_qs(urlsplit(answer).query)
    assert query["state"] == [state] and query["iss"] == [ISSUER] and query["code"]


token = client.fetch_token(METADATA["token_endpoint"], authorization_response=answer, code_verifier=verifier)
claims = id_token_claims(token, "authlib-plain", nonce)


@check("plain profile: tokens for the code, with private_key_jwt made out to the token endpoint")
def _():
    assert token["token_type"].lower() == "bearer" and token["expires_in"] > 0


@check("the ID token holds by the published key set")
def _():
    assert claims["sub"] and claims["acr"] == "urn:kaname:loa:1"


@check("an ID token with a changed claim does not hold")
def _():
    head, body, signature = token["id_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "somebody else"}).encode()).rstrip(b"=").decode()
    try:
        id_token_claims({"id_token": f"{head}.{changed}.{signature}"}, "authlib-plain", nonce)
    except Exception as error:
        assert "signature" in str(error).lower(), error
    else:
        raise AssertionError("it was taken")


@check("userinfo is about the same subject and has the name")
def _():
    info = client.get(METADATA["userinfo_endpoint"], timeout=20).json()
    assert info["sub"] == claims["sub"] and info["name"], info.keys()


@check("a code is taken once")
def _():
    try:
        client.fetch_token(METADATA["token_endpoint"], authorization_response=answer, code_verifier=verifier)
    except OAuthError as error:
        assert error.error == "invalid_grant", error
    else:
        raise AssertionError("it was taken twice")


@check("pushed request (RFC 9126), then Authlib's own token request; aud of the assertion is the issuer")
def _():
    client = session("authlib-fapi")

    def short_assertions():
        # A minute instead of Authlib's hour; made for each request, because Authlib keeps the jti in the claims that it is given.
        claims = {"exp": int(time.time()) + 60}
        auth = PrivateKeyJWT(ISSUER, claims=claims, alg="ES256", headers={"kid": "authlib-1"})
        client.register_client_auth_method(auth)
        return auth

    verifier, nonce = generate_token(64), generate_token(32)
    address, _state = client.create_authorization_url(METADATA["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    parameters = dict(re.findall(r"([^=&]+)=([^&]*)", urlsplit(address).query))
    parameters = {name: requests.utils.unquote(value.replace("+", " ")) for name, value in parameters.items()}
    # Authlib makes parameters and assertion; only a call that pushes them is not in it.
    assertion = short_assertions().sign(client.client_auth("private_key_jwt"), ISSUER)
    parameters |= {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": assertion}
    pushed = requests.post(METADATA["pushed_authorization_request_endpoint"], parameters, timeout=20)
    assert pushed.status_code == 201, pushed.text
    query = urlencode({"client_id": "authlib-fapi", "request_uri": pushed.json()["request_uri"]})
    answer = person.follow(f"{METADATA['authorization_endpoint']}?{query}")
    short_assertions()
    token = client.fetch_token(METADATA["token_endpoint"], authorization_response=answer, code_verifier=verifier)
    assert id_token_claims(token, "authlib-fapi", nonce)["sub"] == claims["sub"], "one sector, one subject"


@check("FAPI: parameters in the address are refused")
def _():
    address, _state = session("authlib-fapi").create_authorization_url(METADATA["authorization_endpoint"], code_verifier=generate_token(64))
    page = person.browser.get(address, allow_redirects=False, timeout=20)
    assert page.status_code == 400 or "error=invalid_request" in page.headers.get("location", ""), page.status_code


@check("refusing consent is answered with access_denied")
def _():
    other = Person("resident-3.html")
    verifier = generate_token(64)
    address, _state = session("authlib-plain").create_authorization_url(METADATA["authorization_endpoint"], code_verifier=verifier)
    assert "error=access_denied" in other.follow(address, decision="refuse")


end()
