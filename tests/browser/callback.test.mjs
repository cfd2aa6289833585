// The authorization response: tampered with, used twice, foreign, or reached by the back button.

import assert from "node:assert/strict";
import { after } from "node:test";

import {
  authorizationResponse,
  everythingStored,
  handleCallback,
  openDemo,
  openSuite,
  PROBE,
  signIn,
  troubleCode,
} from "./harness.mjs";
import { ALL, BOTH, testIn } from "./modes.mjs";

const suite = await openSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);

const set = (name, value) => (url) => url.searchParams.set(name, value);
const remove = (name) => (url) => url.searchParams.delete(name);
const change = (name) => (url) => {
  const value = url.searchParams.get(name);
  url.searchParams.set(name, value.slice(0, -1) + (value.endsWith("A") ? "B" : "A"));
};

/**
 * `spends`: the response got as far as the token request, so its own sign-in is over; otherwise it still completes.
 * Wherever the engine is, it is the one that judges; that it gets what it needs is shown everywhere by two of them.
 */
const tampering = [
  { what: "another state", tamper: set("state", "forged"), code: "state_mismatch" },
  { what: "no state", tamper: remove("state"), code: "state_mismatch" },
  { what: "a changed state", tamper: change("state"), code: "transaction_not_found", modes: ALL },
  { what: "another iss (RFC 9207)", tamper: set("iss", "https://attacker.example"), code: "issuer_mismatch" },
  { what: "no iss, though the server sends one", tamper: remove("iss"), code: "issuer_mismatch" },
  { what: "a second code", tamper: (url) => url.searchParams.append("code", "x"), code: "invalid_callback" },
  { what: "an error beside the code", tamper: set("error", "access_denied"), code: "invalid_callback" },
  { what: "a changed code", tamper: change("code"), code: "invalid_grant", spends: true, modes: ALL },
];

for (const { what, tamper, code, spends = false, modes = BOTH } of tampering) {
  testIn(suite, modes)(
    `a response with ${what} is refused with ${code}`,
    suite.withPage(async ({ page }) => {
      const genuine = await authorizationResponse(page, suite);
      const other = await authorizationResponse(page, suite);
      const tampered = new URL(genuine);
      tamper(tampered);

      await page.goto(tampered.href);
      const refused = await handleCallback(page);
      assert.equal(refused.name, "AuthError");
      assert.equal(refused.code, code);
      assert.equal(refused.status, "anonymous");
      assert.equal(refused.query, "", "the URL is cleaned");
      assert.equal(suite.tokenRequests().length, spends ? 1 : 0);
      assert.deepEqual(suite.tokens(), []);

      for (const pending of spends ? [other] : [other, genuine]) {
        await page.goto(pending);
        const { sub, status } = await handleCallback(page);
        assert.deepEqual({ sub, status }, { sub: "alice", status: "authenticated" });
      }
      const stored = await everythingStored(page);
      for (const token of suite.tokens()) assert.ok(!stored.includes(token));
    }),
  );
}

test(
  "handling a callback twice, also at the same time, gives one result with one token request",
  suite.withPage(async ({ page }) => {
    await authorizationResponse(page, suite, { appState: { basket: [1, "zwei"] }, returnTo: "/orders?open=1" });
    let during;
    suite.intercept("/token", async () => void (during = await page.evaluate(() => location.href)));
    const results = await page.evaluate(async () => {
      const client = await globalThis.openClient();
      const url = location.href;
      const together = await Promise.all([client.handleCallback(url), client.handleCallback(url)]);
      return [...together, await client.handleCallback(url)];
    });
    assert.equal(results[0].user.sub, "alice");
    assert.deepEqual(results[0].appState, { basket: [1, "zwei"] });
    assert.equal(results[0].returnTo, "/orders?open=1");
    assert.deepEqual(results[0].scopes.missing, []);
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
    assert.equal(suite.tokenRequests().length, 1);
    assert.equal(new URL(during).search, "", "the URL is clean before the code is sent");
    assert.equal(new URL(page.url()).search, "");
  }),
);

