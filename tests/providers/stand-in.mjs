// What the stand-ins for real systems share: a server on loopback whose clock can be moved, flags that make it behave
// as that system sometimes does, a log of every exchange, and the dispatch of a request to its route.

import { readFile } from "node:fs/promises";
import { extname } from "node:path";

import { listen, observed } from "../../www/server/http.mjs";

const BODY_LIMIT = 65_536;
const CONTROL = "/control";
const FORM = "application/x-www-form-urlencoded";
const ASSETS = {
  "/assets/theme.css": "../../www/theme.css",
  "/assets/views.css": "../../www/server/views.css",
  "/assets/mark.svg": "../../www/mark.svg",
};
const ASSET_TYPES = { ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };

/** The server's own time, in whole seconds since 1970. */
export class Clock {
  #ahead = 0;

  now() {
    return Math.floor(Date.now() / 1000) + this.#ahead;
  }

  advance(seconds) {
    this.#ahead += seconds;
  }

  reset() {
    this.#ahead = 0;
  }
}

/** One request and the answer to it. */
export class Call {
  #text;

  constructor(request, response) {
    this.request = request;
    this.response = response;
    this.method = request.method;
    this.url = new URL(request.url, `http://${request.headers.host}`);
    this.path = this.url.pathname;
    this.query = this.url.searchParams;
    /** Of the page whose script asks, if it is another one. */
    this.origin = request.headers.origin;
  }

  header(name) {
    return this.request.headers[name];
  }

  cookie(name) {
    const pairs = (this.header("cookie") ?? "").split("; ");
    return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  async text() {
    this.#text ??= await readAll(this.request);
    return this.#text;
  }

  /** The fields of a form; nothing where the body says that it is something else. */
  async form() {
    const isForm = mediaType(this.header("content-type")) === FORM;
    return isForm ? new URLSearchParams(await this.text()) : undefined;
  }

  /** The members of a JSON body; none where it is no object. */
  async object() {
    try {
      const value = JSON.parse(await this.text());
      return typeof value === "object" && value !== null ? value : {};
    } catch {
      return {};
    }
  }

  setCookie(name, value, attributes) {
    this.response.appendHeader("Set-Cookie", [`${name}=${value}`, ...attributes].join("; "));
  }

  dropCookie(name, path = "/") {
    this.setCookie(name, "", [`Path=${path}`, "Max-Age=0"]);
  }

  send(status, type, body, headers = {}) {
    this.response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", ...headers });
    this.response.end(this.method === "HEAD" ? undefined : body);
  }

  json(status, body, headers) {
    this.send(status, "application/json", JSON.stringify(body), headers);
  }

  empty(status, headers = {}) {
    this.response.writeHead(status, { "Content-Length": "0", ...headers }).end();
  }

  redirect(location) {
    this.response.writeHead(302, { Location: location, "Cache-Control": "no-store" }).end();
  }
}

const mediaType = (value) => value?.split(";")[0].trim().toLowerCase();

async function readAll(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > BODY_LIMIT) throw new Error("The body is too large");
  }
  return text;
}

/**
 * What a route tells browsers about other origins: `allowed` gives the value of `Access-Control-Allow-Origin`, or
 * nothing, for the origin of a call. A preflight allows what it asks for.
 */
export function cors(allowed, { credentials = false, expose, maxAge } = {}) {
  return (call) => {
    const { origin, method, request, response } = call;
    const value = origin && allowed(origin, call);
    if (value !== "*") response.appendHeader("Vary", "Origin");
    if (!value) return;
    response.setHeader("Access-Control-Allow-Origin", value);
    if (credentials) response.setHeader("Access-Control-Allow-Credentials", "true");
    if (method !== "OPTIONS") return expose && response.setHeader("Access-Control-Expose-Headers", expose);
    const wanted = (name) => request.headers[`access-control-request-${name}`] ?? "";
    response.setHeader("Access-Control-Allow-Methods", wanted("method"));
    if (wanted("headers")) response.setHeader("Access-Control-Allow-Headers", wanted("headers"));
    if (maxAge) response.setHeader("Access-Control-Max-Age", String(maxAge));
  };
}

