/**
 * What tabs tell each other: that something has changed, never what. Whoever hears it looks for itself: at the stored
 * session, or at the marks that a sign-out leaves. A message alone changes nothing.
 */

import { Marks } from "./marks.js";
import { memory } from "./restore.js";

/** A sign-in or refresh has changed the session, or a sign-out has ended it. */
export type Hint = "changed" | "ended";

/** Milliseconds that a message takes at most, and that it may be ahead of what it is about. */
const LATE = 1_000;

/** No more than a number that was not there before. */
const unique = () => crypto.getRandomValues(new Uint32Array(2)).join("");

/** Until a step says so, or {@link LATE}. */
const until = (step: (done: () => void) => void) =>
  new Promise<void>((done) => {
    setTimeout(done, LATE);
    step(done);
  });

/** The other tabs of this origin with the same client. */
export class Tabs {
  readonly #bus: BroadcastChannel | undefined;
  /** Those that workers see, and leave. */
  readonly #marks: Marks | undefined;
  /** Settles when the others have been told. */
  #told: Promise<unknown> | undefined;
  readonly #key: string;
  /** Where the tab remembers, beyond its page, which mark it knows of. */
  readonly #seenKey: string;
  /** The mark of the last sign-out that this tab knows of. */
  #seen: string | null;
  /** Something has ended by what was told, and cannot be seen here yet. */
  coming: Promise<void> | undefined;
  #arrive?: () => void;
  /** Was there a sign-out in a worker? */
  #hasWorkerEnded = false;

  constructor(tag: string, hear: (hint: Hint) => void, signal: AbortSignal) {
    this.#key = `wardkey:ended:1:${tag}`;
    this.#seenKey = `wardkey:seen:1:${tag}`;
    this.#seen = memory.get(this.#seenKey);
    if (typeof BroadcastChannel === "undefined" || typeof location === "undefined") return;
    const bus = (this.#bus = new BroadcastChannel(`wardkey:${tag}`));
    const marks = (this.#marks = new Marks(tag, "page"));
    const arrived = () => {
      hear("ended");
      this.#arrive?.();
    };
    bus.onmessage = async ({ data }) => {
      if (data === "ended") this.coming = until((done) => (this.#arrive = done));
      if (data === "changed" || data === "ended") hear(data);
      if (data !== "ended" || !(await marks.hasNew()) || signal.aborted) return;
      this.#hasWorkerEnded = true;
      arrived();
    };
    // What a message is about may come to this tab's process later than the message.
    const late = ({ key }: StorageEvent) => {
      if (key?.startsWith("wardkey:") && key.endsWith(tag)) arrived();
    };
    addEventListener("storage", late, { signal });
    signal.addEventListener("abort", async () => {
      bus.onmessage = null;
      await this.#told;
      bus.close();
    });
  }

  /** Settles when all is heard that was told before now: a message to oneself comes after it. */
  async heard(): Promise<void> {
    const bus = this.#bus;
    if (!bus) return;
    const echo = new BroadcastChannel(bus.name);
    const id = unique();
    await until((done) => {
      echo.onmessage = ({ data }) => data === id && done();
      bus.postMessage(id);
    });
    echo.close();
  }

  /** Tells the others. */
  tell(hint: Hint): void {
    const tell = () => this.#bus?.postMessage(hint);
    if (hint === "changed") return tell();
    this.#leaveMark();
    this.#told = this.#marks?.leave().then(tell);
  }

  /** Was there a sign-out that this tab did not know of? It knows now. (A mark that is gone says nothing.) */
  hasEnded(): boolean {
    const mark = this.#mark();
    const isNew = mark !== null && mark !== this.#seen;
    if (isNew) this.#see(mark);
    const hasEnded = isNew || this.#hasWorkerEnded;
    this.#hasWorkerEnded = false;
    return hasEnded;
  }

  #leaveMark(): void {
    try {
      localStorage.setItem(this.#key, unique());
    } catch {
      // Storage is denied. The other tabs' sessions end with their tokens.
    }
    this.#see(this.#mark());
  }

  #see(mark: string | null): void {
    this.#seen = mark;
    memory.set(this.#seenKey, mark);
  }

  #mark(): string | null {
    try {
      return localStorage.getItem(this.#key);
    } catch {
      return null;
    }
  }
}
