// The authenticated fetch over a real network: what is sent where, what is sent again, and what is not.

import assert from "node:assert/strict";
import { after } from "node:test";

import { isOfBrowser, isOutOfReach, openFullSuite, PROBE, signInOnProbe } from "./full-suite.mjs";
import { ALL, BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);
const testEverywhere = testIn(suite, ALL);

const REFRESH = { clientId: "refresh" };
const INVALID = { status: 401, challenge: 'Bearer error="invalid_token"' };

const call = (page, init, path = "/notes") =>
  page.evaluate(([url, options]) => globalThis.outcome(client.fetch(url, options)), [suite.apiUrl(path), init]);

testEverywhere(
  "401 invalid_token is one renewal and one more request, with the fresh token",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [INVALID];
    assert.equal((await call(page)).status, 200);
    assert.equal(suite.tokenRequests().length, 2);
    const sent = suite.calls().map(({ headers }) => headers.authorization);
    assert.equal(sent.length, 2);
    assert.notEqual(sent[0], sent[1]);
  }),
);

test(
  "an API that goes on refusing is asked twice, and its answer is the caller's",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = Array(5).fill(INVALID);
    assert.equal((await call(page)).status, 401);
    assert.equal(suite.calls().length, 2);
    assert.equal(suite.tokenRequests().length, 2);
    assert.equal(await page.evaluate(() => client.state.status), "authenticated");
  }),
);

test(
  "ten refusals at once are one renewal",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = Array(10).fill(INVALID);
    const statuses = await page.evaluate(
      (url) => Promise.all(Array.from({ length: 10 }, () => client.fetch(url).then(({ status }) => status))),
      suite.apiUrl("/notes"),
    );
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.equal(suite.tokenRequests().length, 2);
    assert.equal(suite.calls().length, 20);
  }),
);

test(
  "without a refresh token a 401 is the caller's, at once",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    suite.api.refusals = [INVALID];
    assert.equal((await call(page)).status, 401);
    assert.equal(suite.calls().length, 1);
  }),
);

test(
  "a 401 whose challenge CORS hides is renewed once too",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [{ ...INVALID, hidden: true }];
    assert.equal((await call(page)).status, 200);
    assert.equal(suite.calls().length, 2);
  }),
);

/** Made in the page, of what crosses to it. */
const bodies = {
  "a text": (text) => text,
  "a Blob": (text) => new Blob([text], { type: "text/plain" }),
  "an ArrayBuffer": (text) => new TextEncoder().encode(text).buffer,
  "form parameters": (text) => new URLSearchParams({ note: text }),
  "a FormData": (text) => {
    const data = new FormData();
    data.set("note", new File([text], "note.txt"));
    return data;
  },
};

for (const [what, make] of Object.entries(bodies)) {
  test(
    `${what} is sent again as it was`,
    suite.withPage(async ({ page }) => {
      await signInOnProbe(page, suite, REFRESH);
      suite.api.refusals = [INVALID];
      const { status, body } = await page.evaluate(
        async ([url, source]) => {
          const make = (0, [source].map((text) => new Function(`return (${text})("a long note")`))[0]);
          return globalThis.outcome(client.fetch(url, { method: "POST", body: make() }));
        },
        [suite.apiUrl("/notes"), String(make)],
      );
      assert.equal(status, 200);
      assert.match(body.body, /a(\+| )long(\+| )note/);
      const [first, second] = suite.calls();
      assert.equal(first.sent.length, second.sent.length);
      assert.equal(suite.calls().length, 2);
    }),
  );
}

const withStream = (page) =>
  page.evaluate((url) => {
    const body = new Blob(["a stream"]).stream();
    return globalThis.outcome(client.fetch(url, { method: "POST", body, duplex: "half" }));
  }, suite.apiUrl("/notes"));

test(
  "a stream is sent once; where it would have to go again, the error says so",
  suite.withPage(async ({ page }) => {
    // HTTP/1.1 takes no streams: what is tested is what the package does, not what the network would.
    const workerUrl = suite.mode === "page" ? undefined : "/buffering-vault.js";
    await signInOnProbe(page, suite, { ...REFRESH, workerUrl });
    await page.evaluate(() => import("/buffering.js"));
    const { status, body } = await withStream(page);
    assert.deepEqual([status, body.body], [200, "a stream"]);
    suite.api.refusals = [INVALID];
    const { code, phase } = await withStream(page);
    assert.deepEqual([code, phase], ["body_not_replayable", "fetch"]);
    assert.equal(suite.calls().length, 2);
    assert.equal((await withStream(page)).status, 200, "the token was renewed meanwhile");
    assert.equal(suite.tokenRequests().length, 2);
  }),
);

