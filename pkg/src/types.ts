import type { AuthError, AuthErrorCode } from "./errors.js";

/** What `createAuthClient` takes. An unknown name is refused, so that no option is silently ignored. */
export interface AuthOptions {
  /**
   * Issuer identifier, an https URL (http on loopback only). Metadata is discovered (OpenID Connect Discovery, then
   * RFC 8414), and its `issuer` must be equal.
   */
  issuer?: string;
  /**
   * Server metadata given by hand, for servers without discovery. One of `issuer` and `metadata` is needed; with
   * both, nothing is fetched, and `metadata.issuer`, if there, must equal `issuer`.
   */
  metadata?: ServerMetadata;
  /** The client identifier that the server gave to the app. There is no secret: a browser cannot keep one. */
  clientId: string;
  /** Absolute URL at which the server's response arrives. Default: the page's origin and path. */
  redirectUri?: string;
  /** Absolute URL to which the server sends the browser after `signOut`. Default: none, the server shows a page. */
  postLogoutRedirectUri?: string;
  /** Scopes to ask for. Default: `openid` with discovery, nothing with hand-given metadata alone. */
  scope?: string | string[];
  /**
   * Resources that tokens are asked for (RFC 8707). A token is for one: that of the sign-in for the first, and for the
   * others `getToken({ resource })`, which needs a refresh token.
   */
  resource?: string | string[];
  /** Where access tokens may be sent. Empty or absent: nowhere. */
  api?: ApiTarget | ApiTarget[];
  /** Parameters of every authorization request. */
  authorizationParams?: AuthorizationParams;
  /** What ID tokens must be like. Default: strict. */
  idToken?: IdTokenPolicy;
  /** Milliseconds that a request of the client's own may take, its body included. Default 10,000. */
  timeoutMs?: number;
  /**
   * Where the session rests. "memory" (default) is gone with the page. "sessionStorage" outlasts a reload, "localStorage" the
   * browser, and any script that ever runs in your origin can take the tokens out of either: choose it knowingly, with
   * `dpop`, by which what is taken is of no use elsewhere. The key is then kept in IndexedDB, where nobody can read it.
   */
  storage?: "memory" | "sessionStorage" | "localStorage";
  /**
   * What to do about a session that the page does not hold after a load. "silent": ask the server in a hidden frame;
   * "redirect": ask it by leaving the page; "none": nothing; "auto" (default): "silent" where somebody was signed in in this
   * tab and the server is of the same site, as browsers give a frame of another site no cookies.
   */
  restore?: "auto" | "silent" | "redirect" | "none";
  /** Milliseconds for the hidden frame. Default 10,000. */
  restoreTimeoutMs?: number;
  /**
   * Where the response to a hidden frame comes to. Default `redirectUri`. A page that does no more than
   * `relayCallback()` is the quickest.
   */
  silentRedirectUri?: string;
  /** Stops automatic redirects that go round in circles (`login_loop`). Default 3 in 60 s. */
  loopGuard?: { max: number; windowSec: number };
  /**
   * Where a sign-in in progress (verifier, state, nonce; no token) rests between leaving the page and the response.
   * "sessionStorage" (default): this tab. "cookie": a `__Host-` cookie, SameSite=Lax, for ten minutes, where the response
   * comes to another tab; `appState` must be small. "memory": this page, for popups and frames alone.
   */
  transactionStorage?: "sessionStorage" | "cookie" | "memory";
  /**
   * Pushed authorization requests (RFC 9126): "auto" where the server can, "required" always, "off" never. Default:
   * where the server takes no others.
   */
  par?: "auto" | "required" | "off";
  /**
   * Binds tokens to a key that the browser keeps (RFC 9449): a stolen token is then of no use elsewhere. Default false.
   * `algorithms`: what to sign proofs with, the preferred one first; default ES256, then EdDSA.
   */
  dpop?: boolean | { algorithms?: ("ES256" | "EdDSA")[] };
  /**
   * Getting fresh access tokens with the refresh token. `leewaySec`: seconds before its end in which a token is not used
   * any more if another can be had, default 30 (and never more than half of its life). `auto`: also when no call asks for
   * one, default true.
   */
  refresh?: { leewaySec?: number; auto?: boolean };
  /** Is told what happens. Entries hold no token, code, verifier or claim. */
  logger?: (entry: LogEntry) => void;
  /** Where the engine's bytes come from. Default: `wardkey.wasm` beside the entry module. */
  wasm?: string | URL | BufferSource | WebAssembly.Module;
}

