/**
 * What tabs tell each other: that something has changed, never what. Whoever hears it looks for itself: at the stored
 * session, or at the mark that a sign-out leaves. A message alone changes nothing.
 */

import { memory } from "./restore.js";

/** A sign-in or refresh has changed the session, or a sign-out has ended it. */
export type Hint = "changed" | "ended";

/** The other tabs of this origin with the same client. */
export class Tabs {
  readonly #bus: BroadcastChannel | undefined;
  readonly #key: string;
  /** Where the tab remembers, beyond its page, which mark it knows of. */
  readonly #seenKey: string;
  /** The mark of the last sign-out that this tab knows of. */
  #seen: string | null;

  constructor(tag: string, hear: (hint: Hint) => void, signal: AbortSignal) {
    this.#key = `wardkey:ended:1:${tag}`;
    this.#seenKey = `wardkey:seen:1:${tag}`;
    this.#seen = memory.get(this.#seenKey);
    if (typeof BroadcastChannel === "undefined" || typeof location === "undefined") return;
    const bus = (this.#bus = new BroadcastChannel(`wardkey:${tag}`));
    bus.onmessage = ({ data }) => {
      if (data === "changed" || data === "ended") hear(data);
    };
    // What a message is about may come to this tab's process later than the message.
    const late = ({ key }: StorageEvent) => key?.startsWith("wardkey:") && key.endsWith(tag) && hear("ended");
    addEventListener("storage", late as (event: StorageEvent) => void, { signal });
    signal.addEventListener("abort", () => bus.close());
  }

  /** Tells the others. */
  tell(hint: Hint): void {
    if (hint === "ended") this.#leaveMark();
    this.#bus?.postMessage(hint);
  }

  /** Was there a sign-out that this tab did not know of? It knows now. (A mark that is gone says nothing.) */
  hasEnded(): boolean {
    const mark = this.#mark();
    const isNew = mark !== null && mark !== this.#seen;
    if (isNew) this.#see(mark);
    return isNew;
  }

  #leaveMark(): void {
    try {
      // No more than a number that was not there before.
      localStorage.setItem(this.#key, crypto.getRandomValues(new Uint32Array(2)).join(""));
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
