// What the tests of the stand-ins share: an app that asks for a code by hand, and rows that say what an answer must be.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";

export const APP = "http://localhost:5173";
export const CALLBACK = `${APP}/callback`;
export const STATE = "st_ate-1";

/** The pair of RFC 7636, appendix B. */
export const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
export const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");

/** A query with these parameters; those that are undefined are left out. */
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return new URLSearchParams(Object.fromEntries(given));
}

/** A request whose redirect is not followed, with its body read. */
export async function ask(url, { form, json, headers = {}, ...init } = {}) {
  const body = form ? query(form) : json && JSON.stringify(json);
  const type = json ? { "Content-Type": "application/json" } : {};
  const method = body ? "POST" : "GET";
  const response = await fetch(url, { method, body, redirect: "manual", ...init, headers: { ...type, ...headers } });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const body_ = isJson && text ? JSON.parse(text) : text;
  return {
    status: response.status,
    headers: response.headers,
    body: body_,
    location: response.headers.get("location"),
  };
}

/** The parameters that a redirect to the app has. */
export function returned({ status, location }) {
  assert.equal(status, 302);
  assert.ok(location.startsWith(CALLBACK), location);
  return Object.fromEntries(new URL(location).searchParams);
}

/**
 * An app at a server, which does each step of a sign-in by hand.
 * @param {{ authorizeUrl: string, tokenUrl: string, clientId?: string, request?: object }} app `request`: what it asks for.
 */
export function appAt({ authorizeUrl, tokenUrl, clientId, request }) {
  const pkce = { code_challenge: CHALLENGE, code_challenge_method: "S256" };
  const usual = {
    client_id: clientId,
    response_type: "code",
    redirect_uri: CALLBACK,
    state: STATE,
    ...pkce,
    ...request,
  };
  const own = (client) => ({ client_id: client ?? clientId });
  const app = {
    authorize: (more = {}, init) => ask(`${authorizeUrl}?${query({ ...usual, ...more })}`, init),
    token: (form) => ask(tokenUrl, { form }),
    withCode: (code, more = {}) => {
      const grant = { grant_type: "authorization_code", code, redirect_uri: CALLBACK, code_verifier: VERIFIER };
      return { ...grant, ...own(more.client_id), ...more };
    },
    refresh: (token) => app.token({ grant_type: "refresh_token", refresh_token: token, ...own() }),
    /** A new code. */
    code: async (more) => new URL((await app.authorize(more)).location).searchParams.get("code"),
    /** The token response. */
    async signIn(more = {}) {
      const { status, body } = await app.token({ ...app.withCode(await app.code(more)), ...own(more.client_id) });
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    },
  };
  return app;
}

/** The cookies that an answer sets, as a browser would send them back. */
export const cookies = ({ headers }) =>
  headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");

export const bearer = (token) => ({ Authorization: `Bearer ${token}` });

export const jwt = (token) =>
  token.split(".").map((part, index) => (index < 2 ? JSON.parse(Buffer.from(part, "base64url")) : part));

/** Holds what is there against what is expected of it: other members may be there too. */
export function includes(actual, expected) {
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(actual[name], value, name);
}