/**
 * A place that may have the token: a URL whose path is a prefix that ends at a segment (`https://api.example/v1`
 * covers `/v1` and `/v1/notes`, not `/v10`), or its origin and path apart.
 */
export type ApiTarget = string | ApiPlace;

/** A place that may have the token, and what the token must be like. */
export interface ApiPlace {
  origin: string;
  path?: string;
  /** The resource that the token must be for (RFC 8707). Default: that of the sign-in. */
  resource?: string;
  /** What the token must be good for; `scope_missing` where that was not granted. */
  scope?: string[];
}

/** Authorization server metadata (RFC 8414 2). Other members are allowed and not used. */
export interface ServerMetadata {
  issuer?: string;
  authorization_endpoint: string;
  token_endpoint: string;
  jwks_uri?: string;
  userinfo_endpoint?: string;
  end_session_endpoint?: string;
  revocation_endpoint?: string;
  pushed_authorization_request_endpoint?: string;
  [name: string]: unknown;
}

/** What ID tokens must be like (OpenID Connect Core 3.1.3.7). */
export interface IdTokenPolicy {
  /** Accepted signature algorithms. Default: what the server advertises; never "none", never HMAC. */
  algorithms?: (
    | "RS256"
    | "RS384"
    | "RS512"
    | "PS256"
    | "PS384"
    | "PS512"
    | "ES256"
    | "ES384"
    | "ES512"
    | "EdDSA"
    | "Ed25519"
  )[];
  /** Seconds by which the clocks may differ. Default 60. */
  clockSkewSec?: number;
  /** For servers whose ID tokens are known to name another issuer: that one, exactly. */
  expectIssuer?: string;
  /** For servers whose ID tokens are known to name another audience than the client: that one, exactly. */
  expectAudience?: string;
  /** Takes ID tokens at the word of TLS alone. They then prove nothing about who signed them. */
  dangerouslySkipSignature?: boolean;
}

/** Optional parameters of the authorization request (OpenID Connect Core 3.1.2.1). */
export interface AuthorizationParams {
  prompt?: "none" | "login" | "consent" | "select_account" | "create";
  acrValues?: string;
  /** Seconds since the person last signed in actively. The ID token's `auth_time` is checked against it. */
  maxAge?: number;
  loginHint?: string;
  uiLocales?: string;
  display?: "page" | "popup" | "touch" | "wap";
  /** The claims request (Core 5.5). Essential `acr` and `auth_time` are demanded of the ID token. */
  claims?: object;
  /** What exactly is asked for (RFC 9396), each with its `type`. What was granted is in the result. */
  authorizationDetails?: AuthorizationDetail[];
  /** How the response comes: in the query (default), in the fragment, or signed in the query (JARM). */
  responseMode?: "query" | "fragment" | "jwt";
  /** Other parameters. Those that the client sets itself (state, nonce, code_challenge, …) are refused. */
  extra?: Record<string, string>;
}

/** One authorization detail (RFC 9396 2). */
export interface AuthorizationDetail {
  type: string;
  [name: string]: unknown;
}

/** One sign-in. */
export interface SignInOptions<T = unknown> extends AuthorizationParams {
  /** Scopes to ask for, in place of the client's. */
  scope?: string | string[];
  /** Resources to ask for, in place of the client's. */
  resource?: string | string[];
  /** Comes back in the result, as JSON does; never leaves the browser. */
  appState?: T;
  /** Path of this origin to go to afterwards; anything else is refused. It comes back in the result, and the app goes there. */
  returnTo?: string;
  /** Ends a sign-in that has not left the page yet. */
  signal?: AbortSignal;
}

/** An authorization request, ready to go. */
export interface AuthorizeRequest {
  url: string;
  state: string;
}

/** A finished sign-in. */
export interface SignInResult<T = unknown> {
  user: User | null;
  appState?: T;
  returnTo?: string;
  scopes: { granted: string[]; missing: string[] };
  /** Granted authorization details (RFC 9396 7), where the server tells of them. */
  authorizationDetails?: AuthorizationDetail[];
}

/** A person. `claims` are those of a validated ID token; `sub` is its subject. */
export interface User<C = IdTokenClaims> {
  sub: string;
  claims: C;
}

/** Claims of an ID token (OpenID Connect Core 2). Times are in seconds since the epoch. */
export interface IdTokenClaims {
  iss: string;
  sub: string;
  aud: string | string[];
  exp: number;
  iat: number;
  [name: string]: unknown;
}

