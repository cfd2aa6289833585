// An API that trusts nobody: access tokens (RFC 9068) and proofs (RFC 9449) are checked by oauth4webapi. A test says
// what it answers before it serves.

import * as oauth from "oauth4webapi";

const INSECURE = { [oauth.allowInsecureRequests]: true };

/**
 * What a test wants to be answered, before the request is looked at.
 * @typedef {object} Refusal
 * @property {number} status
 * @property {string} [challenge] WWW-Authenticate.
 * @property {string} [nonce] DPoP-Nonce.
 * @property {boolean} [hidden] CORS lets the page see none of them.
 */

export class StrictApi {
  /** @type {Refusal[]} Each is answered once, in turn. */
  refusals = [];
  /** The nonce that proofs must have; none while undefined. */
  nonce = undefined;
  /** Whose answers wait until they are let go. */
  gate = undefined;

  #server;
  #keys = {};

  /** @param {{ issuer: string, apiUrl: string, pageUrl: string }} origins */
  listener(origins) {
    return async (request, response) => {
      response.setHeader("Access-Control-Allow-Origin", origins.pageUrl);
      response.setHeader("Access-Control-Allow-Headers", "authorization, dpop, content-type");
      response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT");
      if (request.method === "OPTIONS") return response.writeHead(204).end();
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      await this.gate;
      const refusal = this.refusals.shift() ?? (await this.#judge(request, origins));
      const { hidden, status, challenge, nonce, answer } = refusal;
      if (!hidden) response.setHeader("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce");
      if (challenge) response.setHeader("WWW-Authenticate", challenge);
      if (nonce) response.setHeader("DPoP-Nonce", nonce);
      response.writeHead(status, { "Content-Type": "application/json" });
      const body = Buffer.concat(chunks).toString("utf8");
      response.end(JSON.stringify(answer ? { ...answer, body, type: request.headers["content-type"] } : {}));
    };
  }

  reset() {
    this.refusals = [];
    this.nonce = undefined;
    this.gate = undefined;
  }

  async #judge(request, { issuer, apiUrl }) {
    const { method, url, headers } = request;
    const audience = url.startsWith("/mail") ? `${apiUrl}/mail` : apiUrl;
    const asked = new Request(`${apiUrl}${url}`, { method, headers });
    try {
      this.#server ??= await metadata(issuer);
      const claims = await oauth.validateJwtAccessToken(this.#server, asked, audience, {
        ...INSECURE,
        [oauth.jwksCache]: this.#keys,
      });
      const proof = claims.cnf && decode(headers.dpop);
      if (proof && this.nonce && proof.nonce !== this.nonce) {
        return { status: 401, challenge: 'DPoP error="use_dpop_nonce"', nonce: this.nonce };
      }
      const { sub, scope, aud, jti } = claims;
      return { status: 200, answer: { method, sub, scope, aud, token: jti, bound: claims.cnf !== undefined, proof } };
    } catch (error) {
      return { status: 401, challenge: `Bearer error="invalid_token", error_description="${error.code ?? "broken"}"` };
    }
  }
}

async function metadata(issuer) {
  const identifier = new URL(issuer);
  const response = await oauth.discoveryRequest(identifier, INSECURE);
  return oauth.processDiscoveryResponse(identifier, response);
}

/** The payload of a proof whose signature has been checked. */
const decode = (proof) => JSON.parse(Buffer.from(proof.split(".")[1], "base64url").toString("utf8"));
