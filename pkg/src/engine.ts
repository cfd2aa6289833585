import init, { Engine } from "../generated/wardkey.js";
import { isResponse, recipient } from "./callback.js";
import { fromEngine, type EngineError } from "./codes.js";
import { AuthError, misuse } from "./errors.js";
import { text } from "./page.js";
import { awaited, handOver } from "./relay.js";
import { refuseClientSecret } from "./secrets.js";
import { sight, tell, type Listener } from "./told.js";
import type { Transport } from "./transport.js";
import type { AuthOptions } from "./types.js";

/** Where the engine's bytes come from. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

/**
 * Has the engine trapped? All clients of the page live in its one memory, of which nothing is known then; and what it
 * has left with the browser would come back to a second one, so that there is none.
 */
let hasStopped = false;

/** Is the engine to be done with? */
export const isStopped = () => hasStopped;

/** What the engine refuses is a list; anything else that is none of our own errors is a trap. */
const failure = (error: unknown) => (Array.isArray(error) ? fromEngine(error as EngineError) : AuthError.from(error));

/** A step into the engine. */
function enter<R>(step: () => R): R {
  if (hasStopped) throw AuthError.from(undefined);
  try {
    return step();
  } catch (error) {
    hasStopped = !Array.isArray(error) && !(error instanceof AuthError);
    throw failure(error);
  }
}

/** A step into the engine that takes its time. */
async function attempt<R>(step: () => Promise<R>): Promise<R> {
  const running = enter(step);
  try {
    return await running;
  } catch (error) {
    throw failure(error);
  }
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

/** The response will be at the URL as the browser spells it. Another spelling would never be recognised. */
function checkSpelling(name: string, uri: unknown): void {
  if (typeof uri !== "string" || !URL.canParse(uri)) return; // The engine says what is wrong.
  const { href } = new URL(uri);
  if (href !== uri && href !== `${uri}/`) {
    throw misuse(`${name} is spelt ${href} by browsers`);
  }
}

/** The engine on this thread. */
export async function openEngine(source: WasmSource, options: AuthOptions, listener: Listener): Promise<Transport> {
  checkSpelling("redirectUri", options.redirectUri);
  checkSpelling("silentRedirectUri", options.silentRedirectUri);
  const given = text(options);
  await load(source);
  const hear = (event: string, detail: unknown) => tell(listener, event, detail);
  let engine: Engine | undefined = enter(() => new Engine(given, hear));
  const current = () => {
    if (!engine) throw new AuthError("not_initialised", "configuration", "the client was disposed");
    return engine;
  };
  const tag = enter(() => current().run("tag", "{}")) as string;
  const whose = recipient(options, tag);
  return {
    isolation: "page",
    tag,
    get sight() {
      return sight(enter(() => current().run("state", "{}")));
    },
    async call(operation, argument) {
      if (operation === "relay") return handOver(argument as string, tag);
      const answer = await attempt(() => current().call(operation, text(argument)));
      return operation === "getToken" ? { ...answer, expiresAt: answer.expiresAt ?? Infinity } : answer;
    },
    run(operation, argument) {
      try {
        return enter(() => current().run(operation, text(argument)));
      } catch (error) {
        // Without one that is minted ahead, a popup waits for its URL.
        if (operation === "createPopupUrl" && (error as AuthError).code === "not_initialised" && !hasStopped) return;
        throw error;
      }
    },
    checkApi: (api) => void enter(() => current().run("checkApi", text(api))),
    async fetch(request, api, replayable) {
      await refuseClientSecret(request, replayable);
      return attempt(() => current().fetch(request, api, replayable));
    },
    listen: (state, signal) => awaited(state, (url) => isResponse(url, whose), signal),
    dispose() {
      const last = engine;
      engine = undefined;
      // Not at once: it may be a listener that disposes, in the middle of an operation.
      queueMicrotask(() => hasStopped || last?.free());
    },
  };
}
