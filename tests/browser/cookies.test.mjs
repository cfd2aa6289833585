// What Chromium does with cookies: it stores those that we write as they were meant, and those that we refuse it drops
// or misreads, where that is the reason. SEC-132 to SEC-143.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import {
  asked,
  call,
  cookieScript,
  faresWithoutRules,
  HOSTILE,
  hostileFates,
  load,
  setsReadsAndDeletes,
  storesWhatWeWrite,
  told,
} from "./cookie-cases.mjs";
import { openSuite } from "./harness.mjs";

const suite = await openSuite();
after(() => suite.close());

const PAGE = "https://app.example.test";

/** The cookie modules as one script, which sets `wardkey`. */
let script;
before(async () => (script = await cookieScript()));

/** Opens an empty page of any origin, without a server, and loads the modules there. */
async function open(page, url, document = "<!doctype html><title>cookies</title>") {
  await page.context().route(
    (other) => other.origin === new URL(url).origin,
    (route) => route.fulfill({ contentType: "text/html", body: document }),
  );
  await page.goto(url);
  await page.evaluate(script);
}

const refusal = async (page, name, ...values) => (await call(page, name, ...values)).refused;

/** Writes a text to `document.cookie` of a browser without cookies, and tells what it stores. */
async function stored(page, text) {
  await page.context().clearCookies();
  await page.evaluate((cookie) => (document.cookie = cookie), text);
  return page.context().cookies();
}

/** What the cases need of Chromium. */
const browserOf = ({ page, context }) => ({
  page,
  context,
  open: (url) => open(page, url),
  async stored(text) {
    const cookies = await stored(page, text);
    return { cookies, isPartitioned: cookies.some(({ partitionKey }) => partitionKey !== undefined) };
  },
});

test(
  "Chromium stores what we write, as it was meant",
  suite.withPage((tab) => storesWhatWeWrite(browserOf(tab))),
);

test(
  "Chromium drops or misreads what we refuse, where that is the reason",
  suite.withPage((tab) => faresWithoutRules(browserOf(tab), "chromium")),
);

test(
  "the hostile cases fare in Chromium as we say",
  suite.withPage(async ({ page }) => {
    await open(page, `${PAGE}/`);
    const { dropped, ...others } = await hostileFates((text) => stored(page, text), PAGE);
    assert.deepEqual(others, HOSTILE);
    assert.equal(dropped.length, 27);
    for (const { id, input, expect } of (await load("hostile/cookie_serialize.json")).cases) {
      const { name, value, maxAge, expires, js, httpOnly, __json, ...options } = input;
      if (expect !== "accept" || httpOnly || expires !== undefined || maxAge !== undefined) continue;
      const cookies = await stored(page, await call(page, "serializeCookie", name, value, options));
      assert.deepEqual(cookies.map(told), [asked({ name, value, options, origin: PAGE })], id);
    }
  }),
);

test(
  "a cookie that is set is read, and goes when it is deleted with the same attributes",
  suite.withPage((tab) => setsReadsAndDeletes(browserOf(tab))),
);

test(
  "a cookie that ends in the past goes, and one that ends later stays until then",
  suite.withPage(async ({ page, context }) => {
    await open(page, `${PAGE}/`);
    const set = (seconds) =>
      page.evaluate((life) => {
        globalThis.wardkey.setCookie("a", "1", { expires: new Date(Date.now() + life * 1000) });
      }, seconds);
    await set(86_400 * 400 - 60);
    const [{ expires }] = await context.cookies();
    assert.ok(Math.abs(expires - Date.now() / 1000 - (86_400 * 400 - 60)) < 60, String(expires));
    await set(-1);
    assert.deepEqual(await context.cookies(), []);
    await set(3600);
    assert.equal(await call(page, "setCookie", "a", "1", { maxAgeSec: 0 }), null);
    assert.deepEqual(await context.cookies(), []);
  }),
);

