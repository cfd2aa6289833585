// The whole demo: builds the page, then runs the page, the authorization server and the API, each on its own origin.
//   node www/server/demo.mjs [port]

import { fileURLToPath } from "node:url";

import { accounts } from "./accounts.mjs";
import { notesApi } from "./api.mjs";
import { authorizationServer, CLIENT_ID, SCOPE } from "./authorization-server.mjs";
import { buildPage } from "./build.mjs";
import { listen, observed } from "./http.mjs";
import { APP_PATHS, SILENT_PATH, staticPage } from "./page.mjs";

const DEFAULT_PORT = 8080;

/**
 * @typedef {object} DemoOptions
 * @property {number} [port] Of the page; the next free one where it is taken; 0 for any.
 * @property {string} [dist] The build of the page; www/dist if not given.
 * @property {import("./http.mjs").Observer} [observe] Is told of each exchange of the three servers (for tests).
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
  const { extend = (same) => same, api: ownApi = notesApi } = options;
  const page = await listen(port);
  const as = await listen(0);
  const api = await listen(0);
  const origins = { pageUrl: page.origin, issuer: as.origin, apiUrl: api.origin };
  const pageHandler = staticPage({ ...origins, config: pageConfig(origins), dist, pageHeaders });
  page.handle(observed("page", pageHandler, observe));
  const asHandler = authorizationServer({
    ...origins,
    redirectPaths: [APP_PATHS.callback, SILENT_PATH, ...redirectPaths],
    postLogoutPaths: [APP_PATHS.signedOut],
    extend: (configuration) => extend(configuration, origins),
  });
  as.handle(observed("as", asHandler, observe));
  api.handle(observed("api", ownApi(origins), observe));
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

async function main() {
  const port = Number(process.argv[2] ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error("The port must be a number up to 65535.");
  await buildPage();
  const demo = await startDemo({ port });
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, async () => {
      await demo.close();
      process.exit(0);
    });
  }
  process.stdout.write(instructions(demo));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(`The demo cannot start: ${error.message}`);
    process.exit(1);
  });
}
