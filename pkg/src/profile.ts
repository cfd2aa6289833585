/** What the profiles share: URLs of servers, as people write them. */
import { isText } from "./options.js";
import { LOOPBACK } from "./target.js";

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
