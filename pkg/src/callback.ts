import type { AuthOptions } from "./types.js";

/** The parameters that make a URL a response; with `RESPONSE_PARAMETERS` in `src/protocol/callback.rs`. */
const MARKS = ["code", "error", "response", "access_token", "id_token"];

/** The page that a URL leads to: without query and fragment. */
export function pageOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** The octets of a JWT's payload; none where the engine's decoder, which wants canonical base64url, takes nothing. */
export function payload(jwt: string): string {
  const [, coded = ""] = /^[^.]*\.([\w-]*)\.[^.]*$/.exec(jwt) ?? [];
  const base64 = coded.replace(/-/g, "+").replace(/_/g, "/");
  try {
    const octets = atob(base64);
    return btoa(octets).startsWith(base64) ? octets : "";
  } catch {
    return "";
  }
}

/** By what a response to a client is known. */
export interface Recipient {
  redirectUris: string[];
  /** With what every `state` of the client begins. */
  tag: string;
  issuer?: string | undefined;
}

/** By what a response to a client with these options is known. */
export const recipient = ({ redirectUri, silentRedirectUri, issuer, metadata }: AuthOptions, tag: string): Recipient => ({
  redirectUris: [redirectUri!, silentRedirectUri ?? redirectUri!],
  tag,
  issuer: issuer ?? metadata?.issuer,
});

/**
 * Does a URL look like a response to the client? The engine decides; this tells, in the same tick and wherever the
 * engine is, whether the URL is ours to clean. (A test holds the two against each other.)
 */
export function isResponse(url: string, { redirectUris, tag, issuer }: Recipient): boolean {
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  if (!redirectUris.some((uri) => pageOf(uri) === pageOf(url))) return false;
  const { search, hash } = new URL(url);
  return [search, hash].some((part) => {
    // It takes one "?" off by itself, and a second one is part of the first name.
    const parameters = new URLSearchParams("?" + part.slice(1));
    // What a signed response says is not verified here, nor parsed: a text in it tells whose it is.
    const signed = parameters.getAll("response").map(payload);
    const ours =
      parameters.getAll("state").some((state) => state.startsWith(tag)) ||
      signed.some((text) => text.includes(`"${tag}`)) ||
      (issuer !== undefined &&
        (parameters.getAll("iss").includes(issuer) || signed.some((text) => text.includes(`"${issuer}"`))));
    return ours && MARKS.some((name) => parameters.has(name));
  });
}
