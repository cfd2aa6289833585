// The protected API of the demo, on a third origin. It trusts an access token (RFC 9068) only after checking its
// signature with the authorization server's keys, its issuer, audience, lifetime and scope; with node:crypto alone.

import { createPublicKey, verify } from "node:crypto";

const REQUIRED_SCOPE = "notes.read";
const CLOCK_SKEW_SECONDS = 5;

/** A refusal by RFC 6750, section 3: status, and the challenge which says why. */
class Refusal extends Error {
  constructor(status, error, description, scope) {
    super(description);
    const parameters = Object.entries({ realm: "notes", error, error_description: error && description, scope });
    const present = parameters.filter(([, value]) => value).map(([name, value]) => `${name}="${value}"`);
    this.status = status;
    this.challenge = `Bearer ${present.join(", ")}`;
  }
}

const invalidToken = (description) => new Refusal(401, "invalid_token", description);

/**
 * @param {object} options
 * @param {string} options.issuer
 * @param {string} options.apiUrl This API's own origin: the audience it accepts.
 * @param {string} options.pageUrl The one origin that CORS lets in.
 * @returns {import("node:http").RequestListener}
 */
export function notesApi(options) {
  const keys = new IssuerKeys(options.issuer);
  return async (request, response) => {
    allowOrigin(request, response, options.pageUrl);
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    if (request.method !== "GET" || request.url !== "/notes") return json(response, 404, { error: "not_found" });
    try {
      const claims = await authorize(request.headers.authorization, options, keys);
      json(response, 200, { owner: claims.sub, notes: notesOf(claims.sub) });
    } catch (error) {
      if (!(error instanceof Refusal)) return json(response, 503, { error: "temporarily_unavailable" });
      response.setHeader("WWW-Authenticate", error.challenge);
      json(response, error.status, { error: error.message });
    }
  };
}

function allowOrigin(request, response, pageUrl) {
  response.setHeader("Vary", "Origin");
  if (request.headers.origin !== pageUrl) return;
  response.setHeader("Access-Control-Allow-Origin", pageUrl);
  response.setHeader("Access-Control-Expose-Headers", "WWW-Authenticate");
  if (request.method !== "OPTIONS") return;
  response.setHeader("Access-Control-Allow-Methods", "GET");
  response.setHeader("Access-Control-Allow-Headers", "Authorization");
  response.setHeader("Access-Control-Max-Age", "600");
}

/** Claims of a token which may read notes; throws a {@link Refusal} otherwise. */
async function authorize(header, { issuer, apiUrl }, keys) {
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(header ?? "")?.[1];
  if (!token) throw new Refusal(401, undefined, "A token is needed");
  const claims = await verifiedClaims(token, keys);
  if (claims.iss !== issuer) throw invalidToken("The token is from another issuer");
  if (![claims.aud].flat().includes(apiUrl)) throw invalidToken("The token is for another audience");
  if (!(claims.exp > Date.now() / 1000 - CLOCK_SKEW_SECONDS)) throw invalidToken("The token has expired");
  const scopes = String(claims.scope ?? "").split(" ");
  if (!scopes.includes(REQUIRED_SCOPE)) {
    throw new Refusal(403, "insufficient_scope", "The token does not allow this", REQUIRED_SCOPE);
  }
  return claims;
}

async function verifiedClaims(token, keys) {
  const [header, payload, signature, ...more] = token.split(".");
  if (!signature || more.length > 0) throw invalidToken("The token is not a signed JWT");
  const { typ, alg, kid } = decode(header);
  if (typ !== "at+jwt" || alg !== "ES256") throw invalidToken("The token is not an ES256 access token");
  const key = await keys.find(kid);
  if (!key) throw invalidToken("The token is signed with an unknown key");
  const signed = Buffer.from(`${header}.${payload}`);
  const genuine = verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  if (!genuine) throw invalidToken("The signature does not verify");
  return decode(payload);
}

function decode(part) {
  try {
    const value = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    if (value && typeof value === "object") return value;
  } catch {
    // Falls through to the refusal, as every other malformed part does.
  }
  throw invalidToken("The token is malformed");
}

/** The issuer's ES256 keys by `kid`; fetched again when an unknown one turns up, as after a key rollover. */
class IssuerKeys {
  #issuer;
  #keys = new Map();

  constructor(issuer) {
    this.#issuer = issuer;
  }

  async find(kid) {
    if (!this.#keys.has(kid)) await this.#fetch();
    return this.#keys.get(kid);
  }

  async #fetch() {
    const metadata = await getJson(`${this.#issuer}/.well-known/openid-configuration`);
    const { keys } = await getJson(metadata.jwks_uri);
    const usable = keys.filter(({ kty, crv }) => kty === "EC" && crv === "P-256");
    this.#keys = new Map(usable.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: "jwk" })]));
  }
}

async function getJson(url) {
  const response = await fetch(url, { redirect: "error" });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

function json(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(body));
}

function notesOf(owner) {
  const own = {
    alice: ["Ask the Cheshire Cat for directions", "Return the White Rabbit's gloves"],
    bob: ["Oil the workshop lock", "Cut two spare keys"],
  };
  return (own[owner] ?? []).map((text, index) => ({ id: index + 1, text }));
}
