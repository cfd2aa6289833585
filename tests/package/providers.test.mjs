// The profiles of `wardkey/providers`: data that the engine takes as it stands, and arguments that are refused.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

import { installPackage } from "./harness.mjs";

const REDIRECT = "https://app.example/callback";
const SECRET = "s3cr3t-value";
let profiles, engine;

before(async (t) => {
  const folder = await installPackage(t);
  const load = (file) => import(pathToFileURL(join(folder, "node_modules/wardkey/dist", file)));
  [profiles, engine] = [await load("providers.js"), await load("inline.js")];
});

/** The client of a profile, as the engine made it, and its authorization URL. */
async function clientOf(options) {
  const here = { clientId: "spa", redirectUri: REDIRECT, transactionStorage: "memory", ...options };
  const client = await engine.createAuthClient(here);
  // OpenID Connect would want the keys first.
  if (!options.idToken) await client.prepare();
  return { client, request: options.idToken ? undefined : new URL(client.createAuthorizeUrl().url) };
}

/** What is thrown, with its code; the value of no argument is in it. */
function refused(code, name, call) {
  assert.throws(call, (error) => {
    assert.ok(engine.isAuthError(error), String(error));
    assert.deepEqual([error.code, error.phase], [code, "configuration"], error.message);
    assert.ok(error.message.includes(name), error.message);
    assert.ok(!JSON.stringify(error).includes(SECRET), error.message);
    return true;
  });
}

describe("laserfiche", () => {
  const cloud = (domain) => ({
    metadata: {
      authorization_endpoint: `https://signin.${domain}/oauth/Authorize`,
      token_endpoint: `https://signin.${domain}/oauth/Token`,
      end_session_endpoint: `https://accounts.${domain}/WebSTS/?wa=wsignout1.0`,
    },
    api: [`https://api.${domain}/repository`, `https://api.${domain}/odata4`],
    restore: "none",
    policies: {
      scopeGrammar: "laserfiche",
      scopeOrigin: `https://api.${domain}`,
      signOutReturnParameter: "wreply",
      expectResponse: { domain: [domain] },
    },
  });

  test("knows the hosts of the data centres", async () => {
    const regions = { us: "laserfiche.com", ca: "laserfiche.ca", eu: "eu.laserfiche.com", "A.clouddev.laserfiche.com": "a.clouddev.laserfiche.com" };
    for (const [region, domain] of Object.entries(regions)) {
      const profile = profiles.laserfiche({ region });
      assert.deepEqual(profile, cloud(domain));
      const { request } = await clientOf({ ...profile, scope: "repository.Read project/Test+With+Spaces" });
      assert.equal(request.origin + request.pathname, `https://signin.${domain}/oauth/Authorize`);
      assert.equal(request.searchParams.get("code_challenge_method"), "S256");
      assert.equal(request.searchParams.get("scope"), "repository.Read project/Test+With+Spaces");
      assert.equal(request.searchParams.has("customerId"), false);
    }
  });

  test("sends the account, and expects it back", async () => {
    const profile = profiles.laserfiche({ region: "us", customerId: "123456789" });
    assert.deepEqual(profile.policies.expectResponse, { domain: ["laserfiche.com"], customerId: ["123456789"] });
    const { request } = await clientOf(profile);
    assert.equal(request.searchParams.get("customerId"), "123456789");
    assert.deepEqual(profiles.laserfiche({ region: "us", customerId: null }), cloud("laserfiche.com"), "null is as absent");
    Object.prototype.customerId = "1";
    try {
      assert.deepEqual(profiles.laserfiche({ region: "us" }), cloud("laserfiche.com"), "of another script's");
    } finally {
      delete Object.prototype.customerId;
    }
  });

  test("takes one server on this machine for all of a region", async () => {
    for (const host of ["localhost:1234", "127.0.0.1:1234", "[::1]:1234", "localhost"]) {
      const profile = profiles.laserfiche({ region: host });
      assert.deepEqual(profile.policies.expectResponse, { domain: [host] });
      assert.equal(profile.metadata.end_session_endpoint, `http://${host}/WebSTS/?wa=wsignout1.0`);
      assert.deepEqual(profile.api, [`http://${host}/repository`, `http://${host}/odata4`]);
      const { request } = await clientOf(profile);
      assert.equal(request.origin + request.pathname, `http://${host}/oauth/Authorize`);
    }
  });

  test("refuses what is no region, and names it", () => {
    const hosts = ["", "au", "US", "https://laserfiche.com", "laserfiche.com/", "laserfiche.com:443", "signin.laserfiche.com",
      "a@laserfiche.com", "laserfiche.com?", "localhost:x", "localhost:1/", "evil.example:80", "127.0.0.2:80", "constructor", 1, null, undefined];
    for (const region of hosts) refused("invalid_configuration", "region", () => profiles.laserfiche({ region }));
    for (const customerId of ["", "a b", "1&domain=x", 1, {}]) {
      refused("invalid_configuration", "customerId", () => profiles.laserfiche({ region: "us", customerId }));
    }
    for (const none of [undefined, null, 1, []]) refused("invalid_configuration", "options", () => profiles.laserfiche(none));
    refused("invalid_configuration", "customerID", () => profiles.laserfiche({ region: "us", customerID: SECRET }));
  });
});

