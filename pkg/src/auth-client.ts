import type { AuthError, AuthErrorCode } from "./errors.js";
import type {
  AccessToken,
  AuthorizeRequest,
  FetchOptions,
  IdTokenClaims,
  SignInOptions,
  SignInResult,
  SignOutOptions,
  StepUpChallenge,
  TokenOptions,
  User,
} from "./types.js";

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
  /**
   * Where the engine and the tokens are. Always "page" from `wardkey`. From `wardkey/worker`: "shared", one worker for all
   * pages that have the same options; "worker", where the browser has no SharedWorker; "page", where it has neither, or a
   * policy of the page's is against it (the logger is told).
   */
  readonly isolation: "page" | "worker" | "shared";
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
   * where requests must be pushed and none was, for these options; in `wardkey/worker` for all options but those that
   * were prepared last.
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

  /**
   * Scopes granted, asked for, and asked for but not granted; by their meaning where the server's grammar is known
   * (`policies.scopeGrammar`), else by their text.
   */
  readonly scopes: { granted: string[]; requested: string[]; missing: string[] };

  /** Is somebody signed in to whom all of this was granted? */
  hasScope(scope: string | string[]): Promise<boolean>;

  /**
   * Is somebody signed in with what a request needs: by the `scope` of its target in `api`, and by the grammar of scopes
   * where there is one? False for a URL that no target covers. `fetch` rejects with `scope_missing` what the grammar says
   * that the server would refuse; where that is only inferred (no documentation states it), this is false, and it is sent.
   */
  covers(method: string, url: string): Promise<boolean>;

  /**
   * The least scopes that allow these requests: what their targets in `api` ask for, and what the grammar of scopes says;
   * with `granular`, for the very paths, where the server has such scopes. `origin_not_allowed` for a URL that no target
   * covers, `scope_missing` where no scope allows it. (Laserfiche's `table.…` needs a `project/…` too, which only the app
   * can know.)
   */
  scopesFor(operations: { method: string; url: string }[], options?: { granular?: boolean }): Promise<string[]>;

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

  /**
   * Forgets everything, and ends every listener. A worker that other pages share goes on, and so does its session.
   */
  dispose(): void;
}
