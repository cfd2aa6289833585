/**
 * As `wardkey`, with the engine's bytes inlined: for bundlers and hosts that cannot place a `.wasm` file.
 *
 * @module
 */
import bytes from "../generated/wardkey.wasm";
import { speak } from "./codes.js";
import { connect } from "./connect.js";
import { openEngine } from "./engine.js";
import { PageFollower } from "./follow.js";
import type { AuthClient } from "./auth-client.js";
import type { AuthOptions } from "./types.js";

export * from "./exports.js";

/** Starts the engine once (memoised) and gives a client. Importing the package does nothing else, also in Node. */
export function createAuthClient(options: AuthOptions): Promise<AuthClient> {
  return connect(options, async (source = bytes, given, listener) => [
    await openEngine(source, given, listener),
    PageFollower,
  ]);
}

speak();
