// Tabs follow each other: what happens to the session in one reaches the others, without a reload.

import assert from "node:assert/strict";
import { after, test as testAcross } from "node:test";

import { form, openFullSuite, PROBE, signInOnProbe } from "./full-suite.mjs";
import { ALL, BOTH, testIn } from "./modes.mjs";

/** What a change may take to be everywhere. */
const SOON = 1_000;
const TABS = 5;
const CALLS = 10;

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);
const testOnPage = testIn(suite, ["page"]);
const testInVault = testIn(suite, ["shared"]);

/** Tokens in a worker are in its memory, and nowhere else. */
const modesOf = (storage, modes = BOTH) => (storage === "memory" ? modes : ["page"]);

/** With what each `state` of a client begins, and the names that its tabs share. */
const tagOf = () => new URL(suite.seen("as", "/auth?")[0].path, suite.demo.issuer).searchParams.get("state").slice(0, 8);

const refreshes = () => suite.tokenRequests().filter((request) => form(request).grant_type === "refresh_token");

const options = (storage, clientId = "refresh") => ({
  clientId,
  storage,
  restore: "auto",
  silentRedirectUri: suite.url("silent.html"),
});

/** Another tab of the same app. */
async function openTab(context, given) {
  const page = await context.newPage();
  await page.goto(suite.url(PROBE));
  await page.evaluate(async (forClient) => {
    globalThis.client = await globalThis.openClient(forClient);
    globalThis.heard = [];
    for (const event of ["signedIn", "signedOut", "userChanged"]) client.on(event, () => globalThis.heard.push(event));
  }, given);
  return page;
}

/** Who is signed in in a tab. */
const who = (page) => page.evaluate(() => client.state.user?.sub ?? client.state.status);

/** Waits until a tab shows this person or status. */
const shows = (page, expected, timeout = SOON) =>
  page.waitForFunction((wanted) => (client.state.user?.sub ?? client.state.status) === wanted, expected, { timeout, polling: 20 });

/** In this tab, signs somebody in with a popup. */
async function signInAs(page, username, password) {
  const opened = page.waitForEvent("popup");
  await page.evaluate(() => void (globalThis.ended = globalThis.outcome(client.signInPopup({ prompt: "login" }))));
  const popup = await opened;
  await popup.getByLabel("Name").fill(username);
  await popup.getByLabel("Password").fill(password);
  await popup.getByRole("button", { name: "Sign in" }).click();
  await popup.getByRole("button", { name: "Allow" }).click();
  await popup.waitForURL(`**/${PROBE}?*`);
  const { clientId } = options();
  await popup.evaluate(async (id) => void (await globalThis.openClient({ clientId: id })).handleCallback(), clientId);
  assert.equal((await page.evaluate(() => globalThis.ended)).user?.sub, username);
}

for (const storage of ["memory", "sessionStorage", "localStorage"]) {
  testIn(suite, modesOf(storage, ALL))(
    `${storage}: sign-in, another person and sign-out are in the other tab within a second`,
    suite.withPage(async ({ page, context }) => {
      await page.goto("about:blank");
      const one = await openTab(context, options(storage));
      const two = await openTab(context, options(storage));
      await signInAs(one, "alice", "wonderland");
      await shows(two, "alice");
      await signInAs(one, "bob", "workshop");
      await shows(two, "bob");
      assert.ok((await two.evaluate(() => globalThis.heard)).includes("userChanged"));
      await two.evaluate(() => client.signOutLocal());
      await shows(one, "anonymous");
      assert.deepEqual(await one.evaluate(() => client.state), { status: "anonymous" });
      const outcome = await one.evaluate(() => globalThis.outcome(client.getAccessToken()));
      assert.equal(outcome.code, "not_signed_in");
      assert.equal((await one.evaluate(() => globalThis.heard)).filter((event) => event === "signedOut").length, 1);
    }),
  );
}

