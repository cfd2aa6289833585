// What ends a cookie session, in this tab and the others, and what does not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bff, call, cases, hint, hold, isSame, make, open, OPTIONS, POSTING, release, state, USER } from "./suite.mjs";

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
