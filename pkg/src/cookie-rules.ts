/**
 * The rules of RFC 6265bis for cookies that script sets and reads. No page, no clock: both are arguments. The same
 * rules are in `src/protocol/cookie.rs`, and both are held to the same cases.
 *
 * @module
 */
import type { CookieOptions } from "./cookies.js";
import { AuthError } from "./errors.js";

/** Octets of name and value together (RFC 6265bis 5.6, step 5). */
const LONGEST = 4096;
/** Browsers cut what is above (RFC 6265bis 5.5): 400 days. */
const LONGEST_LIFE_SEC = 34_560_000;
/** The year 1601, before which browsers take no date (RFC 6265bis 5.1.1, step 5). */
const FIRST_DATE = -11_644_473_600_000;

/** RFC 9110 5.6.2. Legacy readers (RFC 2965) take `$Version` and the like for attributes. */
export const TOKEN = /^(?!\$)[\w!#$%&'*+\-.^`|~]+$/;
/** Browsers ignore the case of a prefix (RFC 6265bis 5.4), and servers do not. */
const PREFIXED = /^__(host|secure)-/i;
/** cookie-value = *cookie-octet / ( DQUOTE *cookie-octet DQUOTE ) (RFC 6265bis 4.1.1). */
const VALUE = /^("?)[!#-+\--:<-[\]-~]*\1$/;
/**
 * Absolute, or browsers take the default path instead (5.6.4); of 1024 octets, or they ignore it (5.6.1), which widens
 * the cookie. A path of a URL has no space, and they trim it.
 */
const PATH = /^\/[!-:<-~]{0,1023}$/;
/**
 * A host name (RFC 1034 3.5, RFC 1123 2.1), in ASCII. One label is a public suffix, or the host itself, and a leading
 * dot means nothing; an address has no other hosts.
 */
const DOMAIN = /^(?=.{1,253}$)([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+(?!\d+$)[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i;
/** Hosts that browsers hold for trustworthy without TLS (W3C Secure Contexts 3.1). */
const LOOPBACK = /^https?:\/\/((.+\.)?localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** What each option must be, and the words that say so. */
export type Rules<T> = { readonly [name in keyof T]-?: readonly [holds: (value: unknown) => boolean, words: string] };

const is = (value: unknown, pattern: RegExp) => typeof value === "string" && pattern.test(value);
const isFlag = (value: unknown) => typeof value === "boolean";

// No call in it: a bundler could not tell that it has no effect, and would keep it for apps without cookies.
const OPTIONS: Rules<CookieOptions> = {
  sameSite: [(value) => is(value, /^(Strict|Lax|None)$/), "must be Strict, Lax or None"],
  secure: [isFlag, "must be true or false"],
  path: [(value) => is(value, PATH), "must begin with /, and be of at most 1024 octets, none of them a semicolon"],
  domain: [(value) => is(value, DOMAIN), "must be a host name of two labels or more"],
  maxAgeSec: [
    (life) => Number.isInteger(life) && (life as number) >= 0 && (life as number) <= LONGEST_LIFE_SEC,
    "must be a whole number of seconds, 0 to 400 days",
  ],
  expires: [(date) => timeOf(date) >= FIRST_DATE, "must be a date"],
  partitioned: [isFlag, "must be true or false"],
  prefix: [(value) => is(value, /^(host|secure|none)$/), "must be host, secure or none"],
};

/** A cookie as it is written, and what is known of it. */
export interface Cookie {
  /** With the prefix. */
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** It ends before it begins: writing it removes the one that is there. */
  readonly ended: boolean;
  /** For `document.cookie`. */
  readonly text: string;
}

/** The error for a cookie that browsers, or servers, would drop or misread. */
export function refused(reason: string): AuthError {
  return new AuthError("invalid_cookie", "storage", reason);
}

/**
 * The own members of an options object, each as its rule wants it, on an object without a prototype: what other script
 * put on `Object.prototype` is no option. A name that has no rule is refused, except `__proto__`, by which `JSON.parse`
 * means a prototype and not a member.
 */
export function readOptions<T extends object>(options: T | undefined, rules: Rules<T>): T {
  if (options === null || !["undefined", "object"].includes(typeof options)) throw refused("the options are no object");
  const read = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === undefined || name === "__proto__") continue;
    if (!Object.hasOwn(rules, name)) throw refused("an option is not known (HttpOnly is for servers alone)");
    const [holds, words] = rules[name as keyof T];
    if (!holds(value)) throw refused(`${name} ${words}`);
    read[name] = value;
  }
  return read as T;
}

/** The options of a cookie, as `readOptions` reads them. */
export const readCookieOptions = (options?: CookieOptions): CookieOptions => readOptions(options, OPTIONS);

/** Where and when a cookie is written. */
export interface Setting {
  /** The page's; empty where there is none. */
  readonly origin: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The cookie by these rules. */
export function cookieOf(given: string, value: string, options: CookieOptions | undefined, setting: Setting): Cookie {
  const read = readCookieOptions(options);
  const { sameSite = "Lax", secure = true, path = "/", domain, maxAgeSec, expires, partitioned = false } = read;
  if (typeof given !== "string" || typeof value !== "string") throw refused("name and value must be texts");
  const name = prefixed(given, read.prefix);
  const end = expires === undefined ? undefined : timeOf(expires);
  const host = name.startsWith("__Host-");
  hold([
    [TOKEN.test(name), "the name must be a token, and not begin with $"],
    [!PREFIXED.test(name) || /^__(Host|Secure)-/.test(name), "the name has a prefix in another spelling"],
    [!/^__(host-)?http-/i.test(name), "__Http- cookies must be HttpOnly, which script cannot set"],
    [VALUE.test(value), "the value must be of cookie-octets: no space, comma, semicolon or backslash"],
    [name.length + value.length <= LONGEST, "name and value have more than 4096 octets"],
    [end === undefined || end <= setting.now + LONGEST_LIFE_SEC * 1000, "expires must be at most 400 days ahead"],
    [secure || LOOPBACK.test(setting.origin), "only a loopback origin may do without Secure"],
    [secure || sameSite !== "None", "SameSite=None needs Secure"],
    [secure || !partitioned, "Partitioned needs Secure"],
    [secure || !(host || name.startsWith("__Secure-")), "the name's prefix needs Secure"],
    [!host || (path === "/" && domain === undefined), "__Host- needs the path / and no domain"],
  ]);
  const attributes = [
    `${name}=${value}`,
    `Path=${path}`,
    domain !== undefined && `Domain=${domain}`,
    maxAgeSec !== undefined && `Max-Age=${maxAgeSec}`,
    // IMF-fixdate (RFC 9110 5.6.7) by ECMA-262 21.4.4.43.
    end !== undefined && `Expires=${new Date(end).toUTCString()}`,
    secure && "Secure",
    `SameSite=${sameSite}`,
    partitioned && "Partitioned",
  ];
  const ended = maxAgeSec === undefined ? end !== undefined && end <= setting.now : maxAgeSec === 0;
  return { name, value, path, ended, text: attributes.filter(Boolean).join("; ") };
}

function hold(rules: [holds: boolean, reason: string][]): void {
  for (const [holds, reason] of rules) if (!holds) throw refused(reason);
}

function prefixed(name: string, prefix: CookieOptions["prefix"]): string {
  if (name === "") throw refused("the name must be a token, and not begin with $");
  if (prefix === undefined || prefix === "none") return name;
  const wanted = prefix === "host" ? "__Host-" : "__Secure-";
  if (name.startsWith(wanted)) return name;
  if (PREFIXED.test(name)) throw refused("the name has another prefix");
  return wanted + name;
}

/** The time of a date, of any realm; NaN of anything else. */
function timeOf(date: unknown): number {
  try {
    return Date.prototype.getTime.call(date);
  } catch {
    return Number.NaN;
  }
}

/**
 * The cookies of a `Cookie` header or `document.cookie`, in their order: nothing is decoded, trimmed beyond space and
 * tab, or left out because of its name. Cookies without a name are; there is nothing to ask for them by.
 */
export function pairsOf(header: string): [name: string, value: string][] {
  if (typeof header !== "string") throw refused("the header is no text");
  return header.split(";").flatMap((part): [string, string][] => {
    const equals = part.indexOf("=");
    const name = trim(part.slice(0, Math.max(equals, 0)));
    return name ? [[name, trim(part.slice(equals + 1))]] : [];
  });
}

/** The values of all cookies with this name. */
export function valuesOf(header: string, name: string): string[] {
  return pairsOf(header).flatMap(([known, value]) => (known === name ? [value] : []));
}

/**
 * Without the white space of RFC 6265bis (space and tab) around it: what Unicode calls space is part of a name. A
 * pattern for the end of a text would take quadratic time.
 */
function trim(text: string): string {
  const isWhite = (at: number) => text[at] === " " || text[at] === "\t";
  let [start, end] = [0, text.length];
  while (start < end && isWhite(start)) start += 1;
  while (end > start && isWhite(end - 1)) end -= 1;
  return text.slice(start, end);
}
