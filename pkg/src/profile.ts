/** What the profiles share: their arguments are checked, and so are the URLs that they make of them. */
import { AuthError } from "./errors.js";

/** What an argument must be, and the words that say so. */
export type Rule = readonly [holds: (value: unknown) => boolean, words: string, optional?: true];

/** The rule for an argument that may be left out. */
export const optional = ([holds, words]: Rule): Rule => [holds, words, true];

/** Hosts that browsers hold for trustworthy without TLS (W3C Secure Contexts 3.1). */
const LOOPBACK = /^(?:.+\.)?localhost$|^127\.0\.0\.1$|^\[::1\]$/;
/** What the names of secrets have in them; as in `src/protocol/shape.rs`. */
const SECRET = /secret|key|password|assertion/i;

/** The error for an argument. It says which, and never its value. */
export const invalid = (argument: string, words: string) =>
  new AuthError("invalid_configuration", "configuration", `${argument} ${words}`);

/** Holds the arguments of a profile against their rules: a misspelt one is not ignored, and a secret not taken. */
export function check<T extends object>(given: T, rules: { readonly [name in keyof T]-?: Rule }): void {
  if (typeof given !== "object" || given === null) throw invalid("the argument", "is not an object");
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(rules, name)) continue;
    if (!SECRET.test(name)) throw invalid(name, "is no argument of this profile");
    throw new AuthError("credential_refused", "configuration", `${name} is refused: a browser keeps no secret`);
  }
  for (const [name, [holds, words, optional]] of Object.entries<Rule>(rules)) {
    const value = given[name as keyof T];
    if (!(optional && value === undefined) && !holds(value)) throw invalid(name, words);
  }
}

/** A text that is not empty. */
export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** An absolute URL of a server: https, or http on loopback, without query, fragment and credentials. */
export function isPlace(value: unknown): boolean {
  if (!isText(value) || /[?#\\\s]/.test(value) || !URL.canParse(value)) return false;
  const { protocol, hostname, username, password } = new URL(value);
  return (protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname))) && !username && !password;
}

export const PLACE = "is not an https URL without query (http on localhost only)";

/** The place as browsers spell it, without its last slash; a bare origin gets this path. */
export function placeOf(url: string, path = ""): string {
  const { origin, pathname } = new URL(url);
  return origin + (pathname.replace(/\/+$/, "") || path);
}

/** Is it the host, with a port, of a server on this very machine? */
export function isLoopbackHost(host: string): boolean {
  return /^[^/?#@\\\s]+$/.test(host) && URL.canParse(`http://${host}`) && LOOPBACK.test(new URL(`http://${host}`).hostname);
}
