/** What the options of a vault must be, beside what the engine checks. */
import { AuthError, misuse } from "../errors.js";
import type { Transport } from "../transport.js";
import type { Charter } from "./messages.js";

export function check({ options, exposesTokens }: Charter): void {
  const { storage = "memory" } = options;
  if (storage !== "memory") throw misuse("storage is not memory, and the tokens of wardkey/worker stay in the worker");
  if (typeof exposesTokens !== "boolean") throw misuse("exposeAccessToken is neither true nor false");
}

const hidden = () =>
  new AuthError("credential_refused", "token", "the client was created with exposeAccessToken: false");

/** The engine for pages that are to get no token: neither by asking for it, nor by naming a place where it is sent. */
export function guarded(engine: Transport, { exposesTokens }: Charter): Transport {
  if (exposesTokens) return engine;
  const { call, fetch } = engine;
  return Object.assign(engine, {
    async call(...given: Parameters<typeof call>) {
      if (given[0] === "getToken") throw hidden();
      return call(...given);
    },
    async fetch(...given: Parameters<typeof fetch>) {
      const [{ method, url }, api] = given;
      // Whatever targets the page names, the URL must be covered by those of the client: `scopesFor` refuses it if not.
      if (api) engine.run("scopesFor", { method, url });
      return fetch(...given);
    },
  });
}
