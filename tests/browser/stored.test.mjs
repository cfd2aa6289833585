// A session in sessionStorage or localStorage: it outlasts the page, and what is read back is believed in nothing. On the
// page alone: to the vault these options are refused (tabs.test.mjs).

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { everythingStored, form, openFullSuite, PROBE, signInOnProbe } from "./full-suite.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const refreshes = () => suite.tokenRequests().filter((request) => form(request).grant_type === "refresh_token");

/** Loads the probe page anew, with a client; its state at once. */
async function reopen(page, options) {
  await page.goto(suite.url(PROBE));
  return page.evaluate(async (given) => {
    globalThis.client = await globalThis.openClient(given);
    return { status: client.state.status, sub: client.getUser()?.sub, scopes: client.state.scopes };
  }, options);
}

const notes = (page) => page.evaluate((url) => globalThis.outcome(client.fetch(url)), suite.apiUrl("/notes"));

/** The record of the session: its area and key, and what it says. */
const record = (page) =>
  page.evaluate(() => {
    for (const [area, storage] of Object.entries({ sessionStorage, localStorage })) {
      const key = Object.keys(storage).find((name) => name.startsWith("wardkey:session:1:"));
      if (key) return { area, key, text: storage.getItem(key) };
    }
    return null;
  });

for (const storage of ["sessionStorage", "localStorage"]) {
  test(
    `${storage}: after a reload the person is signed in at once, and the server is not asked`,
    suite.withPage(async ({ page, context }) => {
      const options = { clientId: "refresh", storage };
      await signInOnProbe(page, suite, options);
      const asked = suite.seen("as").length;
      const { status, sub, scopes } = await reopen(page, options);
      assert.deepEqual([status, sub], ["authenticated", "alice"]);
      assert.ok(scopes.includes("notes.read"));
      assert.equal(suite.seen("as").length, asked);
      assert.equal((await notes(page)).status, 200);

      const fresh = await context.newPage();
      const there = storage === "localStorage" ? "authenticated" : "anonymous";
      assert.equal((await reopen(fresh, options)).status, there);

      await page.evaluate(() => client.getToken({ forceRefresh: true }));
      await reopen(page, options);
      await page.evaluate(() => client.getToken({ forceRefresh: true }));
      const sent = refreshes().map((request) => form(request).refresh_token);
      assert.equal(new Set(sent).size, 2, "each refresh token is stored when it comes");

      await page.evaluate(() => client.signOutLocal());
      assert.equal(await record(page), null);
      assert.equal((await reopen(page, options)).status, "anonymous");
    }),
  );
}

/** The page, duplicated: a tab whose `sessionStorage` is a copy. */
async function duplicate(page, path = PROBE) {
  const opened = page.waitForEvent("popup");
  await page.evaluate((url) => void globalThis.open(url), suite.url(path));
  return opened;
}

test(
  "sessionStorage: a tab that is a copy of another does not take its session, and the other keeps it",
  suite.withPage(async ({ page }) => {
    const options = { clientId: "refresh", storage: "sessionStorage" };
    await signInOnProbe(page, suite, options);
    for (const round of ["a copy", "a copy while the first is loaded anew"]) {
      const copy = await duplicate(page);
      await copy.waitForFunction(() => globalThis.openClient);
      assert.ok(await record(copy), round);
      assert.equal((await reopen(copy, options)).status, "anonymous", round);
      assert.equal(await record(copy), null, round);
      assert.equal((await notes(copy)).code, "not_signed_in", round);
      // It is a tab of its own from now on.
      await signInOnProbe(copy, suite, options);
      assert.equal((await reopen(copy, options)).sub, "alice", round);
      assert.equal((await reopen(page, options)).sub, "alice", round);
    }
    await page.evaluate(() => client.getToken({ forceRefresh: true }));
    const sent = refreshes().map((request) => form(request).refresh_token);
    assert.equal(sent.length, 1);
    assert.equal((await notes(page)).status, 200);
  }),
);

test(
  "sessionStorage: two clients of one page, one after the other, are of one tab",
  suite.withPage(async ({ page }) => {
    const options = { clientId: "refresh", storage: "sessionStorage" };
    await signInOnProbe(page, suite, options);
    const second = await page.evaluate(async (given) => {
      client.dispose();
      globalThis.client = await globalThis.openClient(given);
      return client.state.status;
    }, options);
    assert.equal(second, "authenticated");
    assert.ok(await record(page));
  }),
);

