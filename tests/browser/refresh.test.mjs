// Fresh access tokens (RFC 6749 6) from a server that rotates its refresh tokens: once, for all who wait.

import assert from "node:assert/strict";
import { after } from "node:test";

import { BRIEF } from "./full-server.mjs";
import { form, isDown, isOfBrowser, openFullSuite, signInOnProbe } from "./full-suite.mjs";
import { ALL, BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);
const testEverywhere = testIn(suite, ALL);
const testOnPage = testIn(suite, ["page"]);

const REFRESH = { clientId: "refresh" };
const refreshes = () => suite.tokenRequests().filter((request) => form(request).grant_type === "refresh_token");
const answers = () => suite.tokenRequests().map(({ body }) => JSON.parse(body));

/** Counts an event from now on. */
const count = (page, event) =>
  page.evaluate((name) => {
    globalThis.counted = 0;
    client.on(name, () => (globalThis.counted += 1));
  }, event);

testEverywhere(
  "a forced refresh gives another token, and the rotated refresh token is used next",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    await count(page, "tokenRefreshed");
    for (let round = 0; round < 3; round += 1) await page.evaluate(() => client.getToken({ forceRefresh: true }));
    const sent = refreshes().map((request) => form(request).refresh_token);
    const issued = answers().map(({ refresh_token: token }) => token);
    assert.deepEqual(sent, issued.slice(0, 3));
    assert.equal(new Set(issued).size, 4, "the server rotates");
    assert.equal(await page.evaluate(() => globalThis.counted), 3);
    assert.equal(form(refreshes()[0]).client_id, "refresh");
    assert.equal(new Set(answers().map(({ access_token: token }) => token)).size, 4);
  }),
);

test(
  "twenty calls at once are one refresh",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    const tokens = await page.evaluate(() =>
      Promise.all(Array.from({ length: 20 }, () => client.getAccessToken({ forceRefresh: true }))),
    );
    assert.equal(new Set(tokens).size, 1);
    assert.equal(refreshes().length, 1);
  }),
);

testOnPage(
  "where there are no Web Locks, twenty calls at once are one refresh all the same, and the next spends what it brought",
  suite.withPage(async ({ page }) => {
    // As on a page of plain HTTP.
    await page.addInitScript(() => delete Navigator.prototype.locks);
    await signInOnProbe(page, suite, { ...REFRESH, storage: "localStorage" });
    const tokens = await page.evaluate(async () => {
      if ("locks" in navigator) throw new Error("there are locks");
      const force = () => client.getAccessToken({ forceRefresh: true });
      return [...(await Promise.all(Array.from({ length: 20 }, force))), await force()];
    });
    assert.equal(new Set(tokens).size, 2);
    const sent = refreshes().map((request) => form(request).refresh_token);
    const issued = answers().map(({ refresh_token: token }) => token);
    assert.deepEqual(sent, issued.slice(0, 2));
  }),
);

test(
  "aborting one call leaves the refresh to the others",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    const { aborted, token, reason } = await page.evaluate(async () => {
      const controller = new AbortController();
      const ending = globalThis.outcome(client.getToken({ forceRefresh: true, signal: controller.signal }));
      const other = client.getToken({ forceRefresh: true });
      controller.abort("the person changed their mind");
      const early = client.getToken({ signal: AbortSignal.abort() });
      const reason = await globalThis.outcome(early);
      return { aborted: await ending, token: await other, reason };
    });
    assert.deepEqual([aborted.code, aborted.phase], ["aborted", "token"]);
    assert.equal(reason.code, "aborted");
    assert.ok(token.accessToken);
    assert.equal(refreshes().length, 1);
  }),
);

test(
  "a token is renewed before it runs out, without a call",
  suite.withPage(async ({ page }) => {
    // That of a worker takes its time: thirty seconds, before which nobody renews without being asked.
    const isOurClock = suite.mode === "page";
    if (isOurClock) await page.clock.install();
    await signInOnProbe(page, suite, { clientId: "brief" });
    const before = await page.evaluate(() => {
      globalThis.renewed = new Promise((resolve) => client.on("tokenRefreshed", resolve));
      return client.state.expiresAt;
    });
    if (isOurClock) await page.clock.fastForward("00:31");
    const { expiresAt: after } = await page.evaluate(() => globalThis.renewed);
    assert.ok(after > before);
    assert.equal(refreshes().length, 1);
    assert.equal(await page.evaluate(() => client.state.status), "authenticated");
  }),
);

