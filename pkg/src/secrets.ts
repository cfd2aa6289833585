/**
 * What has no business in a browser, whoever put it there: client secrets and keys of servers. A page cannot keep them.
 * This is a guard against mistakes; who wants to get round it can.
 */
import { AuthError, type AuthErrorPhase } from "./errors.js";
import { isText } from "./options.js";

/** The scheme of client secrets, in an `Authorization` header. */
const SECRET_SCHEME = /^secret(\s|$)/i;
/** API keys of DocSpace, with or without a scheme before them. */
const SERVER_KEY = /^(\S+\s+)?sk-[\da-f]{64}$/i;
/** In a form, and as the members of a JSON body that bear one. */
const FORM_MEMBER = "client_secret";
const MEMBERS = ["Secret", "clientSecret", FORM_MEMBER];
const FORM = /^application\/x-www-form-urlencoded\b/i;
const JSON_TEXT = /^application\/([^;]+\+)?json\b/i;
/** Octets of a body that is looked into; no form with a secret is as large. */
const MAX_BODY = 64 * 1024;

/** The error that says what to do instead, and not what was found. */
export function secretRefused(phase: AuthErrorPhase = "fetch"): AuthError {
  const reason = "client secrets and server keys stay on servers; sign people in with createAuthClient instead";
  return new AuthError("credential_refused", phase, reason);
}

/** Is it a credential that is none of a person's: a client secret by its scheme, or a key of a server? */
export const isSecret = (value: string): boolean => SECRET_SCHEME.test(value.trim()) || isServerKey(value);

/** Is it, with or without a scheme before it, a key that can be told for sure? */
export function isServerKey(value: string): boolean {
  const text = value.trim();
  return SERVER_KEY.test(text) || isKeyFile(text) || isKeyFile(text.split(/\s+/).pop()!);
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
function parsed(text: string): Record<string, unknown> {
  try {
    return text.trimStart().startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * Refuses a request with a secret in a header, or in a body that is a form or the text of one or of JSON. Other bodies
 * (`Blob`, streams) are not looked into.
 */
export function refuseSecrets({ headers }: Request, body: unknown): void {
  if (hasSecret(headers) || isTelling(body, headers, MEMBERS)) throw secretRefused();
}

/**
 * As `refuseSecrets`, for what goes out with a token: of a body, only a `client_secret`, as an app's own data may well have
 * a `Secret`. It is the request that tells: what can be read once only, is left to be sent.
 */
export async function refuseClientSecret(request: Request, isReplayable: boolean): Promise<void> {
  const { headers } = request;
  if (hasSecret(headers)) throw secretRefused();
  const type = typeOf(headers);
  if (!isReplayable || !(FORM.test(type) || JSON_TEXT.test(type))) return;
  // What cannot be read cannot be sent either, which is said then.
  const body = await request.clone().blob().catch(() => undefined);
  if (!body || body.size > MAX_BODY) return;
  if (isTelling(await body.text(), headers, [FORM_MEMBER])) throw secretRefused();
}

const typeOf = (headers: Headers) => headers.get("content-type") ?? "";

/** What is a scheme in `Authorization` is a word of the app's in any other header. */
const hasSecret = (headers: Headers) =>
  [...headers].some(([name, value]) => (name === "authorization" ? isSecret : isServerKey)(value));

function isTelling(body: unknown, headers: Headers, members: readonly string[]): boolean {
  if (body instanceof URLSearchParams || body instanceof FormData) return body.getAll(FORM_MEMBER).some(isText);
  // What has none of the names is not parsed.
  if (typeof body !== "string" || !members.some((name) => body.includes(name))) return false;
  if (FORM.test(typeOf(headers))) return isTelling(new URLSearchParams(body), headers, members);
  const found = parsed(body);
  return members.some((name) => Object.hasOwn(found, name) && isText(found[name]));
}
