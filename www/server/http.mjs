// What the three demo servers share: listening on loopback, closing at once, and being observed by tests.

import { createServer } from "node:http";

/** The demo's passwords are public, so nothing outside this machine may reach it. */
const HOST = "localhost";

/**
 * One request and its answer, as a server saw them.
 * @typedef {object} Exchange
 * @property {"page" | "as" | "api"} server
 * @property {string} method
 * @property {string} path Path and query.
 * @property {import("node:http").IncomingHttpHeaders} headers Of the request.
 * @property {string} sent Body of the request, as far as the server read it.
 * @property {number} status
 * @property {string} [location] Where the answer redirects to.
 * @property {string} body Of the answer.
 */

/** @typedef {(exchange: Exchange) => void} Observer */

/**
 * A server on `http://localhost:<port>`; with a port that is taken, on the next free one; with port 0, on any.
 * The handler may be set later, by servers which must know their own origin first.
 * @param {number} port
 */
export async function listen(port) {
  for (let candidate = port; ; candidate += 1) {
    const server = createServer();
    try {
      await bind(server, candidate);
    } catch (error) {
      if (port !== 0 && error.code === "EADDRINUSE" && candidate < port + 100) continue;
      throw error;
    }
    return {
      origin: `http://${HOST}:${server.address().port}`,
      /** @param {import("node:http").RequestListener} handler */
      handle: (handler) => server.on("request", handler),
      close: () => closeNow(server),
    };
  }
}

function bind(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Does not wait for the keep-alive connections of a browser that is still open. */
function closeNow(server) {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

/**
 * A handler of what `intercept` has not answered.
 * @param {import("node:http").RequestListener} handler
 * @param {((request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => unknown) | undefined} intercept
 * @returns {import("node:http").RequestListener}
 */
export function intercepted(handler, intercept) {
  if (!intercept) return handler;
  return async (request, response) => {
    await intercept(request, response);
    if (!response.headersSent) handler(request, response);
  };
}

/**
 * Tells `observe` of every exchange, before the answer leaves.
 * @param {Exchange["server"]} name
 * @param {import("node:http").RequestListener} handler
 * @param {Observer | undefined} observe
 * @returns {import("node:http").RequestListener}
 */
export function observed(name, handler, observe) {
  if (!observe) return handler;
  return (request, response) => {
    const chunks = [];
    const sent = [];
    const keep = (chunk, list = chunks) => {
      if (typeof chunk === "string" || chunk instanceof Uint8Array) list.push(Buffer.from(chunk));
    };
    const { emit } = request;
    // A listener of one's own would set the body flowing before the server is ready for it.
    request.emit = function (event, ...rest) {
      if (event === "data") keep(rest[0], sent);
      return emit.call(this, event, ...rest);
    };
    const { write, end } = response;
    response.write = function (chunk, ...rest) {
      keep(chunk);
      return write.call(this, chunk, ...rest);
    };
    response.end = function (chunk, ...rest) {
      keep(chunk);
      observe({
        server: name,
        method: request.method,
        path: request.url,
        headers: request.headers,
        sent: Buffer.concat(sent).toString("utf8"),
        status: response.statusCode,
        location: response.getHeader("location"),
        body: Buffer.concat(chunks).toString("utf8"),
      });
      return end.call(this, chunk, ...rest);
    };
    return handler(request, response);
  };
}