testOnPage(
  "a page that is seen, shown, online or in focus again looks at once what has become of its session",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { ...REFRESH, storage: "localStorage" });
    const [key, record] = await page.evaluate(() => Object.entries(localStorage).find(([name]) => name.includes(":session:")));
    for (const event of ["visibilitychange", "pageshow", "online", "focus"]) {
      for (const [status, text] of [["anonymous", ""], ["authenticated", record]]) {
        await page.evaluate(
          ([name, item, value]) => {
            // A page is not told of what it writes itself.
            if (value) localStorage.setItem(item, value);
            else localStorage.removeItem(item);
            (name === "visibilitychange" ? document : globalThis).dispatchEvent(new Event(name));
          },
          [event, key, text],
        );
        const shows = page.waitForFunction((wanted) => client.state.status === wanted, status, { polling: 20, timeout: 5_000 });
        await shows.catch(() => assert.fail(`${event}: not ${status}`));
      }
    }
    assert.equal(refreshes().length, 0);
  }),
);

test(
  "refresh: { auto: false } waits for a call, which then gets a fresh token",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { clientId: "brief", refresh: { auto: false } });
    await page.waitForFunction(() => client.state.status !== "authenticated" || client.state.expiresAt < Date.now());
    assert.equal(refreshes().length, 0);
    const { status } = await page.evaluate((url) => globalThis.outcome(client.fetch(url)), suite.apiUrl("/notes"));
    assert.equal(status, 200);
    assert.equal(refreshes().length, 1);
  }),
);

test(
  "minValiditySec asks for another one in time",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    await page.evaluate(() => client.getToken({ minValiditySec: 60 }));
    assert.equal(refreshes().length, 0);
    await page.evaluate(() => client.getToken({ minValiditySec: 601 }));
    assert.equal(refreshes().length, 1);
    assert.ok(BRIEF < 60);
  }),
);

test(
  "invalid_grant ends the session: session_expired, and nothing left of it",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    const [{ refresh_token: token }] = answers();
    // Behind the client's back: the server sees a refresh token used twice, and revokes the grant.
    const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: token, client_id: "refresh" });
    assert.equal((await fetch(`${suite.demo.issuer}/token`, { method: "POST", body })).status, 200);
    await count(page, "sessionExpired");
    const { outcome, state, later } = await page.evaluate(async () => {
      const outcome = await globalThis.outcome(client.getToken({ forceRefresh: true }));
      const later = await globalThis.outcome(client.getAccessToken());
      return { outcome, later, state: client.state };
    });
    assert.deepEqual([outcome.code, outcome.oauthError], ["session_expired", "invalid_grant"]);
    assert.deepEqual(state, { status: "anonymous", reason: "session_expired" });
    assert.ok(["session_expired", "not_signed_in"].includes(later.code), later.code);
    assert.equal(await page.evaluate(() => globalThis.counted), 1);
  }),
);

test(
  "a server that is down ends nothing: the token at hand serves on, and the state says stale",
  suite.withPage(async ({ page, complaints }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.intercept("/token", isDown);
    const { deferred, token, state } = await page.evaluate(async () => {
      const heard = new Promise((resolve) => client.on("refreshDeferred", resolve));
      const token = await client.getToken({ minValiditySec: 3600 });
      const { retryAt, cause } = await heard;
      return { token, deferred: { later: retryAt > Date.now(), code: cause.code }, state: client.state };
    });
    assert.deepEqual(deferred, { later: true, code: "server_error" });
    assert.ok(token.accessToken);
    assert.deepEqual([state.status, state.stale], ["authenticated", true]);
    assert.ok(complaints.splice(0).every(isOfBrowser));
    assert.equal(suite.tokenRequests().filter(({ status }) => status === 503).length, 1);
    suite.intercept("/token");
    const stale = await page.evaluate(async () => {
      await client.getToken({ forceRefresh: true });
      return client.state.stale;
    });
    assert.equal(stale, false);
  }),
);

test(
  "signing out during a refresh leaves nobody signed in",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    const { code, status } = await page.evaluate(async () => {
      const refresh = globalThis.outcome(client.getToken({ forceRefresh: true }));
      await client.signOutLocal();
      return { ...(await refresh), status: client.state.status };
    });
    assert.equal(status, "anonymous");
    assert.ok(["aborted", "not_signed_in"].includes(code), code);
  }),
);
