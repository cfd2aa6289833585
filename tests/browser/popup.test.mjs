// Signing in in a popup: it opens in the tick of the call, and the response comes back by a channel.

import assert from "node:assert/strict";
import { after } from "node:test";

import { changesTo, handleCallback, logIn, openSuite, PROBE } from "./harness.mjs";
import { ALL, BOTH, testIn } from "./modes.mjs";

/** The probe page, with a policy that cuts it off from the windows that it opens. */
const ISOLATED = `${PROBE}?isolated`;

const suite = await openSuite({
  pageHeaders: { [`/${ISOLATED}`]: { "Cross-Origin-Opener-Policy": "same-origin" } },
});
after(() => suite.close());

const test = testIn(suite, BOTH);
const testEverywhere = testIn(suite, ALL);

/** The `state` of the first request that reached the server. */
const requestState = () => new URL(suite.seen("as", "/auth?")[0].path, suite.demo.issuer).searchParams.get("state");

/** Answers what the server asks in its window. */
async function answer(popup, { allow = true } = {}) {
  await logIn(popup);
  await popup.getByRole("button", { name: allow ? "Allow" : "Deny" }).click();
  await popup.waitForURL(`**/${PROBE}?*`);
}

/** The same, and then the page in the popup does what any page at the redirect URI does. */
async function finish(popup, options) {
  await answer(popup, options);
  await close(popup);
}

async function close(popup) {
  const closed = popup.waitForEvent("close");
  await popup.evaluate(async () => void (await globalThis.openClient()).handleCallback());
  await closed;
}

/** On the probe page, with a client that is ready for a sign-in with these options: a worker mints its request ahead. */
async function ready(page, path = PROBE, options) {
  await page.goto(suite.url(path));
  await page.evaluate(async (given) => {
    globalThis.client = await globalThis.openClient();
    await client.prepare(given);
  }, options);
}

/** Begins a sign-in in a popup; its outcome is `globalThis.ended`. */
async function begin(page, options) {
  const opened = page.waitForEvent("popup");
  await page.evaluate((given) => void (globalThis.ended = globalThis.outcome(client.signInPopup(given))), options);
  return opened;
}

const ended = (page) => page.evaluate(() => globalThis.ended);

/** What the client holds and has left behind. */
const left = (page) => page.evaluate(() => ({ status: client.state.status, frames: document.querySelectorAll("iframe").length }));

testEverywhere(
  "the popup opens in the tick of the call, at the server, and closes with the person signed in",
  suite.withPage(async ({ page }) => {
    await ready(page, PROBE, { appState: { tab: 3 } });
    const opened = page.waitForEvent("popup");
    const calls = await page.evaluate(() => {
      const original = globalThis.open;
      const calls = [];
      globalThis.open = (...parameters) => {
        calls.push(parameters);
        return original(...parameters);
      };
      globalThis.ended = globalThis.outcome(client.signInPopup({ appState: { tab: 3 }, features: "popup,width=300" }));
      // Still in the tick of the call.
      return calls;
    });
    assert.equal(calls.length, 1);
    assert.equal(new URL(calls[0][0]).origin, suite.demo.issuer);
    assert.equal(calls[0][2], "popup,width=300");
    const popup = await opened;
    await finish(popup);
    const { user, appState } = await ended(page);
    assert.deepEqual([user.sub, appState], ["alice", { tab: 3 }]);
    assert.equal((await left(page)).status, "authenticated");
    assert.equal(suite.tokenRequests().length, 1);
    assert.equal(page.url(), suite.url(PROBE));
  }),
);

test(
  "not prepared, it opens empty in the same tick and goes to the server later",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    await page.evaluate(async () => (globalThis.client = await globalThis.openClient()));
    const opened = page.waitForEvent("popup");
    const url = await page.evaluate(() => {
      const original = globalThis.open;
      let url;
      globalThis.open = (...parameters) => {
        url = parameters[0];
        return original(...parameters);
      };
      globalThis.ended = globalThis.outcome(client.signInPopup());
      return url;
    });
    assert.equal(url, "about:blank");
    await finish(await opened);
    assert.equal((await ended(page)).user.sub, "alice");
  }),
);

