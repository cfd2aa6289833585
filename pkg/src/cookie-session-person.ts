/** Who is signed in, from what a server says of it. */
import type { User } from "./types.js";

/** A person with what is known of the session. */
export interface Person {
  /** Null where nothing says which person it is. */
  readonly user: User | null;
  /** Milliseconds since the epoch; `Infinity` where the server does not say. */
  readonly expiresAt: number;
  /** Tells one answer from another. */
  readonly text: string;
}

/** What names a person, the most precise first. */
const SUBJECTS = ["sub", "id", "userId", "user_id", "UserIdentifier", "email", "UserEmail"];

/** Seconds left, which is another number each time. */
const EXPIRES_IN = "bff:session_expires_in";

type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members => typeof value === "object" && value !== null && !Array.isArray(value);

/** The person in a JSON text; null for nobody, and undefined for what is no such text. */
export function readPerson(text: string, now: number): Person | null | undefined {
  let answer: unknown;
  try {
    answer = text.trim() ? JSON.parse(text) : null;
  } catch {
    return undefined;
  }
  const claims = answer === null ? {} : claimsOf(answer);
  if (!claims) return undefined;
  if (isNobody(claims)) return null;
  const { [EXPIRES_IN]: left, ...lasting } = claims;
  const seconds = Number(left ?? Infinity);
  return {
    user: userOf(claims),
    expiresAt: Number.isNaN(seconds) ? Infinity : now + seconds * 1000,
    text: JSON.stringify(lasting),
  };
}

function claimsOf(answer: unknown): Members | undefined {
  if (Array.isArray(answer)) return answer.every(isClaim) ? gathered(answer) : undefined;
  if (!isObject(answer)) return undefined;
  // Shift iQ tells the cookie itself, too. That script must not see; what it was read as is enough.
  const { Authentication: authentication } = answer;
  if (!isObject(authentication) || !Object.hasOwn(authentication, "Cookie")) return answer;
  if (!isObject(authentication.Cookie)) return {};
  const { Deserialized: read } = authentication.Cookie;
  return isObject(read) ? read : {};
}

const isClaim = (it: unknown): it is { type: string; value: unknown } => isObject(it) && typeof it.type === "string";

/** Of a claim that is there several times, all values. */
function gathered(list: { type: string; value: unknown }[]): Members {
  const claims = new Map<string, unknown>();
  for (const { type, value } of list) claims.set(type, claims.has(type) ? [claims.get(type), value].flat() : value);
  return Object.fromEntries(claims);
}

/** Are there no claims, or does one of them say so: that nobody is authenticated, or that the user is none? */
function isNobody(claims: Members): boolean {
  const isNone = (it: string) => Object.hasOwn(claims, it) && claims[it] === null;
  const said = Object.entries(claims).some(([name, value]) => value === false && /^(is_?)?authenticated$/i.test(name));
  return said || !Object.keys(claims).length || (!userOf(claims) && [...SUBJECTS, "user"].some(isNone));
}

function userOf(claims: Members): User | null {
  const name = SUBJECTS.find((it) => Object.hasOwn(claims, it) && /^(string|number)$/.test(typeof claims[it]));
  const sub = name === undefined ? "" : String(claims[name]);
  return sub ? { sub, claims: claims as User["claims"] } : null;
}
