import init, { Engine } from "../generated/wardkey.js";
import { isResponse, recipient } from "./callback.js";
import { fromEngine, type EngineError } from "./codes.js";
import { Elsewhere } from "./elsewhere.js";
import { AuthError, misuse } from "./errors.js";
import { text } from "./page.js";
import { handOver } from "./relay.js";
import { refuseClientSecret } from "./secrets.js";
import { checkPerson, EVENTS, sight, tell, type Listener } from "./told.js";
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

/** What takes no time, and is done in the tick in which it is called. */
const AT_ONCE = [
  "signOutLocal",
  "covers",
  "hasScope",
  "scopesFor",
  "frontChannelLogout",
  "initiatedLogin",
  "follow",
  "forget",
];

/** What ends a silent sign-in that is under way, though nobody is signed in. */
const SIGN_OUTS = ["signOut", "signOutLocal", "follow"];

/** One engine, until it is let go. */
function start(options: string, hear: (event: string, detail: unknown) => void) {
  let engine: Engine | undefined = enter(() => new Engine(options, hear));
  const current = () => {
    if (!engine) throw new AuthError("not_initialised", "configuration", "the client was disposed");
    return engine;
  };
  return {
    run: (operation: string, argument?: unknown) => enter(() => current().run(operation, text(argument))),
    call: (operation: string, argument?: unknown) => attempt(() => current().call(operation, text(argument))),
    fetch: (...given: Parameters<Engine["fetch"]>) => attempt(() => current().fetch(...given)),
    free() {
      const last = engine;
      engine = undefined;
      // Not at once: it may be a listener that disposes, in the middle of an operation.
      queueMicrotask(() => hasStopped || last?.free());
    },
  };
}

/** The engine on this thread. */
export async function openEngine(source: WasmSource, options: AuthOptions, listener: Listener): Promise<Transport> {
  checkSpelling("redirectUri", options.redirectUri);
  checkSpelling("silentRedirectUri", options.silentRedirectUri);
  const given = text(options);
  await load(source);
  const engine = start(given, (event, detail) => {
    if (event === "signedOut") elsewhere.signedOut();
    tell(listener, event, detail);
  });
  const tag = engine.run("tag") as string;
  const whose = recipient(options, tag);
  const elsewhere = new Elsewhere(engine.call, (url) => isResponse(url, whose), options.restoreTimeoutMs);
  const seen = () => sight(engine.run("state"));
  const run = (operation: string, argument?: unknown): unknown => {
    if (SIGN_OUTS.includes(operation)) elsewhere.signedOut();
    try {
      return engine.run(operation, argument);
    } catch (error) {
      // Without one that is minted ahead, a popup waits for its URL.
      if (operation === "createPopupUrl" && (error as AuthError).code === "not_initialised" && !hasStopped) return;
      throw error;
    }
  };
  return {
    isolation: "page",
    whose,
    events: EVENTS,
    get sight() {
      return seen();
    },
    async call(operation, argument, signal = new AbortController().signal) {
      if (operation === "relay") return handOver(argument as string, tag);
      if (operation === "beginFrame") return elsewhere.beginFrame(argument as object);
      if (operation === "frame" || operation === "popup") return elsewhere[operation](argument, signal);
      if (AT_ONCE.includes(operation)) return run(operation, argument);
      if (SIGN_OUTS.includes(operation)) elsewhere.signedOut();
      const answer = await engine.call(operation, argument);
      return operation === "getToken" ? { ...answer, expiresAt: answer.expiresAt ?? Infinity } : answer;
    },
    run,
    checkApi: (api) => void engine.run("checkApi", api),
    async fetch(request, api, replayable, _, sub) {
      checkPerson(seen(), sub);
      await refuseClientSecret(request, replayable);
      return engine.fetch(request, api, replayable);
    },
    dispose() {
      elsewhere.signedOut();
      engine.free();
    },
  };
}
