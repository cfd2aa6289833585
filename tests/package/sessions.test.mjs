// Typed-in credentials and cookie sessions, without a browser: where they may go, by the cases that the Rust side is held
// to as well; what is refused; and what an app pays for them.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { build } from "esbuild";

import { installPackage, run } from "./harness.mjs";
import { load, sources } from "./sources.mjs";

const { createCredentialFetch, isCovered, isLocalPath, isSecret, isServerKey, readPerson, readSettings, readTargets, ...secrets } =
  await sources(["target", "secrets", "credential-fetch", "cookie-session-options", "cookie-session-person"]);
const { refuseClientSecret, refuseSecrets } = secrets;
const cases = await load("targets/cases.json");

const api = "https://api.example/v1";
const bearer = { scheme: "bearer", token: "typed-in-token" };
const PAGE = new URL("https://app.example/inbox?a=b");

/** The code of what a step throws, which must be an `AuthError` and not tell what must not be told. */
function code(step, ...secrets) {
  try {
    step();
  } catch (error) {
    assert.equal(error.name, "AuthError", String(error.stack));
    const told = [error.message, error.stack, JSON.stringify(error)].join();
    for (const secret of secrets) assert.ok(!told.includes(secret), told);
    return error.code;
  }
  return undefined;
}

/** What is in a server key file, as its console shows it. */
function accessKey() {
  const jwk = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const key = { customerId: "1", clientId: "c", domain: "laserfiche.com", jwk: { ...jwk, use: "sig", kid: "k" } };
  return Buffer.from(JSON.stringify(key)).toString("base64");
}

const encoded = (claims) => Buffer.from(JSON.stringify(claims)).toString("base64url");
const FORM = "application/x-www-form-urlencoded";
const KEY = `sk-${"0123456789abcdef".repeat(4)}`;
const ASSERTION = `${encoded({ alg: "ES256" })}.${encoded({ client_id: "c", client_secret: "s" })}.AA`;
const KEYS = [KEY, KEY.toUpperCase(), ` ${KEY} `, `Bearer ${KEY}`, accessKey(), ASSERTION];
const SECRETS = [...KEYS, "Secret s3cr3t", "secret\ts3cr3t", "SECRET"];

test("targets and paths are as their table says", () => {
  for (const { given, ok } of cases.targets) {
    assert.equal(code(() => readTargets(given)), ok ? undefined : "invalid_configuration", JSON.stringify(given));
  }
  for (const { target, url, covered } of cases.covers) {
    assert.equal(isCovered(url, readTargets(target)), covered, `${JSON.stringify(target)} ${url}`);
  }
  for (const { path: given, local } of cases.paths) assert.equal(isLocalPath(given), local, given);
  for (const none of [undefined, null, []]) assert.equal(code(() => readTargets(none)), "invalid_configuration");
  for (const more of ["resource", "scope"]) {
    const place = { origin: "https://api.example", [more]: more === "scope" ? ["a"] : "https://api.example" };
    assert.equal(code(() => readTargets(place)), "invalid_configuration", more);
  }
});

test("secrets that can be told are told, and nothing else", () => {
  for (const secret of SECRETS) assert.deepEqual([isSecret(secret), isServerKey(secret)], [true, KEYS.includes(secret)], secret);
  const jwt = `${encoded({ alg: "ES256", jwk: {} })}.${encoded({ sub: "ada", cnf: { jkt: "x" } })}.AA`;
  const others = ["", "sk-short", `${KEY}0`, `x${KEY}`, "Secretary", "no-secret s", jwt, "eyJ", "{", "bnVsbA==", "W10=", "e30="];
  for (const other of others) assert.ok(!isSecret(other), other);
});

test("a request with a secret is refused, and the error does not tell it", () => {
  const refused = (init) => code(() => refuseSecrets(new Request(api, { method: "POST", ...init }), init.body), "s3cr3t", KEY);
  const form = new FormData();
  form.set("client_secret", "s3cr3t");
  const bodies = [
    ...[form, new URLSearchParams({ grant_type: "refresh_token", client_secret: "s3cr3t" })],
    ...['{"Secret":"s3cr3t","Lifetime":86400}', ' { "client_secret": "s3cr3t" }', '{"clientSecret":"s3cr3t"}'],
  ];
  for (const body of bodies) assert.equal(refused({ body }), "credential_refused", String(body));
  for (const body of ["client_secret=s3cr3t", "grant_type=refresh_token&client_secret=s3cr3t"]) {
    assert.equal(refused({ body, headers: { "content-type": `${FORM};charset=UTF-8` } }), "credential_refused", body);
    assert.equal(refused({ body }), undefined, "a text is no form");
  }
  for (const value of KEYS) {
    assert.equal(refused({ headers: { authorization: value } }), "credential_refused", value);
    assert.equal(refused({ headers: { "x-api-key": value } }), "credential_refused", value);
  }
  for (const value of ["Secret s3cr3t", "SECRET"]) {
    assert.equal(refused({ headers: { authorization: value } }), "credential_refused", value);
    assert.equal(refused({ headers: { "x-classification": value } }), undefined, value);
  }
  const others = [
    ...['{"note":"client_secret"}', '{"secret":1}', '{"a":{"Secret":"s"}}', '["Secret"]', "what is a client_secret?", "Secret", ""],
    ...['{"Title":"note","Secret":true}', '{"clientSecret":null}', '{"client_secret":""}', "see https://x/?a=1&client_secret=... there"],
    new URLSearchParams({ client_secret: "" }),
  ];
  for (const body of others) assert.equal(refused({ body }), undefined, String(body));
  assert.equal(refused({ body: new Blob(["client_secret=x"]) }), undefined);
});

