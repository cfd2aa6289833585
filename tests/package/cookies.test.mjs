// Cookies, without a browser: the rules by the cases that the Rust side is held to as well, and what the package does
// where there is no page. SEC-132 to SEC-143.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { build } from "esbuild";

import { installPackage, run } from "./harness.mjs";
import { load, sources } from "./sources.mjs";

// Those whose arguments the package takes from the page and the clock are there, too.
const { cookieOf, issueCsrfToken, pairsOf, parseCookies, serializeCookie, valuesOf, withCsrfToken } = await sources([
  "cookie-rules",
  "cookies",
  "csrf",
]);
const cases = await load("cookies/cases.json");
const PAGE = { origin: "https://app.example.test", now: cases.now * 1000 };

/** The text of a cookie, or null if it is refused as it should be. */
function written(name, value, options, setting = PAGE) {
  try {
    return cookieOf(name, value, options, setting).text;
  } catch (error) {
    const { name: kind, code, phase } = error;
    assert.deepEqual([kind, code, phase], ["AuthError", "invalid_cookie", "storage"], String(error.stack));
    return null;
  }
}

const withDate = ({ expires, ...options }) =>
  expires === undefined ? options : { ...options, expires: new Date(expires * 1000) };

test("every case is written or refused as its table says", () => {
  for (const { id, name, value, options, origin, out } of cases.serialize) {
    assert.equal(written(name, value, withDate(options), { ...PAGE, origin }), out, id);
  }
  const ids = cases.serialize.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
});

test("every header is read as its table says", () => {
  for (const { id, header, pairs } of cases.parse) {
    assert.deepEqual(pairsOf(header), pairs, id);
    const jar = parseCookies(header);
    assert.equal(Object.getPrototypeOf(jar), null, id);
    assert.deepEqual(Object.keys(jar).sort(), [...new Set(pairs.map(([name]) => name))].sort(), id);
    for (const name of Object.keys(jar)) assert.deepEqual(jar[name].split("; "), valuesOf(header, name), id);
  }
});

test("no other character than those of the grammars is written", () => {
  const points = [...Array(0x300).keys(), 0x2000, 0x200b, 0x3000, 0xfeff, 0xd800, 0x1f36a];
  const { octets } = cases;
  for (const character of points.map((point) => String.fromCodePoint(point))) {
    const seen = [`a${character}`, `b${character}c`, `/${character}d`].map((text) => JSON.stringify(text));
    assert.equal(written(`a${character}`, "1") !== null, octets.name.includes(character), `name ${seen[0]}`);
    assert.equal(written("a", `b${character}c`) !== null, octets.value.includes(character), `value ${seen[1]}`);
    const at = { path: `/${character}d` };
    assert.equal(written("a", "1", at) !== null, octets.path.includes(character), `path ${seen[2]}`);
  }
});

test("no octet beyond the limits is written", () => {
  for (const [room, prefix] of [[4096, "none"], [4089, "host"], [4087, "secure"]]) {
    assert.ok(written("a", "x".repeat(room - 1), { prefix }) && written("x".repeat(room), "", { prefix }));
    assert.equal(written("a", "x".repeat(room), { prefix }), null);
    assert.equal(written("x".repeat(room), "b", { prefix }), null);
  }
  assert.ok(written("a", "1", { path: `/${"p".repeat(1023)}` }));
  assert.equal(written("a", "1", { path: `/${"p".repeat(1024)}` }), null);
});

/** What the hostile case asks for, in the terms of this API. Its cookies have no attribute that is not given. */
function hostileOptions({ name, value, js, __json, maxAge, expires, ...given }) {
  return {
    secure: false,
    ...given,
    ...(maxAge !== undefined && { maxAgeSec: maxAge }),
    ...(expires !== undefined && { expires: typeof expires === "number" ? new Date(expires * 1000) : expires }),
    // As `JSON.parse` gives it: a member of its own, and none of the prototype.
    ...(__json && JSON.parse(__json)),
  };
}

test("the hostile cases are refused, and the others have what they ask for", async () => {
  // Script cannot set them; ours has `Path=/` where Chromium wants one; a token is a value like any other. The rest of
  // "policy" is refused: a dot that means nothing, a public suffix, a life that is cut.
  const differs = { "host-ok": false, "host-http-ok": false, "host-no-path": true, "token-in-cookie": true };
  const outcomes = { written: 0, refused: 0 };
  for (const { id, input, expect, out } of (await load("hostile/cookie_serialize.json")).cases) {
    const options = hostileOptions(input);
    const setting = { ...PAGE, origin: "http://localhost" };
    const cookie = written(input.name, input.value, options, setting);
    assert.equal(cookie !== null, differs[id] ?? expect === "accept", id);
    outcomes[cookie === null ? "refused" : "written"] += 1;
    if (cookie === null || out === undefined) continue;
    const defaults = ["Path=/", "SameSite=Lax"].filter((part) => !out.includes(part.split("=")[0]));
    assert.deepEqual(cookie.split("; ").sort(), [...out.split("; "), ...defaults].sort(), id);
    assert.ok(!cookie.includes("evil"), id);
  }
  assert.deepEqual(outcomes, { written: 15, refused: 52 });
});

