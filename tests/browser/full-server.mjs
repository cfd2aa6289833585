// The demo's authorization server with everything on that a browser client can use, and one client for each way of
// being used. A client differs from the demo's in what its name says.

import { randomBytes } from "node:crypto";

import { errors } from "oidc-provider";

import { SCOPE } from "../../www/server/authorization-server.mjs";

const REFRESH = { grant_types: ["authorization_code", "refresh_token"] };
const DPOP = { ...REFRESH, dpop_bound_access_tokens: true };

/** Seconds that an access token of `brief` lives. */
export const BRIEF = 4;

/** Seconds that an access token lives, by client, where it is not 600. A test may change them while it runs. */
export const lifetimes = { brief: BRIEF };

const CLIENTS = {
  refresh: REFRESH,
  /** Its tokens live for {@link BRIEF} seconds. */
  brief: REFRESH,
  dpop: DPOP,
  /** The server wants its nonce in each of its proofs. */
  nonce: DPOP,
  /** The server takes no other requests than pushed ones. */
  par: { require_pushed_authorization_requests: true },
  details: { ...REFRESH, authorization_details_types: ["note"] },
  jarm: { authorization_signed_response_alg: "ES256" },
  /** Its tokens are for UserInfo, as they are where no API is asked for. */
  identity: REFRESH,
  "identity-dpop": DPOP,
  "identity-signed": { userinfo_signed_response_alg: "ES256" },
};

/**
 * @param {object} configuration That of the demo.
 * @param {{ apiUrl: string }} origins
 */
export function everything(configuration, { apiUrl }) {
  const [demo] = configuration.clients;
  const clients = Object.entries(CLIENTS).map(([name, more]) => ({ ...demo, client_id: name, ...more }));
  return {
    ...configuration,
    clients: [demo, ...clients],
    enabledJWA: {
      ...configuration.enabledJWA,
      authorizationSigningAlgValues: ["ES256", "RS256"],
      userinfoSigningAlgValues: ["ES256"],
    },
    issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    ttl: {
      ...configuration.ttl,
      AccessToken: (_context, _token, client) => lifetimes[client.clientId] ?? 600,
      RefreshToken: 3600,
    },
    features: {
      ...configuration.features,
      claimsParameter: { enabled: true },
      dPoP: {
        enabled: true,
        nonceSecret: randomBytes(32),
        requireNonce: (context) => context.oidc.client?.clientId === "nonce",
      },
      jwtResponseModes: { enabled: true },
      jwtUserinfo: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      resourceIndicators: resources(apiUrl),
      revocation: { enabled: true },
      richAuthorizationRequests: details(),
    },
  };
}

/** What tokens can be for: the demo's API, which they are for unless asked otherwise, and parts of it. */
const SCOPES = { "": SCOPE, "/mail": "mail.read mail.send", "/files": "files.read", "/calendar": "calendar.read" };

function resources(apiUrl) {
  return {
    enabled: true,
    defaultResource: (_context, client) => (client.clientId.startsWith("identity") ? undefined : apiUrl),
    useGrantedResource: () => true,
    getResourceServerInfo: (_context, indicator) => {
      const scope = indicator.startsWith(apiUrl) ? SCOPES[indicator.slice(apiUrl.length)] : undefined;
      if (!scope) throw new errors.InvalidTarget();
      return { scope, audience: indicator, accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } };
    },
  };
}

function details() {
  return {
    enabled: true,
    types: { note: { validate: () => {} } },
    authorizationDetailsForGrantSource: (context) => granted(context),
    authorizationDetailsForAccessToken: (context) => granted(context),
    authorizationDetailsForIntrospection: (_context, token) => token.rar,
  };
}

const granted = (context) => context.oidc.entities.Grant?.rar ?? context.oidc.grant?.rar;
