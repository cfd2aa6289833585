// Who is signed in by a cookie: what the server says, when it is asked, and what it cannot say.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bff, call, cases, hold, isSame, LIMITED, make, open, OPTIONS, POSTING, settled, state, USER } from "./suite.mjs";

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
    // An answer that has prolonged the session says so, and the next refresh is a minute after it; one that says nothing has not.
    bff.answers["/api/notes"] = { headers: { "X-Session-Refreshed": "1970-01-01 01:02:50 UTC" } };
    await page.clock.runFor(50_000);
    await call(page, "fetch", "/api/notes");
    await page.clock.runFor(59_000);
    await call(page, "fetch", "/api/other");
    assert.equal(count(), 2);
    await refreshed(() => page.clock.runFor(1_000));
    assert.equal(count(), 3);
    await show(page, false);
    await page.clock.runFor(600_000);
    assert.equal(count(), 3, "a hidden page asks for nothing");
    await refreshed(() => show(page, true));
    assert.equal(count(), 4);
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
