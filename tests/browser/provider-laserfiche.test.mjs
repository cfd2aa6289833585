// Laserfiche Cloud with its profile: code and PKCE, rotating refresh tokens, API calls, the sign-out page.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";

import { CUSTOMER_ID, REFRESH_SEC } from "../providers/laserfiche.mjs";
import {
  ALL,
  answerAt,
  assertPublicExchange,
  call,
  form,
  handleAt,
  inBoth,
  openLaserficheSuite,
  status,
  withCredential,
} from "./laserfiche-suite.mjs";

const suite = await openLaserficheSuite(["repository.ReadWrite"]);
after(() => suite.close());

const testInBoth = inBoth(suite);

const { server, profile: PROFILE, entry: ENTRY, signIn, authorizeRequest, apiCalls } = suite;
const tokenRequests = () => suite.asked("/oauth/token");
const refreshes = () => tokenRequests().filter((request) => form(request).grant_type === "refresh_token");

/** Counts an event of the client from now on; the function gives the number. */
async function count(page, event) {
  await page.evaluate((name) => {
    globalThis.counted = 0;
    client.on(name, () => (globalThis.counted += 1));
  }, event);
  return () => page.evaluate(() => globalThis.counted);
}

testInBoth(
  "row 1: Laserfiche Cloud signs in with code and PKCE; what the callback has besides is checked and cleaned away",
  suite.withPage(async ({ page }) => {
    const url = await answerAt(page, suite, PROFILE, { scope: ALL });
    const sent = authorizeRequest();
    assert.deepEqual(
      [sent.get("client_id"), sent.get("response_type"), sent.get("customerId"), sent.get("scope")],
      ["app1", "code", CUSTOMER_ID, ALL],
    );
    assert.equal(sent.get("code_challenge_method"), "S256");
    assert.match(sent.get("code_challenge"), /^[\w-]{43}$/);
    assert.match(sent.get("state"), /^[\w-]{27,}$/);
    assert.deepEqual([...new URL(url).searchParams.keys()], ["scope", "code", "domain", "customerId", "state"]);

    const result = await handleAt(page, PROFILE, { scope: ALL });
    assert.deepEqual(result, { user: null, scopes: { granted: ALL.split(" "), missing: [] } });
    assert.equal(page.url(), suite.url("provider-probe.html"));
    assertPublicExchange(tokenRequests()[0]);
    assert.equal(await status(page), "authenticated");
  }),
);

test(
  "row 1: a client secret is refused",
  suite.withPage(async ({ page }) => {
    await suite.open(page);
    const refused = await page.evaluate(
      (profile) => refusal(() => openProvider(profile, { clientSecret: "a-secret-of-the-web-app" })),
      PROFILE,
    );
    assert.equal(refused.code, "credential_refused");
    assert.doesNotMatch(refused.message, /a-secret/);
  }),
);

testInBoth(
  "row 2: a refresh gives the next pair; one that was used already ends the session, at 401 and at 400",
  suite.withPage(async ({ page }) => {
    for (const reuseStatus of [401, 400]) {
      server.reset();
      server.flags.reuseStatus = reuseStatus;
      await signIn(page);
      const { refresh_token: first } = JSON.parse(tokenRequests()[0].body);
      await page.evaluate(() => client.getToken({ forceRefresh: true }));
      assert.deepEqual(form(refreshes()[0]), { grant_type: "refresh_token", refresh_token: first, client_id: "app1" });
      assert.equal(refreshes()[0].headers.cookie, undefined);
      // Behind the client's back, the first one is used again: that kills the newest.
      const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: first, client_id: "app1" });
      assert.equal((await fetch(`${server.origin}/oauth/token`, { method: "POST", body })).status, reuseStatus);
      const dead = await page.evaluate(() => outcome(client.getToken({ forceRefresh: true })));
      assert.deepEqual([dead.code, dead.oauthError], ["session_expired", "invalid_grant"]);
      assert.deepEqual(await page.evaluate(() => client.state), { status: "anonymous", reason: "session_expired" });
    }
  }),
);

test(
  "row 2: eight hours after the sign-in no refresh helps any more",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    server.clock.advance(REFRESH_SEC - 60);
    await page.evaluate(() => client.getToken({ forceRefresh: true }));
    server.clock.advance(60);
    const { code } = await call(page, ENTRY).then(() =>
      page.evaluate(() => outcome(client.getToken({ forceRefresh: true }))),
    );
    assert.equal(code, "session_expired");
    assert.equal(await status(page), "anonymous");
  }),
);

