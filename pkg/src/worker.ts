/**
 * As `wardkey`, with the engine and every token in a worker: they never enter the page, and outlast its reload.
 *
 * @module
 */
import { connect } from "./connect.js";
import { openVault } from "./vault/open.js";
import type { AuthClient } from "./auth-client.js";
import type { AuthOptions } from "./types.js";

export { AuthError, isAuthError } from "./errors.js";
export type { AuthErrorCode, AuthErrorPhase } from "./errors.js";
export type * from "./auth-client.js";
export type * from "./types.js";

/**
 * Opens the worker of these options, or finds the one that is there, and gives a client. Importing the package does
 * nothing else, also in Node.
 */
export function createAuthClient(options: AuthOptions): Promise<AuthClient> {
  const files = { wasm: new URL("./wardkey.wasm", import.meta.url), workerScript: new URL("./vault.js", import.meta.url) };
  return connect(options, (wasm, given, listener) => openVault(files, wasm, given, listener));
}
