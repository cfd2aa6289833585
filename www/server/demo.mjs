// The whole demo: builds the page, then runs the page, the authorization server and the API, each on its own origin.
//   node www/server/demo.mjs [port] [--provider NAME]
// With a provider, the page and a stand-in for that system.

import { fileURLToPath } from "node:url";

import { accounts } from "./accounts.mjs";
import { notesApi } from "./api.mjs";
import { authorizationServer, CLIENT_ID, SCOPE } from "./authorization-server.mjs";
import { buildPage } from "./build.mjs";
import { intercepted, listen, observed } from "./http.mjs";
import { APP_PATHS, SILENT_PATH, staticPage } from "./page.mjs";
import { PROVIDER_NAMES, startProviderDemo } from "./providers.mjs";

const DEFAULT_PORT = 8080;

/**
 * @typedef {object} DemoOptions
 * @property {number} [port] Of the page; the next free one where it is taken; 0 for any.
 * @property {string} [dist] The build of the page; www/dist if not given.
 * @property {import("./http.mjs").Observer} [observe] Is told of each exchange of the three servers (for tests).
 * @property {import("node:http").RequestListener} [intercept] Of the three servers: may answer in place of them (for tests).
 * @property {string[]} [redirectPaths] Further redirect URIs, as paths of the page's origin (for tests).
 * @property {(configuration: object, origins: object) => object} [extend] Of the authorization server (for tests).
 * @property {Record<string, Record<string, string>>} [pageHeaders] By path and query of the page's server, further headers (for tests).
 * @property {(origins: object) => import("node:http").RequestListener} [api] In place of the notes API (for tests).
 */

/**
 * Starts the three servers over a build of the page.
 * @param {DemoOptions} [options]
 */
export async function startDemo(options = {}) {
  const { port = DEFAULT_PORT, dist, observe, redirectPaths = [], pageHeaders } = options;
  const { extend = (same) => same, api: ownApi = notesApi, intercept } = options;
  const watched = (name, handler) => observed(name, intercepted(handler, intercept), observe);
  const page = await listen(port);
  const as = await listen(0);
  const api = await listen(0);
  const origins = { pageUrl: page.origin, issuer: as.origin, apiUrl: api.origin };
  const pageHandler = staticPage({ ...origins, config: pageConfig(origins), dist, pageHeaders });
  page.handle(watched("page", pageHandler));
  const asHandler = authorizationServer({
    ...origins,
    redirectPaths: [APP_PATHS.callback, SILENT_PATH, ...redirectPaths],
    postLogoutPaths: [APP_PATHS.signedOut],
    extend: (configuration) => extend(configuration, origins),
  });
  as.handle(watched("as", asHandler));
  api.handle(watched("api", ownApi(origins)));
  const close = async () => {
    await Promise.all([page.close(), as.close(), api.close()]);
  };
  return { ...origins, pageUrl: `${page.origin}/`, close };
}

/** What the page needs to know, and nothing secret: everyone can read it. */
function pageConfig({ issuer, apiUrl }) {
  const people = accounts.map(({ username, password }) => ({ username, password }));
  return { issuer, apiUrl, clientId: CLIENT_ID, scope: SCOPE, accounts: people };
}

function instructions({ pageUrl, issuer, apiUrl }) {
  const people = accounts.map(({ username, password }) => `${username} / ${password}`).join("   or   ");
  return `
  Wardkey demo      ${pageUrl}

  Sign in as        ${people}

  The page          ${pageUrl}   a single-page app; tokens in memory only
  Sign-in server    ${issuer}   oidc-provider, in memory
  Notes API         ${apiUrl}   wants an access token

  Ctrl-C stops everything.
`;
}

function providerInstructions({ system, pageUrl, origin }) {
  return `
  Wardkey demo      ${pageUrl}

  Sign in as        anybody: no password is asked

  The page          ${pageUrl}
  The server        ${origin}   a stand-in for ${system}, in memory

  An hour later     curl --json '{"advance":3600}' ${origin}/control

  Ctrl-C stops everything.
`;
}

/** What the command line asks for. */
function readArguments(given) {
  const at = given.indexOf("--provider");
  const [provider] = at < 0 ? [] : given.slice(at + 1, at + 2);
  const [port = DEFAULT_PORT] = at < 0 ? given : given.toSpliced(at, 2);
  const isKnown = at < 0 || PROVIDER_NAMES.includes(provider);
  if (!isKnown) throw new Error(`--provider is one of ${PROVIDER_NAMES.join(", ")}.`);
  const isPort = Number.isInteger(Number(port)) && port >= 0 && port <= 65535;
  if (!isPort) throw new Error("The port must be a number up to 65535.");
  return { provider, port: Number(port) };
}

async function main() {
  const { provider, port } = readArguments(process.argv.slice(2));
  await buildPage();
  const demo = provider ? await startProviderDemo(provider, { port }) : await startDemo({ port });
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, async () => {
      await demo.close();
      process.exit(0);
    });
  }
  process.stdout.write(provider ? providerInstructions(demo) : instructions(demo));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(`The demo cannot start: ${error.message}`);
    process.exit(1);
  });
}
