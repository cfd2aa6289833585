// Sessions in an HttpOnly cookie, in Chromium against a backend for frontend: who is signed in, where requests go and with
// what, and that nothing short of the server's word ends a session.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { Bff } from "./bff.mjs";
import { openSuite } from "./harness.mjs";

const suite = await openSuite();
const bff = await Bff.start();
after(() => Promise.all([suite.close(), bff.close()]));

const { paths } = JSON.parse(await readFile(new URL("../vectors/targets/cases.json", import.meta.url), "utf8"));

const OPTIONS = {
  api: [`${bff.origin}/api`, `${bff.apiOrigin}/api`],
  csrf: { header: "X-CSRF", value: "1" },
  userUrl: "/bff/user",
  signInUrl: "/bff/login",
  refresh: { url: "/bff/refresh" },
};
/** Without the page that the claims name, the session is ended by POST. */
const POSTING = { ...OPTIONS, signOutUrl: "/bff/logout" };
const USER = JSON.stringify({ sub: "ada", email: "ada@example.org" });
const LIMITED = { status: 403, body: '{"Title":"Rate Limit Exceeded","Status":403}' };

/** Opens the page with a session in its cookie, or none, and makes `session` of it; the states are in `states`. */
async function open(page, options = OPTIONS, { sub = "ada", path = "/" } = {}) {
  if (sub) await page.context().addCookies([bff.signIn(sub)]);
  await page.goto(bff.origin + path);
  return make(page, options);
}

const make = (page, options) =>
  page.evaluate(async (given) => {
    globalThis.session = await createCookieSession(given);
    globalThis.states = [];
    session.subscribe((state) => states.push(state));
    globalThis.first = session.state;
    return session.state;
  }, options);

const state = (page) => page.evaluate(() => session.state);
/** Is the snapshot the very object of before? */
const isSame = (page) => page.evaluate(() => session.state === first && states.length === 0);
const call = (page, name, ...values) =>
  page.evaluate(([method, given]) => outcome(session[method](...given)), [name, values]);
const cases = (body) => suite.withPage(async (tab) => (bff.reset(), body(tab)));

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
  "one refresh at a time; only a 401, or the way to a sign-in page, ends the session",
  cases(async ({ page, complaints }) => {
    await open(page, { ...OPTIONS });
    const five = await page.evaluate(() => Promise.all(Array.from({ length: 5 }, () => outcome(session.refresh()))));
    assert.deepEqual(five, Array(5).fill(undefined));
    assert.equal(bff.seen("/bff/refresh").length, 1);
    assert.equal(bff.seen("/bff/refresh")[0].method, "POST");
    for (const [answer, code, retryable] of [
      [{ status: 503 }, "server_error", true],
      [{ status: 429 }, "rate_limited", true],
      [LIMITED, "rate_limited", true],
      [{ status: "break" }, "network", true],
      [{ status: 403 }, "authorization_failed", false],
      [{ status: 404 }, "server_error", false],
    ]) {
      bff.answers["/bff/refresh"] = answer;
      const outcome = await call(page, "refresh");
      assert.deepEqual([outcome.code, outcome.phase, outcome.retryable], [code, "refresh", retryable], JSON.stringify(answer));
      const { status, stale, user } = await state(page);
      assert.deepEqual([status, stale, user.sub], ["authenticated", true, "ada"], JSON.stringify(answer));
    }
    delete bff.answers["/bff/refresh"];
    await call(page, "refresh");
    assert.equal((await state(page)).stale, false);
    for (const answer of [{ status: 401 }, { status: 302, headers: { Location: "/sign-in" } }]) {
      bff.answers = { "/bff/refresh": answer };
      await open(page);
      const { code, retryable } = await call(page, "refresh");
      assert.deepEqual([code, retryable], ["session_expired", false]);
      assert.deepEqual(await state(page), { status: "anonymous", reason: "session_expired" });
    }
    assert.deepEqual(bff.seen("/sign-in"), [], "a redirect is not followed");
    complaints.length = 0;
  }),
);

