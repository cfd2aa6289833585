// The hostile server over HTTP: what scenarios.json says, at `/{scenario}/…`. The honest behaviour is its own, the
// changes are those of mutation.mjs and keys.mjs. What a client does wrong is told in `complaints`.

import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";

import { isGenuine, makeKeys } from "./keys.mjs";
import { changeAnswer, changeUrl } from "./mutation.mjs";

export const CLIENT_ID = "spa";
const SUBJECT = "248289761001";

/** The scenarios that are for a browser, each with what `messages` says of its kind of message. */
export async function browserScenarios() {
  const { scenarios, messages, options } = JSON.parse(await readFile(new URL("scenarios.json", import.meta.url), "utf8"));
  return Object.entries(scenarios).flatMap(([group, list]) =>
    list.filter(({ browser }) => browser).map((given) => complete(given, group, messages, options)),
  );
}

function complete(given, group, messages, options) {
  const { code = "ok", and = [] } = given;
  const changes = [given, ...and].map(({ at, do: operation, from = 1, times = Infinity }) => {
    const [message, part = "body"] = at.split("/");
    return { message, part, operation, from, times, met: 0 };
  });
  const failed = code !== "ok";
  const { step, requests, session = false } = messages[changes[0].message];
  return {
    ...given,
    group,
    code,
    changes,
    step: given.step ?? step,
    requests: given.requests ?? (failed ? requests : undefined),
    session: given.session ?? (failed && session),
    options: (typeof given.options === "string" ? options[given.options] : given.options) ?? {},
  };
}

const b64 = (value) => Buffer.from(value).toString("base64url");
const sha256 = (value) => createHash("sha256").update(value).digest("base64url");
const random = () => b64(randomBytes(24));
const seconds = () => Math.floor(Date.now() / 1000);
const json = (value, status = 200, headers = {}) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(value),
});
const page = (status, headers = {}) => ({ status, headers: { "content-type": "text/html", ...headers }, body: "" });

/** One issuer: an honest server, and the changes of its scenario. */
export class Issuer {
  /** Names of the requests since the test last looked; navigations are not among them. */
  requests = [];
  complaints = [];
  /** Every code and token. */
  issued = [];
  verifiers = [];
  #grants = new Map();
  #pushed = new Map();
  #live = new Map();
  #claims;
  #proofs = new Set();
  #nonce;
  #keys;

  constructor(scenario, issuer, others) {
    this.scenario = scenario;
    this.issuer = issuer;
    this.#keys = makeKeys(scenario.key ?? "ES256");
    this.names = {
      texts: { $issuer: issuer, $honest: others.honest, $attacker: others.attacker, $client: CLIENT_ID },
      keys: { $key: this.#keys.own.jwk, $other: this.#keys.other.jwk },
    };
  }

  #due(message) {
    let due;
    for (const change of this.scenario.changes) {
      if (change.message !== message) continue;
      change.met += 1;
      if (change.met >= change.from && change.met < change.from + change.times) due = change;
    }
    return due;
  }

