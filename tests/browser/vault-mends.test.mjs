// The worker and its pages when things cross: an end before the beginning, a sign-out while a page opens, another person,
// another worker of the same client, several pages that lose one worker.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { everything } from "./full-server.mjs";
import { authorizationResponse, handleCallback, openSuite, PROBE, signInOnProbe } from "./harness.mjs";
import { StrictApi } from "./strict-api.mjs";

const api = new StrictApi();
const suite = await openSuite({ extend: everything, api: (origins) => api.listener(origins) }, "wardkey/worker");
after(() => suite.close());

const calls = () => suite.seen("api").filter(({ method }) => method !== "OPTIONS");
const notes = () => `${suite.demo.apiUrl}/notes`;

async function openTab(context, options) {
  const page = await context.newPage();
  await page.goto(suite.url(PROBE));
  await page.evaluate(async (given) => (globalThis.client = await globalThis.openClient(given)), options);
  return page;
}

const status = (page) => page.evaluate(() => client.state.status);
const settled = (page, wanted) => page.waitForFunction((it) => client.state.status === it, wanted, { polling: 20 });

/** Puts into each page: `globalThis.asks`, the messages that it sends; `globalThis.change` may change one, or hold it back. */
const watchAsks = (context) =>
  context.addInitScript(() => {
    globalThis.asks = [];
    const { postMessage } = MessagePort.prototype;
    MessagePort.prototype.postMessage = function (message, ...rest) {
      globalThis.asks.push(message);
      const post = () => postMessage.call(this, message, ...rest);
      if (globalThis.change?.(message, post) !== "held") post();
    };
  });

test(
  "a request that is aborted in the tick of its call is never sent",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    const codes = await page.evaluate(async (url) => {
      const codes = [];
      for (const init of [{}, { method: "POST", body: "pay=1" }]) {
        const controller = new AbortController();
        const outcome = globalThis.outcome(client.fetch(url, { ...init, signal: controller.signal }));
        controller.abort();
        codes.push((await outcome).code);
      }
      // Sent after those, it arrives after them.
      await client.fetch(`${url}?last`);
      return codes;
    }, notes());
    assert.deepEqual(codes, ["aborted", "aborted"]);
    assert.deepEqual(calls().map(({ path }) => path.endsWith("?last")), [true]);
  }),
);

test(
  "a page that opens while somebody signs out shows no session",
  suite.withPage(async ({ page, context }) => {
    const options = { transactionStorage: "sessionStorage" };
    await signInOnProbe(page, suite, options);
    await watchAsks(context);
    const other = await context.newPage();
    await other.goto(suite.url(PROBE));
    await other.evaluate((given) => {
      globalThis.change = (message, post) => {
        if (message[2] !== "adopt") return "sent";
        globalThis.release = post;
        return "held";
      };
      globalThis.opening = globalThis.openClient(given).then((client) => (globalThis.client = client));
    }, options);
    await other.waitForFunction(() => globalThis.release, undefined, { polling: 20 });
    await page.evaluate(() => client.signOutLocal());
    const opened = await other.evaluate(async () => {
      globalThis.release();
      const { state } = await globalThis.opening;
      return state.status;
    });
    assert.equal(opened, "anonymous");
  }),
);

test(
  "what a page asks for in one person's name is not done in another's",
  suite.withPage(async ({ page, context }) => {
    await watchAsks(context);
    await signInOnProbe(page, suite);
    const outcomes = await page.evaluate(async (url) => {
      // As if this page had not heard yet that alice has come after bob.
      globalThis.asks.length = 0;
      globalThis.change = (message) => void (globalThis.as && (message[4] = globalThis.as));
      const tries = () => Promise.all([client.fetch(url), client.getToken()].map(globalThis.outcome));
      const own = await tries();
      const named = globalThis.asks.map(([, , , , sub]) => sub);
      globalThis.as = "bob";
      const others = [...(await tries()), await globalThis.outcome(client.userInfo())];
      return [named, ...[own, others].map((some) => some.map(({ code }) => code ?? "done"))];
    }, notes());
    assert.deepEqual(outcomes, [["alice", "alice"], ["done", "done"], ["aborted", "aborted", "aborted"]]);
    assert.equal(calls().length, 1);
    assert.equal(await status(page), "authenticated");
  }),
);

test(
  "a sign-out reaches the workers of the same client with other options; one with its keys in another order is the same",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite, { refresh: { leewaySec: 31 } });
    const other = await context.newPage();
    await signInOnProbe(other, suite, { refresh: { leewaySec: 32 } });
    const reordered = await openTab(context, { restore: undefined, refresh: { leewaySec: 32 }, scope: undefined });
    assert.equal(await status(reordered), "anonymous", "an option less is another worker");
    const same = await context.newPage();
    await same.goto(suite.url(PROBE));
    const shown = await same.evaluate(async () => {
      const { issuer, clientId, scope, apiUrl } = await (await fetch("/config.json")).json();
      const redirectUri = `${location.origin}/probe.html`;
      const options = { refresh: { leewaySec: 32 }, restore: "none", redirectUri, api: apiUrl, scope, clientId, issuer };
      return (globalThis.client = await createAuthClient(options)).state.status;
    });
    assert.equal(shown, "authenticated");
    const { searchParams } = new URL(suite.seen("as", "/auth?")[0].path, suite.demo.issuer);
    await other.evaluate((name) => {
      globalThis.told = [];
      globalThis.bus = new BroadcastChannel(name);
      globalThis.bus.onmessage = ({ data }) => told.push(data);
    }, `wardkey:${searchParams.get("state").slice(0, 8)}`);
    await page.evaluate(() => client.signOutLocal());
    await Promise.all([settled(other, "anonymous"), settled(same, "anonymous")]);
    // And it does not come back as another sign-out to who signs in again.
    await signInOnProbe(page, suite, { refresh: { leewaySec: 31 } });
    assert.deepEqual([await status(page), await status(other)], ["authenticated", "anonymous"]);
    assert.deepEqual(await other.evaluate(() => told), ["ended"]);
    // Nor does who says that there was one make it another, not even for a worker that is newer than it.
    await signInOnProbe(same, suite, { refresh: { leewaySec: 33 } });
    await other.evaluate(() => globalThis.bus.postMessage("ended"));
    for (const tab of [page, same]) {
      await tab.evaluate((url) => client.fetch(url), notes());
      assert.equal(await status(tab), "authenticated");
    }
  }),
);

