// Shift iQ: a bearer token that somebody typed in, the cookie session, and secrets, which are refused.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startShiftIq } from "../providers/shiftiq.mjs";
import { everythingStored } from "./harness.mjs";
import { call, openProviderSuite, status, withCredential } from "./provider-suite.mjs";

const SECRET = "4f8a0b7c9d1e2f3a4b5c6d7e8f901234";
const suite = await openProviderSuite(({ pageUrl, observe }) =>
  startShiftIq({ origins: [pageUrl], secrets: { [SECRET]: { user: "dev@example.com" } }, observe }),
);
after(() => suite.close());

const { server } = suite;
const API = server.baseUrl;
const INTROSPECT = `${API}/security/tokens/introspect`;
const HEALTH = `${API}/diagnostic/health`;
const COOKIE = "InSite.WebToken";

const asked = (path) => suite.asked(`/api/security/${path}`);
const bySession = (page, csrf) =>
  page.evaluate(
    async ([baseUrl, signInUrl, csrf]) => {
      globalThis.client = await createCookieSession({ ...shiftiq({ baseUrl, ...csrf }), signInUrl });
      return client.state;
    },
    [API, `${server.origin}/ui/lobby/signin`, csrf],
  );
const byCredential = (page, credential) => withCredential(page, credential, API);

/** Leaves for the sign-in page, which answers at once, and takes the session up. */
async function signIn(page) {
  await suite.open(page);
  await bySession(page);
  const back = page.waitForEvent("load");
  await page.evaluate(() => void client.signIn());
  await back;
  return bySession(page);
}

test(
  "row 16: a bearer token that somebody typed in: exactly Bearer, no cookie, in memory alone; a 401 is the caller's",
  suite.withPage(async ({ page, context }) => {
    await context.addCookies([{ name: COOKIE, value: "other", url: server.origin, httpOnly: true }]);
    await suite.open(page);
    const token = server.token("dev@example.com", 600);
    await byCredential(page, { scheme: "bearer", token });
    assert.equal((await call(page, INTROSPECT)).status, 200);
    const [{ headers }] = asked("tokens/introspect");
    assert.deepEqual([headers.authorization, headers.cookie], [`Bearer ${token}`, undefined]);
    assert.ok(!(await everythingStored(page)).includes(token));
    server.clock.advance(600);
    const late = await call(page, INTROSPECT);
    assert.deepEqual([late.status, late.body.Status, late.body.Title], [401, 401, "Unauthorized"]);
    assert.equal(asked("tokens/introspect").length, 2, "asked once more, not twice");
  }),
);

test(
  "row 17: sign-in by navigation; calls with the cookie and without a header; who it is, but not the cookie",
  suite.withPage(async ({ page, context }) => {
    const state = await signIn(page);
    assert.deepEqual([state.status, state.user.claims.UserEmail], ["authenticated", "alice@example.com"]);
    const { searchParams } = new URL(suite.asked("/ui/lobby/signin")[0].path, server.origin);
    assert.deepEqual([...searchParams.keys()], ["returnUrl"]);
    assert.equal(page.url(), suite.url("provider-probe.html"));
    assert.equal((await call(page, INTROSPECT.replace("tokens", "cookies"))).status, 200);
    const value = (await context.cookies(server.origin)).find(({ name }) => name === COOKIE).value;
    for (const { headers } of asked("cookies/introspect").slice(1)) {
      assert.equal(headers.authorization, undefined);
      assert.ok(headers.cookie.includes(value));
    }
    assert.ok(!JSON.stringify(await page.evaluate(() => client.state)).includes(value));
    assert.equal((await call(page, suite.url("config.json"))).code, "origin_not_allowed");
  }),
);

test(
  "row 17: refresh-session prolongs the session, logout ends it, and a 401 shows",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    server.clock.advance(3500);
    await page.evaluate(() => client.refresh());
    const [{ method, headers }] = asked("cookies/refresh-session");
    assert.deepEqual([method, headers.authorization], ["POST", undefined]);
    server.clock.advance(3500);
    assert.equal((await call(page, INTROSPECT.replace("tokens", "cookies"))).status, 200, "the new cookie");
    const prolonged = await page.evaluate(
      async (url) => (await client.fetch(url, { method: "POST" })).headers.get("X-Session-Refreshed"),
      `${API}/security/cookies/refresh-session`,
    );
    assert.match(prolonged ?? "", /^\d{4}-.* UTC$/, "another origin's page may see it");
    await page.evaluate(() => client.signOut());
    assert.equal(asked("cookies/logout")[0].method, "POST");
    assert.deepEqual(await page.evaluate(() => client.state), { status: "anonymous" });
    await signIn(page);
    server.clock.advance(3600);
    const { code } = await page.evaluate(() => outcome(client.refresh()));
    assert.equal(code, "session_expired");
    assert.equal(await status(page), "anonymous");
  }),
);

