/** The engine on the page after all, where there is no worker to be had. */
import { speak } from "../codes.js";
import { openEngine } from "../engine.js";
import type { Listener, Transport } from "../transport.js";
import { check, guarded } from "./charter.js";
import type { Charter } from "./messages.js";

export async function openDirect(charter: Charter, listener: Listener): Promise<Transport> {
  check(charter);
  speak();
  const { wasm, options } = charter;
  return guarded(await openEngine(wasm, options, listener), charter);
}
