/** What `wardkey` and `wardkey/inline` have besides `createAuthClient`. */
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
