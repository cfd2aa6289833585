/**
 * Cookies that script may set (RFC 6265bis), for the page's own use. None of this needs a client, and a bundler leaves
 * out what is not imported.
 *
 * @module
 */
import type { Cookie } from "./cookie-rules.js";
import { cookieOf, pairsOf, readCookieOptions, readOptions, refused, valuesOf } from "./cookie-rules.js";
import { AuthError } from "./errors.js";
import { isOwnHeader } from "./headers.js";

/**
 * The attributes of a cookie. Without any: `Path=/; Secure; SameSite=Lax`, for this host alone, until the browser is
 * closed. Only own properties count, and a name that is not here is refused, as `httpOnly`, which script cannot set.
 */
export interface CookieOptions {
  /** With what of other sites it goes: nothing, top-level navigation, or all. Default "Lax". "None" needs `secure`. */
  sameSite?: "Strict" | "Lax" | "None";
  /** Only over TLS. Default true; may be false only on a loopback origin. */
  secure?: boolean;
  /** The paths below which it is sent and seen. Default "/". */
  path?: string;
  /** The domain all of whose hosts get it, whoever runs them. Default: this host alone. */
  domain?: string;
  /** Seconds to live, a whole number, at most 400 days. Counts more than `expires`. */
  maxAgeSec?: number;
  /** When it ends, at most 400 days ahead. */
  expires?: Date;
  /** One of its own for each top-level site that embeds the page (CHIPS). Needs `secure`. Default false. */
  partitioned?: boolean;
  /**
   * "host" puts `__Host-` before the name, by which the browser vouches that this very host set the cookie; "secure"
   * puts `__Secure-`. A name that has a prefix already keeps it, and is held to its rules. Default "none".
   */
  prefix?: "host" | "secure" | "none";
}

/**
 * The `Set-Cookie`-shaped string for `document.cookie`. Values are cookie-octets and never encoded:
 * `encodeURIComponent` is yours.
 *
 * @throws {AuthError} `invalid_cookie` for what browsers would drop or misread.
 */
export function serializeCookie(name: string, value: string, options?: CookieOptions): string {
  return made(name, value, options).text;
}

/**
 * The cookies of a `Cookie` header or of `document.cookie`, on an object without a prototype. Nothing is decoded. Where
 * several cookies have one name, all their values are there, joined by "; ", which no single value has in it: their
 * order means nothing, and another host of the domain may have set one of them. `getCookie` refuses to choose, too.
 */
export function parseCookies(header: string): Record<string, string> {
  const cookies = Object.create(null) as Record<string, string>;
  for (const [name, value] of pairsOf(header)) {
    cookies[name] = name in cookies ? `${cookies[name]}; ${value}` : value;
  }
  return cookies;
}

/**
 * Sets a cookie and reads it back, as browsers drop cookies without a word. `path` must cover the page.
 *
 * @throws {AuthError} `invalid_cookie` for what browsers would drop or misread, and where this one did not keep it;
 * `storage_unavailable` where cookies are off, or there is no page.
 */
export function setCookie(name: string, value: string, options?: CookieOptions): void {
  write(made(name, value, options));
}

/**
 * The value of a cookie, as it is; null if there is none. The name includes the prefix.
 *
 * @throws {AuthError} `invalid_cookie` where several cookies have the name; `storage_unavailable` as `setCookie`.
 */
export function getCookie(name: string): string | null {
  const values = valuesOf(jar(), name);
  if (values.length > 1) throw refused("several cookies have this name");
  return values[0] ?? null;
}

/**
 * Deletes a cookie. `path`, `domain`, `partitioned` and `prefix` must be those with which it was set. It is no error if
 * there is none.
 *
 * @throws {AuthError} `invalid_cookie` if cookies have the name and none of them went; else as `setCookie`.
 */
export function deleteCookie(name: string, options?: CookieOptions): void {
  write(made(name, "", { ...readCookieOptions(options), maxAgeSec: 0 }));
}

/**
 * A random double-submit token (256 bits) in a `__Host-`, SameSite=Strict cookie until the browser closes; returns it
 * for the request header. Each call makes a new one: call it after sign-in, and have the server bind it to the session.
 * Other tabs read it with `getCookie`.
 *
 * @param options `cookie`: its name, default "__Host-csrf"; the prefix is added where it is missing. `header`: default
 * "X-CSRF-Token"; names that any page may send without asking, and such as only browsers may, are refused.
 * @throws {AuthError} as `setCookie` and `getCookie`.
 */
export function issueCsrfToken(options?: { cookie?: string; header?: string }): { header: string; value: string } {
  const { cookie = "__Host-csrf", header = "X-CSRF-Token" } = readOptions(options, {
    cookie: [(name) => typeof name === "string", "must be a text"],
    header: [isOwnHeader, "must be the name of a header of your own"],
  });
  const octets = crypto.getRandomValues(new Uint8Array(32));
  const value = Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
  const token = made(cookie, value, { sameSite: "Strict", prefix: "host" });
  write(token);
  // A partitioned one of this name, for example, would make the server choose.
  if (getCookie(token.name) !== value) throw refused("the browser did not keep it");
  return { header, value };
}

function made(name: string, value: string, options: CookieOptions | undefined): Cookie {
  return cookieOf(name, value, options, { origin: globalThis.location?.origin ?? "", now: Date.now() });
}

/** Writes, and proves by reading that it is written; or, where the cookie has ended, that one has gone. */
function write({ name, value, path, ended, text }: Cookie): void {
  if (!isSeenAt(path, globalThis.location?.pathname ?? "")) {
    throw refused("path must cover the page, or nothing shows whether the browser kept it");
  }
  const before = valuesOf(jar(), name).length;
  jar(text);
  const after = valuesOf(jar(), name);
  if (ended ? after.length === 0 || after.length < before : after.includes(value)) return;
  if (!navigator.cookieEnabled) throw unavailable();
  throw refused(
    ended
      ? "it is still there: was it set with another path, domain or partitioned?"
      : "the browser did not keep it: is the page https, and of this domain?",
  );
}

/** What the page can see of its cookies, once this one is written. */
function jar(text?: string): string {
  try {
    if (text !== undefined) document.cookie = text;
    return document.cookie;
  } catch {
    // A sandboxed frame throws a SecurityError, and so does everything where there is no document.
    throw unavailable();
  }
}

function unavailable(): AuthError {
  return new AuthError("storage_unavailable", "storage", "there are no cookies here");
}

/** path-match of RFC 6265bis 5.1.4. Every page is below "/", also a `srcdoc` frame with the cookies of its parent. */
function isSeenAt(path: string, page: string): boolean {
  return path === "/" || page === path || page.startsWith(path.endsWith("/") ? path : `${path}/`);
}