test(
  "row 3: signing out forgets here, then leaves for the sign-out page, which leads back",
  suite.withPage(async ({ page }) => {
    const callback = suite.url("provider-probe.html");
    // A session that the page's end alone does not forget.
    const options = { storage: "localStorage", scope: ALL };
    await signIn(page, { ...options, postLogoutRedirectUri: callback });
    const back = page.waitForEvent("load");
    await page.evaluate(() => void client.signOut());
    await back;
    assert.equal(page.url().split("?")[0], callback);
    const [request] = suite.asked("/websts/");
    const { searchParams } = new URL(request.path, server.origin);
    assert.deepEqual([searchParams.get("wa"), searchParams.get("wreply")], ["wsignout1.0", callback]);
    assert.equal(tokenRequests().length, 1, "there is nothing to revoke at");
    await page.evaluate(
      async ([profile, given]) => (globalThis.client = await openProvider(profile, given)),
      [PROFILE, options],
    );
    assert.equal(await status(page), "anonymous");
  }),
);

test(
  "row 5: an API call has the token and no cookie; a 401 is followed by one refresh and one retry",
  suite.withPage(async ({ page, context }) => {
    await signIn(page);
    assert.ok((await context.cookies(server.origin)).length > 0, "the browser has the server's cookie");
    server.expireTokens();
    assert.equal((await call(page, ENTRY)).status, 200);
    assert.deepEqual(
      apiCalls().map((one) => one.status),
      [401, 200],
    );
    assert.equal(refreshes().length, 1);
    for (const { headers } of apiCalls()) {
      assert.equal(headers.cookie, undefined);
      assert.match(headers.authorization, /^Bearer /);
    }
  }),
);

test(
  "row 5: a 403 and a 429 are the caller's, at once; another origin gets nothing",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    server.flags.forbid = 1;
    assert.equal((await call(page, ENTRY)).status, 403);
    server.flags.throttle = 1;
    assert.equal((await call(page, ENTRY)).status, 429);
    assert.equal(apiCalls().length, 2);
    assert.equal(refreshes().length, 0);
    const before = suite.seen("page").length;
    assert.equal((await call(page, suite.url("config.json"))).code, "origin_not_allowed");
    assert.equal((await call(page, `${server.origin}/repositoryX/v2/Repositories`)).code, "origin_not_allowed");
    assert.equal(suite.seen("page").length, before);
  }),
);

/** What a Web App, a Service App and their keys look like. */
const SECRETS = {
  "the secret of a web app": "Secret 4f8a0b7c9d1e2f3a4b5c6d7e8f901234",
  "an access key": Buffer.from(
    JSON.stringify({ customerId: "1", clientId: "2", domain: "laserfiche.com", jwk: { kty: "EC", d: "x" } }),
  ).toString("base64"),
  "a service principal's assertion": `e30.${Buffer.from(JSON.stringify({ client_id: "2", client_secret: "x" })).toString("base64url")}.c2ln`,
};

test(
  "row 8: web and service apps are refused: client secret, service principal key, access key, authorization key",
  suite.withPage(async ({ page }) => {
    await suite.open(page);
    for (const [name, secret] of Object.entries(SECRETS)) {
      const credential = { scheme: "apiKey", header: "Authorization", value: secret };
      const refused = await withCredential(page, credential, server.origin);
      assert.equal(refused.code, "credential_refused", name);
      assert.ok(!refused.message.includes(secret));
    }
    for (const option of ["clientSecret", "client_secret", "servicePrincipalKey", "accessKey", "authorization_key"]) {
      const { code } = await page.evaluate(
        ([profile, name]) => refusal(() => openProvider(profile, { [name]: "x" })),
        [PROFILE, option],
      );
      assert.equal(code, "credential_refused", option);
    }
    // Nor does a client that is signed in take one along.
    await signIn(page);
    const before = server.log.length;
    const body = "grant_type=client_credentials&client_secret=4f8a0b7c9d1e2f3a";
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const inits = Object.values(SECRETS).map((authorization) => ({ headers: { authorization } }));
    for (const init of [...inits, { method: "POST", body, headers: form }]) {
      const refused = await call(page, ENTRY, init);
      assert.equal(refused.code, "credential_refused", JSON.stringify(init));
      assert.doesNotMatch(refused.message, /4f8a0b7c/);
    }
    assert.equal(server.log.length, before);
  }),
);

