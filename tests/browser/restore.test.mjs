// The session after a load: asked for in a hidden frame, or by leaving the page, or not at all.

import assert from "node:assert/strict";
import { after } from "node:test";

import { listen } from "../../www/server/http.mjs";
import { authorizationResponse, handleCallback, openSuite, PROBE, signInOnProbe } from "./harness.mjs";
import { BOTH, testIn } from "./modes.mjs";

/** The probe page, which anybody may frame. */
const FRAMED = `${PROBE}?framed`;

const suite = await openSuite({
  pageHeaders: { [`/${FRAMED}`]: { "Content-Security-Policy": "frame-ancestors http://localhost:*" } },
});
after(() => suite.close());

const test = testIn(suite, BOTH);
/** Where the engine is gone with its page. With one that is still there a reload is none for the session. */
const testAfterLoss = testIn(suite, ["page", "worker"]);

const SILENT_URI = () => suite.url("silent.html");

/** Requests for a sign-in, with their `prompt`. */
const prompts = () =>
  suite.seen("as", "/auth?").map(({ path }) => new URL(path, suite.demo.issuer).searchParams.get("prompt"));

/** Loads the probe page anew, with a client; what it is like at once. */
async function reopen(page, options = {}) {
  await page.goto(suite.url(PROBE));
  return page.evaluate(async (given) => {
    globalThis.client = await globalThis.openClient(given);
    return client.state;
  }, { restore: "auto", silentRedirectUri: SILENT_URI(), ...options });
}

/** The first state that is not `loading`. */
async function settled(page) {
  await page.waitForFunction(() => client.state.status !== "loading");
  return page.evaluate(() => client.state);
}

const silent = (page, options) => page.evaluate((given) => globalThis.outcome(client.signInSilent(given)), options);
const frames = (page) => page.locator("iframe").count();

test(
  "silent: who is signed in at the server is signed in here, and the frame is gone",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    assert.deepEqual(await reopen(page, { restore: "none" }), { status: "anonymous" });
    const { user } = await silent(page);
    assert.equal(user.sub, "alice");
    assert.equal(prompts().at(-1), "none");
    assert.equal(await frames(page), 0);
    assert.equal(suite.tokenRequests().length, 2);
    assert.equal(suite.seen("page", "/silent.html").length, 1);
    assert.equal(page.url(), suite.url(PROBE));
  }),
);

test(
  "silent: who is not is told login_required, and the frame is gone",
  suite.withPage(async ({ page }) => {
    await reopen(page);
    const { code, oauthError } = await silent(page);
    assert.deepEqual([code, oauthError], ["login_required", "login_required"]);
    assert.equal(await frames(page), 0);
    assert.deepEqual(await settled(page), { status: "anonymous", reason: "login_required" });
    assert.equal(suite.tokenRequests().length, 0);
  }),
);

test(
  "silent: a server that never answers is given up in time, and nothing stays behind",
  suite.withPage(async ({ page }) => {
    await reopen(page, { restoreTimeoutMs: 700 });
    await page.route("**/auth?*", () => {});
    const { code, retryable, took, open } = await page.evaluate(async () => {
      let open = 0;
      const { close } = BroadcastChannel.prototype;
      BroadcastChannel.prototype.close = function () {
        open += 1;
        return close.call(this);
      };
      const start = performance.now();
      const { code, retryable } = await globalThis.outcome(client.signInSilent());
      return { code, retryable, took: performance.now() - start, open };
    });
    assert.deepEqual([code, retryable], ["timeout", true]);
    assert.ok(took >= 700 && took < 2_700, `${took} ms`);
    // A worker has channels of its own.
    assert.equal(open, suite.isolation === "page" ? 1 : 0, "the channel is closed");
    assert.equal(await frames(page), 0);
  }),
);

test(
  "silent: the caller's signal and a sign-out end it",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    await reopen(page, { restore: "none" });
    await page.route("**/auth?*", () => {});
    const codes = await page.evaluate(async () => {
      const controller = new AbortController();
      const first = globalThis.outcome(client.signInSilent({ signal: controller.signal }));
      controller.abort();
      const second = globalThis.outcome(client.signInSilent());
      await client.signOutLocal();
      return [(await first).code, (await second).code];
    });
    assert.deepEqual(codes, ["aborted", "aborted"]);
    assert.equal(await frames(page), 0);
    assert.equal(await page.evaluate(() => client.state.status), "anonymous");
  }),
);