test(
  "a response that was used gets no second token request in a new document",
  suite.withPage(async ({ page }) => {
    const url = await authorizationResponse(page, suite);
    assert.equal((await handleCallback(page)).status, "authenticated");
    await page.goto(url);
    const again = await handleCallback(page);
    // A worker that was there all the time knows what came of it.
    if (suite.mode === "shared") assert.deepEqual([again.sub, again.status], ["alice", "authenticated"]);
    else assert.equal(again.code, "already_completed");
    assert.equal(again.query, "");
    assert.equal(suite.tokenRequests().length, 1);
  }),
);

test(
  "a response opened in another browser is refused, without a token request",
  suite.withPage(async ({ page, context }) => {
    const url = await authorizationResponse(page, suite);
    const elsewhere = await context.browser().newContext();
    try {
      const otherPage = await elsewhere.newPage();
      await otherPage.goto(url);
      const { code, status, query } = await handleCallback(otherPage);
      assert.deepEqual({ code, status, query }, { code: "transaction_not_found", status: "anonymous", query: "" });
      assert.equal(suite.tokenRequests().length, 0);
    } finally {
      await elsewhere.close();
    }
  }),
);

test(
  "parameters of somebody else are left alone",
  suite.withPage(async ({ page }) => {
    const query = "?code=of-a-shop&state=of-a-shop";
    await page.goto(suite.url(PROBE) + query);
    const isCallback = await page.evaluate(async () => (await globalThis.openClient()).isCallback());
    assert.equal(isCallback, false);
    const outcome = await handleCallback(page);
    assert.equal(outcome.code, "not_mine");
    assert.equal(outcome.query, query);
    assert.equal(suite.tokenRequests().length, 0);
  }),
);

test(
  "the page tells of a forged answer in words, and works on",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(`callback?code=x&state=forged&iss=${encodeURIComponent(suite.demo.issuer)}`));
    assert.equal(await troubleCode(page), "state_mismatch");
    await page.getByText("That answer belongs to another sign-in.").waitFor();
    assert.equal(page.url(), suite.url());
    await page.getByRole("button", { name: "Dismiss" }).click();
    await signIn(page);
  }),
);

test(
  "after leaving for the server and coming back, signing in works again",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await page.locator("#sign-in").click();
    await page.getByLabel("Password").waitFor();
    await page.goBack({ waitUntil: "commit" }); // a page kept in memory does not load again
    await page.locator("#sign-in:not([aria-disabled])").waitFor();
    await signIn(page);
    assert.equal(suite.tokenRequests().length, 1);
  }),
);

test(
  "the back button after signing in neither crashes nor sends a code twice",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.goBack({ waitUntil: "commit" }); // a page kept in memory does not load again
    await page.getByRole("heading", { name: "This sign-in is over." }).waitFor();
    await page.getByRole("link", { name: "Back to the app" }).click();
    await page.locator("#sign-in, #sign-out").filter({ visible: true }).waitFor();
    // The page is a new one, and asks the server in a hidden frame who it was.
    const codes = suite.tokenRequests().map(({ sent }) => new URLSearchParams(sent).get("code"));
    assert.equal(new Set(codes).size, codes.length);
    assert.equal(await page.locator("#trouble").isVisible(), false);
  }),
);

test(
  "the URL is cleaned of a response, also where it lacks what the redirect URI has (dirty dancing)",
  suite.withPage(async ({ page }) => {
    const options = { redirectUri: suite.url(`${PROBE}?app=1`) };
    await page.goto(suite.url(PROBE));
    const state = await page.evaluate(async (given) => {
      const client = await globalThis.openClient(given);
      await client.prepare();
      return client.createAuthorizeUrl().state;
    }, options);
    await page.goto(suite.url(`${PROBE}?code=x&state=${state}`));
    const { code, query } = await handleCallback(page, { options });
    assert.equal(query, "?app=1");
    assert.notEqual(code, undefined);
    assert.equal(suite.tokenRequests().length, 0);
  }),
);
