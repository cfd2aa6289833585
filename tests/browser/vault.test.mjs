// The vault, where the browser has a SharedWorker that outlasts its pages: a sign-in by redirect leaves nothing in any
// storage, and a reload and another tab are signed in at once.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { authorizationResponse, everythingStored, handleCallback, openSuite, PROBE } from "./harness.mjs";

const suite = await openSuite({}, "wardkey/worker");
after(() => suite.close());

/** Opens the probe page with a client, `globalThis.client`; what it is like at once. */
async function open(page, options) {
  await page.goto(suite.url(PROBE));
  return page.evaluate(async (given) => {
    globalThis.client = await globalThis.openClient(given);
    return { isolation: client.isolation, status: client.state.status, sub: client.getUser()?.sub };
  }, options);
}

/** In no store that script can read is there anything. */
async function assertNothingStored(page) {
  const { localStorage, sessionStorage, databases, cached } = JSON.parse(await everythingStored(page));
  assert.deepEqual({ localStorage, sessionStorage, databases, cached }, { localStorage: {}, sessionStorage: {}, databases: [], cached: [] });
  assert.equal(await page.evaluate(() => document.cookie), "");
}

const SIGNED_IN = { isolation: "shared", status: "authenticated", sub: "alice" };

test(
  "a sign-in by redirect leaves nothing in any storage; a reload and a second tab are signed in without a request",
  suite.withPage(async ({ page, context }) => {
    assert.deepEqual(await open(page), { isolation: "shared", status: "anonymous", sub: undefined });
    await authorizationResponse(page, suite);
    await assertNothingStored(page);
    const { sub, status, query } = await handleCallback(page);
    assert.deepEqual([sub, status, query], ["alice", "authenticated", ""]);
    await assertNothingStored(page);
    const asked = suite.seen("as").length;
    assert.deepEqual(await open(page), SIGNED_IN);
    const second = await context.newPage();
    assert.deepEqual(await open(second), SIGNED_IN);
    assert.equal(suite.seen("as").length, asked);
    assert.equal(await second.evaluate(async () => {
      const { apiUrl } = await (await fetch("/config.json")).json();
      return (await client.fetch(`${apiUrl}/notes`)).status;
    }), 200);
    await page.evaluate(() => client.signOutLocal());
    await second.waitForFunction(() => client.state.status === "anonymous");
    assert.deepEqual(await open(second), { isolation: "shared", status: "anonymous", sub: undefined });
    await assertNothingStored(page);
  }),
);
