// What a test does with requests on their way to a server: see `intercept` in harness.mjs.

/** To intercept with: the server is down. */
export function isDown(_request, response) {
  response.writeHead(503, { "access-control-allow-origin": "*" }).end();
}

/** To intercept with: an answer that CORS lets nobody read, as if there were none. */
export function isOutOfReach(_request, response) {
  response.writeHead(200).end();
}

/** To intercept with: the server's answer is another one when it leaves. */
export const changesTo = (edit) => (_request, response) => {
  const { end } = response;
  const chunks = [];
  response.write = (chunk) => chunks.push(Buffer.from(chunk));
  response.end = function (chunk, ...rest) {
    if (chunk) chunks.push(Buffer.from(chunk));
    const body = edit(Buffer.concat(chunks).toString("utf8"));
    if (!response.headersSent) response.setHeader("content-length", Buffer.byteLength(body));
    return end.call(this, body, ...rest);
  };
};

/**
 * Holds the page's requests for a URL back: `asked` once there is one; `letGo` lets them all go on.
 * @param {import("playwright-core").Page} page
 */
export function holdBack(page, url) {
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  const asked = new Promise((resolve) => {
    void page.route(url, async (route) => {
      resolve();
      await held;
      await route.continue();
    });
  });
  return { asked, letGo };
}

/** What the browser itself said of requests to a server that was {@link isDown} or {@link isOutOfReach}. */
export const isOfBrowser = (complaint) => /status of 503|ERR_FAILED|blocked by CORS/.test(complaint);
