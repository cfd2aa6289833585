// How the response comes: in the query, in the fragment, or as a JWT (JARM).

import assert from "node:assert/strict";
import { after } from "node:test";

import { authorizationResponse, handleCallback, openFullSuite, payload, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);

const JARM = { clientId: "jarm" };

test(
  "a response in the fragment is taken, and both URL and history are cleaned of it",
  suite.withPage(async ({ page }) => {
    const url = new URL(await authorizationResponse(page, suite, { responseMode: "fragment" }));
    assert.equal(url.search, "");
    const parameters = new URLSearchParams(url.hash.slice(1));
    assert.ok(parameters.get("code") && parameters.get("state") && parameters.get("iss"));
    const { sub, status } = await handleCallback(page);
    assert.deepEqual({ sub, status }, { sub: "alice", status: "authenticated" });
    assert.equal(page.url(), url.href.split("#")[0]);
    const sent = suite.seen("page").map(({ path }) => path).join();
    assert.ok(!sent.includes(parameters.get("code")), "a fragment is not sent to the app's own server");
  }),
);

test(
  "a response that asked for the fragment and comes in the query is refused",
  suite.withPage(async ({ page }) => {
    const url = new URL(await authorizationResponse(page, suite, { responseMode: "fragment" }));
    await page.goto(`${url.origin}${url.pathname}?${url.hash.slice(1)}`);
    const { code, query } = await handleCallback(page);
    assert.deepEqual({ code, query }, { code: "invalid_callback", query: "" });
    assert.equal(suite.tokenRequests().length, 0);
  }),
);

test(
  "responseMode: \"jwt\" gives one parameter, signed by the server, and signs in",
  suite.withPage(async ({ page }) => {
    const url = new URL(await authorizationResponse(page, suite, { responseMode: "jwt" }, JARM));
    assert.deepEqual([...url.searchParams.keys()], ["response"]);
    const claims = payload(url.searchParams.get("response"));
    assert.deepEqual([claims.iss, claims.aud], [suite.demo.issuer, "jarm"]);
    const { sub, status, query } = await handleCallback(page, { options: JARM });
    assert.deepEqual({ sub, status, query }, { sub: "alice", status: "authenticated", query: "" });
  }),
);

const [header, body, signature] = [0, 1, 2];
const tampering = {
  "with another signature": (parts) => (parts[signature] = parts[signature].replace(/^./, (c) => (c === "A" ? "B" : "A"))),
  "without a signature": (parts) => (parts[signature] = ""),
  "with alg none": (parts) => {
    parts[header] = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    parts[signature] = "";
  },
  "for another client": (parts) => change(parts, { aud: "other" }),
  "of another issuer": (parts) => change(parts, { iss: "https://attacker.example" }),
};

function change(parts, claims) {
  const changed = { ...JSON.parse(Buffer.from(parts[body], "base64url").toString("utf8")), ...claims };
  parts[body] = Buffer.from(JSON.stringify(changed)).toString("base64url");
}

for (const [what, tamper] of Object.entries(tampering)) {
  test(
    `a JWT response ${what} is refused, and the genuine one still completes`,
    suite.withPage(async ({ page }) => {
      const genuine = await authorizationResponse(page, suite, { responseMode: "jwt" }, JARM);
      const url = new URL(genuine);
      const parts = url.searchParams.get("response").split(".");
      tamper(parts);
      url.searchParams.set("response", parts.join("."));
      await page.goto(url.href);
      const refused = await handleCallback(page, { options: JARM });
      assert.equal(refused.name, "AuthError");
      assert.ok(["invalid_callback", "issuer_mismatch", "not_mine"].includes(refused.code), refused.code);
      assert.equal(suite.tokenRequests().length, 0);
      await page.goto(genuine);
      assert.equal((await handleCallback(page, { options: JARM })).sub, "alice");
    }),
  );
}

test(
  "an error in a JWT response is told as one",
  suite.withPage(async ({ page }) => {
    await authorizationResponse(page, suite, { responseMode: "jwt", prompt: "none" }, JARM);
    assert.equal((await handleCallback(page, { options: JARM })).code, "login_required");
  }),
);

test(
  "the plain parameters in place of the JWT that was asked for are refused",
  suite.withPage(async ({ page }) => {
    const plain = new URL(await authorizationResponse(page, suite, {}, JARM));
    const signed = new URL(await authorizationResponse(page, suite, { responseMode: "jwt" }, JARM));
    const { state, code, iss } = payload(signed.searchParams.get("response"));
    plain.search = new URLSearchParams({ state, code, iss });
    await page.goto(plain.href);
    assert.equal((await handleCallback(page, { options: JARM })).code, "invalid_callback");
    assert.equal(suite.tokenRequests().length, 0);
  }),
);

test(
  "the mode may stand in the client's options",
  suite.withPage(async ({ page }) => {
    const authorizationParams = { responseMode: "fragment" };
    const { user } = await signInOnProbe(page, suite, { authorizationParams });
    assert.equal(user.sub, "alice");
  }),
);
