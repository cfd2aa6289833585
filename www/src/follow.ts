// Lets the page follow the state of a session, whoever changes it.

import type { AuthState } from "wardkey";

import { clearAnswer } from "./api.js";
import { type Authenticated, renderExpiry, renderState } from "./session.js";
import { renderStorage } from "./storage.js";

/** What a client and a cookie session have in common. */
interface Followed {
  readonly state: AuthState;
  subscribe(listener: (state: AuthState) => void): () => void;
}

/** From now on, and at once; `renderPerson` draws who is signed in. */
export function follow(
  session: Followed,
  renderPerson: (state: Authenticated) => void,
  heldBy: "memory" | "cookie" = "memory",
): void {
  const render = (state: AuthState) => {
    renderState(state, renderPerson);
    renderStorage(state.status === "authenticated", heldBy);
    if (state.status !== "authenticated") clearAnswer();
  };
  session.subscribe(render);
  render(session.state);
  setInterval(() => {
    renderExpiry(session.state);
    renderStorage(session.state.status === "authenticated", heldBy);
  }, 1000);
}
