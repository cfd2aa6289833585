/** From the options to a client. */
import { Client } from "./client.js";
import { AuthError, misuse } from "./errors.js";
import { Events } from "./events.js";
import { pageUrl } from "./page.js";
import type { Follows } from "./regain.js";
import type { Listener, Transport } from "./transport.js";
import type { AuthClient } from "./auth-client.js";
import type { AuthOptions } from "./types.js";

/** What is opened, and how its session is followed. */
type Opened = [transport: Transport, follows: Follows];

/** Opens a transport and makes the client over it. `logger` and `wasm` are not among what is `given` to the engine. */
export async function connect(
  options: AuthOptions,
  open: (source: AuthOptions["wasm"], given: AuthOptions, listener: Listener, events: Events) => Promise<Opened>,
): Promise<AuthClient> {
  const { logger, wasm, given } = read(options);
  if (logger !== undefined && typeof logger !== "function") {
    throw misuse("logger is no function");
  }
  try {
    const events = new Events(logger);
    const client = new Client(events);
    const opened = await open(wasm, given, (...heard) => client.hear(...heard), events);
    await client.attach(given, ...opened);
    return client;
  } catch (error) {
    throw AuthError.from(error);
  }
}

/** The options, apart from what is for the page alone and does not go to the engine. */
function read(options: AuthOptions) {
  try {
    const { logger, wasm, ...rest } = options;
    const given: AuthOptions = { ...rest, redirectUri: rest.redirectUri ?? pageUrl()! };
    return { logger, wasm, given };
  } catch {
    throw misuse("the options are no plain object");
  }
}
