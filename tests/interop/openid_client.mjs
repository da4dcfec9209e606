// openid-client, a certified relying party, against the OpenID provider over TLS. The person's half is Chromium.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import * as oidc from "openid-client";
import { launch, send, signInWithLetter } from "./lib/browser.mjs";
import { check, end } from "./lib/check.mjs";
import { Deployment } from "./lib/deployment.mjs";

const kaname = Deployment.fromEnvironment();
const issuer = new URL(kaname.url);

// The party's redirect address. Nothing is done there; the browser's address is the answer.
const callback = createServer((_, response) => response.end("back")).listen(0, "127.0.0.1");
await new Promise((ready) => callback.once("listening", ready));
const redirect_uri = `http://localhost:${callback.address().port}/callback`;

const keyPair = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
const keys = await keyPair();
const otherKeys = await keyPair();
const jwks = { keys: [{ ...(await crypto.subtle.exportKey("jwk", keys.publicKey)), kid: "one", alg: "ES256", use: "sig" }] };
const names = [["en", "Interop Party"], ["ja", "相互運用の相手"]];
const attributes = [{ attribute: "name", purpose: "identity-check" }, { attribute: "birth_date", purpose: "identity-check" }];
const party = (client_id, sector, profile) =>
  kaname.register({ client_id, names, redirect_uris: [redirect_uri], sector, jwks, profile, attributes, level: "letter" });

await party("interop-fapi", "interop", "fapi2");
await party("interop-plain", "interop", "plain");
await party("interop-apart", "elsewhere", "fapi2");
// The process that serves looks for new registrations every five seconds.
await new Promise((later) => setTimeout(later, 6_000));

const key = { key: keys.privateKey, kid: "one" };
const connect = (client_id, authentication = oidc.PrivateKeyJwt(key)) =>
  oidc.discovery(issuer, client_id, { id_token_signed_response_alg: "ES256" }, authentication);
const fapi = await connect("interop-fapi");

const browser = await launch(kaname);
const context = await browser.newContext({ locale: "en-GB" });
const page = await context.newPage();

// A request as openid-client makes it, with what is needed to check the answer.
async function begin(config, { pushed = true, ...more } = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const parameters = {
    redirect_uri, scope: "openid name birth_date", state: expectedState, nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256", ...more,
  };
  const url = pushed
    ? await oidc.buildAuthorizationUrlWithPAR(config, parameters)
    : oidc.buildAuthorizationUrl(config, parameters);
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } };
}

// Through the pages to the redirect address, as resident 1.
async function follow(url, decision = "allow") {
  await page.goto(url.href);
  if (await page.locator("#letter").count()) await signInWithLetter(page, kaname.letter("resident-1"));
  if (await page.locator('form[action="/consent"]').count()) await send(page, "/consent", `button[value="${decision}"]`);
  await page.waitForURL(`${redirect_uri}*`);
  return new URL(page.url());
}

async function signIn(config, more) {
  const { url, checks } = await begin(config, more);
  const answer = await follow(url);
  return { answer, checks, tokens: await oidc.authorizationCodeGrant(config, answer, checks) };
}

// The error code, wherever openid-client puts it: of the body, of the address, or of the challenge (RFC 6750) that comes with a 401.
const refused = (error, code) => {
  assert.equal(error.error ?? error.cause?.[0]?.parameters?.error, code, String(error));
  return true;
};

await check("discovery: the issuer's metadata", () => {
  const metadata = fapi.serverMetadata();
  assert.equal(metadata.issuer, kaname.url);
  assert.ok(metadata.supportsPKCE());
  assert.ok(metadata.pushed_authorization_request_endpoint && metadata.authorization_response_iss_parameter_supported);
});

await check("refusing consent comes back as access_denied with iss", async () => {
  const { url, checks } = await begin(fapi);
  const answer = await follow(url, "refuse");
  assert.equal(answer.searchParams.get("iss"), kaname.url);
  await assert.rejects(oidc.authorizationCodeGrant(fapi, answer, checks), (error) => refused(error, "access_denied"));
});

