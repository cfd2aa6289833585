// The one place where the page says that something went wrong.

import { byId } from "./dom.js";
import { explain, mayRetry } from "./errors.js";

let retry: () => Promise<void> | void = () => location.reload();

/** The answer to something the person did: shows the error, moves the focus to it, and offers `again`. */
export function showTrouble(error: unknown, again: () => Promise<void> | void): void {
  tellTrouble(error, again);
  byId("trouble-title").focus();
}

/** Something that came by itself: shows the error, but leaves the focus where the person is. */
export function tellTrouble(error: unknown, again: () => Promise<void> | void): void {
  const { title, advice, code, message } = explain(error);
  byId("trouble-title").textContent = title;
  byId("trouble-advice").textContent = advice;
  byId("trouble-code").textContent = code;
  byId("trouble-message").textContent = message === advice ? "" : message;
  byId("trouble-retry").hidden = !mayRetry(error);
  retry = again;
  byId("trouble").hidden = false;
}

export function hideTrouble(): void {
  byId("trouble").hidden = true;
}

/** What the person chose as the way out of the last error. */
export function retryLast(): Promise<void> | void {
  return retry();
}
