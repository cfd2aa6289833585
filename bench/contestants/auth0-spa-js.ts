import { Auth0Client } from "@auth0/auth0-spa-js";

import type { Config, Contestant } from "./contestant.js";

export async function open({ issuer, clientId, redirectUri, scope }: Config): Promise<Contestant> {
  const client = new Auth0Client({
    // An origin with its scheme is taken as it is; the issuer is the same with a slash.
    domain: new URL(issuer).origin,
    clientId,
    authorizationParams: { redirect_uri: redirectUri, scope },
  });
  return {
    // Its endpoints are at fixed paths of the domain: there is nothing to wait for.
    ready: async () => {},
    settled: async () => {},
    authorizeUrl: async () => {
      let made = "";
      await client.loginWithRedirect({ openUrl: (url) => void (made = url) });
      return made;
    },
    finish: async () => {
      await client.handleRedirectCallback();
      return (await client.getUser())?.sub;
    },
  };
}