let first;
await check("pushed request, PKCE, private_key_jwt: code, iss and ID token are accepted", async () => {
  first = await signIn(fapi);
  const claims = first.tokens.claims();
  assert.equal(claims.aud, "interop-fapi");
  assert.equal(claims.acr, "urn:kaname:loa:1");
  assert.equal(first.answer.searchParams.get("iss"), kaname.url);
});
await check("userinfo: the same subject, and what was agreed to", async () => {
  const { sub } = first.tokens.claims();
  const claims = await oidc.fetchUserInfo(fapi, first.tokens.access_token, sub);
  assert.ok(claims.name && /^\d{4}-\d\d-\d\d$/.test(claims.birthdate), "name and date of birth");
  assert.equal(claims.address, undefined);
});
await check("no refresh token and no claim beyond the request is given", () => {
  assert.equal(first.tokens.refresh_token, undefined);
  assert.equal(first.tokens.claims().name, undefined);
});
await check("a code is taken once, and using it twice ends its token", async () => {
  await assert.rejects(oidc.authorizationCodeGrant(fapi, first.answer, first.checks), (error) => refused(error, "invalid_grant"));
  await assert.rejects(oidc.fetchUserInfo(fapi, first.tokens.access_token, oidc.skipSubjectCheck), (error) => refused(error, "invalid_token"));
});
await check("an answer without iss or with another is refused by the client", async () => {
  const { url, checks } = await begin(fapi);
  const answer = await follow(url);
  for (const iss of [null, "https://elsewhere.example"]) {
    const changed = new URL(answer);
    if (iss) changed.searchParams.set("iss", iss);
    else changed.searchParams.delete("iss");
    await assert.rejects(oidc.authorizationCodeGrant(fapi, changed, checks));
  }
  await oidc.authorizationCodeGrant(fapi, answer, checks);
});
await check("another verifier of PKCE is refused", async () => {
  const { url, checks } = await begin(fapi);
  const answer = await follow(url);
  const other = { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() };
  await assert.rejects(oidc.authorizationCodeGrant(fapi, answer, other), (error) => refused(error, "invalid_grant"));
});
await check("prompt=none answers at once when she is signed in and has agreed", async () => {
  const { tokens } = await signIn(fapi, { prompt: "none" });
  assert.ok(tokens.access_token);
});
await check("a redirect address that is not registered is refused", () =>
  assert.rejects(begin(fapi, { redirect_uri: `${redirect_uri}/other` }), (error) => refused(error, "invalid_request")));
await check("a request without PKCE, or with the plain method, is refused", async () => {
  for (const more of [{ code_challenge: "", code_challenge_method: "" }, { code_challenge_method: "plain" }]) {
    await assert.rejects(begin(fapi, more), (error) => refused(error, "invalid_request"));
  }
});
await check("a scope that is not registered is refused", () =>
  assert.rejects(begin(fapi, { scope: "openid address" }), (error) => refused(error, "invalid_scope")));
await check("a FAPI client's parameters in the address are refused on a page, and lead nowhere", async () => {
  const { url } = await begin(fapi, { pushed: false });
  const response = await page.goto(url.href);
  const at = new URL(page.url());
  assert.ok(response.status() === 400 || at.searchParams.get("error") === "invalid_request", `${response.status()} ${at}`);
});
await check("a pushed request opens one sign-in, of its own client", async () => {
  const { url } = await begin(fapi);
  const stolen = new URL(url);
  stolen.searchParams.set("client_id", "interop-apart");
  assert.equal((await page.goto(stolen.href)).status(), 400);
  await follow(url);
  const again = await page.goto(url.href);
  assert.ok(again.status() === 400, `status ${again.status()}`);
});
await check("an assertion by another key is refused", async () => {
  const stranger = await connect("interop-fapi", oidc.PrivateKeyJwt({ key: otherKeys.privateKey, kid: "one" }));
  await assert.rejects(begin(stranger), (error) => refused(error, "invalid_client"));
});
await check("an assertion is taken once", async () => {
  const again = oidc.PrivateKeyJwt(key, { [oidc.modifyAssertion]: (_, payload) => { payload.jti = "the same"; } });
  const config = await connect("interop-fapi", again);
  await begin(config);
  await assert.rejects(begin(config), (error) => refused(error, "invalid_client"));
});
await check("FAPI: an assertion made out to an endpoint is refused; the plain profile takes it", async () => {
  const endpoint = fapi.serverMetadata().token_endpoint;
  const made = oidc.PrivateKeyJwt(key, { [oidc.modifyAssertion]: (_, payload) => { payload.aud = endpoint; } });
  await assert.rejects(connect("interop-fapi", made).then(begin), (error) => refused(error, "invalid_client"));
  const { tokens } = await signIn(await connect("interop-plain", made));
  assert.ok(tokens.id_token);
});
await check("a client that does not authenticate is refused", async () => {
  await assert.rejects(connect("interop-fapi", oidc.None()).then(begin), (error) => refused(error, "invalid_client"));
});
await check("plain profile: parameters in the address", async () => {
  const { tokens } = await signIn(await connect("interop-plain"), { pushed: false });
  assert.equal(tokens.claims().aud, "interop-plain");
});
await check("one sector knows one subject, another sector another", async () => {
  const subject = async (id) => (await signIn(await connect(id))).tokens.claims().sub;
  const own = first.tokens.claims().sub;
  assert.equal(await subject("interop-plain"), own);
  assert.notEqual(await subject("interop-apart"), own);
});
await check("a token that was never given opens nothing", () =>
  assert.rejects(oidc.fetchUserInfo(fapi, "AAAA", oidc.skipSubjectCheck), (error) => refused(error, "invalid_token")));
await check("max_age=0 asks her to sign in again", async () => {
  const { url } = await begin(fapi, { max_age: "0" });
  await page.goto(url.href);
  assert.equal(await page.locator("#letter").count(), 1);
});

await browser.close();
callback.close();
end();
