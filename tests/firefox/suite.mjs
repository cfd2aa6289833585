// A suite in Firefox: the demo's servers, with everything on, over the probe page; and what a person does there.

import assert from "node:assert/strict";

import { everything } from "../browser/full-server.mjs";
import { PROBE, startServers } from "../browser/harness.mjs";
import { openFirefox } from "./firefox.mjs";

/** @param {"wardkey" | "wardkey/worker"} entry What the pages import. */
export async function openFirefoxSuite(entry) {
  const servers = await startServers({ extend: everything }, entry);
  const firefox = await openFirefox();
  const { demo, exchanges } = servers;
  return {
    demo,
    close: () => Promise.all([firefox.close(), servers.close()]),
    /** A test body that sees its own exchanges only. */
    withPage: (body) =>
      firefox.withPage((tab) => {
        exchanges.length = 0;
        return body(tab);
      }),
    url: (path = "") => new URL(path, demo.pageUrl).href,
    /** Exchanges with a server, whose path begins so. */
    seen: (server, path = "/") => exchanges.filter((one) => one.server === server && one.path.startsWith(path)),
    tokenRequests: () => exchanges.filter(({ server, method, path }) => server === "as" && method === "POST" && path === "/token"),
    /** Opens the probe page with a client, `globalThis.client`; what it is like at once. */
    async open(page, options = {}) {
      await page.goto(new URL(PROBE, demo.pageUrl).href);
      return page.evaluate(async (given) => {
        globalThis.client = await globalThis.openClient(given);
        return { isolation: client.isolation, status: client.state.status, sub: client.getUser()?.sub };
      }, options);
    },
    popUp: (page) => popUp(page, demo.issuer),
  };
}

export const press = (page, words) => page.locator(`::-p-xpath(//button[normalize-space()="${words}"])`).click();

/** Answers login and consent. */
export async function answer(page) {
  await page.locator("[name=username]").fill("alice");
  await page.locator("[name=password]").fill("wonderland");
  await press(page, "Sign in");
  await press(page, "Allow");
}

/** On the page of a client: leaves for the authorization server and comes back, with the response not yet handled. */
export async function leave(page) {
  await page.evaluate(() => void globalThis.client.signIn());
  // Known to the server already, the person is asked nothing.
  await page.waitForFunction(() => document.querySelector("[name=password]") || /[?&]state=/.test(location.search));
  if (!/[?&]state=/.test(new URL(page.url()).search)) await answer(page);
  await arrive(page);
}

const arrive = (page) => page.waitForFunction(() => /[?&]state=/.test(location.search) && globalThis.openClient);

/** On the probe page: a new client handles a response. */
export const handle = (page, options = {}) =>
  page.evaluate(async (given) => {
    globalThis.client = await globalThis.openClient(given);
    const { user, code } = await globalThis.outcome(client.handleCallback());
    return { sub: user?.sub, code, status: client.state.status, query: location.search };
  }, options);

export const SIGNED_IN = { sub: "alice", code: undefined, status: "authenticated", query: "" };

/** On the page of a client: signs alice in by a popup, which opens in the tick of the call, with its URL. */
async function popUp(page, issuer) {
  const opened = new Promise((resolve) => page.once("popup", resolve));
  const first = await page.evaluate(async () => {
    await client.prepare();
    const original = globalThis.open;
    let first;
    globalThis.open = (...parameters) => original(...((first = parameters), parameters));
    globalThis.ended = globalThis.outcome(client.signInPopup());
    return first[0]; // Still in the tick of the call.
  });
  assert.equal(new URL(first).origin, issuer);
  const popup = await opened;
  await answer(popup);
  await arrive(popup);
  const closed = new Promise((resolve) => popup.once("close", resolve));
  await popup.evaluate(async () => void (await globalThis.openClient()).handleCallback());
  assert.equal((await page.evaluate(() => globalThis.ended)).user.sub, "alice");
  await closed;
}
