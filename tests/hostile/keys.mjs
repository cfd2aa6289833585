// The keys of the hostile server, and its JWTs; the operations are those of keys.rs.

import { createHmac, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";

import { changeDocument } from "./mutation.mjs";

const KINDS = {
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
};
const HASHES = { ES256: "sha256", ES384: "sha384", RS256: "sha256", EdDSA: null };

function makeKey(alg, kid) {
  const { publicKey, privateKey } = KINDS[alg]();
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" };
  const seal = (input) => sign(HASHES[alg], Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return { alg, jwk, seal };
}

const encode = (value) => Buffer.from(value).toString("base64url");

/** Are the octets the signature of this ES256 or EdDSA key? */
export function isGenuine(alg, jwk, input, signature) {
  const key = createPublicKey({ key: jwk, format: "jwk" });
  return verify(HASHES[alg], Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }, signature);
}

export function makeKeys(algorithm) {
  const own = makeKey(algorithm, "key-1");
  const other = makeKey(algorithm, "key-1");
  const more = ["ES384", "EdDSA"].map((alg) => makeKey(alg, alg));

  function signer(name) {
    if (name === "other" || name === "embedded") return other;
    return more.find(({ alg }) => alg === name) ?? own;
  }

  /** A JWT over these claims, changed in one part if there is a change. */
  function token(claims, { part, operation = {} } = {}, names) {
    const kind = part === "token" ? operation.sign : undefined;
    const { jwk, seal } = signer(kind);
    const header = { alg: jwk.alg, kid: jwk.kid };
    if (kind === "none") header.alg = "none";
    if (kind === "hmac") header.alg = "HS256";
    if (kind === "embedded") header.jwk = jwk;
    const change = (name, known) => (part === name ? changeDocument(known, operation, names) : known);
    const parts = [change("header", JSON.stringify(header)), change("claims", JSON.stringify(claims))];
    const input = parts.map(encode).join(".");
    const signature = kind === "none" ? Buffer.alloc(0) : kind === "hmac" ? hmac(input, operation.secret) : seal(input);
    if (part !== "token" || kind) return `${input}.${encode(signature)}`;
    return changedToken(input, signature, operation, names);
  }

  const hmac = (input, secret) =>
    createHmac("sha256", secret === "$key" ? JSON.stringify(own.jwk) : secret).update(input).digest();

  return { own, other, more, token };
}

const SIGNATURES = {
  flip: (octets) => Buffer.concat([Buffer.from([octets[0] ^ 1]), octets.subarray(1)]),
  zero: (octets) => Buffer.alloc(octets.length),
  empty: () => Buffer.alloc(0),
  short: (octets) => octets.subarray(0, -1),
  long: (octets) => Buffer.concat([octets, Buffer.alloc(1)]),
};

function changedToken(input, octets, operation, names) {
  if ("signature" in operation) return `${input}.${encode(SIGNATURES[operation.signature](octets))}`;
  if ("parts" in operation) return { 2: input, 4: `${input}.x.y`, 5: `${input}.x.y.z` }[operation.parts];
  return changeDocument(`${input}.${encode(octets)}`, operation, names);
}
