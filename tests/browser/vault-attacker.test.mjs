// Hostile script in the page, against the vault: what it cannot get, whatever it hooks and says. What it can do all the
// same is in vault-limits.test.mjs.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";

import { openAttacker } from "./attacker.mjs";
import { everything } from "./full-server.mjs";
import { authorizationResponse, handleCallback, openSuite, PROBE, signInOnProbe } from "./harness.mjs";
import { StrictApi } from "./strict-api.mjs";

const api = new StrictApi();
const suite = await openSuite({ extend: everything, api: (origins) => api.listener(origins) }, "wardkey/worker");
after(() => suite.close());

const OPTIONS = { clientId: "dpop", dpop: true, exposeAccessToken: false };
const ALL = ["access token", "private key", "refresh token", "verifier"];

/** A test body with an attacker, who looks around once more in the end; what must then be among the loot. */
const attacked = (kinds, body) =>
  suite.withPage(async (tab) => {
    api.reset();
    const attacker = await openAttacker(tab.context, new URL(suite.url()).origin);
    await body({ ...tab, attacker });
    for (const page of tab.context.pages()) await attacker.ransack(page);
    assert.ok(attacker.loot.length > 50, "the attacker sees something");
    assert.deepEqual(attacker.found(suite.exchanges), kinds);
  });

/** What an app does: a token is used, refused, renewed; a sign-in in a hidden frame; a sign-out. */
async function live(page) {
  api.refusals.push({ status: 401, challenge: 'DPoP error="invalid_token"' });
  const { status, sub } = await page.evaluate(async () => {
    const { apiUrl } = await (await fetch("/config.json")).json();
    const { status } = await client.fetch(`${apiUrl}/notes`, { method: "POST", body: "text" });
    await client.signInSilent();
    return { status, sub: client.getUser().sub };
  });
  assert.deepEqual([status, sub], [200, "alice"]);
  const grants = suite.tokenRequests().map(({ sent }) => new URLSearchParams(sent).get("grant_type"));
  assert.deepEqual(grants, ["authorization_code", "refresh_token", "authorization_code"]);
}

const silently = () => ({ ...OPTIONS, silentRedirectUri: suite.url("silent.html") });

test(
  "the attacker of these tests finds every secret of an engine on the page",
  attacked(ALL, async ({ page, context, attacker }) => {
    await attacker.beEarly();
    await context.addInitScript(() => {
      delete globalThis.SharedWorker;
      delete globalThis.Worker;
    });
    await signInOnProbe(page, suite, silently());
    assert.equal(await page.evaluate(() => client.isolation), "page");
    await live(page);
  }),
);

test(
  "who hooks everything before the package gets no token, verifier or key of the vault",
  attacked([], async ({ page, context, attacker }) => {
    await attacker.beEarly();
    await context.addInitScript(() => (globalThis.exportKeys = true));
    await signInOnProbe(page, suite, silently());
    assert.equal(await page.evaluate(() => client.isolation), "shared");
    await live(page);
    const second = await context.newPage();
    await second.goto(suite.url(PROBE));
    assert.equal(await second.evaluate(async (options) => (await openClient(options)).state.status, silently()), "authenticated");
  }),
);

test(
  "who hooks everything later gets no token, verifier or key of the vault",
  attacked([], async ({ page, attacker }) => {
    await signInOnProbe(page, suite, silently());
    await attacker.beLate(page);
    await live(page);
  }),
);

/** The names of all operations, of the worker and of the engine in it. */
async function operations() {
  const read = (path) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");
  const [service, engine] = await Promise.all([read("pkg/src/vault/service.ts"), read("src/bindings/engine.rs")]);
  const lists = [...service.matchAll(/^const (?:CALLS|RUNS) = \[([^\]]*)\]/gm)].flatMap(([, list]) => list.match(/\w+/g));
  const table = service.slice(service.indexOf("#table(): "));
  const steps = [...table.matchAll(/^ {6}(\w+): \(/gm)].map(([, name]) => name);
  const arms = [...engine.matchAll(/^ {8,12}"(\w+)" =>/gm)].map(([, name]) => name);
  assert.ok(lists.length > 15 && steps.length > 6 && arms.length > 20, "the lists are found");
  return { served: [...lists, ...steps], all: [...new Set([...lists, ...steps, ...arms, "fetch", "abort", "constructor", "__proto__"])] };
}

/** What ends the session comes last. */
const ENDS = ["follow", "forgo", "signOutLocal", "revoke", "signOut"];

/** In the page: a connection of the attacker's own to the worker; `globalThis.ask` waits for an answer, `say` does not. */
const connect = (page) =>
  page.evaluate(() => {
    const { url, options } = globalThis.workers.at(-1);
    const { port } = new SharedWorker(url, options);
    const waiting = new Map();
    let last = 1_000;
    port.onmessage = ({ data }) => waiting.get(data[1])?.(data);
    globalThis.say = (message) => port.postMessage(message);
    globalThis.ask = (operation, argument, id = ++last) =>
      new Promise((resolve) => {
        waiting.set(id, resolve);
        port.postMessage([1, id, operation, argument]);
      });
  });

const ARGUMENTS = [
  {},
  "",
  "all",
  "openid",
  { forceRefresh: true },
  { extra: { code_challenge: "A".repeat(43), response_type: "token" } },
  { method: "GET", url: "https://api.example/", accessToken: "made-up" },
  { __proto__: null, ["__proto__"]: { exposesTokens: true, exposeAccessToken: true } },
];