describe("laserficheSelfHosted", () => {
  const LF = "https://lf.example/LFRepositoryAPI";

  test("sends no client identifier, and reads either name of the refresh token", async () => {
    for (const baseUrl of [LF, `${LF}/`, "https://lf.example", "HTTPS://LF.example:443/"]) {
      const profile = profiles.laserficheSelfHosted({ baseUrl, repositoryId: "r 1/ü" });
      assert.deepEqual(profile, {
        clientId: LF,
        metadata: { authorization_endpoint: `${LF}/v2/authorize`, token_endpoint: `${LF}/v2/Repositories/r%201%2F%C3%BC/Token` },
        api: [LF],
        restore: "none",
        policies: {
          scopeGrammar: "laserfiche",
          scopeOrigin: "https://lf.example",
          omitClientId: true,
          tokenResponseNames: { refreshToken: "refresh_token" },
        },
      });
      const { request } = await clientOf({ ...profile });
      assert.equal(request.searchParams.has("client_id"), false);
      assert.equal(request.searchParams.get("code_challenge")?.length, 43);
    }
  });

  test("takes other paths, below the base", () => {
    const paths = { "v2/r/oauth/token": `${LF}/v2/r/oauth/token`, "/v2/r/Token": `${LF}/v2/r/Token`, "/LFRepositoryAPI/x": `${LF}/x` };
    for (const [tokenPath, expected] of Object.entries(paths)) {
      const { metadata } = profiles.laserficheSelfHosted({ baseUrl: LF, repositoryId: "r", tokenPath, authorizePath: tokenPath });
      assert.deepEqual(metadata, { authorization_endpoint: expected, token_endpoint: expected });
    }
  });

  test("refuses other arguments, and names them", () => {
    const good = { baseUrl: LF, repositoryId: "r" };
    const bad = {
      baseUrl: ["", "lf.example", "http://lf.example", "https://u:p@lf.example", `${LF}?a`, `${LF}#a`, "ftp://lf.example", 1],
      repositoryId: ["", ".", "..", "\ud800", 1, undefined],
      tokenPath: ["", "../x", "a/../x", "//evil.example", "https://evil.example", "a?b", "a#b", "a b", 1],
      authorizePath: ["/./x", "a\\b"],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        refused("invalid_configuration", name, () => profiles.laserficheSelfHosted({ ...good, [name]: value }));
      }
    }
  });
});

