// The API of the stand-in for a DocSpace portal, and what lets in there, fact by fact.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { SECOND_FACTOR } from "./docspace-api.mjs";
import { startDocSpace } from "./docspace.mjs";
import { APP, appAt, ask, bearer, CALLBACK, includes } from "./support.mjs";

const scopes = ["files:read", "files:write", "rooms:read", "accounts:read", "accounts:write", "accounts.self:read"];
const allowedOrigins = [APP, "https://*.example.com"];
const server = await startDocSpace({
  clients: [{ clientId: "app1", redirectUris: [CALLBACK], allowedOrigins, scopes }],
});
after(() => server.close());
beforeEach(() => server.reset());

const at = (path) => `${server.origin}${path}`;
const { signIn } = appAt({
  authorizeUrl: at("/oauth2/authorize"),
  tokenUrl: at("/oauth2/token"),
  clientId: "app1",
  request: { scope: "files:read" },
});

const MAP = [
  ["rooms:read", "GET", "files/rooms", 200],
  ["files:read", "GET", "files/rooms", 403],
  ["rooms:read", "POST", "files/rooms", 403],
  ["files:read", "GET", "files/@my", 200],
  ["files:write", "GET", "files/@my", 200],
  ["files:read", "DELETE", "files/file/1", 403],
  ["files:write", "DELETE", "files/file/1", 200],
  ["accounts.self:read", "GET", "people/@self", 200],
  ["accounts:read", "GET", "people/@self", 403],
  ["accounts:read", "GET", "people", 200],
  ["accounts:read", "GET", "group", 200],
  ["accounts:write", "GET", "group", 403],
  ["accounts:write", "POST", "group", 200],
  ["files:read", "GET", "keys/@self", 200],
  ["files:read", "GET", "settings", 403],
];
for (const [scope, method, path, status] of MAP) {
  test(`${method} /api/2.0/${path} with ${scope}: ${status}`, async () => {
    const { access_token: text } = await signIn({ scope });
    const answer = await ask(at(`/api/2.0/${path}`), { method, headers: bearer(text) });
    assert.equal(answer.status, status);
    if (status === 200) includes(answer.body, { status: 0, statusCode: 200 });
    else includes(answer.body, { status: 1, statusCode: status });
  });
}

test("the API forgives two minutes after the end of a token, then says 401 and no more", async () => {
  const { access_token: text } = await signIn();
  // The clock goes on meanwhile: a busy machine has ten seconds.
  server.clock.advance(3600 + 110);
  assert.equal((await ask(at("/api/2.0/files/@my"), { headers: bearer(text) })).status, 200);
  server.clock.advance(11);
  const answer = await ask(at("/api/2.0/files/@my"), { headers: bearer(text) });
  assert.deepEqual([answer.status, answer.body], [401, ""]);
});

test("CORS of the API: every preflight passes, the answer is for the app's own origins only", async () => {
  const { access_token: text } = await signIn();
  const allowed = async (origin, init) => {
    const { headers } = await ask(at("/api/2.0/files/@my"), { ...init, headers: { Origin: origin, ...init.headers } });
    return headers.get("access-control-allow-origin");
  };
  const preflight = { method: "OPTIONS", headers: { "Access-Control-Request-Method": "GET" } };
  assert.equal(await allowed("http://evil.example", preflight), "*");
  assert.equal(await allowed("http://evil.example", { headers: bearer(text) }), null);
  assert.equal(await allowed(APP, { headers: bearer(text) }), APP);
  assert.equal(await allowed("https://a.example.com", { headers: bearer(text) }), "https://a.example.com");
  assert.equal(await allowed("http://evil.example", {}), "*", "without a token of an app");
});

const logIn = (path = "", password = "wonderland") =>
  ask(at(`/api/2.0/authentication${path}`), { json: { userName: "alice@example.com", password } });

test("a password gets the session's token, in the answer and as a cookie", async () => {
  const answer = await logIn();
  assert.equal(answer.status, 201);
  includes(answer.body, { count: 1, status: 0, statusCode: 201 });
  assert.match(answer.headers.get("set-cookie"), /^asc_auth_key=[\w-]+; Path=\/; HttpOnly; SameSite=Strict$/);
  const { token: text } = answer.body.response;
  for (const headers of [bearer(text), { Authorization: text }, { Cookie: `asc_auth_key=${text}` }]) {
    assert.equal((await ask(at("/api/2.0/settings"), { headers })).status, 200);
  }
  assert.equal((await ask(at("/api/2.0/settings"), { headers: { Authorization: `bearer ${text}` } })).status, 401);
  assert.equal((await logIn("", "x")).status, 401);
});

for (const [flag, member] of [
  ["tfa", "confirmUrl"],
  ["sms", "phoneNoise"],
]) {
  test(`with a second factor (${flag}) there is no token before the code`, async () => {
    server.flags[flag] = true;
    const { status, body } = await logIn();
    assert.equal(status, 200);
    assert.equal(body.response.token, undefined);
    assert.ok(body.response[flag] && body.response[member]);
    assert.equal((await logIn("/000000")).status, 403);
    assert.ok((await logIn(`/${SECOND_FACTOR}`)).body.response.token);
  });
}

test("the cookie goes before an opaque bearer token, and is cleared when it does not hold", async () => {
  const mine = server.signIn("alice");
  const stale = { Cookie: "asc_auth_key=old" };
  const answer = await ask(at("/api/2.0/settings"), { headers: { ...bearer(mine), ...stale } });
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get("set-cookie"), /^asc_auth_key=; .*Max-Age=0/);
  const { access_token: text } = await signIn();
  assert.equal(
    (await ask(at("/api/2.0/files/@my"), { headers: { ...bearer(text), ...stale } })).status,
    200,
    "a JWT goes before it",
  );
});

test("Basic: every answer asks for it again", async () => {
  const basic = (text) => ({ Authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  for (const [text, status] of [
    ["alice@example.com:wonderland", 200],
    ["alice@example.com:x", 401],
  ]) {
    const answer = await ask(at("/api/2.0/settings"), { headers: basic(text) });
    assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [status, "Basic"]);
  }
});

test("an API key is sk- and 64 hexadecimal digits, and is let in", async () => {
  const headers = { Cookie: `asc_auth_key=${server.signIn("alice")}` };
  const { body } = await ask(at("/api/2.0/keys"), { json: { name: "mine", permissions: ["*"] }, headers });
  assert.match(body.response.key, /^sk-[0-9a-f]{64}$/);
  assert.equal((await ask(at("/api/2.0/settings"), { headers: bearer(body.response.key) })).status, 200);
});

test("log-out clears the cookie and ends its session", async () => {
  const headers = { Cookie: `asc_auth_key=${server.signIn("alice")}` };
  const out = await ask(at("/api/2.0/authentication/logout"), { method: "POST", headers });
  assert.match(out.headers.get("set-cookie"), /Max-Age=0/);
  assert.equal((await ask(at("/api/2.0/settings"), { headers })).status, 401);
});

test("too many: 429 with the limits", async () => {
  server.flags.throttle = 1;
  const { status, headers } = await ask(at("/api/2.0/settings"));
  assert.deepEqual([status, headers.get("x-ratelimit-remaining")], [429, "0"]);
});
