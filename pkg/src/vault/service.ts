/** What runs in the worker: one engine, and the pages that ask it. */
import { AuthError, isAuthError } from "../errors.js";
import { Restore } from "../restore.js";
import type { Transport } from "../transport.js";
import type { AuthorizeRequest } from "../types.js";
import { fetchCall, type Sent } from "./call.js";
import { check, guarded } from "./charter.js";
import { PROTOCOL, type Charter, type FetchCall, type Minted } from "./messages.js";
import { shim } from "./shims.js";

/** A module with an engine of its own. */
export type EngineModule = Pick<typeof import("../engine.js"), "openEngine" | "isStopped">;

/** What a page waits for. An answer may be there, and its body still on the way. */
interface Call {
  readonly controller: AbortController;
  isAnswered: boolean;
}

/** A page. */
interface Link {
  readonly port: MessagePort;
  readonly calls: Map<number, Call>;
}

type Step = (engine: Transport, argument: unknown, signal: AbortSignal, link: Link) => unknown;

/** What the engine waits for, and what it does at once. A page can ask for these, and for `#steps`, and for nothing else. */
const CALLS = [
  "begin",
  "beginPopup",
  "beginFrame",
  "look",
  "handleCallback",
  "getToken",
  "relay",
  "userInfo",
  "revoke",
  "dpopProof",
  "signOut",
  "handleSignOutCallback",
];
const RUNS = ["signOutLocal", "covers", "hasScope", "scopesFor", "frontChannelLogout", "initiatedLogin", "follow"];

const stopped = () => new AuthError("not_initialised", "configuration", "the engine has stopped, and starts again", true);

export class Service {
  readonly #charter: Charter;
  readonly #load: (generation: number) => Promise<EngineModule>;
  readonly #links = new Set<Link>();
  /** The lock that is held as long as this worker is there: so the pages know. */
  readonly #life = `wardkey:${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
  /** Before that, a page would get it, and take this worker for gone. */
  readonly #isHeld: Promise<void>;
  readonly #adopt: (kept: string) => void;
  readonly #steps = this.#table();
  #generation = 0;
  #module: EngineModule | undefined;
  #opening: Promise<Transport> | undefined;
  #restore!: Restore;
  #key = "";

