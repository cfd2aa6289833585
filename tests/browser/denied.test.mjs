// A browser that gives a page less than usual: no storage at all, as where people block a site's data or browse in private,
// and a popup that the authorization server's policy cuts off. On the page alone: what is stored there. To the vault that is
// refused, and one that outlasts its pages needs no storage when they leave.

import assert from "node:assert/strict";
import { after } from "node:test";

import { form, logIn, openFullSuite, PROBE } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);
const testOnPage = testIn(suite, ["page"]);

/** Denies a page its stores, until `globalThis.allow()`. */
const deny = (page) =>
  page.evaluate(() => {
    const names = ["localStorage", "sessionStorage", "indexedDB"];
    const originals = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
    const get = () => {
      throw new DOMException("denied", "SecurityError");
    };
    for (const name of names) Object.defineProperty(globalThis, name, { get, configurable: true });
    globalThis.allow = () => originals.forEach(([name, original]) => Object.defineProperty(globalThis, name, original));
  });

/** Signs in with a popup; the outcome. `atServer`: what is done while the popup shows the server's page. */
async function signInPopup(page, atServer = async () => {}) {
  const opened = page.context().waitForEvent("page");
  await page.evaluate(() => void (globalThis.ended = globalThis.outcome(client.signInPopup())));
  const popup = await opened;
  await popup.getByLabel("Password").waitFor();
  await atServer();
  await logIn(popup);
  await popup.getByRole("button", { name: "Allow" }).click();
  await popup.waitForURL(`**/${PROBE}?*`);
  await popup.evaluate(async () => void (await globalThis.openClient({ clientId: "refresh" })).handleCallback());
  return page.evaluate(() => globalThis.ended);
}

for (const storage of ["memory", "localStorage", "sessionStorage"]) {
  (storage === "memory" ? test : testOnPage)(
    `${storage}: without any storage a popup signs in, and the session goes on in memory`,
    suite.withPage(async ({ page, records }) => {
      await page.goto(suite.url(PROBE));
      await deny(page);
      await page.evaluate(async (where) => {
        const options = { clientId: "refresh", storage: where, transactionStorage: "memory", restore: "auto" };
        globalThis.client = await globalThis.openClient(options);
        await client.prepare();
      }, storage);
      assert.equal((await signInPopup(page)).user?.sub, "alice");
      const { status } = await page.evaluate((url) => globalThis.outcome(client.fetch(url)), suite.apiUrl("/notes"));
      assert.equal(status, 200);
      assert.ok((await page.evaluate(() => client.getToken({ forceRefresh: true }))).accessToken);
      const told = records.filter(({ channel, text }) => channel === "log" && text.includes("storage_unavailable"));
      assert.equal(told.length > 0, storage !== "memory");
      await page.evaluate(() => client.signOutLocal());
      assert.equal(await page.evaluate(() => client.state.status), "anonymous");
      await page.evaluate(() => globalThis.allow());
    }),
  );
}

testOnPage(
  "without any storage a sign-in that leaves the page is refused before it does",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    await deny(page);
    const { code } = await page.evaluate(async () => {
      globalThis.client = await globalThis.openClient({ clientId: "refresh" });
      return globalThis.outcome(client.signIn());
    });
    assert.equal(code, "storage_unavailable");
    assert.equal(page.url(), suite.url(PROBE));
    assert.equal(suite.seen("as", "/auth?").length, 0);
    await page.evaluate(() => globalThis.allow());
  }),
);

test(
  "a popup that the server's policy cuts off (COOP: same-origin) signs in all the same",
  suite.withPage(async ({ page, context }) => {
    await context.route(`${suite.demo.issuer}/auth?*`, async (route) => {
      const response = await route.fetch({ maxRedirects: 0 });
      const headers = { ...response.headers(), "cross-origin-opener-policy": "same-origin" };
      await route.fulfill({ response, headers });
    });
    await page.goto(suite.url(PROBE));
    await page.evaluate(async () => {
      const original = globalThis.open;
      globalThis.open = (...parameters) => (globalThis.popup = original(...parameters));
      globalThis.client = await globalThis.openClient({ clientId: "refresh" });
      await client.prepare();
    });
    const cutOff = () => page.waitForFunction(() => globalThis.popup.closed);
    const outcome = await signInPopup(page, cutOff);
    assert.equal(outcome.user?.sub, "alice", JSON.stringify(outcome));
    assert.deepEqual(suite.tokenRequests().map((request) => form(request).grant_type), ["authorization_code"]);
  }),
);
