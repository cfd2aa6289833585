// A token endpoint that answers at once: it takes each refresh token once, and anything for a code.

/** Octets of a token as servers issue them: a JWT of some claims, signed. */
const LENGTH = 900;

/** @param {{ pageOrigin: string }} options */
export function tokenServer({ pageOrigin }) {
  let issued = 0;
  let valid = "";
  const server = { refreshes: 0, refused: 0, lifetime: 600 };
  const name = () => `${(issued += 1)}.`.padEnd(LENGTH, "x");
  const grant = (form) => {
    const isRefresh = form.get("grant_type") === "refresh_token";
    if (isRefresh) server.refreshes += 1;
    if (isRefresh && form.get("refresh_token") !== valid) {
      server.refused += 1;
      return [400, { error: "invalid_grant" }];
    }
    valid = name();
    return [200, { access_token: name(), token_type: "Bearer", expires_in: server.lifetime, refresh_token: valid }];
  };
  /** @type {import("node:http").RequestListener} */
  const listener = async (request, response) => {
    response.setHeader("Access-Control-Allow-Origin", pageOrigin).setHeader("Timing-Allow-Origin", pageOrigin);
    response.setHeader("Cache-Control", "no-store").setHeader("Content-Type", "application/json");
    const chunks = await request.toArray();
    const [status, body] = grant(new URLSearchParams(Buffer.concat(chunks).toString("utf8")));
    response.writeHead(status).end(JSON.stringify(body));
  };
  return Object.assign(server, { listener });
}
