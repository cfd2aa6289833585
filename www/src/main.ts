// The demo app: plain TypeScript over the package, as any app would use it. Start reading here.

import { type AuthClient, type AuthState, createAuthClient } from "wardkey";

import { ask } from "./api.js";
import { type Config, loadConfig } from "./config.js";
import { byId, element, onClick } from "./dom.js";
import { follow } from "./follow.js";
import { renderPlaces } from "./places.js";
import { announce, renderExpiry, renderScopes, renderUser } from "./session.js";
import { attempt, report, showTrouble, tellTrouble, wireTrouble } from "./trouble.js";

async function start(): Promise<void> {
  const config = await loadConfig();
  describe(config);

  const client = await createAuthClient({
    issuer: config.issuer,
    clientId: config.clientId,
    redirectUri: `${location.origin}/callback`,
    postLogoutRedirectUri: `${location.origin}/signed-out`,
    silentRedirectUri: `${location.origin}/silent.html`,
    scope: config.scope,
    api: config.apiUrl,
  });

  const signIn = () => attempt(() => client.signIn({ returnTo: "/" }), signIn);
  wire(client, config, signIn);
  const arrived = await report(() => arrive(client), signIn);
  follow(client, (state) => {
    renderUser(state);
    renderScopes(client.scopes);
    renderExpiry(state);
  });
  client.on("sessionExpired", (error) => tellTrouble(error, signIn));
  await settled(client);
  // The server's metadata and keys are fetched ahead, so that the click goes straight to the server.
  if (arrived && client.state.status === "anonymous") await report(() => client.prepare(), signIn);
}

/** After a reload the server is asked, in a hidden frame, whether the person is still signed in there. */
function settled(client: AuthClient): Promise<void> {
  return new Promise((resolve) => {
    const look = (state: AuthState) => state.status !== "loading" && resolve();
    client.subscribe(look);
    look(client.state);
  });
}

/** Coming back from the authorization server, signed in or signed out, or simply arriving. */
async function arrive(client: AuthClient): Promise<void> {
  let next = "/";
  try {
    if (client.isCallback()) {
      const { user, returnTo } = await client.handleCallback();
      if (returnTo) next = returnTo;
      announce(`Signed in as ${user?.claims["name"] ?? user?.sub}.`);
    } else if (location.pathname === "/signed-out") {
      await client.handleSignOutCallback();
      announce("Signed out, here and at the sign-in server.");
    }
  } finally {
    // The package has cleaned the URL; the way back's own path need not stay in the address bar either.
    if (location.pathname !== next) history.replaceState(null, "", next);
  }
}

function wire(client: AuthClient, config: Config, signIn: () => Promise<void>): void {
  onClick("sign-in", signIn);
  onClick("sign-out", () => attempt(() => client.signOut()));
  onClick("forget", () =>
    attempt(async () => {
      await client.signOutLocal();
      announce("Signed out of this page.");
    }),
  );
  onClick("api-with", () => ask(client.fetch, `${config.apiUrl}/notes`));
  onClick("api-without", () => ask(fetch, `${config.apiUrl}/notes`));
  onClick("api-elsewhere", () => ask(client.fetch, `${location.origin}/config.json`));
  wireTrouble();
}

/** What is the same whoever is signed in. */
function describe({ issuer, apiUrl, accounts }: Config): void {
  renderPlaces({ "Sign-in server": issuer, "Notes API": apiUrl });
  byId("people").replaceChildren(
    ...accounts.map(({ username, password }) => element("tr", element("td", username), element("td", password))),
  );
}

start().catch((error: unknown) => showTrouble(error, () => location.reload()));
