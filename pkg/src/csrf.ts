/** Methods that change nothing (RFC 9110 9.2.1), as `Request` spells them; it has no TRACE. */
const SAFE = ["GET", "HEAD", "OPTIONS"];

/**
 * The request with the token of `issueCsrfToken`, if it goes to the page's own origin by a method that is not safe; any
 * other as it is, as whoever gets the token can forge. Browsers hand the header on when they are redirected, also to
 * other origins, so a request that has it does not follow.
 */
export function withCsrfToken(request: Request, token: { header: string; value: string }, origin: string): Request {
  // A blob: URL has the origin of the page that made it, and a page without one shares "null" with all others.
  const { protocol, origin: target } = new URL(request.url);
  const own = target === origin && (protocol === "https:" || protocol === "http:");
  if (!own || SAFE.includes(request.method)) return request;
  const { header, value } = token;
  // Empty as a cookie that is not there: some servers hold the two for equal.
  if (!value) return request;
  const headers = new Headers(request.headers);
  headers.set(header, value);
  return new Request(request, { headers, redirect: request.redirect === "follow" ? "error" : request.redirect });
}
