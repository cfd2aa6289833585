/** Starting a SharedWorker, as far as the browser lets us. */

/** Trusted Types, which TypeScript does not know. */
interface Policy {
  createScriptURL(url: string): string;
}

let policy: Policy | undefined;

/** A worker's URL is a sink of Trusted Types in Chromium; the policy is named `wardkey`. */
export function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  policy ??= trustedTypes?.createPolicy("wardkey", { createScriptURL: (it) => it });
  return policy?.createScriptURL(url) ?? url;
}

/** Starts a worker, or finds the one that is there. */
export const share = (url: string, options: object) => new SharedWorker(trusted(url), options as WorkerOptions);

/**
 * Does a SharedWorker here outlast its pages for a while? The browser shows by reading the option; a URL that is none
 * keeps it from starting anything.
 */
export function canOutlast(): boolean {
  let isRead = false;
  try {
    share("//", {
      get extendedLifetime() {
        return (isRead = true);
      },
    });
  } catch {
    // There is no such URL, or no such worker.
  }
  return isRead;
}
