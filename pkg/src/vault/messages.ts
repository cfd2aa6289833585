/**
 * What a page and its worker say to each other. A page asks, and the worker answers under the same number; what the
 * worker tells unasked has the number 0, and so has what a page wants no answer to. No token but that which `getToken` is asked for, no verifier (but where
 * sign-ins in progress are kept in the page's own storage), and no key is ever in a message.
 */
import type { Recipient } from "../callback.js";
import type { AuthError } from "../errors.js";
import type { Sight } from "../transport.js";
import type { AuthOptions, AuthorizeRequest } from "../types.js";

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
  init: RequestInit;
  headers: [string, string][];
  body?: ArrayBuffer | ReadableStream | null | undefined;
  api: string;
  replayable: boolean;
}

/** What of a `Response` its constructor takes, and what it does not. */
export interface ResponseHead {
  init: ResponseInit & { status: number; headers: [string, string][] };
  url: string;
  type: ResponseType;
}

/** The answer to a page that says hello: `life` is a lock that the worker holds as long as it is there. */
export type Greeting = [whose: Recipient, sight: Sight, events: readonly string[], life: string];

/** The answer to `prepare`: a request for the page, and one for a popup where it can be minted ahead. */
export interface Minted {
  /** Milliseconds since the epoch until which they may be used. */
  until: number;
  createAuthorizeUrl?: AuthorizeRequest | undefined;
  createPopupUrl?: AuthorizeRequest | undefined;
}

/** From a page, and whose session it shows, if one is to be had for that person alone. */
export type Ask = [protocol: typeof PROTOCOL, id: number, operation: string, argument: string | FetchCall, sub?: string];

/**
 * From the worker: the value of an answer; or, with the number 0, what a listener is told. An error, or the one that a
 * detail is about, comes last, as its `toJSON`.
 */
export type Answer = [protocol: number, id: number, value: unknown, detail?: object, entry?: never, error?: AuthError];