test("docspace: a portal with and without OpenID Connect", async () => {
  const portal = "https://acme.onlyoffice.example";
  const endpoints = { issuer: portal, authorization_endpoint: `${portal}/oauth2/authorize`, token_endpoint: `${portal}/oauth2/token` };
  const policies = { scopeGrammar: "docspace", scopeOrigin: portal, plainRedirectUri: true };
  const plain = profiles.docspace({ portal: `${portal}/` });
  assert.deepEqual(plain, { metadata: endpoints, api: `${portal}/api/2.0`, restore: "none", policies });
  const { request } = await clientOf({ ...plain, scope: "files:read" });
  assert.match(request.searchParams.get("state"), /^[\w-]+$/);
  assert.equal(request.searchParams.has("nonce"), false);

  const identified = profiles.docspace({ portal, openIdConnect: true });
  assert.deepEqual(identified, {
    metadata: { ...endpoints, jwks_uri: `${portal}/oauth2/jwks`, userinfo_endpoint: `${portal}/oauth2/userinfo` },
    scope: ["openid"],
    idToken: { expectIssuer: `${portal}/oauth2`, expectAudience: portal, algorithms: ["ES256", "RS256"] },
    api: `${portal}/api/2.0`,
    restore: "none",
    policies,
  });
  await clientOf(identified);
  // Its server would write a second "?" behind the query.
  await assert.rejects(clientOf({ ...plain, redirectUri: `${REDIRECT}?tenant=1` }), { code: "invalid_configuration" });

  for (const other of ["", "acme", "http://acme.example", `${portal}/oauth2`, `${portal}?a`, 1, undefined]) {
    refused("invalid_configuration", "portal", () => profiles.docspace({ portal: other }));
  }
  refused("invalid_configuration", "openIdConnect", () => profiles.docspace({ portal, openIdConnect: 1 }));
});

test("shiftiq: the addresses of a cookie session", () => {
  const of = (base) => ({
    api: base,
    userUrl: `${base}/security/cookies/introspect`,
    refresh: { url: `${base}/security/cookies/refresh-session` },
    signOutUrl: `${base}/security/cookies/logout`,
  });
  assert.deepEqual(profiles.shiftiq({ baseUrl: "https://acme-hub.shiftiq.example/v2/e01/" }), of("https://acme-hub.shiftiq.example/v2/e01"));
  assert.deepEqual(profiles.shiftiq({ baseUrl: "http://localhost:5000" }), of("http://localhost:5000/api"));
  const csrf = { header: "X-CSRF", value: "1" };
  assert.deepEqual(profiles.shiftiq({ baseUrl: "http://localhost:5000/api", csrf }), { ...of("http://localhost:5000/api"), csrf });
  refused("invalid_configuration", "baseUrl", () => profiles.shiftiq({ baseUrl: "http://acme.example" }));
  for (const other of ["X-CSRF", 1, {}, { header: "" }]) {
    refused("invalid_configuration", "csrf", () => profiles.shiftiq({ baseUrl: "http://localhost", csrf: other }));
  }
});

test("no profile takes a secret", async () => {
  const { laserfiche, laserficheSelfHosted, docspace, shiftiq } = profiles;
  const names = ["client_secret", "clientSecret", "Secret", "servicePrincipalKey", "accessKey", "authorization_key", "apiKey", "password"];
  for (const name of names) {
    const secret = { [name]: SECRET };
    refused("credential_refused", name, () => laserfiche({ region: "us", ...secret }));
    refused("credential_refused", name, () => laserficheSelfHosted({ baseUrl: "https://lf.example", repositoryId: "r", ...secret }));
    refused("credential_refused", name, () => docspace({ portal: "https://acme.example", ...secret }));
    refused("credential_refused", name, () => shiftiq({ baseUrl: "https://acme.example", ...secret }));
    await assert.rejects(clientOf({ ...docspace({ portal: "https://acme.example" }), ...secret }), (error) => {
      assert.equal(error.code, "credential_refused");
      return !error.message.includes(SECRET);
    });
  }
});