test("what goes out with a token has no client secret, and an app's own data stays its own", async () => {
  const refused = async (init, isReplayable = true) => {
    const request = new Request(api, { method: "POST", ...init });
    const refusal = await refuseClientSecret(request, isReplayable).then(() => undefined, ({ code }) => code);
    assert.ok(!request.bodyUsed, "it is still there to be sent");
    return refusal;
  };
  const as = (type, body) => ({ body, headers: { "content-type": type } });
  const json = (members) => JSON.stringify(members);
  const secret = json({ client_secret: "s3cr3t" });
  const padded = (length) => secret.padEnd(length);
  for (const init of [
    { body: new URLSearchParams({ client_secret: "s3cr3t" }) },
    as(FORM, "a=b&client_secret=s3cr3t"),
    as(FORM, new TextEncoder().encode("client_secret=s3cr3t")),
    ...["application/json", "Application/JSON; charset=utf-8", "application/problem+json"].map((type) => as(type, secret)),
    { body: new Blob([secret], { type: "application/json" }) },
    as("application/json", padded(64 * 1024)),
    ...[...KEYS, "Secret s3cr3t"].map((authorization) => ({ headers: { authorization } })),
    ...KEYS.map((key) => ({ headers: { "x-key": key } })),
  ]) {
    assert.equal(await refused(init), "credential_refused", json(init));
  }
  for (const init of [
    {},
    ...[{ Secret: "s" }, { clientSecret: "s" }, { client_secret: null }, { client_secret: "" }].map((it) => as("application/json", json(it))),
    ...[as("text/plain", secret), as("application/jsonp", secret), as("application/json", `{${secret}`), { body: secret }],
    as("application/json", padded(64 * 1024 + 1)),
    ...[{ authorization: "Bearer t" }, { "x-title": "Secret plan" }].map((headers) => ({ headers })),
  ]) {
    assert.equal(await refused(init), undefined, json(init).slice(0, 99));
  }
  assert.equal(await refused(as("application/json", secret), false), undefined, "it could not be sent any more");
});

test("a typed-in credential that is a secret, or none, is refused", () => {
  const refusal = (credential) => code(() => createCredentialFetch(credential, { api }), "s3cr3t", KEY);
  const header = "X-Api-Key";
  for (const secret of SECRETS) {
    assert.equal(refusal({ scheme: "bearer", token: secret }), "credential_refused", secret);
    assert.equal(refusal({ scheme: "apiKey", header, value: secret }), "credential_refused", secret);
    // A word of the person's, which is in no header as it is.
    const expected = KEYS.includes(secret) ? "credential_refused" : /\t/.test(secret) ? "invalid_configuration" : undefined;
    assert.equal(refusal({ scheme: "basic", username: "u", password: secret }), expected, secret);
  }
  for (const more of [{ prefix: "Secret" }, { prefix: "secret " }, { header: "Authorization", prefix: "Secret" }, { header: "Client-Secret" }]) {
    assert.equal(refusal({ scheme: "apiKey", header, value: "s3cr3t", ...more }), "credential_refused", JSON.stringify(more));
  }
  assert.equal(refusal({ ...bearer, clientSecret: "s3cr3t" }), "credential_refused");
  const basic = { scheme: "basic", username: "ada", password: "pw" };
  const key = { scheme: "apiKey", header, value: "v" };
  const malformed = [
    ...[undefined, null, "token", [], {}, { scheme: "digest" }, { scheme: "Bearer", token: "t" }, { ...bearer, extra: 1 }],
    ...["", undefined, 1, " t", "t\n", "a b", "é", "Bearer t"].map((token) => ({ scheme: "bearer", token })),
    ...["", "a:b", "a\u0000", "a\u007f", "a\ud800", undefined].map((username) => ({ ...basic, username })),
    ...["", "a\n", "\u0085", 1, undefined].map((password) => ({ ...basic, password })),
    ...["", "a\r\nb: c", "a  b", "a b c", "é", undefined].map((value) => ({ ...key, value })),
    ...["", "a b", "Cookie", "Host", "Sec-Fetch-Site", "Proxy-Authorization", "Origin", "X:", "é", undefined].map((it) => ({ ...key, header: it })),
    ...["", "a b", " a", "a\n", 1].map((prefix) => ({ ...key, prefix })),
  ];
  for (const credential of malformed) assert.equal(refusal(credential), "invalid_configuration", JSON.stringify(credential));
  const trap = { scheme: "bearer", get token() { throw new Error(KEY); } };
  assert.equal(refusal(trap), "invalid_configuration");
});

