/** Starting a worker, as far as the browser lets us. */
import type { Start } from "./port.js";

/** Trusted Types, which TypeScript does not know. */
interface Policy {
  createScriptURL(url: string): string;
}

let policy: Policy | undefined;

/** A worker's URL is a sink of Trusted Types in Chromium; the policy is named `wardkey`. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  policy ??= trustedTypes?.createPolicy("wardkey", { createScriptURL: (it) => it });
  return policy ? policy.createScriptURL(url) : url;
}

/**
 * Does a SharedWorker here outlast its pages for a while? The browser shows by reading the option; a URL that is none
 * keeps it from starting anything.
 */
export function canOutlast(): boolean {
  let isRead = false;
  try {
    new SharedWorker(trusted("//"), {
      get extendedLifetime() {
        return (isRead = true);
      },
    } as WorkerOptions);
  } catch {
    // There is no such URL, or no such worker.
  }
  return isRead;
}

/** How to start a worker of this kind. */
export function starter(isolation: "shared" | "worker", url: string, name: string): Start {
  return (failed) => {
    const options = { type: "module", name, extendedLifetime: true } as WorkerOptions;
    if (isolation === "shared") {
      const worker = new SharedWorker(trusted(url), options);
      worker.onerror = failed;
      return [worker.port];
    }
    const worker = new Worker(trusted(url), options);
    worker.onerror = failed;
    const { port1, port2 } = new MessageChannel();
    worker.postMessage(0, [port2]);
    return [port1, () => worker.terminate()];
  };
}
