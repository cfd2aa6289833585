/** What an app writes. It only has to compile; each option and each method is used as the docs say. */
import type { HttpRequestHandler } from "@laserfiche/lf-api-client-core";
import {
  type AccessToken,
  type ApiTarget,
  AuthError,
  type AuthClient,
  type AuthErrorCode,
  type AuthErrorPhase,
  type AuthEvents,
  type AuthOptions,
  type AuthorizationDetail,
  type AuthorizationParams,
  type AuthorizeRequest,
  type AuthState,
  type CookieSession,
  type CookieSessionOptions,
  createAuthClient,
  createCookieSession,
  createCredentialFetch,
  type Credential,
  type FetchOptions,
  type IdTokenClaims,
  type IdTokenPolicy,
  isAuthError,
  type LogEntry,
  relayCallback,
  type ServerMetadata,
  type SignInOptions,
  type SignInResult,
  type SignOutOptions,
  type StepUpChallenge,
  type TokenOptions,
  type User,
} from "wardkey";
import { createAuthClient as createInline } from "wardkey/inline";
import {
  dangerouslyUsePasswordGrant,
  docspace,
  docspaceScope,
  type DocSpaceScope,
  laserfiche,
  laserficheHandler,
  laserficheScope,
  type LaserficheScope,
  laserficheSelfHosted,
  shiftiq,
} from "wardkey/providers";

/** Compiles if the two types are the same, and neither is `any`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

export const least: AuthOptions = { issuer: "https://as.example", clientId: "spa" };

export const metadata: ServerMetadata = {
  authorization_endpoint: "https://as.example/authorize",
  token_endpoint: "https://as.example/token",
  issuer: "https://as.example",
  jwks_uri: "https://as.example/jwks",
  end_session_endpoint: "https://as.example/logout",
  userinfo_endpoint: "https://as.example/me",
  revocation_endpoint: "https://as.example/revoke",
  pushed_authorization_request_endpoint: "https://as.example/par",
  code_challenge_methods_supported: ["S256"],
};

export const policy: IdTokenPolicy = {
  algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
  clockSkewSec: 30,
  expectIssuer: "https://legacy.example",
  expectAudience: "api",
  dangerouslySkipSignature: true,
};

export const parameters: AuthorizationParams = {
  prompt: "select_account",
  acrValues: "urn:mfa",
  maxAge: 60,
  loginHint: "ada@example.org",
  uiLocales: "de en",
  display: "touch",
  claims: { id_token: { auth_time: { essential: true } } },
  authorizationDetails: [{ type: "payment", amount: { currency: "EUR", value: "1.00" } }],
  responseMode: "jwt",
  extra: { kc_idp_hint: "github" },
};

export const targets: ApiTarget[] = [
  "https://api.example/v1",
  { origin: "https://api.example" },
  { origin: "https://api.example", path: "/v2", resource: "https://api.example/v2", scope: ["notes.read"] },
];

export const most: AuthOptions = {
  issuer: "https://as.example",
  metadata,
  clientId: "spa",
  redirectUri: "https://app.example/callback",
  postLogoutRedirectUri: "https://app.example/bye",
  scope: ["openid", "profile"],
  api: targets,
  authorizationParams: parameters,
  idToken: policy,
  resource: ["https://api.example/v1", "https://api.example/v2"],
  par: "auto",
  dpop: { algorithms: ["EdDSA", "ES256"] },
  refresh: { leewaySec: 60, auto: false },
  storage: "localStorage",
  transactionStorage: "cookie",
  restore: "silent",
  restoreTimeoutMs: 3_000,
  silentRedirectUri: "https://app.example/silent",
  loopGuard: { max: 2, windowSec: 30 },
  timeoutMs: 5_000,
  logger: ({ level, event, at, detail }: LogEntry) => {
    same<typeof level, "debug" | "info" | "warn" | "error">(true);
    same<typeof detail, Record<string, string | number | boolean> | undefined>(true);
    void [event.length, at.toFixed()];
  },
  wasm: new URL("https://app.example/wardkey.wasm"),
};

/** Each of these options has more than one kind of value. */
export const choices: AuthOptions[] = [
  { ...least, dpop: true, par: "required", storage: "memory", restore: "auto", transactionStorage: "sessionStorage" },
  { ...least, dpop: false, par: "off", storage: "sessionStorage", restore: "redirect", transactionStorage: "memory" },
  { ...least, dpop: {}, refresh: {}, restore: "none", resource: "https://api.example" },
];

export const sources: AuthOptions["wasm"][] = ["/wardkey.wasm", new Uint8Array(8), new ArrayBuffer(8), undefined as never];

