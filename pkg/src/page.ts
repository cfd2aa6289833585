/** What needs the page: its URL, where it goes, and requests as its browser understands them. */
import { AuthError, type AuthErrorPhase } from "./errors.js";
import type { SignInOptions, TokenOptions } from "./types.js";

/** A promise for the time until the page is gone. */
export function leaving(url: string, how: "assign" | "replace" = "assign"): Promise<never> {
  go(() => location[how](url));
  return new Promise(() => {});
}

/** A path of this origin as a URL: the browser alone would resolve it against `<base href>`. */
export const local = (path: string) => new URL(path, location.origin).href;

/** Navigates. The browser's own error would quote the URL, and with it what is secret in it. */
export function go(navigate: () => void): void {
  try {
    navigate();
  } catch {
    throw new AuthError("discovery_failed", "authorize", "the browser cannot go to the server's URL");
  }
}

/** The caller's request, as the browser understands it. */
export function request(input: RequestInfo | URL, init?: RequestInit, baseUrl?: string): Request {
  try {
    return new Request(baseUrl && !(input instanceof Request) ? new URL(input, baseUrl) : input, init);
  } catch {
    throw new AuthError("invalid_configuration", "fetch", "the browser takes neither this URL nor these options");
  }
}

/** Can a request of this method have a body? */
export const hasBody = ({ method }: Request) => !/^(GET|HEAD)$/.test(method);

/** Can it be sent more than once? A stream is read once, and a request does not say whether its body is one. */
export function isReplayable(input: unknown, init?: RequestInit): boolean {
  const body = init?.body ?? (input instanceof Request && hasBody(input) ? input : null);
  return !(body instanceof ReadableStream || body instanceof Request);
}

/** The outcome, or `aborted` when the caller's signal comes first. What is under way for others goes on. */
export async function unlessAborted<R>(step: () => Promise<R>, phase: AuthErrorPhase, signal?: AbortSignal | null): Promise<R> {
  if (!signal) return step();
  const error = () => new AuthError("aborted", phase, "the caller's signal ended the call");
  if (signal.aborted) throw error();
  let stop!: () => void;
  const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", (stop = () => reject(error()))));
  try {
    return await Promise.race([step(), aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Text for the engine. What JSON cannot say (a cycle, a BigInt) is the caller's mistake. */
export function text(value: unknown): string {
  try {
    const json = JSON.stringify(value ?? {});
    if (json) return json;
  } catch {
    // A cycle, a BigInt, a getter that throws.
  }
  throw new AuthError("invalid_configuration", "configuration", "an option is not plain JSON");
}

/** What of the options is not for the page alone. */
export function forEngine(options?: SignInOptions | TokenOptions): object {
  const { signal: _, ...rest } = options ?? {};
  return rest;
}

/** A URL of the app's, as the browser spells it. */
export function absolute(url: string): string {
  const page = here() || undefined;
  if (!URL.canParse(url, page)) throw new AuthError("invalid_configuration", "fetch", "url is no URL");
  return new URL(url, page).href;
}

/** A URL without query and fragment. */
export const bare = (url: string) => url.split(/[?#]/)[0]!;

/** The page, without query and fragment; undefined outside of pages. */
export function pageUrl(): string | undefined {
  return typeof location === "undefined" ? undefined : location.origin + location.pathname;
}

/** The page's URL; empty outside of pages. */
export const here = () => globalThis.location?.href ?? "";
