// The stand-in for Laserfiche Cloud, fact by fact.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { startLaserfiche } from "./laserfiche.mjs";
import {
  APP,
  appAt,
  ask,
  bearer,
  CALLBACK,
  CHALLENGE,
  cookies,
  includes,
  jwt,
  query,
  returned,
  STATE,
  VERIFIER,
} from "./support.mjs";

const SCOPES = ["repository.ReadWrite", "table.ReadWrite", "project/Global", "project/Test+With+Spaces"];
const server = await startLaserfiche({
  clients: [
    { clientId: "app1", redirectUris: [CALLBACK], scopes: SCOPES },
    { clientId: "reader", redirectUris: [CALLBACK], scopes: ["repository.Read"] },
    { clientId: "web1", redirectUris: [CALLBACK], scopes: SCOPES, type: "web" },
  ],
});
after(() => server.close());
beforeEach(() => server.reset());

const ALL = "repository.Read repository.Write";
const authorizeUrl = `${server.origin}/oauth/authorize`;
const tokenUrl = `${server.origin}/oauth/token`;
const { authorize, token, withCode, code, refresh, signIn } = appAt({
  authorizeUrl,
  tokenUrl,
  clientId: "app1",
  request: { scope: ALL },
});

test("the callback has scope, code, domain, customerId and the state", async () => {
  const { code, ...rest } = returned(await authorize());
  assert.ok(code);
  assert.deepEqual(rest, { scope: ALL, domain: server.host, customerId: "123456789", state: STATE });
});

test("paths are not case-sensitive", async () => {
  for (const path of ["/oauth/Authorize", "/OAuth/authorize"]) {
    const app = appAt({
      authorizeUrl: `${server.origin}${path}`,
      tokenUrl: `${server.origin}/OAuth/Token`,
      clientId: "app1",
    });
    assert.ok((await app.signIn()).access_token);
  }
});

const AUTHORIZE_FAULTS = [
  ["another response type", { response_type: "token" }, "invalid_request"],
  ["no challenge", { code_challenge: undefined }, "invalid_request"],
  ["plain", { code_challenge_method: "plain" }, "invalid_request"],
  ["no method", { code_challenge_method: undefined }, "invalid_request"],
  ["a challenge of 42 characters", { code_challenge: CHALLENGE.slice(1) }, "invalid_request"],
  ["a challenge of 129 characters", { code_challenge: "a".repeat(129) }, "invalid_request"],
  ["a challenge with =", { code_challenge: `${CHALLENGE}=` }, "invalid_request"],
  ["a web app", { client_id: "web1" }, "unauthorized_client"],
  ["another account", { customerId: "1" }, "access_denied"],
];
for (const [name, more, error] of AUTHORIZE_FAULTS) {
  test(`authorize with ${name}: ${error}, with the state`, async () => {
    const answer = returned(await authorize(more));
    includes(answer, { error, state: STATE, code: undefined });
    assert.ok(answer.error_description);
  });
}

for (const [name, more] of [
  ["client", { client_id: "nobody" }],
  ["redirect URI", { redirect_uri: `${CALLBACK}/` }],
]) {
  test(`an unknown ${name} gets a page and no redirect`, async () => {
    const { status, headers, location } = await authorize(more);
    assert.deepEqual([status, location], [400, null]);
    assert.match(headers.get("content-type"), /^text\/html/);
  });
}

test("consent: refused, over, or a server's own error; under either name of the description", async () => {
  const errors = { deny: "access_denied", timeout: "access_denied", server_error: "server_error" };
  for (const [consent, error] of Object.entries(errors)) {
    server.flags.consent = consent;
    assert.equal(returned(await authorize()).error, error);
  }
  server.flags.consent = "deny";
  server.flags.descriptionKey = "description";
  includes(returned(await authorize()), { description: "Consent has not been given.", error_description: undefined });
});

const GRANTS = [
  ["repository.ReadWrite", "repository.Read repository.Write"],
  ["repository.Read invalidScope", "repository.Read"],
  ["repository.read", undefined],
  ["repository/Repositories/r-1/Entries/1.Read", "repository/Repositories/r-1/Entries/1.Read"],
  ["table.Read project/Global", "table.Read project/Global"],
  ["table.Read project/Test+With+Spaces", "table.Read project/Test+With+Spaces"],
  ["project/Unknown table.Read", "table.Read"],
  ["collections.All repository.Write", "repository.Write"],
];
for (const [asked, granted] of GRANTS) {
  test(`of "${asked}" is granted: ${granted ?? "nothing, which is a refusal"}`, async () => {
    const answer = returned(await authorize({ scope: asked }));
    if (!granted) return includes(answer, { error: "access_denied" });
    assert.equal(answer.scope, granted);
    const { body } = await token(withCode(answer.code));
    assert.equal(body.scope, granted);
  });
}

