/** From the options to a client. */
import { Client } from "./client.js";
import { AuthError } from "./errors.js";
import { pageUrl } from "./page.js";
import type { Transport } from "./transport.js";
import type { AuthClient } from "./auth-client.js";
import type { AuthOptions } from "./types.js";

type Open = (
  source: AuthOptions["wasm"],
  options: object,
  listener: (event: string, detail: unknown) => void,
) => Promise<Transport>;

/** Opens a transport and makes the client over it. */
export async function connect(options: AuthOptions, open: Open): Promise<AuthClient> {
  const { logger, wasm, given } = read(options);
  if (logger !== undefined && typeof logger !== "function") {
    throw new AuthError("invalid_configuration", "configuration", "logger is no function");
  }
  checkSpelling("redirectUri", given.redirectUri);
  checkSpelling("silentRedirectUri", given.silentRedirectUri);
  try {
    const client = new Client(logger);
    const transport = await open(wasm, given, (event, detail) => client.hear(event, detail));
    client.attach(transport, given);
    await client.begin();
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
    throw new AuthError("invalid_configuration", "configuration", "the options are no plain object");
  }
}

/** The response will be at the URL as the browser spells it. Another spelling would never be recognised. */
function checkSpelling(name: string, uri: unknown): void {
  if (typeof uri !== "string" || !URL.canParse(uri)) return; // The engine says what is wrong.
  const { href } = new URL(uri);
  if (href !== uri && href !== `${uri}/`) {
    throw new AuthError("invalid_configuration", "configuration", `${name} is spelt ${href} by browsers`);
  }
}
