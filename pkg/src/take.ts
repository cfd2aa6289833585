/** Taking the way to a session of before. */
import { leaving } from "./page.js";
import type { Followed, Way } from "./regain.js";
import type { AuthorizeRequest } from "./types.js";

/** What is noted of it: one more automatic redirect, and that there is no session of before. */
export interface Notes {
  guard(): unknown;
  forgo(): unknown;
}

export async function take({ client, events, transport }: Followed, way: Way, notes: Notes): Promise<void> {
  client.show({ status: "loading" });
  try {
    if (way === "silent") return void (await client.signInSilent());
    await notes.guard();
    const { pathname, search } = location;
    const options = { prompt: "none", returnTo: pathname + search } as const;
    // No entry in the history that leads back to here, and away again.
    await leaving(((await transport.call("begin", options)) as AuthorizeRequest).url, "replace");
  } catch (error) {
    const { code, retryable } = events.failed("restore", error);
    // Somebody may have signed in meanwhile.
    if (client.state.status === "authenticated") return;
    if (!retryable) notes.forgo();
    if (client.state.status === "loading") client.show({ status: "anonymous", reason: code });
  }
}
