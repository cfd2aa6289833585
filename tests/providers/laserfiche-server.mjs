// What Laserfiche's servers do alike, in the cloud and self-hosted: a cookie that knows who signed in, codes that work
// once, refresh tokens that rotate, JWTs.

import { randomUUID } from "node:crypto";

import { invalidGrant, required, reused } from "./laserfiche-token.mjs";
import { AccessTokens, Codes, es256, hasChallenge, provesChallenge, random, RefreshFamilies, signingKey } from "./oauth.mjs";

export class LaserficheServer {
  #cookie;
  #key = signingKey();
  #sessions = new Map();

  /** @param {string} cookie Its name. */
  constructor({ clock, flags }, cookie) {
    Object.assign(this, { clock, flags });
    this.#cookie = cookie;
    this.codes = new Codes(clock);
    this.access = new AccessTokens(clock);
    this.refresh = new RefreshFamilies(clock);
  }

  reset() {
    for (const store of [this.codes, this.access, this.refresh, this.#sessions]) store.clear();
  }

  /** Who is signed in with the call's cookie. */
  userOf(call) {
    return this.#sessions.get(call.cookie(this.#cookie));
  }

  remember(call, user) {
    const session = random();
    this.#sessions.set(session, user);
    call.setCookie(this.#cookie, session, ["Path=/", "HttpOnly", "SameSite=Lax"]);
  }

  forget(call) {
    this.#sessions.delete(call.cookie(this.#cookie));
    call.dropCookie(this.#cookie);
  }

  /** What the form's code was given for, if it comes with the same redirect URI and the verifier. */
  redeem(form) {
    required(form, ["code", "redirect_uri", "code_verifier"]);
    const { grant, used } = this.codes.redeem(form.get("code")) ?? {};
    const isSame = grant && !used && grant.redirectUri === form.get("redirect_uri");
    if (isSame && provesChallenge(form.get("code_verifier"), grant.challenge)) return grant;
    throw invalidGrant("authorization code");
  }

  /** The family of the form's refresh token, which it has used up. */
  family(form) {
    required(form, ["refresh_token"]);
    const family = this.refresh.use(form.get("refresh_token"));
    if (family === "reused") throw reused(this.flags.reuseStatus);
    if (family === "dead") throw invalidGrant("refresh token");
    return family;
  }

  /** The part of a token answer that each has: an access token for what is granted, with claims besides these. */
  bearer(grant, lifetimeSec, claims = {}) {
    const now = this.clock.now();
    const all = { trid: "1001", name: grant.user, ...claims, iat: now, exp: now + lifetimeSec, jti: randomUUID() };
    const token = this.access.issue(grant, lifetimeSec, es256(this.#key, all));
    return { access_token: token, token_type: "bearer", expires_in: lifetimeSec };
  }
}

/** What is wrong with an authorization request, at any of these servers. */
export function requestFault(query) {
  if (query.get("response_type") !== "code") return "response_type must be code.";
  return hasChallenge(query) ? undefined : "A code challenge with S256 is required.";
}
