import type { LogEntry } from "./auth-client.js";

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
   * `wardkey/worker` takes "memory" alone: its tokens stay in the worker.
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
   * comes to another tab; `appState` must be small. "memory": this page, for popups and frames alone; `signIn` is refused.
   * From `wardkey/worker`, with a SharedWorker that outlasts its pages, "memory" is the default and serves `signIn` too:
   * nothing is stored. Chromium ends such a worker five minutes after its last page is gone; who is longer at the
   * server gets `transaction_not_found`.
   */
  transactionStorage?: "sessionStorage" | "cookie" | "memory";
  /**
   * Pushed authorization requests (RFC 9126): "auto" where the server can, "required" always, "off" never. Default:
   * where the server takes no others.
   */
  par?: "auto" | "required" | "off";
  /**
   * Binds tokens to a key that the browser keeps (RFC 9449): a stolen token is then of no use elsewhere. Default false.
   * `algorithms`: what to sign proofs with, the preferred one first, as far as server and browser have it; default ES256,
   * then EdDSA.
   */
  dpop?: boolean | { algorithms?: ("ES256" | "EdDSA")[] };
  /**
   * Getting fresh access tokens with the refresh token. `leewaySec`: seconds before its end in which a token is not used
   * any more if another can be had, default 30 (and never more than half of its life). `auto`: also when no call asks for
   * one, default true.
   */
  refresh?: { leewaySec?: number; auto?: boolean };
  /** In what the server is known to deviate from the standards; the profiles of `wardkey/providers` set it. */
  policies?: ServerPolicies;
  /** Is told what happens. Entries hold no token, code, verifier or claim. */
  logger?: (entry: LogEntry) => void;
  /** Where the engine's bytes come from; in `wardkey/worker` a URL. Default: `wardkey.wasm` beside the entry module. */
  wasm?: string | URL | BufferSource | WebAssembly.Module;
  /**
   * `wardkey/worker` only: URL of the worker's script, of the page's own origin. Default: `vault.js` beside the entry
   * module. Under `require-trusted-types-for 'script'` it is passed through a policy named `wardkey`, which a
   * `trusted-types` directive has to allow.
   */
  workerUrl?: string | URL;
  /**
   * `wardkey/worker` only: false refuses `getAccessToken` and `getToken` (`credential_refused`), so that no access token
   * ever enters the page. Default true.
   */
  exposeAccessToken?: boolean;
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

/** Deviations from the standards that a server is known for. Each one is off unless given. */
export interface ServerPolicies {
  /** What scopes mean beyond their text: for `scopes.missing`, `covers` and requests that were not granted. */
  scopeGrammar?: "laserfiche" | "docspace";
  /** The one origin at which the grammar judges requests by their path, as "https://api.example". Default: all of `api`. */
  scopeOrigin?: string;
  /** Sends no `client_id`: the server knows its clients by their redirect URI. */
  omitClientId?: boolean;
  /** Refuses redirect URIs with a query: the server would write a second `?` behind it. */
  plainRedirectUri?: boolean;
  /** Members of the token response that bear another name, with the standard's: `{ refreshToken: "refresh_token" }`. */
  tokenResponseNames?: Record<string, string>;
  /**
   * Parameters of the authorization response, with the values that each may have where it is there, once. Another is
   * refused with `invalid_callback`, right after the `state` and before anything else is looked at.
   */
  expectResponse?: Record<string, string[]>;
  /**
   * The one parameter of the server's sign-out page, for where it leads back to, as "wreply": no other is sent. The way
   * back has no `state` then; `handleSignOutCallback` takes it in the tab that signed out, and it is `not_mine` elsewhere.
   */
  signOutReturnParameter?: string;
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
  /**
   * For servers whose ID tokens are known to name another audience than the client: that one, exactly. `azp` must name
   * the client then.
   */
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
  /**
   * Scopes to ask for, in place of the client's. With `policies.scopeGrammar`, what was granted to who is signed in is
   * asked for again, so that a sign-in for more loses nothing.
   */
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
  /** Where it may send tokens, in place of the client's `api`; with `exposeAccessToken: false`, only within that. */
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
  /**
   * Authentication context classes, of which one (RFC 9470 3). Asked for so they are voluntary (Core 3.1.2.1): whether the
   * token has one is for the API to say. `claims: { id_token: { acr: { essential: true, values } } }` has the ID token
   * refused without.
   */
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
