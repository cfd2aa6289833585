/** Laserfiche: the cloud, and API servers of one's own. */
import { baseOf, endpoint, originsOf, PATH, REGION, SERVER, tokenPathOf } from "./laserfiche-places.js";
import { isText, readMembers } from "./options.js";
import type { AuthOptions, ServerMetadata, ServerPolicies } from "./types.js";

/** Options of a client of Laserfiche Cloud; `clientId`, `redirectUri` and `scope` are the app's. */
export interface LaserficheOptions extends Partial<AuthOptions> {
  metadata: ServerMetadata;
  api: string[];
  policies: ServerPolicies;
}

/** Options of a client of a Laserfiche API server; `redirectUri` and `scope` are the app's. */
export interface LaserficheSelfHostedOptions extends LaserficheOptions {
  /** The server knows no clients. This names the client here, and is sent nowhere. */
  clientId: string;
}

/**
 * Laserfiche Cloud, for apps that are registered as "Single-page App". `region`: the data centre of the account, "us",
 * "ca", "eu" or another regional domain (`localhost:1234` stands for `http://localhost:1234` as all of its servers).
 * `customerId`: the account that the person must be of.
 *
 * A response that names another domain or account than these is refused (`invalid_callback`). `postLogoutRedirectUri` is
 * where the sign-out page leads back to.
 */
export function laserfiche(options: { region: "us" | "ca" | "eu" | (string & {}); customerId?: string }): LaserficheOptions {
  const { region, customerId } = readMembers<typeof options>("options", options, {
    region: REGION,
    customerId: [(id) => isText(id) && /^[\w-]+$/.test(id), "is not an account identifier such as 123456789", "optional"],
  });
  const { domain, signin, accounts, api } = originsOf(region);
  return {
    metadata: {
      authorization_endpoint: `${signin}/oauth/Authorize`,
      token_endpoint: `${signin}/oauth/Token`,
      end_session_endpoint: `${accounts}/WebSTS/?wa=wsignout1.0`,
    },
    api: [`${api}/repository`, `${api}/odata4`],
    // It is not documented to answer without showing a page.
    restore: "none",
    ...(customerId !== undefined && { authorizationParams: { extra: { customerId } } }),
    policies: {
      scopeGrammar: "laserfiche",
      scopeOrigin: api,
      signOutReturnParameter: "wreply",
      expectResponse: { domain: [domain], ...(customerId !== undefined && { customerId: [customerId] }) },
    },
  };
}

/** Where a Laserfiche API server is, and its repository. */
export interface LaserficheServer {
  /** As `https://host/LFRepositoryAPI`, which `https://host` stands for too. */
  baseUrl: string;
  repositoryId: string;
}

/**
 * A Laserfiche API server of one's own, version 2, with sign-in at the Laserfiche Directory Server. It knows an app by its
 * redirect URI alone (`WhitelistedRedirectUris`). The paths are below `baseUrl`; by default `v2/authorize` and
 * `v2/Repositories/{repositoryId}/Token`.
 */
export function laserficheSelfHosted(
  options: LaserficheServer & { authorizePath?: string; tokenPath?: string },
): LaserficheSelfHostedOptions {
  const server = readMembers<typeof options>("options", options, { ...SERVER, authorizePath: PATH, tokenPath: PATH });
  const { authorizePath = "v2/authorize", tokenPath = tokenPathOf("v2", server) } = server;
  const base = baseOf(server.baseUrl);
  return {
    clientId: base,
    metadata: {
      authorization_endpoint: endpoint(server, authorizePath),
      token_endpoint: endpoint(server, tokenPath),
    },
    api: [base],
    restore: "none",
    policies: {
      scopeGrammar: "laserfiche",
      scopeOrigin: new URL(base).origin,
      omitClientId: true,
      tokenResponseNames: { refreshToken: "refresh_token" },
    },
  };
}
