/** Codes and phases by the numbers that the engine has for them, and the sentences of the codes. */
import { AuthError, sentences, type AuthErrorCode } from "./errors.js";

/**
 * The codes of `AuthError`, in the order of their numbers in the engine (`src/protocol/error.rs`), each with its
 * sentence. A test compares the two lists.
 */
export const ERRORS = {
  invalid_configuration: "An option is wrong",
  insecure_context: "The page is not in a secure context",
  not_initialised: "The engine is not ready",
  discovery_failed: "The authorization server's metadata is not usable",
  issuer_mismatch: "Another issuer answered",
  state_mismatch: "The response bears no state of ours",
  transaction_not_found: "The sign-in is not known",
  already_completed: "The sign-in was finished before",
  not_mine: "The URL is not for this client",
  invalid_callback: "The response is malformed",
  access_denied: "Access was denied",
  login_required: "The server wants a sign-in",
  interaction_required: "The server wants to be seen",
  authorization_failed: "The server refused the request",
  invalid_token_response: "The token response is malformed",
  invalid_grant: "The code is not valid any more",
  id_token_invalid: "The ID token is not valid",
  jwks_failed: "The server's keys are not usable",
  dpop_failed: "Proof of possession failed",
  token_type_mismatch: "The token is of another type",
  user_mismatch: "Another person answered",
  login_loop: "It goes round in circles",
  popup_blocked: "The popup was blocked",
  popup_closed: "The popup was closed",
  timeout: "It took too long",
  aborted: "The call was aborted",
  offline: "There is no network",
  network: "The request failed",
  rate_limited: "Too many requests",
  server_error: "The server could not serve",
  not_signed_in: "There is no session",
  session_expired: "The session has ended",
  scope_missing: "It was not granted",
  origin_not_allowed: "The token may not be sent there",
  body_not_replayable: "The body can be sent only once",
  credential_refused: "The credential is refused",
  storage_unavailable: "The browser denies storage",
  invalid_cookie: "The cookie is not usable",
} as const;

export const PHASES = [
  "configuration",
  "discovery",
  "authorize",
  "callback",
  "token",
  "refresh",
  "userinfo",
  "fetch",
  "storage",
  "sign_out",
] as const;

/** An error as the engine hands it over: numbers for code and phase, and what else is known. */
export type EngineError = [
  code: number,
  phase: number,
  retryable: boolean,
  status: number | null,
  oauthError: string | null,
  reason: string,
  option: string | null,
];

/** Lets errors that are made on this thread say their sentence, and not their code alone. */
export function speak(): void {
  Object.assign(sentences, ERRORS);
}

/** The code with a number of the engine's. */
export function codeOf(number: number): AuthErrorCode {
  return Object.keys(ERRORS)[number] as AuthErrorCode;
}

/** Makes an error of what the engine hands over. */
export function fromEngine([code, phase, retryable, status, oauthError, reason, option]: EngineError): AuthError {
  const made = new AuthError(codeOf(code), PHASES[phase]!, option ? `${option} ${reason}` : reason, retryable);
  return Object.assign(made, status !== null && { status }, oauthError !== null && { oauthError });
}
