// DocSpace with its profile: a public client without refresh token, ID tokens under a policy, and the other ways in.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startDocSpace } from "../providers/docspace.mjs";
import { everythingStored } from "./harness.mjs";
import {
  answerAt,
  assertPublicExchange,
  call,
  handleAt,
  inBoth,
  openProviderSuite,
  payload,
  signInAt,
  status,
  withCredential,
} from "./provider-suite.mjs";

const PEOPLE = { "alice@example.com": "a-long-password-of-alice" };
const scopes = ["openid", "files:read", "files:write", "accounts.self:read"];
const suite = await openProviderSuite(({ pageUrl, callback, observe }) => {
  const app = { redirectUris: [callback], scopes };
  const clients = [
    { ...app, clientId: "app1", allowedOrigins: [pageUrl] },
    { ...app, clientId: "closed", allowedOrigins: [] },
  ];
  return startDocSpace({ clients, people: PEOPLE, observe });
});
after(() => suite.close());

const testInBoth = inBoth(suite);

const { server } = suite;
const PROFILE = ["docspace", { portal: server.origin }];
const OPENID = ["docspace", { portal: server.origin, openIdConnect: true }];
const API = `${server.origin}/api/2.0`;
const FILES = `${API}/files/@my`;
const SELF = `${API}/people/@self`;
const SCOPE = "files:read";
const COOKIE = "asc_auth_key";
const KEY = `sk-${"0123456789abcdef".repeat(4)}`;

const tokenRequests = () => suite.asked("/oauth2/token");
const apiCalls = () => suite.asked("/api/2.0/").filter(({ path }) => !path.includes("/authentication"));
const signIn = (page, profile = PROFILE, options = {}) => signInAt(page, suite, profile, { scope: SCOPE, ...options });

test(
  "row 9: DocSpace signs in with code and PKCE and no refresh token; codes may have a colon",
  suite.withPage(async ({ page }) => {
    server.flags.region = "eu";
    const url = await answerAt(page, suite, PROFILE, { scope: SCOPE });
    assert.match(new URL(url).searchParams.get("code"), /^eu:/);
    const result = await handleAt(page, PROFILE, { scope: SCOPE });
    assert.deepEqual(result, { user: null, scopes: { granted: [SCOPE], missing: [] } });
    const [request] = tokenRequests();
    assertPublicExchange(request);
    assert.equal(JSON.parse(request.body).refresh_token, undefined);
  }),
);

test(
  "row 9: errors without a description, in the redirect and from the token endpoint",
  suite.withPage(async ({ page }) => {
    server.flags.consent = "deny";
    const denied = await signIn(page);
    assert.deepEqual([denied.code, denied.oauthError], ["access_denied", "access_denied"]);
    server.flags.consent = "allow";
    await answerAt(page, suite, PROFILE, { scope: SCOPE });
    server.clock.advance(60);
    const late = await handleAt(page, PROFILE, { scope: SCOPE });
    assert.deepEqual([late.code, late.oauthError], ["invalid_grant", "invalid_grant"], "a code lives for a minute");
    assert.equal(tokenRequests()[0].body, '{"error":"invalid_grant"}');
  }),
);

test(
  "row 9: a redirect URI with a query is refused before anybody leaves",
  suite.withPage(async ({ page }) => {
    await suite.open(page);
    const { code } = await page.evaluate(
      (profile) => refusal(() => openProvider(profile, { redirectUri: `${location.origin}/provider-probe.html?a=b` })),
      PROFILE,
    );
    assert.equal(code, "invalid_configuration");
  }),
);

test(
  "row 9: at the token's end the session ends without a request, and a sign-in gives the next",
  suite.withPage(async ({ page }) => {
    await page.clock.install();
    await signIn(page);
    await page.clock.fastForward("59:50");
    assert.equal(await status(page), "authenticated");
    await page.clock.fastForward("00:15");
    assert.deepEqual(await page.evaluate(() => client.state), { status: "anonymous", reason: "session_expired" });
    assert.equal((await call(page, FILES)).code, "session_expired");
    assert.deepEqual([tokenRequests().length, apiCalls().length], [1, 0]);
    server.clock.advance(3605);
    await signIn(page);
    assert.equal((await call(page, FILES)).status, 200);
  }),
);

testInBoth(
  "row 10: an ID token for the portal, from <portal>/oauth2, is taken by the profile's policy, and by no other",
  suite.withPage(async ({ page }) => {
    const options = { scope: "openid files:read" };
    const result = await signIn(page, OPENID, options);
    const { id_token: token } = JSON.parse(tokenRequests()[0].body);
    assert.equal(result.user.sub, payload(token).sub);
    const { searchParams } = new URL(suite.asked("/oauth2/authorize")[0].path, server.origin);
    assert.equal(payload(token).nonce, searchParams.get("nonce"));
    assert.deepEqual((await page.evaluate(() => client.userInfo())).sub, result.user.sub);
    const strict = await signIn(page, OPENID, { ...options, idToken: { algorithms: ["ES256"] } });
    assert.equal(strict.code, "id_token_invalid");
  }),
);