test(
  "sessionStorage: a popup's page does not take up the copy of its opener's session",
  suite.withPage(async ({ page }) => {
    const options = { clientId: "refresh", storage: "sessionStorage" };
    await signInOnProbe(page, suite, options);
    await page.evaluate(() => client.prepare({ prompt: "none" }));
    const opened = page.waitForEvent("popup");
    await page.evaluate(() => void (globalThis.ended = globalThis.outcome(client.signInPopup({ prompt: "none" }))));
    const popup = await opened;
    await popup.waitForURL(`**/${PROBE}?*`);
    await popup.waitForFunction(() => globalThis.openClient);
    assert.ok(await record(popup));
    const closed = popup.waitForEvent("close");
    const status = await popup.evaluate(async (given) => {
      const client = await globalThis.openClient(given);
      const { status } = client.state;
      void client.handleCallback();
      return status;
    }, options);
    assert.equal(status, "anonymous");
    await closed;
    assert.equal((await page.evaluate(() => globalThis.ended)).user.sub, "alice");
    assert.equal((await reopen(page, options)).sub, "alice");
  }),
);

test(
  "memory: nothing is stored, and what others have stored is not read",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { clientId: "refresh", storage: "localStorage" });
    assert.ok(await record(page));
    assert.equal((await reopen(page, { clientId: "refresh" })).status, "anonymous");
    await signInOnProbe(page, suite, { clientId: "brief" });
    assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("session")).length), 1);
  }),
);

/** What a script of the origin, or another version, may have made of a record. */
const TAMPERED = {
  "no JSON": () => "{",
  "cut off": (text) => text.slice(0, -20),
  "null": () => "null",
  "an array": (text) => `[${text}]`,
  "a prototype": () => '{"__proto__":{"clientId":"refresh"},"tokens":[]}',
  "another issuer": (text) => JSON.stringify({ ...JSON.parse(text), issuer: "https://attacker.example" }),
  "another client": (text) => JSON.stringify({ ...JSON.parse(text), clientId: "brief" }),
  "no client": (text) => JSON.stringify({ ...JSON.parse(text), clientId: undefined }),
  "a token that is no text": (text) => JSON.stringify({ ...JSON.parse(text), tokens: [{ token: 7 }] }),
  "a token with a line break": (text) =>
    JSON.stringify({ ...JSON.parse(text), tokens: [{ ...JSON.parse(text).tokens[0], token: "a\r\nCookie: b" }] }),
  "tokens that are none": (text) => JSON.stringify({ ...JSON.parse(text), tokens: {} }),
  "a foreign ID token": (text) =>
    JSON.stringify({ ...JSON.parse(text), idToken: `e30.${Buffer.from('{"iss":"https://attacker.example","sub":"eve"}').toString("base64url")}.AA` }),
  "an ID token that is none": (text) => JSON.stringify({ ...JSON.parse(text), idToken: "alice" }),
};

test(
  "a record that is not whole, or of somebody else, is not there and is cleared",
  suite.withPage(async ({ page }) => {
    const options = { clientId: "refresh", storage: "localStorage" };
    await signInOnProbe(page, suite, options);
    const { key, text } = await record(page);
    const requests = suite.tokenRequests().length;
    for (const [what, tamper] of Object.entries(TAMPERED)) {
      await page.evaluate(([name, value]) => localStorage.setItem(name, value), [key, tamper(text)]);
      assert.equal((await reopen(page, options)).status, "anonymous", what);
      assert.equal(await record(page), null, what);
      assert.equal((await notes(page)).code, "not_signed_in", what);
    }
    assert.equal(suite.tokenRequests().length, requests);
    assert.equal(suite.calls().length, 0);
    // And as it was, it is good.
    await page.evaluate(([name, value]) => localStorage.setItem(name, value), [key, text]);
    assert.equal((await reopen(page, options)).status, "authenticated");
  }),
);

test(
  "two apps on one origin have a session each, and each ends its own",
  suite.withPage(async ({ page }) => {
    const [one, two] = ["refresh", "brief"].map((clientId) => ({ clientId, storage: "localStorage", refresh: { auto: false } }));
    await signInOnProbe(page, suite, one);
    await signInOnProbe(page, suite, two);
    assert.equal((await reopen(page, one)).status, "authenticated");
    await page.evaluate(() => client.signOutLocal());
    assert.equal((await reopen(page, two)).status, "authenticated");
    assert.equal((await reopen(page, one)).status, "anonymous");
  }),
);

