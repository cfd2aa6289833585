// The stand-in for a DocSpace portal, fact by fact.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { after, beforeEach, test } from "node:test";

import { startDocSpace } from "./docspace.mjs";
import { APP, appAt, ask, bearer, CALLBACK, cookies, includes, jwt, STATE, VERIFIER } from "./support.mjs";

const SCOPES = [
  "openid",
  "files:read",
  "files:write",
  "rooms:read",
  "accounts:read",
  "accounts:write",
  "accounts.self:read",
];
const app = { redirectUris: [CALLBACK], allowedOrigins: [APP, "https://*.example.com"], scopes: SCOPES };
const server = await startDocSpace({
  clients: [
    { ...app, clientId: "app1", secret: "shh" },
    { ...app, clientId: "off", disabled: true },
    { ...app, clientId: "native", redirectUris: ["http://127.0.0.1/cb", "http://localhost:1/cb"] },
  ],
});
after(() => server.close());
beforeEach(() => server.reset());

const at = (path) => `${server.origin}${path}`;
const { authorize, token, withCode, code, signIn } = appAt({
  authorizeUrl: at("/oauth2/authorize"),
  tokenUrl: at("/oauth2/token"),
  clientId: "app1",
  request: { scope: "files:read" },
});
const codeOf = ({ location }) => new URL(location).searchParams.get("code");

for (const path of ["openid-configuration", "oauth-authorization-server"]) {
  for (const base of ["", "/oauth2"]) {
    test(`metadata at ${base}/.well-known/${path}, for any origin`, async () => {
      const { body, headers } = await ask(at(`${base}/.well-known/${path}`), { headers: { Origin: APP } });
      assert.equal(headers.get("access-control-allow-origin"), "*");
      assert.equal(headers.get("access-control-allow-credentials"), null);
      includes(body, {
        issuer: server.origin,
        token_endpoint: at("/oauth2/token"),
        token_endpoint_auth_methods_supported: ["client_secret_post"],
        code_challenge_methods_supported: ["S256"],
        id_token_signing_alg_values_supported: ["RS256"],
      });
    });
  }
}

test("keys: one for ES256, two after a change", async () => {
  const before = (await ask(at("/oauth2/jwks"))).body.keys;
  assert.deepEqual(
    before.map(({ kty, crv, alg }) => [kty, crv, alg]),
    [["EC", "P-256", "ES256"]],
  );
  server.rotateKeys();
  const after = (await ask(at("/oauth2/jwks"))).body.keys;
  assert.equal(after.length, 2);
  assert.deepEqual(after[1], before[0]);
});

test("the callback has code and state, and nothing else", async () => {
  const { location } = await authorize();
  assert.match(location, new RegExp(`^${CALLBACK}\\?code=[\\w-]{128}&state=${STATE}$`));
});

test("in the cloud a code begins with its region", async () => {
  server.flags.region = "eu";
  assert.match((await authorize()).location, /\?code=eu:[\w-]{128}&/);
});

test("the state comes back as it is, not encoded: one with special characters is broken", async () => {
  const { location } = await authorize({ state: "a+b&c=%25" });
  assert.ok(location.endsWith("&state=a+b&c=%25"));
  assert.equal(new URL(location).searchParams.get("state"), "a b");
});

const REDIRECTED = [
  ["a scope that the app does not have", { scope: "rooms:write" }, "invalid_scope"],
  ["plain", { code_challenge_method: "plain" }, "invalid_request"],
  ["no method", { code_challenge_method: undefined }, "invalid_request"],
  ["another response type", { response_type: "token" }, "invalid_request"],
];
for (const [name, more, error] of REDIRECTED) {
  test(`authorize with ${name}: ${error}, without a description`, async () => {
    assert.equal((await authorize(more)).location, `${CALLBACK}?error=${error}&state=${STATE}`);
  });
}