test("an option counts only if it is the object's own, known, and of its type (js-cookie eb3c40e)", (t) => {
  const plain = written("a", "1");
  assert.equal(written("a", "1", Object.create({ domain: "evil.test", sameSite: "None" })), plain);
  assert.equal(written("a", "1", Object.assign({}, JSON.parse('{"__proto__":{"domain":"evil.test"}}'))), plain);
  assert.equal(written("a", "1", { path: undefined, expires: undefined }), plain);
  Object.prototype.domain = "evil.test";
  t.after(() => delete Object.prototype.domain);
  assert.equal(written("a", "1"), plain);
  assert.equal(written("a", "1", {}), plain);
  delete Object.prototype.domain;

  const unknown = ["httpOnly", "HttpOnly", "samesite", "SameSite", "maxAge", "Path", "priority", "constructor"];
  for (const name of unknown) assert.equal(written("a", "1", { [name]: "Lax" }), null, name);
  const wrong = {
    sameSite: ["lax", "STRICT", "none", "bogus", "", "Lax; Domain=evil.test", true, null, ["Lax"]],
    secure: ["true", "", 0, 1, null],
    path: [null, 1, ["/"], { toString: () => "/" }],
    domain: [null, 1, ["example.test"]],
    maxAgeSec: [1.5, -1, 1e21, Number.NaN, Infinity, "60", null, 60n, true],
    expires: [
      ...[0, "Mon, 21 Sep 2026 14:13:20 GMT", null, { getTime: () => 0, toUTCString: () => "" }],
      ...[new Date("x"), new Date(-11_644_473_600_001)],
    ],
    partitioned: ["true", 1, null],
    prefix: ["__Host-", "Host", "hosts", "", null, true],
  };
  const setting = { ...PAGE, origin: "http://localhost" };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.equal(written("a", "1", { [name]: value }, setting), null, `${name} ${String(value)}`);
    }
  }
  for (const options of [null, "path", 1, true, ["x"], () => {}]) {
    assert.equal(written("a", "1", options), null, String(options));
  }
  for (const text of [undefined, null, 1, ["a"], { toString: () => "a" }]) {
    assert.equal(written(text, "1"), null, `name ${String(text)}`);
    assert.equal(written("a", text), null, `value ${String(text)}`);
    if (text !== undefined) assert.throws(() => parseCookies(text), { code: "invalid_cookie" });
  }
});

test("a date is what it is, whatever its class says", () => {
  class Liar extends Date {
    getTime = () => 0;
    toUTCString = () => "x; Domain=evil.test";
  }
  assert.match(written("a", "1", { expires: new Liar(PAGE.now) }), /; Expires=Mon, 21 Sep 2026 14:13:20 GMT; /);
});

test("without a page, only what needs none works", () => {
  assert.equal(serializeCookie("a", "1"), "a=1; Path=/; Secure; SameSite=Lax");
  for (const options of [{ secure: false }, { expires: new Date(Date.now() + 401 * 86_400_000) }]) {
    assert.throws(() => serializeCookie("a", "1", options), { code: "invalid_cookie" });
  }
  assert.throws(() => issueCsrfToken(), { code: "storage_unavailable" });
});

test("a header is read in linear time", () => {
  // In quadratic time it would be hours.
  for (const piece of [" ", "\t", "=", ";", "a=", "a=1; ", " a", "; ="]) {
    const jar = parseCookies(`a=1${piece.repeat(1 << 19)}b`);
    assert.ok(Object.values(jar).every((value) => value.length >= 0), piece);
  }
});

