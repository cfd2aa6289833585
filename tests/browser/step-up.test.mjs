// Step-up (RFC 9470; RFC 6750 3.1): an API wants more than the token shows, and the app decides what to do.

import assert from "node:assert/strict";
import { after } from "node:test";

import { logIn, openFullSuite, PROBE, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

const test = testIn(suite, BOTH);

const REFRESH = { clientId: "refresh" };
const AUTHENTICATION = {
  status: 401,
  challenge: 'Bearer realm="notes", error="insufficient_user_authentication", acr_values="urn:mfa urn:hw", max_age="60"',
};
const SCOPE = { status: 403, challenge: 'Bearer error="insufficient_scope", scope="notes.write notes.admin"' };

/** Sends with a fetch whose `onStepUp` answers so; tells what it was asked and what it gave. */
const send = (page, answer, init) =>
  page.evaluate(
    async ([api, verdict, options]) => {
      const asked = [];
      const heard = [];
      const end = client.on("stepUpRequired", (challenge) => heard.push(challenge));
      const onStepUp = async (challenge) => {
        asked.push(challenge);
        if (verdict === "throw") throw new Error("the dialog was closed");
        return verdict;
      };
      const send = client.createFetch({ api, ...(verdict && { onStepUp }) });
      const outcome = await globalThis.outcome(send(`${api}/notes`, options)).catch((error) => error.message);
      end();
      return { outcome, asked, heard };
    },
    [suite.apiUrl(), answer, init],
  );

test(
  "the challenge is told to onStepUp and to the event, as options for a sign-in",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [AUTHENTICATION];
    const { asked, heard, outcome } = await send(page, "fail");
    assert.deepEqual(asked, [{ acrValues: "urn:mfa urn:hw", maxAge: 60 }]);
    assert.deepEqual(heard, asked);
    assert.equal(outcome.status, 401, "the caller gets the server's answer");
    assert.equal(suite.calls().length, 1);
    assert.equal(suite.tokenRequests().length, 1, "a fresh token would show no more");
    const [request] = await page.evaluate(async (challenge) => {
      await client.prepare(challenge);
      return [client.createAuthorizeUrl(challenge).url];
    }, asked[0]);
    const { searchParams } = new URL(request);
    assert.deepEqual([searchParams.get("acr_values"), searchParams.get("max_age")], ["urn:mfa urn:hw", "60"]);
  }),
);

test(
  "insufficient_scope names the scopes",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [SCOPE];
    const { asked, outcome } = await send(page, "fail");
    assert.deepEqual(asked, [{ scope: "notes.write notes.admin" }]);
    assert.equal(outcome.status, 403);
  }),
);

test(
  '"retry" sends the request once more, with its body, and its answer is the one',
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [AUTHENTICATION];
    const { asked, outcome } = await send(page, "retry", { method: "POST", body: "a note" });
    assert.equal(asked.length, 1);
    assert.deepEqual([outcome.status, outcome.body.body], [200, "a note"]);
    assert.equal(suite.calls().length, 2);
  }),
);

test(
  "a sign-in that the challenge asks for is made, and the request goes again with what it gave",
  suite.withPage(async ({ page }) => {
    const options = { clientId: "dpop", dpop: true };
    const { user } = await signInOnProbe(page, suite, options);
    suite.api.refusals = [{ ...AUTHENTICATION, challenge: AUTHENTICATION.challenge.replace("Bearer", "DPoP") }];
    const opened = page.waitForEvent("popup");
    await page.evaluate((api) => {
      const onStepUp = async (challenge) => {
        await client.signInPopup({ ...challenge, prompt: "login" });
        return "retry";
      };
      const send = client.createFetch({ api, onStepUp });
      globalThis.ended = globalThis.outcome(send(`${api}/notes`, { method: "POST", body: "a note" }));
    }, suite.apiUrl());
    const popup = await opened;
    await logIn(popup);
    await popup.waitForURL(`**/${PROBE}?*`);
    await popup.evaluate(async (given) => void (await globalThis.openClient(given)).handleCallback(), options);
    const { status, body } = await page.evaluate(() => globalThis.ended);
    assert.deepEqual([status, body.body], [200, "a note"]);
    const asked = suite.seen("as", "/auth?").map(({ path }) => new URL(path, suite.demo.issuer).searchParams).at(-1);
    assert.deepEqual(["acr_values", "max_age"].map((name) => asked.get(name)), ["urn:mfa urn:hw", "60"]);

    const [before, after] = suite.tokenRequests().map(({ body: answer }) => JSON.parse(answer).access_token);
    assert.deepEqual(suite.calls().map(({ headers }) => headers.authorization), [`DPoP ${before}`, `DPoP ${after}`]);
    const now = await page.evaluate(() => client.getUser().claims.auth_time);
    assert.ok(now > (user.claims.auth_time ?? 0), "max_age has the ID token say when (Core 3.1.2.1)");
    const keys = suite.calls().map(({ headers }) => JSON.parse(Buffer.from(headers.dpop.split(".")[0], "base64url")).jwk.x);
    assert.notEqual(keys[0], keys[1], "the new session has a key of its own");
  }),
);

test(
  "what one person has sent is not sent again as another's",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [AUTHENTICATION];
    const opened = page.waitForEvent("popup");
    await page.evaluate((api) => {
      const onStepUp = async () => {
        await client.signInPopup({ prompt: "login" });
        return "retry";
      };
      const send = client.createFetch({ api, onStepUp });
      globalThis.ended = globalThis.outcome(send(`${api}/notes`, { method: "POST", body: "alice's own" }));
    }, suite.apiUrl());
    const popup = await opened;
    await logIn(popup, "bob", "workshop");
    await popup.getByRole("button", { name: "Allow" }).click();
    await popup.waitForURL(`**/${PROBE}?*`);
    await popup.evaluate(async (options) => void (await globalThis.openClient(options)).handleCallback(), REFRESH);
    const { code, phase } = await page.evaluate(() => globalThis.ended);
    assert.deepEqual([code, phase], ["aborted", "fetch"]);
    assert.equal(await page.evaluate(() => client.getUser().sub), "bob");
    assert.equal(suite.calls().length, 1);
  }),
);

test(
  "a server that repeats its challenge is asked twice, and the app once",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [AUTHENTICATION, AUTHENTICATION, AUTHENTICATION];
    const { asked, outcome } = await send(page, "retry");
    assert.deepEqual([asked.length, outcome.status, suite.calls().length], [1, 401, 2]);
  }),
);

test(
  "without onStepUp the answer is the server's, and the event tells all the same",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [AUTHENTICATION];
    const { heard, outcome } = await send(page);
    assert.deepEqual([heard.length, outcome.status, suite.calls().length], [1, 401, 1]);
  }),
);

test(
  "with DPoP the challenge is of its scheme, and the retry has a proof of its own",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, { clientId: "dpop", dpop: true });
    suite.api.refusals = [{ ...AUTHENTICATION, challenge: AUTHENTICATION.challenge.replace("Bearer", "DPoP") }];
    const { asked, outcome } = await send(page, "retry");
    assert.deepEqual([asked.length, outcome.status], [1, 200]);
    const proofs = suite.calls().map(({ headers }) => headers.dpop);
    assert.equal(new Set(proofs).size, 2);
  }),
);

test(
  "an onStepUp that throws is the caller's own error",
  suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite, REFRESH);
    suite.api.refusals = [AUTHENTICATION];
    assert.equal((await send(page, "throw")).outcome, "the dialog was closed");
    assert.equal(suite.calls().length, 1);
  }),
);