describe("dangerouslyUsePasswordGrant", () => {
  /** Answers every request the same way; with what was asked. */
  async function serverWith(t, status, body, type = "application/json") {
    const asked = [];
    const server = createServer((request, response) => {
      let form = "";
      request.on("data", (part) => (form += part)).on("end", () => {
        asked.push({ url: request.url, method: request.method, headers: request.headers, form: Object.fromEntries(new URLSearchParams(form)) });
        response.writeHead(status, { "content-type": type, location: "/elsewhere" }).end(body);
      });
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close().closeAllConnections());
    return { asked, baseUrl: `http://127.0.0.1:${server.address().port}` };
  }

  const person = { username: "ann@lf.example", password: SECRET };
  const token = JSON.stringify({ access_token: "t.o.k", expires_in: 900, token_type: "bearer" });

  test("gives a credential, and sends the password once and nowhere else", async (t) => {
    const { asked, baseUrl } = await serverWith(t, 200, token);
    const credential = await profiles.dangerouslyUsePasswordGrant({ baseUrl, repositoryId: "r 1" }, person);
    assert.deepEqual(credential, { scheme: "bearer", token: "t.o.k" });
    assert.equal(asked.length, 1);
    const [{ url, method, headers, form }] = asked;
    assert.deepEqual([method, url], ["POST", "/LFRepositoryAPI/v1/Repositories/r%201/Token"]);
    assert.deepEqual(form, { grant_type: "password", ...person });
    assert.match(headers["content-type"], /^application\/x-www-form-urlencoded/);
    assert.deepEqual([headers.accept, headers.authorization, headers.cookie, headers.referer], ["application/json", undefined, undefined, undefined]);
    await profiles.dangerouslyUsePasswordGrant({ baseUrl, repositoryId: "r", tokenPath: "v2/Repositories/r/Token" }, person);
    assert.equal(asked[1].url, "/LFRepositoryAPI/v2/Repositories/r/Token");
  });

  const problem = (error) => JSON.stringify({ ...error, type: "x", title: SECRET, status: 400 });
  const answers = [
    [401, problem({ error: "invalid_grant" }), "access_denied"],
    [400, problem({ error: "invalid_grant" }), "access_denied"],
    [401, "", "access_denied"],
    [403, problem({}), "access_denied"],
    [400, problem({ error: "unsupported_grant_type" }), "authorization_failed"],
    [404, "<html>", "invalid_token_response"],
    [302, "", "network"],
    [408, "", "timeout", true],
    [429, "", "rate_limited", true],
    [503, "", "server_error", true],
    [200, "null", "invalid_token_response"],
    [200, "[1", "invalid_token_response"],
    [200, JSON.stringify({ access_token: "t" }), "invalid_token_response"],
    [200, JSON.stringify({ access_token: "t t", token_type: "bearer" }), "invalid_token_response"],
    [200, JSON.stringify({ access_token: "t", token_type: "mac" }), "invalid_token_response"],
    [200, JSON.stringify({ access_token: 1, token_type: "bearer" }), "invalid_token_response"],
    [200, JSON.stringify({ access_token: "t".repeat(100_000), token_type: "bearer" }), "server_error"],
  ];
  for (const [status, body, code, retryable] of answers) {
    test(`${status} ${body.slice(0, 50)} is ${code}`, async (t) => {
      const { asked, baseUrl } = await serverWith(t, status, body);
      await assert.rejects(profiles.dangerouslyUsePasswordGrant({ baseUrl, repositoryId: "r" }, person), (error) => {
        assert.ok(engine.isAuthError(error), String(error));
        assert.deepEqual([error.code, error.phase], [code, "token"], error.message);
        if (retryable) assert.equal(error.retryable, true);
        if (body.includes('"error"')) assert.deepEqual([error.status, error.oauthError], [status, JSON.parse(body).error]);
        assert.ok(!(JSON.stringify(error) + error.stack).includes(SECRET));
        return true;
      });
      assert.equal(asked.length, 1, "once");
    });
  }

  test("asks nobody with arguments that are none", async (t) => {
    const { asked, baseUrl } = await serverWith(t, 200, token);
    const good = { baseUrl, repositoryId: "r" };
    for (const [server, someone, name] of [
      [{ ...good, repositoryId: "" }, person, "repositoryId"],
      [{ ...good, baseUrl: "http://lf.example" }, person, "baseUrl"],
      [good, { ...person, password: "" }, "password"],
      [good, { ...person, user: "x" }, "user"],
      [good, undefined, "person"],
    ]) {
      await assert.rejects(profiles.dangerouslyUsePasswordGrant(server, someone), (error) => {
        assert.equal(error.code, "invalid_configuration");
        return error.message.includes(name) && !error.message.includes(SECRET);
      });
    }
    assert.equal(asked.length, 0);
  });
});
