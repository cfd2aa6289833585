/** What runs in the worker: one engine, and the pages that ask it. */
import { isStopped, openEngine } from "../engine.js";
import { AuthError, isAuthError, misuse } from "../errors.js";
import { Marks } from "../marks.js";
import { Restore } from "../restore.js";
import { checkPerson } from "../told.js";
import type { Transport } from "../transport.js";
import type { AuthorizeRequest } from "../types.js";
import { fetchCall, type Sent } from "./call.js";
import { check, guarded } from "./charter.js";
import { Keeping } from "./keeping.js";
import { PROTOCOL, type Charter, type FetchCall, type Minted } from "./messages.js";
import { shim } from "./shims.js";

/** What a page waits for. An answer may be there, and its body still on the way. */
interface Call {
  readonly controller: AbortController;
  isAnswered: boolean;
}

/** A page. */
interface Link {
  readonly port: MessagePort;
  readonly calls: Map<number, Call>;
  /** Does it see by a lock that this worker is gone? */
  hasLocks: boolean;
  isVisible: boolean;
}

type Step = (engine: Transport, argument: unknown, signal: AbortSignal, link: Link) => unknown;

/** What the engine waits for, and what it does at once. A page can ask for these, and for `#steps`, and for nothing else. */
const CALLS = [
  "begin",
  "beginPopup",
  "beginFrame",
  "popup",
  "frame",
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
const RUNS = ["signOutLocal", "covers", "hasScope", "scopesFor", "frontChannelLogout", "initiatedLogin"];

/** What is for the person whose session the page shows, and for nobody else. */
const PERSONAL = ["fetch", "getToken", "userInfo"];

const stopped = () => new AuthError("not_initialised", "configuration", "the engine has stopped, and starts again", true);

export class Service {
  readonly #charter: Charter;
  readonly #links = new Set<Link>();
  /** The lock that is held as long as this worker is there: so the pages know. */
  readonly #life = `wardkey:${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
  /** Before that, a page would get it, and take this worker for gone. */
  readonly #isHeld: Promise<void>;
  readonly #adopt: (kept: string) => string;
  readonly #keeping = new Keeping<Link>((text, { port }) => port.postMessage([PROTOCOL, 0, "keep", { text }]));
  readonly #steps = this.#table();
  #opening: Promise<Transport> | undefined;
  /** The other workers of this client, and its pages that go without. */
  #others: BroadcastChannel | undefined;
  #marks!: Marks;
  /** The engine has trapped, and with it this worker ends. */
  #isOver = false;
  #restore!: Restore;
  #key = "";

  constructor(charter: Charter) {
    this.#charter = charter;
    this.#adopt = shim({
      key: () => this.#key,
      keep: (text) => this.#keep(text),
      // A worker whose pages are all hidden, or gone, is seen by nobody.
      isHidden: () => [...this.#links].every(({ isVisible }) => !isVisible),
    });
    const locks = navigator.locks as LockManager | undefined;
    this.#isHeld = new Promise((held) => {
      if (!locks) return held();
      locks.request(this.#life, () => (held(), new Promise(() => {}))).catch(held);
    });
  }

  /** Takes up a page. */
  connect(port: MessagePort): void {
    const link: Link = { port, calls: new Map(), hasLocks: false, isVisible: false };
    port.onmessage = ({ data }) => void this.#hear(link, data);
  }

  /** What is no message of this protocol is ignored. */
  async #hear(link: Link, data: unknown): Promise<void> {
    const [protocol, id, operation, argument, sub] = Array.isArray(data) ? (data as unknown[]) : [];
    if (protocol !== PROTOCOL || !Number.isSafeInteger(id) || typeof operation !== "string") return;
    const number = id as number;
    // What ends by that is answered too, with an error, unless the answer's body is still on the way.
    if (operation === "abort") return link.calls.get(number)?.controller.abort();
    if (operation === "bye") return this.#drop(link);
    if (operation === "hide" || operation === "look") link.isVisible = operation === "look";
    const isFetch = operation === "fetch";
    if (link.calls.has(number) || isFetch === (typeof argument === "string")) return;
    if (!isFetch && !Object.hasOwn(this.#steps, operation)) return;
    const call: Call = { controller: new AbortController(), isAnswered: false };
    link.calls.set(number, call);
    const { signal } = call.controller;
    const end = () => void link.calls.delete(number);
    try {
      const given = isFetch ? asCall(argument) : parsed(argument as string);
      const engine = await this.#engine();
      if (PERSONAL.includes(operation)) checkPerson(engine.sight, sub);
      const [value, transfer]: Sent = isFetch
        ? await fetchCall(engine, given as FetchCall, signal, end)
        : [await this.#steps[operation]!(engine, given, signal, link), []];
      // What is begun is kept before the page goes away for it.
      this.#keeping.claim(link, value);
      this.#answer(link, number, [value], transfer);
      if (!transfer.length) end();
    } catch (error) {
      if (isStopped()) this.#restart();
      this.#answer(link, number, failure(isAuthError(error) ? error : AuthError.from(error)));
      end();
    }
  }

  #answer(link: Link, id: number, answer: unknown[], transfer: Transferable[] = []): void {
    const call = link.calls.get(id);
    if (!call || call.isAnswered) return;
    link.port.postMessage([PROTOCOL, id, ...answer], transfer);
    // Not before: what cannot be cloned throws, and the error is the answer.
    call.isAnswered = true;
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
    const calls = CALLS.map((name): [string, Step] => [
      name,
      (engine, argument, signal) => engine.call(name, argument, signal),
    ]);
    const runs = RUNS.map((name): [string, Step] => [name, (engine, argument) => engine.run(name, argument)]);
    return {
      ...Object.fromEntries([...calls, ...runs]),
      hello: (engine, hello, _, link) => this.#greet(engine, Array.isArray(hello) ? hello : [], link),
      adopt: (_, kept, __, link) => {
        // Where they are kept here, nobody else has a sign-in in progress to add.
        if (this.#charter.options.transactionStorage === "memory") return;
        this.#keeping.change(this.#adopt(String(kept)));
        this.#keeping.claim(link, kept);
      },
      follow: (engine) => this.#follow(engine),
      prepare: (engine, options) => prepare(engine, options),
      way: (_, had) => {
        if (had === true) this.#restore.note(true);
        return this.#restore.way;
      },
      guard: () => this.#restore.guard(),
      forgo: () => this.#restore.note(false),
    };
  }

  /** `name` is that of a lock which the page holds as long as it is there. */
  #greet(engine: Transport, [name, isVisible]: unknown[], link: Link): unknown {
    this.#links.add(link);
    link.hasLocks = !!name;
    link.isVisible = isVisible === true;
    if (typeof name === "string" && name) void (navigator.locks as LockManager | undefined)?.request(name, () => this.#drop(link));
    return [engine.whose, engine.sight, engine.events, this.#life];
  }

  /** A sign-in in progress is kept by the page that began it; a cookie is that of all pages in any case. */
  #keep(text: string | null): void {
    if (this.#charter.options.transactionStorage === "cookie") this.#tell("keep", { text });
    else this.#keeping.change(text);
  }

  #drop(link: Link): void {
    this.#links.delete(link);
    this.#keeping.drop(link);
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
    await this.#isHeld;
    const opened = await openEngine(wasm, options, (event, detail, entry) => {
      if (event === "signedIn") this.#restore.note(true);
      if (event === "signedOut" && (detail as { reason: string }).reason === "sign_out") this.#restore.note(false);
      if (event === "ended") this.#signedOut();
      this.#tell(event, detail, entry);
    });
    const engine = guarded(opened, this.#charter);
    if (outlasts) engine.run("outlast");
    const { tag } = engine.whose;
    this.#key = `wardkey:1:${tag}`;
    this.#restore = new Restore(options, tag);
    // For a worker of one page alone, the page does it.
    if ("onconnect" in globalThis) this.#join(engine);
    return engine;
  }

  /**
   * A sign-out is one for every worker of this client, whichever its options or its deployment, and for its pages that go
   * without a worker. A message alone changes nothing: it is looked up whether there was one.
   */
  #join(engine: Transport): void {
    this.#marks = new Marks(engine.whose.tag, "worker");
    this.#others = new BroadcastChannel(`wardkey:${engine.whose.tag}`);
    this.#others.onmessage = async ({ data }) => {
      if (data === "ended" && (await this.#marks.hasNew()) && !this.#isOver) this.#follow(engine);
    };
  }

  #follow(engine: Transport): unknown {
    this.#restore.note(false);
    return engine.run("follow");
  }

  /** Whoever is told finds the mark, which comes first. */
  #signedOut(): void {
    const others = this.#others;
    if (others) void this.#marks.leave().then(() => others.postMessage("ended"));
  }

  /** A trap in what the engine does by itself: nobody waits for it. */
  trapped(error: unknown): void {
    if (error instanceof WebAssembly.RuntimeError) this.#restart();
  }

  /**
   * Nothing is known of the memory in which the engine trapped, and what it has left with the browser (a timer, a
   * request) would go on: so the worker ends, and its pages start another one as they see its lock fall.
   */
  #restart(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const link of this.#links) {
      for (const [id, { controller }] of link.calls) {
        this.#answer(link, id, failure(stopped()));
        controller.abort();
      }
      if (!link.hasLocks || !navigator.locks) link.port.postMessage([PROTOCOL, 0, "gone"]);
    }
    close();
  }
}

/** No page sends such a message. */
const malformed = () => misuse("the message is malformed");

function parsed(argument: string): unknown {
  try {
    return JSON.parse(argument);
  } catch {
    throw malformed();
  }
}

function asCall(argument: unknown): FetchCall {
  if (typeof argument !== "object" || !argument) throw malformed();
  return argument as FetchCall;
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
