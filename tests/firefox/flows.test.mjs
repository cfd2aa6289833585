// The main flows in Firefox, on the page's own thread, with the real authorization server: what Chromium shows at length.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { BRIEF, everything, lifetimes } from "../browser/full-server.mjs";
import { PROBE, startServers } from "../browser/harness.mjs";
import { openFirefox, openPage } from "./firefox.mjs";

const servers = await startServers({ extend: everything });
const firefox = await openFirefox();
after(() => Promise.all([firefox.close(), servers.close()]));

const { demo, exchanges } = servers;
const url = (path = "") => new URL(path, demo.pageUrl).href;
const seen = (server, path) => exchanges.filter((one) => one.server === server && one.path.startsWith(path));
const tokenRequests = () => seen("as", "/token").filter(({ method, path }) => method === "POST" && path === "/token");
const grants = () => tokenRequests().map(({ sent }) => new URLSearchParams(sent).get("grant_type"));

/** A test body that sees its own exchanges only. */
const withPage = (body) =>
  firefox.withPage((tab) => {
    exchanges.length = 0;
    return body(tab);
  });

const press = (page, words) => page.locator(`::-p-xpath(//button[normalize-space()="${words}"])`).click();
const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
const shows = (page, selector, words) =>
  page.waitForFunction((where, what) => document.querySelector(where)?.textContent.includes(what), {}, selector, words);

/** Answers login and consent. */
async function answer(page) {
  await page.locator("[name=username]").fill("alice");
  await page.locator("[name=password]").fill("wonderland");
  await press(page, "Sign in");
  await press(page, "Allow");
}

/** Opens the probe page with a client; in `globalThis.client`. */
async function openProbe(page, options = {}) {
  await page.goto(url(PROBE));
  await page.evaluate(async (given) => void (globalThis.client = await globalThis.openClient(given)), options);
}

/** From the probe page: leaves for the authorization server and comes back; the URL, not yet handled. */
async function authorizationResponse(page, options) {
  await openProbe(page, options);
  await page.evaluate(() => void globalThis.client.signIn());
  // Known to the server already, the person is asked nothing.
  await page.waitForFunction(() => document.querySelector("[name=password]") || /[?&]state=/.test(location.search));
  if (!/[?&]state=/.test(new URL(page.url()).search)) await answer(page);
  await page.waitForFunction(() => /[?&]state=/.test(location.search) && globalThis.openClient);
  return page.url();
}

/** On the probe page: a new client handles a response. */
const handle = (page, options = {}) =>
  page.evaluate(async (given) => {
    globalThis.client = await globalThis.openClient(given);
    const { user, code } = await globalThis.outcome(client.handleCallback());
    return { sub: user?.sub, code, status: client.state.status, query: location.search };
  }, options);

/** Signs alice in on the probe page. */
async function signInOnProbe(page, options) {
  await authorizationResponse(page, options);
  assert.deepEqual(await handle(page, options), { sub: "alice", code: undefined, status: "authenticated", query: "" });
}

test(
  "a person signs in, asks the API, reloads, is known again, and signs out",
  withPage(async ({ page }) => {
    await page.goto(url());
    await page.locator("#sign-in").click();
    await answer(page);
    await shows(page, "#signed-in-title", "Hello, Alice.");
    assert.equal(page.url(), url());
    await page.locator("#api-with").click();
    await shows(page, "#answer-outcome", "200");
    const [request] = seen("api", "/").filter(({ method }) => method === "GET");
    assert.match(request.headers.authorization, /^Bearer ey/);
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(!stored.includes(request.headers.authorization.slice("Bearer ".length)));

    await page.reload();
    await shows(page, "#signed-in-title", "Hello, Alice.");
    assert.equal(seen("page", "/silent.html").length, 1, "in a hidden frame");
    assert.equal(tokenRequests().length, 2);

    await page.locator("#sign-out").click();
    await press(page, "Yes, sign me out");
    await shows(page, "#announcement", "Signed out, here and at the sign-in server.");
    assert.equal(await text(page, "#presence"), "Signed out");
    assert.equal(page.url(), url());
  }),
);

const change = (name, value) => (response) => {
  const tampered = new URL(response);
  tampered.searchParams.set(name, value);
  return tampered.href;
};

test(
  "a response that was tampered with is refused, and the sign-in that it is of goes on",
  withPage(async ({ page }) => {
    const genuine = await authorizationResponse(page);
    const tampering = [
      [change("state", "forged"), "state_mismatch"],
      [change("iss", "https://attacker.example"), "issuer_mismatch"],
      [change("error", "access_denied"), "invalid_callback"],
      [(response) => `${response}&code=x`, "invalid_callback"],
    ];
    for (const [tamper, code] of tampering) {
      await page.goto(tamper(genuine));
      assert.deepEqual(await handle(page), { sub: undefined, code, status: "anonymous", query: "" });
    }
    assert.equal(tokenRequests().length, 0);
    await page.goto(genuine);
    assert.equal((await handle(page)).sub, "alice");
  }),
);

test(
  "a popup opens in the tick of the call, and its response comes back by a channel",
  withPage(async ({ page }) => {
    await openProbe(page);
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
    assert.equal(await page.evaluate(() => client.state.status), "authenticated");
    assert.deepEqual(grants(), ["authorization_code"]);
  }),
);

test(
  "tokens bound to a key that stays in IndexedDB are refreshed once for two tabs, and end in both",
  withPage(async ({ page, context, complaints }) => {
    const options = { clientId: "dpop", dpop: true, storage: "localStorage", refresh: { auto: false } };
    lifetimes.dpop = BRIEF;
    await signInOnProbe(page, options);
    delete lifetimes.dpop;
    const other = await openPage(context, complaints);
    await openProbe(other, options);
    assert.equal(await other.evaluate(() => client.state.user.sub), "alice");
    await page.waitForFunction(() => client.state.expiresAt < Date.now());
    const call = async () => {
      const calls = Array.from({ length: 10 }, () => client.getToken());
      return (await Promise.all(calls)).map(({ accessToken, tokenType }) => `${tokenType} ${accessToken}`);
    };
    const tokens = await Promise.all([page.evaluate(call), other.evaluate(call)]);
    assert.deepEqual(grants(), ["authorization_code", "refresh_token"]);
    assert.equal(new Set(tokens.flat()).size, 1);
    assert.match(tokens[0][0], /^DPoP /);
    await other.evaluate(() => client.signOutLocal());
    await page.waitForFunction(() => client.state.status === "anonymous", { timeout: 1_000, polling: 20 });
    assert.equal((await page.evaluate(() => globalThis.outcome(client.getAccessToken()))).code, "not_signed_in");
  }),
);
