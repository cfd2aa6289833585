/** Requests of the app's own that take a credential of another kind than a token along. */
import { AuthError } from "./errors.js";
import { invalid } from "./options.js";
import { request } from "./page.js";
import { refuseSecrets } from "./secrets.js";
import { isCovered, type Target } from "./target.js";

/** RFC 6750 2: a request has one credential. */
export const ownCredential = () => new AuthError("credential_refused", "fetch", "the request brings credentials of its own");

/** The caller's request, if it goes to one of the targets and has no credential of its own. */
export function admit(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  targets: readonly Target[],
  baseUrl?: string,
): Request {
  const asked = request(input, init, baseUrl);
  if (!isCovered(asked.url, targets)) throw new AuthError("origin_not_allowed", "fetch", "the URL is not covered by `api`");
  refuseSecrets(asked, init?.body);
  const brings = ["authorization", "dpop"].some((name) => asked.headers.has(name));
  if (brings || new URL(asked.url).searchParams.has("access_token")) {
    throw ownCredential();
  }
  // Headers could not be set on it, and the browser would say nothing.
  if (asked.mode === "no-cors") throw invalid("a request of the mode no-cors takes no header along");
  return asked;
}

/**
 * The request as it is sent: with or without cookies, and to no other place than the one that was admitted, as browsers
 * would carry method, body and headers along a redirect. The answer does not belong into the shared cache, unless the
 * caller says how.
 */
export function bound(asked: Request, credentials: "omit" | "include"): Request {
  const cache = asked.cache === "default" ? "no-store" : asked.cache;
  return new Request(asked, { credentials, redirect: "error", cache });
}

/** `fetch`, whose failures say what they are. The browser's own errors quote URLs. */
export async function send(sent: Request): Promise<Response> {
  try {
    return await fetch(sent);
  } catch {
    if (sent.signal.aborted) throw new AuthError("aborted", "fetch", "the caller's signal ended the call");
    throw unreachable("fetch");
  }
}

/** No answer: without a network, or whatever browsers do not tell from that (CORS, a redirect, a CSP). */
export function unreachable(phase: AuthError["phase"]): AuthError {
  return navigator.onLine === false
    ? new AuthError("offline", phase, "the browser is offline", true)
    : new AuthError("network", phase, "no answer that the browser lets through: see its console", true);
}
