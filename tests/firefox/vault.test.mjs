// The vault in Firefox, whose SharedWorker does not outlast its pages: sign-ins in progress are in the page's storage, and
// nothing else is; a reload asks the server again, unless another tab is there.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { everything } from "../browser/full-server.mjs";
import { PROBE, startServers } from "../browser/harness.mjs";
import { openFirefox, openPage } from "./firefox.mjs";

const servers = await startServers({ extend: everything }, "wardkey/worker");
const firefox = await openFirefox();
after(() => Promise.all([firefox.close(), servers.close()]));

const { demo, exchanges } = servers;
const url = (path = "") => new URL(path, demo.pageUrl).href;
const asked = () => exchanges.filter(({ server }) => server === "as").length;
const tokenAnswers = () =>
  exchanges.filter(({ server, method, path }) => server === "as" && method === "POST" && path === "/token").map(({ body }) => JSON.parse(body));

const withPage = (body) =>
  firefox.withPage((tab) => {
    exchanges.length = 0;
    return body(tab);
  });

const press = (page, words) => page.locator(`::-p-xpath(//button[normalize-space()="${words}"])`).click();

/** Answers login and consent. */
async function answer(page) {
  await page.locator("[name=username]").fill("alice");
  await page.locator("[name=password]").fill("wonderland");
  await press(page, "Sign in");
  await press(page, "Allow");
}

/** Opens the probe page with a client, `globalThis.client`; what it is like at once. */
async function open(page, options = {}) {
  await page.goto(url(PROBE));
  return page.evaluate(async (given) => {
    globalThis.client = await globalThis.openClient(given);
    return { isolation: client.isolation, status: client.state.status, sub: client.getUser()?.sub };
  }, options);
}

/** Signs alice in by redirect; what was stored on the way. */
async function signIn(page, options = {}) {
  await open(page, options);
  await page.evaluate(() => void client.signIn());
  await page.waitForFunction(() => document.querySelector("[name=password]"));
  await answer(page);
  await page.waitForFunction(() => /[?&]state=/.test(location.search) && globalThis.openClient);
  const kept = await stored(page);
  const outcome = await page.evaluate(async (given) => {
    globalThis.client = await globalThis.openClient(given);
    const { user, code } = await globalThis.outcome(client.handleCallback());
    return { sub: user?.sub, code, query: location.search };
  }, options);
  assert.deepEqual(outcome, { sub: "alice", code: undefined, query: "" });
  return kept;
}

/** All that script can read from the browser's stores. */
const stored = (page) =>
  page.evaluate(async () =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, await indexedDB.databases(), await caches.keys()]),
  );

const callApi = (page) =>
  page.evaluate(async () => {
    const { apiUrl } = await (await fetch("/config.json")).json();
    const { status, body, code } = await outcome(client.fetch(`${apiUrl}/notes`));
    return [status ?? code, body?.owner];
  });

const SIGNED_IN = { isolation: "shared", status: "authenticated", sub: "alice" };

test(
  "a sign-in by redirect keeps what it needs in sessionStorage until it is done; another tab has the session without a request",
  withPage(async ({ page, context, complaints }) => {
    const kept = await signIn(page);
    assert.match(kept, /"wardkey:1:/);
    assert.match(kept, /verifier/);
    const left = await stored(page);
    assert.doesNotMatch(left, /verifier/);
    const [{ access_token: token }] = tokenAnswers();
    assert.ok(!left.includes(token.split(".")[2]));
    assert.deepEqual(await callApi(page), [200, "alice"]);

    const before = asked();
    const other = await openPage(context, complaints);
    assert.deepEqual(await open(other), SIGNED_IN);
    assert.deepEqual(await callApi(other), [200, "alice"]);
    assert.deepEqual(await open(page), SIGNED_IN, "a reload, while there is another tab");
    // The API asks for the server's keys, and nobody else for anything.
    assert.equal(asked(), before);

    await other.evaluate(() => client.signOutLocal());
    await page.waitForFunction(() => client.state.status === "anonymous", { timeout: 1_000, polling: 20 });
    assert.deepEqual(await callApi(page), ["not_signed_in", undefined]);
  }),
);

test(
  "the reload of the only tab ends the worker, and the session comes back by a hidden frame",
  withPage(async ({ page }) => {
    const options = { restore: "auto", silentRedirectUri: url("silent.html") };
    await signIn(page, options);
    const { isolation } = await open(page, options);
    assert.equal(isolation, "shared");
    await page.waitForFunction(() => client.state.status === "authenticated");
    assert.equal(exchanges.filter(({ path }) => path.startsWith("/silent.html")).length, 1);
    assert.deepEqual(await callApi(page), [200, "alice"]);
    assert.doesNotMatch(await stored(page), /verifier/);
  }),
);

test(
  "a popup opens in the tick of the call with a URL that was minted ahead",
  withPage(async ({ page }) => {
    await open(page);
    const opened = new Promise((resolve) => page.once("popup", resolve));
    const first = await page.evaluate(async () => {
      await client.prepare();
      const original = globalThis.open;
      let first;
      globalThis.open = (...parameters) => original(...((first = parameters), parameters));
      globalThis.ended = globalThis.outcome(client.signInPopup());
      return first[0]; // Still in the tick of the call.
    });
    assert.equal(new URL(first).origin, demo.issuer);
    const popup = await opened;
    await answer(popup);
    await popup.waitForFunction(() => /[?&]state=/.test(location.search) && globalThis.openClient);
    const closed = new Promise((resolve) => popup.once("close", resolve));
    await popup.evaluate(async () => void (await globalThis.openClient()).handleCallback());
    assert.equal((await page.evaluate(() => globalThis.ended)).user.sub, "alice");
    await closed;
    assert.deepEqual(await callApi(page), [200, "alice"]);
    assert.equal(tokenAnswers().length, 1);
  }),
);

test(
  "exposeAccessToken: false keeps the token from the page, which can use it all the same",
  withPage(async ({ page }) => {
    await page.evaluateOnNewDocument(() => {
      globalThis.heard = [];
      const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data");
      Object.defineProperty(MessageEvent.prototype, "data", {
        get() {
          const data = get.call(this);
          heard.push(JSON.stringify(data));
          return data;
        },
      });
    });
    await signIn(page, { exposeAccessToken: false });
    const codes = await page.evaluate(async () => {
      const asked = [client.getAccessToken(), client.getToken(), client.createFetch({ api: location.origin })("/config.json")];
      return (await Promise.all(asked.map(outcome))).map(({ code }) => code);
    });
    assert.deepEqual(codes, ["credential_refused", "credential_refused", "origin_not_allowed"]);
    assert.deepEqual(await callApi(page), [200, "alice"]);
    const [{ access_token: token }] = tokenAnswers();
    const heard = await page.evaluate(() => globalThis.heard.join());
    assert.match(heard, /"alice"/, "what the worker says is heard");
    assert.ok(!heard.includes(token.split(".")[2]));
  }),
);