test(
  "a callback in a frame of another origin does nothing",
  suite.withPage(async ({ page }) => {
    const url = await authorizationResponse(page, suite);
    const stranger = await listen(0);
    stranger.handle((request, response) => {
      response.writeHead(200, { "Content-Type": "text/html" });
      response.end(request.url === "/" ? `<!doctype html><iframe src="${suite.url(FRAMED)}"></iframe>` : "");
    });
    try {
      await page.goto(stranger.origin);
      const frame = page.frames().find((one) => one.url() === suite.url(FRAMED));
      await frame.waitForFunction(() => globalThis.openClient);
      const framed = await handleCallback(frame, { url });
      assert.deepEqual([framed.code, framed.status], ["invalid_callback", "anonymous"]);
      assert.equal(suite.tokenRequests().length, 0);
    } finally {
      await stranger.close();
    }
    // In a window of its own the same response is as good as ever.
    await page.goto(url);
    assert.equal((await handleCallback(page)).sub, "alice");
  }),
);

testIn(suite, ["page", "worker", "fallback"])(
  "auto: after a reload the session goes on, and calls for a token wait for it",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    await page.goto(suite.url(PROBE));
    const { at, token, fetched, state } = await page.evaluate(async (silentRedirectUri) => {
      const client = (globalThis.client = await globalThis.openClient({ restore: "auto", silentRedirectUri }));
      const { apiUrl } = await (await fetch("/config.json")).json();
      const at = client.state.status;
      const [token, response] = await Promise.all([client.getAccessToken(), client.fetch(`${apiUrl}/notes`)]);
      return { at, token, fetched: response.status, state: client.state.status };
    }, SILENT_URI());
    assert.deepEqual([at, fetched, state], ["loading", 200, "authenticated"]);
    assert.ok(suite.tokens().includes(token));
    assert.equal(suite.tokenRequests().length, 2);
  }),
);

testAfterLoss(
  "auto: a server of another site, which would know nobody in a frame, is not asked",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    const here = await (await fetch(`${suite.demo.issuer}/.well-known/openid-configuration`)).json();
    const elsewhere = { ...here, authorization_endpoint: "https://login.example/auth" };
    assert.deepEqual(await reopen(page, { metadata: elsewhere }), { status: "anonymous" });
    assert.equal((await page.evaluate(() => globalThis.outcome(client.getToken()))).code, "not_signed_in");
    assert.equal(await frames(page), 0);
    // One of this site is, of which all else is the same.
    assert.deepEqual(await reopen(page, { metadata: here }), { status: "loading" });
    assert.equal((await settled(page)).user.sub, "alice");
  }),
);

testAfterLoss(
  "auto: a call that waits for the session ends with its signal",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    await page.route("**/auth?*", () => {});
    assert.deepEqual(await reopen(page), { status: "loading" });
    const codes = await page.evaluate(async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const { apiUrl } = await (await fetch("/config.json")).json();
      const calls = [client.getToken({ signal }), client.fetch(apiUrl, { signal })].map(globalThis.outcome);
      controller.abort();
      return (await Promise.all(calls)).map(({ code }) => code);
    });
    assert.deepEqual(codes, ["aborted", "aborted"]);
  }),
);

test(
  "auto: where nobody was signed in in this tab, and after a sign-out, nobody is asked",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite);
    const asked = prompts().length;
    const fresh = await context.newPage();
    assert.deepEqual(await reopen(fresh), { status: "anonymous" });
    await page.evaluate(() => client.signOutLocal());
    assert.deepEqual(await reopen(page), { status: "anonymous" });
    assert.equal(prompts().length, asked);
  }),
);

testAfterLoss(
  "auto: a session that has ended at the server is asked for once",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite);
    await context.clearCookies();
    assert.deepEqual(await reopen(page), { status: "loading" });
    assert.deepEqual(await settled(page), { status: "anonymous", reason: "login_required" });
    const asked = prompts().length;
    assert.deepEqual(await reopen(page), { status: "anonymous" });
    assert.equal(prompts().length, asked);
  }),
);

testAfterLoss(
  "auto: a server that was too slow is asked again after the next load",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    await page.route("**/auth?*", () => {});
    assert.deepEqual(await reopen(page, { restoreTimeoutMs: 300 }), { status: "loading" });
    assert.deepEqual(await settled(page), { status: "anonymous", reason: "timeout" });
    await page.unroute("**/auth?*");
    await reopen(page);
    assert.equal((await settled(page)).user.sub, "alice");
  }),
);

