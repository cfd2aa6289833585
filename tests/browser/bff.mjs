// A backend for frontend as they are (paths, claims and answers of Duende's): the page and its API on one origin, another
// API of the same site, the session in an HttpOnly cookie, and `X-CSRF: 1` or a 401. A test says what is answered instead.

import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { build } from "esbuild";

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>app</title><script type="module" src="/app.js"></script>`;

/** The script of every page: the package, and what came of a call, for a test to look at. */
const SCRIPT = `
  import * as wardkey from "wardkey";
  Object.assign(globalThis, wardkey);
  globalThis.outcome = async (promise) => {
    try {
      const value = await promise;
      if (!(value instanceof Response)) return value;
      const text = await value.text();
      return { status: value.status, body: text.startsWith("{") ? JSON.parse(text) : text };
    } catch (error) {
      if (!wardkey.isAuthError(error)) throw error;
      const { code, phase, retryable, status, message } = error;
      return { code, phase, retryable, status, message };
    }
  };
`;

/** What a test wants to be answered at a path: a status, or that the connection breaks ("break"), or nothing ("hang"). */
/** @typedef {{ status?: number | "break" | "hang", body?: string, headers?: Record<string, string> }} Answer */

export class Bff {
  /** @type {{ server: "page" | "api", method: string, path: string, headers: import("node:http").IncomingHttpHeaders, body: string }[]} */
  requests = [];
  /** @type {Record<string, Answer>} By path. */
  answers = {};
  /** Of the session cookies that hold: who it is. */
  sessions = new Map();
  #servers = [];
  #script;

  static async start() {
    const bff = new Bff();
    const folder = await mkdtemp(join(tmpdir(), "wardkey-bff-"));
    const outfile = join(folder, "app.js");
    const stdin = { contents: SCRIPT, resolveDir: import.meta.dirname };
    await build({ stdin, outfile, bundle: true, format: "esm", target: "es2022", logLevel: "error" });
    bff.#script = await readFile(outfile);
    await rm(folder, { recursive: true });
    bff.origin = await bff.#listen("page");
    bff.apiOrigin = await bff.#listen("api");
    return bff;
  }

  async #listen(name) {
    const server = createServer((request, response) => void this.#serve(name, request, response));
    await new Promise((resolve) => server.listen(0, "localhost", resolve));
    this.#servers.push(server);
    return `http://localhost:${server.address().port}`;
  }

  async close() {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  reset() {
    this.requests.length = 0;
    this.answers = {};
    this.sessions.clear();
  }

  /** A session as if somebody had signed in; its cookie. */
  signIn(sub = "ada") {
    const sid = randomUUID();
    this.sessions.set(sid, sub);
    return { name: "bff", value: sid, url: this.origin, httpOnly: true, sameSite: "Strict" };
  }

  /** Requests to a path, by its beginning. */
  seen(path, server) {
    return this.requests.filter((it) => it.path.startsWith(path) && (!server || it.server === server));
  }

  async #serve(server, request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    const { pathname, searchParams } = new URL(url, "http://localhost");
    if (headers.origin) {
      response.setHeader("Access-Control-Allow-Origin", headers.origin);
      response.setHeader("Access-Control-Allow-Credentials", "true");
      response.setHeader("Access-Control-Expose-Headers", "X-Session-Refreshed");
    }
    if (method === "OPTIONS") {
      response.setHeader("Access-Control-Allow-Headers", headers["access-control-request-headers"] ?? "");
      response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
      return response.writeHead(204).end();
    }
    const body = Buffer.concat(chunks).toString("utf8");
    this.requests.push({ server, method, path: url, headers, body });
    const { status, body: text, headers: more } = this.answers[pathname] ?? this.#answer(server, request, pathname, searchParams, body);
    if (status === "break") return request.socket.destroy();
    if (status === "hang") return;
    response.writeHead(status ?? 200, { "Cache-Control": "no-store", ...more });
    response.end(text);
  }

  #answer(server, { method, headers }, pathname, parameters, body) {
    const sid = /(?:^|; )bff=([^;]*)/.exec(headers.cookie ?? "")?.[1];
    const sub = this.sessions.get(sid);
    const json = (value) => ({ body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });
    const go = (location, cookie) => ({ status: 302, headers: { Location: location, ...(cookie && { "Set-Cookie": cookie }) } });
    if (server === "page" && pathname === "/app.js") return { body: this.#script, headers: { "Content-Type": "text/javascript" } };
    if (pathname === "/bff/login") {
      const { name, value } = this.signIn();
      return go(parameters.get("returnUrl") ?? "/", `${name}=${value}; Path=/; HttpOnly; SameSite=Strict`);
    }
    if (pathname === "/bff/logout" && (method === "GET" ? parameters.get("sid") === sid : headers["x-csrf"] === "1")) {
      this.sessions.delete(sid);
      const ended = "bff=; Path=/; HttpOnly; Max-Age=0";
      return method === "GET" ? go("/", ended) : { status: 204, headers: { "Set-Cookie": ended } };
    }
    if (!/^\/(api|bff)\//.test(pathname)) return { body: PAGE, headers: { "Content-Type": "text/html" } };
    if (!sub || headers["x-csrf"] !== "1") return { status: 401 };
    if (pathname === "/bff/refresh") return { status: 204, headers: { "X-Session-Refreshed": "2026-01-01 00:00:00 UTC" } };
    if (pathname === "/bff/user") {
      const claims = { sub, name: "Ada", sid, "bff:session_expires_in": 3600, "bff:logout_url": `/bff/logout?sid=${sid}` };
      return json(Object.entries(claims).map(([type, value]) => ({ type, value })));
    }
    return json({ sub, method, body });
  }
}
