/** ONLYOFFICE DocSpace. */
import { readMembers } from "./options.js";
import { isPlace } from "./profile.js";
import type { AuthOptions, IdTokenPolicy, ServerMetadata, ServerPolicies } from "./types.js";

/** Options of a client of a DocSpace portal; `clientId`, `redirectUri` and `scope` are the app's. */
export interface DocSpaceOptions extends Partial<AuthOptions> {
  metadata: ServerMetadata;
  api: string;
  policies: ServerPolicies;
}

/** A portal is an origin. */
const isPortal = (portal: unknown) => isPlace(portal) && new URL(portal as string).pathname === "/";

/** Its ID tokens name the portal, and the client as `azp`; the keys are ES256 though discovery says RS256. */
const idToken = (portal: string): IdTokenPolicy => ({
  expectIssuer: `${portal}/oauth2`,
  expectAudience: portal,
  algorithms: ["ES256", "RS256"],
});

/**
 * A portal of ONLYOFFICE DocSpace, for apps registered with `allow_pkce`. `openIdConnect`: asks for `openid`, and holds ID
 * tokens against what DocSpace makes of them; an app that names its own `scope` keeps `openid` in it.
 * The endpoints are the portal's own; sign-ins at the cloud's common server, oauth.onlyoffice.com, are another thing.
 *
 * There is no refresh token: after an hour the session ends with `session_expired`, and a sign-in gives the next.
 */
export function docspace(options: { portal: string; openIdConnect?: boolean }): DocSpaceOptions {
  const { portal, openIdConnect } = readMembers<typeof options>("options", options, {
    portal: [isPortal, "is not an https origin such as https://acme.onlyoffice.com (http on localhost only)"],
    openIdConnect: [(flag) => typeof flag === "boolean", "is not true or false", "optional"],
  });
  const { origin } = new URL(portal);
  const oauth = `${origin}/oauth2`;
  return {
    metadata: {
      issuer: origin,
      authorization_endpoint: `${oauth}/authorize`,
      token_endpoint: `${oauth}/token`,
      ...(openIdConnect && { jwks_uri: `${oauth}/jwks`, userinfo_endpoint: `${oauth}/userinfo` }),
    },
    ...(openIdConnect && { scope: ["openid"], idToken: idToken(origin) }),
    api: `${origin}/api/2.0`,
    // The portal is shown in frames of no other origin, unless somebody allowed it there.
    restore: "none",
    policies: { scopeGrammar: "docspace", scopeOrigin: origin, plainRedirectUri: true },
  };
}
