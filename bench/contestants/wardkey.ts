import { createAuthClient } from "wardkey";

import type { Config, Contestant } from "./contestant.js";

export async function open(config: Config): Promise<Contestant> {
  const client = await createAuthClient(config);
  let prepared = Promise.resolve();
  return {
    ready: async () => {
      // Metadata and keys. An authorize URL waits for neither when metadata is given by hand; the keys come meanwhile.
      prepared = client.prepare();
      if (!config.metadata) await prepared;
    },
    settled: () => prepared,
    authorizeUrl: () => client.createAuthorizeUrl().url,
    finish: async () => (await client.handleCallback()).user?.sub,
  };
}
