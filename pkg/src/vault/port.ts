/** The engine in a worker, by a port: the transport on the page's side. */
import type { Recipient } from "../callback.js";
import { AuthError, fromJson } from "../errors.js";
import { aborted, hasBody, text } from "../page.js";
import type { Follows } from "../regain.js";
import type { Listener, Sight, Transport } from "../transport.js";
import type { StepUpChallenge, User } from "../types.js";
import { PROTOCOL, type Answer, type FetchCall, type Greeting, type Minted } from "./messages.js";
import { received } from "./response.js";
import { share } from "./start.js";

/** What is opened, and how its session is followed. */
export type Opened = [transport: Transport, follows: Follows];

/** What of a request crosses as it is. */
const MEMBERS = ["method", "mode", "cache", "referrerPolicy", "integrity", "keepalive"] as const;

export class Port implements Transport {
  declare whose: Recipient;
  declare events: readonly string[];
  declare sight: Sight;
  readonly isolation: "worker" | "shared";
  readonly #url: string;
  readonly #name: string;
  readonly #listener: Listener;
  #port!: MessagePort;
  #ready: Promise<void> | undefined;
  /** Ends with the client. */
  readonly life = new AbortController();
  readonly #pending = new Map<number, [resolve: (value: never) => void, reject: (error: unknown) => void]>();
  #id = 0;
  /** Requests that were minted ahead for these options, as JSON. */
  #minted: Record<string, Minted> = {};

  constructor(isolation: "worker" | "shared", url: string, name: string, listener: Listener) {
    this.isolation = isolation;
    this.#url = url;
    this.#name = name;
    this.#listener = listener;
  }

  /** Starts the worker, or finds it. `failed` is told that its script does not load. */
  protected start(url: string, name: string, failed: () => void): MessagePort {
    const worker = share(url, { type: "module", name, extendedLifetime: true });
    worker.onerror = failed;
    return worker.port;
  }

  /** Is done before anybody else asks the worker. */
  protected greeted?(): Promise<unknown>;

  /** Connects, unless that is done. One that failed is tried again. A rejection with nothing: there is no such worker. */
  open(): Promise<void> {
    return (this.#ready ??= this.#connect().catch((error) => {
      this.#ready = undefined;
      throw error;
    }));
  }

  async #connect(): Promise<void> {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    const { signal } = this.life;
    const greeting = new Promise<Greeting>((resolve, reject) => {
      this.#port = this.start(this.#url, this.#name, reject as () => void);
      this.#port.onmessage = ({ data }) => this.#hear(data);
      const greet = (name: string) => void this.ask<Greeting>("hello", text([name, !globalThis.document?.hidden])).then(resolve, reject);
      if (!locks) return greet("");
      // The browser frees it when the page is gone: so the worker knows.
      const name = `wardkey:${crypto.randomUUID()}`;
      const held = () => (greet(name), new Promise((free) => signal.addEventListener("abort", free)));
      // Some frames of other sites are denied locks.
      locks.request(name, held).catch(() => greet(""));
    });
    [this.whose, this.sight, this.events] = await greeting;
    // The worker holds this one: so the page knows when the worker is gone.
    const port = this.#port;
    const lost = () => port === this.#port && this.#lost();
    locks?.request((await greeting)[3], { mode: "shared", signal }, lost).catch(() => {});
    await this.greeted?.();
  }

  #lost(): void {
    this.#ready = undefined;
    this.#minted = {};
    this.#end("the worker is gone, and starts again", true);
    // A failure is the failure of the next call.
    void this.open().then(() => this.#listener("stateChanged", this.sight), () => {});
    this.#listener("restarted", undefined);
  }

  /** Tells whoever waits. */
  #end(reason: string, retryable?: boolean): AuthError {
    const error = new AuthError("not_initialised", "configuration", reason, retryable);
    for (const [, reject] of this.#pending.values()) reject(error);
    this.#pending.clear();
    return error;
  }

  #hear([protocol, id, first, second, third, fourth]: Answer): void {
    if (protocol !== PROTOCOL) return;
    const error = fourth && fromJson(fourth);
    if (id) {
      const [resolve, reject] = this.#pending.get(id) ?? [];
      this.#pending.delete(id);
      if (error) reject?.(error);
      else resolve?.(first as never);
      return;
    }
    // Where there are no locks, it is told.
    if (first === "gone") return this.#lost();
    if (first === "stateChanged") this.sight = second as Sight;
    this.hear(first as string, error ? (second ? { ...second, cause: error } : error) : second, third);
  }

  protected hear(...told: Parameters<Listener>): void {
    this.#listener(...told);
  }

  /** Whose session the page shows: what it asks for is for nobody else. */
  get #sub(): string | undefined {
    return (this.sight[0] as { user?: User | null }).user?.sub;
  }

  /** Asks the worker, which must be there. What a signal ends, the worker answers too; whoever asked may not wait for it. */
  protected ask<R>(
    operation: string,
    argument: string | FetchCall,
    sub?: string,
    signal?: AbortSignal,
    body?: FetchCall["body"],
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      // Not even sent, where the end came before.
      if (signal?.aborted) return reject(aborted("authorize"));
      const id = ++this.#id;
      this.#port.postMessage([PROTOCOL, id, operation, argument, sub], body ? [body] : []);
      this.#pending.set(id, [resolve, reject]);
      signal?.addEventListener("abort", () => this.#tell("abort", id));
    });
  }

  /** What has no answer. */
  #tell(operation: string, id = 0): void {
    this.#port.postMessage([PROTOCOL, id, operation, ""]);
  }

  unseen(): void {
    this.#tell("hide");
  }

  readonly call: Transport["call"] = async (operation, argument, signal) => {
    const given = text(argument);
    const sub = this.#sub;
    await this.open();
    const answer = await this.ask(operation, given, sub, signal);
    if (operation === "prepare") this.#minted = { [given]: answer as Minted };
    return answer;
  };

  run(operation: string, argument?: unknown): unknown {
    const minted = this.#minted[text(argument)];
    const request = minted?.[operation as "createPopupUrl"];
    if (!request || Date.now() > minted!.until) {
      if (operation === "createPopupUrl") return;
      throw new AuthError("not_initialised", "authorize", "await prepare() with the same options first");
    }
    // The next one. Should it fail, prepare() will say why.
    this.#minted = {};
    this.call("prepare", argument).catch(() => {});
    return request;
  }

  async fetch(
    request: Request,
    api: string,
    replayable: boolean,
    isStream: boolean,
    sub?: string,
  ): Promise<[Response, StepUpChallenge | null]> {
    const { url, signal } = request;
    const init = Object.fromEntries(MEMBERS.map((name) => [name, request[name]]));
    const call = { url, init, headers: [...request.headers], api, replayable };
    type Sent = [...Parameters<typeof received>, StepUpChallenge | null];
    const send = (body?: FetchCall["body"]) => this.ask<Sent>("fetch", { ...call, body }, sub, signal, body);
    const buffered = async () => send(hasBody(request) ? await request.arrayBuffer() : undefined);
    await this.open();
    // Where the browser cannot hand a stream over, it is read first.
    const handed = isStream && request.body && send(request.body).catch((error) => {
      if (error instanceof AuthError) throw error;
      return buffered();
    });
    const [head, body, challenge] = await (handed || buffered());
    return [received(head, body), challenge];
  }

  dispose(): void {
    this.life.abort();
    this.#tell("bye");
    this.#port.close();
    // So for every call from here on.
    this.#ready = Promise.reject(this.#end("the client was disposed"));
    this.#ready.catch(() => {});
  }
}
