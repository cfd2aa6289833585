// What scopes mean, through the engine: what is covered, what is not sent, and what is to be asked for.

import assert from "node:assert/strict";
import { after } from "node:test";

import { openFullSuite, signInOnProbe } from "./full-suite.mjs";
import { BOTH, testIn } from "./modes.mjs";

const suite = await openFullSuite();
after(() => suite.close());

testIn(suite, BOTH)(
  "a grammar of scopes answers, warns, and keeps back what the server would refuse",
  suite.withPage(async ({ page }) => {
    const options = {
      clientId: "wardkey-demo",
      scope: "openid notes.read",
      api: suite.demo.apiUrl,
      policies: { scopeGrammar: "laserfiche" },
    };
    await signInOnProbe(page, suite, options);
    const entry = suite.apiUrl("/repository/v2/Repositories/r-1/Entries/1");
    const told = await page.evaluate(async (entry) => {
      const search = new URL("../SimpleSearches", entry).href;
      const more = { scope: "table.Read project/A+B" };
      await client.prepare(more);
      const operations = [entry, search].map((url, number) => ({ method: number ? "POST" : "GET", url }));
      return {
        has: [await client.hasScope("notes.read"), await client.hasScope(["openid", "repository.Read"])],
        covers: [await client.covers("GET", entry), await client.covers("DELETE", new URL("/notes", entry).href)],
        refused: await globalThis.outcome(client.fetch(entry)),
        least: await client.scopesFor([...operations, { method: "PUT", url: `${entry}/Fields` }]),
        granular: await client.scopesFor(operations.slice(1), { granular: true }),
        wrong: [
          await globalThis.outcome(client.covers(1, entry)),
          await globalThis.outcome(client.hasScope("ä")),
          await globalThis.outcome(client.scopesFor([{ method: "GET", url: "https://elsewhere.example/" }])),
        ].map(({ code }) => code),
        asked: new URL(client.createAuthorizeUrl(more).url).searchParams.get("scope"),
      };
    }, entry);
    assert.equal(told.refused.code, "scope_missing");
    assert.equal(suite.calls().length, 0, "nothing was sent to the API");
    assert.deepEqual(told, {
      has: [true, false],
      covers: [false, true],
      refused: told.refused,
      least: ["repository.Read", "repository.Write"],
      granular: ["repository/Repositories/r-1/SimpleSearches.Read"],
      wrong: ["invalid_configuration", "invalid_configuration", "origin_not_allowed"],
      asked: "openid table.Read project/A+B notes.read",
    });
    const warned = await page.evaluate(async (options) => {
      const entries = [];
      const other = await globalThis.openClient({ ...options, logger: (entry) => entries.push(entry) });
      await other.prepare({ scope: "table.Read" });
      other.createAuthorizeUrl({ scope: "table.Read" });
      return entries.filter(({ event }) => event === "scope").map(({ level, detail }) => `${level}: ${detail.reason}`);
    }, options);
    // A worker mints more than one request at a time.
    assert.deepEqual([...new Set(warned)], ["warn: table scopes reach nothing without a scope for a project"]);
  }),
);
