/** Windows of their own for a sign-in, and how long a window waits for the response that comes to another. */
import { AuthError } from "./errors.js";
import { go } from "./page.js";
import type { Transport } from "./transport.js";

/** The name of a hidden frame of ours. */
const FRAME = "wardkey-frame";

/** Milliseconds in which what a window has sent may still come, after the window is gone. */
const GRACE = 1_000;
/** Milliseconds that a sign-in can take at all. */
const LIFETIME = 600_000;

/** Is this page in a hidden frame of ours? */
export const isOwnFrame = () => globalThis.window?.name === FRAME && window.parent !== window;

/** Is this page in a frame of another origin? It could not read the response, but make us handle it. */
export function isFramedByStranger(): boolean {
  try {
    return globalThis.top !== globalThis.self && !globalThis.top!.location.href;
  } catch {
    return true;
  }
}

/** Why there will be no response; undefined while there may be one. */
type Ending = () => AuthError | undefined;

/** Waits for the response to a `state`. In the end, whichever it is, the window is `close`d. */
function response({ listen }: Transport, state: string, ending: Ending, close: () => void): Promise<string> {
  const over = new AbortController();
  let watch: ReturnType<typeof setInterval>;
  return new Promise<string>((resolve, reject) => {
    const look = () => {
      const error = ending();
      if (error) reject(error);
    };
    listen(state, over.signal).then((url) => (look(), resolve(url)), reject);
    look();
    watch = setInterval(look, 100);
  }).finally(() => {
    clearInterval(watch);
    over.abort();
    close();
  });
}

const failed = (code: "aborted" | "timeout" | "popup_blocked" | "popup_closed", reason: string) =>
  new AuthError(code, "authorize", reason, code === "timeout");

const aborted = (isAborted: boolean | undefined) =>
  isAborted ? failed("aborted", "by the caller's signal, or a sign-out") : undefined;

/** Opens a popup, in the tick of the click. */
export function openPopup(url: string | undefined, features = "popup,width=480,height=680"): Window {
  let popup: Window | null | undefined;
  go(() => (popup = globalThis.open(url ?? "about:blank", "", features)));
  if (!popup) throw failed("popup_blocked", "not in the tick of a click");
  return popup;
}

/** The response that comes to a popup. */
export function popupResponse(
  popup: Window,
  transport: Transport,
  state: string,
  signal?: AbortSignal,
): Promise<string> {
  let goneSince = 0;
  let looks = 0;
  const ending = () => {
    if (popup.closed) {
      goneSince ||= Date.now();
      // A popup that a policy cuts off, of this page or of the server's, seems closed as soon as it shows the latter.
      const bound = looks > SWAP ? GRACE : LIFETIME;
      if (Date.now() - goneSince > bound) return failed("popup_closed", "too soon");
    } else if (isElsewhere(popup)) looks++;
    return aborted(signal?.aborted);
  };
  return response(transport, state, ending, () => popup.close());
}

/** Looks in which a popup that is just being cut off may still seem to be open at another origin. */
const SWAP = 1;

/** Has the popup come to another origin, with nothing that cuts it off? */
function isElsewhere(popup: Window): boolean {
  try {
    void popup.location.href;
    return false;
  } catch {
    return true;
  }
}

/** The response that comes to a hidden frame, which is gone afterwards in any case. */
export function frameResponse(
  url: string,
  transport: Transport,
  state: string,
  timeoutMs: number,
  isOver: () => boolean | undefined,
): Promise<string> {
  const end = Date.now() + timeoutMs;
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.name = FRAME;
  frame.title = "Sign-in";
  frame.src = url;
  const late = () => (Date.now() > end ? failed("timeout", "no response in the frame") : undefined);
  const waiting = response(transport, state, () => aborted(isOver()) ?? late(), () => frame.remove());
  // Not `body`: a script in the head is sooner.
  document.documentElement.append(frame);
  return waiting;
}
