import { isOwnHeader } from "./headers.js";
import { invalid, isText, isVisible, readMembers, TEXT, type Rule } from "./options.js";
import { admit, bound, ownCredential, send } from "./outgoing.js";
import { isSecret, isServerKey, secretRefused } from "./secrets.js";
import type { Credential } from "./session-types.js";
import { readTargets } from "./target.js";
import type { FetchOptions } from "./types.js";

const SCHEME: Rule = [isText, "is missing"];

/** A header with its value. */
type Header = readonly [name: string, value: string];

/**
 * A `fetch` for a credential which the person typed in: it is kept in this function alone, and sent to `api` only, without
 * cookies, and never redirected. There is no refresh: a 401 is the caller's.
 *
 * @param options `onStepUp` is refused, as there is no other credential to get.
 * @throws {AuthError} `credential_refused` for client secrets and keys of servers, which must not be in a browser;
 * `invalid_configuration`. A call rejects as `AuthClient.fetch` does.
 */
export function createCredentialFetch(credential: Credential, options: FetchOptions): typeof fetch {
  const [name, value] = headerOf(credential);
  const { api, baseUrl } = readMembers<FetchOptions>("options", options, {
    api: [() => true, "is missing"],
    baseUrl: [(it) => URL.canParse(it as string), "is no URL", "optional"],
    onStepUp: [() => false, "is for createAuthClient: there is no other credential to get", "optional"],
  });
  const targets = readTargets(api);
  return async (input, init) => {
    const asked = admit(input, init, targets, baseUrl);
    if (asked.headers.has(name)) throw ownCredential();
    const sent = bound(asked, "omit");
    sent.headers.set(name, value);
    return send(sent);
  };
}

function headerOf(credential: Credential): Header {
  switch (credential?.scheme) {
    case "bearer":
      return bearer(credential);
    case "basic":
      return basic(credential);
    case "apiKey":
      return apiKey(credential);
    default:
      throw invalid("credential.scheme is not bearer, basic or apiKey");
  }
}

/** RFC 6750 2.1. Some servers want the word exactly so. */
function bearer(credential: object): Header {
  const { token } = readMembers<{ scheme: string; token: string }>("credential", credential, { scheme: SCHEME, token: TEXT });
  refuse(token);
  if (!isVisible(token)) throw invalid("credential.token has white space, or what is not ASCII");
  return ["Authorization", `Bearer ${token}`];
}

/** RFC 7617 2 and 2.1: UTF-8, no control characters, no colon in the user name. */
function basic(credential: object): Header {
  const { username, password } = readMembers<{ scheme: string; username: string; password: string }>(
    "credential",
    credential,
    { scheme: SCHEME, username: TEXT, password: TEXT },
  );
  if ([username, password].some(isServerKey)) throw secretRefused("configuration");
  if (username.includes(":")) throw invalid("credential.username has a colon");
  // Half a surrogate pair has no UTF-8.
  if (/[\p{Cc}\p{Cs}]/u.test(username + password)) throw invalid("credential has control characters");
  const octets = new TextEncoder().encode(`${username}:${password}`);
  return ["Authorization", `Basic ${btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""))}`];
}

function apiKey(credential: object): Header {
  const { header, value, prefix } = readMembers<{ scheme: string; header: string; value: string; prefix?: string }>(
    "credential",
    credential,
    {
      scheme: SCHEME,
      header: [isOwnHeader, "is not the name of a header that a page may set"],
      value: TEXT,
      prefix: [(it) => typeof it === "string" && /^[\w!#$%&'*+\-.^`|~]+ ?$/.test(it), "is not a word", "optional"],
    },
  );
  const whole = prefix ? `${prefix.trimEnd()} ${value}` : value;
  refuse(value, whole);
  if (/secret/i.test(header)) throw secretRefused("configuration");
  // A scheme may stand in the value, with one space; nothing that a header could be torn apart with.
  if (!/^[!-~]+( [!-~]+)?$/.test(value)) throw invalid("credential.value has white space, or what is not ASCII");
  return [header, whole];
}

function refuse(...values: string[]): void {
  if (values.some(isSecret)) throw secretRefused("configuration");
}
