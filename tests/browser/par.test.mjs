// Pushed authorization requests (RFC 9126) and authorization details (RFC 9396).

import assert from "node:assert/strict";
import { after } from "node:test";

import { form, isDown, isOfBrowser, logIn, openFullSuite, payload, PROBE, signInOnProbe } from "./full-suite.mjs";
import { ALL, BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);

const OPTIONS = { clientId: "dpop", dpop: true, par: "required" };

const pushes = () => suite.seen("as", "/request").filter(({ method }) => method === "POST");
const publicKey = (proof) => JSON.parse(Buffer.from(proof.split(".")[0], "base64url").toString("utf8")).jwk.x;
const authorizations = () =>
  suite.seen("as", "/auth?").map(({ path }) => Object.fromEntries(new URL(path, suite.demo.issuer).searchParams));

for (const par of ["auto", "required"]) {
  test(
    `par: "${par}" pushes the request, and the browser carries a reference to it only`,
    suite.withPage(async ({ page }) => {
      const { user } = await signInOnProbe(page, suite, { clientId: "par", par });
      assert.equal(user.sub, "alice");
      assert.equal(pushes().length, 1);
      const [pushed] = pushes();
      assert.equal(pushed.status, 201);
      const { state, nonce, code_challenge: challenge, client_id: clientId } = form(pushed);
      assert.ok(state && nonce && challenge);
      assert.equal(clientId, "par");
      const [authorization] = authorizations();
      assert.deepEqual(authorization, { client_id: "par", request_uri: JSON.parse(pushed.body).request_uri });
    }),
  );
}

test(
  'par: "off" pushes nothing, and a server that insists refuses',
  suite.withPage(async ({ page }) => {
    const { user } = await signInOnProbe(page, suite, { par: "off" });
    assert.equal(user.sub, "alice");
    assert.equal(pushes().length, 0);
    const { code, oauthError } = await signInOnProbe(page, suite, { clientId: "par", par: "off" });
    assert.deepEqual({ code, oauthError }, { code: "authorization_failed", oauthError: "invalid_request" });
  }),
);

testIn(suite, ["page"])(
  "a key that outlasts the page is proved with the pushed request, with the server's nonce once it asks for it",
  suite.withPage(async ({ page }) => {
    const options = { clientId: "nonce", dpop: true, par: "required" };
    const { user } = await signInOnProbe(page, suite, { ...options, storage: "sessionStorage" });
    assert.equal(user.sub, "alice");
    const proofs = pushes().map(({ headers }) => payload(headers.dpop));
    assert.deepEqual(pushes().map(({ status }) => status), [400, 201]);
    assert.deepEqual(proofs.map(({ nonce }) => nonce !== undefined), [false, true]);
    assert.equal(proofs[1].htu, `${suite.demo.issuer}/request`);
    const keys = [...pushes(), ...suite.tokenRequests()].map(({ headers }) => publicKey(headers.dpop));
    assert.equal(new Set(keys).size, 1, "the code is bound to the key (10)");
  }),
);

testIn(suite, ALL)(
  "in memory alone, the key of a worker that outlasts the page is proved; a page's is gone when the response comes",
  suite.withPage(async ({ page }) => {
    const { user } = await signInOnProbe(page, suite, OPTIONS);
    assert.equal(user.sub, "alice");
    const [pushed, redeemed] = [...pushes(), ...suite.tokenRequests()].map(({ headers }) => headers.dpop);
    if (suite.mode !== "shared") return assert.equal(pushed, undefined);
    assert.equal(publicKey(pushed), publicKey(redeemed), "the code is bound to the key (10)");
  }),
);