test(
  "row 17: a CSRF header is sent if given; a page of another site is refused before any request",
  suite.withPage(async ({ page }) => {
    await suite.open(page);
    await bySession(page, { csrf: { header: "X-CSRF", value: "1" } });
    assert.equal(asked("cookies/introspect")[0].headers["x-csrf"], "1");
    const before = server.log.length;
    const { code } = await page.evaluate(
      (baseUrl) => refusal(() => createCookieSession(shiftiq({ baseUrl }))),
      API.replace("localhost", "127.0.0.1"),
    );
    assert.equal(code, "invalid_configuration");
    assert.equal(server.log.length, before);
  }),
);

test(
  "row 18: the scheme Secret is refused everywhere: credential, header, JSON body",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    const before = server.log.length;
    const inits = [
      { headers: { Authorization: `Secret ${SECRET}` } },
      { method: "POST", body: JSON.stringify({ Secret: SECRET, Lifetime: 60 }) },
    ];
    const refusals = [
      await byCredential(page, { scheme: "apiKey", header: "Authorization", prefix: "Secret", value: SECRET }),
    ];
    for (const init of inits) refusals.push(await call(page, `${API}/security/tokens/generate`, init));
    for (const { code, message } of refusals) {
      assert.equal(code, "credential_refused");
      assert.ok(!message.includes(SECRET));
    }
    assert.equal(server.log.length, before);
  }),
);

test(
  "case 11: a bearer profile sends no cookies, and a cookie profile no Authorization",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    const refused = await call(page, HEALTH, { headers: { Authorization: "Bearer x" } });
    assert.equal(refused.code, "credential_refused");
    assert.equal((await call(page, HEALTH)).status, 200);
    await byCredential(page, { scheme: "bearer", token: server.token("dev@example.com") });
    assert.equal((await call(page, HEALTH, { credentials: "include" })).status, 200);
    const [byCookie, byToken] = suite.asked("/api/diagnostic/health").map(({ headers }) => headers);
    assert.deepEqual([byCookie.authorization, Boolean(byCookie.cookie)], [undefined, true]);
    assert.deepEqual([Boolean(byToken.authorization), byToken.cookie], [true, undefined]);
  }),
);

test(
  "case 12: keys, secrets and client_secret are refused by name, and never quoted",
  suite.withPage(async ({ page }) => {
    await suite.open(page);
    const key = `sk-${"0123456789abcdef".repeat(4)}`;
    const refusals = [
      await byCredential(page, { scheme: "bearer", token: key }),
      await byCredential(page, { scheme: "apiKey", header: "Authorization", value: `Secret ${SECRET}` }),
      await page.evaluate(
        ([baseUrl, clientSecret]) => refusal(() => shiftiq({ baseUrl, clientSecret })),
        [API, SECRET],
      ),
    ];
    for (const { code, message } of refusals) {
      assert.equal(code, "credential_refused");
      assert.ok(!message.includes(key) && !message.includes(SECRET));
    }
  }),
);

test(
  "case 14: a 401 without a body and one with problem details; a 403 for too many requests is retryable",
  suite.withPage(async ({ page, context }) => {
    await signIn(page);
    await context.clearCookies();
    const bare = await call(page, INTROSPECT);
    assert.deepEqual([bare.status, bare.body], [401, ""]);
    assert.equal(await status(page), "anonymous");

    await signIn(page);
    server.clock.advance(3600);
    const told = await call(page, INTROSPECT);
    assert.deepEqual([told.status, told.body.Detail], [401, "The authentication cookie expired"]);
    assert.equal(await status(page), "anonymous");

    await signIn(page);
    server.flags.throttle = 1;
    const limited = await page.evaluate(() => outcome(client.refresh()));
    assert.deepEqual([limited.code, limited.retryable, limited.status], ["rate_limited", true, 403]);
    assert.equal(await status(page), "authenticated", "which is no question of permission");
    await page.evaluate(() => client.refresh());
  }),
);
