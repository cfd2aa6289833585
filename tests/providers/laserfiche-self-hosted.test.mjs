// The stand-in for a self-hosted Laserfiche API server, fact by fact.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { startLaserficheSelfHosted } from "./laserfiche-self-hosted.mjs";
import { APP, appAt, ask, bearer, CALLBACK, cookies, includes, returned, STATE, VERIFIER } from "./support.mjs";

const server = await startLaserficheSelfHosted({ redirectUris: [CALLBACK] });
after(() => server.close());
beforeEach(() => server.reset());

const TOKEN = "/v2/Repositories/My%20Repo/Token";
const at = (path) => `${server.baseUrl}${path}`;
const { authorize, token, withCode, code, refresh, signIn } = appAt({
  authorizeUrl: at("/v2/authorize"),
  tokenUrl: at(TOKEN),
});
const repositories = (text) => ask(at("/v2/Repositories"), { headers: bearer(text) });

test("the callback has scope, code and state; there is no client id", async () => {
  const { code, ...rest } = returned(await authorize({ scope: "repository.Read" }));
  assert.ok(code);
  assert.deepEqual(rest, { scope: "repository.Read", state: STATE });
});

test("a redirect URI that is not on the list gets a page and no redirect", async () => {
  const { status, location } = await authorize({ redirect_uri: `${APP}/other` });
  assert.deepEqual([status, location], [400, null]);
});

for (const [name, more] of [
  ["another response type", { response_type: "token" }],
  ["no challenge", { code_challenge: undefined }],
  ["plain", { code_challenge_method: "plain" }],
]) {
  test(`authorize with ${name}: invalid_request`, async () => {
    includes(returned(await authorize(more)), { error: "invalid_request", state: STATE });
  });
}

for (const path of [TOKEN, "/v2/r-1/Token", "/v2/r-1/oauth/token", "/V2/repositories/r-1/token"]) {
  test(`the token endpoint answers at ${path}: no scope, an hour, a refresh token`, async () => {
    const { status, body } = await ask(at(path), { form: withCode(await code()) });
    assert.equal(status, 200);
    const { access_token: text, refresh_token: next, ...rest } = body;
    assert.deepEqual(rest, { token_type: "bearer", expires_in: 3600 });
    assert.ok(text && next);
  });
}

test("some version says refreshToken", async () => {
  server.flags.refreshTokenKey = "camel";
  const body = await signIn();
  assert.ok(body.refreshToken);
  assert.equal(body.refresh_token, undefined);
});

for (const [name, more] of [
  ["another verifier", { code_verifier: VERIFIER.replace("d", "e") }],
  ["another redirect URI", { redirect_uri: APP }],
  ["another code", { code: "none" }],
]) {
  test(`a token request with ${name}: invalid_grant`, async () => {
    const { status, body } = await token(withCode(await code(), more));
    assert.deepEqual([status, body.error, body.status], [400, "invalid_grant", 400]);
  });
}

test("a code works once, and for ten minutes", async () => {
  const first = await code();
  assert.equal((await token(withCode(first))).status, 200);
  assert.equal((await token(withCode(first))).body.error, "invalid_grant");
  const late = await code();
  server.clock.advance(600);
  assert.equal((await token(withCode(late))).body.error, "invalid_grant");
});

test("refresh tokens rotate, and one used twice ends them all", async () => {
  const first = await signIn();
  const second = (await refresh(first.refresh_token)).body;
  assert.ok(second.refresh_token);
  const answer = await refresh(first.refresh_token);
  assert.deepEqual([answer.status, answer.body.status, answer.body.error], [401, 400, "invalid_grant"]);
  assert.equal((await refresh(second.refresh_token)).body.error, "invalid_grant");
});

test("a refresh token lives for an access token's life and the idle time", async () => {
  const first = await signIn();
  server.clock.advance(3600 + 1199);
  const { status, body } = await refresh(first.refresh_token);
  assert.equal(status, 200);
  server.clock.advance(3600 + 1200);
  assert.equal((await refresh(body.refresh_token)).body.error, "invalid_grant");
});

test("a session that is idle gets a 401 before its token is over; a new token works", async () => {
  const { access_token: text, refresh_token: next } = await signIn();
  server.clock.advance(1200);
  assert.equal((await repositories(text)).status, 200);
  server.clock.advance(1100);
  assert.equal((await repositories(text)).status, 200, "each call counts");
  server.clock.advance(1201);
  assert.equal((await repositories(text)).status, 401);
  const { body } = await refresh(next);
  assert.equal((await repositories(body.access_token)).status, 200);
});

for (const version of ["v1", "v2"]) {
  test(`${version}: a password gets a token for 900 seconds, without refresh token and scope`, async () => {
    const url = at(`/${version}/Repositories/My%20Repo/Token`);
    const form = { grant_type: "password", username: "alice", password: "wonderland" };
    const { status, body } = await ask(url, { form });
    assert.equal(status, 200);
    const { access_token: text, ...rest } = body;
    assert.deepEqual(rest, { expires_in: 900, token_type: "bearer" });
    assert.equal((await repositories(text)).status, 200);
    server.clock.advance(900);
    assert.equal((await repositories(text)).status, 401);
    assert.equal((await ask(url, { form: { ...form, password: "x" } })).body.error, "invalid_grant");
  });
}

test("the list of repositories is public only where an administrator says so", async () => {
  assert.equal((await ask(at("/v1/Repositories"))).status, 401);
  server.flags.publicList = true;
  assert.equal((await ask(at("/v1/Repositories"))).status, 200);
});

test("a scope that was asked for narrows the token", async () => {
  const headers = bearer((await signIn({ scope: "repository.Read" })).access_token);
  const url = at("/v2/Repositories/r-1/Entries/1");
  assert.equal((await ask(url, { headers })).status, 200);
  assert.equal((await ask(url, { method: "PUT", headers })).status, 403);
});

test("CORS lets in the hosts of the listed redirect URIs", async () => {
  const allowed = async (origin) =>
    (await ask(at(TOKEN), { form: {}, headers: { Origin: origin } })).headers.get("access-control-allow-origin");
  assert.equal(await allowed(APP), APP);
  assert.equal(await allowed("http://localhost:5174"), null);
});

test("a person signs in once; a browser that is known is not asked, and nobody is asked for consent", async () => {
  server.flags.ask = true;
  const page = await authorize();
  assert.match(page.body, /User name/);
  includes(returned(await authorize({}, { form: { answer: "deny" } })), { error: "access_denied" });
  const answer = await authorize({}, { form: { answer: "allow", username: "bob" } });
  assert.ok(returned(answer).code);
  assert.ok(returned(await authorize({}, { headers: { Cookie: cookies(answer) } })).code);
});
