// The handler for Laserfiche's own API clients, with the packages that their users install, and a client of ours that
// signed in at a server of a few lines.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";

import { installPackage } from "./harness.mjs";

let profiles, engine, RepositoryApiClient, server, origin;

before(async (t) => {
  const folder = await installPackage(t);
  const load = (file) => import(pathToFileURL(join(folder, "node_modules/wardkey/dist", file)));
  [profiles, engine] = [await load("providers.js"), await load("inline.js")];
  ({ RepositoryApiClient } = await laserfiche(join(folder, "laserfiche.mjs")));
  server = createServer((request, response) => {
    let form = "";
    request.on("data", (part) => (form += part)).on("end", () => {
      const { status = 200, body = {} } = answer(request, new URLSearchParams(form));
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close().closeAllConnections());

/** Their client, bundled as for a page: Node alone does not find all of its modules. */
async function laserfiche(outfile) {
  const contents = 'export { RepositoryApiClient } from "@laserfiche/lf-repository-api-client-v2";';
  const resolveDir = fileURLToPath(new URL(".", import.meta.url));
  await build({ stdin: { contents, resolveDir }, bundle: true, format: "esm", platform: "browser", outfile, logLevel: "warning" });
  return import(pathToFileURL(outfile));
}

/** What the server takes, and what it was asked. */
let issued, live, refreshes, calls, isOver;

beforeEach(() => {
  [issued, live, refreshes, calls, isOver] = [0, new Set(), [], [], false];
});

/** A token endpoint with rotation, and a repository API that takes tokens in force. */
function answer({ url, headers }, form) {
  if (url === "/oauth/Token") {
    if (form.get("grant_type") === "refresh_token") refreshes.push(form.get("refresh_token"));
    if (isOver) return { status: 401, body: { error: "invalid_grant", status: 400 } };
    issued += 1;
    live.add(`access-${issued}`);
    // Without a lifetime there is nothing to watch, and no timer that would keep Node from ending.
    return { body: { access_token: `access-${issued}`, token_type: "bearer", refresh_token: `refresh-${issued}` } };
  }
  calls.push({ url, ...headers });
  const taken = [...live].some((token) => headers.authorization === `Bearer ${token}`);
  if (!taken) return { status: 401, body: { title: "Access token is invalid or expired.", status: 401 } };
  return { body: { value: [{ id: "r-1", name: "One", webClientUrl: "https://app.example" }] } };
}

/** A client of ours that is signed in, and Laserfiche's over it. */
async function signedIn(options = {}) {
  const region = new URL(origin).host;
  const client = await engine.createAuthClient({
    ...profiles.laserfiche({ region }),
    clientId: "spa",
    scope: "repository.Read",
    redirectUri: "http://localhost/callback",
    transactionStorage: "memory",
  });
  await client.prepare();
  await signIn(client);
  const handler = profiles.laserficheHandler(client, { regionalDomain: region, ...options });
  return { client, handler, api: RepositoryApiClient.createFromHttpRequestHandler(handler, `${origin}/repository`) };
}

async function signIn(client) {
  const { state } = client.createAuthorizeUrl();
  const domain = new URL(origin).host;
  await client.handleCallback(`http://localhost/callback?scope=repository.Read&code=c&state=${state}&domain=${domain}`);
}

const names = async (api) => (await api.repositoriesClient.listRepositories({})).value.map(({ name }) => name);
const tokens = () => calls.map(({ authorization }) => authorization);

test("each request has the token, and no cookie", async () => {
  const { client, api } = await signedIn();
  assert.deepEqual(await names(api), ["One"]);
  assert.deepEqual(tokens(), ["Bearer access-1"]);
  assert.equal(calls[0].url, "/repository/v2/Repositories");
  assert.equal(calls[0].cookie, undefined);
  client.dispose();
});

test("a 401 is followed by one refresh and one retry", async () => {
  const { client, api } = await signedIn();
  live.clear();
  assert.deepEqual(await names(api), ["One"]);
  assert.deepEqual([tokens(), refreshes], [["Bearer access-1", "Bearer access-2"], ["refresh-1"]]);
  client.dispose();
});

test("ten requests that get a 401 share one refresh", async () => {
  const { client, api } = await signedIn();
  live.clear();
  const all = await Promise.all(Array.from({ length: 10 }, () => names(api)));
  assert.deepEqual(all, Array(10).fill(["One"]));
  assert.deepEqual([calls.length, refreshes], [20, ["refresh-1"]]);
  client.dispose();
});

test("a server that takes no token is asked twice, and the token is refreshed once", async () => {
  const { client, api } = await signedIn();
  live = { add() {}, *[Symbol.iterator]() {} };
  await assert.rejects(names(api), ({ status }) => status === 401);
  assert.deepEqual([tokens(), refreshes], [["Bearer access-1", "Bearer access-2"], ["refresh-1"]]);
  client.dispose();
});

test("where there is no new token, the 401 is the answer", async () => {
  const { client, api } = await signedIn();
  live.clear();
  isOver = true;
  await assert.rejects(names(api), ({ status }) => status === 401);
  assert.deepEqual([tokens(), refreshes], [["Bearer access-1"], ["refresh-1"]]);
  assert.deepEqual(client.state, { status: "anonymous", reason: "session_expired" });
  client.dispose();
});

test("what one person asked for is not repeated for another", async () => {
  const { client, handler } = await signedIn();
  const refused = new Response(null, { status: 401 });
  const request = {};
  await handler.beforeFetchRequestAsync("/v2/Repositories", request);
  await signIn(client);
  assert.equal(await handler.afterFetchResponseAsync("/v2/Repositories", refused, request), false);
  assert.deepEqual(refreshes, []);
  client.dispose();

  // Where the person is known, it is the person that counts; also when the sign-in comes during the refresh.
  const known = (sub) => ({ status: "authenticated", user: { sub, claims: {} } });
  for (const [next, during, again] of [["ada", false, true], ["bob", false, false], ["bob", true, false]]) {
    let hear;
    const other = { state: known("ada"), on: (_, listener) => (hear = listener) };
    const change = () => (hear(), (other.state = known(next)));
    other.getToken = async (options) => {
      if (options && during) change();
      return { accessToken: "t", tokenType: "Bearer", expiresAt: 0, scopes: [] };
    };
    const theirs = profiles.laserficheHandler(other, { regionalDomain: "us" });
    const asked = {};
    await theirs.beforeFetchRequestAsync("/v2/Repositories", asked);
    if (!during) change();
    assert.equal(await theirs.afterFetchResponseAsync("/v2/Repositories", refused, asked), again, `${next} ${during}`);
  }
});

test("a request to elsewhere gets no token, nor does one after the sign-out", async () => {
  const { client, handler, api } = await signedIn();
  for (const url of ["https://evil.example/repository/v2/Repositories", `${origin}0/repository`, "http:///x", `${origin.replace("http", "https")}/repository`,
    ...["HTTPS://evil.example/x", "//evil.example/x", "/\\evil.example/x", "/\t/evil.example/x", " https://evil.example/x", "\thttps://evil.example", "\\\\evil.example", "ftp://evil.example/", "v2/Repositories", ""]]) {
    const request = {};
    await assert.rejects(handler.beforeFetchRequestAsync(url, request), { code: "origin_not_allowed" });
    assert.deepEqual(request, {});
  }
  await client.signOutLocal();
  await assert.rejects(names(api), { code: "not_signed_in" });
  assert.deepEqual(calls, []);
  client.dispose();
});

test("the handler's own contract", async () => {
  const { client, handler } = await signedIn();
  // A URL without origin goes to the region, as Laserfiche's clients have it.
  for (const headers of [undefined, { authorization: "mine", Accept: "a/b" }, new Headers({ accept: "a/b" }), [["accept", "a/b"]]]) {
    const request = { method: "GET", headers };
    const { regionalDomain } = await handler.beforeFetchRequestAsync("/v2/Repositories", request);
    assert.equal(regionalDomain, new URL(origin).host);
    assert.equal(request.headers.Authorization, "Bearer access-1");
    assert.equal(new Headers(request.headers).get("accept"), headers ? "a/b" : null);
    assert.deepEqual([request.credentials, request.redirect], ["omit", "error"]);
    for (const status of [200, 403, 429, 500]) {
      assert.equal(await handler.afterFetchResponseAsync("/v2/Repositories", new Response(null, { status }), request), false);
    }
  }
  assert.equal(await handler.afterFetchResponseAsync("/", new Response(null, { status: 401 }), {}), false, "not ours");
  assert.deepEqual(refreshes, []);
  client.dispose();
});

test("a server of one's own is known by its base", async () => {
  const { client } = await signedIn();
  const handler = profiles.laserficheHandler(client, { baseUrl: `${origin}/LFRepositoryAPI/` });
  const request = {};
  assert.deepEqual(await handler.beforeFetchRequestAsync(`${origin}/LFRepositoryAPI/v2/Repositories`, request), { regionalDomain: "" });
  assert.equal(request.headers.Authorization, "Bearer access-1");
  for (const url of [`${origin}/LFRepositoryAPI2/v2`, `${origin}/other`, `${origin}/LFRepositoryAPI/../other`, `${origin}/LFRepositoryAPI/..%2fother`, "/v2/Repositories"]) {
    await assert.rejects(handler.beforeFetchRequestAsync(url, {}), { code: "origin_not_allowed" });
  }
  for (const options of [{}, { regionalDomain: "au" }, { baseUrl: "http://lf.example" }, { region: "us" }, undefined]) {
    assert.throws(() => profiles.laserficheHandler(client, options), { code: "invalid_configuration" });
  }
  const getToken = async () => ({ accessToken: "t", tokenType: "DPoP", expiresAt: 0, scopes: [] });
  const proven = { getToken, state: { status: "anonymous" }, on() {} };
  const other = profiles.laserficheHandler(proven, { regionalDomain: "us" });
  await assert.rejects(other.beforeFetchRequestAsync("/v2/Repositories", {}), { code: "token_type_mismatch" });
  client.dispose();
});
