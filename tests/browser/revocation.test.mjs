// Ending a session: revocation (RFC 7009), alone or with the sign-out, and the server's word in a frame.

import assert from "node:assert/strict";
import { after } from "node:test";

import { form, isDown, isOfBrowser, isOutOfReach, openFullSuite, PROBE, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);

/** With opaque access tokens: the server keeps nothing of its JWTs, and so cannot revoke one. */
const OPAQUE = { clientId: "identity", scope: "openid" };
const revocations = () => suite.seen("as", "/token/revocation").filter(({ method }) => method === "POST");
const hints = () => revocations().map((exchange) => form(exchange).token_type_hint);

test(
  "revoke() forgets all tokens here, and the server takes none of them any more",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, OPAQUE);
    const [{ body }] = suite.tokenRequests();
    const { refresh_token: token } = JSON.parse(body);
    const { status } = await page.evaluate(async () => {
      await client.revoke();
      return client.state;
    });
    assert.equal(status, "anonymous");
    assert.deepEqual(hints(), ["refresh_token", "access_token"]);
    assert.deepEqual(revocations().map((exchange) => exchange.status), [200, 200]);
    assert.equal(form(revocations()[0]).token, token);
    assert.equal(form(revocations()[0]).client_id, "identity");
    const again = await fetch(`${suite.demo.issuer}/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: token, client_id: "identity" }),
    });
    assert.equal((await again.json()).error, "invalid_grant");
  }),
);

test(
  "revoking the refresh token leaves the access token at hand, and there is no other to be had",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, OPAQUE);
    const { same, refused, status } = await page.evaluate(async () => {
      const before = await client.getAccessToken();
      await client.revoke("refresh_token");
      const same = before === (await client.getAccessToken());
      const refused = await globalThis.outcome(client.getToken({ forceRefresh: true }));
      return { same, refused, status: client.state.status };
    });
    assert.ok(same);
    assert.equal(refused.code, "interaction_required");
    assert.equal(status, "authenticated");
    assert.deepEqual(hints(), ["refresh_token"]);
    assert.equal(suite.tokenRequests().length, 1);
  }),
);

test(
  "after revoking the access token another is asked for; this server has ended the grant with it (RFC 7009 2.1)",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, OPAQUE);
    const { code, oauthError } = await page.evaluate(async () => {
      await client.revoke("access_token");
      return globalThis.outcome(client.getToken());
    });
    assert.deepEqual(hints(), ["access_token"]);
    assert.equal(suite.tokenRequests().length, 2);
    assert.deepEqual([code, oauthError], ["session_expired", "invalid_grant"]);
  }),
);

test(
  "what cannot be revoked is an error, and the tokens are gone here all the same",
  suite.withPage(async ({ page, complaints }) => {
    await signInOnProbe(page, suite, OPAQUE);
    suite.intercept("/token/revocation", isOutOfReach);
    const outcome = await page.evaluate(async () => {
      const outcome = await globalThis.outcome(client.revoke());
      return { ...outcome, state: client.state.status };
    });
    assert.deepEqual([outcome.code, outcome.phase, outcome.state], ["network", "sign_out", "anonymous"]);
    assert.ok(complaints.splice(0).every(isOfBrowser));
    assert.equal(revocations().length, 2, "each was tried");
  }),
);

test(
  "a JWT that the server cannot revoke is no trouble once the refresh token is revoked",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { clientId: "refresh" });
    await page.evaluate(() => client.revoke());
    assert.deepEqual(revocations().map(({ status }) => status), [200, 400]);
    assert.equal(await page.evaluate(() => client.state.status), "anonymous");
  }),
);

test(
  "signOut({ revoke: true }) revokes, then leaves for the server's sign-out",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, OPAQUE);
    await page.evaluate(() => void client.signOut({ revoke: true }));
    await page.getByRole("button", { name: "Yes, sign me out" }).waitFor();
    assert.deepEqual(hints(), ["refresh_token", "access_token"]);
    const since = suite.exchanges.slice(suite.exchanges.indexOf(revocations()[1]));
    assert.ok(since.some(({ path }) => path.startsWith("/session/end?")), "in this order");
  }),
);

test(
  "signOut({ revoke: true }) leaves for the server even where the revocation fails",
  suite.withPage(async ({ page, complaints }) => {
    await signInOnProbe(page, suite, OPAQUE);
    suite.intercept("/token/revocation", isDown);
    await page.evaluate(() => void client.signOut({ revoke: true }));
    await page.getByRole("button", { name: "Yes, sign me out" }).waitFor();
    assert.ok(complaints.splice(0).every(isOfBrowser));
  }),
);

/** With the `sid` that front-channel logout is about. */
const WITH_SID = { claims: { id_token: { sid: null } } };

test(
  "front-channel logout ends the session that the server names, and no other",
  suite.withPage(async ({ page }) => {
    const { user } = await signInOnProbe(page, suite, {}, WITH_SID);
    const { sid } = user.claims;
    assert.ok(sid);
    const ask = (parameters) =>
      page.evaluate(
        async (url) => [await client.handleFrontChannelLogout(url), client.state.status],
        `${suite.url("signed-out")}?${new URLSearchParams(parameters)}`,
      );
    const iss = suite.demo.issuer;
    for (const other of [{ iss, sid: "other" }, { iss: "https://attacker.example", sid }, { sid }, { iss }]) {
      assert.deepEqual(await ask(other), [false, "authenticated"], JSON.stringify(Object.keys(other)));
    }
    await page.evaluate(() => client.on("signedOut", ({ reason }) => (globalThis.reason = reason)));
    assert.deepEqual(await ask({ iss, sid }), [true, "anonymous"]);
    assert.equal(await page.evaluate(() => globalThis.reason), "sign_out");
    assert.deepEqual(await ask({ iss, sid }), [false, "anonymous"]);
  }),
);

test(
  "front-channel logout with no session is false, and throws nothing",
  suite.withPage(async ({ page }) => {
    await page.goto(`${suite.url(PROBE)}?iss=${encodeURIComponent(suite.demo.issuer)}&sid=1`);
    const ended = await page.evaluate(async () => (await globalThis.openClient()).handleFrontChannelLogout());
    assert.equal(ended, false);
  }),
);
