// Proof of possession (RFC 9449): with a real server, an API that checks every proof, and the browser's own keys.

import assert from "node:assert/strict";
import { after } from "node:test";

import { changesTo, everythingStored, form, openFullSuite, payload, PROBE, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);
const testOnPage = testIn(suite, ["page"]);
const testInVault = testIn(suite, ["shared", "worker"]);

const DPOP = { clientId: "dpop", dpop: true };
const NONCE = { clientId: "nonce", dpop: true };

const call = (page, path = "/notes", init = undefined) =>
  page.evaluate(([url, options]) => globalThis.outcome(client.fetch(url, options)), [suite.apiUrl(path), init]);

test(
  "tokens are bound to a key, and the API takes them with a proof",
  suite.withPage(async ({ page }) => {
    const { user } = await signInOnProbe(page, suite, DPOP);
    assert.equal(user.sub, "alice");
    const { tokenType } = await page.evaluate(() => client.getToken());
    assert.equal(tokenType, "DPoP");

    const { status, body } = await call(page, "/notes?page=2#top");
    assert.equal(status, 200);
    assert.ok(body.bound);
    assert.equal(body.proof.htm, "GET");
    assert.equal(body.proof.htu, suite.apiUrl("/notes"), "without query and fragment (4.2)");
    const [{ headers }] = suite.calls();
    assert.match(headers.authorization, /^DPoP /);

    const [tokenRequest] = suite.tokenRequests();
    const proof = payload(tokenRequest.headers.dpop);
    assert.equal(proof.htm, "POST");
    assert.equal(proof.htu, `${suite.demo.issuer}/token`);
    assert.equal(proof.ath, undefined, "no access token goes with it");
    assert.notEqual(proof.jti, body.proof.jti);
  }),
);

test(
  "the API refuses the token without a proof, and a proof twice is never sent",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, DPOP);
    const refused = await page.evaluate(async (url) => {
      const token = await client.getAccessToken();
      const ask = (headers) => fetch(url, { headers }).then(({ status }) => status);
      const proof = await client.dpopProof({ method: "GET", url, accessToken: token });
      return [
        await ask({ authorization: `Bearer ${token}` }),
        await ask({ authorization: `DPoP ${token}` }),
        await ask({ authorization: `DPoP ${token}`, dpop: proof }),
      ];
    }, suite.apiUrl("/notes"));
    assert.deepEqual(refused, [401, 401, 200], "the third is with a proof of the app's own asking");
    for (let count = 0; count < 3; count += 1) await call(page);
    const proofs = suite.calls().map(({ headers }) => headers.dpop && payload(headers.dpop).jti).filter(Boolean);
    assert.equal(proofs.length, 4);
    assert.equal(new Set(proofs).size, 4);
  }),
);

test(
  "the server's nonce is given once it asks, remembered, and kept apart from the API's",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, NONCE);
    const asked = suite.tokenRequests();
    assert.deepEqual(asked.map(({ status }) => status), [400, 200]);
    assert.equal(payload(asked[0].headers.dpop).nonce, undefined);
    const { nonce } = payload(asked[1].headers.dpop);
    assert.ok(nonce);
    assert.equal(form(asked[0]).code, form(asked[1]).code, "the same code: the server had not looked at it");

    suite.api.nonce = "api-1";
    assert.equal((await call(page)).body.proof.nonce, "api-1");
    assert.deepEqual(suite.calls().map(({ status }) => status), [401, 200]);
    assert.equal(payload(suite.calls()[0].headers.dpop).nonce, undefined, "not that of the server");
    assert.equal((await call(page)).body.proof.nonce, "api-1");
    assert.equal(suite.calls().length, 3, "remembered");

    suite.api.nonce = "api-2";
    assert.equal((await call(page, "/notes", { method: "POST", body: "x" })).body.body, "x");
    assert.equal(suite.calls().length, 5);
    await page.evaluate(() => client.getToken({ forceRefresh: true }));
    assert.equal(suite.tokenRequests().length, 3, "the server's is remembered too");
  }),
);

test(
  "an API that repeats its challenge is not asked for ever",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, DPOP);
    const challenge = 'DPoP error="use_dpop_nonce"';
    suite.api.refusals = ["n-1", "n-2", "n-3", "n-4"].map((nonce) => ({ status: 401, challenge, nonce }));
    assert.equal((await call(page)).status, 401);
    assert.equal(suite.calls().length, 2);
    assert.equal(suite.tokenRequests().length, 1, "a nonce is no reason for another token");
  }),
);

test(
  "an API whose CORS hides the challenge is dpop_failed with what to do about it, and no loop",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, DPOP);
    suite.api.refusals = Array.from({ length: 4 }, () => ({ status: 401, challenge: "DPoP", nonce: "n", hidden: true }));
    const { code, phase, message } = await call(page);
    assert.deepEqual({ code, phase }, { code: "dpop_failed", phase: "fetch" });
    assert.match(message, /Access-Control-Expose-Headers/);
    assert.equal(suite.calls().length, 1);
    assert.equal(suite.tokenRequests().length, 1);
  }),
);