test("every option of a credential's fetch works or is refused", () => {
  const refusal = (options) => code(() => createCredentialFetch(bearer, options));
  assert.equal(refusal({ api, baseUrl: `${api}/` }), undefined);
  const wrong = [
    ...[undefined, null, "x", [], {}, { api: [] }, { api: "/v1" }, { api, extra: 1 }, { api, baseUrl: "/x" }, { api, onStepUp: () => "retry" }],
  ];
  for (const options of wrong) assert.equal(refusal(options), "invalid_configuration", JSON.stringify(options));
  assert.equal(refusal({ api, clientSecret: "x" }), "credential_refused");
});

test("the credential cannot be reached from its fetch", () => {
  const send = createCredentialFetch(bearer, { api });
  assert.deepEqual([Object.getOwnPropertyNames(send).sort(), Object.getOwnPropertySymbols(send)], [["length", "name"], []]);
  assert.ok(!`${send}${JSON.stringify({ send })}`.includes(bearer.token));
});

test("every option of a cookie session works or is refused", () => {
  const refusal = (options, page = PAGE) => code(() => readSettings(options, page), "s3cr3t", KEY);
  const own = { api: "https://app.example/api" };
  const csrf = { header: "X-CSRF", value: "1" };
  const fine = [
    ...[own, { api: "https://api.app.example" }, { ...own, csrf }, { ...own, csrf: { header: "X-CSRF", cookie: "__Host-csrf" } }],
    { ...own, csrf: { ...csrf, value: "secret" } },
    ...[{ ...own, userUrl: "/bff/user", signOutUrl: "bff/logout", signInUrl: "https://login.example/" }],
    ...[{ ...own, refresh: { url: "/refresh", everySec: 1 } }, { ...own, refresh: { url: "/refresh" } }, { ...own, csrf: null }],
  ];
  for (const options of fine) assert.equal(refusal(options), undefined, JSON.stringify(options));
  const wrong = [
    ...[undefined, null, [], "x", {}, { api: [] }, { ...own, user: "/u" }, { ...own, userUrl: "" }, { ...own, userUrl: 1 }],
    // Of another site, for sure.
    ...[{ api: "https://api.other.example" }, { ...own, userUrl: "https://api.other.example/user" }],
    // Of this site, but nowhere in `api`.
    ...["userUrl", "signOutUrl"].map((name) => ({ ...own, [name]: "https://x.app.example/" })),
    ...["userUrl", "signOutUrl", "signInUrl"].flatMap((name) => [
      ...["http://app.example/", "https://u:p@app.example/", "javascript:alert(1)", "/a#b", "//", "blob:https://app.example/1"],
    ].map((url) => ({ ...own, [name]: url }))),
    ...[{ url: "" }, {}, "x", { url: "/r", every: 1 }, ...[0, -1, "60", Infinity, NaN, 3e6].map((everySec) => ({ url: "/r", everySec }))].map(
      (refresh) => ({ ...own, refresh }),
    ),
    ...[
      ...["x", {}, { header: "X-CSRF" }, { ...csrf, cookie: "c" }, { value: "1" }, { ...csrf, value: "" }, { ...csrf, value: "a b" }],
      ...["Authorization", "DPoP", "Cookie", "Accept", "Content-Type", "a b", ""].map((header) => ({ ...csrf, header })),
      ...[{ header: "X-CSRF", cookie: "a b" }, { ...csrf, domain: "x" }],
    ].map((it) => ({ ...own, csrf: it })),
    // The token of a cookie is for the own origin, and would go nowhere.
    { api: "https://api.app.example", csrf: { header: "X-CSRF", cookie: "csrf" } },
  ];
  for (const options of wrong) assert.equal(refusal(options), "invalid_configuration", JSON.stringify(options));
  for (const secret of [{ clientSecret: "s3cr3t" }, { csrf: { ...csrf, value: KEY } }, { csrf: { ...csrf, secret: "s3cr3t" } }]) {
    assert.equal(refusal({ ...own, ...secret }), "credential_refused");
  }
  assert.equal(readSettings({ ...own, refresh: { url: "/r", everySec: 1 } }, PAGE).every, 30_000);
  assert.equal(readSettings({ ...own, refresh: { url: "/r", everySec: 90 } }, PAGE).every, 90_000);
});