  /** `load` gives the module of the engine: for each generation another one, with a memory of its own. */
  constructor(charter: Charter, load: (generation: number) => Promise<EngineModule>) {
    this.#charter = charter;
    this.#load = load;
    this.#adopt = shim(
      () => this.#key,
      (text) => this.#tell("keep", { text }),
    );
    const locks = navigator.locks as LockManager | undefined;
    this.#isHeld = new Promise((held) => {
      if (!locks) return held();
      locks.request(this.#life, () => (held(), new Promise(() => {}))).catch(held);
    });
  }

  /** Takes up a page. */
  connect(port: MessagePort): void {
    const link: Link = { port, calls: new Map() };
    port.onmessage = ({ data }) => void this.#hear(link, data);
  }

  /** What is no message of this protocol is ignored. */
  async #hear(link: Link, data: unknown): Promise<void> {
    const [protocol, id, operation, argument] = Array.isArray(data) ? (data as unknown[]) : [];
    if (protocol !== PROTOCOL || !Number.isSafeInteger(id) || typeof operation !== "string") return;
    const number = id as number;
    if (operation === "abort") return abort(link, number);
    const isFetch = operation === "fetch";
    if (link.calls.has(number) || isFetch === (typeof argument === "string")) return;
    if (!isFetch && !Object.hasOwn(this.#steps, operation)) return;
    const call: Call = { controller: new AbortController(), isAnswered: false };
    link.calls.set(number, call);
    const { signal } = call.controller;
    const end = () => void link.calls.delete(number);
    try {
      const engine = await this.#engine();
      const [value, transfer]: Sent = isFetch
        ? await fetchCall(engine, argument as FetchCall, signal, end)
        : [await this.#steps[operation]!(engine, JSON.parse(argument as string), signal, link), []];
      this.#answer(link, number, [value], transfer);
      if (!transfer.length) end();
    } catch (error) {
      if (this.#module?.isStopped()) this.#restart();
      this.#answer(link, number, failure(isAuthError(error) ? error : AuthError.from(error)));
      end();
    }
  }

  #answer(link: Link, id: number, answer: unknown[], transfer: Transferable[] = []): void {
    const call = link.calls.get(id);
    if (!call || call.isAnswered) return;
    call.isAnswered = true;
    link.port.postMessage([PROTOCOL, id, ...answer], transfer);
  }

  /** Tells every page. */
  #tell(event: string, detail?: unknown, entry?: unknown): void {
    const { cause, ...rest } = (detail ?? {}) as { cause?: unknown };
    const told = isAuthError(detail)
      ? failure(detail, event)
      : isAuthError(cause)
        ? failure(cause, event, rest, entry)
        : [event, detail, entry];
    for (const { port } of this.#links) port.postMessage([PROTOCOL, 0, ...told]);
  }

  #table(): Record<string, Step> {
    const calls = CALLS.map((name): [string, Step] => [name, (engine, argument) => engine.call(name, argument)]);
    const runs = RUNS.map((name): [string, Step] => [name, (engine, argument) => engine.run(name, argument)]);
    return {
      ...Object.fromEntries([...calls, ...runs]),
      hello: (engine, name, _, link) => this.#greet(engine, String(name), link),
      adopt: (_, kept) => {
        // Where they are kept here, nobody else has a sign-in in progress to add.
        if (this.#charter.options.transactionStorage !== "memory") this.#adopt(String(kept));
      },
      prepare: (engine, options) => prepare(engine, options),
      listen: (engine, state, signal) => engine.listen(String(state), signal),
      way: (_, had) => {
        if (had === true) this.#restore.note(true);
        return this.#restore.way;
      },
      guard: () => this.#restore.guard(),
      forgo: () => this.#restore.note(false),
    };
  }

  /** `name` is that of a lock which the page holds as long as it is there. */
  async #greet(engine: Transport, name: string, link: Link): Promise<unknown> {
    await this.#isHeld;
    this.#links.add(link);
    if (name) void (navigator.locks as LockManager | undefined)?.request(name, () => this.#drop(link));
    return [engine.tag, engine.sight, this.#life];
  }

  #drop(link: Link): void {
    this.#links.delete(link);
    for (const { controller } of link.calls.values()) controller.abort();
    link.port.close();
  }

  #engine(): Promise<Transport> {
    return (this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    }));
  }

  async #open(): Promise<Transport> {
    check(this.#charter);
    const { wasm, options, outlasts } = this.#charter;
    const generation = this.#generation;
    this.#module = await this.#load(generation);
    const opened = await this.#module.openEngine(wasm, options, (event, detail, entry) => {
      // What has stopped may still have something to tell.
      if (generation !== this.#generation) return;
      if (event === "signedIn") this.#restore.note(true);
      if (event === "signedOut" && (detail as { reason: string }).reason === "sign_out") this.#restore.note(false);
      this.#tell(event, detail, entry);
    });
    const engine = guarded(opened, this.#charter);
    if (outlasts) engine.run("outlast");
    this.#key = `wardkey:1:${engine.tag}`;
    this.#restore = new Restore(options, engine.tag);
    return engine;
  }

  /** A trap in what the engine does by itself: nobody waits for it. */
  trapped(error: unknown): void {
    if (error instanceof WebAssembly.RuntimeError && generationOf(error) === this.#generation) this.#restart();
  }

  /** Nothing is known of the memory in which the engine trapped: another one begins with none. */
  #restart(): void {
    this.#generation += 1;
    this.#opening = this.#module = undefined;
    for (const link of this.#links) {
      for (const [id, { controller }] of link.calls) {
        this.#answer(link, id, failure(stopped()));
        controller.abort();
      }
    }
    this.#tell("restarted");
    // A failure is the failure of the next call.
    void this.#engine().then(({ sight }) => this.#tell("stateChanged", sight), () => {});
  }
}

/** Ends a call, which nobody waits for any more; but an answer's body ends as bodies do. */
function abort({ calls }: Link, id: number): void {
  const call = calls.get(id);
  if (!call?.isAnswered) calls.delete(id);
  call?.controller.abort();
}

/** Each generation's module is loaded under a URL of its own. */
function generationOf({ stack = "" }: Error): number {
  return Number(/\.js#(\d+)/.exec(stack)?.[1] ?? 0);
}

/** Prepares, and mints a request for the page and one for a popup. A popup's may have to wait until it is pushed. */
async function prepare(engine: Transport, options: unknown): Promise<Minted> {
  await engine.call("prepare", options);
  const mint = (operation: string) => engine.run(operation, options) as AuthorizeRequest & { expiresIn: number };
  const createAuthorizeUrl = mint("createAuthorizeUrl");
  // Half of its life is for what comes then.
  const minted: Minted = { until: Date.now() + createAuthorizeUrl.expiresIn * 500, createAuthorizeUrl };
  return { ...minted, createPopupUrl: mint("createPopupUrl") };
}

/** A message with an error, which comes last. */
function failure(error: AuthError, event?: string, detail?: unknown, entry?: unknown): unknown[] {
  return [event, detail, entry, JSON.parse(JSON.stringify(error))];
}
