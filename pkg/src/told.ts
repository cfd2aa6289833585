/** What the engine tells, in the words of the public types. */
import { codeOf, fromEngine, type EngineError } from "./codes.js";
import { AuthError } from "./errors.js";
import type { AuthClient, AuthEvents, AuthState, LogEntry } from "./auth-client.js";
import type { User } from "./types.js";

/** Is told the name of an event, its detail, and what is to be logged of it. */
export type Listener = (event: string, detail: unknown, entry?: Omit<LogEntry, "at">) => void;

/** What listeners are told of. */
export const EVENTS: readonly (keyof AuthEvents)[] = [
  "signedIn",
  "signedOut",
  "userChanged",
  "tokenRefreshed",
  "refreshDeferred",
  "sessionExpired",
  "stepUpRequired",
  "stateChanged",
];

/** A person's session, and the scopes that go with it. */
export type Sight = [state: AuthState, scopes: AuthClient["scopes"]];

/** A person's session as the engine sees it; `reason` is the number of a code. */
interface Snapshot {
  status: "loading" | "anonymous" | "authenticated";
  reason?: number;
  user?: unknown;
  expiresAt?: number;
  scopes?: string[];
  requested?: string[];
  missing?: string[];
  stale?: boolean;
}

/** What is asked for in one person's name is not done in another's: it may not have been heard yet who is signed in now. */
export function checkPerson([state]: Sight, sub: unknown): void {
  const now = state.status === "authenticated" && state.user?.sub;
  if (now && sub && now !== sub) throw new AuthError("aborted", "fetch", "another person is signed in");
}

/** What a snapshot of the engine's says. */
export function sight(snapshot: unknown): Sight {
  const { status, reason, user, expiresAt, scopes = [], requested = [], missing = [], stale } = snapshot as Snapshot;
  const state: AuthState =
    status === "authenticated"
      ? { status, user: user as User | null, expiresAt: expiresAt ?? Infinity, scopes, stale: stale! }
      : status === "anonymous" && reason !== undefined
        ? { status, reason: codeOf(reason) }
        : { status };
  return [state, { granted: scopes, requested, missing }];
}

/** Tells a listener of an event of the engine's. */
export function tell(listener: Listener, event: string, detail: unknown): void {
  const info = { level: "info", event } as const;
  if (event === "stateChanged") {
    const seen = sight(detail);
    listener(event, seen, { ...info, detail: { status: seen[0].status } });
  } else if (event === "signedOut") {
    // A number is the code of an error.
    listener(event, { reason: typeof detail === "number" ? codeOf(detail) : "sign_out" });
  } else if (event === "sessionExpired") {
    listener(event, fromEngine(detail as EngineError));
  } else if (event === "storageFailed") {
    const { code, phase, retryable } = fromEngine(detail as EngineError);
    listener(event, undefined, { level: "warn", event, detail: { code, phase, retryable } });
  } else if (event === "scope") {
    listener(event, undefined, { level: "warn", event, detail: { reason: detail as string } });
  } else if (event === "refreshDeferred") {
    const [retryAt, cause] = detail as [number, EngineError];
    listener(event, { retryAt, cause: fromEngine(cause) }, { level: "warn", event, detail: { retryAt } });
  } else if (event === "tokenRefreshed") {
    listener(event, { expiresAt: (detail as { expiresAt?: number }).expiresAt ?? Infinity }, info);
  } else {
    listener(event, detail);
  }
}