/** Which access token, and how fresh. */
export interface TokenOptions {
  /** The resource that it is for (RFC 8707). Default: that of the sign-in. */
  resource?: string;
  /** Scopes, all of which it must have. */
  scope?: string | string[];
  /** Seconds that it must be good for at least, where the server can be asked for another. Default 0. */
  minValiditySec?: number;
  /** Another one than that at hand. `interaction_required` without a refresh token. */
  forceRefresh?: boolean;
  /** Ends the waiting, not what others wait for too. */
  signal?: AbortSignal;
}

/** An access token with what is known of it. */
export interface AccessToken {
  accessToken: string;
  /** With "DPoP", a proof must go with it: `dpopProof`. */
  tokenType: "Bearer" | "DPoP";
  /** Milliseconds since the epoch; `Infinity` where the server does not say. */
  expiresAt: number;
  scopes: string[];
  /** The resource that it is for (RFC 8707), where one was asked for. */
  resource?: string;
  /** Granted authorization details (RFC 9396 7), where the server tells of them. */
  authorizationDetails?: AuthorizationDetail[];
}

/** A `fetch` of its own. */
export interface FetchOptions {
  /** Where it may send tokens, in place of the client's `api`. */
  api: ApiTarget | ApiTarget[];
  /** What relative URLs are relative to. Default: the page. */
  baseUrl?: string;
  /**
   * Is asked when a server wants more than the token shows (RFC 9470), and may get it, with `signIn` in a popup for
   * instance. "retry" sends the request once more, "fail" (default) gives the server's answer to the caller.
   */
  onStepUp?: (challenge: StepUpChallenge) => Promise<"retry" | "fail">;
}

/** What a server wants that the token does not show: options for a sign-in. */
export interface StepUpChallenge {
  /** Authentication context classes, of which one (RFC 9470 3). */
  acrValues?: string;
  /** Seconds since the person last signed in actively, at most. */
  maxAge?: number;
  /** Scopes (RFC 6750 3). */
  scope?: string;
  /** The resource that the token was for. */
  resource?: string;
}

/** One sign-out. */
export interface SignOutOptions {
  /** In place of the client's. */
  postLogoutRedirectUri?: string;
  /** Revokes the tokens at the server first (RFC 7009), as far as it can be reached. */
  revoke?: boolean;
  /**
   * Path of this origin to go to when all is done. With a server that has a sign-out page, it is `handleSignOutCallback`
   * that goes there.
   */
  returnTo?: string;
}

/** Who is signed in. A new object for each change, and only then. */
export type AuthState =
  | { readonly status: "loading" }
  | { readonly status: "anonymous"; readonly reason?: AuthErrorCode }
  | {
      readonly status: "authenticated";
      /** Null without OpenID Connect. */
      readonly user: User | null;
      /** Milliseconds since the epoch; `Infinity` where the server does not say. */
      readonly expiresAt: number;
      readonly scopes: string[];
      /** The server could not be asked for a fresh token, and the one at hand still serves. */
      readonly stale: boolean;
    };

/** What `on` tells of. */
export interface AuthEvents {
  signedIn: User | null;
  signedOut: { reason: AuthErrorCode | "sign_out" };
  /** A sign-in answered for another person than the one before: by their `sub`. */
  userChanged: { from: string; to: string };
  /** Milliseconds since the epoch; `Infinity` where the server does not say. */
  tokenRefreshed: { expiresAt: number };
  /** The server cannot be asked now: it will be again at `retryAt`, in milliseconds since the epoch. */
  refreshDeferred: { retryAt: number; cause: AuthError };
  sessionExpired: AuthError;
  /** A server wants more than the token shows. */
  stepUpRequired: StepUpChallenge;
  stateChanged: AuthState;
}

/** What `logger` is told. */
export interface LogEntry {
  level: "debug" | "info" | "warn" | "error";
  event: string;
  /** Milliseconds since the epoch. */
  at: number;
  detail?: Record<string, string | number | boolean>;
}

/** A client of one authorization server. Every method rejects or throws `AuthError` and nothing else. */
export interface AuthClient {
  /** Where the engine and the tokens are. */
  readonly isolation: "page";
  /** A snapshot; the same object until something changes (fits React's `useSyncExternalStore`). */
  readonly state: AuthState;
  /** Is told of every new state; gives the function that ends it. */
  subscribe(listener: (state: AuthState) => void): () => void;
  /** Is told of one kind of event; gives the function that ends it. */
  on<K extends keyof AuthEvents>(event: K, listener: (detail: AuthEvents[K]) => void): () => void;

