/**
 * What a page and its worker say to each other. A page asks, and the worker answers under the same number; what the
 * worker tells unasked has the number 0. No token but that which `getToken` is asked for, no verifier (but where
 * sign-ins in progress are kept in the page's own storage), and no key is ever in a message.
 */
import type { AuthOptions } from "../types.js";

/** The first member of every message. A message of another version is ignored. */
export const PROTOCOL = 1;

/** The version of the package, as the build knows it. */
declare const VERSION: string;
export const version = VERSION;

/**
 * All that a worker goes by; as JSON it is the worker's name. So a page with other options or of another deployment has
 * another worker, and no page can loosen what another one relies on.
 */
export interface Charter {
  version: string;
  /** URL of the engine's bytes. */
  wasm: string;
  /** Does the worker outlast the page that is left for a sign-in, and keep what it needs for the response? */
  outlasts: boolean;
  exposesTokens: boolean;
  options: AuthOptions;
}

/** A request that the worker is to make: what of a `Request` can be had from outside, and to whom it may go. */
export interface FetchCall {
  url: string;
  init: RequestInit & { headers: [string, string][]; duplex?: "half" };
  api: string;
  replayable: boolean;
}

/** What of a `Response` its constructor takes, and what it does not. */
export interface ResponseHead {
  init: ResponseInit & { status: number; headers: [string, string][] };
  url: string;
  type: ResponseType;
}

/** From a page. */
export type Ask = [protocol: typeof PROTOCOL, id: number, operation: string, argument: string | FetchCall];

/** From the worker: an answer, or the `toJSON` of an error; or, with the number 0, what a listener is told. */
export type Answer = [protocol: typeof PROTOCOL, id: number, ok: boolean, value: unknown];
export type News = [protocol: typeof PROTOCOL, id: 0, ...told: unknown[]];
