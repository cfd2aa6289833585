import type { StepUpChallenge } from "./types.js";
import type { Sight } from "./told.js";

export type { Listener, Sight } from "./told.js";

/** The way from the client to its engine. Rejections and throws are of `AuthError`. */
export interface Transport {
  /** Where the engine is. */
  readonly isolation: "page" | "worker" | "shared";
  /** With what every `state` of this client begins. */
  readonly tag: string;
  /** The session now. */
  readonly sight: Sight;
  /** An operation that takes its time. */
  call(operation: string, argument?: unknown): Promise<unknown>;
  /** An operation that is done when it returns; but a promise of it where the engine is on another thread. */
  run(operation: string, argument?: unknown): unknown;
  /**
   * The request with a token for one of the targets in `api`, which is JSON (empty: those of the client): the answer,
   * and what its server wants before it gives another. `replayable` is false for a body that can be read only once.
   */
  fetch(request: Request, api: string, replayable: boolean, isStream: boolean): Promise<[Response, StepUpChallenge | null]>;
  /** Checks targets for {@link fetch}, where the engine is on this thread. Another one checks them with each request. */
  checkApi?(api: unknown): void;
  /** Waits for the response to a `state` that comes to another window, until the signal. */
  listen(this: void, state: string, signal: AbortSignal): Promise<string>;
  /** Nobody sees the page any more, which an engine on another thread cannot know. (That it is seen, "look" says.) */
  hide?(): void;
  /** Lets the engine go. */
  dispose(): void;
}