test(
  "who is signed in is what userUrl says, and what it cannot say is no session",
  cases(async ({ page, complaints }) => {
    const userUrl = `${bff.apiOrigin}/me`;
    const options = { api: bff.apiOrigin, userUrl };
    for (const [answer, expected] of [
      [{ body: USER }, "authenticated"],
      [{ status: 401 }, undefined],
      [{ status: 403 }, undefined],
      [{ status: 204 }, undefined],
      [{ body: "null" }, undefined],
      [{ status: 302, headers: { Location: "/sign-in" } }, undefined],
      [LIMITED, "rate_limited"],
      [{ status: 500 }, "server_error"],
      [{ body: "<!doctype html>" }, "server_error"],
      [{ body: `{"sub":"ada","x":"${"x".repeat(600_000)}"}` }, "server_error"],
      [{ status: "break" }, "network"],
    ]) {
      bff.answers["/me"] = answer;
      const { status, reason, user } = await open(page, options);
      assert.deepEqual([status, reason], expected === "authenticated" ? [expected, undefined] : ["anonymous", expected]);
      if (user) assert.deepEqual(user, { sub: "ada", claims: JSON.parse(USER) });
    }
    // It is asked again when there is a network, and the same answer is the same state.
    bff.answers["/me"] = { body: USER };
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.waitForFunction(() => session.state.status === "authenticated");
    await page.evaluate(() => ((globalThis.first = session.state), (states.length = 0)));
    await call(page, "refresh");
    assert.ok(await isSame(page));
    bff.answers["/me"] = { body: USER.replace("ada@", "lovelace@") };
    await call(page, "refresh");
    assert.equal((await state(page)).user.claims.email, "lovelace@example.org");
    bff.answers["/me"] = { status: 401 };
    assert.equal((await call(page, "refresh")).code, "session_expired");
    complaints.length = 0;
  }),
);

test(
  "a server that does not answer is not waited for",
  cases(async ({ page }) => {
    await page.clock.install();
    bff.answers["/bff/user"] = { status: "hang" };
    await page.goto(bff.origin);
    const asked = page.waitForRequest((request) => request.url().endsWith("/bff/user"));
    const made = make(page, OPTIONS);
    await asked;
    await page.clock.runFor(10_001);
    assert.deepEqual(await made, { status: "anonymous", reason: "timeout" });
  }),
);

