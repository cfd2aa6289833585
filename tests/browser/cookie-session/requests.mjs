// Where requests of a cookie session go and with what, who signs in, and what there is no way to.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { bff, call, cases, isSame, LIMITED, make, open, OPTIONS, state } from "./suite.mjs";

const { paths } = JSON.parse(await readFile(new URL("../../vectors/targets/cases.json", import.meta.url), "utf8"));

test(
  "a backend for frontend: nobody, signed in by navigation, its API, signed out by its page",
  cases(async ({ page }) => {
    assert.deepEqual(await open(page, OPTIONS, { sub: null }), { status: "anonymous" });
    assert.equal((await call(page, "fetch", "/api/notes")).status, 401);
    assert.ok(await isSame(page), "nobody is nobody after a 401 as well");

    await Promise.all([page.waitForURL(`${bff.origin}/inbox?x=1#y`), page.evaluate(() => void session.signIn({ returnTo: "/inbox?x=1#y" }))]);
    assert.equal(bff.seen("/bff/login")[0].path, "/bff/login?returnUrl=%2Finbox%3Fx%3D1%23y");
    const { status, user, expiresAt, stale, scopes } = await make(page, OPTIONS);
    assert.deepEqual([status, user.sub, user.claims.name, stale, scopes], ["authenticated", "ada", "Ada", false, []]);
    assert.ok(Math.abs(expiresAt - Date.now() - 3_600_000) < 60_000, String(expiresAt));
    for (const method of ["GET", "POST"]) {
      const { body } = await call(page, "fetch", "/api/notes", { method });
      assert.deepEqual(body, { sub: "ada", method, body: "" });
    }
    await Promise.all([page.waitForURL(`${bff.origin}/`), page.evaluate(() => void session.signOut())]);
    assert.match(bff.seen("/bff/logout")[0].path, /\?sid=/);
    assert.equal((await make(page, OPTIONS)).status, "anonymous");
    assert.equal((await page.context().cookies()).length, 0);
  }),
);

test(
  "requests go to `api` alone, with the cookie and the header, and never with Authorization",
  cases(async ({ page, complaints }) => {
    await open(page);
    bff.requests.length = 0;
    for (const origin of [bff.origin, bff.apiOrigin]) {
      assert.equal((await call(page, "fetch", `${origin}/api/notes`, { method: "PUT", body: "b" })).body.body, "b");
      const { headers } = bff.requests.at(-1);
      assert.deepEqual([headers["x-csrf"], headers.authorization, /bff=/.test(headers.cookie)], ["1", undefined, true]);
    }
    const sent = bff.requests.length;
    const others = ["/other", "/apis", "/api%2f..%2fbff/user", "https://evil.example/api", `${bff.apiOrigin}/other`];
    for (const url of others) assert.equal((await call(page, "fetch", url)).code, "origin_not_allowed", url);
    const refused = [
      { headers: { authorization: "Bearer t" } },
      { headers: { Authorization: "Secret s3cr3t" } },
      { headers: { dpop: "p" } },
      { method: "POST", body: '{"Secret":"s3cr3t"}' },
      { method: "POST", body: "client_secret=s3cr3t", headers: { "content-type": "application/x-www-form-urlencoded" } },
    ];
    for (const init of refused) {
      const { code, message } = await call(page, "fetch", "/api/notes", init);
      assert.equal(code, "credential_refused", JSON.stringify(init));
      assert.ok(!message.includes("s3cr3t"), message);
    }
    assert.equal((await call(page, "fetch", "/api/notes?access_token=t")).code, "credential_refused");
    assert.equal((await call(page, "fetch", "/api/notes", { mode: "no-cors" })).code, "invalid_configuration");
    assert.equal(bff.requests.length, sent, "what is refused is not sent");

    bff.answers["/api/moved"] = { status: 307, headers: { Location: `${bff.apiOrigin}/api/there` } };
    assert.equal((await call(page, "fetch", "/api/moved", { method: "POST", body: "b" })).code, "network");
    assert.deepEqual(bff.seen("/api/there"), []);
    complaints.length = 0;
  }),
);

