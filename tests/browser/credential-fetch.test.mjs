// A credential that the person typed in, in Chromium: exactly where it goes, in which words, and that it is nowhere else.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Bff } from "./bff.mjs";
import { everythingStored, openSuite } from "./harness.mjs";

const suite = await openSuite();
const bff = await Bff.start();
after(() => Promise.all([suite.close(), bff.close()]));

const TOKEN = "typed-in.t0ken_of~the+person/0123456789==";
const bearer = { scheme: "bearer", token: TOKEN };
const basic = { scheme: "basic", username: "ada@example.org", password: "påss: wörd 🔑" };

/** Opens a page with a cookie of the API's site, and makes `send` of a credential. */
async function open(page, credential, options = { api: `${bff.apiOrigin}/v1` }) {
  await page.context().addCookies([bff.signIn()]);
  await page.goto(bff.origin);
  await page.evaluate(([given, more]) => (globalThis.send = createCredentialFetch(given, more)), [credential, options]);
}

const call = (page, ...values) => page.evaluate((given) => outcome(send(...given)), values);
const sent = () => bff.seen("/v1");
const cases = (body) => suite.withPage(async (tab) => (bff.reset(), body(tab)));
const url = (path = "/v1/notes") => bff.apiOrigin + path;

test(
  "each scheme is one header, in its own words, without cookies",
  cases(async ({ page }) => {
    for (const [credential, name, value] of [
      [bearer, "authorization", `Bearer ${TOKEN}`],
      [basic, "authorization", `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}`],
      [{ scheme: "apiKey", header: "X-Api-Key", value: "k3y" }, "x-api-key", "k3y"],
      [{ scheme: "apiKey", header: "Authorization", value: "k3y", prefix: "ApiKey" }, "authorization", "ApiKey k3y"],
      [{ scheme: "apiKey", header: "Authorization", value: "k3y", prefix: "Token " }, "authorization", "Token k3y"],
    ]) {
      await open(page, credential);
      bff.answers["/v1/notes"] = { body: '{"ok":true}' };
      const init = { method: "POST", body: "b", headers: { "x-mine": "1" }, credentials: "include" };
      assert.deepEqual(await call(page, url(), init), { status: 200, body: { ok: true } });
      const { headers, method, body } = sent().at(-1);
      assert.deepEqual([headers[name], method, body, headers["x-mine"]], [value, "POST", "b", "1"]);
      assert.equal(headers.cookie, undefined, "the server would not know which of the two to go by");
    }
  }),
);

test(
  "it goes to `api` and nowhere else, along no redirect, and with no other credential",
  cases(async ({ page, complaints }) => {
    await open(page, bearer);
    const others = ["/", "/v10", "/v1%2f..%2fv2", "/v2"].map(url);
    others.push("/v1/notes", `${bff.origin}/v1/notes`, "http://127.0.0.1:1/v1", "https://evil.example/v1");
    for (const other of others) assert.equal((await call(page, other)).code, "origin_not_allowed", other);
    assert.equal((await call(page, url().replace("//", "//u:p@"))).code, "invalid_configuration");
    for (const authorization of ["Bearer other", "Secret s3cr3t"]) {
      assert.equal((await call(page, url(), { headers: { authorization } })).code, "credential_refused");
    }
    assert.equal((await call(page, url("/v1?access_token=t"))).code, "credential_refused");
    assert.equal((await call(page, url(), { method: "POST", body: '{"Secret":"s3cr3t"}' })).code, "credential_refused");
    assert.equal((await call(page, url(), { mode: "no-cors" })).code, "invalid_configuration");
    assert.deepEqual(sent(), []);
    await page.evaluate((api) => (globalThis.send = createCredentialFetch({ scheme: "apiKey", header: "X-Key", value: "k" }, { api })), url("/v1"));
    assert.equal((await call(page, url(), { headers: { "x-key": "other" } })).code, "credential_refused");
    assert.deepEqual(sent(), []);

    await open(page, bearer);
    for (const location of [url("/v1/there"), `${bff.origin}/there`]) {
      bff.answers["/v1/moved"] = { status: 307, headers: { Location: location } };
      assert.equal((await call(page, url("/v1/moved"))).code, "network");
    }
    assert.deepEqual([bff.seen("/v1/there"), bff.seen("/there")], [[], []]);
    complaints.length = 0;
  }),
);

test(
  "what the server says is the caller's, and failures are told apart",
  cases(async ({ page, context, complaints }) => {
    await open(page, bearer, { api: url("/v1"), baseUrl: url("/v1/") });
    for (const status of [401, 403, 429]) {
      bff.answers["/v1/notes"] = { status, headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' } };
      assert.equal((await call(page, "notes")).status, status);
    }
    assert.equal(sent().length, 3, "there is no other credential to try");
    bff.answers["/v1/notes"] = { status: "break" };
    assert.equal((await call(page, "notes")).code, "network");
    bff.answers["/v1/notes"] = { status: "hang" };
    const aborted = await page.evaluate(() => {
      const end = new AbortController();
      const call = outcome(send("notes", { signal: end.signal }));
      end.abort(new Error("why"));
      return call;
    });
    assert.equal(aborted.code, "aborted");
    await context.setOffline(true);
    const { code, retryable } = await call(page, "notes");
    assert.deepEqual([code, retryable], ["offline", true]);
    complaints.length = 0;
  }),
);

test(
  "it is in no store of the browser, and in no error",
  cases(async ({ page, complaints }) => {
    await open(page, bearer);
    bff.answers["/v1/notes"] = { status: "break" };
    const told = await page.evaluate(async (to) => {
      const errors = await Promise.all([to, "/x"].map((it) => send(it).catch((error) => [error.stack, JSON.stringify(error)])));
      const caught = (step) => {
        try {
          step();
        } catch (error) {
          return [error.stack, JSON.stringify(error)];
        }
      };
      const { token } = { token: `sk-${"ab".repeat(32)}` };
      return [errors, caught(() => createCredentialFetch({ scheme: "bearer", token }, { api: to })), String(send)];
    }, url());
    const stored = await everythingStored(page);
    for (const secret of [TOKEN, "abababab"]) assert.ok(!`${JSON.stringify(told)}${stored}`.includes(secret), secret);
    complaints.length = 0;
  }),
);
