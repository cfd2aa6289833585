import { UserManager } from "oidc-client-ts";

import type { Config, Contestant } from "./contestant.js";

export async function open({ issuer, clientId, redirectUri, scope, metadata }: Config): Promise<Contestant> {
  let url = "";
  // The way that the class offers to do something else with an authorize URL than to go there.
  const keepUrl = {
    prepare: async () => ({
      navigate: async (request: { url: string }) => {
        url = request.url;
        return request;
      },
      close: () => {},
    }),
    callback: async () => {},
  };
  const settings = { authority: issuer, client_id: clientId, redirect_uri: redirectUri, scope };
  const manager = new UserManager(metadata ? { ...settings, metadata } : settings, keepUrl);
  return {
    ready: async () => void (await manager.metadataService.getMetadata()),
    settled: async () => {},
    authorizeUrl: async () => {
      await manager.signinRedirect();
      return url;
    },
    finish: async () => (await manager.signinRedirectCallback()).profile.sub,
  };
}
