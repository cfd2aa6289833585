// The API of a DocSpace portal, and the five ways of being let in: session cookie, OAuth token, API key, Basic, and the
// session's token in a header.

import { randomBytes } from "node:crypto";

import { isJwt, random } from "./oauth.mjs";
import { cors, matchesOrigin } from "./stand-in.mjs";

const COOKIE = "asc_auth_key";
const SESSION_SEC = 86_400;
/** The API forgives a clock that goes wrong. */
const SKEW_SEC = 120;
/** What the second factor is, here. */
export const SECOND_FACTOR = "123456";

/** The sessions of a portal. The cookie's value is the "personal access token", too. */
export class Sessions {
  #clock;
  #people;
  #sessions = new Map();

  constructor(clock, people) {
    this.#clock = clock;
    this.#people = people;
  }

  begin(user) {
    const token = random(60);
    this.#sessions.set(token, { user, end: this.#clock.now() + SESSION_SEC });
    return token;
  }

  find(token) {
    const session = this.#sessions.get(token);
    return session && this.#clock.now() < session.end ? session : undefined;
  }

  ofCookie(call) {
    return this.find(call.cookie(COOKIE));
  }

  /** `Secure` where there is https, which loopback is not. */
  setCookie(call, token) {
    call.setCookie(COOKIE, token, ["Path=/", "HttpOnly", "SameSite=Strict"]);
  }

  endCookie(call) {
    this.#sessions.delete(call.cookie(COOKIE));
    call.dropCookie(COOKIE);
  }

