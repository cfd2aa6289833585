// Requests through the vault: bodies, answers, signals and errors cross as they do without it.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { openSuite, PROBE, signInOnProbe } from "./harness.mjs";

/** What the API is asked to do, by path: an answer in parts, of which the second waits for `release`. */
let release;

function api({ pageUrl, issuer: _ }) {
  const origin = new URL(pageUrl).origin;
  return (request, response) => {
    const headers = {
      "Access-Control-Allow-Origin": origin,
      "Access-Control-Allow-Headers": "*, authorization, content-type, x-app",
      "Access-Control-Allow-Methods": "*, PUT, DELETE, PATCH",
      "Access-Control-Expose-Headers": "x-app",
    };
    if (request.method === "OPTIONS") return response.writeHead(204, headers).end();
    const path = new URL(request.url, "http://localhost").pathname;
    if (path === "/parts") {
      response.writeHead(200, { ...headers, "Content-Type": "text/plain" });
      response.write("first ");
      release = () => response.end("last");
      response.on("close", () => (closed = true));
      return;
    }
    if (path === "/wait") {
      response.on("close", () => (closed = true));
      return arrive();
    }
    if (path === "/empty") return response.writeHead(204, { ...headers, "X-App": "none" }).end();
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      response.writeHead(path === "/teapot" ? 418 : 200, { ...headers, "Content-Type": "application/json", "X-App": "yes" });
      const { method } = request;
      const body = Buffer.concat(chunks).toString("latin1");
      const type = request.headers["content-type"]?.split(";")[0];
      const token = request.headers.authorization?.split(" ")[0];
      response.end(JSON.stringify({ method, body, type, token, app: request.headers["x-app"] }));
    });
  };
}
let closed = false;
let arrive;

const suite = await openSuite({ api }, "wardkey/worker");
after(() => suite.close());

const signedIn = (body) =>
  suite.withPage(async (tab) => {
    await signInOnProbe(tab.page, suite);
    await tab.page.evaluate(async () => {
      globalThis.api = (await (await fetch("/config.json")).json()).apiUrl;
    });
    await body(tab);
  });

test(
  "method, headers and every kind of body arrive",
  signedIn(async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const form = new FormData();
      form.append("file", new Blob(["content"], { type: "text/plain" }), "a.txt");
      const bodies = {
        text: "plain",
        octets: new Uint8Array([1, 2, 255]),
        buffer: new Uint8Array([3, 4]).buffer,
        blob: new Blob(["b"], { type: "image/png" }),
        parameters: new URLSearchParams({ a: "1 2" }),
        form,
        none: undefined,
      };
      const seen = {};
      for (const [name, body] of Object.entries(bodies)) {
        seen[name] = await (await client.fetch(`${api}/echo`, { method: "PUT", headers: { "X-App": name }, body })).json();
      }
      seen.request = await (await client.fetch(new Request(`${api}/echo`, { method: "PATCH", body: "r" }))).json();
      seen.get = await (await client.fetch(`${api}/echo`)).json();
      return seen;
    });
    const of = (name, body, type) => ({ method: "PUT", body, token: "Bearer", app: name, ...(type && { type }) });
    const { form, ...others } = seen;
    assert.deepEqual(others, {
      text: of("text", "plain", "text/plain"),
      octets: of("octets", "\x01\x02\xff"),
      buffer: of("buffer", "\x03\x04"),
      blob: of("blob", "b", "image/png"),
      parameters: of("parameters", "a=1+2", "application/x-www-form-urlencoded"),
      none: of("none", ""),
      request: { method: "PATCH", body: "r", type: "text/plain", token: "Bearer" },
      get: { method: "GET", body: "", token: "Bearer" },
    });
    assert.equal(form.type, "multipart/form-data");
    assert.match(form.body, /name="file"; filename="a.txt"[\s\S]*content/);
  }),
);

test(
  "a response is what it would be without the vault",
  signedIn(async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const tell = async (response) => {
        const { url, status, statusText, ok, type, redirected, headers } = response;
        const copy = response.clone();
        return { url, status, statusText, ok, type, redirected, app: headers.get("x-app"), copied: copy.url, body: await copy.text() };
      };
      return {
        teapot: await tell(await client.fetch(`${api}/teapot?q`)),
        empty: await tell(await client.fetch(`${api}/empty`)),
        api,
      };
    });
    const { teapot, empty, api: origin } = seen;
    const url = `${origin}/teapot?q`;
    const { body, ...head } = teapot;
    assert.deepEqual(head, {
      url,
      status: 418,
      statusText: "I'm a Teapot",
      ok: false,
      type: "cors",
      redirected: false,
      app: "yes",
      copied: url,
    });
    assert.equal(JSON.parse(body).token, "Bearer");
    assert.deepEqual([empty.status, empty.body, empty.app], [204, "", "none"]);
  }),
);