/** What browsers do with a tab that nobody sees. */
const show = (page, isVisible) =>
  page.evaluate((visibility) => {
    Object.defineProperty(document, "visibilityState", { value: visibility, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isVisible ? "visible" : "hidden");

/** As `open`, with a clock that stands still but for what the test says. */
async function openStill(page, options) {
  await page.context().addCookies([bff.signIn()]);
  await page.clock.install({ time: 0 });
  await page.goto(bff.origin);
  await page.clock.pauseAt(3_600_000);
  await make(page, options);
}

/** Takes a step; its answer from a path has come by then, and been dealt with. */
async function settled(page, path, step) {
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

test(
  "the session is prolonged in time while the page is seen, and at once when it is seen again",
  cases(async ({ page }) => {
    bff.answers["/bff/user"] = { body: USER };
    await openStill(page, { ...POSTING, refresh: { url: "/bff/refresh", everySec: 60 } });
    const count = () => bff.seen("/bff/refresh").length;
    const refreshed = (step) => settled(page, "/bff/refresh", step);
    for (const times of [1, 2]) {
      await page.clock.runFor(59_000);
      assert.equal(count(), times - 1);
      await refreshed(() => page.clock.runFor(1_000));
      assert.equal(count(), times);
    }
    await show(page, false);
    await page.clock.runFor(600_000);
    assert.equal(count(), 2, "a hidden page asks for nothing");
    await refreshed(() => show(page, true));
    assert.equal(count(), 3);
    // The machine slept: its timers did, its clock did not.
    await page.clock.setSystemTime(await page.evaluate(() => Date.now() + 3_600_000));
    await refreshed(() => page.evaluate(() => dispatchEvent(new Event("focus"))));
    await page.evaluate(() => session.signOut());
    const before = count();
    await page.clock.runFor(600_000);
    assert.equal(count(), before, "nobody is signed in any more");
  }),
);

test(
  "nobody is asked more often than twice a minute",
  cases(async ({ page }) => {
    bff.answers = { "/bff/user": { body: USER }, "/bff/refresh": LIMITED };
    await openStill(page, { ...OPTIONS, refresh: { url: "/bff/refresh", everySec: 1 } });
    await page.clock.runFor(29_000);
    assert.equal(bff.seen("/bff/refresh").length, 0);
    // It fails, and is tried again no sooner.
    for (const times of [1, 2, 3]) {
      await settled(page, "/bff/refresh", () => page.clock.runFor(1_000));
      await page.clock.runFor(29_000);
      assert.equal(bff.seen("/bff/refresh").length, times);
    }
  }),
);

test(
  "who is signed in is who the cookie is of, after each refresh",
  cases(async ({ page }) => {
    const become = (sub) => (bff.answers["/bff/user"] = { body: JSON.stringify({ sub }) });
    const shown = async () => (await state(page)).user.sub;
    become("ada");
    await openStill(page, { ...OPTIONS, refresh: { url: "/bff/refresh", everySec: 60 } });
    become("bob");
    await settled(page, "/bff/user", () => page.clock.runFor(60_000));
    assert.equal(await shown(), "bob");
    // Somebody else signs in at another page, while nobody sees this one.
    await show(page, false);
    await page.clock.runFor(600_000);
    become("eve");
    await settled(page, "/bff/user", () => show(page, true));
    assert.equal(await shown(), "eve");
    become("ada");
    await call(page, "refresh");
    assert.equal(await shown(), "ada");
  }),
);

test(
  "a refresh that another tab's word comes into is not the last one",
  cases(async ({ page }) => {
    bff.answers["/bff/user"] = { body: USER };
    await openStill(page, { ...OPTIONS, refresh: { url: "/bff/refresh", everySec: 60 } });
    await hold(page, "/bff/refresh");
    await page.clock.runFor(60_000);
    await page.evaluate(() => globalThis.answered);
    await page.evaluate((name) => {
      // It hears what the session hears, and after it.
      const witness = new BroadcastChannel(name);
      const heard = new Promise((resolve) => (witness.onmessage = resolve));
      new BroadcastChannel(name).postMessage("changed");
      return heard.then(() => {});
    }, `wardkey:session:${bff.origin}/bff/user`);
    await settled(page, "/bff/user", () => page.evaluate(() => globalThis.letGo()));
    await settled(page, "/bff/refresh", () => page.clock.runFor(60_000));
    assert.equal(bff.seen("/bff/refresh").length, 2);
  }),
);

test(
  "a server that cannot say who is signed in is not asked again and again",
  cases(async ({ page, complaints }) => {
    bff.answers["/bff/user"] = { body: USER };
    await openStill(page, OPTIONS);
    await page.clock.runFor(10_000);
    const wake = (...events) => page.evaluate((names) => names.forEach((name) => dispatchEvent(new Event(name))), events);
    const asked = async (...events) => {
      bff.requests.length = 0;
      await settled(page, "/bff/user", () => wake(...events));
      return bff.seen("/bff/user").length;
    };
    const many = Array(20).fill("focus");
    const inTwoMinutes = () => page.evaluate(() => new Date(Date.now() + 120_000).toUTCString());
    for (const [seconds, after] of [[600, () => "600"], [120, inTwoMinutes]]) {
      const retryAfter = await after();
      bff.answers["/bff/user"] = { status: 429, headers: { "Retry-After": retryAfter } };
      assert.equal(await asked("focus"), 1);
      bff.answers["/bff/user"] = { status: 500 };
      bff.requests.length = 0;
      for (let second = 0; second < seconds - 2; second += 59) {
        await wake(...many, "online");
        await page.clock.runFor(Math.min(59, seconds - 2 - second) * 1000);
      }
      await wake(...many, "online");
      await page.clock.runFor(3_000);
      // Had one been asked before, it would have been asked here, too.
      await settled(page, "/bff/user", () => wake("focus"));
      assert.equal(bff.seen("/bff/user").length, 1, retryAfter);
      // Without a word of when, as after an answer; but what failed for want of a network is asked as soon as there is one.
      await wake(...many);
      assert.equal(await asked("online"), 1);
      await page.clock.runFor(10_000);
    }
    // Where a refresh alone can tell.
    const { userUrl: _, ...blind } = OPTIONS;
    await make(page, blind);
    await wake(...many);
    await page.clock.runFor(10_000);
    await settled(page, "/bff/refresh", () => wake("focus"));
    assert.equal(bff.seen("/bff/refresh").length, 2, "at first, and now");
    complaints.length = 0;
  }),
);

test(
  "a sign-out ends the session of all tabs, and one that the server did not hear of ends none",
  cases(async ({ page, context, complaints }) => {
    bff.answers["/bff/user"] = { body: USER };
    await open(page, POSTING);
    const other = await context.newPage();
    await open(other, POSTING, { sub: null });
    for (const [answer, code, retryable] of [
      [{ status: 503 }, "server_error", true],
      [{ status: "break" }, "network", true],
      [{ status: 404 }, "server_error", false],
      // Wherever that leads: somebody is still signed in.
      [{ status: 302, headers: { Location: "/bye" } }, "server_error", false],
    ]) {
      bff.answers["/bff/logout"] = answer;
      const outcome = await call(page, "signOut");
      assert.deepEqual([outcome.code, outcome.phase, outcome.retryable], [code, "sign_out", retryable]);
      assert.ok(await isSame(page), JSON.stringify(answer));
    }
    assert.equal((await state(other)).status, "authenticated");
    bff.answers = { "/bff/user": { status: 401 } };
    bff.requests.length = 0;
    await call(page, "signOut");
    assert.deepEqual(await state(page), { status: "anonymous" });
    await other.waitForFunction(() => session.state.status === "anonymous");
    const told = bff.seen("/bff/logout").map(({ method }) => method);
    assert.deepEqual(told, ["POST"], "the other tab is told, and does not sign out itself");

    // A message that does not hold changes nothing.
    bff.answers["/bff/user"] = { body: USER };
    await open(other, POSTING);
    const asked = other.waitForResponse((response) => response.url().endsWith("/bff/user"));
    await hint(page);
    await asked;
    assert.ok(await isSame(other));
    complaints.length = 0;
  }),
);

test(
  "a tab that was left to sign in tells the others when it is back",
  cases(async ({ page, context }) => {
    await open(page, OPTIONS, { sub: null });
    const other = await context.newPage();
    await open(other, OPTIONS, { sub: null });
    await Promise.all([page.waitForURL(`${bff.origin}/?a`), page.evaluate(() => void session.signIn({ returnTo: "/?a" }))]);
    await make(page, OPTIONS);
    await other.waitForFunction(() => session.state.status === "authenticated");
  }),
);

test(
  "a page of another origin ends no session, whatever the claims say",
  cases(async ({ page }) => {
    for (const logout of ["https://evil.example/out", "//evil.example/out", "javascript:alert(1)", `blob:${bff.origin}/1`]) {
      bff.answers["/bff/user"] = { body: JSON.stringify({ sub: "ada", "bff:logout_url": logout }) };
      await open(page, POSTING);
      await page.evaluate(() => (globalThis.here = true));
      bff.answers["/bff/user"] = { status: 401 };
      assert.equal(await call(page, "signOut"), undefined, logout);
      assert.equal(bff.seen("/bff/logout").at(-1).method, "POST");
      assert.equal(await page.evaluate(() => globalThis.here), true);
    }
  }),
);

test(
  "the page that ends a session is of the origin that names it, or of the page's own",
  cases(async ({ page }) => {
    const options = { ...POSTING, userUrl: `${bff.apiOrigin}/bff/user` };
    for (const [logout, expected] of [
      ["/bff/logout?sid=1", `${bff.apiOrigin}/bff/logout?sid=1`],
      [`${bff.origin}/bff/logout?sid=2`, `${bff.origin}/bff/logout?sid=2`],
    ]) {
      bff.answers = { "/bff/user": { body: JSON.stringify({ sub: "ada", "bff:logout_url": logout }) } };
      await open(page, options);
      bff.answers["/bff/logout"] = { body: "bye" };
      await Promise.all([page.waitForURL(expected), page.evaluate(() => void session.signOut())]);
      assert.equal(bff.seen("/bff/logout").at(-1).method, "GET");
    }
  }),
);

/** What another tab says. */
const hint = (page) =>
  page.evaluate(() => new BroadcastChannel(`wardkey:session:${location.origin}/bff/user`).postMessage("changed"));

/** Answers from a path are there (`answered`), and come through when they are let go. */
const hold = (page, path) =>
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

const release = (page) =>
  page.evaluate(async () => {
    globalThis.letGo();
    await new Promise((resolve) => setTimeout(resolve));
  });

test(
  "what was answered before a sign-out does not count after it",
  cases(async ({ page }) => {
    bff.answers["/bff/user"] = { body: USER };
    await open(page, POSTING);
    await hold(page, "/bff/user");
    await hint(page);
    await page.evaluate(() => globalThis.answered);
    await call(page, "signOut");
    await release(page);
    assert.deepEqual(await state(page), { status: "anonymous" });

    // A refresh that came after the sign-out would set the cookie anew: it is waited for.
    await open(page, POSTING);
    await hold(page, "/bff/refresh");
    bff.requests.length = 0;
    await page.evaluate(() => {
      globalThis.refreshed = outcome(session.refresh());
      globalThis.signedOut = outcome(session.signOut());
      return globalThis.answered;
    });
    assert.deepEqual(bff.seen("/bff/logout"), []);
    await release(page);
    await page.evaluate(() => globalThis.signedOut);
    assert.equal(bff.seen("/bff/logout").length, 1);
    assert.deepEqual(await state(page), { status: "anonymous" });
  }),
);

test(
  "a sign-out under way holds a refresh back, and what was asked before it does not count where nobody was known either",
  cases(async ({ page, complaints }) => {
    bff.answers["/bff/user"] = { body: USER };
    for (const [status, code, refreshes] of [
      [204, "session_expired", 0],
      [503, undefined, 1],
    ]) {
      bff.answers["/bff/logout"] = { status };
      await open(page, POSTING);
      await hold(page, "/bff/logout");
      bff.requests.length = 0;
      await page.evaluate(() => {
        globalThis.signedOut = outcome(session.signOut());
        return globalThis.answered;
      });
      await page.evaluate(() => {
        globalThis.refreshed = outcome(session.refresh());
        globalThis.again = outcome(session.signOut());
      });
      await release(page);
      assert.equal((await page.evaluate(() => globalThis.refreshed))?.code, code);
      assert.deepEqual(await page.evaluate(() => globalThis.signedOut), await page.evaluate(() => globalThis.again));
      assert.deepEqual([bff.seen("/bff/logout").length, bff.seen("/bff/refresh").length], [1, refreshes]);
    }

    bff.answers = { "/bff/user": { status: 401 }, "/bff/logout": { status: 204 } };
    await open(page, POSTING);
    bff.answers["/bff/user"] = { body: USER };
    await hold(page, "/bff/user");
    await page.evaluate(() => dispatchEvent(new Event("online")) && globalThis.answered);
    await call(page, "signOut");
    await release(page);
    assert.deepEqual(await state(page), { status: "anonymous" });
    complaints.length = 0;
  }),
);

test(
  "a late 401 ends the session of the person who asked, and of nobody else",
  cases(async ({ page }) => {
    for (const [user, status] of [
      [{ sub: "bob" }, "authenticated"],
      [{ sub: "ada", email: "lovelace@example.org" }, "anonymous"],
    ]) {
      bff.answers = { "/bff/user": { body: USER }, "/api/notes": { status: 401 } };
      await open(page);
      await hold(page, "/api/notes");
      await page.evaluate(() => {
        globalThis.fetched = session.fetch("/api/notes").then(({ status }) => status);
        return globalThis.answered;
      });
      bff.answers["/bff/user"] = { body: JSON.stringify(user) };
      await page.evaluate(() => dispatchEvent(new Event("online")));
      await page.waitForFunction(({ sub, email }) => session.state.user.sub === sub && session.state.user.claims.email === email, user);
      await release(page);
      assert.equal(await page.evaluate(() => globalThis.fetched), 401);
      assert.equal((await state(page)).status, status);
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
