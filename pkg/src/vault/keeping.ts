/**
 * Which page keeps which sign-in in progress, where they are kept by pages: the one that began it or brought it along, and
 * no other. So a script in another tab does not see its verifier. The mark of a response that was used is a hash, and any
 * page's.
 */
import { entries, type Entry } from "./shims.js";

export class Keeping<Page> {
  readonly #send: (text: string | null, page: Page) => void;
  /** By page, the `state`s of those that are its own. */
  readonly #claims = new Map<Page, Set<unknown>>();
  #all: Entry[] = [];

  constructor(send: (text: string | null, page: Page) => void) {
    this.#send = send;
  }

  /** The engine has written anew what there is. A page keeps none that is over. */
  change(text: string | null): void {
    this.#all = entries(text);
    const there = new Set(this.#all.map(({ state }) => state));
    for (const [page, states] of this.#claims) {
      const gone = [...states].filter((state) => !there.has(state));
      for (const state of gone) states.delete(state);
      if (gone.length) this.#tell(page, states);
    }
  }

  /** Those that are named in what the page was answered, or brought along, are its own. */
  claim(page: Page, value: unknown): void {
    if (!this.#all.length) return;
    const named = typeof value === "string" ? value : JSON.stringify(value ?? null);
    const states = this.#claims.get(page) ?? new Set();
    const more = this.#all.filter(({ state }) => typeof state === "string" && named.includes(state) && !states.has(state));
    if (!more.length) return;
    for (const { state } of more) states.add(state);
    this.#claims.set(page, states);
    this.#tell(page, states);
  }

  drop(page: Page): void {
    this.#claims.delete(page);
  }

  #tell(page: Page, states: Set<unknown>): void {
    const own = this.#all.filter(({ state, kind }) => states.has(state) || kind === "spent");
    this.#send(own.length ? JSON.stringify(own) : null, page);
  }
}
