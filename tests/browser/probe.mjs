// The script of probe.html: the package, for tests to call. Nothing happens by itself; a callback URL stays as it is.

import { createAuthClient, isAuthError } from "wardkey";

Object.assign(globalThis, { createAuthClient, isAuthError });

/** What came of a call, for the test to look at; a response with its JSON. */
globalThis.outcome = async (promise) => {
  try {
    const value = await promise;
    if (!(value instanceof Response)) return value;
    const text = await value.text();
    const isJson = value.headers.get("content-type")?.startsWith("application/json");
    return { status: value.status, body: isJson ? JSON.parse(text) : text };
  } catch (error) {
    if (!isAuthError(error)) throw error;
    const { code, phase, retryable, message, status, oauthError } = error;
    return { code, phase, retryable, message, status, oauthError };
  }
};

/** A client of the demo's servers which comes back to this page, and looks for no session of before. */
globalThis.openClient = async (options) => {
  const response = await fetch("/config.json");
  const { issuer, clientId, scope, apiUrl } = await response.json();
  const redirectUri = `${location.origin}/probe.html`;
  return createAuthClient({ issuer, clientId, scope, api: apiUrl, redirectUri, restore: "none", ...options });
};
