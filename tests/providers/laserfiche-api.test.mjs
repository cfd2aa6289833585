// The APIs of the stand-in for Laserfiche Cloud: what a token with these scopes may do, fact by fact.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, beforeEach, test } from "node:test";

import { startLaserfiche } from "./laserfiche.mjs";
import { allowsRepository } from "./laserfiche-scopes.mjs";
import { appAt, ask, bearer, CALLBACK, includes } from "./support.mjs";

const scopes = ["repository.ReadWrite", "table.ReadWrite", "project/Global"];
const server = await startLaserfiche({ clients: [{ clientId: "app1", redirectUris: [CALLBACK], scopes }] });
after(() => server.close());
beforeEach(() => server.reset());

const { signIn } = appAt({
  authorizeUrl: `${server.origin}/oauth/authorize`,
  tokenUrl: `${server.origin}/oauth/token`,
  clientId: "app1",
  request: { scope: "repository.Read repository.Write" },
});
const call = (path, token, init = {}) =>
  ask(`${server.origin}${path}`, { ...init, headers: { ...bearer(token), ...init.headers } });

test("repositories: a list in version 1, an object in version 2", async () => {
  const { access_token: token } = await signIn();
  const first = await call("/repository/v1/Repositories", token);
  assert.deepEqual(Object.keys(first.body[0]), ["repoId", "repoName", "webclientUrl"]);
  const second = await call("/repository/v2/repositories", token);
  assert.deepEqual(Object.keys(second.body.value[0]), ["id", "name", "webClientUrl"]);
});

const ROOT = "/Repositories/r-1";
const ENTRY = "repository/Repositories/r-1/Entries/1.Read";
const JUDGED = [
  ["repository.Read", "GET", `${ROOT}/Entries/1`, 200],
  ["repository.Read", "PUT", `${ROOT}/Entries/1`, 403],
  ["repository.Write", "GET", `${ROOT}/Entries/1`, 403],
  ["repository.Write", "DELETE", `${ROOT}/Entries/1`, 204],
  ["repository.Read", "POST", `${ROOT}/SimpleSearches`, 200],
  ["repository.Read", "POST", `${ROOT}/Searches/SearchAsync`, 200],
  ["repository.Read", "POST", `${ROOT}/Entries/1/ExportAsync`, 200],
  ["repository.Read", "POST", `${ROOT}/Entries/1/Export`, 200],
  ["repository.Read", "POST", `${ROOT}/Entries/1/Fields/GetDynamicFieldLogicValue`, 200],
  ["repository.Write", "POST", `${ROOT}/SimpleSearches`, 403],
  ["repository.Read", "POST", `${ROOT}/Entries/1/Folder/Children`, 403],
  ["repository.Write", "GET", `${ROOT}/Tasks`, 200],
  [ENTRY, "GET", `${ROOT}/Entries/1`, 200],
  [ENTRY, "GET", `${ROOT}/Entries/1/fields`, 200],
  [ENTRY, "GET", `${ROOT}/Entries/1/Laserfiche.Repository.Folder/children`, 200],
  [ENTRY, "GET", `${ROOT}/Entries/10`, 403],
  [ENTRY, "PUT", `${ROOT}/Entries/1`, 403],
  ["table.Read", "GET", `${ROOT}/Entries/1`, 403],
];
for (const version of ["v1", "v2"]) {
  for (const [scope, method, path, status] of JUDGED) {
    test(`${version}: ${method} ${path} with ${scope}: ${status}`, async () => {
      const { access_token: token } = await signIn({ scope });
      assert.equal((await call(`/repository/${version}${path}`, token, { method })).status, status);
    });
  }
}

test("each operation of version 2 needs the scope that its documentation states", async () => {
  const vectors = new URL("../vectors/laserfiche/v2_scopes.json", import.meta.url);
  const stated = JSON.parse(await readFile(vectors, "utf8")).filter(([, , scope]) => scope !== "");
  assert.equal(stated.length, 140);
  for (const [method, path, scope] of stated) {
    const inner = path.replace("/v2/", "").replaceAll(/\{\w+\}/g, "1");
    for (const held of ["repository.Read", "repository.Write"]) {
      assert.equal(allowsRepository([held], "v2", method, inner), ["None", held].includes(scope), `${method} ${path}`);
    }
  }
});

test("a token without any scope does everything in version 1, and nothing in version 2", async () => {
  const { access_token: token } = await signIn({ scope: undefined });
  assert.equal((await call(`/repository/v1${ROOT}/Entries/1`, token)).status, 200);
  assert.equal((await call(`/repository/v2${ROOT}/Entries/1`, token)).status, 403);
});

const TABLES = [
  ["table.Read project/Global", "GET", "/odata4/table/MyTable", 200],
  ["table.Read project/Global", "GET", "/odata4/table/MyTable('1')", 200],
  ["table.Read", "GET", "/odata4/table/MyTable", 403],
  ["project/Global", "GET", "/odata4/table/MyTable", 403],
  ["table.Read project/Global", "POST", "/odata4/table/MyTable/ReplaceAllRowsAsync", 403],
  ["table.Write project/Global", "POST", "/odata4/table/MyTable/ReplaceAllRowsAsync", 200],
];
for (const [scope, method, path, status] of TABLES) {
  test(`tables: ${method} ${path} with ${scope}: ${status}`, async () => {
    const { access_token: token } = await signIn({ scope });
    assert.equal((await call(path, token, { method })).status, status);
  });
}

test("tables: one alone is allowed by a scope that names it", async () => {
  server.flags.grant = ["odata4/table/MyTable('1').Read"];
  const { access_token: token } = await signIn();
  assert.equal((await call("/odata4/table/MyTable('1')", token)).status, 200);
  assert.equal((await call("/odata4/table/MyTable('2')", token)).status, 403);
});

test("scopes are not all: the person's own rights may end before", async () => {
  const { access_token: token } = await signIn();
  server.flags.forbid = 1;
  assert.equal((await call("/repository/v2/Repositories", token)).status, 403);
  assert.equal((await call("/repository/v2/Repositories", token)).status, 200);
});

const WORDS = {
  401: "Access token is invalid or expired.",
  403: "Access denied for the operation.",
  429: "Rate limit is reached.",
};
for (const [version, type] of [
  ["v1", "application/json"],
  ["v2", "application/problem+json"],
]) {
  test(`${version}: errors are problem details as ${type}`, async () => {
    const { access_token: token } = await signIn({ scope: "repository.Read" });
    const url = `/repository/${version}/Repositories/r-1/Entries/1`;
    const denied = await call(url, token, { method: "PUT" });
    server.flags.throttle = 1;
    const many = await call(url, token);
    server.clock.advance(3600);
    const over = await call(url, token);
    for (const [status, answer] of [
      [403, denied],
      [429, many],
      [401, over],
    ]) {
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("content-type"), type);
      includes(answer.body, { status, title: WORDS[status] });
      const names = [
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "operationId",
        "errorSource",
        "errorCode",
        "traceId",
      ];
      assert.deepEqual(Object.keys(answer.body), names);
    }
    const head = await call(url, "none", { method: "HEAD" });
    assert.equal(decodeURIComponent(head.headers.get("x-apiserver-error")), WORDS[401]);
    assert.ok(head.headers.get("x-requestid"));
  });
}
