// Tabs that are not in front: hidden, slowed down, or frozen as a browser does with those that it has no need of and all
// of them in a sleep of the machine.

import assert from "node:assert/strict";
import { after } from "node:test";

import { BRIEF, lifetimes } from "./full-server.mjs";
import { form, openFullSuite, PROBE, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";
import { launchRealTabs } from "./real-tabs.mjs";

const suite = await openFullSuite(launchRealTabs);
after(() => suite.close());

const test = testIn(suite, BOTH);

const refreshes = () => suite.tokenRequests().filter((request) => form(request).grant_type === "refresh_token");
const notes = (page) => page.evaluate((url) => globalThis.outcome(client.fetch(url)), suite.apiUrl("/notes"));

/** Signs alice in, with a token that lives for {@link BRIEF} seconds; the next ones live long. */
async function signInBriefly(page, options) {
  lifetimes.refresh = BRIEF;
  await signInOnProbe(page, suite, { clientId: "refresh", ...options });
  delete lifetimes.refresh;
}

/** Another tab, in front of the first. */
async function openInFront(context, page) {
  const front = await context.newPage();
  await front.goto(suite.url(PROBE));
  await front.bringToFront();
  await page.waitForFunction(() => document.visibilityState === "hidden", undefined, { polling: 20 });
  return front;
}

/** Waits in a tab that runs until what another has is over. */
const waitUntil = (page, time) => page.waitForFunction((at) => Date.now() > at, time, { polling: 50 });

test(
  "a tab that was frozen while its token ran out has another before its first call, asked for once",
  suite.withPage(async ({ page, context }) => {
    await signInBriefly(page);
    const front = await openInFront(context, page);
    const expiresAt = await page.evaluate(() => {
      globalThis.woken = new Promise((resolve) => {
        const target = document;
        target.addEventListener("resume", () => resolve(globalThis.outcome(client.getToken())), { once: true });
      });
      return client.state.expiresAt;
    });
    const devtools = await context.newCDPSession(page);
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    await waitUntil(front, expiresAt);
    assert.equal(refreshes().length, 0, "it sleeps");
    await page.bringToFront();
    const { accessToken, expiresAt: fresh } = await page.evaluate(() => globalThis.woken);
    assert.ok(fresh > Date.now());
    assert.deepEqual([(await notes(page)).status, refreshes().length], [200, 1]);
    const [call] = suite.calls();
    assert.equal(call.headers.authorization, `Bearer ${accessToken}`);
    assert.equal(suite.calls().filter(({ status }) => status === 401).length, 0);
  }),
);

test(
  "a tab that was frozen has no session any more when somebody signed out meanwhile, and asks nobody",
  suite.withPage(async ({ page, context }) => {
    for (const storage of suite.mode === "page" ? ["memory", "localStorage"] : ["memory"]) {
      await signInOnProbe(page, suite, { clientId: "refresh", storage });
      const front = await openInFront(context, page);
      await signInOnProbe(front, suite, { clientId: "refresh", storage });
      // As early as an app can act that wakes.
      await page.evaluate((url) => {
        globalThis.woken = new Promise((resolve) => {
          const act = () => document.visibilityState === "visible" && resolve(globalThis.outcome(client.fetch(url)));
          document.addEventListener("visibilitychange", act);
        });
      }, suite.apiUrl("/notes"));
      const devtools = await context.newCDPSession(page);
      await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
      await front.evaluate(() => client.signOutLocal());
      const before = suite.seen("as").length;
      await page.bringToFront();
      assert.equal((await page.evaluate(() => globalThis.woken)).code, "not_signed_in", storage);
      assert.deepEqual([suite.seen("as").length, suite.calls().length], [before, 0], storage);
      await front.close();
    }
  }),
);

test(
  "a hidden tab on a slow processor keeps its session, and has a fresh token when it is called",
  suite.withPage(async ({ page, context }) => {
    await signInBriefly(page);
    const devtools = await context.newCDPSession(page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: 10 });
    const front = await openInFront(context, page);
    await waitUntil(front, await page.evaluate(() => client.state.expiresAt));
    const [answers, state] = await page.evaluate(async (url) => {
      const calls = Array.from({ length: 10 }, () => globalThis.outcome(client.fetch(url)));
      return [(await Promise.all(calls)).map(({ status }) => status), client.state.status];
    }, suite.apiUrl("/notes"));
    assert.deepEqual(answers, Array(10).fill(200));
    assert.deepEqual([state, refreshes().length], ["authenticated", 1]);
  }),
);
