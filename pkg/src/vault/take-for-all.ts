/** Taking the way to a session of before that is the one of all pages of a worker. */
import type { Followed, Way } from "../regain.js";
import { take } from "../take.js";

/** One tab asks the server, for all. */
export async function takeForAll(it: Followed, way: Way): Promise<void> {
  const { client, transport } = it;
  const { call, whose } = transport;
  const restore = async () => {
    // Another tab may have been sooner, and what it was told is heard before this is answered.
    const still = await call("way");
    if (client.state.status === "authenticated") return;
    if (!still) return client.show({ status: "anonymous" });
    await take(it, way, { guard: () => call("guard"), forgo: () => call("forgo") });
  };
  const locks = navigator.locks as LockManager | undefined;
  await (locks ? locks.request(`wardkey:restore:${whose.tag}`, restore).catch(restore) : restore());
}