/** Requests for a sign-in. */
const asked = () => suite.seen("as", "/auth?").length;

for (const storage of ["sessionStorage", "localStorage"]) {
  testIn(suite, ALL.filter((mode) => mode !== "page"))(
    `${storage} is refused: no token is to be there`,
    suite.withPage(async ({ page }) => {
      await page.goto(suite.url(PROBE));
      const refused = await page.evaluate((given) => globalThis.outcome(globalThis.openClient(given)), options(storage));
      assert.deepEqual([refused.code, refused.phase], ["invalid_configuration", "configuration"]);
    }),
  );
}

for (const storage of ["memory", "sessionStorage", "localStorage"]) {
  testIn(suite, modesOf(storage))(
    `${storage}: a sign-out reaches a tab that was elsewhere, when it comes back`,
    suite.withPage(async ({ page, context }) => {
      await page.goto("about:blank");
      const one = await openTab(context, options(storage));
      const two = await openTab(context, options(storage));
      await signInAs(one, "alice", "wonderland");
      await shows(two, "alice");
      await two.goto(`${suite.demo.issuer}/.well-known/openid-configuration`);
      await one.evaluate(() => client.signOutLocal());
      const before = asked();
      await two.goto(suite.url(PROBE));
      for (const load of ["the first", "the second"]) {
        const status = await two.evaluate(async (given) => {
          globalThis.client = await globalThis.openClient(given);
          return client.state.status;
        }, options(storage));
        assert.equal(status, "anonymous", load);
        await two.reload();
      }
      assert.equal(asked(), before);
      const kept = await two.evaluate(() => Object.keys({ ...sessionStorage, ...localStorage }).join());
      assert.doesNotMatch(kept, /wardkey:session:/);
    }),
  );
}

test(
  "a sign-out elsewhere ends a silent sign-in of a tab that nobody was signed in in yet",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite, options("memory"));
    const other = await openTab(context, options("memory"));
    await other.route("**/auth?*", () => {});
    await other.evaluate(() => void (globalThis.ended = globalThis.outcome(client.signInSilent())));
    await other.locator("iframe").waitFor({ state: "attached" });
    await page.evaluate(() => client.signOutLocal());
    assert.equal((await other.evaluate(() => globalThis.ended)).code, "aborted");
    assert.equal(await who(other), "anonymous");
  }),
);

test(
  "a sign-in that the person sees is told to the others, also while a silent one is under way",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite, options("memory"));
    const listener = await context.newPage();
    await listener.goto(suite.url(PROBE));
    await listener.evaluate((name) => {
      globalThis.bus = new BroadcastChannel(name);
      globalThis.told = new Promise((resolve) => (globalThis.bus.onmessage = ({ data }) => resolve(data)));
    }, `wardkey:${tagOf()}`);
    let letGo;
    const held = new Promise((resolve) => (letGo = resolve));
    const waits = new Promise((resolve) => {
      suite.intercept("/token", () => {
        suite.intercept("/token");
        resolve();
        return held;
      });
    });
    await page.evaluate(() => void (globalThis.silent = globalThis.outcome(client.signInSilent())));
    await waits;
    await signInAs(page, "bob", "workshop");
    // One worker serves all tabs, which have nothing to tell each other.
    if (suite.mode !== "shared") assert.equal(await listener.evaluate(() => globalThis.told), "changed");
    else assert.equal(await who(await openTab(context, options("memory"))), "bob");
    letGo();
    await page.evaluate(() => globalThis.silent);
  }),
);

