// Stands in for a self-hosted Laserfiche API server with its Directory Server: no client id, an allow list of redirect
// URIs, a token endpoint per repository, and sessions that end when they are idle.

import { repositoryApi } from "./laserfiche-api.mjs";
import { LaserficheServer, requestFault } from "./laserfiche-server.mjs";
import { answerToken, invalidGrant, required, unsupported } from "./laserfiche-token.mjs";
import { sendNotice, sendQuestion } from "./pages.mjs";
import { cors, standIn } from "./stand-in.mjs";

/** With a hyphen at which no line breaks. */
export const SYSTEM = "self‑hosted Laserfiche";
const SESSION = "lfds_session";
export const BASE = "/LFRepositoryAPI";
export const CODE_SEC = 600;
/** Of the code flow; the password flow gives less. */
export const ACCESS_SEC = 3600;
export const PASSWORD_SEC = 900;

const FLAGS = {
  /** Shows the sign-in page; otherwise `alice` is signed in at once. */
  ask: false,
  /** `snake`: refresh_token; `camel`: refreshToken, as some version wrote it. */
  refreshTokenKey: "snake",
  /** Seconds without a call to the API, after which it answers 401. */
  idleSec: 1200,
  /** The HTTP status of a refresh token used twice; its body says 400 in any case. */
  reuseStatus: 401,
  /** May anybody list the repositories? */
  publicList: false,
  /** So many API calls get a 429, or a 403. */
  throttle: 0,
  forbid: 0,
};

/**
 * @param {object} options
 * @param {string[]} options.redirectUris
 * @param {Record<string, string>} [options.people] Passwords by user name, for the password flow.
 * @param {number} [options.port]
 * @param {object} [options.flags]
 */
export function startLaserficheSelfHosted({ redirectUris, people = { alice: "wonderland" }, ...options }) {
  return standIn({ ...options, defaults: FLAGS }, (world) => {
    const server = new SelfHosted(world, redirectUris, people);
    return { routes: server.routes(), reset: () => server.reset(), control: { baseUrl: `${world.origin}${BASE}` } };
  });
}

class SelfHosted extends LaserficheServer {
  constructor(world, redirectUris, people) {
    super(world, SESSION);
    Object.assign(this, { redirectUris, people });
  }

  routes() {
    const hosts = this.redirectUris.map((uri) => new URL(uri).host);
    // What it does about CORS is not documented; nothing works in a browser without.
    const allow = cors((origin) => hosts.includes(new URL(origin).host) && origin);
    // The path that Laserfiche's own client uses, and the two others that stand in its documents.
    const tokenPath = new RegExp(`^${BASE}/v[12]/(?:Repositories/[^/]+/Token|[^/]+/Token|[^/]+/oauth/token)$`, "i");
    const token = (call) => answerToken(call, (form) => this.issue(form));
    const find = (text) => this.find(text);
    const isListPublic = () => this.flags.publicList;
    return [
      ["GET POST", new RegExp(`^${BASE}/v2/authorize$`, "i"), (call) => this.authorize(call)],
      ["POST", tokenPath, token, allow],
      ...repositoryApi({ base: BASE, find, flags: this.flags, allow, isListPublic }),
    ];
  }

  async authorize(call) {
    const redirectUri = call.query.get("redirect_uri");
    if (!this.redirectUris.includes(redirectUri)) {
      return sendNotice(call, SYSTEM, "This sign-in cannot go on.", "The redirect URI is not on the allow list.", 400);
    }
    const fault = requestFault(call.query);
    if (fault) return this.back(call, { error: "invalid_request", error_description: fault });
    const known = this.userOf(call);
    if (known || !this.flags.ask) return this.admit(call, known ?? "alice");
    if (call.method === "GET") {
      return sendQuestion(call, SYSTEM, { app: "This app", words: ["Sign in", "Cancel"], returnTo: redirectUri });
    }
    const form = (await call.form()) ?? new URLSearchParams();
    if (form.get("answer") === "allow" && form.get("username")) return this.admit(call, form.get("username"));
    this.back(call, { error: "access_denied", error_description: "The sign-in was cancelled." });
  }

  /** Whoever is signed in gets a code; nobody is asked for consent. */
  admit(call, user) {
    this.remember(call, user);
    const scope = call.query.get("scope");
    const redirectUri = call.query.get("redirect_uri");
    const scopes = (scope ?? "").split(" ").filter(Boolean);
    const code = this.codes.issue({ redirectUri, challenge: call.query.get("code_challenge"), scopes, user }, CODE_SEC);
    this.back(call, { scope, code });
  }

  back(call, parameters) {
    const search = new URLSearchParams();
    const all = { ...parameters, state: call.query.get("state") };
    for (const [name, value] of Object.entries(all)) if (value !== null) search.append(name, value);
    const redirectUri = call.query.get("redirect_uri");
    call.redirect(`${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${search}`);
  }

  issue(form) {
    switch (form.get("grant_type")) {
      case "password":
        return this.fromPassword(form);
      case "authorization_code":
        return this.fromCode(form);
      case "refresh_token":
        return this.fromRefresh(form);
      default:
        throw unsupported(form);
    }
  }

  fromPassword(form) {
    required(form, ["username", "password"]);
    const user = form.get("username");
    if (!Object.hasOwn(this.people, user) || this.people[user] !== form.get("password")) throw invalidGrant("password");
    return this.answerWith({ user, scopes: [] }, PASSWORD_SEC);
  }

  fromCode(form) {
    const grant = this.redeem(form);
    return this.answerWith(grant, ACCESS_SEC, this.refresh.begin(grant, this.refreshEnd()));
  }

  fromRefresh(form) {
    const family = this.family(form);
    return this.answerWith(family.grant, ACCESS_SEC, this.refresh.next(family, this.refreshEnd()));
  }

  /** The life of an access token, and the time that a session may be idle. */
  refreshEnd() {
    return this.clock.now() + ACCESS_SEC + this.flags.idleSec;
  }

  answerWith(grant, lifetimeSec, refreshToken) {
    const key = this.flags.refreshTokenKey === "camel" ? "refreshToken" : "refresh_token";
    return {
      ...this.bearer({ ...grant, lastUsed: this.clock.now() }, lifetimeSec),
      ...(refreshToken ? { [key]: refreshToken } : {}),
    };
  }

  /** The grant of an access token, unless its session has been idle for too long: then before its end, too. */
  find(token) {
    const grant = this.access.find(token);
    if (!grant || this.clock.now() - grant.lastUsed > this.flags.idleSec) return undefined;
    grant.lastUsed = this.clock.now();
    // What nobody narrowed is the person's own rights; the documents do not say more.
    return { scopes: grant.scopes.length > 0 ? grant.scopes : ["repository.ReadWrite"] };
  }
}
