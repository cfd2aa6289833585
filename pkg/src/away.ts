/** What the page does for a worker that does not outlast it or shall keep no sign-in in progress, and without one. */
import { AuthError } from "./errors.js";
import { PageFollower } from "./follow.js";
import type { Listener } from "./transport.js";
import { openDirect } from "./vault/direct.js";
import { SharedFollower } from "./vault/follow.js";
import type { Charter } from "./vault/messages.js";
import { nameOf, type Plan } from "./vault/open.js";
import { Port, type Opened } from "./vault/port.js";
import { canOutlast, trusted } from "./vault/start.js";

export { takeForAll } from "./vault/take-for-all.js";

/** The port of a worker whose sign-ins in progress are kept here: a worker has neither of these storages. */
class KeepingPort extends Port {
  declare readonly call: Port["call"];
  readonly #area: string;
  #isLost = false;

  constructor(isolation: "shared" | "worker", url: string, charter: Charter, listener: Listener) {
    super(isolation, url, nameOf(charter), listener);
    this.#area = charter.options.transactionStorage!;
    const { call } = this;
    this.call = async (...given) => {
      const answer = await call(...given);
      if (given[0] !== "begin" || !this.#isLost) return answer;
      throw new AuthError("storage_unavailable", "storage", "the storage for sign-ins is denied or full");
    };
  }

  protected override greeted(): Promise<unknown> {
    return this.ask("adopt", JSON.stringify(this.#kept() ?? ""));
  }

  protected override hear(...[event, detail, entry]: Parameters<Listener>): void {
    if (event === "keep") this.#keep((detail as { text: string | null }).text);
    else super.hear(event, detail, entry);
  }

  get #key(): string {
    return `wardkey:1:${this.whose.tag}`;
  }

  #keep(text: string | null): void {
    try {
      if (this.#area === "cookie") document.cookie = text!;
      else if (text === null) sessionStorage.removeItem(this.#key);
      else sessionStorage.setItem(this.#key, text);
      // A browser drops a cookie that it does not like without a word.
      this.#isLost = this.#area === "cookie" && !text!.endsWith("=0") && !document.cookie.includes(text!.split(";")[0]!);
    } catch {
      this.#isLost = true;
    }
  }

  #kept(): string | null | undefined {
    try {
      if (this.#area !== "cookie") return sessionStorage.getItem(this.#key);
      const name = `__Host-${this.#key.replaceAll(":", "-")}=`;
      return document.cookie.split("; ").find((cookie) => cookie.startsWith(name));
    } catch {
      return null;
    }
  }
}

/** The port of a worker of this page's own. */
class OwnPort extends KeepingPort {
  protected override start(url: string, name: string, failed: () => void): MessagePort {
    const worker = new Worker(trusted(url), { type: "module", name });
    worker.onerror = failed;
    this.life.signal.addEventListener("abort", () => worker.terminate());
    const { port1, port2 } = new MessageChannel();
    worker.postMessage(0, [port2]);
    return port1;
  }
}

/** Opens what the browser has: a SharedWorker, a Worker, or the engine on the page. */
export async function openAway([url, given, listener]: Plan): Promise<Opened> {
  const options = { ...given.options, transactionStorage: given.options.transactionStorage ?? "sessionStorage" };
  for (const [isolation, Kind] of [["shared", KeepingPort], ["worker", OwnPort]] as const) {
    const outlasts = isolation === "shared" && canOutlast();
    try {
      const port = new Kind(isolation, url, { ...given, outlasts, options }, listener);
      await port.open();
      return [port, outlasts ? SharedFollower : PageFollower];
    } catch (error) {
      if (error instanceof AuthError) throw error;
      // There is no such worker, or a policy of the page's is against it.
      listener("isolation", undefined, { level: "warn", event: "isolation", detail: { unavailable: isolation } });
    }
  }
  return [await openDirect({ ...given, options }, listener), PageFollower];
}
