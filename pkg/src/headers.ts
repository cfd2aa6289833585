/** Names of headers that a page may set, and no page may without asking. */
import { TOKEN } from "./cookie-rules.js";

/**
 * How headers begin that are CORS-safelisted, so that having one proves nothing, or forbidden (Fetch 2.2.2), so that
 * the browser would leave it out.
 */
const NOT_OF_SCRIPT =
  "accept access-control connection content cookie cookie2 date dnt expect host keep-alive origin proxy range " +
  "referer sec set-cookie te trailer transfer-encoding upgrade via";

/** Is it the name of a header of the app's own? */
export function isOwnHeader(header: unknown): header is string {
  if (typeof header !== "string" || !TOKEN.test(header)) return false;
  const name = `${header.toLowerCase()}-`;
  return !NOT_OF_SCRIPT.split(" ").some((start) => name.startsWith(`${start}-`));
}
