/** What keeps a session beyond its page and its tab: restored after a load, looked at after a sleep, told to the others. */
import { Follower, type Followed, type Way } from "./regain.js";
import { here } from "./page.js";
import { isAwaited, stateOf } from "./relay.js";
import { isOwner, Restore } from "./restore.js";
import { Tabs, type Hint } from "./tabs.js";
import { take } from "./take.js";
import { isOwnFrame } from "./windows.js";

/** Follows the session of one client, whose engine lives no longer than the page. */
export class PageFollower extends Follower {
  readonly #restore: Restore;
  /** None where one engine serves all tabs. */
  readonly #tabs: Tabs | undefined;
  readonly #isStored: boolean;
  readonly #isVisiting: boolean;
  /** There was a sign-in that the other tabs may not have been told of. */
  #isUntold = false;
  readonly #life: AbortSignal;
  /** A sign-in that came of another tab's is under way, and what to do once it is done. */
  #catchingUp: "once" | "again" | undefined;

  constructor(followed: Followed, signal: AbortSignal) {
    super(followed);
    const { client, options, transport } = followed;
    this.#isVisiting = isOwnFrame() || (client.isCallback() && isAwaited(stateOf(here()), transport.whose.tag));
    this.#life = signal;
    this.#isStored = options.storage === "localStorage";
    this.#restore = new Restore(options, transport.whose.tag);
    if (transport.isolation !== "shared") this.#tabs = new Tabs(transport.whose.tag, (hint) => this.#heed(hint), signal);
  }

  /** Is the page there for another window? A response that is awaited comes to a part of that window's sign-in. */
  protected override get isVisiting(): boolean {
    return this.#isVisiting;
  }

  /** Takes up the session that is stored, and looks after it from here on. */
  override async startFollowing(isArriving: boolean, signal: AbortSignal): Promise<void> {
    if (typeof document === "undefined") return;
    if (!this.isVisiting) await this.#open();
    // It comes before the page is seen again, and also where it is not.
    addEventListener("resume", () => this.wake(), { signal, capture: true });
    await super.startFollowing(isArriving, signal);
  }

  /** Takes up the session that is stored, if it is this tab's and did not end while the tab was elsewhere. */
  async #open(): Promise<void> {
    const { options, transport } = this.followed;
    const hasEnded = this.#hasEnded();
    if (!options.storage || options.storage === "memory") return;
    // What is stored for all tabs, they own together, and it ended when one of them ended it.
    const isOurs = this.#isStored || ((await isOwner(transport.whose.tag)) && !hasEnded);
    if (isOurs) await transport.call("open");
    else await transport.call("forget");
  }

  protected override async wayBack(): Promise<Way> {
    return this.#restore.way;
  }

  protected override take(way: Way): Promise<void> {
    return take(this.followed, way, { guard: () => this.#restore.guard(), forgo: () => this.#restore.note(false) });
  }

  override hear(event: string, detail: unknown): void {
    if (event === "signedIn") this.#signedIn();
    // With an error it is the matter of this tab: others have their own tokens, or look.
    else if (event === "signedOut" && (detail as { reason: string }).reason === "sign_out") this.#restore.note(false);
    else if (event === "ended") this.#tabs?.tell("ended");
    else if (event === "tokenRefreshed" && this.#isStored) this.#tabs?.tell("changed");
  }

  /** Tells the others of a sign-in. One that nobody saw is not told: it may be the answer to being told. */
  override announce(): void {
    // Handled a second time, it is no second sign-in.
    if (this.#isUntold) this.#tabs?.tell("changed");
    this.#isUntold = false;
  }

  #signedIn(): void {
    this.#restore.note(true);
    this.#isUntold = true;
  }

  /** What was told is looked up: a message says that something changed, and is not believed more. */
  #heed(hint: Hint): void {
    if (hint === "ended" || this.#isStored) this.#look();
    else if (this.#restore.canBeSilent && !this.isVisiting) void this.#catchUp();
  }

  /** One at a time, however often it is told. */
  async #catchUp(): Promise<void> {
    const isUnderWay = this.#catchingUp;
    this.#catchingUp = isUnderWay ? "again" : "once";
    if (isUnderWay) return;
    do {
      this.#catchingUp = "once";
      // It is in the log; nobody waits for it.
      await this.followed.client.signInSilent().catch(() => {});
    } while ((this.#catchingUp as string) === "again");
    this.#catchingUp = undefined;
  }

  /** Has another tab signed out since? Then nobody is to be signed in here again without their doing. */
  #hasEnded(): boolean {
    const hasEnded = this.#tabs?.hasEnded() ?? false;
    if (hasEnded) this.#restore.note(false);
    return hasEnded;
  }

  /** Follows what can be seen at once. For what is still to be heard and seen, the calls wait. */
  protected override wake(): void {
    this.#follow();
    this.restored = Promise.all([this.restored, this.#catchUpOn()]);
  }

  async #catchUpOn(): Promise<void> {
    await this.#tabs?.heard();
    if (this.followed.client.state.status === "authenticated") await this.#tabs?.coming;
    if (this.#life.aborted) return;
    // The engine does the first step of this, which is to read what is stored, before any call that has waited.
    if (this.#isStored || document.visibilityState === "visible") this.#look();
    else this.#follow();
  }

  #follow(): void {
    if (!this.#hasEnded()) return;
    this.followed.client.leave();
    const { events, transport } = this.followed;
    transport.call("follow").catch((error: unknown) => events.failed("follow", error));
  }

  /** Follows what can be seen, and has the engine look. */
  #look(): void {
    this.#follow();
    super.wake();
  }
}