export async function everyMethod(): Promise<void> {
  const client: AuthClient = await createAuthClient({ ...least, scope: "openid profile", api: "https://api.example" });
  same<Awaited<ReturnType<typeof createInline>>, AuthClient>(true);
  same<typeof client.isolation, "page" | "worker" | "shared">(true);

  const end: () => void = client.subscribe((state) => same<typeof state, AuthState>(true));
  client.on("signedIn", (user) => same<typeof user, User | null>(true));
  client.on("signedOut", ({ reason }) => same<typeof reason, AuthErrorCode | "sign_out">(true));
  client.on("sessionExpired", (error) => same<typeof error, AuthError>(true));
  client.on("userChanged", ({ from, to }) => same<typeof from | typeof to, string>(true));
  client.on("tokenRefreshed", ({ expiresAt }) => same<typeof expiresAt, number>(true));
  client.on("refreshDeferred", (detail) => same<typeof detail, { retryAt: number; cause: AuthError }>(true));
  client.on("stepUpRequired", (challenge) => same<typeof challenge, StepUpChallenge>(true));
  client.on("stateChanged", (state) => same<typeof state, AuthEvents["stateChanged"]>(true));
  end();

  const options: SignInOptions<{ cart: number }> = {
    ...parameters,
    scope: "openid",
    appState: { cart: 1 },
    returnTo: "/cart?open=1",
    signal: AbortSignal.timeout(1_000),
  };
  await client.prepare(options);
  await client.prepare();
  const request: AuthorizeRequest = client.createAuthorizeUrl(options);
  void [request.url.length, request.state.length];

  if (client.isCallback() || client.isCallback(location.href)) {
    const result: SignInResult<{ cart: number }> = await client.handleCallback<{ cart: number }>();
    same<typeof result.appState, { cart: number } | undefined>(true);
    same<typeof result.returnTo, string | undefined>(true);
    same<typeof result.scopes, { granted: string[]; missing: string[] }>(true);
    same<typeof result.authorizationDetails, AuthorizationDetail[] | undefined>(true);
    await client.handleCallback(location.href);
  }

  const user = client.getUser();
  same<typeof user, User<IdTokenClaims> | null>(true);
  const typed = client.getUser<IdTokenClaims & { email: string }>();
  void typed?.claims.email.toLowerCase();

  const token: string = await client.getAccessToken();
  const wanted: TokenOptions = {
    resource: "https://api.example/v2",
    scope: ["notes.read"],
    minValiditySec: 60,
    forceRefresh: true,
    signal: AbortSignal.timeout(1_000),
  };
  await client.getAccessToken({ scope: "notes.read notes.write" });
  const details: AccessToken = await client.getToken(wanted);
  same<typeof details.tokenType, "Bearer" | "DPoP">(true);
  same<typeof details.authorizationDetails, AuthorizationDetail[] | undefined>(true);
  void [token, details.accessToken, details.expiresAt.toFixed(), details.scopes.join(" "), details.resource];

  const claims = await client.userInfo();
  same<typeof claims, Record<string, unknown>>(true);
  const { email } = await client.userInfo<{ email: string }>();
  void email.toLowerCase();

  // Can be passed around unbound.
  const send: typeof fetch = client.fetch;
  const response: Response = await send("https://api.example/notes", { method: "POST", body: "{}" });
  void response.ok;
  const fetchOptions: FetchOptions = {
    api: targets,
    baseUrl: "https://api.example/v1/",
    onStepUp: async ({ acrValues, maxAge, scope, resource }) =>
      // What a server wants is what a sign-in takes, where it is there.
      acrValues || maxAge || scope || resource ? "retry" : "fail",
  };
  const relative: typeof fetch = client.createFetch(fetchOptions);
  void (await relative("notes")).json();
  const stepUp: StepUpChallenge = { acrValues: "urn:mfa", maxAge: 60 };
  await client.signInPopup({ ...stepUp, features: "width=500,height=600" });
  await client.signInSilent({ loginHint: "ada@example.org" });
  const proof: string = await client.dpopProof({ method: "POST", url: "https://api.example/v1", accessToken: token });
  await client.dpopProof({ method: "GET", url: proof });
  same<Awaited<ReturnType<typeof client.hasScope>>, boolean>(true);
  await client.hasScope(["notes.read", "notes.write"]);
  const operations = [{ method: "GET", url: "/notes" }];
  same<Awaited<ReturnType<typeof client.scopesFor>>, string[]>(true);
  await client.signIn({ scope: await client.scopesFor(operations, { granular: true }) });
  same<typeof client.scopes, { granted: string[]; requested: string[]; missing: string[] }>(true);

  await client.revoke();
  await client.revoke("access_token");
  await client.revoke("refresh_token");
  const signOut: SignOutOptions = { postLogoutRedirectUri: "https://app.example/", returnTo: "/", revoke: true };
  await client.signOut(signOut);
  await client.signOut();
  await client.signOutLocal();
  await client.handleSignOutCallback();
  await client.handleSignOutCallback(location.href);
  same<Awaited<ReturnType<typeof client.handleFrontChannelLogout>>, boolean>(true);
  if (await client.handleInitiatedLogin(location.href)) await client.handleFrontChannelLogout();
  same<Awaited<ReturnType<typeof relayCallback>>, boolean>(true);
  client.dispose();

  const never: never = await client.signIn(options);
  return never;
}

