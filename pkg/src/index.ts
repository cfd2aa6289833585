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

export * from "./exports.js";

/** Loads the engine once (memoised) and gives a client. Importing the package does nothing else, also in Node. */
export function createAuthClient(options: AuthOptions): Promise<AuthClient> {
  return connect(options, async (source = new URL("./wardkey.wasm", import.meta.url), given, listener) => [
    await openEngine(source, given, listener),
    PageFollower,
  ]);
}

speak();
