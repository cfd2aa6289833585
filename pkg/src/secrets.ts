/**
 * What has no business in a browser, whoever put it there: client secrets and keys of servers. A page cannot keep them.
 * This is a guard against mistakes; who wants to get round it can.
 */
import { AuthError, type AuthErrorPhase } from "./errors.js";

/** The scheme of client secrets, in an `Authorization` header. */
const SECRET_SCHEME = /^secret(\s|$)/i;
/** API keys of DocSpace. */
const SERVER_KEY = /^sk-[\da-f]{64}$/i;
/** In a form, and as the members of a JSON body that bear one. */
const FORM_MEMBER = "client_secret";
const MEMBERS = ["Secret", "clientSecret", FORM_MEMBER];

/** The error that says what to do instead, and not what was found. */
export function secretRefused(phase: AuthErrorPhase = "fetch"): AuthError {
  const reason = "client secrets and server keys stay on servers; sign people in with createAuthClient instead";
  return new AuthError("credential_refused", phase, reason);
}

/** Is it, with or without a scheme before it, one that can be told for sure? */
export function isSecret(value: string): boolean {
  const text = value.trim();
  const last = text.split(/\s+/).pop()!;
  return SECRET_SCHEME.test(text) || SERVER_KEY.test(last) || isKeyFile(text) || isKeyFile(last);
}

/**
 * The access key of a Laserfiche service app (base64 of JSON, with a private `jwk`), or the assertion that is made of it:
 * a JWT whose claims have the `client_secret`.
 */
function isKeyFile(text: string): boolean {
  const [head = "", payload] = text.split(".");
  const found = [text, decoded(payload ?? head)].map(parsed);
  return found.some((it) => ["jwk", FORM_MEMBER].some((member) => Object.hasOwn(it, member)));
}

function decoded(base64: string): string {
  try {
    return atob(base64.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}

/** The members of a JSON object; none of anything else. */
function parsed(text: string): object {
  try {
    return text.trimStart().startsWith("{") ? (JSON.parse(text) as object) : {};
  } catch {
    return {};
  }
}

/**
 * Refuses a request with a secret in a header, or in a body that is a form or the text of one or of JSON. Other bodies
 * (`Blob`, streams) are not looked into.
 */
export function refuseSecrets(request: Request, body: unknown): void {
  if ([...request.headers.values()].some(isSecret) || isTelling(body)) throw secretRefused();
}

function isTelling(body: unknown): boolean {
  if (body instanceof URLSearchParams || body instanceof FormData) return body.has(FORM_MEMBER);
  // What has none of the names is not parsed.
  if (typeof body !== "string" || !MEMBERS.some((name) => body.includes(name))) return false;
  return /(^|&)client_secret=/.test(body) || MEMBERS.some((name) => Object.hasOwn(parsed(body), name));
}