test(
  "what the browser does not keep is an error, and so is what does not go",
  suite.withPage(async ({ page, context }) => {
    await open(page, `${PAGE}/below/page`);
    const foreign = [{ domain: "other.test" }, { domain: "a.app.example.test" }, { path: "/other" }, { path: "/bel" }];
    for (const options of foreign) {
      assert.equal(await refusal(page, "setCookie", "a", "1", options), "invalid_cookie", JSON.stringify(options));
    }
    assert.deepEqual(await context.cookies(), []);
    const partitioned = { partitioned: true };
    const left = [[{ path: "/below" }, {}], [{ domain: "example.test" }, {}], [partitioned, {}], [{}, partitioned]];
    for (const [options, others] of left) {
      await call(page, "setCookie", "a", "1", options);
      assert.equal(await refusal(page, "deleteCookie", "a", others), "invalid_cookie", JSON.stringify(options));
      assert.equal(await call(page, "getCookie", "a"), "1");
      assert.equal(await call(page, "deleteCookie", "a", options), null);
    }
    await open(page, "https://app.example.co.uk/");
    assert.equal(await refusal(page, "setCookie", "a", "1", { domain: "co.uk" }), "invalid_cookie");
    await open(page, "http://app.example.test/");
    assert.equal(await refusal(page, "setCookie", "a", "1"), "invalid_cookie");
    assert.equal(await refusal(page, "issueCsrfToken"), "invalid_cookie");
    assert.deepEqual(await context.cookies(), []);
  }),
);

test(
  "among several cookies of one name none is chosen, and all are seen",
  suite.withPage(async ({ page }) => {
    await open(page, `${PAGE}/below/page`);
    await call(page, "setCookie", "a", "1", { path: "/below" });
    await call(page, "setCookie", "a", "2", { domain: "example.test" });
    await call(page, "setCookie", "b", "3");
    assert.equal(await refusal(page, "getCookie", "a"), "invalid_cookie");
    assert.equal(await call(page, "getCookie", "b"), "3");
    const seen = await page.evaluate(() => ({ ...globalThis.wardkey.parseCookies(document.cookie) }));
    assert.deepEqual(seen, { a: "1; 2", b: "3" });
    assert.equal(await call(page, "deleteCookie", "a", { domain: "example.test" }), null);
    assert.equal(await call(page, "getCookie", "a"), "1");
  }),
);

test(
  "a srcdoc frame has the cookies of its page",
  suite.withPage(async ({ page }) => {
    await open(page, `${PAGE}/below/page`, '<!doctype html><iframe srcdoc="<p>framed</p>"></iframe>');
    const frame = page.frames().find((each) => each.url() === "about:srcdoc");
    await frame.evaluate(script);
    assert.equal(await call(frame, "setCookie", "a", "1"), null);
    assert.equal(await call(page, "getCookie", "a"), "1");
  }),
);

test(
  "where there are no cookies, the error says so",
  suite.withPage(async ({ page, context }) => {
    await open(page, `${PAGE}/`, '<!doctype html><iframe sandbox="allow-scripts" src="/frame"></iframe>');
    const frame = page.frames().find((each) => each.url().endsWith("/frame"));
    await frame.evaluate(script);
    const calls = [["setCookie", "a", "1"], ["getCookie", "a"], ["deleteCookie", "a"], ["issueCsrfToken"]];
    for (const [name, ...values] of calls) {
      assert.equal(await refusal(frame, name, ...values), "storage_unavailable", `${name} in a sandbox`);
    }
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setDocumentCookieDisabled", { disabled: true });
    assert.equal(await refusal(page, "setCookie", "a", "1"), "storage_unavailable");
  }),
);

