// A suite over the server that can do everything, and the API that checks everything.

import { everything } from "./full-server.mjs";
import { openSuite } from "./harness.mjs";
import { StrictApi } from "./strict-api.mjs";

export * from "./harness.mjs";

/** @param {Parameters<typeof openSuite>[2]} [launch] */
export async function openFullSuite(launch) {
  const api = new StrictApi();
  const servers = { extend: everything, api: (origins) => api.listener(origins) };
  const suite = await openSuite(servers, undefined, launch);
  const { withPage } = suite;
  return Object.assign(suite, {
    api,
    /** As {@link suite.withPage}, with an API that has forgotten the test before. */
    withPage(body, options) {
      return withPage.call(
        suite,
        (tab) => {
          api.reset();
          return body(tab);
        },
        options,
      );
    },
    apiUrl: (path = "") => `${suite.demo.apiUrl}${path}`,
    /** The requests that the API got, without those of CORS. */
    calls: () => suite.seen("api").filter(({ method }) => method !== "OPTIONS"),
  });
}

/** The payload of a JWT. */
export const payload = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString("utf8"));

/** The form of a request. */
export const form = ({ sent }) => Object.fromEntries(new URLSearchParams(sent));
