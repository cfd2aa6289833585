// Laserfiche's scopes with its profile: asked for by their text, compared by their meaning, and what they allow.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";

import { allowsRepository } from "../providers/laserfiche-scopes.mjs";
import { ALL, answerAt, call, handleAt, inBoth, openLaserficheSuite } from "./laserfiche-suite.mjs";

const suite = await openLaserficheSuite(["repository.ReadWrite", "table.ReadWrite", "project/Test+With+Spaces"]);
after(() => suite.close());

const testInBoth = inBoth(suite);

const { server, profile: PROFILE, entry: ENTRY, signIn, authorizeRequest, apiCalls } = suite;

test(
  "row 4: scopes are asked for once each and compared by their meaning; a table without a project is warned of",
  suite.withPage(async ({ page }) => {
    const scope = "repository.Read table.Read repository.Read";
    await answerAt(page, suite, PROFILE, { scope });
    assert.equal(authorizeRequest().get("scope"), "repository.Read table.Read");
    const warned = await page.evaluate(
      async ([profile, scope]) => {
        const entries = [];
        globalThis.client = await openProvider(profile, { scope, logger: (entry) => entries.push(entry) });
        client.createAuthorizeUrl();
        await client.handleCallback();
        return entries.filter(({ level }) => level === "warn").map(({ detail }) => detail.reason);
      },
      [PROFILE, scope],
    );
    assert.match(warned.join(), /project/);
    const covers = (method, url) => page.evaluate((given) => client.covers(...given), [method, url]);
    assert.equal(await covers("GET", ENTRY), true);
    assert.equal(await covers("PUT", ENTRY), false, "Read does not imply Write");
    assert.equal(await covers("GET", `${server.origin}/odata4/table/Towns`), false, "not without a project");
  }),
);

testInBoth(
  "row 4: a scope that was refused is missing, its request is not sent, and a sign-in for more keeps the rest",
  suite.withPage(async ({ page }) => {
    server.flags.grant = ["repository.Write"];
    const { scopes: first } = await signIn(page);
    assert.deepEqual(first, { granted: ["repository.Write"], missing: ["repository.Read"] });
    const refused = await call(page, ENTRY);
    assert.equal(refused.code, "scope_missing");
    assert.equal(apiCalls().length, 0);
    server.flags.grant = null;
    const landed = page.waitForURL(/[?&]code=/);
    await page.evaluate(() => void client.signIn({ scope: "repository.Read" }));
    await landed;
    assert.deepEqual(authorizeRequest().get("scope").split(" ").sort(), ALL.split(" "));
    await handleAt(page, PROFILE, { scope: ALL });
    assert.equal((await call(page, ENTRY)).status, 200);
  }),
);

test(
  "row 4: the client and the server agree on each of the 150 operations of version 2",
  suite.withPage(async ({ page }) => {
    const vectors = new URL("../vectors/laserfiche/v2_scopes.json", import.meta.url);
    const operations = JSON.parse(await readFile(vectors, "utf8"));
    assert.equal(operations.length, 150);
    const paths = operations.map(([method, path]) => [method, path.slice(4).replaceAll(/\{\w+\}/g, "1")]);
    for (const scope of ALL.split(" ")) {
      await signIn(page, { scope });
      const covered = await page.evaluate(
        ([base, paths]) => Promise.all(paths.map(([method, path]) => client.covers(method, base + path))),
        [`${server.origin}/repository/v2/`, paths],
      );
      const allowed = paths.map(([method, path]) => allowsRepository([scope], "v2", method, path));
      assert.deepEqual(covered, allowed);
    }
  }),
);

test(
  "case 3: two scopes in place of one that means both are all that was asked for; one of two is not",
  suite.withPage(async ({ page }) => {
    const { scopes: whole } = await signIn(page, { scope: "repository.ReadWrite" });
    assert.deepEqual(whole, { granted: ALL.split(" "), missing: [] });
    assert.equal(await page.evaluate(() => client.hasScope("repository.ReadWrite")), true);
    server.flags.grant = ["repository.Read"];
    const { scopes: half } = await signIn(page);
    assert.deepEqual(half, { granted: ["repository.Read"], missing: ["repository.Write"] });
  }),
);

test(
  "case 4: a scope of one entry covers what is below it, in both versions, for reading; the server agrees",
  suite.withPage(async ({ page }) => {
    await signIn(page, { scope: "repository/Repositories/r-1/Entries/1.Read" });
    for (const version of ["v1", "v2"]) {
      const at = (path) => `${server.origin}/repository/${version}/Repositories/r-1/Entries/${path}`;
      const covers = (method, path) => page.evaluate((given) => client.covers(...given), [method, at(path)]);
      assert.equal(await covers("GET", "1/fields"), true);
      assert.equal(await covers("GET", "10"), false);
      assert.equal(await covers("PUT", "1"), false);
      assert.equal((await call(page, at("1/fields"))).status, 200);
    }
  }),
);

testInBoth(
  "case 5: a search is a POST that only reads; the server agrees",
  suite.withPage(async ({ page }) => {
    await signIn(page, { scope: "repository.Read" });
    const search = ENTRY.replace("Entries/1", "SimpleSearches");
    assert.equal(await page.evaluate((url) => client.covers("POST", url), search), true);
    assert.equal((await call(page, search, { method: "POST", body: "{}" })).status, 200);
    assert.equal(await page.evaluate((url) => client.covers("POST", url), `${ENTRY}/Folder/children`), false);
  }),
);

test(
  "case 6: the plus signs of a project's name reach the server",
  suite.withPage(async ({ page }) => {
    const scope = "table.Read project/Test+With+Spaces";
    const { scopes: granted } = await signIn(page, { scope });
    assert.equal(authorizeRequest().get("scope"), scope);
    assert.deepEqual(granted, { granted: scope.split(" "), missing: [] });
    assert.equal((await call(page, `${server.origin}/odata4/table/Towns`)).status, 200);
  }),
);
