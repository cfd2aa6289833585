// The vault in Firefox, whose SharedWorker does not outlast its pages: sign-ins in progress are in the page's storage, and
// nothing else is; a reload asks the server again, unless another tab is there.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { openPage } from "./firefox.mjs";
import { handle, leave, openFirefoxSuite, SIGNED_IN } from "./suite.mjs";

const suite = await openFirefoxSuite("wardkey/worker");
after(() => suite.close());

const { open, seen, url, withPage } = suite;
const asked = () => seen("as").length;
const tokenAnswers = () => suite.tokenRequests().map(({ body }) => JSON.parse(body));

/** Signs alice in by redirect; what was stored on the way. */
async function signIn(page, options = {}) {
  await open(page, options);
  await leave(page);
  const kept = await stored(page);
  assert.deepEqual(await handle(page, options), SIGNED_IN);
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

const KNOWN = { isolation: "shared", status: "authenticated", sub: "alice" };

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
    assert.deepEqual(await open(other), KNOWN);
    assert.deepEqual(await callApi(other), [200, "alice"]);
    assert.deepEqual(await open(page), KNOWN, "a reload, while there is another tab");
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
    assert.equal(seen("page", "/silent.html").length, 1);
    assert.deepEqual(await callApi(page), [200, "alice"]);
    assert.doesNotMatch(await stored(page), /verifier/);
  }),
);

test(
  "a popup opens in the tick of the call with a URL that was minted ahead",
  withPage(async ({ page }) => {
    await open(page);
    await suite.popUp(page);
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
