/** Laserfiche: the cloud, and API servers of one's own. */
import { check, isLoopbackHost, isPlace, isText, PLACE, placeOf, type Rule } from "./profile.js";
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

/** The data centres, each by its regional domain. */
const REGIONS: Record<string, string> = { us: "laserfiche.com", ca: "laserfiche.ca", eu: "eu.laserfiche.com" };
/** Two labels at least, and no host of a region instead of the region. */
const DOMAIN = /^(?!(?:signin|accounts|api|app)\.)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z]{2,63}$/;

const domainOf = (region: string) => (Object.hasOwn(REGIONS, region) ? REGIONS[region]! : region.toLowerCase());
const isRegion = (region: unknown) =>
  isText(region) && (DOMAIN.test(domainOf(region)) || isLoopbackHost(domainOf(region)));

export const REGION: Rule = [isRegion, "is none of us, ca and eu, and no domain such as eu.laserfiche.com"];

/** The origins of a region's servers; a server on this very machine is all of them. */
export function originsOf(region: string): { domain: string; signin: string; accounts: string; api: string } {
  const domain = domainOf(region);
  const at = (host: string) => (isLoopbackHost(domain) ? `http://${domain}` : `https://${host}.${domain}`);
  return { domain, signin: at("signin"), accounts: at("accounts"), api: at("api") };
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
  check(options, {
    region: REGION,
    customerId: [(id) => isText(id) && /^[\w-]+$/.test(id), "is not an account identifier such as 123456789", true],
  });
  const { domain, signin, accounts, api } = originsOf(options.region);
  const { customerId } = options;
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

/** A plain path; an empty segment or one of dots would lead elsewhere. */
const isPath = (path: unknown) => isText(path) && /^\/?(?:(?!\.{1,2}(?:\/|$))[\w.~!$&'()*+,;=:@%-]+(?:\/|$))+$/.test(path);
export const PATH: Rule = [isPath, "is not a path below baseUrl", true];

export const SERVER = {
  baseUrl: [isPlace, PLACE],
  repositoryId: [(id) => isText(id) && !/^\.{1,2}$|[\ud800-\udfff]/u.test(id), "is not the name of a repository"],
} satisfies Record<keyof LaserficheServer, Rule>;

/** The server's base. */
export const baseOf = (baseUrl: string) => placeOf(baseUrl, "/LFRepositoryAPI");

/** A path below the server's base. One that begins with the base's own path is taken as it stands. */
export function endpoint(server: LaserficheServer, path: string): string {
  const base = baseOf(server.baseUrl);
  const { origin, pathname } = new URL(base);
  return path.startsWith(`${pathname}/`) ? origin + path : `${base}/${path.replace(/^\//, "")}`;
}

/** The path of the token endpoint in a version of the API. */
export const tokenPathOf = (version: "v1" | "v2", { repositoryId }: LaserficheServer) =>
  `${version}/Repositories/${encodeURIComponent(repositoryId)}/Token`;

/**
 * A Laserfiche API server of one's own, version 2, with sign-in at the Laserfiche Directory Server. It knows an app by its
 * redirect URI alone (`WhitelistedRedirectUris`). The paths are below `baseUrl`; by default `v2/authorize` and
 * `v2/Repositories/{repositoryId}/Token`.
 */
export function laserficheSelfHosted(
  options: LaserficheServer & { authorizePath?: string; tokenPath?: string },
): LaserficheSelfHostedOptions {
  check(options, { ...SERVER, authorizePath: PATH, tokenPath: PATH });
  const { authorizePath = "v2/authorize", tokenPath = tokenPathOf("v2", options) } = options;
  return {
    clientId: baseOf(options.baseUrl),
    metadata: {
      authorization_endpoint: endpoint(options, authorizePath),
      token_endpoint: endpoint(options, tokenPath),
    },
    api: [baseOf(options.baseUrl)],
    restore: "none",
    policies: {
      scopeGrammar: "laserfiche",
      omitClientId: true,
      tokenResponseNames: { refreshToken: "refresh_token" },
    },
  };
}
