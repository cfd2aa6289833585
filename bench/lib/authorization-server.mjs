// oidc-provider as all contestants can use it: auth0-spa-js wants RS256, an issuer that ends with a slash, and Auth0's
// paths. It asks the person nothing, so that a sign-in needs no hands.

import { generateKeyPairSync, randomBytes } from "node:crypto";

import Provider from "oidc-provider";

export const CLIENT_ID = "bench";
export const SCOPE = "openid profile email";
export const SUBJECT = "alice";

const CACHEABLE = new Set(["/.well-known/openid-configuration", "/jwks"]);
const MINUTE = 60;

/**
 * @param {object} options
 * @param {string} options.issuer
 * @param {string} options.pageOrigin
 * @param {string[]} options.redirectUris
 * @returns {import("node:http").RequestListener}
 */
export function authorizationServer({ issuer, pageOrigin, redirectUris }) {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        token_endpoint_auth_method: "none",
        response_types: ["code"],
        grant_types: ["authorization_code"],
        redirect_uris: redirectUris,
      },
    ],
    responseTypes: ["code"],
    routes: { authorization: "/authorize", token: "/oauth/token" },
    claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
    conformIdTokenClaims: false,
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: "Alice", email: "alice@example.com" }),
    }),
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    pkce: { required: () => true },
    clientBasedCORS: (_context, origin) => origin === pageOrigin,
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    loadExistingGrant: (context) => grantAll(provider, context),
    features: { devInteractions: { enabled: false } },
    ttl: {
      AccessToken: 10 * MINUTE,
      AuthorizationCode: MINUTE,
      IdToken: 10 * MINUTE,
      Interaction: MINUTE,
      Session: 10 * MINUTE,
      Grant: 10 * MINUTE,
    },
  });
  provider.use(cacheable);
  provider.use((context, next) => logIn(provider, context, next));
  return provider.callback();
}

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: "bench", use: "sig", alg: "RS256" };
}

async function grantAll(provider, { oidc }) {
  const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope(SCOPE);
  await grant.save();
  return grant;
}

/** Metadata and keys may be kept for a while, as at most hosted servers. */
async function cacheable(context, next) {
  await next();
  if (CACHEABLE.has(context.path) && context.status === 200) context.set("Cache-Control", "public, max-age=300");
}

async function logIn(provider, context, next) {
  if (!context.path.startsWith("/interaction/")) return next();
  // The provider writes the answer itself.
  context.respond = false;
  await provider.interactionFinished(context.req, context.res, { login: { accountId: SUBJECT } });
}

/** The response to an authorization request, without a browser: where it would end up. */
export async function authorizationResponse(authorizeUrl, redirectUri) {
  const cookies = new Map();
  let url = authorizeUrl;
  while (!url.startsWith(redirectUri)) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { redirect: "manual", headers: { cookie } });
    const location = answer.headers.get("location");
    if (!location) throw new Error(`The authorization server answered ${answer.status}:\n${await answer.text()}`);
    for (const line of answer.headers.getSetCookie()) {
      const [name, ...value] = line.split(";")[0].split("=");
      cookies.set(name, value.join("="));
    }
    url = new URL(location, url).href;
  }
  return url;
}
