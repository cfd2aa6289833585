// Trouble on the way to the token endpoint: no answer of it ends a session, and the next refresh comes when it may.

import assert from "node:assert/strict";
import { after } from "node:test";

import { BRIEF, lifetimes } from "./full-server.mjs";
import { form, holdBack, openFullSuite, PROBE, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

/**
 * The lock of a shared storage, and the crash of who holds it, are no matter of a worker's (tabs.test.mjs has its twin). A
 * worker is offline as well, but what Playwright calls offline does not reach a SharedWorker.
 */
const testOnPage = testIn(suite, ["page"]);

const REFRESH = { clientId: "refresh", refresh: { auto: false } };
const refreshes = () => suite.tokenRequests().filter((request) => form(request).grant_type === "refresh_token");
const force = (page) => page.evaluate(() => globalThis.outcome(client.getToken({ forceRefresh: true })));

/** An answer in place of the token endpoint's. */
const answer = (status, headers = {}, body = "") => (_, response) => {
  const readable = { "access-control-allow-origin": "*", "access-control-expose-headers": "*" };
  response.writeHead(status, { ...readable, ...headers }).end(body);
};

/** Within the answer: a browser asks once more where there is none at all. */
function isDropped(_, response) {
  response.writeHead(200, { "access-control-allow-origin": "*", "content-length": 99 });
  response.write("{", () => response.destroy());
}

/** What goes wrong, and what is made of it: the code, and the least and the longest wait in seconds. */
const TROUBLE = [
  ["503", answer(503), "server_error", [2.5, 5]],
  ["503 and Retry-After", answer(503, { "retry-after": "60" }), "server_error", [62.5, 65]],
  ["429", answer(429), "rate_limited", [2.5, 5]],
  ["429 and Retry-After", answer(429, { "retry-after": "120" }), "rate_limited", [122.5, 125]],
  ["a connection that is dropped", isDropped, "network", [2.5, 5]],
  ["an answer that is cut off", answer(200, {}, '{"access_token":"x'), "invalid_token_response", [2.5, 5]],
];

for (const [what, trouble, code, [least, longest]] of TROUBLE) {
  testIn(suite, BOTH)(
    `${what} while refreshing keeps the session, its tokens, and its distance`,
    suite.withPage(async ({ page, complaints }) => {
      await signInOnProbe(page, suite, REFRESH);
      let asked = 0;
      suite.intercept("/token", (...exchange) => {
        asked += 1;
        trouble(...exchange);
      });
      const { refused, wait, cause, token, state } = await page.evaluate(async () => {
        const heard = new Promise((resolve) => client.on("refreshDeferred", resolve));
        const refused = await globalThis.outcome(client.getToken({ forceRefresh: true }));
        const { retryAt, cause } = await heard;
        const wait = retryAt - Date.now();
        // What is at hand serves on, and nobody is asked before the time.
        const token = await client.getToken({ minValiditySec: 3_600 });
        return { refused, wait, cause: cause.code, token, state: client.state };
      });
      assert.deepEqual([refused.code, cause], [code, code]);
      assert.ok(wait > least * 1_000 - 1_500 && wait < longest * 1_000 + 1_500, `${wait} ms`);
      assert.ok(token.accessToken);
      assert.deepEqual([state.status, state.stale], ["authenticated", true]);
      assert.equal(asked, 1);
      assert.ok(complaints.splice(0).every((text) => /Failed to load resource|blocked by CORS/.test(text)));
      suite.intercept("/token");
      const before = refreshes().length;
      // Who asks in so many words is not put off, and the grant is as good as before.
      assert.ok((await force(page)).accessToken);
      assert.equal(await page.evaluate(() => client.state.stale), false);
      assert.equal(refreshes().length, before + 1);
    }),
  );
}

testOnPage(
  "who is offline while refreshing waits for the network, and then for nothing else",
  suite.withPage(async ({ page, context, complaints }) => {
    lifetimes.refresh = BRIEF;
    await signInOnProbe(page, suite, REFRESH);
    delete lifetimes.refresh;
    await page.waitForFunction(() => client.state.expiresAt < Date.now());
    const { asked, letGo } = holdBack(page, "**/token");
    await page.evaluate((url) => void (globalThis.call = globalThis.outcome(client.fetch(url))), suite.apiUrl("/notes"));
    await asked;
    await context.setOffline(true);
    letGo();
    assert.equal((await page.evaluate(() => globalThis.call)).code, "offline");
    assert.ok(complaints.splice(0).every((text) => /ERR_INTERNET_DISCONNECTED/.test(text)));
    assert.equal(refreshes().length, 0);
    await page.unroute("**/token");
    // Some more tries, each of which would be waited for longer than the one before.
    for (const _ of "abc") assert.equal((await force(page)).code, "offline");
    complaints.length = 0;
    await page.evaluate((url) => {
      globalThis.back = new Promise((resolve) => {
        addEventListener("online", () => resolve(globalThis.outcome(client.fetch(url))));
      });
    }, suite.apiUrl("/notes"));
    await context.setOffline(false);
    const { status } = await page.evaluate(() => globalThis.back);
    assert.deepEqual([status, refreshes().length], [200, 1]);
  }),
);

testOnPage(
  "a tab that crashes while the server takes its time leaves the lock to the others, and they the session",
  suite.withPage(async ({ page, context }) => {
    const given = { ...REFRESH, storage: "localStorage" };
    await signInOnProbe(page, suite, given);
    const dying = await context.newPage();
    await dying.goto(suite.url(PROBE));
    const asked = new Promise((resolve) => void dying.route("**/token", resolve));
    await dying.evaluate(async (options) => {
      globalThis.client = await globalThis.openClient(options);
      void client.getToken({ forceRefresh: true });
    }, given);
    await asked;
    await page.evaluate(() => void (globalThis.token = globalThis.outcome(client.getToken({ forceRefresh: true }))));
    await page.waitForFunction(async () => (await navigator.locks.query()).pending.length === 1);
    const crashed = dying.waitForEvent("crash");
    const devtools = await context.newCDPSession(dying);
    // There is nobody left to answer.
    void devtools.send("Page.crash").catch(() => {});
    await crashed;
    assert.ok((await page.evaluate(() => globalThis.token)).accessToken);
    assert.equal(refreshes().length, 1);
    await dying.close();
    assert.equal(await page.evaluate(() => client.state.status), "authenticated");
  }),
);
