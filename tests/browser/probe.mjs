// The script of probe.html: the package, for tests to call. Nothing happens by itself; a callback URL stays as it is.

import { createAuthClient, isAuthError } from "wardkey";

Object.assign(globalThis, { createAuthClient, isAuthError });

/** A client of the demo's servers which comes back to this page. */
globalThis.openClient = async (options) => {
  const response = await fetch("/config.json");
  const { issuer, clientId, scope, apiUrl } = await response.json();
  const redirectUri = `${location.origin}/probe.html`;
  return createAuthClient({ issuer, clientId, scope, api: apiUrl, redirectUri, ...options });
};
