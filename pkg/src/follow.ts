/** What keeps a session beyond its page and its tab: restored after a load, looked at after a sleep, told to the others. */
import type { Events } from "./events.js";
import { leaving } from "./page.js";
import { isOwner, Restore } from "./restore.js";
import { Tabs, type Hint } from "./tabs.js";
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

/** Follows the session of one client. */
export class Follower {
  readonly #it: Followed;
  readonly #restore: Restore;
  readonly #tabs: Tabs;
  readonly #isShared: boolean;
  /** Settles when it is clear whether the session of before goes on. */
  restored: Promise<unknown> = Promise.resolve();
  /** Another tab has signed out, and this one follows. */
  #isEnding = false;
  /** A sign-in that came of another tab's is under way, and what to do once it is done. */
  #catchingUp: "once" | "again" | undefined;

  constructor(it: Followed, signal: AbortSignal) {
    this.#it = it;
    this.#isShared = it.options.storage === "localStorage";
    this.#restore = new Restore(it.options, it.transport.tag);
    this.#tabs = new Tabs(it.transport.tag, (hint) => this.#heed(hint), signal);
  }

  /**
   * Takes up the session that is stored, and looks after it from here on, in a page. `isArriving`: there is a response to
   * be handled first.
   */
  async begin(isArriving: boolean, signal: AbortSignal): Promise<void> {
    if (typeof document === "undefined") return;
    const { client, isVisiting } = this.#it;
    if (!isVisiting) await this.#open();
    const look = () => document.visibilityState === "visible" && this.#look();
    document.addEventListener("visibilitychange", look, { signal });
    // A page that comes back from the cache of the browser, or from a sleep, has missed what happened meanwhile.
    for (const event of ["pageshow", "online", "focus"]) addEventListener(event, look, { signal });
    if (client.state.status === "anonymous" && !isArriving && !isVisiting) this.restored = this.#regain();
  }

  /** Takes up the session that is stored, if it is this tab's and did not end while the tab was elsewhere. */
  async #open(): Promise<void> {
    const { options, transport } = this.#it;
    const hasEnded = this.#hasEnded();
    if (!options.storage || options.storage === "memory") return;
    // What is stored for all tabs, they own together, and it ended when one of them ended it.
    const isOurs = this.#isShared || ((await isOwner(transport.tag)) && !hasEnded);
    if (isOurs) await transport.call("open");
    else transport.run("forget");
  }

  signedIn(): void {
    this.#restore.note(true);
  }

  /** Tells the others of a sign-in. One that nobody saw is not told: it may be the answer to being told. */
  announce(): void {
    this.#tabs.tell("changed");
  }

  /** The session has ended. With an error that is the matter of this tab: others have their own tokens, or look. */
  signedOut(isError: boolean): void {
    if (isError) return;
    this.#restore.note(false);
    if (!this.#isEnding) this.#tabs.tell("ended");
  }

  refreshed(): void {
    if (this.#isShared) this.#tabs.tell("changed");
  }

  /** Takes the way to the session of before that the options say. */
  async #regain(): Promise<void> {
    const { client, events, show, transport } = this.#it;
    const { way } = this.#restore;
    if (!way) return;
    show({ status: "loading" });
    try {
      if (way === "silent") return void (await client.signInSilent());
      this.#restore.guard();
      const { pathname, search } = location;
      const options = { prompt: "none", returnTo: pathname + search } as const;
      // No entry in the history that leads back to here, and away again.
      await leaving(((await transport.call("begin", options)) as AuthorizeRequest).url, "replace");
    } catch (error) {
      const { code, retryable } = events.failed("restore", error);
      // Somebody may have signed in meanwhile.
      if (client.state.status === "authenticated") return;
      if (!retryable) this.#restore.note(false);
      if (client.state.status === "loading") show({ status: "anonymous", reason: code });
    }
  }

  /** What was told is looked up: a message says that something changed, and is not believed more. */
  #heed(hint: Hint): void {
    if (hint === "ended" || this.#isShared) this.#look();
    else if (this.#restore.canBeSilent && !this.#it.isVisiting) void this.#catchUp();
  }

  /** One at a time, however often it is told. */
  async #catchUp(): Promise<void> {
    const isUnderWay = this.#catchingUp;
    this.#catchingUp = isUnderWay ? "again" : "once";
    if (isUnderWay) return;
    do {
      this.#catchingUp = "once";
      // It is in the log; nobody waits for it.
      await this.#it.client.signInSilent().catch(() => {});
    } while ((this.#catchingUp as string) === "again");
    this.#catchingUp = undefined;
  }

  /** Has another tab signed out since? Then nobody is to be signed in here again without their doing. */
  #hasEnded(): boolean {
    const hasEnded = this.#tabs.hasEnded();
    if (hasEnded) this.#restore.note(false);
    return hasEnded;
  }

  #look(): void {
    const { events, transport } = this.#it;
    if (this.#hasEnded()) {
      this.#it.leave();
      this.#isEnding = true;
      transport.run("follow");
      this.#isEnding = false;
    }
    transport.call("look").catch((error: unknown) => events.failed("look", error));
  }
}
