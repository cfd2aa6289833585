// The script of provider-probe.html: the package and its profiles of real systems, for tests to call.

import "./probe.mjs";

import * as wardkey from "wardkey";
import * as providers from "wardkey/providers";

Object.assign(globalThis, wardkey, providers);

/** A client of one of the systems which comes back to this page. */
globalThis.openProvider = ([name, place], options) =>
  wardkey.createAuthClient({
    clientId: "app1",
    ...providers[name](place),
    redirectUri: location.origin + location.pathname,
    ...options,
  });

/** The code and the words of the error that a call throws or rejects with; what it gives otherwise. */
globalThis.refusal = async (act) => {
  try {
    return await act();
  } catch (error) {
    if (!wardkey.isAuthError(error)) throw error;
    return { code: error.code, message: error.message, retryable: error.retryable };
  }
};
