// The demo's API accepts only what an access token for it may be (RFC 9068), and says why not (RFC 6750).

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { after, test } from "node:test";

import { notesApi } from "../../www/server/api.mjs";
import { listen } from "../../www/server/http.mjs";

const PAGE = "http://localhost:8080";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });

const issuer = await listen(0);
const api = await listen(0);
after(() => Promise.all([issuer.close(), api.close()]));

issuer.handle((request, response) => {
  const documents = {
    "/.well-known/openid-configuration": { issuer: issuer.origin, jwks_uri: `${issuer.origin}/jwks` },
    "/jwks": { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1" }] },
  };
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(documents[request.url]));
});
api.handle(notesApi({ issuer: issuer.origin, apiUrl: api.origin, pageUrl: PAGE }));

const now = Math.floor(Date.now() / 1000);

/** A token which is right but for what the test changes. */
function token({ header = {}, claims = {}, key = privateKey } = {}) {
  const good = { iss: issuer.origin, aud: api.origin, sub: "alice", exp: now + 60, scope: "openid notes.read" };
  const parts = [{ typ: "at+jwt", alg: "ES256", kid: "k1", ...header }, { ...good, ...claims }];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

function ask(authorization) {
  const headers = { Origin: PAGE, ...(authorization && { Authorization: authorization }) };
  return fetch(`${api.origin}/notes`, { headers });
}

test("a good token is answered, whatever the case of the scheme", async () => {
  for (const scheme of ["Bearer", "bearer"]) {
    const response = await ask(`${scheme} ${token()}`);
    assert.equal(response.status, 200);
    assert.equal((await response.json()).owner, "alice");
  }
});

const [head, body, signature] = token().split(".");
const refused = {
  "of another issuer": token({ claims: { iss: "https://attacker.example" } }),
  "for another audience": token({ claims: { aud: "https://other.example" } }),
  "that has expired": token({ claims: { exp: now - 60 } }),
  "without exp": token({ claims: { exp: undefined } }),
  "signed by a stranger": token({ key: stranger.privateKey }),
  "signed with an unknown key": token({ header: { kid: "k2" } }),
  "that is an ID token": token({ header: { typ: "JWT" } }),
  "with alg none": `${token({ header: { alg: "none" } }).split(".").slice(0, 2).join(".")}.`,
  "with another payload": `${head}.${Buffer.from(JSON.stringify({ sub: "bob" })).toString("base64url")}.${signature}`,
  "with a part too many": `${head}.${body}.${signature}.x`,
  "that is not a JWT": "opaque",
};

for (const [what, value] of Object.entries(refused)) {
  test(`a token ${what} is invalid_token`, async () => {
    const response = await ask(`Bearer ${value}`);
    assert.equal(response.status, 401);
    assert.match(response.headers.get("WWW-Authenticate"), /^Bearer realm="notes", error="invalid_token"/);
  });
}

test("without a token there is a challenge without an error code", async () => {
  for (const authorization of [undefined, "Basic YWxpY2U6d29uZGVybGFuZA=="]) {
    const response = await ask(authorization);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("WWW-Authenticate"), 'Bearer realm="notes"');
  }
});

test("a token without the scope is insufficient_scope, and the answer names the scope", async () => {
  const response = await ask(`Bearer ${token({ claims: { scope: "openid notes.readall" } })}`);
  assert.equal(response.status, 403);
  assert.match(response.headers.get("WWW-Authenticate"), /error="insufficient_scope".*scope="notes.read"/);
});

test("only the page's origin may read the answer, and the challenge with it", async () => {
  const response = await ask();
  assert.equal(response.headers.get("Access-Control-Allow-Origin"), PAGE);
  assert.equal(response.headers.get("Access-Control-Expose-Headers"), "WWW-Authenticate");
  const foreign = await fetch(`${api.origin}/notes`, { headers: { Origin: "https://attacker.example" } });
  assert.equal(foreign.headers.get("Access-Control-Allow-Origin"), null);
});
