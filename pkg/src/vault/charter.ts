/** What the options of a vault must be, beside what the engine checks. */
import { AuthError, misuse } from "../errors.js";
import type { Charter } from "./messages.js";

export function check({ options, exposesTokens }: Charter): void {
  const { storage = "memory" } = options;
  if (storage !== "memory") throw misuse("storage is not memory, and the tokens of wardkey/worker stay in the worker");
  if (typeof exposesTokens !== "boolean") throw misuse("exposeAccessToken is neither true nor false");
}

/** What answers whoever asks for a token that is not to enter the page. */
export const hidden = () =>
  new AuthError("credential_refused", "token", "the client was created with exposeAccessToken: false");
