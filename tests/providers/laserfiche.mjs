// Stands in for Laserfiche Cloud: sign-in (`signin.`), sign-out (`accounts.`) and the APIs (`api.`) on one origin.

import { repositoryApi, tableApi } from "./laserfiche-api.mjs";
import { grantable } from "./laserfiche-scopes.mjs";
import { LaserficheServer, requestFault } from "./laserfiche-server.mjs";
import { answerToken, invalidGrant, Refusal, unsupported } from "./laserfiche-token.mjs";
import { sendNotice, sendQuestion } from "./pages.mjs";
import { cors, standIn } from "./stand-in.mjs";

export const SYSTEM = "Laserfiche Cloud";
const SESSION = "lf_signin";
export const CONSENT_SEC = 300;
export const CODE_SEC = 600;
export const ACCESS_SEC = 3600;
/** From the first refresh token of a sign-in to the end of the last one. */
export const REFRESH_SEC = 28_800;
export const CUSTOMER_ID = "123456789";

const FLAGS = {
  /** Shows the sign-in page; otherwise `alice` answers at once, as `consent` says. */
  ask: false,
  /** allow, deny, timeout or server_error. */
  consent: "allow",
  /** Of the scopes asked for, those that are consented to, if not all. */
  grant: null,
  /** How the error redirect calls its description: `error_description` or `description`. */
  descriptionKey: "error_description",
  /** What the callback names as its regional domain, in place of this server. */
  domain: null,
  /** The HTTP status of a refresh token used twice; its body says 400 in any case. */
  reuseStatus: 401,
  /** So many refreshes are done, and their answers are lost on the way. */
  loseAnswers: 0,
  /** So many API calls get a 429. */
  throttle: 0,
  /** So many API calls get a 403: the person's own rights do not reach that far. */
  forbid: 0,
};

/**
 * @param {object} options
 * @param {{ clientId: string, redirectUris: string[], scopes: string[], type?: "spa" | "web" }[]} options.clients
 * @param {number} [options.port]
 * @param {object} [options.flags]
 */
export function startLaserfiche({ clients, ...options }) {
  return standIn({ ...options, defaults: FLAGS }, (world) => {
    const server = new Laserfiche(world, clients);
    return {
      routes: server.routes(),
      reset: () => server.reset(),
      control: { expireTokens: () => server.access.clear() },
    };
  });
}

class Laserfiche extends LaserficheServer {
  constructor(world, clients) {
    super(world, SESSION);
    this.host = world.host;
    this.clients = clients;
    /** Where CORS lets in: hosts of the redirect URIs that Authorize has been asked with. */
    this.appHosts = new Set();
  }

  reset() {
    super.reset();
    this.appHosts.clear();
  }

  routes() {
    const allow = cors((origin) => this.appHosts.has(new URL(origin).host) && origin);
    const api = { find: (token) => this.access.find(token), flags: this.flags, allow };
    return [
      ["GET POST", /^\/oauth\/authorize$/i, (call) => this.authorize(call)],
      ["POST", /^\/oauth\/token$/i, (call) => answerToken(call, (form) => this.issue(form, call)), allow],
      ["GET", /^\/websts\/$/i, (call) => this.signOut(call)],
      ...repositoryApi({ ...api, base: "/repository" }),
      ...tableApi(api),
    ];
  }

  async authorize(call) {
    const client = this.clients.find(({ clientId }) => clientId === call.query.get("client_id"));
    const redirectUri = call.query.get("redirect_uri");
    if (!client?.redirectUris.includes(redirectUri)) {
      return sendNotice(
        call,
        SYSTEM,
        "This sign-in cannot go on.",
        "The client or its redirect URI is not registered.",
        400,
      );
    }
    this.appHosts.add(new URL(redirectUri).host);
    const fault = faultOf(call.query, client);
    if (fault) return this.refuse(call, ...fault);
    const asked = (call.query.get("scope") ?? "").split(" ").filter(Boolean);
    const granted = grantable(asked, client.scopes);
    if (call.method === "POST") return this.answer(call, client, asked, granted);
    if (!this.flags.ask) return this.decide(call, client, asked, this.flags.grant ?? granted, "alice");
    sendQuestion(call, SYSTEM, {
      app: client.clientId,
      user: this.userOf(call),
      scopes: granted,
      hidden: { asked: String(this.clock.now()) },
      returnTo: redirectUri,
    });
  }

  /** What the person answered on the page. */
  async answer(call, client, asked, granted) {
    const form = (await call.form()) ?? new URLSearchParams();
    const isLate = this.clock.now() - Number(form.get("asked")) > CONSENT_SEC;
    const user = this.userOf(call) ?? form.get("username");
    if (isLate) return this.decline(call, "timeout");
    if (form.get("answer") !== "allow" || !user) return this.decline(call, "deny");
    await this.decide(
      call,
      client,
      asked,
      granted.filter((scope) => form.getAll("scope").includes(scope)),
      user,
    );
  }

