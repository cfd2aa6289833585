/**
 * Sign-ins whose response comes to another window than the one that began them, on the engine's side: the page opens
 * windows and closes them, and hears how it ended.
 */
import { AuthError, misuse } from "./errors.js";
import { awaited } from "./relay.js";

/** A request for a hidden frame, and how many sign-outs there had been when it was made. */
interface Begun {
  readonly state: string;
  readonly signOuts: number;
}

export class Elsewhere {
  readonly #call: (operation: string, argument: unknown) => Promise<unknown>;
  readonly #isOurs: (url: string) => boolean;
  readonly #timeoutMs: number;
  /** One wins over a silent sign-in that is under way. */
  #signOuts = 0;
  readonly #frames = new Set<AbortController>();

  /** `call`s the engine; `isOurs` tells which URLs are responses. */
  constructor(
    call: (operation: string, argument: unknown) => Promise<unknown>,
    isOurs: (url: string) => boolean,
    timeoutMs = 10_000,
  ) {
    this.#call = call;
    this.#isOurs = isOurs;
    this.#timeoutMs = timeoutMs;
  }

  /** Nobody is to be signed in without their doing any more. */
  signedOut(): void {
    this.#signOuts++;
    for (const frame of this.#frames) frame.abort();
  }

  /** Begins a silent sign-in. */
  async beginFrame(options: object): Promise<object> {
    const { prompt } = options as { prompt?: unknown };
    if ((prompt ?? "none") !== "none") throw misuse("prompt would show a page", "authorize");
    const signOuts = this.#signOuts;
    return { ...((await this.#call("beginFrame", { ...options, prompt: "none" })) as object), signOuts };
  }

  /** Finishes it, when the response comes. */
  async frame(begun: unknown, signal: AbortSignal): Promise<unknown> {
    const { state, signOuts } = begun as Begun;
    const over = new AbortController();
    const late = () => over.abort(new AuthError("timeout", "authorize", "no response in the frame", true));
    const timer = setTimeout(late, this.#timeoutMs);
    this.#frames.add(over);
    signal.addEventListener("abort", () => over.abort());
    if (signal.aborted || signOuts !== this.#signOuts) over.abort();
    try {
      return await this.popup(state, over.signal);
    } finally {
      clearTimeout(timer);
      this.#frames.delete(over);
    }
  }

  /** Finishes a sign-in in a popup, when the response comes. One that has come is handled, whatever the signal says. */
  async popup(state: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#call("handleCallback", await awaited(String(state), this.#isOurs, signal));
  }
}
