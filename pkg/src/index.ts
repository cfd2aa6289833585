/**
 * Sign people in to browser apps: OAuth 2.0 authorization code with PKCE, and OpenID Connect.
 *
 * @module
 */
import { speak } from "./codes.js";
import { connect } from "./connect.js";
import { openEngine } from "./engine.js";
import { PageFollower } from "./follow.js";
import type { AuthClient } from "./auth-client.js";
import type { AuthOptions } from "./types.js";

export { deleteCookie, getCookie, issueCsrfToken, parseCookies, serializeCookie, setCookie } from "./cookies.js";
export type { CookieOptions } from "./cookies.js";
export { createCookieSession } from "./cookie-session.js";
export { createCredentialFetch } from "./credential-fetch.js";
export { AuthError, isAuthError } from "./errors.js";
export { relayCallback } from "./relay.js";
export type { AuthErrorCode, AuthErrorPhase } from "./errors.js";
export type * from "./auth-client.js";
export type * from "./session-types.js";
export type * from "./types.js";

/** Loads the engine once (memoised) and gives a client. Importing the package does nothing else, also in Node. */
export function createAuthClient(options: AuthOptions): Promise<AuthClient> {
  return connect(options, async (source = new URL("./wardkey.wasm", import.meta.url), given, listener) => [
    await openEngine(source, given, listener),
    PageFollower,
  ]);
}

speak();
