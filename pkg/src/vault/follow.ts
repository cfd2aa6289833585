import { Follower, type Way } from "../regain.js";
import { away } from "../vault-away.js";

/** Follows a session that outlasts its pages: the worker knows what was before. */
export class SharedFollower extends Follower {
  protected override async way(had = false): Promise<Way> {
    return (await this.it.transport.call("way", had)) as Way;
  }

  protected override async take(way: Way): Promise<void> {
    // At once, and not when the rest has been loaded.
    this.it.client.show({ status: "loading" });
    const { call } = this.it.transport;
    return (await away()).take(this.it, way, { guard: () => call("guard"), forgo: () => call("forgo") });
  }
}
