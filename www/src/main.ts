// The demo app: plain TypeScript over the package, as any app would use it. Start reading here.

import { type AuthClient, type AuthState, createAuthClient } from "wardkey";

import { ask, clearAnswer } from "./api.js";
import { type Config, loadConfig } from "./config.js";
import { byId, element, onClick } from "./dom.js";
import { announce, renderExpiry, renderSession } from "./session.js";
import { renderStorage } from "./storage.js";
import { hideTrouble, retryLast, showTrouble, tellTrouble } from "./trouble.js";

async function start(): Promise<void> {
  const config = await loadConfig();
  renderPlaces(config);

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
  showApp(client);
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
  onClick("trouble-retry", retryLast);
  onClick("trouble-dismiss", () => {
    hideTrouble();
    document.querySelector<HTMLElement>(".person > section:not([hidden]) h1")?.focus();
  });
}

/** From here on the page follows the state, whoever changes it. */
function showApp(client: AuthClient): void {
  const render = (state: AuthState) => {
    renderSession(client, state);
    renderStorage(state.status === "authenticated");
    if (state.status !== "authenticated") clearAnswer();
  };
  client.subscribe(render);
  render(client.state);
  setInterval(() => {
    renderExpiry(client.state);
    renderStorage(client.state.status === "authenticated");
  }, 1000);
}

/** Runs an action of the person, who has then dealt with the last error. */
async function attempt(action: () => Promise<unknown>, again = () => attempt(action)): Promise<void> {
  hideTrouble();
  await report(action, again);
}

/** Shows an error, with `again` as the way on; tells whether there was none. */
async function report(action: () => Promise<unknown>, again: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    showTrouble(error, again);
    return false;
  }
}

function renderPlaces({ issuer, apiUrl, accounts }: Config): void {
  const places = [["This page", location.origin], ["Sign-in server", issuer], ["Notes API", apiUrl]] as const;
  byId("places").replaceChildren(
    ...places.map(([name, origin]) => {
      const heading = element("th", name);
      heading.scope = "row";
      return element("tr", heading, element("td", element("code", origin)));
    }),
  );
  byId("people").replaceChildren(
    ...accounts.map(({ username, password }) => element("tr", element("td", username), element("td", password))),
  );
}

start().catch((error: unknown) => showTrouble(error, () => location.reload()));
