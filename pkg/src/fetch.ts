/** `fetch` with a token: what of it needs the page. Who may have the token, and which, the engine decides. */
import { AuthError, misuse } from "./errors.js";
import type { Events } from "./events.js";
import { isReplayable, request, unlessAborted } from "./page.js";
import type { Transport } from "./transport.js";
import type { FetchOptions } from "./types.js";

/** Targets of its own, as JSON (empty: those of the client), and what the caller wants done about a challenge. */
export interface FetchTargets {
  api: string;
  baseUrl?: string | undefined;
  onStepUp?: FetchOptions["onStepUp"];
}

/** Checks what is for the page, and lets the engine check the targets. */
export function readFetchOptions(options: FetchOptions, transport: Transport): FetchTargets {
  const { api, baseUrl, onStepUp, ...rest } = options ?? {};
  const [unknown] = Object.keys(rest);
  if (unknown) throw misuse(`${unknown} is no option`);
  if (baseUrl !== undefined && !URL.canParse(baseUrl)) throw misuse("baseUrl is no URL");
  if (onStepUp !== undefined && typeof onStepUp !== "function") throw misuse("onStepUp is no function");
  transport.checkApi?.(api);
  return { api: JSON.stringify(api), baseUrl, onStepUp };
}

/** Sends a request of one call; `Transport.fetch` but for whom. */
export type Send = (
  request: Request,
  api: string,
  replayable: boolean,
  isStream: boolean,
) => ReturnType<Transport["fetch"]>;

/** One call of it. */
export async function fetchWith(
  transport: Send,
  events: Events,
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  { api, baseUrl, onStepUp }: FetchTargets = { api: "" },
): Promise<Response> {
  const first = request(input, init, baseUrl);
  const replayable = isReplayable(input, init);
  const again = onStepUp && replayable ? first.clone() : undefined;
  const isStream = init?.body instanceof ReadableStream;
  const send = (sent: Request) =>
    events.attempt("fetch", () => unlessAborted(() => transport(sent, api, replayable, isStream), "fetch", sent.signal));
  const [response, challenge] = await send(first);
  // Once: a server that repeats its challenge is not asked for ever.
  if (!challenge || !onStepUp || (await onStepUp(challenge)) !== "retry") return response;
  if (!again) throw new AuthError("body_not_replayable", "fetch", "send the request anew");
  return (await send(again))[0];
}
