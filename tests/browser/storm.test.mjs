// Many who want a fresh token at once, over a server that takes each refresh token once, and trouble on the way to it.

import assert from "node:assert/strict";
import { after } from "node:test";

import { BRIEF, lifetimes } from "./full-server.mjs";
import { form, holdBack, openFullSuite, PROBE, signInOnProbe } from "./full-suite.mjs";
import { testIn } from "./modes.mjs";

const TABS = 5;
const CALLS = 10;
/** Milliseconds that news may take to be everywhere. */
const SOON = 1_000;
const PLACES = ["", "/mail", "/files", "/calendar"];

const suite = await openFullSuite();
after(() => suite.close());

const testOnPage = testIn(suite, ["page"]);

const refreshes = () => suite.tokenRequests().filter((request) => form(request).grant_type === "refresh_token");
const resources = () => PLACES.map((path) => suite.apiUrl(path));

const options = (storage) => ({
  clientId: "refresh",
  storage,
  scope: "openid notes.read mail.read files.read calendar.read",
  resource: resources(),
  refresh: { auto: false },
});

/** Is there one session for all tabs? */
const isShared = ({ storage }) => storage !== "memory" || suite.mode === "shared";

/** Another tab of the same app, where the person is signed in too. */
async function openTab(context, given) {
  const page = await context.newPage();
  if (!isShared(given)) {
    await signInOnProbe(page, suite, given);
  } else {
    await page.goto(suite.url(PROBE));
    await page.evaluate(async (forClient) => void (globalThis.client = await globalThis.openClient(forClient)), given);
  }
  assert.equal(await page.evaluate(() => client.state.status), "authenticated");
  return page;
}

/** So many calls for the token of each resource at once; the tokens, by resource. */
const askAll = (page) =>
  page.evaluate(
    ([calls, all]) =>
      Promise.all(all.map((resource) => Promise.all(Array.from({ length: calls }, () => client.getAccessToken({ resource }))))),
    [CALLS, resources()],
  );

/** Each refresh spends the refresh token that the one before it brought. */
function assertOneChain(requests) {
  const spent = requests.map((request) => form(request).refresh_token);
  const brought = requests.map(({ body }) => JSON.parse(body).refresh_token);
  assert.deepEqual(spent.slice(1), brought.slice(0, -1));
  assert.deepEqual([...new Set(requests.map(({ status }) => status))], [200]);
}

const named = `${TABS} tabs × ${PLACES.length} resources × ${CALLS} calls at the end of the tokens`;

/** Tabs with tokens for every resource, all of which have run out, and the refreshes from here on, which bring long lives. */
async function expiredTabs(page, context, given) {
  lifetimes.refresh = BRIEF;
  await signInOnProbe(page, suite, given);
  const tabs = [page];
  while (tabs.length < TABS) tabs.push(await openTab(context, given));
  for (const tab of isShared(given) ? [page] : tabs) await askAll(tab);
  delete lifetimes.refresh;
  // The youngest of all tokens, by the clock of their server.
  const [last] = await Promise.all(tabs.map((tab) => tab.evaluate(() => Date.now())));
  await page.waitForFunction((at) => Date.now() > at, last + BRIEF * 1_000 + 500, { polling: 50 });
  const before = refreshes().length;
  return { tabs, since: () => refreshes().slice(before) };
}

testIn(suite, ["page", "shared"])(
  `${named}: with one session, one refresh for each resource; and the next is in every tab within a second`,
  suite.withPage(async ({ page, context }) => {
    const storage = suite.mode === "page" ? "localStorage" : "memory";
    const { tabs, since } = await expiredTabs(page, context, options(storage));
    const tokens = await Promise.all(tabs.map(askAll));
    assert.deepEqual(since().map((request) => form(request).resource).sort(), resources().sort());
    assertOneChain(since());
    PLACES.forEach((place, index) => {
      const ofPlace = new Set(tokens.flatMap((ofTab) => ofTab[index]));
      assert.equal(ofPlace.size, 1, place);
    });
    assert.equal(new Set(tokens.flat(2)).size, PLACES.length);

    const { expiresAt } = await page.evaluate(async () => {
      const before = client.state.expiresAt;
      await client.getToken({ forceRefresh: true });
      if (client.state.expiresAt === before) throw new Error("nothing is new");
      return client.state;
    });
    const knows = (tab) => tab.waitForFunction((at) => client.state.expiresAt === at, expiresAt, { polling: 20, timeout: SOON });
    await Promise.all(tabs.map(knows));
    assertOneChain(since());
    assert.equal(since().length, PLACES.length + 1);
  }),
);

testOnPage(
  `${named}: in memory, each tab has a session, and one refresh for each resource of its own`,
  suite.withPage(async ({ page, context }) => {
    const { tabs, since } = await expiredTabs(page, context, options("memory"));
    const tokens = await Promise.all(tabs.map(askAll));
    assert.equal(since().length, TABS * PLACES.length);
    for (const [tab, ofTab] of tokens.entries()) {
      const own = since().filter(({ body }) => ofTab.flat().includes(JSON.parse(body).access_token));
      assert.deepEqual(own.map((request) => form(request).resource).sort(), resources().sort(), String(tab));
      assertOneChain(own);
      assert.equal(new Set(ofTab.flat()).size, PLACES.length);
    }
  }),
);

testOnPage(
  "a tab that has the lock before it sees what was written under it waits for that, and spends no refresh token again",
  suite.withPage(async ({ page, context }) => {
    const given = options("localStorage");
    await signInOnProbe(page, suite, given);
    const late = await openTab(context, given);
    await late.evaluate(() => {
      // What other processes write arrives here when the test says so, as it may with any browser.
      const key = Object.keys(localStorage).find((name) => name.startsWith("wardkey:session:1:"));
      const before = localStorage.getItem(key);
      const { getItem } = Storage.prototype;
      const hide = (event) => event.isTrusted && event.stopImmediatePropagation();
      Storage.prototype.getItem = function (name) {
        return name === key ? before : getItem.call(this, name);
      };
      addEventListener("storage", hide, { capture: true });
      globalThis.arrive = () => {
        Storage.prototype.getItem = getItem;
        dispatchEvent(new StorageEvent("storage", { key, storageArea: localStorage }));
      };
    });
    const { asked, letGo } = holdBack(page, "**/token");
    const call = (tab) => tab.evaluate(() => void (globalThis.token = globalThis.outcome(client.getToken({ minValiditySec: 601 }))));
    await call(page);
    await asked;
    await call(late);
    await late.waitForFunction(async () => (await navigator.locks.query()).pending.length === 1);
    letGo();
    const { accessToken } = await page.evaluate(() => globalThis.token);
    const isHolding = async () => (await navigator.locks.query()).held.filter(({ name }) => name.includes("session:1")).length === 2;
    await late.waitForFunction(isHolding);
    await late.evaluate(() => globalThis.arrive());
    assert.equal((await late.evaluate(() => globalThis.token)).accessToken, accessToken);
    assert.equal(refreshes().length, 1);
  }),
);
