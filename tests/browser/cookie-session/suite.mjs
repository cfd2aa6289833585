// What the tests of cookie sessions share: one Chromium, one backend for frontend, and what is done to a session there.

import assert from "node:assert/strict";
import { after } from "node:test";
import { setTimeout } from "node:timers/promises";

import { Bff } from "../bff.mjs";
import { openSuite } from "../harness.mjs";

const suite = await openSuite();
export const bff = await Bff.start();
after(() => Promise.all([suite.close(), bff.close()]));

export const OPTIONS = {
  api: [`${bff.origin}/api`, `${bff.apiOrigin}/api`],
  csrf: { header: "X-CSRF", value: "1" },
  userUrl: "/bff/user",
  signInUrl: "/bff/login",
  refresh: { url: "/bff/refresh" },
};
/** Without the page that the claims name, the session is ended by POST. */
export const POSTING = { ...OPTIONS, signOutUrl: "/bff/logout" };
export const USER = JSON.stringify({ sub: "ada", email: "ada@example.org" });
export const LIMITED = { status: 403, body: '{"Title":"Rate Limit Exceeded","Status":403}' };

/** Opens the page with a session in its cookie, or none, and makes `session` of it; the states are in `states`. */
export async function open(page, options = OPTIONS, { sub = "ada", path = "/" } = {}) {
  if (sub) await page.context().addCookies([bff.signIn(sub)]);
  await page.goto(bff.origin + path);
  return make(page, options);
}

export const make = (page, options) =>
  page.evaluate(async (given) => {
    globalThis.session = await createCookieSession(given);
    globalThis.states = [];
    session.subscribe((state) => states.push(state));
    globalThis.first = session.state;
    return session.state;
  }, options);

export const state = (page) => page.evaluate(() => session.state);
/** Is the snapshot the very object of before? */
export const isSame = (page) => page.evaluate(() => session.state === first && states.length === 0);
export const call = (page, name, ...values) =>
  page.evaluate(([method, given]) => outcome(session[method](...given)), [name, values]);
export const cases = (body) => suite.withPage(async (tab) => (bff.reset(), body(tab)));

/** Takes a step; its answer from a path has come by then, and been dealt with. */
export async function settled(page, path, step) {
  await page.evaluate((awaited) => {
    const { fetch } = globalThis;
    globalThis.settled = new Promise((resolve) => {
      globalThis.fetch = async (request) => {
        const answer = await fetch(request);
        if (new URL(request.url).pathname !== awaited) return answer;
        globalThis.fetch = fetch;
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve();
        void answer.clone().text().then(() => port2.postMessage(""));
        return answer;
      };
    });
  }, path);
  await step();
  const missing = setTimeout(10_000, undefined, { ref: false }).then(() => assert.fail(`no answer from ${path}`));
  await Promise.race([page.evaluate(() => globalThis.settled), missing]);
}

/** What another tab says. */
export const hint = (page) =>
  page.evaluate(() => new BroadcastChannel(`wardkey:session:${location.origin}/bff/user`).postMessage("changed"));

/** Answers from a path are there (`answered`), and come through when they are let go. */
export const hold = (page, path) =>
  page.evaluate((held) => {
    const { fetch } = globalThis;
    const gate = new Promise((resolve) => (globalThis.letGo = resolve));
    globalThis.answered = new Promise((resolve) => {
      globalThis.fetch = async (request) => {
        const answer = await fetch(request);
        if (new URL(request.url).pathname !== held) return answer;
        resolve();
        await gate;
        return answer;
      };
    });
  }, path);

export const release = (page) =>
  page.evaluate(async () => {
    globalThis.letGo();
    await new Promise((resolve) => setTimeout(resolve));
  });
