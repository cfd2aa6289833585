/** What a cookie session asks its server itself. */
import { getCookie } from "./cookies.js";
import { withCsrfToken } from "./csrf.js";
import { AuthError, type AuthErrorPhase } from "./errors.js";
import { isVisible } from "./options.js";
import { unreachable } from "./outgoing.js";
import type { Settings } from "./cookie-session-options.js";

/** Milliseconds for an answer with its body. */
const TIMEOUT = 10_000;
/** Octets of a body, as in `src/protocol/http.rs`. */
const MAX_BODY = 512 * 1024;

/** What a server answered. */
export interface Answer {
  readonly ok: boolean;
  /** The session is over: 401, or the way to a page for people. */
  readonly isNobody: boolean;
  readonly status: number;
  readonly text: string;
  /** Seconds that it wants to be left alone. */
  readonly retryAfter: number;
}

/**
 * The request with the CSRF header. A fixed value is no secret, and goes along with all; the value of a cookie is one,
 * and goes where `withCsrfToken` says. Without the cookie there is nothing to send, and the server says no.
 */
export function withCsrf(request: Request, csrf: Settings["csrf"]): Request {
  if (!csrf) return request;
  const { header, cookie, value } = csrf;
  if (value !== undefined) {
    request.headers.set(header, value);
    return request;
  }
  const token = {
    header,
    get value() {
      const found = getCookie(cookie!) ?? "";
      if (found && !isVisible(found)) throw new AuthError("invalid_cookie", "fetch", "its value can stand in no header");
      return found;
    },
  };
  return withCsrfToken(request, token, location.origin);
}

/** Asks, with the cookie. Nothing is followed: the CSRF header would go along. */
export async function ask(
  method: "GET" | "POST",
  url: string,
  phase: AuthErrorPhase,
  csrf: Settings["csrf"],
  life: AbortSignal,
): Promise<Answer> {
  const end = new AbortController();
  const stop = () => end.abort();
  const timer = setTimeout(stop, TIMEOUT);
  life.addEventListener("abort", stop);
  const headers = { accept: "application/json" };
  const init = { method, headers, credentials: "include", redirect: "manual", cache: "no-store", signal: end.signal } as const;
  const request = withCsrf(new Request(url, init), csrf);
  try {
    const response = await fetch(request);
    const { ok, status } = response;
    const isNobody = status === 401 || response.type === "opaqueredirect";
    const retryAfter = secondsOf(response.headers.get("retry-after") ?? "");
    return { ok, isNobody, status, text: await read(response, phase), retryAfter };
  } catch (error) {
    if (error instanceof AuthError) throw error;
    if (life.aborted) throw new AuthError("aborted", phase, "the session was disposed");
    if (end.signal.aborted) throw new AuthError("timeout", phase, "the server did not answer", true);
    throw unreachable(phase);
  } finally {
    clearTimeout(timer);
    life.removeEventListener("abort", stop);
  }
}

/** RFC 9110 10.2.3: seconds, or a date. */
function secondsOf(retryAfter: string): number {
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Math.max(seconds || 0, 0);
}

async function read({ body }: Response, phase: AuthErrorPhase): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for (let chunk; (chunk = (await reader?.read())?.value); text += decoder.decode(chunk, { stream: true })) {
    length += chunk.length;
    if (length <= MAX_BODY) continue;
    // Nobody waits for the rest.
    void reader!.cancel().catch(() => {});
    throw new AuthError("server_error", phase, "the answer is too large");
  }
  return text + decoder.decode();
}

/** Why an answer is of no use. Some servers say 403 for too many requests. */
export function trouble({ status, text }: Answer, phase: AuthErrorPhase): AuthError {
  const isLimited = status === 429 || isRateLimit(status, text);
  const isLater = isLimited || status === 408 || status >= 500;
  const code = isLimited ? "rate_limited" : status === 403 ? "authorization_failed" : "server_error";
  return Object.assign(new AuthError(code, phase, "the server answered with another status", isLater), { status });
}

/** Shift iQ's answer to too many requests, which has nothing to do with who asks. */
export const isRateLimit = (status: number, text: string): boolean => status === 403 && /rate limit/i.test(text);
