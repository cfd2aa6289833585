import type { AuthState } from "./auth-client.js";
import type { ApiTarget } from "./types.js";

/**
 * What a person typed in, to be sent with each request. Client secrets and server keys are refused
 * (`credential_refused`): whatever a page holds, everybody has who opens it.
 */
export type Credential =
  /** `Authorization: Bearer …` (RFC 6750 2.1). */
  | { scheme: "bearer"; token: string }
  /** `Authorization: Basic …` (RFC 7617), in UTF-8. A user name has no colon. */
  | { scheme: "basic"; username: string; password: string }
  /** A header of the server's own. `prefix`: a word before the value, with a space between. */
  | { scheme: "apiKey"; header: string; value: string; prefix?: string };

/** What `createCookieSession` takes. An unknown name is refused, so that no option is silently ignored. */
export interface CookieSessionOptions {
  /**
   * Where requests of `fetch` may go. Targets of another origin must be of the page's site, as browsers send cookies to
   * no other. A site is told by the last two labels of its host: where these are a public suffix (`co.uk`, `github.io`),
   * browsers draw the line closer, and send nothing.
   */
  api: ApiTarget | ApiTarget[];
  /**
   * The header by which the server knows that a request is the page's own. With `value`, a fixed one such as
   * `X-CSRF: 1`: it is no secret, and goes with every request, as backends for frontend want it. With `cookie`, the value
   * of the cookie with this name, as it is (double submit): it goes to the page's own origin alone, by methods that change
   * something.
   */
  csrf?: { cookie?: string; header: string; value?: string };
  /**
   * Says who is signed in: a JSON object, or an array of `{ type, value }`. 401, 403, an empty answer, `null`, `{}` and
   * `[]` mean nobody, and so do a `user` or `sub` that is null and an `authenticated` or `isAuthenticated` that is false.
   * It is asked after each refresh, too: the cookie may be another person's by then. Without it, and without `refresh`, nobody asks: the state is "anonymous".
   */
  userUrl?: string;
  /** The page on which people sign in. It is given where to come back to as `returnUrl`. */
  signInUrl?: string;
  /**
   * Prolongs the session, by POST. `everySec`: seconds between two, while somebody is signed in and the page is to be
   * seen; at least 30, and what is less counts as 30. Default: only when `refresh()` is called.
   */
  refresh?: { url: string; everySec?: number };
  /**
   * Ends the session, by POST. Where the user has a claim `bff:logout_url`, that page ends it instead, if it is of the
   * origin of `userUrl` or of this page.
   */
  signOutUrl?: string;
}

/** A session that an `HttpOnly` cookie of the server holds. Script sees no more of it than the server tells. */
export interface CookieSession {
  /**
   * A snapshot; the same object until something changes. `user.sub` is the member `sub`, or else the first there is of
   * `id`, `userId`, `user_id`, `UserIdentifier`, `email` and `UserEmail`; without any, `user` is null. `expiresAt` is
   * known from a claim `bff:session_expires_in` alone.
   */
  readonly state: AuthState;
  /**
   * `fetch` with the cookie and the CSRF header, for targets in `api` only (`origin_not_allowed`), without
   * `Authorization` (`credential_refused`), and never redirected. A 401 ends the session here, and is the caller's.
   */
  readonly fetch: typeof fetch;
  /**
   * Leaves the page for `signInUrl`. `returnTo`: path of this origin to come back to, default the page's own; anything
   * else is refused. It goes as the parameter `returnUrl`: a path, or a URL where the page is of another origin. Never
   * resolves.
   */
  signIn(options?: { returnTo?: string }): Promise<never>;
  /**
   * Prolongs the session; one request at a time, however many ask. `session_expired` where it has ended, by a
   * sign-out under way too; what is `retryable` leaves it as it is. Without the option `refresh`, asks at `userUrl` who is signed in.
   */
  refresh(): Promise<void>;
  /**
   * Ends the session at the server, and with it in all tabs. Only the server can: where it cannot be reached, this
   * rejects, and the session goes on.
   */
  signOut(): Promise<void>;
  /** Is told of every new state; gives the function that ends it. */
  subscribe(listener: (state: AuthState) => void): () => void;
  /** Forgets everything here, and ends every listener. The session at the server goes on. */
  dispose(): void;
}