test("what an administrator did not approve is not granted", async () => {
  assert.equal((await signIn({ client_id: "reader", scope: "repository.ReadWrite" })).scope, "repository.Read");
});

test("a raw plus sign is a space, and splits the scope", async () => {
  const pkce = { code_challenge: CHALLENGE, code_challenge_method: "S256" };
  const rest = query({ client_id: "app1", response_type: "code", redirect_uri: CALLBACK, ...pkce });
  const answer = await ask(`${authorizeUrl}?scope=table.Read+project/Test+With+Spaces&${rest}`);
  assert.equal(returned(answer).scope, "table.Read");
});

test("the token answer: bearer in small letters, an hour, a refresh token, the scope", async () => {
  const { access_token: text, refresh_token: next, ...rest } = await signIn();
  assert.deepEqual(rest, { token_type: "bearer", expires_in: 3600, scope: ALL });
  assert.ok(next);
  includes(jwt(text)[1], { csid: "123456789", trid: "1001", name: "alice", aud: "laserfiche.com" });
});

test("without a scope asked for there is none in the answer", async () => {
  assert.ok(!Object.hasOwn(await signIn({ scope: undefined }), "scope"));
});

const TOKEN_FAULTS = [
  ["no grant type", { grant_type: undefined }, "invalid_request", 400],
  ["another grant type", { grant_type: "password" }, "unsupported_grant_type", 400],
  ["the grant of services", { grant_type: "client_credentials" }, "unauthorized_client", 400],
  ["no verifier", { code_verifier: undefined }, "invalid_request", 400],
  ["another verifier", { code_verifier: VERIFIER.replace("d", "e") }, "invalid_grant", 400],
  ["another redirect URI", { redirect_uri: `${APP}/other` }, "invalid_grant", 400],
  ["another code", { code: "none" }, "invalid_grant", 400],
  ["another client", { client_id: "reader" }, "invalid_grant", 400],
  ["an unknown client", { client_id: "nobody" }, "invalid_client", 401],
  ["a secret", { client_secret: "s" }, "invalid_client", 401],
];
for (const [name, more, error, status] of TOKEN_FAULTS) {
  test(`a token request with ${name}: ${status} ${error}, as OAuth and as problem details`, async () => {
    const answer = await token(withCode(await code(), more));
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get("content-type"), "application/json; charset=UTF-8");
    includes(answer.body, { error, type: error, status, instance: "/Token", title: answer.body.error_description });
    assert.match(answer.body.operationId, /^[0-9a-f]{32}$/);
    assert.match(answer.body.traceId, /^00-/);
  });
}

test("only a form is read", async () => {
  const answer = await ask(tokenUrl, { json: withCode(await code()) });
  assert.deepEqual([answer.status, answer.body.error], [400, "invalid_request"]);
});

test("a code works once, and for ten minutes", async () => {
  const first = await code();
  server.clock.advance(599);
  assert.equal((await token(withCode(first))).status, 200);
  assert.equal((await token(withCode(first))).body.error, "invalid_grant");
  const late = await code();
  server.clock.advance(600);
  assert.equal((await token(withCode(late))).body.error, "invalid_grant");
});

test("a refresh gives a new pair with the same scope", async () => {
  const first = await signIn();
  const { status, body } = await refresh(first.refresh_token);
  assert.equal(status, 200);
  assert.equal(body.scope, first.scope);
  assert.notEqual(body.refresh_token, first.refresh_token);
  assert.notEqual(body.access_token, first.access_token);
});

for (const status of [401, 400]) {
  test(`a refresh token used twice: HTTP ${status}, 400 in the body, and the newest one is dead too`, async () => {
    server.flags.reuseStatus = status;
    const first = await signIn();
    const second = (await refresh(first.refresh_token)).body;
    const answer = await refresh(first.refresh_token);
    assert.equal(answer.status, status);
    includes(answer.body, { error: "invalid_grant", status: 400 });
    assert.match(answer.body.error_description, /previously used refresh token/);
    assert.equal((await refresh(second.refresh_token)).body.error, "invalid_grant");
  });
}

