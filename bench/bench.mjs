// Wardkey side by side with its peers, in one run of one browser.
//   node bench/bench.mjs [--samples N] [--print]
// Takes the package as it is in pkg/dist; `cargo xtask bench` builds it first. Writes bench/RESULTS.md, or prints it.

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { chromium } from "playwright-core";

import { CHROMIUM, FLAGS } from "../tests/browser/chromium.mjs";
import { listen, observed } from "../www/server/http.mjs";
import { authorizationServer, CLIENT_ID, SCOPE } from "./lib/authorization-server.mjs";
import { buildEntrant } from "./lib/build.mjs";
import { entrants } from "./lib/contestants.mjs";
import { circumstances, load } from "./lib/circumstances.mjs";
import { pageHost } from "./lib/page-host.mjs";
import { report, verdicts } from "./lib/report.mjs";
import { sample } from "./lib/sample.mjs";

const RESULTS = fileURLToPath(new URL("RESULTS.md", import.meta.url));

function options() {
  const { values } = parseArgs({
    options: { samples: { type: "string", default: "9" }, print: { type: "boolean", default: false } },
  });
  const samples = Number(values.samples);
  if (!Number.isInteger(samples) || samples < 1) throw new Error("--samples must be a whole number above 0");
  return { samples, print: values.print };
}

/** The pages on one origin, the authorization server on another. */
async function startServers() {
  const [host, as] = [await listen(0), await listen(0)];
  const issuer = `${as.origin}/`;
  const redirectUri = ({ id }) => `${host.origin}/${id}/`;
  const builds = new Map();
  for (const entrant of entrants) {
    const config = { issuer, clientId: CLIENT_ID, redirectUri: redirectUri(entrant), scope: SCOPE };
    if (entrant.metadata) config.metadata = metadata(issuer);
    builds.set(entrant.id, await buildEntrant(entrant, config));
  }
  host.handle(pageHost(builds));
  const exchanges = [];
  const handler = authorizationServer({ issuer, pageOrigin: host.origin, redirectUris: entrants.map(redirectUri) });
  as.handle(observed("as", handler, (exchange) => exchanges.push(exchange)));
  const close = () => Promise.all([host.close(), as.close()]);
  return { issuer, redirectUri, builds, exchanges, close };
}

function metadata(issuer) {
  return {
    issuer,
    authorization_endpoint: `${issuer}authorize`,
    token_endpoint: `${issuer}oauth/token`,
    jwks_uri: `${issuer}jwks`,
    authorization_response_iss_parameter_supported: true,
    id_token_signing_alg_values_supported: ["RS256"],
  };
}

/**
 * Everybody takes a turn, then everybody takes the next, so that what else the machine does falls on all. One turn
 * of each goes before and does not count.
 */
async function takeTurns(browser, servers, count) {
  const turns = [];
  for (let round = 0; round <= count; round += 1) {
    process.stderr.write(round === 0 ? "warming up\n" : `round ${round} of ${count}\n`);
    for (const throttled of [false, true]) {
      for (const entrant of entrants) {
        const subject = { url: servers.redirectUri(entrant), issuer: servers.issuer, signsIn: Boolean(entrant.package) };
        const taken = await sample(browser, subject, servers.exchanges, throttled);
        if (round > 0) turns.push({ id: entrant.id, throttled, ...taken });
      }
    }
  }
  return turns;
}

async function main() {
  const { samples, print } = options();
  const servers = await startServers();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    const about = await circumstances(browser, samples);
    const turns = await takeTurns(browser, servers, samples);
    const text = report(turns, servers.builds, { ...about, loadAfter: load() });
    if (print) process.stdout.write(text);
    else await writeFile(RESULTS, text);
    process.stderr.write(`${verdicts(turns).join("\n")}\n`);
  } finally {
    await browser.close();
    await servers.close();
  }
}

await main();
