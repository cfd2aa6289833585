// The parts of OAuth 2.0 that each stand-in has in its own way: PKCE, codes, tokens, families of refresh tokens, JWTs.

import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";

export const random = (bytes = 24) => randomBytes(bytes).toString("base64url");

/** RFC 7636 4.1 and 4.2: the characters and the length of a verifier, and of a challenge. */
const isChallenge = (text) => /^[\w.~-]{43,128}$/.test(text ?? "");

/** Does an authorization request come with a challenge for S256 (RFC 7636 4.3)? */
export const hasChallenge = (query) =>
  query.get("code_challenge_method") === "S256" && isChallenge(query.get("code_challenge"));

/** RFC 7636 4.6, for S256. */
export function provesChallenge(verifier, challenge) {
  return isChallenge(verifier) && createHash("sha256").update(verifier).digest("base64url") === challenge;
}

/** Authorization codes: each works once, for a time. */
export class Codes {
  #clock;
  #issued = new Map();

  constructor(clock) {
    this.#clock = clock;
  }

  issue(grant, lifetimeSec, code = random()) {
    this.#issued.set(code, { grant, end: this.#clock.now() + lifetimeSec, used: false });
    return code;
  }

  /** What the code stands for, and whether it has been used before; nothing for one that is unknown or over. */
  redeem(code) {
    const issued = this.#issued.get(code);
    if (!issued || this.#clock.now() >= issued.end) return undefined;
    const { grant, used } = issued;
    issued.used = true;
    return { grant, used };
  }

  clear() {
    this.#issued.clear();
  }
}

/** Access tokens by their text. What is noted of one (`grant`) may be changed by who holds it. */
export class AccessTokens {
  #clock;
  #issued = new Map();

  constructor(clock) {
    this.#clock = clock;
  }

  issue(grant, lifetimeSec, token) {
    this.#issued.set(token, { ...grant, end: this.#clock.now() + lifetimeSec });
    return token;
  }

  /** The grant of a token that still holds, `skewSec` after its end at the latest. */
  find(token, skewSec = 0) {
    const issued = this.#issued.get(token);
    return issued && this.#clock.now() < issued.end + skewSec ? issued : undefined;
  }

  end(matches) {
    for (const [token, grant] of this.#issued) if (matches(grant)) this.#issued.delete(token);
  }

  clear() {
    this.#issued.clear();
  }
}

/** Refresh tokens that work once each: one that comes back after its use ends all that came of the same sign-in. */
export class RefreshFamilies {
  #clock;
  #tokens = new Map();

  constructor(clock) {
    this.#clock = clock;
  }

  /** The first token of a family, valid until `end`. */
  begin(grant, end) {
    return this.#add({ grant, end, alive: true });
  }

  /** The token that takes the place of the last one; the family ends when it did, unless told otherwise. */
  next(family, end = family.end) {
    family.end = end;
    return this.#add(family);
  }

  /** "reused", after which the newest token is dead too; "dead" for one that is unknown or over; else its family. */
  use(token) {
    const entry = this.#tokens.get(token);
    if (!entry) return "dead";
    const { family } = entry;
    if (entry.used) {
      family.alive = false;
      return "reused";
    }
    if (!family.alive || this.#clock.now() >= family.end) return "dead";
    entry.used = true;
    return family;
  }

  end(matches) {
    for (const { family } of this.#tokens.values()) if (matches(family.grant)) family.alive = false;
  }

  clear() {
    this.#tokens.clear();
  }

  #add(family) {
    const token = random(32);
    this.#tokens.set(token, { family, used: false });
    return token;
  }
}

/** A key for ES256, as its server holds it and as it publishes it. */
export function signingKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = random(12);
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES256" } };
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT with ES256 (RFC 7518 3.4). */
export function es256({ kid, privateKey }, claims) {
  const text = `${part({ alg: "ES256", typ: "JWT", kid })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

/** A JWT with HS256 (RFC 7518 3.2). */
export function hs256(secret, claims) {
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

export const isJwt = (text) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);

/** The token of an `Authorization: Bearer` header; the scheme's case matters to some servers. */
export function bearer(header, { exactCase = true } = {}) {
  const found = /^(bearer) +(\S+)$/i.exec(header ?? "");
  return found && (!exactCase || found[1] === "Bearer") ? found[2] : undefined;
}