test("refresh tokens end eight hours after the first, however often they are renewed", async () => {
  let { refresh_token: last } = await signIn();
  for (let hour = 1; hour < 8; hour += 1) {
    server.clock.advance(3600);
    last = (await refresh(last)).body.refresh_token;
  }
  server.clock.advance(3599);
  last = (await refresh(last)).body.refresh_token;
  server.clock.advance(1);
  assert.equal((await refresh(last)).body.error, "invalid_grant");
});

test("an answer that is lost on the way has used the token up all the same", async () => {
  const { refresh_token: last } = await signIn();
  server.flags.loseAnswers = 1;
  await assert.rejects(refresh(last));
  assert.match((await refresh(last)).body.error_description, /previously used/);
});

test("CORS lets in hosts of redirect URIs that Authorize was asked with, and nobody before", async () => {
  const allowed = async (origin) =>
    (await ask(tokenUrl, { form: {}, headers: { Origin: origin } })).headers.get("access-control-allow-origin");
  assert.equal(await allowed(APP), null);
  await authorize();
  assert.equal(await allowed(APP), APP);
  assert.equal(
    await allowed(APP.replace("http:", "https:")),
    APP.replace("http:", "https:"),
    "the scheme is not compared",
  );
  assert.equal(await allowed("http://localhost:5174"), null);
});

test("a preflight of the API is answered with 204 and lets Authorization pass", async () => {
  await authorize();
  const headers = {
    Origin: APP,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
  };
  const answer = await ask(`${server.origin}/repository/v2/Repositories`, { method: "OPTIONS", headers });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get("access-control-allow-headers"), "authorization");
  assert.equal(answer.headers.get("access-control-allow-credentials"), null);
});

test("signing out ends the session and its refresh tokens, and leads back once", async () => {
  const answer = await authorize();
  const cookie = cookies(answer);
  const { body } = await token(withCode(returned(answer).code));
  const url = `${server.origin}/WebSTS/?${query({ wa: "wsignout1.0", wreply: CALLBACK })}`;
  const out = await ask(url, { headers: { Cookie: cookie } });
  assert.deepEqual([out.status, out.location], [302, CALLBACK]);
  assert.match(out.headers.get("set-cookie"), /Max-Age=0/);
  assert.equal((await refresh(body.refresh_token)).body.error, "invalid_grant");
  assert.equal((await ask(url, { headers: { Cookie: cookie } })).status, 200, "already signed out: a page");
});

test("signing out leads to nowhere but a redirect URI", async () => {
  const cookie = cookies(await authorize());
  const url = `${server.origin}/WebSTS/?${query({ wa: "wsignout1.0", wreply: "https://evil.example/" })}`;
  assert.equal((await ask(url, { headers: { Cookie: cookie } })).status, 200);
});

const press = async (fields, headers) => {
  const page = await authorize({}, { headers });
  const asked = /name="asked" value="(\d+)"/.exec(page.body)[1];
  return { page, send: () => authorize({}, { form: { asked, ...fields }, headers }) };
};

test("a person signs in on a page, allows a part, and is known from then on", async () => {
  server.flags.ask = true;
  const { page, send } = await press({ username: "bob", answer: "allow", scope: "repository.Read" });
  assert.match(page.body, /User name/);
  const answer = await send();
  assert.equal(returned(answer).scope, "repository.Read");
  const { page: second } = await press({}, { Cookie: cookies(answer) });
  assert.match(second.body, /signed in as <b>bob<\/b>/);
});

test("a person denies, or answers after five minutes", async () => {
  server.flags.ask = true;
  const denied = await press({ username: "bob", answer: "deny" });
  includes(returned(await denied.send()), { error: "access_denied" });
  const late = await press({ username: "bob", answer: "allow", scope: "repository.Read" });
  server.clock.advance(301);
  includes(returned(await late.send()), { error: "access_denied" });
});

test("the clock and the flags can be set from a shell, and not by a page", async () => {
  const answer = await ask(`${server.origin}/control`, { json: { advance: 60, flags: { consent: "deny" } } });
  assert.equal(answer.body.flags.consent, "deny");
  assert.ok(answer.body.now >= Date.now() / 1000 + 58);
  assert.equal((await ask(`${server.origin}/control`, { form: { advance: "60" } })).status, 415);
  assert.throws(() => (server.flags.consennt = "deny"), TypeError);
});
