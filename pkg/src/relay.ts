/**
 * How a response gets from the window where it arrives to the one that waits for it: by a channel that bears the name of
 * the request's `state`, which works where `Cross-Origin-Opener-Policy` cuts the windows apart. Only threads of this
 * origin hear it, and of these only who knows the state.
 */
import { payload } from "./callback.js";
import { AuthError, isAuthError } from "./errors.js";

/** Milliseconds in which the window that waits must say that it took the response. It may be busy. */
const ANSWER = 3_000;

/** What kind of window waits for a response: the sign behind the client's tag in the `state`. */
const WAITED_FOR = /^[pf]/;

const channel = (state: string) => new BroadcastChannel(`wardkey:${state}`);

/** The `state` of a response in a URL, wherever it stands. */
export function stateOf(url: string): string | undefined {
  const { search, hash } = new URL(url);
  const parts = [search, hash].map((part) => new URLSearchParams(part.slice(1)));
  return parts.map((part) => part.get("state") ?? stateInJwt(part.get("response"))).find((state) => state);
}

function stateInJwt(jwt: string | null): string | undefined {
  try {
    const { state } = JSON.parse(payload(jwt!));
    return typeof state === "string" ? state : undefined;
  } catch {
    return undefined; // The engine will say what is wrong with it.
  }
}

/** Does another window wait for the response to this `state`? */
export const isAwaited = (state: string | undefined, tag: string): state is string =>
  state !== undefined && state.startsWith(tag) && WAITED_FOR.test(state.slice(tag.length));

/** Hands a response to the window that waits for it. False where none does any more. */
export async function relay(url: string, state: string): Promise<boolean> {
  const bus = channel(state);
  let timer: ReturnType<typeof setTimeout>;
  try {
    return await new Promise((resolve) => {
      bus.onmessage = ({ data }) => data === "taken" && resolve(true);
      timer = setTimeout(() => resolve(false), ANSWER);
      bus.postMessage(url);
    });
  } finally {
    clearTimeout(timer!);
    bus.close();
  }
}

/**
 * As {@link relay}, for a page that has a client; false where no window waits for the response to its `state`. That never redeems the code itself: the window that waits may only
 * have been busy, and redeem it too.
 */
export async function handOver(url: string, tag: string): Promise<boolean> {
  const state = stateOf(url);
  if (!isAwaited(state, tag)) return false;
  if (await relay(url, state)) return true;
  throw new AuthError("transaction_not_found", "callback", "the window that waits does not answer");
}

/**
 * For a page at `silentRedirectUri` that does nothing else: hands the response in the page's URL to the window that waits
 * for it. Needs no client and no engine. False where nobody waits.
 */
export async function relayCallback(): Promise<boolean> {
  const { href, origin, pathname } = location;
  const state = stateOf(href);
  // As everywhere: first of all, so that no other script sees the code.
  history.replaceState(history.state, "", origin + pathname);
  return state !== undefined && relay(href, state);
}

/** Waits for the response to a `state`, until the signal, whose reason may be the error. */
export function awaited(state: string, isOurs: (url: string) => boolean, signal: AbortSignal): Promise<string> {
  const bus = channel(state);
  return new Promise((resolve, reject) => {
    const stop = () => {
      bus.close();
      const { reason } = signal;
      reject(isAuthError(reason) ? reason : new AuthError("aborted", "authorize", "by the caller's signal, or a sign-out"));
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    bus.onmessage = ({ data }) => {
      // Anything of this origin may post here: it is heard if it is a response to this very request.
      if (typeof data !== "string" || !isOurs(data) || stateOf(data) !== state) return;
      bus.postMessage("taken");
      bus.close();
      resolve(data);
    };
  });
}
