// Shows what the page has in the browser's storage at this moment. With Wardkey: no token, ever.

import { byId, element } from "./dom.js";

type Entry = readonly [name: string, value: string];

function holdings(): [place: string, entries: Entry[]][] {
  const cookies = document.cookie.split(";").map((pair) => pair.trim()).filter(Boolean);
  return [
    ["localStorage", Object.entries<string>(localStorage)],
    ["sessionStorage", Object.entries<string>(sessionStorage)],
    ["Cookies", cookies.map((pair) => [pair.split("=")[0]!, pair.slice(pair.indexOf("=") + 1)])],
  ];
}

let shown = "";

/** Called every second: another tab, a timer or a developer's console may change storage unannounced. */
export function renderStorage(signedIn: boolean, heldBy: "memory" | "cookie" = "memory"): void {
  const current = holdings();
  const now = JSON.stringify([current, signedIn]);
  if (now === shown) return;
  shown = now;
  byId("storage").replaceChildren(...current.map(([place, entries]) => row(place, entries)));
  const empty = current.every(([, entries]) => entries.length === 0);
  byId("storage-words").textContent = words(empty, signedIn, heldBy);
}

function row(place: string, entries: Entry[]): HTMLTableRowElement {
  const heading = element("th", place);
  heading.scope = "row";
  const cell = element("td", ...(entries.length === 0 ? ["Nothing"] : entries.map(content)));
  cell.dataset["empty"] = String(entries.length === 0);
  return element("tr", heading, cell);
}

/** The name, and what is behind it for those who want to see. */
function content([name, value]: Entry): HTMLElement {
  return element("details", element("summary", element("code", name)), element("code", value));
}

function words(empty: boolean, signedIn: boolean, heldBy: "memory" | "cookie"): string {
  if (signedIn && heldBy === "cookie") return "You are signed in all the same: by a cookie of the server, which no script can see.";
  if (signedIn && empty) return "You are signed in all the same: the tokens are in memory.";
  if (signedIn) return "No token is there: they are in memory. What is there remembers that somebody signed in, and when.";
  if (empty) return "A script injected into this page would find no token to steal from storage.";
  return "No token is there. What is there remembers sign-ins in progress, those used up, and that somebody signed out.";
}
