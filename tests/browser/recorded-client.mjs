// `wardkey` as the pages of these tests get it: each client tells the recorder all that it logs and all its events.

import { createAuthClient as create } from "wardkey";

export * from "wardkey";

export async function createAuthClient(options) {
  const client = await create(withLogger(options));
  globalThis.tellForScan?.("storage option", options.storage ?? "memory");
  globalThis.tellForScan?.("isolation", client.isolation);
  // `EVENTS`: the names in the package's types, put in by the build.
  for (const event of EVENTS) client.on(event, (detail) => globalThis.tellForScan?.(`event:${event}`, detail));
  return client;
}

/** Only to options that are some: the others are for the package to refuse. */
function withLogger(options) {
  try {
    const { clientId, logger } = options;
    if (typeof clientId !== "string" || !["undefined", "function"].includes(typeof logger)) return options;
    const told = (entry) => {
      globalThis.tellForScan?.("log", entry);
      logger?.(entry);
    };
    return { ...options, logger: told };
  } catch {
    return options;
  }
}
