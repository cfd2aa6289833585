// Serves the pages as a good static host does: brotli, a document that is always asked for again, and files that never are.

import { createHash } from "node:crypto";

import { compressed } from "./build.mjs";

const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  wasm: "application/wasm",
};

/**
 * The pages by the ids of their entrants, and an empty one at the root.
 * @param {Map<string, import("./build.mjs").Built>} builds
 * @returns {import("node:http").RequestListener}
 */
export function pageHost(builds) {
  const files = new Map([["/", file("index.html", compressed("<!doctype html><title>Empty</title>"))]]);
  for (const [id, built] of builds) {
    for (const [name, body] of Object.entries(built.files)) files.set(`/${id}/${name}`, file(name, body));
  }
  return (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const found = files.get(pathname) ?? files.get(`${pathname}index.html`);
    if (!found) return response.writeHead(404).end();
    if (request.headers["if-none-match"] === found.headers.ETag) return response.writeHead(304, found.headers).end();
    response.writeHead(200, { ...found.headers, "Content-Length": found.body.length }).end(found.body);
  };
}

function file(name, body) {
  const type = name.split(".").at(-1);
  const headers = {
    "X-Content-Type-Options": "nosniff",
    "Content-Type": TYPES[type],
    "Content-Encoding": "br",
    "Cache-Control": type === "html" ? "no-cache" : "public, max-age=31536000, immutable",
    ETag: `"${createHash("sha256").update(body).digest("base64url")}"`,
  };
  return { headers, body };
}
