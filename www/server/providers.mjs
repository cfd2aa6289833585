// The demo on stand-ins for real systems: which server is started, and what the page is told about it.

import * as docspace from "../../tests/providers/docspace.mjs";
import * as selfHosted from "../../tests/providers/laserfiche-self-hosted.mjs";
import * as laserfiche from "../../tests/providers/laserfiche.mjs";
import * as shiftiq from "../../tests/providers/shiftiq.mjs";
import { listen } from "./http.mjs";
import { APP_PATHS, staticPage } from "./page.mjs";

const CLIENT_ID = "wardkey-demo";
const REPOSITORY = "/Repositories/r-abc123";
const REPOSITORY_SCOPES = ["repository.Read", "repository.Write"];
const flags = { ask: true };

/**
 * By the name that `--provider` takes: how its stand-in is started for a page, and what the page does with it, which is
 * the profile of `wardkey/providers` with its arguments, the app's own options, and requests to try.
 */
const PROVIDERS = {
  laserfiche: {
    system: laserfiche.SYSTEM,
    start: ({ redirectUris }) =>
      laserfiche.startLaserfiche({
        clients: [{ clientId: CLIENT_ID, redirectUris, scopes: REPOSITORY_SCOPES }],
        flags,
      }),
    use: ({ origin, host }, { redirectUri, signedOut }) => ({
      profile: "laserfiche",
      place: { region: host, customerId: laserfiche.CUSTOMER_ID },
      options: { clientId: CLIENT_ID, redirectUri, postLogoutRedirectUri: signedOut, scope: REPOSITORY_SCOPES },
      requests: [
        ["List the repositories", "GET", `${origin}/repository/v2/Repositories`],
        ["Delete an entry", "DELETE", `${origin}/repository/v2${REPOSITORY}/Entries/1`],
      ],
    }),
  },
  "laserfiche-self-hosted": {
    system: selfHosted.SYSTEM,
    start: ({ redirectUris }) => selfHosted.startLaserficheSelfHosted({ redirectUris, flags }),
    use: ({ baseUrl }, { redirectUri }) => ({
      profile: "laserficheSelfHosted",
      place: { baseUrl, repositoryId: "r-abc123" },
      options: { redirectUri, scope: ["repository.Read"] },
      requests: [
        ["List the repositories", "GET", `${baseUrl}/v2/Repositories`],
        ["Delete an entry", "DELETE", `${baseUrl}/v2${REPOSITORY}/Entries/1`],
      ],
    }),
  },
  docspace: {
    system: docspace.SYSTEM,
    start: ({ pageUrl, redirectUris }) => {
      const scopes = ["openid", "files:read", "accounts.self:read"];
      const app = { clientId: CLIENT_ID, redirectUris, allowedOrigins: [pageUrl], scopes };
      return docspace.startDocSpace({ clients: [app], flags });
    },
    use: ({ origin }, { redirectUri }) => ({
      profile: "docspace",
      place: { portal: origin, openIdConnect: true },
      options: { clientId: CLIENT_ID, redirectUri, scope: ["openid", "files:read", "accounts.self:read"] },
      requests: [
        ["Who am I?", "GET", `${origin}/api/2.0/people/@self`],
        ["List my files", "GET", `${origin}/api/2.0/files/@my`],
        ["Make a folder", "POST", `${origin}/api/2.0/files/folder/1`],
      ],
    }),
  },
  shiftiq: {
    system: shiftiq.SYSTEM,
    start: ({ pageUrl }) => shiftiq.startShiftIq({ origins: [pageUrl], flags }),
    use: ({ origin, baseUrl }) => ({
      profile: "shiftiq",
      place: { baseUrl },
      options: { signInUrl: `${origin}/ui/lobby/signin` },
      requests: [
        ["Look at the session", "GET", `${baseUrl}/security/cookies/introspect`],
        ["Prolong it", "POST", `${baseUrl}/security/cookies/refresh-session`],
      ],
    }),
  },
};

/** The names that `--provider` takes. */
export const PROVIDER_NAMES = Object.keys(PROVIDERS);

/**
 * Starts the stand-in of a system, and the page over a build of it.
 * @param {string} name
 * @param {{ port: number, dist?: string }} options
 */
export async function startProviderDemo(name, { port, dist }) {
  const { system, start, use } = PROVIDERS[name];
  const page = await listen(port);
  const [redirectUri, signedOut] = [APP_PATHS.callback, APP_PATHS.signedOut].map((path) => `${page.origin}${path}`);
  const server = await start({ pageUrl: page.origin, redirectUris: [redirectUri, signedOut] });
  const config = { system, origin: server.origin, ...use(server, { redirectUri, signedOut }) };
  const { origin } = server;
  page.handle(staticPage({ config, issuer: origin, apiUrl: origin, dist, document: "provider.html" }));
  const close = async () => {
    await Promise.all([page.close(), server.close()]);
  };
  return { system, pageUrl: `${page.origin}/`, origin, server, close };
}