  /**
   * Gets metadata and keys and checks the options: from here on `createAuthorizeUrl` is synchronous. A request that has
   * to be pushed is pushed for these options.
   */
  prepare(options?: SignInOptions): Promise<void>;
  /**
   * Mints an authorization URL, in this tick. Each call is a new transaction. `not_initialised` before `prepare`, and
   * where requests must be pushed and none was, for these options.
   */
  createAuthorizeUrl(options?: SignInOptions): AuthorizeRequest;

  /** Leaves the page for the authorization server. Never resolves. */
  signIn<T = unknown>(options?: SignInOptions<T>): Promise<never>;
  /**
   * Signs in in a popup, which opens in the tick of the call: call it in a click, after `prepare` with the same options.
   * `popup_blocked`, `popup_closed`. Works where `Cross-Origin-Opener-Policy` cuts the popup off; a popup that is closed
   * then is found out when the sign-in has expired.
   */
  signInPopup<T = unknown>(options?: SignInOptions<T> & { features?: string }): Promise<SignInResult<T>>;
  /** Signs in in a hidden frame, without a word to the person. `login_required`, `interaction_required`, `timeout`. */
  signInSilent(options?: SignInOptions): Promise<SignInResult>;
  /** Does the URL (default: the page's) look like a response to this client? */
  isCallback(url?: string): boolean;
  /**
   * Finishes a sign-in with the response in the URL (default: the page's), which is cleaned first. Called again, it
   * gives the same result. In a popup or frame it hands the response to the window that waits for it. A URL that is no response to this client is `not_mine`, and left alone.
   */
  handleCallback<T = unknown>(url?: string): Promise<SignInResult<T>>;

  /** The person; null when nobody is signed in, and without OpenID Connect. */
  getUser<C = IdTokenClaims>(): User<C> | null;
  /** An access token that serves; a fresh one where that at hand does not. `not_signed_in`, `session_expired`. */
  getAccessToken(options?: TokenOptions): Promise<string>;
  /** The access token with what is known of it. */
  getToken(options?: TokenOptions): Promise<AccessToken>;
  /** The claims about the person, as the server knows them now (OpenID Connect Core 5.3). */
  userInfo<C = Record<string, unknown>>(): Promise<C>;

  /**
   * `fetch` with the token, for targets in `api` only (`origin_not_allowed`), without cookies, and never redirected.
   * Can be passed around unbound.
   */
  readonly fetch: typeof fetch;
  /** Such a `fetch` for other targets, with an answer to servers that want more. */
  createFetch(options: FetchOptions): typeof fetch;
  /** A proof (RFC 9449) for one request that the app makes by other means. `accessToken`: the one that goes with it. */
  dpopProof(options: { method: string; url: string; accessToken?: string }): Promise<string>;

  /** Scopes granted, asked for, and asked for but not granted. */
  readonly scopes: { granted: string[]; requested: string[]; missing: string[] };

  /** Was all of this granted? */
  hasScope(scope: string | string[]): Promise<boolean>;

  /** Is somebody signed in with what `api` says that a request to this URL needs? (The method makes no difference yet.) */
  covers(method: string, url: string): Promise<boolean>;

  /** Revokes tokens at the server, having forgotten them here (RFC 7009). Default "all", which ends the session. */
  revoke(which?: "access_token" | "refresh_token" | "all"): Promise<void>;
  /** Ends the session here, then at the server, to which the page is left (RP-Initiated Logout). */
  signOut(options?: SignOutOptions): Promise<void>;
  /** Ends the session here only. */
  signOutLocal(): Promise<void>;
  /**
   * Handles the way back from the server's sign-out, at `postLogoutRedirectUri`. `state_mismatch` where it is not the
   * answer to a sign-out of this tab; whoever is signed out stays so.
   */
  handleSignOutCallback(url?: string): Promise<void>;

  /**
   * At the page that the server loads in a frame when the person signs out there (OpenID Connect Front-Channel Logout):
   * ends the session that `iss` and `sid` name. True if it was this one.
   */
  handleFrontChannelLogout(url?: string): Promise<boolean>;
  /**
   * At the page that others send people to for a sign-in (OpenID Connect Core 4): starts it, for our issuer and a
   * target of this origin. False for any other URL, and in a frame.
   */
  handleInitiatedLogin(url?: string): Promise<boolean>;

  /** Forgets everything, and ends every listener. */
  dispose(): void;
}
