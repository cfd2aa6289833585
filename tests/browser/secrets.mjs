// The secrets of a test, as its servers saw them, and where else they turned up.

/** Shorter ones would be found by chance. */
const SHORTEST = 16;

/** What people's accounts hold, beside their names for signing in. */
const CLAIMS = ["alice@example.com", "Alice Liddell", "bob@example.com", "Bob Harrow"];

/** Of a request to the authorization server, in its query or form. */
const SENT = {
  code: "code",
  code_verifier: "verifier",
  refresh_token: "token",
  token: "token",
  id_token_hint: "token",
  state: "state",
  nonce: "nonce",
};

/** Of an authorization response, in its query or fragment; `response` is that of JARM. */
const RETURNED = { code: "code", response: "code", state: "state" };

/** Of a token response. */
const ISSUED = ["access_token", "id_token", "refresh_token", "refreshToken"];

/** A sign-in in progress: its record has to hold them, for the way back. */
const PENDING = ["verifier", "state", "nonce"];
const PENDING_RECORD = /^(sessionStorage:|cookie:__Host-)wardkey[:-]1[:-]|^port:adopt$/;

/** An app that asked for it (`storage`) has its tokens there. */
const KEPT = ["token", "claim", "nonce"];
const KEPT_RECORD = /^(sessionStorage|localStorage):wardkey:session:1:/;

/** What the person's own events are for. A claim of the ID token is its nonce, too, which is used up by then. */
const PERSONAL = { channels: ["event:signedIn", "event:stateChanged"], kinds: ["claim", "nonce"] };

/**
 * @param {import("../../www/server/http.mjs").Exchange[]} exchanges
 * @returns {Map<string, string>} Each secret with its kind.
 */
export function secretsOf(exchanges) {
  const secrets = new Map(CLAIMS.map((claim) => [claim, "claim"]));
  const keep = (value, kind) => {
    if (typeof value !== "string" || value.length < SHORTEST) return;
    secrets.set(value, kind);
    // Of a JWT each part tells: the claims are readable, the signature is what makes it one.
    const [, payload, signature] = value.split(".");
    if (signature) for (const part of [payload, signature]) secrets.set(part, kind);
  };
  const keepAll = (text, kinds) => {
    for (const [name, value] of new URLSearchParams(text)) if (Object.hasOwn(kinds, name)) keep(value, kinds[name]);
  };
  for (const { server, path, sent, location, body, headers } of exchanges) {
    keep(headers?.dpop, "proof");
    if (server !== "as") continue;
    for (const text of [path.split("?")[1], sent]) keepAll(text, SENT);
    for (const text of (location ?? "").split(/[?#]/).slice(1)) keepAll(text, RETURNED);
    for (const name of ISSUED) keep(member(body, name), "token");
  }
  return secrets;
}

function member(body, name) {
  try {
    return JSON.parse(body)?.[name];
  } catch {
    return undefined;
  }
}

/**
 * Where secrets are that should not be there, without telling them.
 * @param {{ channel: string, text: string }[]} records
 * @param {Map<string, string>} known The secrets, each with its kind.
 */
export function leaks(records, known) {
  const secrets = [...known];
  const isStoring = records.some(({ channel, text }) => channel === "storage option" && text.includes("Storage"));
  const found = records.flatMap(({ channel, text }) => {
    const forms = [text, decoded(text), unpacked(text)];
    return secrets
      .filter(([secret, kind]) => forms.some((form) => form.includes(secret)) && !isAtHome(channel, kind, isStoring))
      .map(([, kind]) => `${kind} in ${channel}`);
  });
  return [...new Set(found)].sort();
}

/**
 * From a popup or frame to the window that waits for the response, and from a page to its worker: where the verifier is,
 * without which the code is of no use.
 */
const RELAYED = ["code", "state"];

/**
 * What a worker answers a page, and tells it: requests to leave with, the token that the app asks for, and what is the
 * person's own. The URL of a sign-out has the ID token as its hint.
 */
const ANSWERED = {
  "answer:begin": ["state", "nonce"],
  "answer:beginFrame": ["state", "nonce"],
  "answer:beginPopup": ["state", "nonce"],
  "answer:prepare": ["state", "nonce"],
  "answer:getToken": ["token"],
  "answer:dpopProof": ["proof"],
  "answer:signOut": ["token", "state", ...PERSONAL.kinds],
  "answer:fetch": ["claim"],
  "answer:userInfo": PERSONAL.kinds,
  "answer:handleCallback": PERSONAL.kinds,
  "answer:popup": PERSONAL.kinds,
  "answer:frame": PERSONAL.kinds,
  "answer:hello": PERSONAL.kinds,
  "told:signedIn": PERSONAL.kinds,
  "told:stateChanged": PERSONAL.kinds,
  "told:keep": PENDING,
};

function isAtHome(channel, kind, isStoring) {
  if (Object.hasOwn(ANSWERED, channel)) return ANSWERED[channel].includes(kind);
  // For the token that the app has and names.
  if (channel === "port:dpopProof") return kind === "token";
  if (channel === "relay" || channel === "port") return RELAYED.includes(kind);
  if (PERSONAL.kinds.includes(kind) && PERSONAL.channels.includes(channel)) return true;
  if (isStoring && KEPT.includes(kind) && KEPT_RECORD.test(channel)) return true;
  return PENDING.includes(kind) && PENDING_RECORD.test(channel);
}

/** All that may be base64 or base64url in it, read. */
export function unpacked(text) {
  return (text.match(/[\w+/-]{24,}/g) ?? []).map((part) => Buffer.from(part, "base64").toString("latin1")).join("\n");
}

/** Percent-encoding undone, where it is one. */
function decoded(text) {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      return escaped;
    }
  });
}