test(
  "a full storage is told, and the session goes on in memory",
  suite.withPage(async ({ page, records }) => {
    const options = { clientId: "refresh", storage: "localStorage" };
    await page.goto(suite.url(PROBE));
    await page.evaluate(() => {
      for (let size = 4_000_000; size >= 1; size = Math.floor(size / 2)) {
        for (let n = 0; ; n += 1) {
          try {
            localStorage.setItem(`fill-${size}-${n}`, "x".repeat(size));
          } catch {
            break;
          }
        }
      }
    });
    await signInOnProbe(page, suite, options);
    assert.equal(await record(page), null);
    const told = records.find(({ channel, text }) => channel === "log" && text.includes("storageFailed"));
    assert.match(told.text, /storage_unavailable/);
    assert.equal((await notes(page)).status, 200);
    await page.evaluate(() => client.getToken({ forceRefresh: true }));
    assert.equal((await notes(page)).status, 200);
    assert.equal(await page.evaluate(() => client.state.status), "authenticated");
    await page.evaluate(() => {
      for (const key of Object.keys(localStorage).filter((name) => name.startsWith("fill-"))) localStorage.removeItem(key);
    });
    await page.evaluate(() => client.getToken({ forceRefresh: true }));
    assert.equal((await reopen(page, options)).status, "authenticated", "with room again, it is stored again");
  }),
);

/** The keys in IndexedDB: their type, and whether they can be read. */
const keptKeys = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open("wardkey");
        opening.onsuccess = () => {
          const all = opening.result.transaction("keys").objectStore("keys").getAll();
          all.onsuccess = () => {
            opening.result.close();
            resolve(all.result.map(({ privateKey }) => [privateKey.type, privateKey.extractable]));
          };
        };
      }),
  );

/** Each of two pages makes its key when the other is about to do so too. */
function makeKeysTogether() {
  if (!isSecureContext) return;
  const bus = new BroadcastChannel("keys");
  let isHere = false;
  const both = new Promise((resolve) => {
    bus.onmessage = () => {
      if (!isHere) return;
      bus.onmessage = null;
      bus.postMessage("here");
      resolve();
    };
  });
  const { generateKey } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.generateKey = async function (...parameters) {
    isHere = true;
    bus.postMessage("here");
    await both;
    return generateKey.apply(this, parameters);
  };
}

test(
  "two tabs that each make a key have one: that of the tab that was first",
  suite.withPage(async ({ page, context }) => {
    await context.addInitScript(makeKeysTogether);
    const pages = [page, await context.newPage()];
    const options = { clientId: "dpop", storage: "localStorage", dpop: true };
    await Promise.all(pages.map((tab) => tab.goto(suite.url(PROBE))));
    const urls = await Promise.all(
      pages.map((tab) =>
        tab.evaluate(async (given) => {
          const client = await globalThis.openClient(given);
          await client.prepare();
          return client.createAuthorizeUrl().url;
        }, options),
      ),
    );
    const [one, other] = urls.map((url) => new URL(url).searchParams.get("dpop_jkt"));
    assert.match(one, /^[\w-]{43}$/);
    assert.equal(one, other);
    assert.deepEqual(await keptKeys(page), [["private", false]]);
  }),
);

test(
  "with dpop the key survives the reload in IndexedDB, unreadable, and is gone after the sign-out",
  suite.withPage(async ({ page }) => {
    const options = { clientId: "dpop", storage: "localStorage", dpop: true };
    await signInOnProbe(page, suite, options);
    const before = (await notes(page)).body;
    assert.ok(before.bound);
    await reopen(page, options);
    const after = (await notes(page)).body;
    assert.ok(after.bound);
    assert.equal(after.token, before.token);
    assert.equal((await page.evaluate(() => globalThis.outcome(client.getToken({ forceRefresh: true })))).tokenType, "DPoP");
    assert.deepEqual(await keptKeys(page), [["private", false]]);
    await page.evaluate(() => client.signOutLocal());
    for (let tries = 0; (await keptKeys(page)).length > 0; tries += 1) assert.ok(tries < 100, "the key is still there");
    assert.ok(!(await everythingStored(page)).includes('"refreshToken"'));
  }),
);

test(
  "a key that was put in place of ours is not taken: the session that is bound to ours has ended",
  suite.withPage(async ({ page }) => {
    const options = { clientId: "dpop", storage: "localStorage", dpop: true };
    for (const planted of ["text", "extractable", "other"]) {
      await signInOnProbe(page, suite, options);
      await page.evaluate(async (kind) => {
        const algorithm = { name: "ECDSA", namedCurve: "P-256" };
        const pair = kind === "text" ? "key" : await crypto.subtle.generateKey(algorithm, kind === "extractable", ["sign", "verify"]);
        await new Promise((resolve) => {
          const opening = indexedDB.open("wardkey");
          opening.onsuccess = () => {
            const transaction = opening.result.transaction("keys", "readwrite");
            const keys = transaction.objectStore("keys");
            keys.getAllKeys().onsuccess = ({ target }) => target.result.forEach((name) => keys.put(pair, name));
            transaction.oncomplete = () => {
              opening.result.close();
              resolve();
            };
          };
        });
      }, planted);
      assert.equal((await reopen(page, options)).status, "anonymous", planted);
      assert.equal(await record(page), null, planted);
    }
    assert.equal(suite.calls().length, 0);
  }),
);
