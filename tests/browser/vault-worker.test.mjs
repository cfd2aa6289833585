// The worker of the vault itself: what pages can ask it, and what happens when it is gone.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { notesApi } from "../../www/server/api.mjs";
import { openSuite, PROBE, signInOnProbe } from "./harness.mjs";

/** That of the demo; but `/hang` is never answered. */
function api(origins) {
  const notes = notesApi(origins);
  return (request, response) => {
    if (request.method !== "GET" || request.url !== "/hang") return notes(request, response);
    hung();
  };
}
let hung;

const suite = await openSuite({ api }, "wardkey/worker");
after(() => suite.close());

/** In the page: a request that is never answered, and what comes of it in `globalThis.waiting`; resolves once it is there. */
async function hang(page) {
  const arrived = new Promise((resolve) => (hung = resolve));
  await page.evaluate(async () => {
    const { apiUrl } = await (await fetch("/config.json")).json();
    globalThis.waiting = globalThis.outcome(client.fetch(`${apiUrl}/hang`));
    globalThis.states = [];
    client.subscribe(({ status }) => states.push(status));
  });
  await arrived;
}

/** The call that waited has a typed error; the session is there again, and serves. */
async function assertRecovered(page) {
  const { code, retryable } = await page.evaluate(() => globalThis.waiting);
  assert.deepEqual([code, retryable], ["not_initialised", true]);
  await page.waitForFunction(() => states.at(-1) === "authenticated");
  assert.equal(await page.evaluate(() => client.getUser().sub), "alice");
  const status = await page.evaluate(async () => {
    const { apiUrl } = await (await fetch("/config.json")).json();
    return (await client.fetch(`${apiUrl}/notes`)).status;
  });
  assert.equal(status, 200);
}

/** Keeps each port that the page gets to a SharedWorker, and the name of the worker, in `globalThis.workers`. */
const keepWorkers = (context) =>
  context.addInitScript(() => {
    globalThis.workers = [];
    globalThis.SharedWorker = class extends SharedWorker {
      constructor(url, options) {
        super(url, options);
        globalThis.workers.push({ url: String(url), options, worker: this });
      }
    };
  });

/** In the page: another connection to its worker, to which `messages` are sent; what came back for those that ask. */
const rawly = (page, messages) =>
  page.evaluate(async (sent) => {
    const { url, options } = globalThis.workers.at(-1);
    const policy = trustedTypes.createPolicy("raw", { createScriptURL: (it) => it });
    const { port } = new SharedWorker(policy.createScriptURL(url), options);
    const heard = [];
    const last = new Promise((resolve) => {
      port.onmessage = ({ data }) => {
        heard.push(data);
        if (data[1] === 999) resolve();
      };
    });
    for (const message of sent) port.postMessage(message);
    port.postMessage([1, 999, "hasScope", '"openid"']);
    await last;
    port.close();
    return heard.filter(([, id]) => id !== 999);
  }, messages);

/** The browser's names of the workers that are there; with `end` they are ended. */
async function sharedWorkers(context, end) {
  const session = await context.browser().newBrowserCDPSession();
  const { targetInfos } = await session.send("Target.getTargets", { filter: [{}] });
  const workers = targetInfos.filter(({ type }) => type === "shared_worker").map(({ targetId }) => targetId);
  if (end) for (const targetId of workers) await session.send("Target.closeTarget", { targetId });
  await session.detach();
  return workers;
}

const killWorkers = async (context) => (await sharedWorkers(context, true)).length;

test(
  "exposeAccessToken: false keeps every token from the page, and no message changes that",
  suite.withPage(async ({ page, context }) => {
    await keepWorkers(context);
    await signInOnProbe(page, suite, { exposeAccessToken: false });
    const refused = await page.evaluate(() => Promise.all([client.getAccessToken(), client.getToken()].map(globalThis.outcome)));
    for (const { code, phase, message } of refused) {
      assert.deepEqual([code, phase], ["credential_refused", "token"]);
      assert.match(message, /exposeAccessToken/);
    }
    const answers = await rawly(page, [
      [1, 1, "getToken", "{}"],
      [1, 2, "hello", '""'],
    ]);
    assert.deepEqual(answers.map(([, id]) => id).sort(), [1, 2]);
    assert.equal(answers.find(([, id]) => id === 1)[5].code, "credential_refused");
    for (const token of suite.tokens()) assert.ok(!JSON.stringify(answers).includes(token));
  }),
);

