// The token endpoint of a DocSpace portal, and what it knows of its tokens.

import { createHash, randomUUID } from "node:crypto";

import { AccessTokens, bearer, Codes, es256, provesChallenge, RefreshFamilies, signingKey } from "./oauth.mjs";

export const ACCESS_SEC = 3600;
const REFRESH_SEC = 60 * 86_400;
const ID_TOKEN_SEC = 1800;
const ERROR_URI = "https://datatracker.ietf.org/doc/html/rfc6749#section-5.2";

/** What a token request is answered with, when not with tokens. */
class Refusal extends Error {
  constructor(status, body) {
    super(body?.error);
    Object.assign(this, { status, body });
  }
}

const invalidGrant = () => new Refusal(400, { error: "invalid_grant" });

/** What the framework says itself has more words. */
const invalidRequest = (error, name) =>
  new Refusal(400, { error, error_description: `OAuth 2.0 Parameter: ${name}`, error_uri: ERROR_URI });

export class Tokens {
  constructor(origin, clock, clients) {
    Object.assign(this, { origin, clock, clients });
    this.codes = new Codes(clock);
    this.access = new AccessTokens(clock);
    this.refresh = new RefreshFamilies(clock);
    /** The newest first. */
    this.keys = [signingKey()];
  }

  clear() {
    for (const store of [this.codes, this.access, this.refresh]) store.clear();
    this.keys.length = 1;
  }

  /** As the server does every four hours: the last key stays for what it has signed. */
  rotateKeys() {
    this.keys.unshift(signingKey());
  }

  sendKeys(call) {
    call.json(200, { keys: this.keys.slice(0, 2).map(({ jwk }) => jwk) });
  }

  async answer(call) {
    try {
      const form = await call.form();
      if (!form) throw invalidRequest("invalid_request", "grant_type");
      call.json(200, this.issue(form));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.body) call.json(error.status, error.body);
      else call.empty(error.status);
    }
  }

  issue(form) {
    const client = this.clients.find(({ clientId }) => clientId === form.get("client_id"));
    if (!client) throw new Refusal(401, { error: "invalid_client" });
    const isConfidential = form.has("client_secret");
    if (isConfidential && form.get("client_secret") !== client.secret)
      throw new Refusal(401, { error: "invalid_client" });
    switch (form.get("grant_type")) {
      case "authorization_code":
        return this.fromCode(form, client, isConfidential);
      case "refresh_token":
        // A public client proves itself by its verifier, which a refresh does not have.
        if (!isConfidential) throw new Refusal(401);
        return this.fromRefresh(form, client);
      case null:
        throw invalidRequest("invalid_request", "grant_type");
      default:
        throw invalidRequest("unsupported_grant_type", "grant_type");
    }
  }

  fromCode(form, client, isConfidential) {
    const { grant, used } = this.codes.redeem(form.get("code")) ?? {};
    if (used) this.access.end(({ id }) => id === grant.id);
    const isSame = grant?.clientId === client.clientId && grant.redirectUri === form.get("redirect_uri");
    if (!isSame || used) throw invalidGrant();
    const mustProve = !isConfidential || grant.challenge !== null;
    if (mustProve && !provesChallenge(form.get("code_verifier"), grant.challenge)) throw invalidGrant();
    // The server gives a client without authentication none.
    const refresh = isConfidential ? this.refresh.begin(grant, this.clock.now() + REFRESH_SEC) : undefined;
    return this.answerWith(grant, refresh);
  }

  fromRefresh(form, client) {
    const family = this.refresh.use(form.get("refresh_token"));
    if (typeof family === "string" || family.grant.clientId !== client.clientId) throw invalidGrant();
    return this.answerWith(family.grant, this.refresh.next(family, this.clock.now() + REFRESH_SEC));
  }

  answerWith(grant, refreshToken) {
    const claims = { ...this.claims(grant, ACCESS_SEC), scope: grant.scopes };
    const token = es256(this.keys[0], claims);
    this.access.issue({ ...grant, claims }, ACCESS_SEC, token);
    const body = {
      access_token: token,
      scope: grant.scopes.join(" "),
      token_type: "Bearer",
      expires_in: ACCESS_SEC - 1,
    };
    if (refreshToken) body.refresh_token = refreshToken;
    if (grant.scopes.includes("openid")) body.id_token = this.idToken(grant);
    return body;
  }

  /** Not as OpenID Connect has it: it is for the portal, and from an issuer that discovery does not name. */
  idToken(grant) {
    const nonce = grant.nonce === null ? {} : { nonce: grant.nonce };
    return es256(this.keys[0], { ...this.claims(grant, ID_TOKEN_SEC), azp: grant.clientId, ...nonce });
  }

  claims({ clientId, user }, lifetimeSec) {
    const now = this.clock.now();
    const [aud, iss] = [[this.origin], `${this.origin}/oauth2`];
    const times = { nbf: now, iat: now, exp: now + lifetimeSec };
    return { sub: guid(user), aud, iss, ...times, jti: randomUUID(), tid: 1, cid: clientId };
  }

  async introspect(call) {
    const grant = this.access.find((await call.form())?.get("token"));
    if (!grant) return call.json(200, { active: false });
    const { claims, clientId, scopes } = grant;
    call.json(200, { active: true, ...claims, scope: scopes.join(" "), client_id: clientId, token_type: "Bearer" });
  }

  async revoke(call) {
    const form = (await call.form()) ?? new URLSearchParams();
    const client = this.clients.find(({ clientId }) => clientId === form.get("client_id"));
    if (!client?.secret || form.get("client_secret") !== client.secret) return call.empty(401);
    const token = this.access.find(form.get("token"));
    this.access.end((grant) => grant === token);
    call.empty(200);
  }

  userInfo(call) {
    const grant = this.access.find(bearer(call.header("authorization")));
    const refuse = (status, error) => call.json(status, { error }, { "WWW-Authenticate": `Bearer error="${error}"` });
    if (!grant) return refuse(401, "invalid_token");
    if (!grant.scopes.includes("openid")) return refuse(403, "insufficient_scope");
    call.json(200, grant.claims);
  }
}

/** The GUID that a user is known by. */
function guid(user) {
  const hex = createHash("sha256").update(user).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}
