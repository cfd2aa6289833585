/** Windows of their own for a sign-in. */
import { AuthError } from "./errors.js";
import { go } from "./page.js";

/** The name of a hidden frame of ours. */
const FRAME = "wardkey-frame";

/** Milliseconds in which what a window has sent may still come, after the window is gone. */
const GRACE = 1_000;
/** Milliseconds that a sign-in can take at all. */
const LIFETIME = 600_000;

/** Is this page in a hidden frame of ours? */
export const isOwnFrame = () => globalThis.window?.name === FRAME && window.parent !== window;

/** Is there a page of another origin in this window, with nothing between that cuts it off? */
export function isElsewhere({ location }: Window): boolean {
  try {
    return !location.href;
  } catch {
    return true;
  }
}

/** Opens a popup, in the tick of the click. */
export function openPopup(url: string | undefined, features = "popup,width=480,height=680"): Window {
  let popup: Window | null | undefined;
  go(() => (popup = globalThis.open(url ?? "about:blank", "", features)));
  if (!popup) throw new AuthError("popup_blocked", "authorize", "not in the tick of a click");
  return popup;
}

/** Looks in which a popup that is just being cut off may still seem to be open at another origin. */
const SWAP = 4;

/** Takes a step that ends with the popup, or by the caller's signal, and closes the popup. */
export async function whileOpen<R>(
  popup: Window,
  signal: AbortSignal | undefined,
  step: (over: AbortSignal) => Promise<R>,
): Promise<R> {
  const over = new AbortController();
  let goneSince = 0;
  let looks = 0;
  let isGone = false;
  const look = () => {
    if (popup.closed) {
      goneSince ||= Date.now();
      // A popup that a policy cuts off, of this page or of the server's, seems closed as soon as it shows the latter.
      isGone = Date.now() - goneSince > (looks > SWAP ? GRACE : LIFETIME);
    } else if (isElsewhere(popup)) looks++;
    if (isGone || signal?.aborted) over.abort();
  };
  const watch = setInterval(look, 100);
  try {
    return await step(over.signal);
  } catch (error) {
    const { code, phase } = error as AuthError;
    // What ends it once the response is there has the phase "callback" or "token".
    if (!isGone || code !== "aborted" || phase !== "authorize") throw error;
    throw new AuthError("popup_closed", "authorize", "too soon");
  } finally {
    clearInterval(watch);
    popup.close();
  }
}

/** Opens a hidden frame. */
export function openFrame(url: string): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.name = FRAME;
  frame.title = "Sign-in";
  frame.src = url;
  // Not `body`: a script in the head is sooner.
  document.documentElement.append(frame);
  return frame;
}