test(
  "the token of a cookie goes to the own origin, by methods that change something",
  cases(async ({ page }) => {
    await open(page, { ...OPTIONS, csrf: { header: "X-XSRF", cookie: "xsrf" } });
    const header = async (url, method) => {
      await call(page, "fetch", url, { method });
      return bff.requests.at(-1).headers["x-xsrf"];
    };
    assert.equal(await header("/api/a", "POST"), undefined, "there is none yet");
    await page.evaluate(() => (document.cookie = "xsrf=t0ken; path=/"));
    assert.equal(await header("/api/a", "POST"), "t0ken");
    assert.equal(await header("/api/a", "DELETE"), "t0ken");
    assert.equal(await header("/api/a", "GET"), undefined);
    assert.equal(await header(`${bff.apiOrigin}/api/a`, "POST"), undefined);
    bff.answers["/bff/refresh"] = { status: 204 };
    await call(page, "refresh");
    assert.equal(bff.seen("/bff/refresh")[0].headers["x-xsrf"], "t0ken");
    await page.evaluate(() => (document.cookie = "xsrf=other; path=/api; domain=localhost") && (document.cookie = "xsrf=x; path=/inbox"));
    await page.goto(`${bff.origin}/inbox`);
    await make(page, { ...OPTIONS, csrf: { header: "X-XSRF", cookie: "xsrf" } });
    const sent = bff.requests.length;
    assert.equal((await call(page, "fetch", "/api/a", { method: "POST" })).code, "invalid_cookie", "two have the name");
    assert.equal(bff.requests.length, sent);
  }),
);

test(
  "a 401 ends the session here, whatever its body, and is the caller's; a 403 does not",
  cases(async ({ page }) => {
    const problem = JSON.stringify({ Title: "Unauthorized", Status: 401, Detail: "The authentication cookie expired" });
    for (const body of ["", problem]) {
      await open(page);
      bff.answers["/api/notes"] = LIMITED;
      assert.equal((await call(page, "fetch", "/api/notes")).status, 403);
      assert.ok(await isSame(page), "throttled is not signed out");
      bff.answers["/api/notes"] = { status: 401, body };
      const answer = await call(page, "fetch", "/api/notes");
      assert.deepEqual(answer, { status: 401, body: body ? JSON.parse(body) : "" });
      assert.deepEqual(await state(page), { status: "anonymous", reason: "session_expired" });
      assert.equal(await page.evaluate(() => states.length), 1);
    }
  }),
);

test(
  "the page comes back to a path of its own and to nothing else",
  cases(async ({ page }) => {
    await open(page, OPTIONS, { sub: null });
    const given = [...paths.filter(({ local }) => !local).map(({ path }) => path), 1, {}, "/bff/login", "/bff/login?returnUrl=/x"];
    for (const returnTo of given) assert.equal((await call(page, "signIn", { returnTo })).code, "invalid_configuration", String(returnTo));
    assert.equal((await call(page, "signIn", { returnURL: "/" })).code, "invalid_configuration");
    assert.equal(page.url(), `${bff.origin}/`);
    assert.deepEqual(bff.seen("/bff/login"), []);
    // To a page of another origin, a path would mean nothing.
    await make(page, { ...OPTIONS, signInUrl: `${bff.apiOrigin}/sign-in?org=1` });
    const [asked] = await Promise.all([page.waitForRequest(/sign-in/), page.evaluate(() => void session.signIn())]);
    assert.deepEqual([...new URL(asked.url()).searchParams], [["org", "1"], ["returnUrl", `${bff.origin}/`]]);
  }),
);

test(
  "what there is no way to is said, and a session that was disposed of does nothing",
  cases(async ({ page }) => {
    assert.deepEqual(await open(page, { api: bff.origin }), { status: "anonymous" });
    for (const name of ["signIn", "signOut", "refresh"]) {
      assert.equal((await call(page, name)).code, "invalid_configuration", name);
    }
    assert.equal((await call(page, "fetch", "/api/notes")).status, 401, "there is no header");
    await open(page);
    await page.evaluate(() => session.dispose());
    assert.deepEqual(await state(page), { status: "anonymous" });
    const sent = bff.requests.length;
    for (const name of ["fetch", "signIn", "signOut", "refresh"]) {
      assert.equal((await call(page, name, ...(name === "fetch" ? ["/api/notes"] : []))).code, "not_initialised", name);
    }
    await page.evaluate(() => dispatchEvent(new Event("online")));
    assert.equal(bff.requests.length, sent);
  }),
);