test(
  "what is no plain JSON in the options, or kept by the tab, is said or passed over",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    const outcomes = await page.evaluate(async () => {
      const cycle = {};
      cycle.cycle = cycle;
      const open = async (options) => (await globalThis.outcome(globalThis.openClient(options))).code ?? "opened";
      const refused = [await open({ extraParams: { n: 1n } }), await open({ extraParams: cycle })];
      const options = { transactionStorage: "sessionStorage" };
      await (await globalThis.openClient(options)).prepare();
      const key = Object.keys(sessionStorage).find((name) => name.startsWith("wardkey:1:"));
      sessionStorage.setItem(key, "[null]");
      const client = await globalThis.openClient(options);
      return [...refused, client.state.status];
    });
    assert.deepEqual(outcomes, ["invalid_configuration", "invalid_configuration", "anonymous"]);
  }),
);

test(
  "a sign-in in progress is kept by the page that began it, and by no other; once it is over, by none",
  suite.withPage(async ({ page, context }) => {
    const options = { transactionStorage: "sessionStorage" };
    const kept = (tab) =>
      tab.evaluate(() => {
        const key = Object.keys(sessionStorage).find((name) => name.startsWith("wardkey:1:"));
        return JSON.parse(sessionStorage.getItem(key ?? "") ?? "[]").map(({ state }) => state);
      });
    const begin = (tab) =>
      tab.evaluate(async () => {
        await client.prepare();
        return client.createAuthorizeUrl().state;
      });
    await page.goto(suite.url(PROBE));
    await page.evaluate(async (given) => (globalThis.client = await globalThis.openClient(given)), options);
    const other = await openTab(context, options);
    const state = await begin(page);
    const another = await begin(other);
    const [here, there] = [await kept(page), await kept(other)];
    assert.deepEqual([here.includes(state), here.includes(another)], [true, false]);
    assert.deepEqual([there.includes(state), there.includes(another)], [false, true]);
    const used = new URL(await authorizationResponse(page, suite, {}, options)).searchParams.get("state");
    assert.ok((await kept(page)).includes(used));
    assert.equal((await handleCallback(page, { options })).sub, "alice");
    assert.ok(!(await kept(page)).includes(used));
  }),
);

test(
  "a worker that three pages lose is one grant: one of them asks the server, for all",
  suite.withPage(async ({ page, context }) => {
    const options = { restore: "auto", silentRedirectUri: suite.url("silent.html") };
    await signInOnProbe(page, suite, options);
    const others = [await openTab(context, options), await openTab(context, options)];
    for (const other of others) await settled(other, "authenticated");
    const grants = suite.tokenRequests().length;
    const session = await context.browser().newBrowserCDPSession();
    const { targetInfos } = await session.send("Target.getTargets", { filter: [{}] });
    const [{ targetId }] = targetInfos.filter(({ type }) => type === "shared_worker");
    for (const tab of [page, ...others]) {
      await tab.evaluate(() => {
        globalThis.states = [];
        client.subscribe((state) => states.push(state.status));
      });
    }
    await session.send("Target.closeTarget", { targetId });
    for (const tab of [page, ...others]) {
      await tab.waitForFunction(() => states.includes("loading") && states.at(-1) === "authenticated", undefined, { polling: 20 });
    }
    assert.equal(suite.tokenRequests().length - grants, 1);
  }),
);

test(
  "the engine in a worker knows whether anybody sees a page of its own",
  suite.withPage(async ({ page, context }) => {
    const options = { workerUrl: "/trapping-vault.js" };
    const stranger = await context.newPage();
    await stranger.goto(suite.url(PROBE));
    const isHidden = () =>
      stranger.evaluate(
        () =>
          new Promise((resolve) => {
            const bus = new BroadcastChannel("hidden");
            bus.onmessage = ({ data }) => (bus.close(), resolve(data));
            bus.postMessage("?");
          }),
      );
    await page.goto(suite.url(PROBE));
    await page.evaluate(async (given) => (globalThis.client = await globalThis.openClient(given)), options);
    assert.equal(await isHidden(), false);
    const show = (visibility) =>
      page.evaluate(async (value) => {
        Object.defineProperty(document, "visibilityState", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        // Answered after that has come to the worker.
        await client.hasScope("openid");
      }, visibility);
    await show("hidden");
    assert.equal(await isHidden(), true);
    await show("visible");
    assert.equal(await isHidden(), false);
    await show("hidden");
    const other = await openTab(context, options);
    assert.equal(await isHidden(), false, "another one is seen");
    await other.evaluate(() => client.dispose());
    while (!(await isHidden()));
  }),
);
