/** What to do about a session that the page does not hold after a load. */
import { AuthError } from "./errors.js";
import type { AuthOptions } from "./types.js";

/** `sessionStorage`, as far as it is there. */
export const memory = {
  get(key: string): string | null {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key: string, text: string | null): void {
    try {
      if (text === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, text);
    } catch {
      // Denied or full: after the next load nobody will know.
    }
  },
};

/** Milliseconds in which the page before, which is on its way out, must have let go of what this tab owns. */
const PASSING = 1_000;

/** The names by which this page owns what its tab has stored. */
const owned = new Set<string>();

/** Holds the lock of a name for as long as the page lives. False where another page has it. */
function own(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (owned.has(name)) return resolve(true);
    const held = () => {
      owned.add(name);
      resolve(true);
      return new Promise(() => {});
    };
    const signal = AbortSignal.timeout(PASSING);
    navigator.locks.request(`wardkey:owner:${name}`, { signal }, held).catch(() => resolve(false));
  });
}

/**
 * Is what the tab has stored its own? A duplicated tab and `window.open` copy it: two would then spend one refresh
 * token, and the server would end the session of both. A copy takes a name of its own.
 */
export async function isOwner(tag: string): Promise<boolean> {
  // A frame has the storage of its tab, and no copy.
  if (!navigator.locks || window.parent !== window) return true;
  const key = `wardkey:owner:1:${tag}`;
  const name = memory.get(key);
  if (name && (await own(name))) return true;
  const another = crypto.getRandomValues(new Uint32Array(4)).join("-");
  memory.set(key, another);
  await own(another);
  return !name;
}

/** Domain and suffix, as far as it can be told without the list of suffixes. */
export const site = (host: string) => (/^[\d.]+$|[:\]]/.test(host) ? host : host.split(".").slice(-2).join("."));

/** Remembers in this tab that somebody was signed in, and how often it was redirected for that. */
export class Restore {
  readonly #options: AuthOptions;
  readonly #tag: string;

  constructor(options: AuthOptions, tag: string) {
    this.#options = options;
    this.#tag = tag;
  }

  /** Notes whether somebody is signed in in this tab. */
  note(signedIn: boolean): void {
    memory.set(`wardkey:signed-in:1:${this.#tag}`, signedIn ? "1" : null);
  }

  /** The way to go after a load. */
  get way(): "silent" | "redirect" | undefined {
    const { restore = "auto" } = this.#options;
    if (restore === "silent" || restore === "redirect") return restore;
    const wasSignedIn = memory.get(`wardkey:signed-in:1:${this.#tag}`) === "1";
    return wasSignedIn && this.canBeSilent ? "silent" : undefined;
  }

  /** Browsers give a frame of another site no cookies, so that the server would know nobody in it. */
  get canBeSilent(): boolean {
    const { restore = "auto", issuer, metadata } = this.#options;
    if (restore === "silent") return true;
    const server = metadata?.authorization_endpoint ?? issuer!;
    return restore === "auto" && site(new URL(server).hostname) === site(location.hostname);
  }

  /** Counts one more automatic redirect. */
  guard(): void {
    const { max, windowSec } = { max: 3, windowSec: 60, ...this.#options.loopGuard };
    const key = `wardkey:redirects:1:${this.#tag}`;
    const since = Date.now() - windowSec * 1000;
    const times = (memory.get(key) ?? "").split(" ").map(Number).filter((time) => time > since);
    if (times.length >= max) {
      const reason = "the page redirected too often without a sign-in; see `loopGuard`";
      throw new AuthError("login_loop", "authorize", reason);
    }
    const text = [...times, Date.now()].join(" ");
    memory.set(key, text);
    if (memory.get(key) !== text) {
      throw new AuthError("login_loop", "authorize", "redirects cannot be counted, as the browser denies storage");
    }
  }
}