testInVault(
  "the private key never enters the page, and no patch of the page's reaches it",
  suite.withPage(async ({ page, context }) => {
    await context.addInitScript(() => {
      const { generateKey } = SubtleCrypto.prototype;
      globalThis.generated = 0;
      SubtleCrypto.prototype.generateKey = function (algorithm, _, usages) {
        globalThis.generated += 1;
        return generateKey.call(this, algorithm, true, usages);
      };
    });
    const { user } = await signInOnProbe(page, suite, DPOP);
    assert.equal(user.sub, "alice");
    assert.equal((await call(page)).body.bound, true);
    assert.equal(await page.evaluate(() => globalThis.generated), 0);
    const { databases } = JSON.parse(await everythingStored(page));
    assert.deepEqual(databases, []);
  }),
);

testOnPage(
  "the private key cannot be taken out of the browser, and in memory it is in no store",
  suite.withPage(async ({ page, context }) => {
    await context.addInitScript(() => {
      const keys = (globalThis.generatedKeys = []);
      const { generateKey } = SubtleCrypto.prototype;
      SubtleCrypto.prototype.generateKey = async function (...parameters) {
        const pair = await generateKey.apply(this, parameters);
        keys.push(pair.privateKey);
        return pair;
      };
    });
    await signInOnProbe(page, suite, DPOP);
    const keys = await page.evaluate(() =>
      Promise.all(
        globalThis.generatedKeys.map(async (key) => ({
          extractable: key.extractable,
          type: key.type,
          algorithm: key.algorithm,
          usages: key.usages,
          exported: await crypto.subtle.exportKey("jwk", key).then(() => true, () => false),
        })),
      ),
    );
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    assert.deepEqual(keys, [{ extractable: false, type: "private", algorithm, usages: ["sign"], exported: false }]);
    assert.deepEqual(JSON.parse(await everythingStored(page)).databases, []);
  }),
);

testOnPage(
  "SEC-111: a page that patched generateKey to give extractable keys gets dpop_failed",
  suite.withPage(async ({ page, context }) => {
    await context.addInitScript(() => {
      const { generateKey } = SubtleCrypto.prototype;
      SubtleCrypto.prototype.generateKey = function (algorithm, _, usages) {
        return generateKey.call(this, algorithm, true, usages);
      };
    });
    const { code } = await signInOnProbe(page, suite, DPOP);
    assert.equal(code, "dpop_failed");
    assert.equal(suite.tokenRequests().length, 0, "no token is asked for that a thief could use");
    assert.equal(await page.evaluate(() => client.state.status), "anonymous");
  }),
);

test(
  "EdDSA where it is preferred: the server and the API take its proofs",
  suite.withPage(async ({ page }) => {
    const { user } = await signInOnProbe(page, suite, { clientId: "dpop", dpop: { algorithms: ["EdDSA", "ES256"] } });
    assert.equal(user.sub, "alice");
    assert.equal((await call(page)).status, 200);
    const [{ headers }] = suite.calls();
    const header = JSON.parse(Buffer.from(headers.dpop.split(".")[0], "base64url").toString("utf8"));
    assert.deepEqual([header.typ, header.jwk.crv, header.jwk.d], ["dpop+jwt", "Ed25519", undefined]);
  }),
);

testOnPage(
  "where the browser lacks the preferred algorithm, the next one will do",
  suite.withPage(async ({ page, context }) => {
    await context.addInitScript(() => {
      const { generateKey } = SubtleCrypto.prototype;
      SubtleCrypto.prototype.generateKey = async function (algorithm, ...rest) {
        if (algorithm.name === "Ed25519") throw new DOMException("Unrecognized name.", "NotSupportedError");
        return generateKey.call(this, algorithm, ...rest);
      };
    });
    const { user } = await signInOnProbe(page, suite, { ...DPOP, dpop: { algorithms: ["EdDSA", "ES256"] } });
    assert.equal(user.sub, "alice");
    assert.equal((await call(page)).status, 200);
  }),
);

test(
  "a server that answers with a Bearer token instead is refused",
  suite.withPage(async ({ page }) => {
    suite.intercept("/token", changesTo((text) => JSON.stringify({ ...JSON.parse(text), token_type: "Bearer" })));
    const { code } = await signInOnProbe(page, suite, DPOP);
    assert.equal(code, "token_type_mismatch");
  }),
);

test(
  "without the option there is no proof to be had",
  suite.withPage(async ({ page }) => {
    await page.goto(suite.url(PROBE));
    const { code, message } = await page.evaluate(async (url) => {
      const client = await globalThis.openClient();
      return globalThis.outcome(client.dpopProof({ method: "GET", url }));
    }, suite.apiUrl("/"));
    assert.equal(code, "invalid_configuration");
    assert.match(message, /dpop/);
  }),
);

test(
  "a new session has a new key",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, DPOP);
    const thumbprint = () => page.evaluate(async (url) => {
      const proof = await client.dpopProof({ method: "GET", url });
      const { jwk } = JSON.parse(atob(proof.split(".")[0].replaceAll("-", "+").replaceAll("_", "/")));
      return jwk.x;
    }, suite.apiUrl("/"));
    const first = await thumbprint();
    assert.equal(await thumbprint(), first);
    await page.evaluate(() => client.signOutLocal());
    assert.notEqual(await thumbprint(), first);
  }),
);