test(
  "a CSRF token is random, in a __Host- and SameSite=Strict cookie, also on plain http of this machine",
  suite.withPage(async ({ page, context }) => {
    const values = new Set();
    for (const origin of [PAGE, "http://localhost:8080", "http://app.localhost:8080", "http://127.0.0.1:8080"]) {
      await context.clearCookies();
      await open(page, `${origin}/below/page`);
      for (const [options, name, header] of [
        [undefined, "__Host-csrf", "X-CSRF-Token"],
        [{ cookie: "XSRF-TOKEN", header: "X-XSRF-TOKEN" }, "__Host-XSRF-TOKEN", "X-XSRF-TOKEN"],
        [{ cookie: "__Host-x" }, "__Host-x", "X-CSRF-Token"],
      ]) {
        for (const _ of [1, 2]) {
          const token = await call(page, "issueCsrfToken", ...(options ? [options] : []));
          assert.deepEqual(token, { header, value: token.value }, origin);
          assert.match(token.value, /^[0-9a-f]{64}$/);
          values.add(token.value);
          const cookie = (await context.cookies()).find((each) => each.name === name);
          assert.deepEqual(told(cookie), asked({ name, value: token.value, origin, options: { sameSite: "Strict" } }));
          assert.equal(await call(page, "getCookie", name), token.value);
        }
      }
    }
    assert.equal(values.size, 24);
    const headers = ["", "a b", "X:", "Cookie", "COOKIE2", "Accept", "Content-Type", "Sec-X", "Host", 1, null];
    for (const header of headers) {
      assert.equal(await refusal(page, "issueCsrfToken", { header }), "invalid_cookie", String(header));
    }
    const cookies = ["__Secure-x", "__host-x", "Http-x", "", 1, null].map((cookie) => ({ cookie }));
    for (const options of [...cookies, { name: "x" }, null]) {
      assert.equal(await refusal(page, "issueCsrfToken", options), "invalid_cookie", JSON.stringify(options));
    }
  }),
);

test(
  "a second cookie with the name of the CSRF token is an error",
  suite.withPage(async ({ page }) => {
    await open(page, `${PAGE}/`);
    assert.equal(await call(page, "setCookie", "__Host-csrf", "evil", { partitioned: true }), null);
    assert.equal(await refusal(page, "issueCsrfToken"), "invalid_cookie");
  }),
);

/** A server that lets every origin in, as an attacker's does, and notes who shows the token. */
async function startServer(onRequest) {
  const server = createServer(async (request, response) => {
    request.resume();
    const { origin = "*" } = request.headers;
    response.setHeader("access-control-allow-origin", origin).setHeader("access-control-allow-headers", "x-csrf-token");
    response.setHeader("access-control-allow-methods", "PUT, POST, DELETE").setHeader("content-type", "text/html");
    onRequest(request, response);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: server.address().port };
}

test(
  "the CSRF token stays at its origin: no other host or port, no redirect",
  suite.withPage(async ({ page, complaints }) => {
    const shown = [];
    const note = ({ method, headers }) => shown.push(`${method} ${headers.host} ${headers["x-csrf-token"]}`);
    const other = await startServer(note);
    const own = await startServer((request, response) => {
      if (request.url === "/away") response.writeHead(307, { location: `http://localhost:${other.port}/` });
      if (!["/", "/favicon.ico"].includes(request.url)) note(request);
    });
    try {
      await page.goto(`http://localhost:${own.port}/`);
      await page.evaluate(script);
      const send = (url, init) =>
        page.evaluate(
          async ([target, options]) => {
            const token = { header: "X-CSRF-Token", value: "t" };
            const request = globalThis.wardkey.withCsrfToken(new Request(target, options), token, location.origin);
            return fetch(request).then((response) => response.status, (error) => error.name);
          },
          [url, init],
        );
      const post = { method: "POST" };
      const urls = ["/a", `//localhost:${other.port}/`, `//127.0.0.1:${own.port}/b`, `//app.localhost:${own.port}/b`];
      for (const url of urls) assert.equal(await send(url, post), 200, url);
      assert.equal(await send("/a", { method: "GET" }), 200);
      const complained = page.waitForEvent("console");
      assert.equal(await send("/away", post), "TypeError");
      await complained;
      assert.match(complaints.pop(), /net::ERR_FAILED/);
      assert.deepEqual(shown, [
        `POST localhost:${own.port} t`,
        `POST localhost:${other.port} undefined`,
        `POST 127.0.0.1:${own.port} undefined`,
        `POST app.localhost:${own.port} undefined`,
        `GET localhost:${own.port} undefined`,
        `POST localhost:${own.port} t`,
      ]);
    } finally {
      own.server.close();
      other.server.close();
    }
  }),
);
