// A self-hosted Laserfiche API server with its profile: no client id, paths of one's own, sessions that end when idle.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startLaserficheSelfHosted } from "../providers/laserfiche-self-hosted.mjs";
import { everythingStored } from "./harness.mjs";
import { answerAt, call, form, handleAt, inBoth, openProviderSuite, signInAt, status } from "./provider-suite.mjs";

const PASSWORD = "a-long-password-of-alice";
const suite = await openProviderSuite(({ callback, observe }) =>
  startLaserficheSelfHosted({ redirectUris: [callback], people: { alice: PASSWORD }, observe }),
);
after(() => suite.close());

const testInBoth = inBoth(suite);

const { server } = suite;
const PLACE = { baseUrl: server.baseUrl, repositoryId: "My Repo" };
const PROFILE = ["laserficheSelfHosted", PLACE];
const REPOSITORIES = `${server.baseUrl}/v2/Repositories`;

const tokenRequests = () => server.log.filter(({ method, path }) => method === "POST" && /token$/i.test(path));
const apiCalls = () => suite.asked("/LFRepositoryAPI/v2/Repositories").filter(({ method }) => method === "GET");

for (const [key, name] of [
  ["snake", "refresh_token"],
  ["camel", "refreshToken"],
]) {
  testInBoth(
    `row 6: a self-hosted server that writes ${name} signs in without a client id, and its tokens are renewed`,
    suite.withPage(async ({ page }) => {
      server.flags.refreshTokenKey = key;
      await answerAt(page, suite, PROFILE, { scope: "repository.Read" });
      const [request] = suite.asked("/LFRepositoryAPI/v2/authorize");
      const sent = new URL(request.path, server.origin).searchParams;
      assert.deepEqual([sent.has("client_id"), sent.get("code_challenge_method")], [false, "S256"]);
      const result = await handleAt(page, PROFILE, { scope: "repository.Read" });
      assert.deepEqual(result.scopes, { granted: ["repository.Read"], missing: [] });
      const [exchange] = tokenRequests();
      assert.equal(exchange.path, "/LFRepositoryAPI/v2/Repositories/My%20Repo/Token");
      assert.deepEqual(Object.keys(form(exchange)).sort(), ["code", "code_verifier", "grant_type", "redirect_uri"]);
      const answer = JSON.parse(exchange.body);
      assert.equal(answer.scope, undefined);

      await page.evaluate(() => client.getToken({ forceRefresh: true }));
      assert.deepEqual(form(tokenRequests()[1]), { grant_type: "refresh_token", refresh_token: answer[name] });
      assert.equal((await call(page, REPOSITORIES)).status, 200);
      const [{ headers }] = apiCalls();
      assert.equal(headers.cookie, undefined);
      assert.match(headers.authorization, /^Bearer /);
    }),
  );
}

test(
  "row 6: an idle session answers 401 before the token's end; one refresh and one retry follow",
  suite.withPage(async ({ page }) => {
    await signInAt(page, suite, PROFILE);
    server.clock.advance(server.flags.idleSec + 1);
    assert.equal((await call(page, REPOSITORIES)).status, 200);
    assert.deepEqual(
      apiCalls().map((one) => one.status),
      [401, 200],
    );
    assert.equal(tokenRequests().length, 2);
  }),
);

test(
  "row 6: the path of the token endpoint can be one of the others that are documented",
  suite.withPage(async ({ page }) => {
    const profile = ["laserficheSelfHosted", { ...PLACE, tokenPath: "v2/r-1/oauth/token" }];
    await signInAt(page, suite, profile);
    assert.equal(tokenRequests()[0].path, "/LFRepositoryAPI/v2/r-1/oauth/token");
    assert.equal(await status(page), "authenticated");
  }),
);

test(
  "row 7: a password is refused by the profile; the opt-in gives a token for 15 minutes, and nothing is stored",
  suite.withPage(async ({ page }) => {
    await suite.open(page);
    const refused = await page.evaluate(
      ([place, password]) => refusal(() => laserficheSelfHosted({ ...place, password })),
      [PLACE, PASSWORD],
    );
    assert.equal(refused.code, "credential_refused");
    assert.ok(!refused.message.includes(PASSWORD));
    assert.equal(tokenRequests().length, 0);

    const first = await page.evaluate(
      async ([place, password, api]) => {
        const credential = await dangerouslyUsePasswordGrant(place, { username: "alice", password });
        globalThis.client = { fetch: createCredentialFetch(credential, { api }) };
        return outcome(client.fetch(`${api}/v2/Repositories`));
      },
      [PLACE, PASSWORD, server.baseUrl],
    );
    assert.equal(first.status, 200);
    assert.equal(tokenRequests()[0].headers.cookie, undefined);
    const { access_token: token } = JSON.parse(tokenRequests()[0].body);
    const stored = await everythingStored(page);
    assert.ok(!stored.includes(PASSWORD) && !stored.includes(token));
    server.clock.advance(900);
    assert.equal((await call(page, REPOSITORIES)).status, 401, "nothing renews it");
    assert.equal(tokenRequests().length, 1);
  }),
);
