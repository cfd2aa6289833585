// The one place where the page says that something went wrong.

import { byId, onClick } from "./dom.js";
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

function hideTrouble(): void {
  byId("trouble").hidden = true;
}

/** Runs an action of the person, who has then dealt with the last error. */
export async function attempt(action: () => Promise<unknown>, again = () => attempt(action)): Promise<void> {
  hideTrouble();
  await report(action, again);
}

/** Shows an error, with `again` as the way on; tells whether there was none. */
export async function report(action: () => Promise<unknown>, again: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    showTrouble(error, again);
    return false;
  }
}

/** The ways out of the last error. */
export function wireTrouble(): void {
  onClick("trouble-retry", () => retry());
  onClick("trouble-dismiss", () => {
    hideTrouble();
    document.querySelector<HTMLElement>(".person > section:not([hidden]) h1")?.focus();
  });
}
