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

/** Waits for the response to a `state`. */
async function response(listen: Transport["listen"], state: string, ending: Ending): Promise<string> {
  const over = new AbortController();
  let watch: ReturnType<typeof setInterval>;
  try {
    return await new Promise((resolve, reject) => {
      const look = () => {
        const error = ending();
        if (error) reject(error);
      };
      listen(state, over.signal).then((url) => (look(), resolve(url)), reject);
      look();
      watch = setInterval(look, 100);
    });
  } finally {
    clearInterval(watch!);
    over.abort();
  }
}

const failed = (code: "aborted" | "timeout" | "popup_blocked" | "popup_closed", reason: string) =>
  new AuthError(code, "authorize", reason, code === "timeout");

const aborted = (isAborted: boolean | undefined) =>
  isAborted ? failed("aborted", "by the caller's signal, or a sign-out") : undefined;

/** Opens a popup, in the tick of the click. */
export function openPopup(url: string | undefined, features = "popup,width=480,height=680"): Window {
  let popup: Window | null | undefined;
  go(() => (popup = globalThis.open(url ?? "about:blank", "", features)));
  if (!popup) throw failed("popup_blocked", "call it in the tick of a click");
  return popup;
}

/** The response that comes to a popup. */
export async function popupResponse(
  popup: Window,
  { listen }: Transport,
  state: string,
  signal?: AbortSignal,
): Promise<string> {
  let goneSince = 0;
  let isSeen = false;
  const ending = () => {
    if (!popup.closed) {
      isSeen ||= isElsewhere(popup);
      return aborted(signal?.aborted);
    }
    goneSince ||= Date.now();
    // A popup that a policy cuts off, of this page or of the server's, seems closed as soon as it shows the latter.
    const bound = isSeen ? GRACE : LIFETIME;
    if (Date.now() - goneSince > bound) return failed("popup_closed", "it was closed too soon");
    return aborted(signal?.aborted);
  };
  try {
    return await response(listen, state, ending);
  } finally {
    popup.close();
  }
}

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
export async function frameResponse(
  url: string,
  listen: Transport["listen"],
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
  try {
    const late = () => (Date.now() > end ? failed("timeout", "no response came to the frame") : undefined);
    const waiting = response(listen, state, () => aborted(isOver()) ?? late());
    // Not `body`: a script in the head is sooner.
    document.documentElement.append(frame);
    return await waiting;
  } finally {
    frame.remove();
  }
}
