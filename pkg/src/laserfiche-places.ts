/** Where the servers of Laserfiche are, by region or by the base of one's own. */
import { isText, type Rule } from "./options.js";
import { isLoopbackHost, isPlace, PLACE, placeOf } from "./profile.js";
import type { LaserficheServer } from "./laserfiche.js";

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

/** A plain path; an empty segment or one of dots would lead elsewhere. */
const isPath = (path: unknown) => isText(path) && /^\/?(?:(?!\.{1,2}(?:\/|$))[\w.~!$&'()*+,;=:@%-]+(?:\/|$))+$/.test(path);
export const PATH: Rule = [isPath, "is not a path below baseUrl", "optional"];

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
