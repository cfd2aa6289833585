// Draws the session: who is signed in, until when, and what was granted.

import type { AuthState } from "wardkey";

import { byId, element } from "./dom.js";

/** A token's lifetime as first seen, for the bar that runs down. */
let lifetime = { expiresAt: 0, total: 1 };

/** The state of somebody who is signed in. */
export type Authenticated = Extract<AuthState, { status: "authenticated" }>;

/** Redraws for a state; moves the focus only where the person's last action took its place away. */
export function renderState(state: AuthState, renderPerson: (state: Authenticated) => void): void {
  const signedIn = state.status === "authenticated";
  const from = byId(signedIn ? "signed-out" : "signed-in");
  const to = byId(signedIn ? "signed-in" : "signed-out");
  const losesFocus = from.contains(document.activeElement);
  from.hidden = true;
  to.hidden = state.status === "loading";
  byId("restoring").hidden = state.status !== "loading";
  if (signedIn) renderPerson(state);
  renderPresence(state);
  if (losesFocus) to.querySelector("h1")?.focus();
}

/** Who it is, as OpenID Connect tells. */
export function renderUser(state: Authenticated): void {
  const claims = state.user?.claims ?? {};
  const name = text(claims, "name") ?? state.user?.sub ?? "Someone";
  byId("signed-in-title").textContent = `Hello, ${text(claims, "given_name") ?? name}.`;
  byId("portrait").textContent = initials(name);
  byId("user-name").textContent = text(claims, "name") ?? "Not shared";
  byId("user-email").textContent = text(claims, "email") ?? "Not shared";
  byId("user-sub").textContent = state.user?.sub ?? "unknown";
}

/** What was granted, and what was asked for besides. */
export function renderScopes({ granted, missing }: { granted: string[]; missing: string[] }): void {
  byId("scopes").replaceChildren(
    ...granted.map((scope) => element("li", scope)),
    ...missing.map((scope) => {
      const chip = element("li", `${scope}, not granted`);
      chip.className = "missing";
      return chip;
    }),
  );
}

/** Called every second. */
export function renderExpiry(state: AuthState): void {
  if (state.status !== "authenticated" || state.expiresAt === Infinity) return;
  const left = Math.max(0, state.expiresAt - Date.now());
  if (lifetime.expiresAt !== state.expiresAt) lifetime = { expiresAt: state.expiresAt, total: Math.max(left, 1) };
  const seconds = Math.floor(left / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  byId("expiry").textContent = left > 0 ? `in ${clock}` : "now: sign in again, one click is enough";
  byId<HTMLProgressElement>("expiry-bar").value = left / lifetime.total;
}

function renderPresence(state: AuthState): void {
  const words = { loading: "Starting", anonymous: "Signed out", authenticated: "Signed in" }[state.status];
  const presence = byId("presence");
  presence.textContent = words;
  presence.dataset["status"] = state.status;
  byId("lock").dataset["status"] = state.status;
  document.title = state.status === "loading" ? "Wardkey demo" : `${words} · Wardkey demo`;
}

/** Says a change of state to those who do not see it. */
export function announce(message: string): void {
  byId("announcement").textContent = message;
}

function text(claims: object, name: string): string | undefined {
  const value = (claims as Record<string, unknown>)[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase();
}
