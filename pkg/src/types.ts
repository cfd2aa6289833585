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
  /** Where access tokens may be sent. Empty or absent: nowhere. */
  api?: ApiTarget | ApiTarget[];
  /** Parameters of every authorization request. */
  authorizationParams?: AuthorizationParams;
  /** What ID tokens must be like. Default: strict. */
  idToken?: IdTokenPolicy;
  /** Milliseconds that a request of the client's own may take, its body included. Default 10,000. */
  timeoutMs?: number;
  /** Where tokens rest. There is one way so far. */
  storage?: "memory";
  /** Where a sign-in in progress rests between leaving the page and the response. There is one way so far. */
  transactionStorage?: "sessionStorage";
  /** What to do about a session that the page does not hold after a load. There is one way so far: nothing. */
  restore?: "none";
  /** Pushed authorization requests (RFC 9126). There are none so far. */
  par?: "off";
  /** Is told what happens. Entries hold no token, code, verifier or claim. */
  logger?: (entry: LogEntry) => void;
  /** Where the engine's bytes come from. Default: `wardkey.wasm` beside the entry module. */
  wasm?: string | URL | BufferSource | WebAssembly.Module;
}

/**
 * A place that may have the token: a URL whose path is a prefix that ends at a segment (`https://api.example/v1`
 * covers `/v1` and `/v1/notes`, not `/v10`), or its origin and path apart.
 */
export type ApiTarget = string | { origin: string; path?: string };

/** Authorization server metadata (RFC 8414 2). Other members are allowed and not used. */
export interface ServerMetadata {
  issuer?: string;
  authorization_endpoint: string;
  token_endpoint: string;
  jwks_uri?: string;
  end_session_endpoint?: string;
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
  /** Other parameters. Those that the client sets itself (state, nonce, code_challenge, …) are refused. */
  extra?: Record<string, string>;
}

/** One sign-in. */
export interface SignInOptions<T = unknown> extends AuthorizationParams {
  /** Scopes to ask for, in place of the client's. */
  scope?: string | string[];
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

/** An access token with what is known of it. */
export interface AccessToken {
  accessToken: string;
  tokenType: "Bearer";
  /** Milliseconds since the epoch; `Infinity` where the server does not say. */
  expiresAt: number;
  scopes: string[];
}

/** One sign-out. */
export interface SignOutOptions {
  /** In place of the client's. */
  postLogoutRedirectUri?: string;
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
  sessionExpired: AuthError;
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

  /** Gets metadata and keys and checks the options: from here on `createAuthorizeUrl` is synchronous. */
  prepare(options?: SignInOptions): Promise<void>;
  /** Mints an authorization URL, in this tick. Each call is a new transaction. `not_initialised` before `prepare`. */
  createAuthorizeUrl(options?: SignInOptions): AuthorizeRequest;

  /** Leaves the page for the authorization server. Never resolves. */
  signIn<T = unknown>(options?: SignInOptions<T>): Promise<never>;
  /** Does the URL (default: the page's) look like a response to this client? */
  isCallback(url?: string): boolean;
  /**
   * Finishes a sign-in with the response in the URL (default: the page's), which is cleaned first. Called again, it
   * gives the same result. A URL that is no response to this client is `not_mine`, and left alone.
   */
  handleCallback<T = unknown>(url?: string): Promise<SignInResult<T>>;

  /** The person; null when nobody is signed in, and without OpenID Connect. */
  getUser<C = IdTokenClaims>(): User<C> | null;
  /** The access token. `not_signed_in`, `session_expired`. */
  getAccessToken(): Promise<string>;
  /** The access token with what is known of it. */
  getToken(): Promise<AccessToken>;

  /**
   * `fetch` with the token, for targets in `api` only (`origin_not_allowed`), without cookies, and never redirected.
   * Can be passed around unbound.
   */
  readonly fetch: typeof fetch;

  /** Scopes granted, asked for, and asked for but not granted. */
  readonly scopes: { granted: string[]; requested: string[]; missing: string[] };

  /** Ends the session here, then at the server, to which the page is left (RP-Initiated Logout). */
  signOut(options?: SignOutOptions): Promise<void>;
  /** Ends the session here only. */
  signOutLocal(): Promise<void>;
  /**
   * Handles the way back from the server's sign-out, at `postLogoutRedirectUri`. `state_mismatch` where it is not the
   * answer to a sign-out of this tab; whoever is signed out stays so.
   */
  handleSignOutCallback(url?: string): Promise<void>;

  /** Forgets everything, and ends every listener. */
  dispose(): void;
}
