/** What a page looks after as long as it is there, and the way back to a session that it does not hold. */
import type { Client } from "./client.js";
import type { Events } from "./events.js";
import type { Transport } from "./transport.js";
import type { AuthOptions } from "./types.js";
import { isOwnFrame } from "./windows.js";

/** What is followed. */
export interface Followed {
  readonly client: Client;
  readonly transport: Transport;
  readonly options: AuthOptions;
  readonly events: Events;
}

/** How a session of before can be had: asked for in a hidden frame, or by leaving the page. */
export type Way = "silent" | "redirect" | undefined;

/** What makes a follower of its kind. */
export type Follows = new (it: Followed, signal: AbortSignal) => Follower;

/** Follows the session of one client. */
export abstract class Follower {
  protected readonly followed: Followed;
  /** Settles when it is clear whether the session of before goes on. */
  restored: Promise<unknown> = Promise.resolve();

  constructor(followed: Followed) {
    this.followed = followed;
  }

  /** Is the page there for a sign-in of another window, whose session is none of its own? */
  protected get isVisiting(): boolean {
    return isOwnFrame();
  }

  /** The way that the options and what was before say. `had`: the page had a session, and its worker is gone. */
  protected abstract wayBack(had?: boolean): Promise<Way>;

  /** Takes the way. */
  protected abstract take(way: Way): Promise<void>;

  /** Is told of every event. */
  hear?(event: string, detail: unknown): void;

  /** Is told of a sign-in that somebody saw. */
  announce?(): void;

  /** Looks after the session from here on, in a page. `isArriving`: there is a response to be handled first. */
  async startFollowing(isArriving: boolean, signal: AbortSignal): Promise<void> {
    if (typeof document === "undefined") return;
    const { client, transport } = this.followed;
    const look = () => (document.visibilityState === "visible" ? this.wake() : transport.unseen?.());
    // A page that comes back from the cache of the browser, or from a sleep, has missed what happened meanwhile. It looks
    // for that before the app can act, whose listeners may be on the document.
    for (const event of ["visibilitychange", "pageshow", "online", "focus"]) addEventListener(event, look, { signal, capture: true });
    if (client.state.status !== "anonymous" || isArriving || this.isVisiting) return;
    const way = await this.wayBack();
    if (way) this.restored = this.take(way);
  }

  /** The engine had to start anew, and lost the session that the page had. */
  regain(): void {
    const { client, events } = this.followed;
    const had = client.state.status === "authenticated";
    const taken = async (way: Way) => {
      // Another page may have been sooner.
      if (way && client.state.status === "anonymous") await this.take(way);
    };
    this.restored = this.wayBack(had).then(taken).catch((error: unknown) => events.failed("restore", error));
  }

  /** Somebody sees the page again. */
  protected wake(): void {
    const { events, transport } = this.followed;
    transport.call("look").catch((error: unknown) => events.failed("look", error));
  }
}