testAfterLoss(
  "auto: a sign-in of the person during a silent one that fails stays",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    const url = await authorizationResponse(page, suite, { prompt: "login" });
    await page.goto(suite.url(PROBE));
    await page.route("**/auth?*", () => {});
    assert.deepEqual(await reopen(page, { restoreTimeoutMs: 1_000 }), { status: "loading" });
    const { status } = await page.evaluate(async (response) => {
      await client.handleCallback(response);
      await globalThis.outcome(client.getToken());
      return client.state;
    }, url);
    assert.equal(status, "authenticated");
    assert.equal(await frames(page), 0);
  }),
);

test(
  "silent: asked for by name, it is tried in a new tab, too; none never asks",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite);
    const fresh = await context.newPage();
    assert.deepEqual(await reopen(fresh, { restore: "none" }), { status: "anonymous" });
    assert.deepEqual(prompts(), [null]);
    assert.deepEqual(await reopen(fresh, { restore: "silent" }), { status: "loading" });
    assert.equal((await settled(fresh)).user.sub, "alice");
    assert.deepEqual(prompts(), [null, "none"]);
  }),
);

test(
  "silent: the page in the hidden frame asks for no session of its own, as another frame's may",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    await page.goto(suite.url(PROBE));
    const asked = prompts().length;
    for (const [name, status] of [["wardkey-frame", "anonymous"], ["another", "loading"]]) {
      await page.evaluate(([called, src]) => {
        const frame = Object.assign(document.createElement("iframe"), { name: called, src });
        document.body.replaceChildren(frame);
      }, [name, suite.url(FRAMED)]);
      await page.waitForFunction(() => globalThis[0]?.openClient);
      const frame = page.frame({ name });
      const inside = await frame.evaluate(
        async (silentRedirectUri) => (await globalThis.openClient({ restore: "silent", silentRedirectUri })).state.status,
        SILENT_URI(),
      );
      assert.equal(inside, status, name);
      if (status === "anonymous") assert.equal(prompts().length, asked);
    }
  }),
);

test(
  "silent: the frame has the name by which it knows itself, and is gone under it too",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    await reopen(page, { restore: "none" });
    await page.route("**/auth?*", () => {});
    const name = await page.evaluate(() => {
      void globalThis.outcome(client.signInSilent());
      return new Promise((resolve) => {
        new MutationObserver((_, it) => (it.disconnect(), resolve(document.querySelector("iframe").name))).observe(document, {
          childList: true,
          subtree: true,
        });
      });
    });
    assert.equal(name, "wardkey-frame");
  }),
);

/** Loads the probe page with a client that leaves it for the server; where it lands. */
async function redirected(page, options) {
  await page.goto(suite.url(PROBE));
  const landed = page.waitForURL((url) => /[?&]state=/.test(url.search) && url.pathname === `/${PROBE}`);
  await page.evaluate((given) => void globalThis.openClient(given), { restore: "redirect", ...options });
  await landed;
  return page.url();
}

test(
  "redirect: the server is asked by leaving the page, which is gone from the history then",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite);
    const fresh = await context.newPage();
    await redirected(fresh);
    assert.equal(prompts().at(-1), "none");
    const { sub, returnTo } = await handleCallback(fresh, { options: { restore: "redirect" } });
    assert.deepEqual([sub, returnTo], ["alice", `/${PROBE}`]);
    // about:blank, and this page.
    assert.equal(await fresh.evaluate(() => history.length), 2);
  }),
);

test(
  "redirect: going round in circles ends with login_loop",
  suite.withPage(async ({ page }) => {
    const options = { restore: "redirect", silentRedirectUri: SILENT_URI(), loopGuard: { max: 2, windowSec: 60 } };
    for (let round = 0; round < 2; round += 1) {
      await redirected(page, options);
      assert.equal((await handleCallback(page, { options })).code, "login_required");
    }
    await reopen(page, options);
    assert.deepEqual(await settled(page), { status: "anonymous", reason: "login_loop" });
    assert.equal(prompts().length, 2);
    assert.equal(page.url(), suite.url(PROBE));
  }),
);

testAfterLoss(
  "redirect: where nothing can be counted, the page does not leave",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    const reason = await page.evaluate(async () => {
      const original = Object.getOwnPropertyDescriptor(globalThis, "sessionStorage");
      const get = () => {
        throw new DOMException("denied", "SecurityError");
      };
      Object.defineProperty(globalThis, "sessionStorage", { get, configurable: true });
      const client = await globalThis.openClient({ restore: "redirect", transactionStorage: "cookie" });
      await globalThis.outcome(client.getToken());
      Object.defineProperty(globalThis, "sessionStorage", original);
      return client.state.reason;
    });
    assert.equal(reason, "login_loop");
    assert.equal(prompts().length, 0);
  }),
);