test(
  "in memory alone, the key of the page that opens a popup is proved, and the next sign-in has another",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    await page.evaluate(async (options) => void (globalThis.client = await globalThis.openClient(options)), OPTIONS);
    const used = [];
    for (const isFirst of [true, false]) {
      const opened = page.waitForEvent("popup");
      const ended = page.evaluate(() => globalThis.outcome(client.signInPopup()));
      const popup = await opened;
      if (isFirst) {
        await logIn(popup);
        await popup.getByRole("button", { name: "Allow" }).click();
      }
      await popup.waitForURL(`**/${PROBE}?*`);
      await popup.evaluate(async (options) => void (await globalThis.openClient(options)).handleCallback(), OPTIONS);
      assert.equal((await ended).user.sub, "alice");
      const proved = [pushes().at(-1), suite.tokenRequests().at(-1)].map(({ headers }) => publicKey(headers.dpop));
      assert.equal(proved[0], proved[1], "the code is bound to the key (10)");
      used.push(proved[0]);
    }
    assert.notEqual(used[0], used[1]);
    assert.equal(suite.tokenRequests().length, 2);
  }),
);

test(
  "prepare pushes, so that the URL is there in the click, once and for these options only",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    const { url, state, again, other } = await page.evaluate(async () => {
      const client = await globalThis.openClient({ clientId: "par", par: "required" });
      await client.prepare({ loginHint: "bob" });
      const attempt = async (options) => client.createAuthorizeUrl(options);
      const other = await globalThis.outcome(attempt({ loginHint: "alice" }));
      const made = await attempt({ loginHint: "bob" });
      return { ...made, other, again: await globalThis.outcome(attempt({ loginHint: "bob" })) };
    });
    assert.deepEqual([...new URL(url).searchParams.keys()].sort(), ["client_id", "request_uri"]);
    assert.equal(form(pushes()[0]).state, state);
    assert.equal(form(pushes()[0]).login_hint, "bob");
    // A worker mints the next one at once.
    if (suite.mode === "page") assert.equal(pushes().length, 1);
    assert.equal(other.code, "not_initialised", "other options were not pushed");
    assert.equal(again.code, "not_initialised", "a pushed request is used once (RFC 9126 4)");
  }),
);

test(
  "a server that is down for pushes is a retryable error, and nobody leaves the page",
  suite.withPage(async ({ page, complaints }) => {
    await page.goto(suite.url(PROBE));
    suite.intercept("/request", isDown);
    const outcome = await page.evaluate(async () => {
      const client = await globalThis.openClient({ clientId: "par", par: "required" });
      return globalThis.outcome(client.signIn());
    });
    assert.deepEqual([outcome.code, outcome.phase, outcome.retryable], ["server_error", "authorize", true]);
    assert.equal(page.url(), suite.url(PROBE));
    assert.ok(complaints.splice(0).every(isOfBrowser));
    assert.deepEqual(pushes().map(({ status }) => status), [503]);
  }),
);

test(
  "authorization details are asked for, and those that were granted are in result and token",
  suite.withPage(async ({ page }) => {
    const details = [{ type: "note", actions: ["read"], locations: [suite.apiUrl()] }];
    const result = await signInOnProbe(page, suite, { clientId: "details" }, { authorizationDetails: details });
    const [authorization] = authorizations();
    assert.deepEqual(JSON.parse(authorization.authorization_details), details);
    assert.deepEqual(result.authorizationDetails, details);
    const token = await page.evaluate(() => client.getToken());
    assert.deepEqual(token.authorizationDetails, details);
    const fresh = await page.evaluate(() => client.getToken({ forceRefresh: true }));
    assert.notEqual(fresh.accessToken, token.accessToken);
    assert.deepEqual(fresh.authorizationDetails, details);
  }),
);

test(
  "details that the server knows no type of are its refusal",
  suite.withPage(async ({ page }) => {
    const wanted = { authorizationDetails: [{ type: "payment" }] };
    const { code, oauthError } = await signInOnProbe(page, suite, { clientId: "details" }, wanted);
    assert.deepEqual([code, oauthError], ["authorization_failed", "invalid_authorization_details"]);
  }),
);