test("the CSRF token goes to the own origin alone (axios CVE-2023-45857, Angular CVE-2025-66035), by methods that are not safe", () => {
  const token = { header: "X-CSRF-Token", value: "t" };
  const origin = "https://app.example.test";
  const sent = (url, init, own = origin) => {
    const request = withCsrfToken(new Request(url, init), token, own);
    return [request.headers.get("x-csrf-token"), request.redirect];
  };
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "QUERY", "put", "post", "X"]) {
    assert.deepEqual(sent(`${origin}/a`, { method }), ["t", "error"], method);
  }
  for (const method of ["GET", "HEAD", "OPTIONS", "get", "head", "options"]) {
    assert.deepEqual(sent(`${origin}/a`, { method }), [null, "follow"], method);
  }
  const others = [
    "https://attacker.test/",
    "https://app.example.test:8443/",
    "http://app.example.test/",
    "https://www.example.test/",
    "https://example.test/",
    "https://a.app.example.test/",
    "https://app.example.test.attacker.test/",
    "https://attacker.test/https://app.example.test/",
    "https://attacker.test/?https://app.example.test",
    `blob:${origin}/0c2d1f4e-6d55-4e0e-9a50-1f3ad1ad0a3b`,
    "data:text/plain,x",
    "about:blank",
  ];
  for (const url of others) assert.deepEqual(sent(url, { method: "POST" }), [null, "follow"], url);
  for (const url of ["data:text/plain,x", "about:blank", "file:///x"]) {
    assert.deepEqual(sent(url, { method: "POST" }, "null"), [null, "follow"], `${url} of an opaque origin`);
  }
  const empty = withCsrfToken(new Request(`${origin}/a`, { method: "POST" }), { ...token, value: "" }, origin);
  assert.equal(empty.headers.has("x-csrf-token"), false);
  const local = "http://localhost:8080";
  assert.deepEqual(sent(`${local}/a`, { method: "POST" }, local), ["t", "error"]);
  assert.deepEqual(sent("https://APP.example.test:443/a", { method: "POST" }), ["t", "error"]);
  assert.deepEqual(sent(`${origin}/a`, { method: "POST", redirect: "manual" }), ["t", "manual"]);
  assert.deepEqual(sent(`${origin}/a`, { method: "POST", headers: { "x-csrf-token": "old" } }), ["t", "error"]);
});

test("the request with the CSRF token is otherwise the same", async () => {
  const init = { method: "POST", body: "b", headers: { "content-type": "text/x" }, credentials: "include" };
  const token = { header: "X-CSRF-Token", value: "t" };
  const request = withCsrfToken(new Request("https://app.example.test/a?b", init), token, "https://app.example.test");
  const { url, method, credentials } = request;
  assert.deepEqual([url, method, credentials], ["https://app.example.test/a?b", "POST", "include"]);
  assert.deepEqual([...request.headers], [["content-type", "text/x"], ["x-csrf-token", "t"]]);
  assert.equal(await request.text(), "b");
});

test("an app that has only the client, or only cookies, does not pay for the other", async (t) => {
  const folder = await installPackage(t);
  const bytes = async (contents) => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: folder },
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
    });
    return outputFiles[0].text;
  };
  const client = await bytes('import { createAuthClient } from "wardkey"; createAuthClient({ clientId: "spa" });');
  const cookies = await bytes('import { setCookie } from "wardkey"; setCookie("theme", "dark");');
  for (const trace of ["__Host-", "Strict", "Partitioned", "two labels", "X-CSRF", "referer"]) {
    assert.ok(!client.includes(trace), trace);
  }
  assert.ok(cookies.includes("SameSite"));
  for (const trace of ["wardkey.wasm", "WebAssembly"]) assert.ok(!cookies.includes(trace), trace);
  assert.ok(cookies.length < client.length, `${cookies.length} and ${client.length} bytes`);
});

for (const entry of ["wardkey", "wardkey/inline"]) {
  test(`${entry} has the cookie functions, in Node too`, async (t) => {
    const folder = await installPackage(t);
    const script = `
      import * as wardkey from ${JSON.stringify(entry)};
      const code = (name, ...values) => {
        try { return wardkey[name](...values); }
        catch (error) { return wardkey.isAuthError(error) ? error.code : String(error); }
      };
      console.log(JSON.stringify([
        code("serializeCookie", "a", "1", { prefix: "host", maxAgeSec: 60 }), code("serializeCookie", "a b", "1"),
        code("parseCookies", "a=1; b=2; a=3"), code("setCookie", "a", "1"), code("getCookie", "a"),
        code("deleteCookie", "a"), code("issueCsrfToken"), code("issueCsrfToken", { header: "Cookie" }),
      ]));
    `;
    await writeFile(join(folder, "server.mjs"), script);
    const { stdout } = await run(process.execPath, ["server.mjs"], { cwd: folder });
    const none = "storage_unavailable";
    assert.deepEqual(JSON.parse(stdout), [
      "__Host-a=1; Path=/; Max-Age=60; Secure; SameSite=Lax",
      "invalid_cookie",
      { a: "1; 3", b: "2" },
      none,
      none,
      none,
      none,
      "invalid_cookie",
    ]);
  });
}
