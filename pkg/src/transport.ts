import type { Recipient } from "./callback.js";
import type { StepUpChallenge } from "./types.js";
import type { Sight } from "./told.js";

export type { Listener, Sight } from "./told.js";

/** The way from the client to its engine. Rejections and throws are of `AuthError`. */
export interface Transport {
  /** Where the engine is. */
  readonly isolation: "page" | "worker" | "shared";
  /** By what a response to this client is known. */
  readonly whose: Recipient;
  /** What can be listened to. */
  readonly events: readonly string[];
  /** The session now. */
  readonly sight: Sight;
  /**
   * An operation. One that takes no time is done when this returns, where the engine is on this thread. The signal is for
   * "popup" and "frame", which end by it unless the response is there.
   */
  call(operation: string, argument?: unknown, signal?: AbortSignal): Promise<unknown>;
  /** Mints a request. Nothing, where a popup has to wait for it. An engine on this thread has other such operations too. */
  run(operation: string, argument?: unknown): unknown;
  /**
   * The request with a token for one of the targets in `api`, which is JSON (empty: those of the client): the answer,
   * and what its server wants before it gives another. `replayable` is false for a body that can be read only once. With
   * `sub` it is for that person alone.
   */
  fetch(
    request: Request,
    api: string,
    replayable: boolean,
    isStream: boolean,
    sub?: string,
  ): Promise<[Response, StepUpChallenge | null]>;
  /** Checks targets for {@link fetch}, where the engine is on this thread. Another one checks them with each request. */
  checkApi?(api: unknown): void;
  /** Nobody sees the page any more, which an engine on another thread cannot know. (That it is seen, "look" says.) */
  unseen?(): void;
  /** Lets the engine go. */
  dispose(): void;
}
