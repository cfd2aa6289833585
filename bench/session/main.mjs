// What a session costs the page that has it.
//   node bench/session/main.mjs [--print]
// Takes the package as it is in pkg/dist; `cargo xtask bench session` builds it first. Writes bench/RESULTS-session.md,
// or prints it.

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { chromium } from "playwright-core";

import { CHROMIUM, FLAGS } from "../../tests/browser/chromium.mjs";
import { listen } from "../../www/server/http.mjs";
import { buildEntrant } from "../lib/build.mjs";
import { circumstances, load } from "../lib/circumstances.mjs";
import { pageHost } from "../lib/page-host.mjs";
import { measureMemory } from "../lib/sample.mjs";
import { report, verdicts } from "./report.mjs";
import { tokenServer } from "./server.mjs";

const RESULTS = fileURLToPath(new URL("../RESULTS-session.md", import.meta.url));
const ENTRANT = { id: "session", label: "session", script: "session/page.ts", wasm: true };

const HITS = { batches: 200, calls: 100 };
const STORM = { calls: 1_000, times: 9 };
const REFRESHES = [100, 1_000, 5_000, 10_000];

/** The page on one origin, the token endpoint on another. */
async function startServers() {
  const [host, as] = [await listen(0), await listen(0)];
  const url = `${host.origin}/${ENTRANT.id}/`;
  const built = await buildEntrant(ENTRANT, { issuer: as.origin, redirectUri: url });
  const pages = pageHost(new Map([[ENTRANT.id, built]]));
  host.handle((request, response) => {
    // Isolated, the page has a clock that ticks in 5 µs, and not in 100.
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    pages(request, response);
  });
  const server = tokenServer({ pageOrigin: host.origin });
  as.handle(server.listener);
  return { url, server, close: () => Promise.all([host.close(), as.close()]) };
}

/** A page of its own for each measurement, with somebody signed in. */
async function withClient(browser, { url }, storage, measure) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => globalThis.bench && globalThis.crossOriginIsolated);
    await page.evaluate((where) => globalThis.bench.open(where), storage);
    return await measure(page, context);
  } finally {
    await context.close();
  }
}

const measureHits = (page) =>
  page.evaluate(async ({ batches, calls }) => {
    // The first calls are compiled while they run.
    await globalThis.bench.hits(20, calls);
    return globalThis.bench.hits(batches, calls);
  }, HITS);

async function measureStorms(page, server) {
  const storms = [];
  for (let time = 0; time < STORM.times; time += 1) {
    const before = server.refreshes;
    const { late, tokens } = await page.evaluate((calls) => globalThis.bench.storm(calls), STORM.calls);
    storms.push({ late, tokens, refreshes: server.refreshes - before });
  }
  return storms;
}

/** Memory after so many refreshes. */
async function measureRefreshes(page, context) {
  const devtools = await context.newCDPSession(page);
  const after = [];
  let done = 0;
  const start = Date.now();
  for (const count of REFRESHES) {
    await page.evaluate((times) => globalThis.bench.refresh(times), count - done);
    done = count;
    after.push({ count, ...(await measureMemory(devtools)) });
  }
  return { after, milliseconds: (Date.now() - start) / done };
}

async function measure(browser, servers, storage) {
  const { server } = servers;
  server.lifetime = 600;
  const hits = await withClient(browser, servers, storage, measureHits);
  const refreshed = await withClient(browser, servers, storage, measureRefreshes);
  server.lifetime = 1;
  const storms = await withClient(browser, servers, storage, (page) => measureStorms(page, server));
  if (server.refused > 0) throw new Error("A refresh token was sent twice");
  return { storage, hits, storms, ...refreshed };
}

async function main() {
  const { values } = parseArgs({ options: { print: { type: "boolean", default: false } } });
  const servers = await startServers();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    const about = await circumstances(browser, 1, ["wardkey", "esbuild"]);
    const measured = [];
    for (const storage of ["memory", "localStorage"]) measured.push(await measure(browser, servers, storage));
    const text = report(measured, { ...about, loadAfter: load() });
    if (values.print) process.stdout.write(text);
    else await writeFile(RESULTS, text);
    process.stderr.write(`${verdicts(measured).join("\n")}\n`);
  } finally {
    await browser.close();
    await servers.close();
  }
}

await main();
