// The demo on a stand-in for a real system: a client of its profile, or where its cookie is the session, one of those.

import {
  type AuthOptions,
  type AuthState,
  type CookieSessionOptions,
  createAuthClient,
  createCookieSession,
} from "wardkey";
import * as providers from "wardkey/providers";

import { ask, clearAnswer } from "./api.js";
import { byId, element, onClick } from "./dom.js";
import { asWritten, isByCookie, loadProviderConfig, type ProviderConfig } from "./provider-config.js";
import { announce, renderExpiry, renderPresence, renderScopes } from "./session.js";
import { renderStorage } from "./storage.js";
import { hideTrouble, retryLast, showTrouble, tellTrouble } from "./trouble.js";

/** What a client and a cookie session have in common. */
interface Session {
  readonly state: AuthState;
  readonly scopes?: { granted: string[]; missing: string[] };
  readonly fetch: typeof fetch;
  subscribe(listener: (state: AuthState) => void): () => void;
  signIn(options: { returnTo?: string }): Promise<unknown>;
  signOut(): Promise<void>;
}

const WORDS: Record<number, string> = {
  200: "The server knows who asks, and answered.",
  204: "The server knows who asks, and has done it.",
  401: "The server does not know who asks.",
  403: "The server knows who asks, and says no.",
};

async function start(): Promise<void> {
  const config = await loadProviderConfig();
  describe(config);
  const session = isByCookie(config) ? await openSession(config) : await openClient(config);
  wire(session, config);
  follow(session, isByCookie(config) ? "cookie" : "memory");
}

const profileOf = ({ profile, place, options }: ProviderConfig): object => ({
  ...(providers[profile] as (place: object) => object)(place),
  ...options,
});

const openSession = (config: ProviderConfig): Promise<Session> =>
  createCookieSession(profileOf(config) as CookieSessionOptions);

async function openClient(config: ProviderConfig): Promise<Session> {
  const client = await createAuthClient(profileOf(config) as AuthOptions);
  client.on("sessionExpired", (error) => tellTrouble(error, () => signIn(client)));
  try {
    if (client.isCallback()) {
      await client.handleCallback();
      announce(`Signed in at ${config.system}.`);
    }
  } catch (error) {
    showTrouble(error, () => signIn(client));
  } finally {
    // The package has cleaned the URL; the way back's own path need not stay in the address bar either.
    if (location.pathname !== "/") history.replaceState(null, "", "/");
  }
  return client;
}

/** What is the same whoever is signed in. */
function describe(config: ProviderConfig): void {
  const { system, origin } = config;
  for (const place of document.querySelectorAll("[data-system]")) place.textContent = system;
  byId("configuration").textContent = asWritten(config);
  byId("api-words").textContent = isByCookie(config)
    ? "The browser adds the server's cookie. Nothing goes to another origin."
    : "What the granted scopes do not allow is not sent, and nothing goes to another origin.";
  const places = [
    ["This page", location.origin],
    [`Stand-in for ${system}`, origin],
  ] as const;
  byId("places").replaceChildren(
    ...places.map(([name, place]) => {
      const heading = element("th", name);
      heading.scope = "row";
      return element("tr", heading, element("td", element("code", place)));
    }),
  );
}

function wire(session: Session, { requests }: ProviderConfig): void {
  onClick("sign-in", () => signIn(session));
  onClick("sign-out", () => attempt(() => session.signOut()));
  const buttons = requests.map(([words], index) => {
    const button = element("button", words);
    Object.assign(button, { id: `request-${index}`, type: "button", className: "button" });
    return button;
  });
  byId("requests").prepend(...buttons);
  requests.forEach(([, method, url], index) =>
    onClick(`request-${index}`, () => ask(session.fetch, url, method, WORDS)),
  );
  onClick("api-elsewhere", () => ask(session.fetch, "https://api.example/"));
  onClick("trouble-retry", retryLast);
  onClick("trouble-dismiss", () => {
    hideTrouble();
    document.querySelector<HTMLElement>(".person > section:not([hidden]) h1")?.focus();
  });
}

const signIn = (session: Session): Promise<void> => attempt(() => session.signIn({ returnTo: "/" }));

async function attempt(action: () => Promise<unknown>): Promise<void> {
  hideTrouble();
  try {
    await action();
  } catch (error) {
    showTrouble(error, () => attempt(action));
  }
}

/** From here on the page follows the state, whoever changes it. */
function follow(session: Session, heldBy: "memory" | "cookie"): void {
  const render = (state: AuthState) => {
    renderState(session, state);
    renderStorage(state.status === "authenticated", heldBy);
    if (state.status !== "authenticated") clearAnswer();
  };
  session.subscribe(render);
  render(session.state);
  setInterval(() => {
    renderExpiry(session.state);
    renderStorage(session.state.status === "authenticated", heldBy);
  }, 1000);
}

function renderState({ scopes }: Session, state: AuthState): void {
  const signedIn = state.status === "authenticated";
  const [from, to] = [byId(signedIn ? "signed-out" : "signed-in"), byId(signedIn ? "signed-in" : "signed-out")];
  const losesFocus = from.contains(document.activeElement);
  from.hidden = true;
  to.hidden = state.status === "loading";
  renderPresence(state);
  if (signedIn) renderFacts(state, scopes);
  if (losesFocus) to.querySelector("h1")?.focus();
}

function renderFacts(state: Extract<AuthState, { status: "authenticated" }>, scopes: Session["scopes"]): void {
  byId("user").textContent = state.user?.sub ?? "The server does not say: it has no OpenID Connect";
  byId("fact-scopes").hidden = !scopes;
  byId("fact-expiry").hidden = state.expiresAt === Infinity;
  if (scopes) renderScopes(scopes.granted, scopes.missing);
  renderExpiry(state);
}

start().catch((error: unknown) => showTrouble(error, () => location.reload()));