test(
  "what is no message of the protocol is not answered, and disturbs nothing",
  suite.withPage(async ({ page, context }) => {
    await keepWorkers(context);
    await signInOnProbe(page, suite);
    const strange = [
      null,
      "getToken",
      { 0: 1, 1: 1, 2: "getToken", 3: "{}" },
      [],
      [2, 1, "getToken", "{}"],
      ["1", 1, "getToken", "{}"],
      [1, "1", "getToken", "{}"],
      [1, 1.5, "getToken", "{}"],
      [1, 1, ["getToken"], "{}"],
      [1, 1, "getToken", {}],
      [1, 1, "getToken"],
      [1, 1, "fetch", "{}"],
      [1, 1, "constructor", "{}"],
      [1, 1, "__proto__", "{}"],
      [1, 1, "open", "{}"],
      [1, 1, "state", "{}"],
      [1, 1, "outlast", "{}"],
      [1, 1, "restart", "{}"],
      [1, 1, "abort", ""],
    ];
    assert.deepEqual(await rawly(page, strange), []);
    const [notJson, noRequest] = await rawly(page, [[1, 1, "getToken", "{"], [1, 2, "fetch", { url: 7, api: 8 }]]);
    assert.ok(notJson[5].name === "AuthError" && noRequest[5].name === "AuthError");
    assert.equal(await page.evaluate(async () => (await client.getToken()).tokenType), "Bearer");
  }),
);

test(
  "a page with other options has another worker",
  suite.withPage(async ({ page, context }) => {
    await keepWorkers(context);
    await signInOnProbe(page, suite, { exposeAccessToken: false });
    const other = await page.evaluate(async () => {
      const client = await globalThis.openClient();
      return [client.state.status, (await globalThis.outcome(client.getAccessToken())).code];
    });
    assert.deepEqual(other, ["anonymous", "not_signed_in"]);
    const [name, otherName] = await page.evaluate(() => globalThis.workers.map(({ options }) => options.name).slice(-2));
    assert.notEqual(name, otherName);
  }),
);

test(
  "two clients never mix: each has its worker, and signing out of one leaves the other alone",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    const statuses = await page.evaluate(async () => {
      const other = await globalThis.openClient({ clientId: "another" });
      const { status } = other.state;
      await other.signOutLocal();
      return [status, client.state.status, (await globalThis.openClient()).state.status];
    });
    assert.deepEqual(statuses, ["anonymous", "authenticated", "authenticated"]);
  }),
);

test(
  "a page of another version does not get this one's worker: it is told so, and the session here goes on",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    const seen = await page.evaluate(async () => {
      globalThis.SharedWorker = class extends SharedWorker {
        constructor(url, options) {
          super(url, { ...options, name: options.name?.replace(/"version":"[^"]*"/, '"version":"0.0.0"') });
        }
      };
      const { code, message } = await globalThis.outcome(globalThis.openClient());
      return { code, isSaid: message.includes("another version"), here: client.state.status };
    });
    assert.deepEqual(seen, { code: "not_initialised", isSaid: true, here: "authenticated" });
  }),
);

test(
  "a worker that is gone is a typed error for who waits; it starts again, and the session is restored",
  suite.withPage(async ({ page, context }) => {
    await signInOnProbe(page, suite, { restore: "auto", silentRedirectUri: suite.url("silent.html") });
    await hang(page);
    assert.equal(await killWorkers(context), 1);
    await assertRecovered(page);
  }),
);

test(
  "an engine that traps is a typed error for who waits; another worker takes its place, and the session is restored",
  suite.withPage(async ({ page, context }) => {
    const options = { restore: "auto", silentRedirectUri: suite.url("silent.html"), workerUrl: "/trapping-vault.js" };
    await signInOnProbe(page, suite, options);
    await hang(page);
    const before = await sharedWorkers(context);
    const { code, retryable } = await page.evaluate(async () => {
      const bus = new BroadcastChannel("trap");
      await new Promise((resolve) => {
        bus.onmessage = resolve;
        bus.postMessage("trap");
      });
      return globalThis.outcome(client.prepare());
    });
    assert.deepEqual([code, retryable], ["not_initialised", true]);
    await assertRecovered(page);
    const others = await sharedWorkers(context);
    assert.equal(others.length, 1);
    assert.notDeepEqual(others, before, "the worker in which it trapped is gone, and all that would have gone on in it");
  }),
);