test(
  "case 1: the challenge is that of RFC 7636, appendix B, for the verifier that follows",
  suite.withPage(async ({ page }) => {
    const s256 = (verifier) => createHash("sha256").update(verifier).digest("base64url");
    assert.equal(s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    await signIn(page);
    const { code_verifier: verifier } = form(tokenRequests()[0]);
    assert.match(verifier, /^[\w.~-]{43,128}$/);
    assert.equal(authorizeRequest().get("code_challenge"), s256(verifier));
  }),
);

test(
  "case 2: two calls that get a 401 at once make one refresh",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    server.expireTokens();
    const statuses = await page.evaluate(async (url) => {
      const answers = await Promise.all([client.fetch(url), client.fetch(url)]);
      return answers.map(({ status }) => status);
    }, ENTRY);
    assert.deepEqual(statuses, [200, 200]);
    assert.equal(refreshes().length, 1);
  }),
);

test(
  "case 2: two tabs make one refresh",
  suite.withPage(async ({ page, context }) => {
    const options = { storage: "localStorage" };
    await signIn(page, options);
    const second = await context.newPage();
    await suite.open(second);
    await second.evaluate(
      async ([profile, given]) => (globalThis.client = await openProvider(profile, given)),
      [PROFILE, { ...options, scope: ALL }],
    );
    server.expireTokens();
    const [one, two] = await Promise.all([call(page, ENTRY), call(second, ENTRY)]);
    assert.deepEqual([one.status, two.status], [200, 200]);
    assert.equal(refreshes().length, 1);
  }),
);

test(
  "case 2: an answer that was lost is found out at the next attempt: signed out, said once",
  suite.withPage(async ({ page, complaints }) => {
    await signIn(page);
    const counted = await count(page, "sessionExpired");
    server.flags.loseAnswers = 1;
    const codes = await page.evaluate(async () => {
      const tries = [];
      while (tries.length < 3 && client.state.status === "authenticated") {
        const { code } = await outcome(client.getToken({ forceRefresh: true }));
        tries.push(code);
      }
      return tries;
    });
    assert.equal(codes.at(-1), "session_expired");
    assert.deepEqual(await page.evaluate(() => client.state), { status: "anonymous", reason: "session_expired" });
    assert.equal(await counted(), 1);
    assert.equal(refreshes().length, 2, "once for the loss, once to find out");
    assert.match(complaints.splice(0).join(), /^[^,]*Failed to load resource[^,]*$/);
  }),
);

testInBoth(
  "case 7: a callback that names another domain, or another state or none, is refused before any request",
  suite.withPage(async ({ page }) => {
    server.flags.domain = "evil.example";
    await answerAt(page, suite, PROFILE, { scope: ALL });
    assert.equal((await handleAt(page, PROFILE, { scope: ALL })).code, "invalid_callback");
    server.flags.domain = null;
    for (const change of [
      (url) => url.searchParams.delete("state"),
      (url) => url.searchParams.set("state", "x".repeat(43)),
    ]) {
      const url = new URL(await answerAt(page, suite, PROFILE, { scope: ALL }));
      change(url);
      await page.goto(url.href);
      const { code } = await handleAt(page, PROFILE, { scope: ALL });
      assert.match(code, /^(state_mismatch|invalid_callback|transaction_not_found|not_mine)$/);
      assert.equal(await status(page), "anonymous");
    }
    assert.equal(tokenRequests().length, 0);
  }),
);

test(
  "case 10: a server that writes bearer in small letters gets Bearer",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    assert.equal(JSON.parse(tokenRequests()[0].body).token_type, "bearer");
    await call(page, ENTRY);
    assert.match(apiCalls()[0].headers.authorization, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
  }),
);

test(
  "case 13: invalid_grant at 401 with a body that says 400 is a dead refresh token",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    await page.evaluate(() => client.getToken({ forceRefresh: true }));
    const [{ sent }] = refreshes();
    await fetch(`${server.origin}/oauth/token`, { method: "POST", body: new URLSearchParams(sent) });
    const { body, status: http } = tokenRequests().at(-1);
    assert.deepEqual([http, JSON.parse(body).status, JSON.parse(body).error], [401, 400, "invalid_grant"]);
    server.expireTokens();
    const { code } = await call(page, ENTRY);
    assert.equal(code, "session_expired");
    assert.equal(await status(page), "anonymous");
  }),
);