test(
  "the caller's signal ends the request: before, while the API thinks, and while the token is fetched",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    const early = await page.evaluate(
      (url) => globalThis.outcome(client.fetch(url, { signal: AbortSignal.abort() })),
      suite.apiUrl("/notes"),
    );
    assert.deepEqual([early.code, early.phase], ["aborted", "fetch"]);
    assert.equal(suite.calls().length, 0);

    let open;
    suite.api.gate = new Promise((resolve) => (open = resolve));
    const asked = new Promise((resolve) => suite.intercept("/notes", () => resolve()));
    const pending = page.evaluate(async (url) => {
      globalThis.controller = new AbortController();
      const ended = globalThis.outcome(client.fetch(url, { signal: globalThis.controller.signal }));
      const others = globalThis.outcome(client.fetch(url));
      return [await ended, await others];
    }, suite.apiUrl("/notes"));
    await asked;
    await page.evaluate(() => globalThis.controller.abort("a reason that is no error"));
    open();
    const [ended, others] = await pending;
    assert.deepEqual([ended.code, ended.retryable], ["aborted", false]);
    assert.equal(others.status, 200);

    let answer;
    const renewing = new Promise((resolve) =>
      suite.intercept("/token", () => (resolve(), new Promise((go) => (answer = go)))),
    );
    suite.api.refusals = [INVALID, INVALID];
    const again = page.evaluate(async (url) => {
      globalThis.controller = new AbortController();
      const first = globalThis.outcome(client.fetch(url, { signal: globalThis.controller.signal }));
      const second = globalThis.outcome(client.fetch(url));
      const stopped = await first;
      return [stopped, await second];
    }, suite.apiUrl("/notes"));
    await renewing;
    await page.evaluate(() => globalThis.controller.abort());
    answer();
    const [stopped, other] = await again;
    assert.deepEqual([stopped.code, other.status], ["aborted", 200]);
    assert.equal(suite.tokenRequests().length, 2, "one renewal, which the abort leaves to the other call");
  }),
);

test(
  "the reason of an abort does not come back in the error",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    const text = await page.evaluate(async (url) => {
      const error = await client.fetch(url, { signal: AbortSignal.abort("s3cret") }).catch((thrown) => thrown);
      return `${error} ${error.stack} ${JSON.stringify(error)}`;
    }, suite.apiUrl("/notes"));
    assert.match(text, /aborted/);
    assert.ok(!text.includes("s3cret"));
  }),
);

test(
  "createFetch: relative URLs are of baseUrl, and only its own targets get the token",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { ...REFRESH, api: [] });
    const { own, climbing, elsewhere, client: byClient } = await page.evaluate(async (base) => {
      const send = client.createFetch({ api: `${base}/notes`, baseUrl: `${base}/notes/` });
      return {
        own: await globalThis.outcome(send("today?x=1")),
        climbing: await globalThis.outcome(send("../mail")),
        elsewhere: await globalThis.outcome(send("https://attacker.example/")),
        client: await globalThis.outcome(client.fetch(`${base}/notes`)),
      };
    }, suite.apiUrl());
    assert.equal(own.status, 200);
    assert.deepEqual([climbing, elsewhere, byClient].map(({ code }) => code), Array(3).fill("origin_not_allowed"));
    assert.deepEqual(suite.calls().map(({ path }) => path), ["/notes/today?x=1"]);
  }),
);

test(
  "createFetch refuses what is no option, no target and no URL",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    const codes = await page.evaluate(async (isVault) => {
      const client = await globalThis.openClient();
      // In the vault it is the worker that looks at the targets, with each request.
      const use = async (options) => {
        const send = client.createFetch(options);
        return isVault && send("https://api.example/");
      };
      const refuse = async (options) => (await globalThis.outcome(use(options))).code;
      return Promise.all(
        [
          { api: "https://api.example", onStepup: async () => "retry" },
          { api: "http://api.example" },
          { api: "https://api.example?x" },
          { api: "https://api.example", baseUrl: "/notes" },
          { api: "https://api.example", onStepUp: "retry" },
          {},
          undefined,
          null,
        ].map(refuse),
      );
    }, suite.mode !== "page");
    assert.deepEqual(codes, Array(8).fill("invalid_configuration"));
  }),
);

test(
  "a caller's own credentials are refused, in header and URL",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    for (const name of ["Authorization", "dPoP"]) {
      assert.equal((await call(page, { headers: { [name]: "x" } })).code, "credential_refused", name);
    }
    assert.equal((await call(page, undefined, "/notes?access_token=x")).code, "credential_refused");
    assert.equal(suite.calls().length, 0);
  }),
);

test(
  "a Request goes with what it says, and again after a 401",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [INVALID];
    const outcome = await page.evaluate((url) => {
      const request = new Request(url, { method: "PUT" });
      return globalThis.outcome(client.fetch(request, { body: "new", headers: { "content-type": "text/x-note" } }));
    }, suite.apiUrl("/notes"));
    assert.deepEqual([outcome.status, outcome.body.method, outcome.body.body, outcome.body.type], [200, "PUT", "new", "text/x-note"]);
  }),
);

test(
  "an API that is not there is a network error that can be retried",
  suite.withPage(async ({ page, complaints }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.intercept("/notes", isOutOfReach);
    const { code, phase, retryable } = await call(page);
    assert.deepEqual([code, phase, retryable], ["network", "fetch", true]);
    assert.ok(complaints.splice(0).every(isOfBrowser));
  }),
);
