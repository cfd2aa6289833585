/** The password grant of Laserfiche API servers (RFC 6749 4.3, which RFC 9700 2.4 forbids): only where nothing else is left. */
import { AuthError, type AuthErrorCode } from "./errors.js";
import { endpoint, PATH, SERVER, tokenPathOf } from "./laserfiche-places.js";
import type { LaserficheServer } from "./laserfiche.js";
import { isText, readMembers, TEXT } from "./options.js";

/** Octets of an answer, and milliseconds for it. */
const LONGEST = 64 * 1024;
const PATIENCE = 10_000;

/** A token that the person's name and password gave, for `createCredentialFetch`. */
export interface PasswordCredential {
  scheme: "bearer";
  token: string;
}

/**
 * Sends a person's name and password to a Laserfiche API server, for a bearer token of 15 minutes. The page, and every
 * script in it, gets to see the password: prefer `laserficheSelfHosted`. Neither is kept; there is no refresh token, and
 * after a 401 the person is asked again. `tokenPath`: below `baseUrl`; default `v1/Repositories/{repositoryId}/Token`.
 *
 * Rejects with `access_denied` for a wrong name or password, `invalid_configuration` for other arguments, and what the
 * server or the network do otherwise.
 */
export async function dangerouslyUsePasswordGrant(
  server: LaserficheServer & { tokenPath?: string },
  person: { username: string; password: string },
): Promise<PasswordCredential> {
  const place = readMembers<typeof server>("server", server, { ...SERVER, tokenPath: PATH });
  const { username, password } = readMembers<typeof person>("person", person, { username: TEXT, password: TEXT });
  const form = new URLSearchParams({ grant_type: "password", username, password });
  const url = endpoint(place, place.tokenPath ?? tokenPathOf("v1", place));
  try {
    const response = await fetch(url, {
      method: "POST",
      body: form,
      headers: { Accept: "application/json" },
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(PATIENCE),
    });
    return read(response.status, await json(response));
  } catch (error) {
    throw error instanceof AuthError ? error : unreachable(error);
  }
}

function unreachable(error: unknown): AuthError {
  if ((error as Error)?.name === "TimeoutError") return failed("timeout", "no answer within 10 s", true);
  if (globalThis.navigator?.onLine === false) return failed("offline", "the browser is offline", true);
  return failed("network", "no connection, a redirect, or an answer whose CORS does not list this origin", true);
}

const failed = (code: AuthErrorCode, reason: string, retryable = false) => new AuthError(code, "token", reason, retryable);

/** The JSON object that an answer is, if it is one; no more is read of it than fits. */
async function json(response: Response): Promise<Record<string, unknown>> {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(response.headers.get("content-type") ?? "")) return {};
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  // Not every browser iterates over a stream.
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    if ((length += part.value.length) > LONGEST) {
      await reader!.cancel();
      throw failed("server_error", "the answer is too large");
    }
    text += decoder.decode(part.value, { stream: true });
  }
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Judges the answer (RFC 6749 5). */
function read(status: number, { access_token: token, token_type: type, error }: Record<string, unknown>): PasswordCredential {
  if (status === 200) {
    if (isText(token) && /^[!-~]+$/.test(token) && isText(type) && /^bearer$/i.test(type)) return { scheme: "bearer", token };
    throw failed("invalid_token_response", "the answer has no bearer token");
  }
  const oauthError = isText(error) && /^[ !#-[\]-~]{1,100}$/.test(error) ? { oauthError: error } : {};
  throw Object.assign(refusal(status, oauthError.oauthError), { status }, oauthError);
}

function refusal(status: number, error?: string): AuthError {
  if (status === 408) return failed("timeout", "the server answered 408", true);
  if (status === 429) return failed("rate_limited", "the server asks to come later", true);
  if (status >= 500) return failed("server_error", "the server failed", true);
  if (error === "invalid_grant" || status === 401 || status === 403) {
    return failed("access_denied", "the server does not accept the name and password");
  }
  if (error) return failed("authorization_failed", "the server refused the token request");
  return failed("invalid_token_response", "an unexpected HTTP status");
}