const TO_LOGIN = [
  ["no client", { client_id: undefined }, "missing_client_id_error"],
  ["an unknown client", { client_id: "nobody" }, "client_not_found_error"],
  ["a disabled client", { client_id: "off" }, "client_disabled_error"],
  ["another redirect URI", { redirect_uri: `${APP}/x` }, "invalid_request"],
  ["a fragment in the redirect URI", { redirect_uri: `${CALLBACK}#x` }, "invalid_request"],
  ["another port of localhost", { client_id: "native", redirect_uri: "http://localhost:2/cb" }, "invalid_request"],
];
for (const [name, more, error] of TO_LOGIN) {
  test(`authorize with ${name}: to the portal's login, ${error}`, async () => {
    const { status, location } = await authorize(more);
    assert.equal(status, 302);
    assert.match(location, new RegExp(`^/login\\?type=oauth2&client_id=\\w*&error=${error}$`));
  });
}

test("a loopback IP address may have any port", async () => {
  assert.ok(codeOf(await authorize({ client_id: "native", redirect_uri: "http://127.0.0.1:9/cb" })));
});

test("a denial is access_denied", async () => {
  server.flags.consent = "deny";
  assert.equal((await authorize()).location, `${CALLBACK}?error=access_denied&state=${STATE}`);
});

test("X-Disable-Redirect: 200 with the place in a header", async () => {
  const { status, headers } = await authorize({}, { headers: { "X-Disable-Redirect": "1" } });
  assert.equal(status, 200);
  assert.match(headers.get("x-redirect-uri"), /\?code=/);
});

test("the token answer of a public client: no refresh token", async () => {
  const { access_token: text, ...rest } = await signIn();
  assert.deepEqual(rest, { scope: "files:read", token_type: "Bearer", expires_in: 3599 });
  const [header, claims] = jwt(text);
  assert.equal(header.alg, "ES256");
  includes(claims, { aud: [server.origin], iss: at("/oauth2"), scope: ["files:read"], tid: 1, cid: "app1" });
});

test("without a scope all of the app's are granted", async () => {
  assert.equal((await signIn({ scope: undefined })).scope, SCOPES.join(" "));
});

