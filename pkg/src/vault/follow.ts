import { Follower, type Way } from "../regain.js";
import { away } from "../vault-away.js";

/** Follows a session that outlasts its pages: the worker knows what was before. */
export class SharedFollower extends Follower {
  protected override async wayBack(had = false): Promise<Way> {
    return (await this.followed.transport.call("way", had)) as Way;
  }

  protected override async take(way: Way): Promise<void> {
    // At once, and not when the rest has been loaded.
    this.followed.client.show({ status: "loading" });
    await (await away()).takeForAll(this.followed, way);
  }
}
