// Resource indicators (RFC 8707): one grant, a token for each resource, and each token to its own API only.

import assert from "node:assert/strict";
import { after } from "node:test";

import { form, openFullSuite, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);

const notes = () => suite.apiUrl();
const mail = () => suite.apiUrl("/mail");

/** A client of both APIs. */
const both = () => ({
  clientId: "refresh",
  scope: "openid notes.read mail.read",
  resource: [notes(), mail()],
  api: [
    { origin: suite.demo.apiUrl, path: "/mail", resource: mail(), scope: ["mail.read"] },
    { origin: suite.demo.apiUrl, path: "/notes", resource: notes() },
  ],
});

const call = (page, path) => page.evaluate((url) => globalThis.outcome(client.fetch(url)), suite.apiUrl(path));

test(
  "both resources are asked for, and each API gets a token that is for it",
  suite.withPage(async ({ page }) => {
    const { user } = await signInOnProbe(page, suite, both());
    assert.equal(user.sub, "alice");
    const [{ path }] = suite.seen("as", "/auth?");
    assert.deepEqual(new URL(path, notes()).searchParams.getAll("resource"), [notes(), mail()]);
    assert.equal(form(suite.tokenRequests()[0]).resource, notes(), "the first is that of the sign-in");

    assert.equal((await call(page, "/notes")).body.aud, notes());
    assert.equal(suite.tokenRequests().length, 1);
    const { status, body } = await call(page, "/mail/inbox");
    assert.deepEqual([status, body.aud, body.scope], [200, mail(), "mail.read"]);
    assert.equal(suite.tokenRequests().length, 2);
    assert.equal(form(suite.tokenRequests()[1]).resource, mail());

    await Promise.all([call(page, "/notes"), call(page, "/mail/inbox"), call(page, "/notes")]);
    assert.equal(suite.tokenRequests().length, 2, "one token for each resource, kept");
    assert.deepEqual([...new Set(suite.calls().map(({ status }) => status))], [200]);
  }),
);

test(
  "getToken gives the token of a resource; together, many ask once",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, both());
    const tokens = await page.evaluate(
      async (resource) => {
        const tokens = await Promise.all(Array.from({ length: 5 }, () => client.getToken({ resource })));
        const own = await client.getToken();
        const is = (token) => ({ resource: token.resource, scopes: token.scopes, same: token.accessToken === tokens[0].accessToken });
        return [...tokens, own].map(is);
      },
      mail(),
    );
    assert.equal(suite.tokenRequests().length, 2);
    const ofMail = { resource: mail(), scopes: ["mail.read"], same: true };
    assert.deepEqual(tokens.slice(0, 5), Array(5).fill(ofMail));
    assert.deepEqual([tokens[5].resource, tokens[5].same], [notes(), false]);
  }),
);

test(
  "a resource that the grant does not have is refused, and the session goes on",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { ...both(), resource: notes(), scope: "openid notes.read" });
    const { code } = await page.evaluate((resource) => globalThis.outcome(client.getToken({ resource })), mail());
    assert.ok(["scope_missing", "authorization_failed", "invalid_configuration", "interaction_required"].includes(code), code);
    assert.equal((await call(page, "/notes")).status, 200);
    assert.equal(await page.evaluate(() => client.state.status), "authenticated");
  }),
);

test(
  "without a refresh token there is one resource only",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { ...both(), clientId: "wardkey-demo" });
    assert.equal((await call(page, "/notes")).status, 200);
    assert.equal((await call(page, "/mail/inbox")).code, "interaction_required");
    assert.equal(suite.calls().length, 1, "and no token for another API goes there");
  }),
);

test(
  "what a target needs and was not granted is scope_missing, before anybody is asked",
  suite.withPage(async ({ page }) => {
    const api = [{ origin: suite.demo.apiUrl, path: "/notes", scope: ["notes.write"] }];
    await signInOnProbe(page, suite, { ...both(), api });
    assert.equal((await call(page, "/notes")).code, "scope_missing");
    assert.equal(suite.calls().length, 0);
    assert.equal(suite.tokenRequests().length, 1);
    assert.deepEqual(await page.evaluate(() => Promise.all([client.hasScope("notes.read"), client.hasScope("notes.write")])), [
      true,
      false,
    ]);
  }),
);
