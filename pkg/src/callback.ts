import type { AuthOptions } from "./types.js";

/** The parameters that make a URL a response; with `RESPONSE_PARAMETERS` in `src/protocol/callback.rs`. */
const MARKS = ["code", "error", "response", "access_token", "id_token"];

/** A JWT, its payload in canonical base64url: what the engine's decoder takes, and `atob` throws for none of it. */
const JWT = /^[^.]*\.((?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?)\.[^.]*$/;

/** The octets of a JWT's payload. */
export const payload = (jwt: string) => atob((JWT.exec(jwt)?.[1] ?? "").replace(/-/g, "+").replace(/_/g, "/"));

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
  const here = new URL(url);
  const places = redirectUris.map((uri) => new URL(uri));
  if (!places.some(({ origin, pathname }) => here.origin === origin && here.pathname === pathname)) return false;
  return [here.search, here.hash].some((part) => {
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
