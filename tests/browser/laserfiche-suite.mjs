// A suite over the stand-in for Laserfiche Cloud, with its profile.

import { CUSTOMER_ID, startLaserfiche } from "../providers/laserfiche.mjs";
import { openProviderSuite, signInAt } from "./provider-suite.mjs";

export * from "./provider-suite.mjs";

export const ALL = "repository.Read repository.Write";

/** @param {string[]} scopes That the app is registered with. */
export async function openLaserficheSuite(scopes) {
  const suite = await openProviderSuite(({ callback, observe }) =>
    startLaserfiche({ clients: [{ clientId: "app1", redirectUris: [callback], scopes }], observe }),
  );
  const { origin, host } = suite.server;
  const profile = ["laserfiche", { region: host, customerId: CUSTOMER_ID }];
  return Object.assign(suite, {
    profile,
    entry: `${origin}/repository/v2/Repositories/r-1/Entries/1`,
    signIn: (page, options = {}) => signInAt(page, suite, profile, { scope: ALL, ...options }),
    /** The parameters of the last one. */
    authorizeRequest: () => new URL(suite.asked("/oauth/authorize").at(-1).path, origin).searchParams,
    apiCalls: () => suite.asked("/repository"),
  });
}
