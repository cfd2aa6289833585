/** The way back to a session that the page does not hold, and what a page looks after as long as it is there. */
import type { Events } from "./events.js";
import { leaving } from "./page.js";
import type { Transport } from "./transport.js";
import type { AuthClient, AuthState } from "./auth-client.js";
import type { AuthOptions, AuthorizeRequest } from "./types.js";

/** What is followed. */
export interface Followed {
  readonly client: Pick<AuthClient, "state" | "signInSilent">;
  readonly transport: Transport;
  readonly options: AuthOptions;
  readonly events: Events;
  /** Shows a state that the engine does not know of. */
  readonly show: (state: AuthState) => void;
  /** Ends what is under way, as a sign-out here does. */
  readonly leave: () => void;
  /** Is the page there for a sign-in of another window, whose session is none of its own? */
  readonly isVisiting: boolean;
}

/** What makes a follower of its kind. */
export type Follows = new (it: Followed, signal: AbortSignal) => Follower;

/** How a session of before can be had: asked for in a hidden frame, or by leaving the page. */
export type Way = "silent" | "redirect" | undefined;

/** Follows the session of one client, where the engine outlasts the page and knows what was before. */
export class Follower {
  protected readonly it: Followed;
  /** Settles when it is clear whether the session of before goes on. */
  restored: Promise<unknown> = Promise.resolve();

  constructor(it: Followed) {
    this.it = it;
  }

  /** Looks after the session from here on, in a page. `isArriving`: there is a response to be handled first. */
  async begin(isArriving: boolean, signal: AbortSignal): Promise<void> {
    if (typeof document === "undefined") return;
    const { client, isVisiting } = this.it;
    const look = () => document.visibilityState === "visible" && this.look();
    document.addEventListener("visibilitychange", look, { signal });
    // A page that comes back from the cache of the browser, or from a sleep, has missed what happened meanwhile.
    for (const event of ["pageshow", "online", "focus"]) addEventListener(event, look, { signal });
    if (client.state.status !== "anonymous" || isArriving || isVisiting) return;
    const way = await this.way(false);
    if (way) this.restored = this.#take(way);
  }

  /** The way that the options and what was before say. `had`: the page had a session, and its worker is gone. */
  protected async way(had: boolean): Promise<Way> {
    return (await this.it.transport.call("way", had)) as Way;
  }

  /** Counts one more automatic redirect. */
  protected async guard(): Promise<void> {
    await this.it.transport.call("guard");
  }

  /** Is told of every event. */
  hear(_event: string, _detail: unknown): void {}

  /** Is told of a sign-in that somebody saw. */
  announce(): void {}

  /** The engine had to start anew, and lost the session that the page `had`. */
  again(had: boolean): void {
    this.restored = this.#again(had);
  }

  async #again(had: boolean): Promise<void> {
    const { client, events } = this.it;
    try {
      const way = await this.way(had);
      // Another page may have been sooner.
      if (way && client.state.status === "anonymous") await this.#take(way);
    } catch (error) {
      events.failed("restore", error);
    }
  }

  async #take(way: Way): Promise<void> {
    const { client, events, show, transport } = this.it;
    show({ status: "loading" });
    try {
      if (way === "silent") return void (await client.signInSilent());
      await this.guard();
      const { pathname, search } = location;
      const options = { prompt: "none", returnTo: pathname + search } as const;
      // No entry in the history that leads back to here, and away again.
      await leaving(((await transport.call("begin", options)) as AuthorizeRequest).url, "replace");
    } catch (error) {
      const { code, retryable } = events.failed("restore", error);
      // Somebody may have signed in meanwhile.
      if (client.state.status === "authenticated") return;
      if (!retryable) this.forgo();
      if (client.state.status === "loading") show({ status: "anonymous", reason: code });
    }
  }

  /** There is no session of before: it is not asked for again. */
  protected forgo(): void {
    void this.it.transport.call("forgo");
  }

  protected look(): void {
    const { events, transport } = this.it;
    transport.call("look").catch((error: unknown) => events.failed("look", error));
  }
}