test("openid adds an ID token: for the portal, from <portal>/oauth2, with ES256", async () => {
  const { id_token: text } = await signIn({ scope: "openid files:read", nonce: "n-1" });
  const [header, claims, signature] = jwt(text);
  includes(claims, { aud: [server.origin], iss: at("/oauth2"), azp: "app1", cid: "app1", nonce: "n-1" });
  assert.equal(claims.exp - claims.iat, 1800);
  const { keys } = (await ask(at("/oauth2/jwks"))).body;
  const key = createPublicKey({ key: keys.find(({ kid }) => kid === header.kid), format: "jwk" });
  const signed = Buffer.from(text.slice(0, text.lastIndexOf(".")));
  assert.ok(verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url")));
});

const BARE = [
  ["another verifier", { code_verifier: VERIFIER.replace("d", "e") }, 400, "invalid_grant"],
  ["no verifier", { code_verifier: undefined }, 400, "invalid_grant"],
  ["another code", { code: "none" }, 400, "invalid_grant"],
  ["another redirect URI", { redirect_uri: APP }, 400, "invalid_grant"],
  ["an unknown client", { client_id: "nobody" }, 401, "invalid_client"],
  ["a wrong secret", { client_secret: "x" }, 401, "invalid_client"],
];
for (const [name, more, status, error] of BARE) {
  test(`a token request with ${name}: ${status} with nothing but ${error}`, async () => {
    const answer = await token(withCode(await code(), more));
    assert.equal(answer.status, status);
    assert.deepEqual(answer.body, { error });
  });
}

test("a public client without a challenge gets a code, which is of no use", async () => {
  const useless = await code({ code_challenge: undefined, code_challenge_method: undefined });
  assert.deepEqual((await token(withCode(useless))).body, { error: "invalid_grant" });
});

test("other failures have a description and a URI", async () => {
  const { status, body } = await token({ client_id: "app1", grant_type: "password" });
  assert.equal(status, 400);
  assert.deepEqual(Object.keys(body), ["error", "error_description", "error_uri"]);
});

test("a code lives for a minute; used twice, it ends the tokens that came of it", async () => {
  const late = await code();
  server.clock.advance(60);
  assert.deepEqual((await token(withCode(late))).body, { error: "invalid_grant" });
  const twice = await code();
  const { access_token: first } = (await token(withCode(twice))).body;
  assert.equal((await token(withCode(twice))).status, 400);
  const { body } = await ask(at("/oauth2/introspect"), { form: { token: first } });
  assert.deepEqual(body, { active: false });
});

test("refresh without a secret: 401, empty; with one the token is rotated", async () => {
  const answer = await token({ grant_type: "refresh_token", refresh_token: "x", client_id: "app1" });
  assert.deepEqual([answer.status, answer.body], [401, ""]);
  const secret = { client_secret: "shh" };
  const { body: first } = await token(withCode(await code(), secret));
  const next = () =>
    token({ grant_type: "refresh_token", refresh_token: first.refresh_token, client_id: "app1", ...secret });
  assert.notEqual((await next()).body.refresh_token, first.refresh_token);
  assert.deepEqual((await next()).body, { error: "invalid_grant" });
});

test("introspection is open to all; revocation is not", async () => {
  const { access_token: text } = await signIn();
  const introspect = async () => (await ask(at("/oauth2/introspect"), { form: { token: text } })).body;
  includes(await introspect(), { active: true, client_id: "app1", scope: "files:read" });
  const revoke = (more) => ask(at("/oauth2/revoke"), { form: { token: text, client_id: "app1", ...more } });
  const refused = await revoke();
  assert.deepEqual([refused.status, refused.body], [401, ""]);
  const done = await revoke({ client_secret: "shh" });
  assert.deepEqual([done.status, done.body], [200, ""]);
  assert.deepEqual(await introspect(), { active: false });
});

for (const path of ["/oauth2/userinfo", "/api/2.0/oauth2/userinfo"]) {
  test(`${path}: the token's own claims, for those with openid`, async () => {
    const { access_token: text } = await signIn({ scope: "openid" });
    const { body } = await ask(at(path), { headers: bearer(text) });
    assert.deepEqual(body, jwt(text)[1]);
    const { access_token: other } = await signIn();
    const refused = await ask(at(path), { headers: bearer(other) });
    assert.deepEqual([refused.status, refused.body.error], [403, "insufficient_scope"]);
    const none = await ask(at(path), { headers: bearer("x") });
    assert.deepEqual([none.status, none.body.error], [401, "invalid_token"]);
    assert.match(none.headers.get("www-authenticate"), /^Bearer error="invalid_token"/);
  });
}

test("a person signs in at the portal, then allows a part of it", async () => {
  server.flags.ask = true;
  const start = await authorize({ scope: "files:read rooms:read" });
  assert.equal(start.location, "/login?type=oauth2&client_id=app1&error=missing_asc_signature_error");
  const headers = { Cookie: cookies(start) };
  assert.match((await ask(at(start.location), { headers })).body, /User name/);
  const done = await ask(at(start.location), { form: { username: "bob", answer: "allow" }, headers });
  const session = { Cookie: cookies(done) };
  const page = await ask(at(done.location), { headers: session });
  const field = (name) => new RegExp(`name="${name}" value="([^"]+)"`).exec(page.body)[1];
  const form = { client_id: field("client_id"), state: field("state"), scope: "rooms:read", answer: "allow" };
  const back = await ask(at("/oauth2/authorize"), { form, headers: session });
  assert.ok(back.location.endsWith(`&state=${STATE}`));
  assert.equal((await token(withCode(codeOf(back)))).body.scope, "rooms:read");
});

test("a person who cancels at the portal has denied", async () => {
  server.flags.ask = true;
  const start = await authorize();
  const done = await ask(at(start.location), { form: { answer: "deny" }, headers: { Cookie: cookies(start) } });
  assert.equal(done.location, `${CALLBACK}?error=access_denied&state=${STATE}`);
  const astray = await authorize({ redirect_uri: "https://evil.example/" });
  const { status, location } = await ask(at(astray.location), {
    form: { answer: "deny" },
    headers: { Cookie: cookies(astray) },
  });
  assert.deepEqual([status, location], [200, null], "to nowhere but a redirect URI");
});