test(
  "a popup that cannot be opened is told at once",
  suite.withPage(async ({ page }) => {
    await ready(page);
    const { code, requests } = await page.evaluate(async () => {
      globalThis.open = () => null;
      const { code } = await globalThis.outcome(client.signInPopup());
      return { code, requests: client.state.status };
    });
    assert.deepEqual([code, requests], ["popup_blocked", "anonymous"]);
    assert.equal(suite.seen("as", "/auth").length, 0);
  }),
);

testEverywhere(
  "a popup that the person closes ends the call within two seconds, and the next one works",
  suite.withPage(async ({ page }) => {
    await ready(page);
    const popup = await begin(page);
    // Halfway: what is closed in the moment in which it is shown cannot be told from what a policy cuts off.
    await popup.getByLabel("Password").pressSequentially("wonderland", { delay: 80 });
    const start = Date.now();
    await popup.close();
    const { code } = await ended(page);
    assert.equal(code, "popup_closed");
    assert.ok(Date.now() - start < 2_000, `${Date.now() - start} ms`);
    assert.equal((await left(page)).status, "anonymous");
    await finish(await begin(page));
    assert.equal((await ended(page)).user.sub, "alice");
  }),
);

test(
  "a refusal of the person comes back as access_denied",
  suite.withPage(async ({ page }) => {
    await ready(page);
    const popup = await begin(page);
    await finish(popup, { allow: false });
    assert.equal((await ended(page)).code, "access_denied");
    assert.equal(suite.tokenRequests().length, 0);
  }),
);

test(
  "the caller's signal closes the popup",
  suite.withPage(async ({ page }) => {
    await ready(page);
    const opened = page.waitForEvent("popup");
    await page.evaluate(() => {
      globalThis.controller = new AbortController();
      globalThis.ended = globalThis.outcome(client.signInPopup({ signal: globalThis.controller.signal }));
    });
    const popup = await opened;
    const closed = popup.waitForEvent("close");
    await popup.getByLabel("Password").waitFor();
    await page.evaluate(() => globalThis.controller.abort());
    assert.equal((await ended(page)).code, "aborted");
    await closed;
    const early = await page.evaluate(() => globalThis.outcome(client.signInPopup({ signal: AbortSignal.abort() })));
    assert.equal(early.code, "aborted");
  }),
);

test(
  "a page that its policy cuts off from its popups (COOP: same-origin) is signed in all the same",
  suite.withPage(async ({ page, context }) => {
    await ready(page, ISOLATED);
    const opened = context.waitForEvent("page");
    await page.evaluate(() => {
      const original = globalThis.open;
      globalThis.open = (...parameters) => (globalThis.popup = original(...parameters));
      globalThis.ended = globalThis.outcome(client.signInPopup());
    });
    const popup = await opened;
    await popup.getByLabel("Password").waitFor();
    await page.waitForFunction(() => globalThis.popup.closed);
    // Longer than a popup that was really closed would be waited for.
    const early = page.evaluate(() => Promise.race([globalThis.ended, new Promise((resolve) => setTimeout(resolve, 1_500, "waiting"))]));
    assert.equal(await early, "waiting");
    await finish(popup);
    assert.equal((await ended(page)).user.sub, "alice");
    assert.equal(suite.tokenRequests().length, 1);
  }),
);

test(
  "forged messages on the channel change nothing (auth0.js CVE-2017-17068)",
  suite.withPage(async ({ page, context }) => {
    await ready(page);
    const popup = await begin(page);
    await popup.getByLabel("Password").waitFor();
    const forger = await context.newPage();
    await forger.goto(suite.url(PROBE));
    const state = requestState();
    const here = suite.url(PROBE);
    const foreign = `${state.slice(0, 9)}${"A".repeat(state.length - 9)}`;
    const messages = [
      "", "garbage", "taken", 7, null, { type: "login", token: "t" }, [`${here}?code=x&state=${state}`],
      `${here}?code=x`, `${here}?code=x&state=${foreign}`, `${here}?state=${state}`,
      `https://attacker.example/${PROBE}?code=x&state=${state}`, `${suite.url()}elsewhere?code=x&state=${state}`,
    ];
    await forger.evaluate(
      ([name, all]) => {
        const bus = new BroadcastChannel(name);
        for (const message of all) bus.postMessage(message);
        bus.close();
      },
      [`wardkey:${state}`, messages],
    );
    // What comes later on the same channel, from there, comes after those.
    await finish(popup);
    assert.equal((await ended(page)).user.sub, "alice");
    assert.equal(suite.tokenRequests().length, 1);
  }),
);

