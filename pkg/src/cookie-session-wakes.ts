/** When a cookie session is looked after: in time, after a sleep, and when another tab says so. */

/** The longest that timers wait: 2^31 - 1 milliseconds. */
const LONGEST = 2_147_483_647;

/** What there is to do. */
export interface Duties {
  refresh(): void;
  /** @param isBack The network is: what failed without it may be asked again at once. */
  look(isBack: boolean): void;
  hear(): void;
}

export class Wakes {
  readonly #bus: BroadcastChannel | undefined;
  readonly #every: number | undefined;
  readonly #duties: Duties;
  readonly #signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the next refresh is due, while there is somebody to keep signed in. Timers stop in a sleep, and this does not. */
  #due: number | undefined;

  constructor(name: string, signal: AbortSignal, every: number | undefined, duties: Duties) {
    this.#every = every;
    this.#duties = duties;
    this.#signal = signal;
    const wake = ({ type }: Event) => {
      if (this.#isHidden()) return;
      if (this.#due !== undefined && this.#due <= Date.now()) duties.refresh();
      else duties.look(type === "online");
    };
    globalThis.document?.addEventListener("visibilitychange", wake, { signal });
    for (const event of ["pageshow", "online", "focus"]) addEventListener(event, wake, { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    if (typeof BroadcastChannel === "undefined") return;
    const bus = (this.#bus = new BroadcastChannel(`wardkey:session:${name}`));
    bus.onmessage = ({ data }) => data === "changed" && duties.hear();
    signal.addEventListener("abort", () => bus.close());
  }

  /** Tells the other tabs that something has changed, never what. */
  tell(): void {
    if (!this.#signal.aborted) this.#bus?.postMessage("changed");
  }

  /** Is there somebody to keep signed in? */
  keep(isSomebody: boolean): void {
    if (!isSomebody || !this.#every) this.#due = undefined;
    else this.#due ??= Date.now() + this.#every;
    this.#arm();
  }

  /** The session was prolonged just now. */
  renewed(): void {
    if (this.#every) this.deferred(this.#every);
  }

  deferred(wait: number): void {
    if (this.#due === undefined) return;
    this.#due = Date.now() + wait;
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#due === undefined || this.#signal.aborted) return;
    const wait = Math.min(Math.max(this.#due - Date.now(), 0), LONGEST);
    this.#timer = setTimeout(() => this.#ring(), wait);
  }

  /** Nobody looks at a hidden page: it is refreshed when it is seen again, whatever its clock says by then. */
  #ring(): void {
    if (this.#isHidden()) this.#due = 0;
    else this.#duties.refresh();
  }

  #isHidden(): boolean {
    return globalThis.document?.visibilityState === "hidden";
  }
}
