import type { ERRORS, PHASES } from "./codes.js";

/** What went wrong. Stable: write your conditions on it. */
export type AuthErrorCode = keyof typeof ERRORS;

/** In the course of what it went wrong. */
export type AuthErrorPhase = (typeof PHASES)[number];

/** The sentences of the codes, where they are: a vault's page goes without, as its errors come from the worker. */
export const sentences: Partial<typeof ERRORS> = {};

/** Every rejection and throw of this package. Safe to log: it holds no token, code, verifier or claim. */
export class AuthError extends Error {
  override readonly name = "AuthError";
  /** What went wrong. */
  declare readonly code: AuthErrorCode;
  /** In the course of what. */
  declare readonly phase: AuthErrorPhase;
  /** The same call may succeed later without the user doing anything. */
  declare readonly retryable: boolean;
  /** The HTTP status, where a server answered. */
  declare readonly status?: number;
  /** The server's `error` value, where it sent a well-formed one. */
  declare readonly oauthError?: string;

  /** @internal */
  constructor(code: AuthErrorCode, phase: AuthErrorPhase, reason: string, retryable = false) {
    super(`${sentences[code] ?? code}: ${reason}`);
    Object.assign(this, { code, phase, retryable });
  }

  /** @internal */
  static from(error: unknown): AuthError {
    if (error instanceof AuthError) return error;
    // No error of our own making: the engine has trapped, and does not go on.
    return new AuthError("not_initialised", "configuration", "the engine stopped; reload the page");
  }

  /** Parts that are loaded later bring a copy of this class. */
  static override readonly [Symbol.hasInstance] = isAuthError;

  /** What `JSON.stringify` sees. */
  toJSON(): object {
    return { ...this, message: this.message };
  }
}

/** A mistake of the app's. */
export const misuse = (reason: string, phase: AuthErrorPhase = "configuration") =>
  new AuthError("invalid_configuration", phase, reason);

/** Makes the error anew whose `toJSON` came from another thread. */
export function fromJson(plain: AuthError): AuthError {
  return Object.assign(new AuthError("network", "fetch", ""), plain);
}

/** Is it an `AuthError`? Also across realms and copies of the package, where `instanceof` says no. */
export function isAuthError(value: unknown): value is AuthError {
  const { name, code, phase, retryable } = (value ?? {}) as AuthError;
  const isLike = typeof code === "string" && typeof phase === "string" && typeof retryable === "boolean";
  return name === "AuthError" && isLike && value instanceof Error;
}