test(
  "a forged code for the right state, from a page of this origin, is worth nothing at the server",
  suite.withPage(async ({ page, context, complaints }) => {
    await ready(page);
    const popup = await begin(page);
    await popup.getByLabel("Password").waitFor();
    const forger = await context.newPage();
    await forger.goto(suite.url(PROBE));
    const state = requestState();
    const forged = `${suite.url(PROBE)}?code=x&state=${state}`;
    await forger.evaluate(([name, url]) => new BroadcastChannel(name).postMessage(url), [`wardkey:${state}`, forged]);
    // RFC 9207: the server says that it names itself, and this response does not.
    assert.equal((await ended(page)).code, "issuer_mismatch");
    assert.equal((await left(page)).status, "anonymous");
    assert.equal(suite.tokenRequests().length, 0);
    assert.deepEqual(complaints, []);
  }),
);

test(
  "a popup whose opener is gone redeems nothing, and says so",
  suite.withPage(async ({ page }) => {
    await ready(page);
    const popup = await begin(page);
    await popup.getByLabel("Password").waitFor();
    await page.goto("about:blank");
    await answer(popup);
    const { code, phase, status, query } = await handleCallback(popup);
    assert.deepEqual([code, phase], ["transaction_not_found", "callback"]);
    assert.deepEqual({ status, query }, { status: "anonymous", query: "" });
    assert.equal(suite.tokenRequests().length, 0);
  }),
);

test(
  "a code is sent once, by the opener, however long that was busy",
  suite.withPage(async ({ page, context }) => {
    // Cut off, the opener has a process of its own, so that it can be busy while the popup is not.
    await ready(page, ISOLATED);
    const opened = context.waitForEvent("page");
    await page.evaluate(() => void (globalThis.ended = globalThis.outcome(client.signInPopup())));
    const popup = await opened;
    await answer(popup);
    // A dialog stands still what it belongs to.
    const asked = page.waitForEvent("dialog");
    await page.evaluate(() => void setTimeout(() => globalThis.alert("busy")));
    const dialog = await asked;
    // Chromium connects nobody to a worker whose process is busy: the popup waits as long.
    const handled = suite.mode === "page" ? handleCallback(popup) : close(popup);
    if (suite.mode === "page") assert.equal((await handled).code, "transaction_not_found");
    assert.equal(suite.tokenRequests().length, 0);
    await dialog.accept();
    await handled;
    assert.equal((await ended(page)).user.sub, "alice");
    assert.equal(suite.tokenRequests().length, 1);
  }),
);

test(
  "the browser's own errors, which quote the URL, do not come out of a popup",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    const wrong = (text) => JSON.stringify({ ...JSON.parse(text), authorization_endpoint: "https://[:::::]/a" });
    suite.intercept("/.well-known/openid-configuration", changesTo(wrong));
    const told = await page.evaluate(async () => {
      const tell = ({ name, code, message, stack }) => ({ name, code, text: `${message} ${stack}` });
      const client = await globalThis.openClient();
      // Opened empty first, and then at the server at once.
      const late = await client.signInPopup().catch(tell);
      await client.prepare();
      return [late, await client.signInPopup().catch(tell)];
    });
    assert.equal(told.length, 2);
    for (const { name, code, text } of told) {
      assert.deepEqual([name, code], ["AuthError", "discovery_failed"]);
      assert.doesNotMatch(text, /code_challenge|state=/);
    }
  }),
);
