// UserInfo (OpenID Connect Core 5.3): as JSON and as a JWT, for the person who is signed in and nobody else.

import assert from "node:assert/strict";
import { after } from "node:test";

import { changesTo, openFullSuite, payload, PROBE, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);

const ALICE = { sub: "alice", name: "Alice Liddell", email: "alice@example.com" };
const IDENTITY = { clientId: "identity", scope: "openid profile email" };

const asked = () => suite.seen("as", "/me").filter(({ method }) => method !== "OPTIONS");
const userInfo = (page) => page.evaluate(() => globalThis.outcome(client.userInfo()));
const pick = ({ sub, name, email }) => ({ sub, name, email });

test(
  "claims come as JSON, with the token in the header and nowhere else",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, IDENTITY);
    assert.deepEqual(pick(await userInfo(page)), ALICE);
    const [{ method, path, headers }] = asked();
    assert.deepEqual([method, path], ["GET", "/me"]);
    assert.match(headers.authorization, /^Bearer /);
    assert.equal(headers.cookie, undefined);
    assert.equal(headers.referer, undefined);
  }),
);

test(
  "claims come as a JWT, which is verified",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { ...IDENTITY, clientId: "identity-signed" });
    const claims = await userInfo(page);
    assert.deepEqual(pick(claims), ALICE);
    const [{ body }] = asked();
    assert.equal(payload(body).aud, "identity-signed");
  }),
);

/** Changes the answer of the endpoint on its way to the browser. */
const change = (edit) => suite.intercept("/me", changesTo(edit));

test(
  "a JWT whose signature is not the server's is refused",
  suite.withPage(async ({ page }) => {
    change((jwt) => {
      const [header, claims, signature] = jwt.split(".");
      const swapped = signature.startsWith("A") ? "B" : "A";
      return [header, claims, swapped + signature.slice(1)].join(".");
    });
    await signInOnProbe(page, suite, { ...IDENTITY, clientId: "identity-signed" });
    const { code, phase } = await userInfo(page);
    assert.deepEqual([code, phase], ["server_error", "userinfo"]);
  }),
);

test(
  "another person's claims are user_mismatch, and the session stays",
  suite.withPage(async ({ page }) => {
    change((json) => JSON.stringify({ ...JSON.parse(json), sub: "bob" }));
    await signInOnProbe(page, suite, IDENTITY);
    const { code, phase } = await userInfo(page);
    assert.deepEqual([code, phase], ["user_mismatch", "userinfo"]);
    assert.equal(await page.evaluate(() => client.getUser().sub), "alice");
  }),
);

test(
  "with DPoP it is asked with a proof for the token",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { ...IDENTITY, clientId: "identity-dpop", dpop: true });
    assert.deepEqual(pick(await userInfo(page)), ALICE);
    const [{ headers }] = asked();
    assert.match(headers.authorization, /^DPoP /);
    const { htm, htu, ath } = payload(headers.dpop);
    assert.deepEqual([htm, htu], ["GET", `${suite.demo.issuer}/me`]);
    assert.ok(ath);
  }),
);

test(
  "a token for an API alone is refused by the endpoint: server_error, and one renewal at most",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { clientId: "refresh" });
    const { code, status, oauthError, retryable } = await userInfo(page);
    assert.deepEqual([code, status, oauthError, retryable], ["server_error", 401, "invalid_token", false]);
    assert.equal(asked().length, 2);
    assert.equal(suite.tokenRequests().length, 2);
  }),
);

test(
  "without a session it asks nobody",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    const { code } = await page.evaluate(async () => {
      const client = await globalThis.openClient();
      return globalThis.outcome(client.userInfo());
    });
    assert.equal(code, "not_signed_in");
    assert.equal(asked().length, 0);
  }),
);