test(
  "row 10: keys change every four hours: an unknown one is fetched",
  suite.withPage(async ({ page }) => {
    const options = { scope: "openid" };
    await page.clock.install();
    await answerAt(page, suite, OPENID, options);
    await page.evaluate(
      async ([profile, options]) => {
        globalThis.client = await openProvider(profile, options);
        await client.prepare();
      },
      [OPENID, options],
    );
    server.rotateKeys();
    // What was asked for just now is not asked for again.
    await page.clock.fastForward("01:01");
    const before = suite.asked("/oauth2/jwks").length;
    const { user } = await page.evaluate(() => client.handleCallback());
    assert.ok(user.sub);
    assert.equal(suite.asked("/oauth2/jwks").length, before + 1);
  }),
);

test(
  "row 11: an API call has the token and no cookie; what the scopes do not allow is not sent; an empty 401 is the caller's",
  suite.withPage(async ({ page, context }) => {
    await signIn(page);
    const names = (await context.cookies(server.origin)).map(({ name }) => name);
    assert.ok(names.includes(COOKIE), "the browser has the portal's session");
    assert.equal((await call(page, FILES)).status, 200);
    const [{ headers }] = apiCalls();
    assert.equal(headers.cookie, undefined);
    assert.match(headers.authorization, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
    for (const path of ["people/@self", "settings"]) {
      assert.equal((await call(page, `${API}/${path}`)).code, "scope_missing");
    }
    assert.equal((await call(page, "http://127.0.0.1:9/api/2.0/files/@my")).code, "origin_not_allowed");
    assert.equal(apiCalls().length, 1);
    // The token has ended by the server's clock, not by the page's; there is nothing to renew it with.
    server.clock.advance(3600 + 121);
    const late = await call(page, FILES);
    assert.deepEqual([late.status, late.body], [401, ""]);
    assert.deepEqual([apiCalls().length, tokenRequests().length], [2, 1]);
  }),
);

test(
  "row 11: an answer that CORS hides is a network error that says where to look",
  suite.withPage(async ({ page, complaints }) => {
    await signIn(page, PROFILE, { clientId: "closed" });
    const hidden = await call(page, FILES);
    assert.equal(hidden.code, "network");
    assert.match(hidden.message, /CORS|allowed origins/i);
    assert.equal(apiCalls()[0].status, 200, "the server has acted");
    assert.match(complaints.splice(0).join(), /blocked by CORS policy/);
  }),
);

test(
  "row 12: there is nothing that a public client can revoke, and no secret is sent",
  suite.withPage(async ({ page }) => {
    await signIn(page);
    const revoked = await page.evaluate(() => outcome(client.revoke()));
    assert.equal(revoked.code, "discovery_failed");
    assert.equal(await status(page), "anonymous", "forgotten here all the same");
    assert.equal(suite.asked("/oauth2/revoke").length, 0);
    assert.ok(server.log.every(({ sent }) => !sent.includes("client_secret")));
  }),
);

test(
  "row 13: an API key is refused in a browser, wherever it comes",
  suite.withPage(async ({ page }) => {
    await suite.open(page);
    for (const credential of [
      { scheme: "bearer", token: KEY },
      { scheme: "apiKey", header: "Authorization", value: KEY, prefix: "Bearer" },
    ]) {
      const refused = await withCredential(page, credential, API);
      assert.equal(refused.code, "credential_refused");
      assert.ok(!refused.message.includes(KEY));
    }
    assert.equal(server.log.length, 0);
    await signIn(page);
    const before = server.log.length;
    for (const headers of [{ Authorization: `Bearer ${KEY}` }, { "X-Api-Key": KEY }]) {
      const refused = await call(page, SELF, { headers });
      assert.equal(refused.code, "credential_refused");
      assert.ok(!refused.message.includes(KEY));
    }
    const body = JSON.stringify({ client_id: "app1", client_secret: KEY });
    const refused = await call(page, SELF, { method: "POST", body, headers: { "Content-Type": "application/json" } });
    assert.equal(refused.code, "credential_refused");
    assert.equal(server.log.length, before);
  }),
);

test(
  "row 14: a name and a password, or the session's token, only as typed in: sent to the API alone, kept in memory",
  suite.withPage(async ({ page }) => {
    const [username, password] = Object.entries(PEOPLE)[0];
    await signIn(page, PROFILE, { scope: "accounts.self:read" });
    const before = server.log.length;
    const refused = await page.evaluate(
      ([profile, options]) => refusal(() => openProvider(profile, options)),
      [PROFILE, { password }],
    );
    assert.equal(refused.code, "credential_refused", "no client takes a password");
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    assert.equal((await call(page, SELF, { headers: { authorization } })).code, "credential_refused");
    assert.equal(server.log.length, before);

    await withCredential(page, { scheme: "basic", username, password }, API);
    assert.equal((await call(page, SELF)).status, 200);
    assert.match(apiCalls()[0].headers.authorization, /^Basic /);
    assert.equal((await call(page, suite.url("config.json"))).code, "origin_not_allowed");

    const login = () =>
      page.evaluate(
        async ([url, body]) => {
          const headers = { "Content-Type": "application/json" };
          const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers, credentials: "omit" });
          return (await answer.json()).response;
        },
        [`${API}/authentication`, { userName: username, password }],
      );
    server.flags.tfa = true;
    assert.equal((await login()).token, undefined, "two factors: no token yet");
    server.flags.tfa = false;
    const { token } = await login();
    await withCredential(page, { scheme: "bearer", token }, API);
    assert.equal((await call(page, SELF)).status, 200);
    const { headers } = apiCalls().at(-1);
    assert.deepEqual([headers.authorization, headers.cookie], [`Bearer ${token}`, undefined]);
    const stored = await everythingStored(page);
    assert.ok(!stored.includes(token) && !stored.includes(password));
  }),
);

