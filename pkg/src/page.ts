/** What needs the page: its URL, where it goes, and requests as its browser understands them. */
import { pageOf } from "./callback.js";
import { AuthError, misuse, type AuthErrorPhase } from "./errors.js";
import type { SignInOptions, TokenOptions } from "./types.js";

/** A promise for the time until the page is gone. A path is one of this origin: the browser goes by `<base href>`. */
export function leaving(url: string, how: "assign" | "replace" = "assign"): Promise<never> {
  go(() => location[how](new URL(url, location.origin)));
  return new Promise(() => {});
}

/** Navigates. The browser's own error would quote the URL, and with it what is secret in it. */
export function go(navigate: () => void): void {
  try {
    navigate();
  } catch {
    throw new AuthError("discovery_failed", "authorize", "the browser cannot go there");
  }
}

/** The caller's request, as the browser understands it. */
export function request(input: RequestInfo | URL, init?: RequestInit, baseUrl?: string): Request {
  try {
    return new Request(baseUrl && !(input instanceof Request) ? new URL(input, baseUrl) : input, init);
  } catch {
    throw misuse("the browser takes no such request", "fetch");
  }
}

/** Can a request of this method have a body? */
export const hasBody = ({ method }: Request) => !/^(GET|HEAD)$/.test(method);

/** Can it be sent more than once? A stream is read once, and a request does not say whether its body is one. */
export function isReplayable(input: unknown, init?: RequestInit): boolean {
  const body = init?.body ?? (input instanceof Request && hasBody(input) ? input : null);
  return !(body instanceof ReadableStream || body instanceof Request);
}

/** The caller's signal came first. */
export const aborted = (phase: AuthErrorPhase) => new AuthError("aborted", phase, "by the caller's signal");

/** The outcome, or `aborted` when the caller's signal comes first. What is under way for others goes on. */
export function unlessAborted<R>(step: () => Promise<R>, phase: AuthErrorPhase, signal?: AbortSignal | null): Promise<R> {
  if (!signal) return step();
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted(phase));
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    const done = () => signal.removeEventListener("abort", stop);
    step().then(resolve, reject).finally(done);
  });
}

/** Text for the engine. What JSON cannot say (a cycle, a BigInt) is the caller's mistake. */
export function text(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  try {
    const json = JSON.stringify(value ?? {}, replacer);
    if (json) return json;
  } catch {
    // A cycle, a BigInt, a getter that throws.
  }
  throw misuse("an option is not plain JSON");
}

/** What of the options is not for the page alone. */
export function forEngine(options?: SignInOptions | TokenOptions): object {
  const { signal: _, ...rest } = options ?? {};
  return rest;
}

/** A URL of the app's, as the browser spells it. */
export function absolute(url: string): string {
  const page = here() || undefined;
  if (!URL.canParse(url, page)) throw misuse("url is no URL", "fetch");
  return new URL(url, page).href;
}

/** A URL without query and fragment. */
export const bare = (url: string) => url.split(/[?#]/)[0]!;

/** The page, without query and fragment; undefined outside of pages. */
export function pageUrl(): string | undefined {
  return typeof location === "undefined" ? undefined : pageOf(location.href);
}

/** The page's URL; empty outside of pages. */
export const here = () => globalThis.location?.href ?? "";
