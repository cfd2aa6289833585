// What a request through the vault costs, beside a plain `fetch` with the token in a header, in one run of one page.
//   node bench/vault.mjs [--samples N] [--print]
// Takes the package as it is in pkg/dist; `cargo xtask bench vault` builds it first. Writes bench/RESULTS-vault.md, or
// prints it.

import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { openSuite, signInOnProbe } from "../tests/browser/harness.mjs";

const RESULTS = fileURLToPath(new URL("RESULTS-vault.md", import.meta.url));
const SIZES = { "1 KB": 1_000, "10 MB": 10_000_000 };

const { values } = parseArgs({
  options: { samples: { type: "string", default: "25" }, print: { type: "boolean", default: false } },
});
const samples = Number(values.samples);
if (!Number.isInteger(samples) || samples < 1) throw new Error("--samples must be a whole number above 0");

/** An API that answers with as many octets as its path says, and remembers the preflight for long. */
function api({ pageUrl }) {
  const headers = {
    "Access-Control-Allow-Origin": new URL(pageUrl).origin,
    "Access-Control-Allow-Headers": "authorization",
    "Access-Control-Max-Age": "7200",
    "Content-Type": "application/octet-stream",
  };
  const bodies = new Map(Object.values(SIZES).map((size) => [`/${size}`, Buffer.alloc(size, "x")]));
  return (request, response) => {
    const body = request.method === "OPTIONS" ? undefined : bodies.get(request.url);
    response.writeHead(body ? 200 : 204, { ...headers, ...(body && { "Content-Length": body.length }) }).end(body);
  };
}

/** In the page: milliseconds until each answer is read to its end, the two ways in turns; the first turn does not count. */
async function measure({ size, samples: count }) {
  const { apiUrl } = await (await fetch("/config.json")).json();
  const url = `${apiUrl}/${size}`;
  const token = await client.getAccessToken();
  const ways = {
    plain: () => fetch(url, { headers: { Authorization: `Bearer ${token}` }, credentials: "omit", cache: "no-store" }),
    vault: () => client.fetch(url),
  };
  const times = { plain: [], vault: [] };
  for (let round = 0; round <= count; round += 1) {
    for (const [name, ask] of Object.entries(ways)) {
      const start = performance.now();
      const { byteLength } = await (await ask()).arrayBuffer();
      const took = performance.now() - start;
      if (byteLength !== size) throw new Error(`${name} gave ${byteLength} octets`);
      if (round > 0) times[name].push(took);
    }
  }
  return times;
}

const median = (times) => times.slice().sort((a, b) => a - b)[Math.floor(times.length / 2)];

async function rows(suite) {
  const lines = [];
  const run = suite.withPage(async ({ page }) => {
    await signInOnProbe(page, suite);
    for (const [label, size] of Object.entries(SIZES)) {
      const { plain, vault } = await page.evaluate(measure, { size, samples });
      const [a, b] = [median(plain), median(vault)];
      lines.push(`| ${label} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(b / a).toFixed(2)} |`);
    }
  });
  await run();
  return lines;
}

const suite = await openSuite({ api }, "wardkey/worker");
try {
  const load = loadavg()[0].toFixed(1);
  const text = `# A request through the vault

Written by \`cargo xtask bench vault\`: milliseconds until an answer of the API is read to its end, median of ${samples},
the two ways in turns in one page, on one machine with its servers (${cpus().length} × ${cpus()[0].model}, load average ${load} at the
start). Chromium, SharedWorker; the API is on another origin, and its preflights are cached.

| answer | plain \`fetch\` with a header | through the vault | ratio |
|---|---|---|---|
${(await rows(suite)).join("\n")}
`;
  if (values.print) process.stdout.write(text);
  else await writeFile(RESULTS, text);
} finally {
  await suite.close();
}
