/**
 * The mark of a sign-out for threads that have no storage in common, as a worker has none with pages: a lock whose name was
 * not there before, held by who signed out. It says no more, and nothing is stored. Without Web Locks (on plain http) there
 * is none, and nobody is believed.
 */
export class Marks {
  readonly #name: string;
  /** With what the names begin that are looked for. */
  readonly #sought: string;
  /** Once known, none is news again, however long it is there and whoever tells of it. */
  readonly #known = new Set<string>();

  constructor(tag: string, by: "page" | "worker") {
    const all = `wardkey:ended:1:${tag}:`;
    this.#name = `${all}${by}:`;
    // For each other, pages leave theirs in a storage.
    this.#sought = by === "page" ? `${all}worker:` : all;
    // Those that are there already are of before.
    void this.hasNew();
  }

  /** Is there one that was not known here? All are known from now on. */
  async hasNew(): Promise<boolean> {
    try {
      const { held } = await navigator.locks.query();
      const before = this.#known.size;
      for (const { name } of held!) if (name!.startsWith(this.#sought)) this.#known.add(name!);
      return this.#known.size > before;
    } catch {
      // There are no locks here.
      return false;
    }
  }

  /**
   * Leaves one: who is told after that finds it. It stays as long as this thread, or until its page is hidden, as browsers
   * neither freeze nor cache a page that holds a lock.
   */
  leave(): Promise<void> {
    const name = this.#name + crypto.getRandomValues(new Uint32Array(2)).join("");
    this.#known.add(name);
    return new Promise((left) => {
      const held = () => (left(), new Promise((free) => addEventListener("visibilitychange", free)));
      void ((navigator.locks as LockManager | undefined)?.request(name, held).catch(left as () => void) ?? left());
    });
  }
}