  decide(call, client, asked, granted, user) {
    if (this.flags.consent !== "allow") return this.decline(call, this.flags.consent);
    if (asked.length > 0 && granted.length === 0) return this.decline(call, "deny");
    this.remember(call, user);
    const redirectUri = call.query.get("redirect_uri");
    const code = this.codes.issue(
      {
        clientId: client.clientId,
        redirectUri,
        challenge: call.query.get("code_challenge"),
        isScoped: asked.length > 0,
        scopes: granted,
        user,
      },
      CODE_SEC,
    );
    const scope = granted.length > 0 ? granted.join(" ") : null;
    this.back(call, { scope, code, domain: this.flags.domain ?? this.host, customerId: CUSTOMER_ID });
  }

  decline(call, how) {
    if (how === "deny") return this.refuse(call, "access_denied", "Consent has not been given.");
    if (how === "timeout")
      return this.refuse(call, "access_denied", "Consent has already been completed or has expired.");
    this.refuse(call, "server_error", "An unexpected error has occurred.");
  }

  refuse(call, error, description) {
    this.back(call, { error, [this.flags.descriptionKey]: description });
  }

  /** Back to the app, in the form encoding that the documents show (a space is a plus sign). */
  back(call, parameters) {
    const { searchParams } = new URL(call.query.get("redirect_uri"));
    const all = { ...parameters, state: call.query.get("state") };
    for (const [name, value] of Object.entries(all)) if (value !== null) searchParams.append(name, value);
    call.redirect(`${call.query.get("redirect_uri").split("?")[0]}?${searchParams}`);
  }

  async issue(form, call) {
    const client = this.clients.find(({ clientId }) => clientId === form.get("client_id"));
    const isPublic = client?.type !== "web" && !form.has("client_secret") && !call.header("authorization");
    if (!client || !isPublic) {
      throw new Refusal("invalid_client", "The client credentials are invalid or authentication failed.", 401);
    }
    switch (form.get("grant_type")) {
      case "authorization_code":
        return this.fromCode(form, client);
      case "refresh_token":
        return this.fromRefresh(form, client, call);
      case "client_credentials":
        throw new Refusal("unauthorized_client", "The client may not use this grant.");
      default:
        throw unsupported(form);
    }
  }

  fromCode(form, client) {
    const grant = this.redeem(form);
    if (grant.clientId !== client.clientId) throw invalidGrant("authorization code");
    return this.answerWith(grant, this.refresh.begin(grant, this.clock.now() + REFRESH_SEC));
  }

  fromRefresh(form, client, call) {
    const family = this.family(form);
    if (family.grant.clientId !== client.clientId) throw invalidGrant("refresh token");
    const body = this.answerWith(family.grant, this.refresh.next(family));
    if (this.flags.loseAnswers === 0) return body;
    this.flags.loseAnswers -= 1;
    loseHalfway(call);
    return undefined;
  }

  answerWith(grant, refreshToken) {
    return {
      ...this.bearer(grant, ACCESS_SEC, { csid: CUSTOMER_ID, aud: "laserfiche.com" }),
      refresh_token: refreshToken,
      ...(grant.isScoped ? { scope: grant.scopes.join(" ") } : {}),
    };
  }

  /** The session ends here, and with it what could prolong it elsewhere. */
  signOut(call) {
    const user = this.userOf(call);
    if (!user) return sendNotice(call, SYSTEM, "You are signed out.", "Nobody was signed in here.");
    this.forget(call);
    this.refresh.end((grant) => grant.user === user);
    const target = call.query.get("wreply");
    const isKnown = this.clients.some(({ redirectUris }) => redirectUris.includes(target));
    if (call.query.get("wa") === "wsignout1.0" && isKnown) return call.redirect(target);
    sendNotice(call, SYSTEM, "You are signed out.", "This server has forgotten you.");
  }
}

/** What is wrong with an authorization request, as error and description. */
function faultOf(query, client) {
  if (client.type === "web") return ["unauthorized_client", "The client is not a single-page app."];
  const fault = requestFault(query);
  if (fault) return ["invalid_request", fault];
  const customer = query.get("customerId");
  return customer && customer !== CUSTOMER_ID ? ["access_denied", "The account is another one."] : undefined;
}

/** The head of an answer and no more: browsers send a request again where there was none at all. */
function loseHalfway(call) {
  call.response.writeHead(200, { "Content-Type": "application/json; charset=UTF-8", "Content-Length": "1000" });
  call.response.end("{", () => call.request.socket.destroy());
}