test(
  "forged messages and storage events change nothing",
  suite.withPage(async ({ page, context }) => {
    for (const storage of ["memory", "localStorage"].filter((one) => modesOf(one).includes(suite.mode))) {
      await signInOnProbe(page, suite, options(storage));
      await page.evaluate(() => {
        globalThis.changes = [];
        client.subscribe((state) => globalThis.changes.push(state.status));
      });
      const tag = tagOf();
      const forger = await context.newPage();
      await forger.goto(suite.url(PROBE));
      const before = suite.seen("as").length;
      await forger.evaluate((name) => {
        const bus = new BroadcastChannel(name);
        const forged = [{ type: "login", token: "t" }, { type: "logout" }, "", "signedOut", null, 1, ["ended"], "ended"];
        for (const message of forged) bus.postMessage(message);
      }, `wardkey:${tag}`);
      await page.evaluate((suffix) => {
        for (const key of [`wardkey:ended:1:${suffix}`, `wardkey:session:1:${suffix}`, "wardkey:1:x", null]) {
          dispatchEvent(new StorageEvent("storage", { key, newValue: '{"token":"t"}', storageArea: localStorage }));
        }
      }, tag);
      // The last of the messages has been heard when one is answered that was sent after it.
      await page.evaluate(() => globalThis.outcome(client.getAccessToken()));
      assert.equal(await who(page), "alice", storage);
      assert.deepEqual(await page.evaluate(() => globalThis.changes), [], storage);
      assert.equal(suite.seen("as").length, before, storage);
      await forger.close();
      await page.evaluate(() => client.dispose());
    }
  }),
);

testAcross(
  "a sign-out on a page without a vault reaches the vault, and the other way round; one that is known is not believed again",
  suite.withPage(async ({ page, context }) => {
    await page.addInitScript(() => (globalThis.entry = "wardkey/worker"));
    await signInOnProbe(page, suite, options("memory"));
    const other = await openTab(context, options("memory"));
    const isolations = [page, other].map((tab) => tab.evaluate(() => client.isolation));
    assert.deepEqual(await Promise.all(isolations), ["shared", "page"]);
    const signIn = (tab) => tab.evaluate(async () => (await client.signInSilent()).user.sub);
    for (const [one, another] of [[page, other], [other, page]]) {
      for (const tab of [page, other]) {
        if ((await who(tab)) === "anonymous") await signIn(tab);
        assert.equal(await who(tab), "alice");
      }
      await one.evaluate(() => client.signOutLocal());
      await shows(another, "anonymous");
    }
    await Promise.all([page, other].map(signIn));
    await other.evaluate((name) => {
      const forger = document.body.appendChild(document.createElement("iframe"));
      new forger.contentWindow.BroadcastChannel(name).postMessage("ended");
    }, `wardkey:${tagOf()}`);
    // It has been heard, and looked up, when a server has answered.
    for (const tab of [page, other]) await tab.evaluate(() => client.getToken({ forceRefresh: true }));
    assert.deepEqual(await Promise.all([page, other].map(who)), ["alice", "alice"]);
  }),
);

// One session for all tabs: in a storage, or in the worker of all.
testIn(suite, ["page", "shared"])(
  `${TABS} tabs with ${CALLS} calls each at the end of a token: one refresh`,
  suite.withPage(async ({ page, context }) => {
    const storage = suite.mode === "page" ? "localStorage" : "memory";
    const given = { ...options(storage, "brief"), refresh: { auto: false } };
    await signInOnProbe(page, suite, given);
    const tabs = [page];
    while (tabs.length < TABS) tabs.push(await openTab(context, given));
    for (const tab of tabs) assert.equal(await who(tab), "alice");
    await page.waitForFunction(() => client.state.expiresAt < Date.now());
    const tokens = await Promise.all(
      tabs.map((tab) =>
        tab.evaluate((calls) => Promise.all(Array.from({ length: calls }, () => client.getAccessToken())), CALLS),
      ),
    );
    assert.equal(new Set(tokens.flat()).size, 1);
    assert.equal(refreshes().length, 1);
    assert.ok(!suite.tokens().slice(0, 1).includes(tokens[0][0]));
  }),
);

