/** The engine in a worker, by a port: the transport on the page's side. */
import { AuthError, fromJson } from "../errors.js";
import { hasBody, text } from "../page.js";
import type { Listener, Sight, Transport } from "../transport.js";
import type { AuthorizeRequest, StepUpChallenge } from "../types.js";
import { PROTOCOL, type Answer, type FetchCall, type ResponseHead } from "./messages.js";

/** Requests that were minted ahead for these options, as JSON: one for the page, one for a popup where it can be. */
interface Minted {
  given: string;
  /** Milliseconds since the epoch. */
  until: number;
  createAuthorizeUrl?: AuthorizeRequest | undefined;
  createPopupUrl?: AuthorizeRequest | undefined;
}

/** How a worker is reached: its port, and how to let it go. `failed` is told that its script does not load. */
export type Start = (failed: () => void) => [port: MessagePort, end?: () => void];

export class Port implements Transport {
  tag!: string;
  sight!: Sight;
  readonly #start: Start;
  readonly #listener: Listener;
  readonly #opened: (it: Port) => Promise<unknown> | void;
  #port!: MessagePort;
  #end: (() => void) | undefined;
  #ready: Promise<void> | undefined;
  readonly #life = new AbortController();
  readonly #pending = new Map<number, [resolve: (value: never) => void, reject: (error: unknown) => void]>();
  #id = 0;
  #minted: Minted | undefined;

  constructor(
    readonly isolation: "worker" | "shared",
    start: Start,
    listener: Listener,
    opened: (it: Port) => Promise<unknown> | void,
  ) {
    this.#start = start;
    this.#listener = listener;
    this.#opened = opened;
  }

  /** Connects, unless that is done. One that failed is tried again. */
  open(): Promise<void> {
    return (this.#ready ??= this.#connect().catch((error) => {
      this.#ready = undefined;
      throw error;
    }));
  }

  async #connect(): Promise<void> {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    const { signal } = this.#life;
    const greeting = new Promise<[string, Sight, string]>((resolve, reject) => {
      [this.#port, this.#end] = this.#start(() => reject());
      this.#port.onmessage = ({ data }) => this.#hear(data);
      const greet = (name: string) => resolve(this.ask("hello", text(name)));
      if (!locks) return greet("");
      // The browser frees it when the page is gone: so the worker knows.
      const name = `wardkey:${crypto.randomUUID()}`;
      void locks.request(name, () => (greet(name), new Promise((free) => signal.addEventListener("abort", free))));
    });
    const [tag, sight, life] = await greeting;
    this.tag = tag;
    this.sight = sight;
    // The worker holds this one: so the page knows when the worker is gone.
    locks?.request(life, { mode: "shared", signal }, () => this.#lost()).catch(() => {});
    await this.#opened(this);
  }

  #lost(): void {
    this.#ready = this.#minted = undefined;
    const error = new AuthError("not_initialised", "configuration", "the worker is gone, and starts again", true);
    for (const [, reject] of this.#pending.values()) reject(error);
    this.#pending.clear();
    const told = () => this.#listener("stateChanged", this.sight);
    // A failure is the failure of the next call.
    void this.open().then(told, () => {});
    this.#listener("restarted", undefined);
  }

  #hear(data: unknown): void {
    const [protocol, id, first, second, third] = data as [...Answer, never];
    if (protocol !== PROTOCOL) return;
    if (!id) return this.#listener(first as never, revived(second), third);
    const [resolve, reject] = this.#pending.get(id) ?? [];
    this.#pending.delete(id);
    if (first) resolve?.(second as never);
    else reject?.(revived(second));
  }

  /** Asks the worker, which must be there. */
  ask<R>(operation: string, argument: string | FetchCall, transfer: Transferable[] = [], id = ++this.#id): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#port.postMessage([PROTOCOL, id, operation, argument], transfer);
      this.#pending.set(id, [resolve, reject]);
    });
  }

  async call(operation: string, argument?: unknown): Promise<unknown> {
    const given = text(argument);
    await this.open();
    const answer = await this.ask(operation, given);
    if (operation === "prepare") this.#keep(given, answer as AuthorizeRequest[]);
    return answer;
  }

  run(operation: string, argument?: unknown): unknown {
    // The worker checks it with each request.
    if (operation === "checkApi") return;
    if (operation !== "createAuthorizeUrl" && operation !== "createPopupUrl") return this.call(operation, argument);
    const given = text(argument);
    const minted = this.#minted;
    const request = minted?.[operation];
    if (!request || minted.given !== given || Date.now() > minted.until) {
      throw new AuthError("not_initialised", "authorize", "call and await prepare() with the same options first");
    }
    minted[operation] = undefined;
    // The next one. Should it fail, prepare() will say why.
    void this.call("prepare", argument).catch(() => {});
    return request;
  }

  #keep(given: string, [createAuthorizeUrl, createPopupUrl]: AuthorizeRequest[]): void {
    // Half of its life is for what comes then.
    const until = Date.now() + (createAuthorizeUrl as { expiresIn?: number }).expiresIn! * 500;
    this.#minted = { given, until, createAuthorizeUrl, createPopupUrl };
  }

  async fetch(
    request: Request,
    api: string,
    replayable: boolean,
    isStream: boolean,
  ): Promise<[Response, StepUpChallenge | null]> {
    const { url, method, mode, cache, referrerPolicy, integrity, keepalive, signal } = request;
    const id = ++this.#id;
    const send = (body: ArrayBuffer | ReadableStream | null) => {
      const headers = [...request.headers];
      const init = { method, mode, cache, referrerPolicy, integrity, keepalive, headers, body };
      type Sent = [ResponseHead, BodyInit | null, StepUpChallenge | null];
      return this.ask<Sent>("fetch", { url, init, api, replayable }, body ? [body] : [], id);
    };
    const buffered = async () => send(hasBody(request) ? await request.arrayBuffer() : null);
    await this.open();
    // Where the browser cannot hand a stream over, it is read first.
    const sending = isStream && request.body ? send(request.body).catch((error) => {
      if (error instanceof AuthError) throw error;
      return buffered();
    }) : buffered();
    this.#abortable(id, signal);
    const [head, body, challenge] = await sending;
    return [received(head, body), challenge];
  }

  readonly listen = async (state: string, signal: AbortSignal): Promise<string> => {
    await this.open();
    const id = ++this.#id;
    this.#abortable(id, signal);
    return this.ask("listen", text(state), [], id);
  };

  /** Lets the worker know when the signal ends a call. */
  #abortable(id: number, signal: AbortSignal): void {
    signal.addEventListener("abort", () => this.#port.postMessage([PROTOCOL, id, "abort", ""]));
  }

  dispose(): void {
    this.#life.abort();
    this.#port.close();
    this.#end?.();
  }
}

/** A detail or an error with its errors made anew. */
function revived(detail: unknown): unknown {
  const { name, cause } = (detail ?? {}) as { name?: unknown; cause?: AuthError };
  return name === "AuthError" ? fromJson(detail as AuthError) : cause ? { ...(detail as object), cause: fromJson(cause) } : detail;
}

/** The response, as far as it can be made by hand. */
function received({ init, url, type }: ResponseHead, body: BodyInit | null): Response {
  return dressed(init.status ? new Response(body, init) : Response.error(), url, type);
}

function dressed(response: Response, url: string, type: ResponseType): Response {
  const clone = () => dressed(Response.prototype.clone.call(response), url, type);
  return Object.defineProperties(response, { url: { value: url }, type: { value: type }, clone: { value: clone } });
}
