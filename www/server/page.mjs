// Serves the single-page app from www/dist, with the headers that an app holding tokens should have.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));

const TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  wasm: "application/wasm",
};

/** Routes of the app itself: they all load its one document. */
export const APP_PATHS = { home: "/", callback: "/callback", signedOut: "/signed-out" };

/** A document of its own, for a hidden frame: no engine, no style, and the one that may be framed. */
export const SILENT_PATH = "/silent.html";

/** Of the page in the hidden frame: its script, and nothing else. */
const SILENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  "require-trusted-types-for 'script'",
].join("; ");

/**
 * @param {object} options
 * @param {object} options.config What the app reads from /config.json.
 * @param {string} options.issuer
 * @param {string} options.apiUrl
 * @param {string} [options.dist] The build to serve.
 * @param {string} [options.document] That of the app's routes.
 * @param {Record<string, Record<string, string>>} [options.pageHeaders] By path and query, in addition (for tests).
 * @returns {import("node:http").RequestListener}
 */
export function staticPage({ config, issuer, apiUrl, dist = DIST, document = "index.html", pageHeaders = {} }) {
  const headers = {
    "Content-Security-Policy": contentSecurityPolicy(issuer, apiUrl),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
  };
  return async (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (request.method !== "GET" && request.method !== "HEAD") return response.writeHead(405).end();
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === SILENT_PATH) response.setHeader("Content-Security-Policy", SILENT_POLICY);
    for (const [name, value] of Object.entries(pageHeaders[request.url] ?? {})) response.setHeader(name, value);
    if (pathname === "/config.json") return send(response, "application/json", JSON.stringify(config));
    const name = Object.values(APP_PATHS).includes(pathname) ? document : pathname.slice(1);
    const body = await distFile(dist, name);
    if (!body) return response.writeHead(404, { "Content-Type": "text/plain" }).end("Not found\n");
    send(response, TYPES[name.split(".").at(-1)], body);
  };
}

/**
 * No inline script, no eval, no script from elsewhere; the network is this origin, the issuer and the API; a hidden
 * frame goes to the issuer, and comes back.
 */
export function contentSecurityPolicy(issuer, apiUrl) {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `connect-src 'self' ${issuer} ${apiUrl}`,
    `frame-src 'self' ${issuer}`,
    "img-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    `form-action 'self' ${issuer}`,
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
}

/** A file of the build, or nothing; names have one segment, so there is no way out of the folder. */
async function distFile(dist, name) {
  if (!/^[\w-]+(\.[\w-]+)+$/.test(name) || !TYPES[name.split(".").at(-1)]) return undefined;
  try {
    return await readFile(join(dist, name));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function send(response, type, body) {
  response.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}
