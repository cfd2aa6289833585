/**
 * Where a credential may be sent (RFC 6750 5.3; RFC 9700 4.9). The same rules are in `src/protocol/target.rs` and
 * `url.rs`, and both are held to the same cases.
 *
 * @module
 */
import { invalid, isText, readMembers } from "./options.js";
import { bare } from "./page.js";
import type { ApiPlace } from "./types.js";

/** An origin and the paths below a prefix. */
export interface Target {
  readonly origin: string;
  readonly path: string;
}

/**
 * Scheme, host, port and path in the spelling that browsers give them: lower case, ASCII, no credentials, no query. What
 * is legal but strange is refused.
 */
const PLACE = /^(https?):\/\/(\[[\da-f:.]*]|[a-z\d._-]+)(?::([1-9]\d{0,4}))?(\/[!$-;=@-[\]^_a-z|~]*)?$/;
/** Hosts that browsers hold for trustworthy without TLS (W3C Secure Contexts 3.1). */
export const LOOPBACK = /^((.*\.)?localhost|127\.0\.0\.1|\[::1])$/;
/** A segment `.` or `..`, also spelled with `%2e`, which browsers resolve as well. */
const DOTS = /(^|\/)(\.|%2e){1,2}(\/|$)/i;

function placeOf(text: string): Target | undefined {
  const [, scheme, host, port, path = ""] = PLACE.exec(text) ?? [];
  if (!scheme || (scheme === "http" && !LOOPBACK.test(host!)) || DOTS.test(path)) return undefined;
  if (port && (Number(port) > 65_535 || port === (scheme === "https" ? "443" : "80"))) return undefined;
  return { origin: text.slice(0, text.length - path.length), path };
}

/**
 * A path of this origin that is safe to go to (RFC 9700 4.11: no open redirector): it begins with one `/`, and no reader
 * of URLs can take it for anything else.
 */
export function isLocalPath(path: unknown): path is string {
  if (typeof path !== "string" || /[\0- \x7f\\]/.test(path)) return false;
  const before = bare(path);
  return before.startsWith("/") && !before.includes("//") && !DOTS.test(before);
}

function readTarget(given: unknown): Target {
  let text = given;
  if (typeof given !== "string") {
    const words = "is for the tokens of createAuthClient";
    const { origin, path = "" } = readMembers<ApiPlace>("api", given, {
      origin: [(it) => isText(it) && placeOf(it)?.path === "", "is not like https://api.example"],
      path: [isLocalPath, "is not a plain path", "optional"],
      resource: [() => false, words, "optional"],
      scope: [() => false, words, "optional"],
    });
    text = origin + path;
  }
  const place = placeOf(text as string);
  if (!place) throw invalid("api is not an https URL without query, such as https://api.example/v1");
  return { ...place, path: place.path.replace(/\/$/, "") };
}

/** The option `api`: one target or several. Without any, nothing could be sent. */
export function readTargets(api: unknown): Target[] {
  const targets = [api ?? []].flat().map(readTarget);
  if (!targets.length) throw invalid("api is missing");
  return targets;
}

/**
 * Is a URL below a place, both without query? Prefixes end at segments: `/v1` covers `/v1` and `/v1/notes`, but not `/v10`,
 * nor what a server takes for a way upwards that decodes `%2F` and `%5C` first.
 */
export function isBelow(url: string, place: string): boolean {
  const rest = url.slice(place.length);
  return url.startsWith(place) && /^(\/|$)/.test(rest) && !DOTS.test(rest.replace(/%(2f|5c)/gi, "/"));
}

/** Does one of them cover a URL, as the browser writes it after parsing? */
export function isCovered(href: string, targets: readonly Target[]): boolean {
  const url = bare(href);
  return isPlace(url) && targets.some(({ origin, path }) => isBelow(url, origin + path));
}

/** Is it such a URL, without regard to its query? */
export const isPlace = (href: string): boolean => placeOf(bare(href)) !== undefined;
