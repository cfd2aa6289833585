// The authorization server of the demo: oidc-provider, in memory, on an origin of its own. It is configured as a
// well-run server for browser apps is: public client, code + PKCE (S256) only, CORS for the client's origin.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";

import Provider, { errors } from "oidc-provider";

import { findAccount } from "./accounts.mjs";
import { interactions } from "./interactions.mjs";
import { errorView, logoutView, sendView, signedOutView } from "./views.mjs";

export const CLIENT_ID = "wardkey-demo";
export const API_SCOPE = "notes.read";
const IDENTITY_SCOPES = ["openid", "profile", "email"];
export const SCOPE = [...IDENTITY_SCOPES, API_SCOPE].join(" ");

const MINUTE = 60;
const CACHEABLE = new Set(["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"]);
const ASSETS = {
  "/assets/theme.css": "../theme.css",
  "/assets/views.css": "views.css",
  "/assets/mark.svg": "../mark.svg",
};

/**
 * @param {object} options
 * @param {string} options.issuer
 * @param {string} options.apiUrl The resource that access tokens are for.
 * @param {string} options.pageUrl Origin of the single-page app.
 * @param {string[]} options.redirectPaths
 * @param {string[]} options.postLogoutPaths
 * @param {(configuration: object) => object} [options.extend] What the server can do besides (for tests).
 * @returns {import("node:http").RequestListener}
 */
export function authorizationServer(options) {
  const { extend = (same) => same } = options;
  const provider = new Provider(options.issuer, extend(configuration(options)));
  const view = { pageUrl: options.pageUrl };
  provider.use(cacheable);
  provider.use(assets);
  provider.use(interactions(provider, view));
  return provider.callback();
}

function configuration({ apiUrl, pageUrl, redirectPaths, postLogoutPaths }) {
  const view = { pageUrl };
  return {
    clients: [publicClient(pageUrl, redirectPaths, postLogoutPaths)],
    responseTypes: ["code"],
    scopes: IDENTITY_SCOPES,
    claims: { openid: ["sub"], profile: ["name", "given_name", "family_name"], email: ["email"] },
    // The app shows a name without asking the userinfo endpoint.
    conformIdTokenClaims: false,
    findAccount,
    jwks: { keys: [signingKey("ES256"), signingKey("RS256")] },
    enabledJWA: { idTokenSigningAlgValues: ["ES256", "RS256"] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    pkce: { required: () => true },
    clientBasedCORS: (_context, origin) => origin === pageUrl,
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    renderError: (context, out) => sendView(context, errorView({ ...view, ...out })),
    ttl: {
      AccessToken: 10 * MINUTE,
      AuthorizationCode: 1 * MINUTE,
      IdToken: 10 * MINUTE,
      Interaction: 60 * MINUTE,
      Session: 8 * 60 * MINUTE,
      Grant: 8 * 60 * MINUTE,
    },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: resourceIndicators(apiUrl),
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => sendView(context, logoutView({ ...view, form })),
        postLogoutSuccessSource: (context) => sendView(context, signedOutView(view)),
      },
    },
  };
}

function publicClient(pageUrl, redirectPaths, postLogoutPaths) {
  const onPage = (path) => `${pageUrl}${path}`;
  return {
    client_id: CLIENT_ID,
    client_name: "Wardkey demo",
    token_endpoint_auth_method: "none",
    response_types: ["code"],
    grant_types: ["authorization_code"],
    id_token_signed_response_alg: "ES256",
    redirect_uris: redirectPaths.map(onPage),
    post_logout_redirect_uris: postLogoutPaths.map(onPage),
  };
}

/** JWT access tokens for the API by default, so that the client need not send `resource` (RFC 8707). */
function resourceIndicators(apiUrl) {
  return {
    enabled: true,
    defaultResource: () => apiUrl,
    useGrantedResource: () => true,
    getResourceServerInfo: (_context, indicator) => {
      if (indicator !== apiUrl) throw new errors.InvalidTarget();
      return {
        // As most hosted servers do, the token response names the identity scopes beside those of the API.
        scope: SCOPE,
        audience: apiUrl,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES256" } },
      };
    },
  };
}

function signingKey(alg) {
  const { privateKey } =
    alg === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: `demo-${alg.toLowerCase()}`, use: "sig", alg };
}

/** Lets browsers keep metadata and keys for a while: then a callback page needs the token request only. */
async function cacheable(context, next) {
  await next();
  if (CACHEABLE.has(context.path) && context.status === 200) context.set("Cache-Control", "public, max-age=300");
}

/** The server's own pages look like the app's. */
async function assets(context, next) {
  const file = ASSETS[context.path];
  if (!file || context.method !== "GET") return next();
  context.type = extname(file);
  context.body = await readFile(new URL(file, import.meta.url));
}