  knows(user, password) {
    return Object.hasOwn(this.#people, user ?? "") && this.#people[user] === password;
  }

  clear() {
    this.#sessions.clear();
  }
}

/** First match wins: requests, and the scopes of which any one will do. */
const SCOPES = [
  ["GET", /^files\/rooms/, ["rooms:read", "rooms:write"]],
  ["POST PUT DELETE", /^files\/rooms/, ["rooms:write"]],
  ["GET", /^files/, ["files:read", "files:write"]],
  ["POST PUT DELETE", /^files/, ["files:write"]],
  ["GET", /^people\/@self/, ["accounts.self:read", "accounts.self:write"]],
  ["POST PUT DELETE", /^people\/@self/, ["accounts.self:write"]],
  ["GET", /^people/, ["accounts:read", "accounts:write"]],
  ["POST PUT DELETE", /^people/, ["accounts:write"]],
  ["GET", /^group/, ["accounts:read"]],
  ["POST PUT DELETE", /^group/, ["accounts:write"]],
];

/** May an OAuth token with these scopes do this? `path` comes after `/api/2.0/`. */
function allows(scopes, method, path) {
  if (method === "GET" && path === "keys/@self") return true;
  const [, , accepted] =
    SCOPES.find(([methods, pattern]) => methods.split(" ").includes(method) && pattern.test(path)) ?? [];
  return accepted?.some((scope) => scopes.includes(scope)) ?? false;
}

const envelope = (response, statusCode = 200) => ({ response, count: 1, links: [], status: 0, statusCode });

/**
 * The routes of the portal's API.
 * @param {object} portal
 * @param {Sessions} portal.sessions
 * @param {import("./oauth.mjs").AccessTokens} portal.access
 * @param {{ clientId: string, allowedOrigins: string[] }[]} portal.clients
 * @param {object} portal.flags
 * @returns {import("./stand-in.mjs").Route[]}
 */
export function portalApi({ sessions, access, clients, flags, clock }) {
  const keys = new Set();
  const api = { sessions, access, flags, keys };
  const open = cors(() => "*", { maxAge: 3600 });
  // The preflight has no token, and passes; the answer to the request itself is for the app's own origins only.
  const perApp = cors((origin, call) => {
    const grant = access.find(oauthToken(call), SKEW_SEC);
    if (!grant) return "*";
    const { allowedOrigins } = clients.find(({ clientId }) => clientId === grant.clientId);
    return allowedOrigins.some((allowed) => matchesOrigin(origin, allowed)) && origin;
  });
  return [
    ["POST", /^\/api\/2\.0\/authentication\/logout$/, (call) => logOut(sessions, call), open],
    ["POST", /^\/api\/2\.0\/authentication(?:\/(\d+))?$/, (call, [, code]) => logIn(api, clock, call, code), open],
    ["GET POST PUT DELETE", /^\/api\/2\.0\/(.+)$/, (call, [, path]) => answer(api, call, path), perApp],
  ];
}

const oauthToken = (call) => /^Bearer (\S+)$/.exec(call.header("authorization") ?? "")?.[1];

async function logIn({ sessions, flags }, clock, call, code) {
  const { userName, password } = await call.object();
  if (!userName || !password) return sendError(call, 400, "The user name and the password are required.");
  if (!sessions.knows(userName, password)) return sendError(call, 401, "The login or password is not correct.");
  if (code === undefined && flags.tfa)
    return call.json(200, envelope({ tfa: true, confirmUrl: "/confirm.aspx?type=TfaAuth" }));
  if (code === undefined && flags.sms) return call.json(200, envelope({ sms: true, phoneNoise: "+*****11" }));
  if ((flags.tfa || flags.sms) && code !== SECOND_FACTOR) return sendError(call, 403, "The code is not correct.");
  const token = sessions.begin(userName);
  sessions.setCookie(call, token);
  const expires = new Date((clock.now() + SESSION_SEC) * 1000).toISOString();
  call.json(201, { count: 1, response: { token, expires }, status: 0, statusCode: 201 });
}

function logOut(sessions, call) {
  sessions.endCookie(call);
  call.json(200, envelope(null));
}

async function answer(api, call, path) {
  if (api.flags.throttle > 0) {
    api.flags.throttle -= 1;
    return call.empty(429, { "X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1" });
  }
  const person = admit(api, call);
  if (!person) return call.empty(401);
  if (person.scopes && !allows(person.scopes, call.method, path)) return sendError(call, 403, "Access denied");
  if (path === "keys" && call.method === "POST") return createKey(api, call);
  const content = CONTENT[path]?.(person.user);
  if (call.method !== "GET") return call.json(200, envelope({ done: true }));
  if (content === undefined) return sendError(call, 404, "The required resource was not found");
  call.json(200, envelope(content));
}

/** Whom the call's credentials stand for, with the scopes that an OAuth token has. */
function admit({ sessions, access, keys }, call) {
  const header = call.header("authorization");
  if (header?.startsWith("Basic ")) return admitBasic(sessions, call, header.slice(6));
  const token = oauthToken(call);
  if (token && isJwt(token)) return access.find(token, SKEW_SEC);
  if (token?.startsWith("sk-")) return keys.has(token) ? { user: "alice" } : undefined;
  // The cookie comes first; a header may have the session's token with a scheme or without.
  const session = call.cookie(COOKIE) === undefined ? sessions.find(token ?? header) : sessions.ofCookie(call);
  if (!session && call.cookie(COOKIE) !== undefined) sessions.endCookie(call);
  return session;
}

function admitBasic(sessions, call, text) {
  call.response.setHeader("WWW-Authenticate", "Basic");
  const [user, ...rest] = Buffer.from(text, "base64").toString("utf8").split(":");
  return sessions.knows(user, rest.join(":")) ? { user } : undefined;
}

async function createKey({ keys }, call) {
  const { name, permissions = [], expiresInDays = 30 } = await call.object();
  const isValid = typeof name === "string" && name.length <= 30 && expiresInDays >= 1 && expiresInDays <= 365;
  if (!isValid) return sendError(call, 400, "The name or the lifetime is not valid.");
  const key = `sk-${randomBytes(32).toString("hex")}`;
  keys.add(key);
  call.json(200, envelope({ id: 1, name, key, keyPostfix: key.slice(-4), permissions }));
}

function sendError(call, statusCode, message) {
  call.json(statusCode, { error: { message }, status: 1, statusCode });
}

const CONTENT = {
  "people/@self": (user) => ({ id: "1", userName: user, displayName: "Alice Liddell", email: "alice@example.com" }),
  people: () => [{ id: "1", displayName: "Alice Liddell" }],
  group: () => [{ id: "1", name: "Readers" }],
  "files/@my": () => ({ files: [{ id: 1, title: "Minutes.docx" }], folders: [] }),
  "files/rooms": () => ({ folders: [{ id: 2, title: "Tea party" }] }),
  settings: () => ({ culture: "en-GB" }),
  "keys/@self": () => ({ permissions: [] }),
};
