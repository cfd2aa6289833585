/**
 * How a response gets from the window where it arrives to the one that waits for it: by a channel that bears the name of
 * the request's `state`, which works where `Cross-Origin-Opener-Policy` cuts the windows apart. Only threads of this
 * origin hear it, and of these only who knows the state.
 */
import { AuthError } from "./errors.js";
import { stateOf } from "./windows.js";

/** Milliseconds in which the window that waits must say that it took the response. It may be busy. */
const ANSWER = 3_000;

const channel = (state: string) => new BroadcastChannel(`wardkey:${state}`);

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
 * As {@link relay}, for a page that has a client. That never redeems the code itself: the window that waits may only
 * have been busy, and redeem it too.
 */
export async function handOver(url: string): Promise<void> {
  if (await relay(url, stateOf(url)!)) return;
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

/** Waits for the response to a `state`, until the signal. */
export function awaited(state: string, isOurs: (url: string) => boolean, signal: AbortSignal): Promise<string> {
  const bus = channel(state);
  signal.addEventListener("abort", () => bus.close());
  return new Promise((resolve) => {
    bus.onmessage = ({ data }) => {
      // Anything of this origin may post here: it is heard if it is a response to this very request.
      if (typeof data !== "string" || !isOurs(data) || stateOf(data) !== state) return;
      bus.postMessage("taken");
      resolve(data);
    };
  });
}