export function everyState(state: AuthState): string {
  switch (state.status) {
    case "loading":
      return "…";
    case "anonymous":
      return state.reason ?? "nobody";
    case "authenticated":
      return [state.user?.sub, state.expiresAt.toFixed(), state.scopes.join(), String(state.stale)].join();
    default:
      same<typeof state, never>(true);
      return state;
  }
}

export function everyError(thrown: unknown): string {
  if (!isAuthError(thrown)) return "not ours";
  same<typeof thrown, AuthError>(true);
  const code: AuthErrorCode = thrown.code;
  const phase: AuthErrorPhase = thrown.phase;
  same<typeof thrown.name, "AuthError">(true);
  same<typeof thrown.retryable, boolean>(true);
  void [thrown instanceof AuthError, thrown instanceof Error, thrown.toJSON(), thrown.status, thrown.oauthError];
  return code === "login_required" && phase === "callback" ? "sign in" : thrown.message;
}

export async function everyProfile(client: AuthClient): Promise<void> {
  const server = { baseUrl: "https://lf.example/LFRepositoryAPI", repositoryId: "r" };
  await createAuthClient({ ...laserfiche({ region: "us" }), clientId: "spa", scope: "repository.Read" });
  await createAuthClient({ ...laserfiche({ region: "a.clouddev.laserfiche.com", customerId: "1" }), clientId: "spa" });
  await createAuthClient({ ...laserficheSelfHosted({ ...server, tokenPath: "v2/r/oauth/token" }), scope: "repository.Read" });
  await createAuthClient({ ...docspace({ portal: "https://acme.example", openIdConnect: true }), clientId: "spa" });
  const { api, userUrl, refresh, signOutUrl, csrf } = shiftiq({ baseUrl: "https://acme.example/v2/e01" });
  void [api, userUrl, refresh.url, signOutUrl, csrf?.header];
  await createCookieSession({ ...shiftiq({ baseUrl: "https://acme.example/v2/e01" }), signInUrl: "https://acme.example/in" });
  const credential = await dangerouslyUsePasswordGrant(server, { username: "ann", password: "" });
  same<typeof credential.scheme, "bearer">(true);
  const handler = laserficheHandler(client, { regionalDomain: "us" });
  const { regionalDomain } = await handler.beforeFetchRequestAsync("/v2/Repositories", {});
  void regionalDomain.length;
  const theirs: HttpRequestHandler = handler;
  void theirs;
}

export const credentials: Credential[] = [
  { scheme: "bearer", token: "t" },
  { scheme: "basic", username: "ada", password: "p" },
  { scheme: "apiKey", header: "X-Api-Key", value: "v" },
  { scheme: "apiKey", header: "Authorization", value: "v", prefix: "ApiKey" },
];

export const session: CookieSessionOptions = {
  api: targets,
  csrf: { header: "X-CSRF", value: "1" },
  userUrl: "/bff/user",
  signInUrl: "/bff/login",
  refresh: { url: "/bff/refresh", everySec: 600 },
  signOutUrl: "/bff/logout",
};

export async function otherSchemes(): Promise<void> {
  const send: typeof fetch = createCredentialFetch(credentials[0]!, { api: targets, baseUrl: "https://api.example/v1/" });
  await send("notes", { method: "POST" });
  const cookies: CookieSession = await createCookieSession({ ...session, csrf: { header: "X-CSRF-Token", cookie: "csrf" } });
  await createCookieSession({ api: "https://app.example/api", refresh: { url: "/refresh" } });
  same<typeof cookies.state, AuthState>(true);
  same<typeof cookies.fetch, typeof fetch>(true);
  const end: () => void = cookies.subscribe((state) => same<typeof state, AuthState>(true));
  await cookies.refresh();
  await cookies.signOut();
  end();
  cookies.dispose();
  const never: never = await cookies.signIn({ returnTo: "/inbox" });
  return never;
}

/** Builders and literals are of the same types, and are what `scope` takes. */
export const ofLaserfiche: LaserficheScope[] = [
  laserficheScope.repository("Read"),
  laserficheScope.repository("ReadWrite", "Repositories/r-1/Entries/1"),
  laserficheScope.table("Write"),
  laserficheScope.table("Read", "MyTable('1')"),
  laserficheScope.project("Test With Spaces"),
  laserficheScope.collections,
  "repository.ReadWrite",
  "repository/Repositories/r-1.Read",
  "odata4/table.Read",
  "project/Global",
];
export const ofDocSpace: DocSpaceScope[] = [
  docspaceScope.files("read"),
  docspaceScope.rooms("write"),
  docspaceScope.accounts("read"),
  docspaceScope.self("write"),
  docspaceScope.openid,
  "accounts.self:read",
];
export const scoped: AuthOptions = { ...least, scope: [...ofLaserfiche, ...ofDocSpace] };
const entry = laserficheScope.repository("Read", "Repositories/r-1");
same<typeof entry, "repository/Repositories/r-1.Read">(true);
const tables = laserficheScope.table("ReadWrite");
same<typeof tables, "table.ReadWrite">(true);
const files = docspaceScope.files("write");
same<typeof files, "files:write">(true);