testInVault(
  "a tab that is closed in the middle of a refresh leaves it to the worker, and to the others",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite, options("memory"));
    const dying = await openTab(context, options("memory"));
    let letGo;
    const held = new Promise((resolve) => (letGo = resolve));
    const asked = new Promise((resolve) => suite.intercept("/token", () => (resolve(), held)));
    await dying.evaluate(() => void client.getToken({ forceRefresh: true }));
    await asked;
    const waiting = page.evaluate(() => client.getToken({ forceRefresh: true }));
    await dying.close();
    letGo();
    assert.ok((await waiting).accessToken);
    assert.equal(refreshes().length, 1);
  }),
);

testOnPage(
  "a tab that is closed in the middle of a refresh leaves the lock to the others",
  suite.withPage(async ({ page, context }) => {
    const given = { ...options("localStorage"), refresh: { auto: false } };
    await signInOnProbe(page, suite, given);
    const dying = await openTab(context, given);
    await dying.evaluate(async () => {
      const { fetch } = globalThis;
      // It holds the lock then, and its request never leaves.
      await new Promise((asked) => {
        globalThis.fetch = (request, init) =>
          (request.url ?? request).endsWith("/token") ? new Promise(asked) : fetch(request, init);
        void client.getToken({ forceRefresh: true });
      });
    });
    const waiting = page.evaluate(() => client.getToken({ forceRefresh: true }));
    await page.waitForFunction(async () => (await navigator.locks.query()).pending.length === 1);
    assert.equal(refreshes().length, 0);
    await dying.close();
    assert.ok((await waiting).accessToken);
    assert.equal(refreshes().length, 1);
  }),
);

testInVault(
  "a page that is come back to has no session after a sign-out elsewhere, before any token is used",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite, options("memory"));
    const other = await openTab(context, options("memory"));
    await page.goto(`${suite.demo.issuer}/.well-known/openid-configuration`);
    await other.evaluate(() => client.signOutLocal());
    await page.goBack({ waitUntil: "commit" });
    await page.waitForFunction(() => globalThis.client || globalThis.openClient);
    const { status, code } = await page.evaluate(
      async ([given, url]) => {
        // Chromium keeps no page that holds a lock, as one does for its worker: this one is a new one.
        globalThis.client ??= await globalThis.openClient(given);
        return { status: client.state.status, code: (await globalThis.outcome(client.fetch(url))).code };
      },
      [options("memory"), suite.apiUrl("/notes")],
    );
    assert.deepEqual([status, code], ["anonymous", "not_signed_in"]);
    assert.equal(suite.calls().length, 0);
  }),
);

testOnPage(
  "a page from the back-forward cache has no session after a sign-out elsewhere, before any token is used",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite, options("memory"));
    await page.evaluate((api) => {
      // As early as a page can act.
      addEventListener("pageshow", ({ persisted }) => {
        globalThis.back = { persisted, status: client.state.status };
        globalThis.asked = globalThis.outcome(client.fetch(api));
      });
      globalThis.followed = new Promise((resolve) => client.on("signedIn", resolve));
    }, suite.apiUrl("/notes"));
    const other = await context.newPage();
    await signInOnProbe(other, suite, options("memory"));
    await page.evaluate(() => globalThis.followed);
    await page.waitForFunction(() => !document.querySelector("iframe"));
    await page.goto(`${suite.demo.issuer}/.well-known/openid-configuration`);
    await other.evaluate(async () => {
      // Chromium drops a page that would have heard a message meanwhile. Others keep it, and the message is lost.
      BroadcastChannel.prototype.postMessage = () => {};
      await client.signOutLocal();
    });
    await page.goBack({ waitUntil: "commit" });
    await page.waitForFunction(() => globalThis.client || globalThis.openClient);
    const { back, asked } = await page.evaluate(async () => ({ back: globalThis.back, asked: await globalThis.asked }));
    assert.deepEqual(back, { persisted: true, status: "anonymous" });
    assert.equal(asked.code, "not_signed_in");
    assert.equal(suite.calls().length, 0);
  }),
);
