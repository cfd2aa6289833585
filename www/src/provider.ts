// The demo on a stand-in for a real system: a client of its profile, or where its cookie is the session, one of those.

import {
  type AuthOptions,
  type AuthState,
  type CookieSessionOptions,
  createAuthClient,
  createCookieSession,
} from "wardkey";
import * as providers from "wardkey/providers";

import { ask } from "./api.js";
import { loadConfig } from "./config.js";
import { byId, element, onClick } from "./dom.js";
import { follow } from "./follow.js";
import { renderPlaces } from "./places.js";
import { asWritten, isByCookie, type ProviderConfig } from "./provider-config.js";
import { announce, type Authenticated, renderExpiry, renderScopes } from "./session.js";
import { attempt, showTrouble, tellTrouble, wireTrouble } from "./trouble.js";

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
  const config = await loadConfig<ProviderConfig>();
  describe(config);
  const session = isByCookie(config) ? await openSession(config) : await openClient(config);
  wire(session, config);
  follow(session, (state) => renderFacts(state, session.scopes), isByCookie(config) ? "cookie" : "memory");
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
  renderPlaces({ [`Stand-in for ${system}`]: origin });
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
  wireTrouble();
}

const signIn = (session: Session): Promise<void> => attempt(() => session.signIn({ returnTo: "/" }));

function renderFacts(state: Authenticated, scopes: Session["scopes"]): void {
  byId("user").textContent = state.user?.sub ?? "The server does not say: it has no OpenID Connect";
  byId("fact-scopes").hidden = !scopes;
  byId("fact-expiry").hidden = state.expiresAt === Infinity;
  if (scopes) renderScopes(scopes);
  renderExpiry(state);
}

start().catch((error: unknown) => showTrouble(error, () => location.reload()));
