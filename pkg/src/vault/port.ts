/** The engine in a worker, by a port: the transport on the page's side. */
import { AuthError, fromJson } from "../errors.js";
import { hasBody, text, unlessAborted } from "../page.js";
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
  declare tag: string;
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
    [this.tag, this.sight] = await greeting;
    // The worker holds this one: so the page knows when the worker is gone.
    const port = this.#port;
    const lost = () => port === this.#port && this.#lost();
    locks?.request((await greeting)[2], { mode: "shared", signal }, lost).catch(() => {});
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
    // Where there are no locks, it is told.
    if (first === "gone" && !id) return this.#lost();
    if (first === "stateChanged" && !id) this.sight = second as Sight;
    if (!id) return this.hear(first as string, error ? (second ? { ...second, cause: error } : error) : second, third);
    const [resolve, reject] = this.#pending.get(id) ?? [];
    this.#pending.delete(id);
    if (error) reject?.(error);
    else resolve?.(first as never);
  }

  protected hear(...told: Parameters<Listener>): void {
    this.#listener(...told);
  }

  /** Whose session the page shows: what it asks for is for nobody else. */
  get #sub(): string | undefined {
    return (this.sight[0] as { user?: User | null }).user?.sub;
  }

  /** Asks the worker, which must be there. */
  protected ask<R>(
    operation: string,
    argument: string | FetchCall,
    sub?: string,
    body?: FetchCall["body"],
    id = ++this.#id,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#port.postMessage([PROTOCOL, id, operation, argument, sub], body ? [body] : []);
      this.#pending.set(id, [resolve, reject]);
    });
  }

  /** Asks the worker for what a signal may end. */
  #askUntil<R>(signal: AbortSignal, ...[operation, argument, sub, body]: Parameters<Port["ask"]>): Promise<R> {
    // Not even sent, where the end came before.
    const asking = () => {
      const id = ++this.#id;
      signal.addEventListener("abort", () => {
        this.#pending.delete(id);
        this.#tell("abort", id);
      });
      return this.ask<R>(operation, argument, sub, body, id);
    };
    return unlessAborted(asking, "fetch", signal);
  }

  /** What has no answer. */
  #tell(operation: string, id = 0): void {
    this.#port.postMessage([PROTOCOL, id, operation, ""]);
  }

  hide(): void {
    this.#tell("hide");
  }

  readonly call = async (operation: string, argument?: unknown): Promise<unknown> => {
    const given = text(argument);
    const sub = this.#sub;
    await this.open();
    const answer = await this.ask(operation, given, sub);
    if (operation === "prepare") this.#minted = { [given]: answer as Minted };
    return answer;
  };

  run(operation: string, argument?: unknown): unknown {
    if (!operation.startsWith("create")) return this.call(operation, argument);
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
  ): Promise<[Response, StepUpChallenge | null]> {
    const { url, signal } = request;
    const init = Object.fromEntries(MEMBERS.map((name) => [name, request[name]]));
    const call = { url, init, headers: [...request.headers], api, replayable };
    type Sent = [...Parameters<typeof received>, StepUpChallenge | null];
    const sub = this.#sub;
    const send = (body?: FetchCall["body"]) => this.#askUntil<Sent>(signal, "fetch", { ...call, body }, sub, body);
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

  readonly listen = async (state: string, signal: AbortSignal): Promise<string> => {
    await this.open();
    return this.#askUntil(signal, "listen", text(state));
  };

  dispose(): void {
    this.life.abort();
    this.#tell("bye");
    this.#port.close();
    // So for every call from here on.
    this.#ready = Promise.reject(this.#end("the client was disposed"));
    this.#ready.catch(() => {});
  }
}