/** The portal's own sign-in. */
const haveCookie = (context) =>
  context.addCookies([
    { name: COOKIE, value: server.signIn("alice"), url: server.origin, httpOnly: true, sameSite: "Strict" },
  ]);

/** A session by the portal's cookie, for a page that is at `origin`. */
const cookieSession = (page) =>
  page.evaluate(
    async ([api, userUrl]) => {
      globalThis.client = await createCookieSession({ api, userUrl });
      return client.state;
    },
    [API, SELF],
  );

test(
  "row 15: the portal's cookie serves pages of the portal, without a header; a 401 ends the session",
  suite.withPage(async ({ page, context }) => {
    // The portal serves this page itself.
    const isFile = ({ origin, pathname }) => origin === server.origin && /^\/[\w-]+\.\w+$/.test(pathname);
    await context.route(isFile, async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: suite.url(pathname) }) });
    });
    await haveCookie(context);
    await page.goto(`${server.origin}/provider-probe.html`);
    assert.equal((await cookieSession(page)).status, "authenticated");
    assert.equal((await call(page, FILES)).status, 200);
    for (const { headers } of apiCalls()) {
      assert.equal(headers.authorization, undefined);
      assert.match(headers.cookie, /asc_auth_key=/);
    }
    server.clock.advance(2 * 86_400);
    assert.equal((await call(page, FILES)).status, 401);
    assert.equal(await status(page), "anonymous");
    assert.equal((await context.cookies(server.origin)).length, 0, "the server has taken it back");
  }),
);

test(
  "row 15: the cookie serves no page of another origin, as the server's CORS says *",
  suite.withPage(async ({ page, context, complaints }) => {
    await haveCookie(context);
    await suite.open(page);
    assert.deepEqual(await cookieSession(page), { status: "anonymous", reason: "network" });
    assert.match(complaints.splice(0).join(), /credentials mode is 'include'|blocked by CORS policy/);
  }),
);

test(
  "case 8: no refresh token, aud is the portal, and ES256 where discovery says RS256: signed in all the same",
  suite.withPage(async ({ page }) => {
    const { user } = await signIn(page, OPENID, { scope: "openid" });
    assert.ok(user.sub);
    const answer = JSON.parse(tokenRequests()[0].body);
    assert.equal(answer.refresh_token, undefined);
    assert.deepEqual(payload(answer.id_token).aud, [server.origin]);
    const [header] = answer.id_token.split(".");
    assert.equal(JSON.parse(Buffer.from(header, "base64url")).alg, "ES256");
    const metadata = await (await fetch(`${server.origin}/.well-known/openid-configuration`)).json();
    assert.deepEqual(metadata.id_token_signing_alg_values_supported, ["RS256"]);
    assert.notEqual(metadata.issuer, payload(answer.id_token).iss);
  }),
);

test(
  "case 9: the state has no character that this server would break",
  suite.withPage(async ({ page }) => {
    await suite.open(page);
    const states = await page.evaluate(async (profile) => {
      const client = await openProvider(profile);
      await client.prepare();
      return Array.from({ length: 200 }, () => client.createAuthorizeUrl().state);
    }, PROFILE);
    for (const state of states) assert.match(state, /^[\w-]{27,}$/);
  }),
);
