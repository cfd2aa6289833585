/** Requests of the app's own, on the worker's side: made of what crosses, and what of their answers crosses. */
import { AuthError } from "../errors.js";
import type { Transport } from "../transport.js";
import type { FetchCall, ResponseHead } from "./messages.js";

/** Statuses with which `Response` takes no body, not even an empty one (Fetch 2.2.3). */
const BODILESS = [204, 205, 304];

/** What goes back, and what of it is handed over. */
export type Sent = [value: unknown, transfer: Transferable[]];

/** Makes the request that a page asks for; what is wrong with it is the page's mistake. */
function request({ url, init, headers, body = null }: FetchCall, signal: AbortSignal): Request {
  try {
    const duplex = body instanceof ReadableStream && { duplex: "half" };
    // No body at all is another request than an empty one.
    const full = body instanceof ArrayBuffer && !body.byteLength ? null : body;
    return new Request(url, { ...init, headers, signal, body: full, ...duplex } as RequestInit);
  } catch {
    throw new AuthError("invalid_configuration", "fetch", "the browser takes neither this URL nor these options");
  }
}

/** Sends it with a token, if it may have one. `end` is called when the answer's body is through. */
export async function fetchCall(engine: Transport, call: FetchCall, signal: AbortSignal, end: () => void): Promise<Sent> {
  const sent = request(call, signal);
  const [response, challenge] = await engine.fetch(sent, String(call.api), call.replayable === true, false);
  const { status, statusText, url, type, body } = response;
  const head: ResponseHead = { init: { status, statusText, headers: [...response.headers] }, url, type };
  if (!body || BODILESS.includes(status)) return [[head, null, challenge], []];
  const handed = canHandOver() ? followed(body, end) : await response.arrayBuffer();
  return [[head, handed, challenge], [handed]];
}

/** The same stream; `end` is called when it is read or given up. */
function followed(body: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      end();
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
}

let isTransferable: boolean | undefined;

/** Can this browser hand a stream to another thread? */
function canHandOver(): boolean {
  if (isTransferable !== undefined) return isTransferable;
  const stream = new ReadableStream();
  try {
    structuredClone(stream, { transfer: [stream as unknown as Transferable] });
    return (isTransferable = true);
  } catch {
    return (isTransferable = false);
  }
}