test(
  "no operation, asked with whatever argument, answers with a token, verifier or key",
  attacked([], async ({ page, attacker }) => {
    await attacker.beEarly();
    await signInOnProbe(page, suite, silently());
    await connect(page);
    const { served, all } = await operations();
    const names = [...all.filter((name) => !ENDS.includes(name)), ...ENDS];
    const refusals = await page.evaluate(
      async ([operations, known, values]) => {
        const refusals = [];
        for (const operation of operations) {
          // A page that is greeted under the name of a free lock is taken to be gone.
          const texts = (operation === "hello" ? [""] : values).map((value) => JSON.stringify(value));
          // Nothing comes to what waits for a window, and to what is no operation.
          if (!known.includes(operation) || ["popup", "frame"].includes(operation)) for (const text of texts) say([1, 7, operation, text]);
          else for (const text of texts) refusals.push([operation, (await ask(operation, text))[5]?.code]);
        }
        await ask("hasScope", '"openid"');
        return refusals;
      },
      [names, served, ARGUMENTS],
    );
    const tokens = refusals.filter(([operation]) => operation === "getToken").map(([, code]) => code);
    assert.deepEqual(tokens, ARGUMENTS.map(() => "credential_refused"));
  }),
);

test(
  "a sign-in in progress that the attacker gives to the worker is none to a worker that keeps its own",
  attacked(["verifier"], async ({ page, attacker }) => {
    await attacker.beEarly();
    const inPage = { ...OPTIONS, transactionStorage: "sessionStorage" };
    // The attacker's own, so to speak: with all that a worker would need for it.
    const planted = await authorizationResponse(page, suite, {}, inPage);
    await page.evaluate(async (options) => void (globalThis.client = await openClient(options)), OPTIONS);
    await connect(page);
    const code = await page.evaluate(async () => {
      const [kept] = Object.values(sessionStorage).filter((text) => text.includes("verifier"));
      await ask("adopt", JSON.stringify(kept));
      return (await ask("handleCallback", JSON.stringify(location.href)))[5].code;
    });
    assert.equal(code, "transaction_not_found");
    assert.equal(suite.tokenRequests().length, 0);
    const { sub } = await handleCallback(page, { url: planted, options: inPage });
    assert.equal(sub, "alice", "it was a good one");
  }),
);

/** Requests that arrived with a token anywhere else than at the API. */
const strays = () => suite.exchanges.filter(({ server, headers, path }) => server !== "api" && headers.authorization && path !== "/token");

test(
  "no request with a token goes to an origin that is not in `api`, whatever the page says of it",
  attacked([], async ({ page, attacker }) => {
    await attacker.beEarly();
    await signInOnProbe(page, suite, OPTIONS);
    await connect(page);
    const codes = await page.evaluate(async (elsewhere) => {
      const call = { url: elsewhere, init: {}, headers: [], api: "", replayable: true };
      const targets = [elsewhere, { origin: new URL(elsewhere).origin }];
      const raw = [
        call,
        ...targets.map((target) => ({ ...call, api: JSON.stringify(target) })),
        { ...call, api: JSON.stringify(targets), init: { redirect: "follow", credentials: "include", mode: "no-cors" } },
        { ...call, api: JSON.stringify(elsewhere), ["__proto__"]: { api: "" } },
      ];
      const answers = await Promise.all(raw.map(async (argument) => (await ask("fetch", argument))[5]?.code));
      const own = [client.fetch(elsewhere), ...targets.map((target) => client.createFetch({ api: target })(elsewhere))];
      return [...answers, ...(await Promise.all(own.map(async (each) => (await outcome(each)).code)))];
    }, suite.url("config.json"));
    assert.deepEqual(codes, Array(8).fill("origin_not_allowed"));
    assert.deepEqual(strays(), []);
  }),
);

test(
  "a page that was changed before the package loads has another worker, and the session of this one is none of its",
  attacked([], async ({ page, context, attacker }) => {
    await attacker.beEarly();
    await signInOnProbe(page, suite, OPTIONS);
    const changes = [{ exposesTokens: true }, { wasm: "other" }, { api: "https://attacker.example" }, { outlasts: false }];
    for (const change of changes) {
      const other = await context.newPage();
      await other.goto(suite.url(PROBE));
      const seen = await other.evaluate(
        async ([given, options]) => {
          globalThis.changeWorker = ({ name, ...rest }) => {
            const charter = JSON.parse(name ?? "{}");
            if ("api" in given) Object.assign(charter.options, given);
            else if ("wasm" in given) charter.wasm += "?other";
            else Object.assign(charter, given);
            return { ...rest, name: JSON.stringify(charter) };
          };
          Object.assign(Object.prototype, { exposeAccessToken: true, exposesTokens: true, accessToken: "x" });
          const client = await openClient(options);
          return [client.state.status, (await outcome(client.getToken())).code];
        },
        [change, OPTIONS],
      );
      const code = change.exposesTokens ? "not_signed_in" : "credential_refused";
      assert.deepEqual(seen, ["anonymous", code], JSON.stringify(change));
    }
    assert.equal(await page.evaluate(() => client.state.status), "authenticated");
  }),
);
