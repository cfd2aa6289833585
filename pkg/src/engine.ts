import init, { Engine } from "../generated/wardkey.js";
import { AuthError } from "./errors.js";
import type { Listener, Snapshot, Transport } from "./transport.js";

/** Where the engine's bytes come from. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

/**
 * Has the engine trapped? All clients of the page live in its one memory, of which nothing is known then; and what it
 * has left with the browser would come back to a second one, so that there is none.
 */
let hasStopped = false;

/** A step into the engine. What it refuses is a list (`EngineError`); anything else is a trap. */
function enter<R>(step: () => R): R {
  try {
    if (!hasStopped) return step();
  } catch (error) {
    if (Array.isArray(error) || error instanceof AuthError) throw error;
  }
  hasStopped = true;
  throw AuthError.from(undefined);
}

/** Loads the engine; once, as wasm-bindgen's `init` sees to. A load that failed can be tried again. */
async function load(source: WasmSource): Promise<void> {
  try {
    await init({ module_or_path: source });
  } catch {
    const reason = "wardkey.wasm did not load; see `wasm`, and `script-src 'wasm-unsafe-eval'` of your CSP";
    throw new AuthError("not_initialised", "configuration", reason, true);
  }
}

/** Text for the engine. What JSON cannot say (a cycle, a BigInt) is the caller's mistake. */
function text(value: unknown): string {
  try {
    const json = JSON.stringify(value ?? {});
    if (json) return json;
  } catch {
    // A cycle, a BigInt, a getter that throws.
  }
  throw new AuthError("invalid_configuration", "configuration", "an option is not plain JSON");
}

/** The engine on this thread. */
export async function openEngine(source: WasmSource, options: object, listener: Listener): Promise<Transport> {
  const given = text(options);
  await load(source);
  let engine: Engine | undefined = enter(() => new Engine(given, listener));
  const current = () => {
    if (!engine) throw new AuthError("not_initialised", "configuration", "the client was disposed");
    return engine;
  };
  return {
    isolation: "page",
    tag: enter(() => current().run("tag", "{}")) as string,
    get snapshot() {
      return enter(() => current().run("state", "{}")) as Snapshot;
    },
    call: async (operation, argument) => enter(() => current().call(operation, text(argument))),
    run: (operation, argument) => enter(() => current().run(operation, text(argument))),
    fetch: async (request, api, replayable) => enter(() => current().fetch(request, api, replayable)),
    dispose() {
      const last = engine;
      engine = undefined;
      // Not at once: it may be a listener that disposes, in the middle of an operation.
      queueMicrotask(() => hasStopped || last?.free());
    },
  };
}
