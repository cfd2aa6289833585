/** What the page does for a worker that does not outlast it, or shall keep no sign-in in progress. */
// By way of the entry, so that the build puts all that it shares with this file into one more file and not into several.
import { AuthError } from "../worker.js";
import type { Listener } from "../transport.js";
import type { Port } from "./port.js";

export { PageFollower } from "../follow.js";
export { openDirect } from "./direct.js";

type Make = (listener: Listener, opened: (it: Port) => Promise<unknown>) => Port;

/** The port of a worker whose sign-ins in progress are kept here: a worker has neither of these storages. */
export function keeping(area: string, make: Make, listener: Listener): Port {
  const key = () => `wardkey:1:${port.tag}`;
  let isLost = false;
  const keep = (text: string | null) => {
    try {
      if (area === "cookie") document.cookie = text!;
      else if (text === null) sessionStorage.removeItem(key());
      else sessionStorage.setItem(key(), text);
      // A browser drops a cookie that it does not like without a word.
      isLost = area === "cookie" && !/Max-Age=0$/.test(text!) && !document.cookie.includes(text!.split(";")[0]!);
    } catch {
      isLost = true;
    }
  };
  const kept = () => {
    try {
      if (area !== "cookie") return sessionStorage.getItem(key());
      const name = `__Host-${key().replaceAll(":", "-")}=`;
      return document.cookie.split("; ").find((cookie) => cookie.startsWith(name)) ?? null;
    } catch {
      return null;
    }
  };
  const hear: Listener = (event, detail, entry) =>
    event === "keep" ? keep(detail as string | null) : listener(event, detail, entry);
  const port: Port = make(hear, (it) => it.ask("adopt", kept() ?? ""));
  const { call } = port;
  port.call = async (operation, argument) => {
    const answer = await call.call(port, operation, argument);
    if (operation !== "begin" || !isLost) return answer;
    throw new AuthError("storage_unavailable", "storage", "the storage for sign-ins is denied or full");
  };
  return port;
}
