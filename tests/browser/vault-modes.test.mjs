// The vault, where the browser has no SharedWorker, and where it has no worker at all.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { authorizationResponse, handleCallback, openSuite, PROBE } from "./harness.mjs";

const suite = await openSuite({}, "wardkey/worker");
after(() => suite.close());

/** A browser without these. */
const without = (context, ...names) =>
  context.addInitScript((gone) => {
    for (const name of gone) delete globalThis[name];
  }, names);

/** Seconds that a sign-in may take. */
const LIFETIME = 600;

/** Signs in by redirect, calls the API, and looks where the transaction was kept meanwhile. */
async function throughRedirect(page, options) {
  await authorizationResponse(page, suite, {}, options);
  const kept = await page.evaluate(() => [...Object.keys(sessionStorage), document.cookie.split("=")[0]].join());
  if (options?.transactionStorage === "cookie") await assertCookie(page);
  const { sub, code } = await handleCallback(page, { options });
  const { isolation, status } = await page.evaluate(async (given) => {
    const { apiUrl } = await (await fetch("/config.json")).json();
    const client = await globalThis.openClient(given);
    const response = await globalThis.outcome(client.fetch(`${apiUrl}/notes`));
    return { isolation: client.isolation, status: response.status ?? response.code };
  }, options);
  return { kept, sub: sub ?? code, isolation, status };
}

/** The cookie of a sign-in in progress is for this host alone, for HTTPS, for the way back, and for no longer than that may take. */
async function assertCookie(page) {
  // Playwright says Lax of a cookie that does not say so itself, too.
  const devtools = await page.context().newCDPSession(page);
  const { cookies } = await devtools.send("Network.getCookies");
  const [cookie, ...others] = cookies.filter(({ name }) => name.startsWith("__Host-wardkey-1-"));
  assert.deepEqual(others, []);
  const { domain, path, secure, sameSite, expires } = cookie;
  // A domain that is written into a cookie begins with a dot.
  assert.deepEqual({ domain, path, secure, sameSite }, { domain: "localhost", path: "/", secure: true, sameSite: "Lax" });
  const left = expires - Date.now() / 1000;
  assert.ok(left > 0 && left <= LIFETIME, `${left} s`);
}

test(
  "without SharedWorker, a worker of the page's own keeps the tokens; the page keeps the sign-in in progress",
  suite.withPage(async ({ page, context }) => {
    await without(context, "SharedWorker");
    const { kept, sub, isolation } = await throughRedirect(page);
    assert.match(kept, /^wardkey:1:/);
    assert.deepEqual([sub, isolation], ["alice", "worker"]);
    assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), /verifier/);
  }),
);

test(
  "without any worker, the engine is on the page, and the client says so",
  suite.withPage(async ({ page, context }) => {
    await without(context, "SharedWorker", "Worker");
    const { sub, isolation } = await throughRedirect(page, { transactionStorage: "cookie" });
    assert.deepEqual([sub, isolation], ["alice", "page"]);
    const code = await page.evaluate(async () => {
      const client = await globalThis.openClient({ exposeAccessToken: false });
      return (await globalThis.outcome(client.getAccessToken())).code;
    });
    assert.equal(code, "credential_refused");
  }),
);

test(
  "a worker whose script does not load is told in the log, and the engine is on the page",
  suite.withPage(async ({ page, complaints }) => {
    await page.goto(suite.url(PROBE));
    const { isolation, told } = await page.evaluate(async () => {
      const told = [];
      const logger = ({ level, event, detail }) => event === "isolation" && told.push([level, detail.unavailable]);
      const client = await globalThis.openClient({ workerUrl: "/nothing.js", logger });
      return { isolation: client.isolation, told };
    });
    assert.equal(isolation, "page");
    assert.deepEqual(told, [["warn", "shared"], ["warn", "worker"]]);
    complaints.splice(0);
  }),
);

test(
  "a session in a shared worker is there after a reload, wherever the sign-in in progress is kept",
  suite.withPage(async ({ page }) => {
    for (const transactionStorage of ["cookie", "sessionStorage"]) {
      const { kept, sub, isolation, status } = await throughRedirect(page, { transactionStorage });
      assert.match(kept, transactionStorage === "cookie" ? /^__Host-wardkey-1-/ : /^wardkey:1:/);
      assert.deepEqual([sub, isolation, status], ["alice", "shared", 200], transactionStorage);
    }
  }),
);

test(
  "options that would take the tokens or the worker elsewhere are refused",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    const codes = await page.evaluate(async () => {
      const wrong = [
        { storage: "sessionStorage" },
        { storage: "localStorage" },
        { workerUrl: "https://elsewhere.example/vault.js" },
        { workerUrl: "https://" },
        { workerUrl: URL.createObjectURL(new Blob(["1"])) },
        { exposeAccessToken: "no" },
        { wasm: new Uint8Array(8) },
        { clientid: "misspelt" },
      ];
      const outcomes = await Promise.all(wrong.map((options) => globalThis.outcome(globalThis.openClient(options))));
      return outcomes.map(({ code }) => code);
    });
    assert.deepEqual(codes, Array(8).fill("invalid_configuration"));
  }),
);