  #complain(what) {
    this.complaints.push(what);
    return json({ error: "invalid_request" }, 400);
  }

  /** @param {{ method: string, path: string, headers: object, body: string }} request Its path is below the issuer's. */
  answer(request) {
    const { pathname, searchParams } = new URL(request.path, this.issuer);
    const fields = new URLSearchParams(request.body);
    if (pathname === "/authorize") return this.#authorize(searchParams);
    if (pathname === "/logout") return this.#logout(searchParams);
    const endpoint = pathname === "/.well-known/openid-configuration" ? "discovery" : pathname.slice(1);
    const name = endpoint === "token" && fields.get("grant_type") === "refresh_token" ? "refresh" : endpoint;
    this.requests.push(name);
    const change = this.#due(name);
    // What is refused has no effect at the server.
    const refused = (change?.operation.reply?.status ?? 200) >= 400;
    if (request.headers.dpop && !this.#isProof(request, endpoint)) return json({ error: "invalid_dpop_proof" }, 400);
    const honest = refused ? json({}) : this.#honest(endpoint, request, fields);
    const answer = change ? changeAnswer(honest, change.operation, this.names) : honest;
    const nonce = answer.headers["dpop-nonce"];
    if (nonce && /^[!#-[\]-~]+$/.test(nonce)) this.#nonce = nonce;
    return answer;
  }

  #honest(endpoint, request, fields) {
    switch (endpoint) {
      case "discovery":
        return json(this.#metadata());
      case "jwks":
        return json({ keys: [this.#keys.own, ...this.#keys.more].map(({ jwk }) => jwk) });
      case "par":
        return this.#push(fields);
      case "token":
        return this.#token(fields, request);
      case "api":
        return this.#protect(request, () => json({ ok: true }));
      case "userinfo":
        return this.#protect(request, () => this.#userInfo());
      case "revoke":
        this.#live.delete(fields.get("token"));
        return page(200);
      default:
        return page(404);
    }
  }

  #metadata() {
    const at = (path) => `${this.issuer}/${path}`;
    const { alg } = this.#keys.own;
    return {
      issuer: this.issuer,
      authorization_endpoint: at("authorize"),
      token_endpoint: at("token"),
      jwks_uri: at("jwks"),
      userinfo_endpoint: at("userinfo"),
      end_session_endpoint: at("logout"),
      revocation_endpoint: at("revoke"),
      pushed_authorization_request_endpoint: at("par"),
      dpop_signing_alg_values_supported: ["ES256", "EdDSA"],
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
      id_token_signing_alg_values_supported: [alg, "ES384"],
      userinfo_signing_alg_values_supported: [alg],
      authorization_signing_alg_values_supported: [alg],
      authorization_response_iss_parameter_supported: true,
    };
  }

  #push(fields) {
    const uri = `urn:ietf:params:oauth:request_uri:${random()}`;
    this.#pushed.set(uri, fields);
    return json({ request_uri: uri, expires_in: 60 }, 201);
  }

  /** Nobody is asked: the browser is sent back at once, with the response of the scenario. */
  #authorize(query) {
    const asked = this.#pushed.get(query.get("request_uri")) ?? query;
    if (asked !== query && query.has("state")) this.#complain("what was pushed stands in the URL");
    for (const [name, value] of [["response_type", "code"], ["client_id", CLIENT_ID], ["code_challenge_method", "S256"]]) {
      if (asked.get(name) !== value) this.#complain(name);
    }
    const code = random();
    this.#grants.set(code, { asked, key: asked.get("dpop_jkt") });
    this.issued.push(code);
    const mode = asked.get("response_mode");
    let parameters = { code, state: asked.get("state"), iss: this.issuer };
    if (mode === "jwt") {
      const claims = { ...parameters, aud: CLIENT_ID, exp: seconds() + 600 };
      parameters = { response: this.#jwt("response", claims) };
    }
    const base = asked.get("redirect_uri");
    const separator = mode === "fragment" ? "#" : "?";
    return page(302, { location: this.#url("authorization", { base, separator, parameters }) });
  }

  #url(message, url) {
    return changeUrl(url, this.#due(message)?.operation ?? {}, this.names);
  }

  #jwt(message, claims) {
    const token = this.#keys.token(claims, this.#due(message), this.names);
    this.issued.push(token);
    return token;
  }

  #token(fields, { headers }) {
    const grantType = fields.get("grant_type");
    const handle = fields.get(grantType === "refresh_token" ? "refresh_token" : "code");
    const grant = this.#grants.get(handle);
    this.#grants.delete(handle);
    if (!grant) return this.#complain("an unknown code or refresh token");
    if (fields.get("client_id") !== CLIENT_ID) return this.#complain("client_id");
    if (fields.has("code_verifier")) this.verifiers.push(fields.get("code_verifier"));
    const key = headers.dpop ? thumbprint(headers.dpop) : null;
    if (grantType === "authorization_code") {
      if (sha256(fields.get("code_verifier") ?? "") !== grant.asked.get("code_challenge")) return this.#complain("PKCE");
      if (fields.get("redirect_uri") !== grant.asked.get("redirect_uri")) return this.#complain("redirect_uri");
    }
    if (grant.key && grant.key !== key) return this.#complain("another key");
    return this.#tokens({ ...grant, key }, grantType === "refresh_token");
  }

  #tokens(grant, refreshed) {
    const [accessToken, refreshToken] = [random(), random()];
    this.#live.set(accessToken, grant.key);
    this.#grants.set(refreshToken, grant);
    this.issued.push(accessToken, refreshToken);
    const now = seconds();
    const times = { iat: now, exp: now + 600 };
    const who = { iss: this.issuer, sub: SUBJECT, aud: CLIENT_ID, sid: "session-1" };
    if (!refreshed) this.#claims = { ...who, auth_time: now };
    const claims = { ...this.#claims, ...times, ...(!refreshed && { nonce: grant.asked.get("nonce") }) };
    return json({
      access_token: accessToken,
      token_type: grant.key ? "DPoP" : "Bearer",
      expires_in: 3600,
      scope: grant.asked.get("scope"),
      refresh_token: refreshToken,
      id_token: this.#jwt(refreshed ? "refreshed_id_token" : "id_token", claims),
    });
  }

  #protect({ headers }, body) {
    const [scheme, token] = (headers.authorization ?? "").split(" ");
    const key = this.#live.get(token);
    const expected = key ? "DPoP" : "Bearer";
    const fits = key !== undefined && scheme === expected && (!key || (headers.dpop && thumbprint(headers.dpop) === key));
    return fits ? body() : page(401, { "www-authenticate": `${expected} error="invalid_token"` });
  }

  #userInfo() {
    const claims = { sub: SUBJECT, name: "Ann" };
    if (this.scenario.changes[0]?.message !== "userinfo_token") return json(claims);
    const body = this.#jwt("userinfo_token", { ...claims, iss: this.issuer, aud: CLIENT_ID });
    return { status: 200, headers: { "content-type": "application/jwt" }, body };
  }

  /** RFC 9449 4.3, and the newest nonce of this server or none. */
  #isProof({ method, path, headers }, endpoint) {
    const [header, claims] = headers.dpop.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
    const [input, signature] = [headers.dpop.slice(0, headers.dpop.lastIndexOf(".")), headers.dpop.split(".")[2]];
    const token = headers.authorization?.split(" ")[1];
    const wrong = Object.entries({
      typ: header.typ === "dpop+jwt",
      jwk: header.jwk && !("d" in header.jwk),
      htm: claims.htm === method,
      htu: claims.htu === this.issuer + path.split("?")[0],
      iat: Math.abs(claims.iat - seconds()) <= 300,
      ath: claims.ath === (token && ["api", "userinfo"].includes(endpoint) ? sha256(token) : undefined),
      nonce: claims.nonce === this.#nonce,
      jti: claims.jti?.length >= 16 && !this.#proofs.has(claims.jti),
      signature: isGenuine(header.alg, header.jwk, input, Buffer.from(signature, "base64url")),
    }).filter(([, held]) => !held);
    this.#proofs.add(claims.jti);
    for (const [what] of wrong) this.#complain(`${what} of the proof at ${endpoint}`);
    return wrong.length === 0;
  }

  /** A page that is loaded knows no nonce yet. */
  forgetNonce() {
    this.#nonce = undefined;
  }

  #logout(query) {
    if (!query.get("id_token_hint")) this.#complain("no id_token_hint");
    const parameters = { state: query.get("state") };
    const base = query.get("post_logout_redirect_uri");
    return page(302, { location: this.#url("return", { base, separator: "?", parameters }) });
  }

  /** The URL at which this server has the app end its session. */
  frontChannel(base) {
    const parameters = { iss: this.issuer, sid: "session-1" };
    return this.#url("front_channel", { base, separator: "?", parameters });
  }
}

function thumbprint(proof) {
  const { jwk } = JSON.parse(Buffer.from(proof.split(".")[0], "base64url"));
  const { crv, kty, x, y } = jwk;
  return sha256(JSON.stringify({ crv, kty, x, y }));
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, content-type, dpop",
  "access-control-expose-headers": "dpop-nonce, www-authenticate",
};

/** @returns {import("node:http").RequestListener} Issuers by the first segment of the path. */
export function hostileServer(issuers) {
  return async (request, response) => {
    if (request.method === "OPTIONS") return response.writeHead(204, CORS).end();
    const [, name] = request.url.split("/");
    const issuer = issuers.get(name);
    if (!issuer) return response.writeHead(404, CORS).end();
    let body = "";
    for await (const chunk of request) body += chunk;
    const path = request.url.slice(name.length + 1);
    const answer = issuer.answer({ method: request.method, path, headers: request.headers, body });
    response.writeHead(answer.status, { ...CORS, ...answer.headers });
    if (!answer.drop) return response.end(answer.body);
    // Some of it has arrived, so that the browser itself does not ask again.
    response.write(answer.body.slice(0, 1), () => response.destroy());
  };
}
