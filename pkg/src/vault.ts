/**
 * The script of the worker.
 *
 * @module
 */
import { speak } from "./codes.js";
import { AuthError } from "./errors.js";
import { PROTOCOL, version, type Charter } from "./vault/messages.js";
import { Service } from "./vault/service.js";

/** What the worker goes by: its name. */
function charter(): Charter | undefined {
  try {
    const read = JSON.parse(self.name) as Charter;
    return read.version === version ? read : undefined;
  } catch {
    return undefined;
  }
}

/** Tells whoever asks that this is not the worker that was meant. */
function refuse(port: MessagePort): void {
  const reason = "the worker's script is of another version than the page; reload it";
  const error: unknown = JSON.parse(JSON.stringify(new AuthError("not_initialised", "configuration", reason)));
  port.onmessage = ({ data }) => port.postMessage([PROTOCOL, (data as unknown[])[1], null, null, null, error]);
}

function serve(): void {
  speak();
  const given = charter();
  const service = given && new Service(given);
  const connect = (event: Event) => {
    const [port] = (event as MessageEvent).ports;
    if (!port) return;
    if (service) service.connect(port);
    else refuse(port);
  };
  addEventListener("error", ({ error }) => service?.trapped(error));
  addEventListener("unhandledrejection", ({ reason }) => service?.trapped(reason));
  // A SharedWorker is connected to; a Worker is sent the port.
  addEventListener("onconnect" in globalThis ? "connect" : "message", connect);
}

serve();