test("a person is read from what servers say of them", () => {
  const read = (answer) => {
    const person = readPerson(typeof answer === "string" ? answer : JSON.stringify(answer), 1_000);
    return person && [person.user?.sub, person.user?.claims, person.expiresAt];
  };
  const ada = { sub: "ada", id: 7, email: "ada@example.org" };
  assert.deepEqual(read(ada), ["ada", ada, Infinity]);
  for (const [claims, sub] of [
    [{ id: 7 }, "7"],
    [{ email: "e", userId: "u" }, "u"],
    [{ sub: null, user_id: "v" }, "v"],
    [{ email: "e" }, "e"],
  ]) {
    assert.deepEqual(read(claims), [sub, claims, Infinity]);
  }
  assert.deepEqual(read({ name: "Ada" }), [undefined, undefined, Infinity]);
  const list = [["sub", "ada"], ["role", "a"], ["role", "b"], ["role", "c"], ["bff:session_expires_in", 60], ["__proto__", "p"]];
  const [sub, claims, end] = read(list.map(([type, value]) => ({ type, value })));
  assert.deepEqual([sub, claims.role, end, Object.getPrototypeOf(claims)], ["ada", ["a", "b", "c"], 61_000, Object.prototype]);
  // The cookie, which this server tells, stays out.
  const report = { Authentication: { Scheme: "Cookie", Cookie: { Decoded: "c00kie", Deserialized: { UserIdentifier: "ada" } } }, Cookies: { a: "c00kie" } };
  assert.deepEqual(read(report), ["ada", { UserIdentifier: "ada" }, Infinity]);
  // Whatever says that it is nobody, by itself.
  const none = [[], {}, { isAuthenticated: false }, { authenticated: false, name: "" }, { sub: null }, { user: null }, { id: null, email: null }];
  const nobodies = ["", "  ", "null", ...none.map((it) => JSON.stringify(it)), '{"Authentication":{"Cookie":null}}'];
  assert.deepEqual(read({ isAuthenticated: true, name: "Ada" }), [undefined, undefined, Infinity]);
  for (const nobody of nobodies) assert.equal(read(nobody), null, nobody);
  for (const other of ["<!doctype html>", "1", '"ada"', "true", "[1]", '[{"type":1}]', "{"]) assert.equal(read(other), undefined, other);
});

test("an app pays only for what it uses", async (t) => {
  const folder = await installPackage(t);
  const bundle = async (contents) => {
    const options = { stdin: { contents, resolveDir: folder }, bundle: true, minify: true, format: "esm", write: false };
    return (await build(options)).outputFiles[0].text;
  };
  const [client, credential, session] = await Promise.all([
    bundle('import { createAuthClient } from "wardkey"; createAuthClient({ clientId: "spa" });'),
    bundle('import { createCredentialFetch } from "wardkey"; createCredentialFetch({}, {});'),
    bundle('import { createCookieSession } from "wardkey"; createCookieSession({});'),
  ]);
  const traces = { credential: "is not bearer, basic or apiKey", session: "bff:session_expires_in", engine: "WebAssembly" };
  const has = (text) => Object.keys(traces).filter((name) => text.includes(traces[name]));
  assert.deepEqual([client, credential, session].map(has), [["engine"], ["credential"], ["session"]]);
});

for (const entry of ["wardkey", "wardkey/inline"]) {
  test(`${entry} has both; a credential works in Node too, and a cookie session needs a page`, async (t) => {
    const folder = await installPackage(t);
    const script = `
      import { createCookieSession, createCredentialFetch } from ${JSON.stringify(entry)};
      import { createServer } from "node:http";
      const server = createServer((request, response) => response.end(request.headers.authorization));
      await new Promise((resolve) => server.listen(0, "localhost", resolve));
      const api = "http://localhost:" + server.address().port;
      const send = createCredentialFetch({ scheme: "bearer", token: "t" }, { api, baseUrl: api });
      const sent = await (await send("/notes")).text();
      const refused = await createCookieSession({ api }).catch(({ code }) => code);
      console.log(JSON.stringify([sent, refused]));
      server.close();
    `;
    await writeFile(join(folder, "server.mjs"), script);
    const { stdout } = await run(process.execPath, ["server.mjs"], { cwd: folder });
    assert.deepEqual(JSON.parse(stdout), ["Bearer t", "invalid_configuration"]);
  });
}
