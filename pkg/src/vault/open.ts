/** From the options to a worker, or to what there is in place of it. */
import { AuthError, misuse } from "../errors.js";
import { text } from "../page.js";
import type { Listener } from "../transport.js";
import type { AuthOptions } from "../types.js";
import { away } from "../vault-away.js";
import { SharedFollower } from "./follow.js";
import { version, type Charter } from "./messages.js";
import { Port, type Opened } from "./port.js";
import { canOutlast } from "./start.js";

/** Where the engine's bytes and the worker's script are, unless the options say otherwise. */
export interface Files {
  readonly wasm: URL;
  readonly workerScript: URL;
}

/** What the options come down to: the worker's URL, what it goes by, and whom it tells. */
export type Plan = [url: string, charter: Charter, listener: Listener];

const read = (name: string, url: unknown) => {
  const isUrl = typeof url === "string" || url instanceof URL;
  if (!isUrl || !URL.canParse(url, location.href)) throw misuse(`${name} is no URL`);
  return new URL(url, location.href);
};

/** An object with its keys in one order, whichever they were written in. */
const sorted = (_: string, value: unknown) =>
  value && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value;

/** The name of a worker that goes by this. */
export const nameOf = (charter: Charter) => text(charter, sorted);

/** Opens a SharedWorker that outlasts its pages, or what there is in place of it. */
export async function openVault(files: Files, wasm: unknown, given: AuthOptions, listener: Listener): Promise<Opened> {
  const { workerUrl, exposeAccessToken = true, ...options } = given;
  const { href } = read("workerUrl", workerUrl ?? files.workerScript);
  // A blob's URL has the page's origin too.
  if (workerUrl && !href.startsWith(location.origin + "/")) throw misuse("workerUrl is of another origin");
  const charter: Charter = {
    version,
    wasm: read("wasm", wasm ?? files.wasm).href,
    outlasts: true,
    exposesTokens: exposeAccessToken,
    options: { transactionStorage: "memory", ...options },
  };
  if (canOutlast() && charter.options.transactionStorage === "memory") {
    const port = new Port("shared", href, nameOf(charter), listener);
    try {
      await port.open();
      return [port, SharedFollower];
    } catch (error) {
      if (error instanceof AuthError) throw error;
    }
  }
  charter.options = options;
  return (await away()).openAway([href, charter, listener]);
}
