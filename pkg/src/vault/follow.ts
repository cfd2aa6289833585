import { Follower, type Way } from "../regain.js";
import { away } from "../vault-away.js";

/** Follows a session that outlasts its pages: the worker knows what was before. */
export class SharedFollower extends Follower {
  protected override async way(had = false): Promise<Way> {
    return (await this.it.transport.call("way", had)) as Way;
  }

  protected override async take(way: Way): Promise<void> {
    // At once, and not when the rest has been loaded.
    const { client, transport } = this.it;
    const { call, tag } = transport;
    client.show({ status: "loading" });
    const restore = async () => {
      // Another tab may have been sooner, and what it was told is heard before this is answered.
      const still = await call("way");
      if (client.state.status === "authenticated") return;
      if (!still) return client.show({ status: "anonymous" });
      await (await away()).take(this.it, way, { guard: () => call("guard"), forgo: () => call("forgo") });
    };
    // One tab asks the server, for all.
    const locks = navigator.locks as LockManager | undefined;
    await (locks ? locks.request(`wardkey:restore:${tag}`, restore).catch(restore) : restore());
  }
}
