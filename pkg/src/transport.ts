import type { EngineError } from "./errors.js";
import type { StepUpChallenge } from "./types.js";

/** What the engine tells, as it crosses: the name of an event and its detail. */
export type Listener = (event: string, detail: unknown) => void;

/** A person's session as the engine sees it; `reason` is the number of a code. */
export interface Snapshot {
  status: "loading" | "anonymous" | "authenticated";
  reason?: number;
  user?: unknown;
  expiresAt?: number;
  scopes?: string[];
  requested?: string[];
  missing?: string[];
  stale?: boolean;
}

/** The way from the client to its engine. Rejections and throws are of `EngineError`. */
export interface Transport {
  /** Where the engine is. */
  readonly isolation: "page";
  /** With what every `state` of this client begins. */
  readonly tag: string;
  /** The session now. */
  readonly snapshot: Snapshot;
  /** An operation that takes its time. */
  call(operation: string, argument?: unknown): Promise<unknown>;
  /** An operation that is done when it returns. */
  run(operation: string, argument?: unknown): unknown;
  /**
   * The request with a token for one of the targets in `api`, which is JSON (empty: those of the client): the answer,
   * and what its server wants before it gives another. `replayable` is false for a body that can be read only once.
   */
  fetch(request: Request, api: string, replayable: boolean): Promise<[Response, StepUpChallenge | null]>;
  /** Lets the engine go. */
  dispose(): void;
}

export type { EngineError };
