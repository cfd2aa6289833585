/** From the options to a worker, or to what there is in place of it. */
import { AuthError } from "../errors.js";
import type { Events } from "../events.js";
import { Follower, type Follows } from "../regain.js";
import type { Listener, Transport } from "../transport.js";
import type { AuthOptions } from "../types.js";
import { version, type Charter } from "./messages.js";
import { Port } from "./port.js";
import { canOutlast, starter } from "./start.js";

const refused = (reason: string) => new AuthError("invalid_configuration", "configuration", reason);

/** The options apart: what the worker goes by, and where it is. */
function read(here: { wasm: URL; worker: URL }, wasm: unknown, given: AuthOptions): [string, Charter] {
  const { workerUrl, exposeAccessToken = true, storage = "memory", ...options } = given;
  if (storage !== "memory") throw refused("storage is not memory, and the tokens of wardkey/worker stay in the worker");
  if (typeof exposeAccessToken !== "boolean") throw refused("exposeAccessToken is neither true nor false");
  if (wasm !== undefined && typeof wasm !== "string" && !(wasm instanceof URL)) throw refused("wasm is no URL");
  const url = resolved("workerUrl", workerUrl ?? here.worker);
  if (workerUrl !== undefined && new URL(url).origin !== location.origin) {
    throw refused("workerUrl is of another origin, and browsers start no worker from there");
  }
  const source = resolved("wasm", wasm ?? here.wasm);
  return [url, { version, wasm: source, outlasts: false, exposesTokens: exposeAccessToken, options }];
}

function resolved(name: string, url: string | URL): string {
  try {
    return new URL(url, location.href).href;
  } catch {
    throw refused(`${name} is no URL`);
  }
}

/** Opens what the browser has: a SharedWorker, a Worker, or the engine on the page. */
export async function openVault(
  here: { wasm: URL; worker: URL },
  wasm: unknown,
  given: AuthOptions,
  listener: Listener,
  events: Events,
): Promise<[Transport, Follows]> {
  const [url, charter] = read(here, wasm, given);
  const canStay = canOutlast();
  for (const isolation of ["shared", "worker"] as const) {
    const outlasts = canStay && isolation === "shared";
    try {
      return await openWorker(isolation, outlasts, url, charter, listener);
    } catch (error) {
      if (error instanceof AuthError) throw error;
      // There is no such worker, or a policy of the page's is against it.
      events.log({ level: "warn", event: "isolation", detail: { unavailable: isolation } });
    }
  }
  return (await import("./away.js")).openDirect(charter, listener);
}

async function openWorker(
  isolation: "shared" | "worker",
  outlasts: boolean,
  url: string,
  charter: Charter,
  listener: Listener,
): Promise<[Transport, Follows]> {
  const { options } = charter;
  const { transactionStorage = outlasts ? "memory" : "sessionStorage" } = options;
  const away = outlasts && transactionStorage === "memory" ? undefined : await import("./away.js");
  const name = JSON.stringify({ ...charter, outlasts, options: { ...options, transactionStorage } });
  const start = starter(isolation, url, name);
  const port = away
    ? away.keeping(transactionStorage, (...ends) => new Port(isolation, start, ...ends), listener)
    : new Port(isolation, start, listener, () => {});
  await port.open();
  return [port, outlasts ? Follower : away!.PageFollower];
}
