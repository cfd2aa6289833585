import { AuthError, misuse } from "./errors.js";
import type { AuthEvents, LogEntry } from "./auth-client.js";
import type { AuthOptions } from "./types.js";

/** Who is told what: listeners of their events, and the app's logger of all that happens. */
export class Events {
  readonly #logger: AuthOptions["logger"];
  #listeners: Record<string, Set<(detail: never) => void>> = {};
  /** What can be listened to, as the engine says; where there is none, the state. */
  names: readonly string[] = ["stateChanged"];

  constructor(logger: AuthOptions["logger"]) {
    this.#logger = logger;
  }

  on<K extends keyof AuthEvents>(event: K, listener: (detail: AuthEvents[K]) => void): () => void {
    if (!this.names.includes(event)) {
      throw misuse("there is no such event");
    }
    if (typeof listener !== "function") {
      throw misuse("the listener is no function");
    }
    const listeners = (this.#listeners[event] ??= new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** A listener that throws must not keep the others from hearing; its error goes where uncaught ones go. */
  emit<K extends keyof AuthEvents>(event: K, detail: AuthEvents[K]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) {
      try {
        listener(detail as never);
      } catch (error) {
        reportError(error);
      }
    }
  }

  /** Nobody listens any more. */
  clear(): void {
    this.#listeners = {};
  }

  /** A step that takes its time; what it throws is an `AuthError` and in the log. */
  attempt<R>(operation: string, step: () => Promise<R>): Promise<R> {
    const failed = (error: unknown) => {
      throw this.failed(operation, error);
    };
    return this.guarded(operation, () => step().catch(failed));
  }

  /** A step that is done when it returns. */
  guarded<R>(operation: string, step: () => R): R {
    this.log({ level: "debug", event: operation });
    try {
      return step();
    } catch (error) {
      throw this.failed(operation, error);
    }
  }

  failed(event: string, error: unknown): AuthError {
    const made = AuthError.from(error);
    const { code, phase, retryable } = made;
    this.log({ level: "warn", event, detail: { code, phase, retryable } });
    return made;
  }

  log(entry: Omit<LogEntry, "at">): void {
    try {
      this.#logger?.({ ...entry, at: Date.now() });
    } catch (error) {
      reportError(error);
    }
  }
}