/** Is an origin the one that is listed? `https://*.example.com` stands for every host below. */
export function matchesOrigin(origin, listed) {
  const [before, after] = listed.split("*.");
  return after === undefined ? origin === listed : origin.startsWith(before) && origin.endsWith(`.${after}`);
}

/**
 * A route: methods, a pattern of the path, its answer, and its word to other origins.
 * @typedef {[methods: string, path: RegExp, answer: (call: Call, match: RegExpMatchArray) => unknown, cors?: Function]} Route
 */

/**
 * Starts a server. `define` gets the world (origin, host, clock, flags) and returns the routes, and what else there is
 * to say to the one who holds the server.
 * @param {{ port?: number, flags: object, defaults: object, observe?: Function }} options
 * @param {(world: object) => { routes: Route[], reset?: () => void, control?: object }} define
 */
export async function standIn({ port = 0, flags = {}, defaults, observe }, define) {
  const server = await listen(port);
  const initial = { ...defaults, ...flags };
  // Sealed: a flag that is spelled wrongly throws.
  const world = {
    origin: server.origin,
    host: new URL(server.origin).host,
    clock: new Clock(),
    flags: Object.seal({ ...defaults }),
    /** Every exchange, as `www/server/http.mjs` describes it. */
    log: [],
  };
  Object.assign(world.flags, initial);
  const { routes, reset = () => {}, control = {} } = define(world);
  const keep = (exchange) => {
    if (exchange.path.startsWith(CONTROL) || exchange.path.startsWith("/assets/")) return;
    world.log.push(exchange);
    observe?.(exchange);
  };
  server.handle(observed("as", (request, response) => serve(world, routes, new Call(request, response)), keep));
  return {
    ...world,
    ...control,
    /** As it was after the start. */
    reset() {
      Object.assign(world.flags, initial);
      world.clock.reset();
      world.log.length = 0;
      reset();
    },
    /** What was asked of this path, without preflights. */
    seen: (path) =>
      world.log.filter((one) => one.method !== "OPTIONS" && one.path.toLowerCase().startsWith(path.toLowerCase())),
    close: server.close,
  };
}

async function serve(world, routes, call) {
  call.response.setHeader("Date", new Date(world.clock.now() * 1000).toUTCString());
  try {
    if (call.path === CONTROL) return await steer(world, call);
    if (ASSETS[call.path]) return await asset(call);
    await dispatch(routes, call);
  } catch (error) {
    console.error(error);
    if (!call.response.headersSent) call.empty(500);
  }
}

async function dispatch(routes, call) {
  const found = routes.filter(([, path]) => path.test(call.path));
  if (found.length === 0) return call.send(404, "text/plain", "Not found\n");
  const route = found.find(([methods]) => methods.split(" ").includes(intended(call)));
  const [, path, answer, allow] = route ?? found[0];
  allow?.(call);
  if (call.method === "OPTIONS") return call.empty(204);
  if (!route) return call.send(405, "text/plain", "Method not allowed\n");
  await answer(call, path.exec(call.path));
}

/** The method that a request has, or that a preflight asks for. */
function intended({ method, request }) {
  if (method === "OPTIONS") return request.headers["access-control-request-method"];
  return method === "HEAD" ? "GET" : method;
}

async function asset(call) {
  const file = ASSETS[call.path];
  call.send(200, ASSET_TYPES[extname(file)], await readFile(new URL(file, import.meta.url)));
}

/** `{"advance": 3600, "flags": {…}}` from this machine's shell; a page of another origin may not (no CORS, a JSON type). */
async function steer({ clock, flags }, call) {
  if (call.method === "POST") {
    if (mediaType(call.header("content-type")) !== "application/json") return call.empty(415);
    const { advance = 0, flags: wanted = {} } = await call.object();
    clock.advance(Number(advance));
    Object.assign(flags, wanted);
  }
  call.json(200, { now: clock.now(), flags });
}
