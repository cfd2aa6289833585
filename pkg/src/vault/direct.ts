/** The engine on the page after all, where there is no worker to be had. */
import { openEngine } from "../engine.js";
import { hidden } from "./hidden.js";
import { PageFollower } from "../follow.js";
import type { Follows } from "../regain.js";
import type { Listener, Transport } from "../transport.js";
import type { Charter } from "./messages.js";


export async function openDirect(charter: Charter, listener: Listener): Promise<[Transport, Follows]> {
  const { wasm, options, exposesTokens } = charter;
  const engine = await openEngine(wasm, options, listener);
  const { call } = engine;
  if (!exposesTokens) {
    engine.call = async (operation, argument) => {
      if (operation === "getToken") throw hidden();
      return call(operation, argument);
    };
  }
  return [engine, PageFollower];
}
