// The script of probe.html: the package, for tests to call. It does nothing by itself, so a callback URL stays unhandled.

import { createAuthClient } from "wardkey";

/** A client of the demo's servers which comes back to this page. */
globalThis.openClient = async (options) => {
  const response = await fetch("/config.json");
  const { issuer, clientId, scope, apiUrl } = await response.json();
  return createAuthClient({ issuer, clientId, scope, api: apiUrl, redirectUri: `${location.origin}/probe.html`, ...options });
};
