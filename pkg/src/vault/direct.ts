/** The engine on the page after all, where there is no worker to be had. */
import { speak } from "../codes.js";
import { openEngine } from "../engine.js";
import type { Listener, Transport } from "../transport.js";
import { check, hidden } from "./charter.js";
import type { Charter } from "./messages.js";

export async function openDirect(charter: Charter, listener: Listener): Promise<Transport> {
  check(charter);
  speak();
  const { wasm, options, exposesTokens } = charter;
  const engine = await openEngine(wasm, options, listener);
  const { call } = engine;
  if (!exposesTokens) {
    engine.call = async (operation, argument) => {
      if (operation === "getToken") throw hidden();
      return call(operation, argument);
    };
  }
  return engine;
}