test(
  "an answer is there before its last part is sent",
  signedIn(async ({ page }) => {
    const first = await page.evaluate(async () => {
      globalThis.reader = (await client.fetch(`${api}/parts`)).body.getReader();
      return new TextDecoder().decode((await reader.read()).value);
    });
    assert.equal(first, "first ");
    release();
    assert.equal(await page.evaluate(async () => new TextDecoder().decode((await reader.read()).value)), "last");
    assert.equal(await page.evaluate(async () => (await reader.read()).done), true);
  }),
);

test(
  "a signal ends the request in the worker, before the answer and within its body; so does who cancels the body",
  signedIn(async ({ page }) => {
    closed = false;
    const outcome = await page.evaluate(async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const response = await client.fetch(`${api}/parts`, { signal });
      const reader = response.body.getReader();
      await reader.read();
      const rest = reader.read().catch(({ name }) => name);
      controller.abort();
      const gone = AbortSignal.abort();
      return [await rest, (await globalThis.outcome(client.fetch(`${api}/echo`, { signal: gone }))).code];
    });
    assert.deepEqual(outcome, ["AbortError", "aborted"]);
    while (!closed) await new Promise((resolve) => setImmediate(resolve));
    closed = false;
    const arrived = new Promise((resolve) => (arrive = resolve));
    await page.evaluate(() => {
      globalThis.controller = new AbortController();
      globalThis.fetching = globalThis.outcome(client.fetch(`${api}/wait`, { signal: controller.signal }));
    });
    await arrived;
    assert.equal(closed, false);
    const code = await page.evaluate(async () => {
      controller.abort();
      return (await fetching).code;
    });
    assert.equal(code, "aborted");
    while (!closed) await new Promise((resolve) => setImmediate(resolve));
    closed = false;
    await page.evaluate(async () => {
      const reader = (await client.fetch(`${api}/parts`)).body.getReader();
      await reader.read();
      await reader.cancel();
    });
    while (!closed) await new Promise((resolve) => setImmediate(resolve));
  }),
);

test(
  "a tab that is closed is dropped by the worker, and its requests end",
  signedIn(async ({ context }) => {
    const other = await context.newPage();
    await other.goto(suite.url(PROBE));
    closed = false;
    const arrived = new Promise((resolve) => (arrive = resolve));
    await other.evaluate(async (url) => {
      globalThis.client = await globalThis.openClient();
      void globalThis.outcome(client.fetch(url));
    }, `${suite.demo.apiUrl}/wait`);
    await arrived;
    assert.equal(closed, false);
    await other.close();
    while (!closed) await new Promise((resolve) => setImmediate(resolve));
  }),
);

test(
  "a client secret stays out of requests with a token, and an app's own secrets do not",
  signedIn(async ({ page }) => {
    const codes = await page.evaluate(async () => {
      const json = { "Content-Type": "application/json" };
      const post = (body, headers) => ({ method: "POST", body, headers });
      const inits = [
        post(JSON.stringify({ client_secret: "s3cr3t" }), json),
        post(new URLSearchParams({ client_secret: "s3cr3t" })),
        { headers: { "X-App": `sk-${"0123456789abcdef".repeat(4)}` } },
        post(JSON.stringify({ Secret: "of the app" }), { ...json, "X-App": "Secret plan" }),
      ];
      const calls = inits.flatMap((init) => [client.fetch, client.createFetch({ api })].map((send) => send(`${api}/echo`, init)));
      return (await Promise.all(calls.map(globalThis.outcome))).map((it) => it.code);
    });
    assert.deepEqual(codes, [...Array(6).fill("credential_refused"), undefined, undefined]);
  }),
);

test(
  "errors keep what they say: the allow-list is kept in the worker",
  signedIn(async ({ page }) => {
    const errors = await page.evaluate(async () => {
      const calls = [
        client.fetch("https://elsewhere.example/"),
        client.fetch(`${api}/echo`, { headers: { Authorization: "Bearer mine" } }),
        client.fetch("http://localhost:1/"),
        client.createFetch({ api: "http://localhost:1" })("http://localhost:1/"),
        client.createFetch({ api: 7 })("http://localhost:1/"),
      ];
      const outcomes = await Promise.all(calls.map(globalThis.outcome));
      return outcomes.map(({ code, phase, retryable }) => [code, phase, retryable]);
    });
    assert.deepEqual(errors, [
      ["origin_not_allowed", "fetch", false],
      ["credential_refused", "fetch", false],
      ["origin_not_allowed", "fetch", false],
      ["network", "fetch", true],
      ["invalid_configuration", "configuration", false],
    ]);
  }),
);
