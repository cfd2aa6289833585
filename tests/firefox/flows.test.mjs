// The main flows in Firefox, on the page's own thread, with the real authorization server: what Chromium shows at length.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { BRIEF, lifetimes } from "../browser/full-server.mjs";
import { openPage } from "./firefox.mjs";
import { answer, handle, leave, openFirefoxSuite, press, SIGNED_IN } from "./suite.mjs";

const suite = await openFirefoxSuite("wardkey");
after(() => suite.close());

const { open, seen, tokenRequests, url, withPage } = suite;
const grants = () => tokenRequests().map(({ sent }) => new URLSearchParams(sent).get("grant_type"));

const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
const shows = (page, selector, words) =>
  page.waitForFunction((where, what) => document.querySelector(where)?.textContent.includes(what), {}, selector, words);

/** Signs alice in on the probe page. */
async function signInOnProbe(page, options) {
  await open(page, options);
  await leave(page);
  assert.deepEqual(await handle(page, options), SIGNED_IN);
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
    await open(page);
    await leave(page);
    const genuine = page.url();
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
    await open(page);
    await suite.popUp(page);
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
    await open(other, options);
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
