// Stands in for an ONLYOFFICE DocSpace portal: its authorization server, sign-in page and API on one origin.

import { randomUUID } from "node:crypto";

import { portalApi, Sessions } from "./docspace-api.mjs";
import { Tokens } from "./docspace-token.mjs";
import { hasChallenge, random } from "./oauth.mjs";
import { sendNotice, sendQuestion } from "./pages.mjs";
import { cors, standIn } from "./stand-in.mjs";

export const SYSTEM = "DocSpace";
const PENDING = "stand_in_pending";
export const CODE_SEC = 60;
const NOT_SIGNED_IN = "missing_asc_signature_error";
const RIGHTS = ["accounts", "rooms", "accounts.self", "files"].flatMap((area) => [`${area}:read`, `${area}:write`]);

const FLAGS = {
  /** Shows the portal's sign-in page and the consent; otherwise `alice` answers at once, as `consent` says. */
  ask: false,
  /** allow or deny. */
  consent: "allow",
  /** Of the scopes asked for, those that are consented to, if not all. */
  grant: null,
  /** What codes begin with in the cloud: `eu` makes them `eu:…`. */
  region: null,
  /** A password is not enough: the answer has no token, and a code is wanted. */
  tfa: false,
  sms: false,
  /** So many API calls get a 429. */
  throttle: 0,
};

/**
 * @param {object} options
 * @param {{ clientId: string, redirectUris: string[], allowedOrigins: string[], scopes: string[], secret?: string, disabled?: boolean }[]} options.clients
 * @param {Record<string, string>} [options.people] Passwords by user name.
 * @param {number} [options.port]
 * @param {object} [options.flags]
 */
export function startDocSpace({ clients, people = { "alice@example.com": "wonderland" }, ...options }) {
  return standIn({ ...options, defaults: FLAGS }, (world) => {
    const server = new DocSpace(world, clients, people);
    const rotateKeys = () => server.tokens.rotateKeys();
    const signIn = (user) => server.sessions.begin(user);
    return { routes: server.routes(), reset: () => server.reset(), control: { rotateKeys, signIn } };
  });
}

class DocSpace {
  constructor({ origin, clock, flags }, clients, people) {
    Object.assign(this, { origin, clock, flags, clients });
    this.tokens = new Tokens(origin, clock, clients);
    this.sessions = new Sessions(clock, people);
    /** Authorization requests that a page is shown for. */
    this.pending = new Map();
  }

  reset() {
    for (const store of [this.tokens, this.sessions, this.pending]) store.clear();
  }

  routes() {
    const open = cors(() => "*", { maxAge: 3600 });
    const metadata = /^(\/oauth2)?\/\.well-known\/(openid-configuration|oauth-authorization-server)$/;
    return [
      ["GET", metadata, (call) => call.json(200, this.metadata()), open],
      ["GET", /^\/oauth2\/jwks$/, (call) => this.tokens.sendKeys(call), open],
      ["GET", /^\/oauth2\/authorize$/, (call) => this.authorize(call), open],
      ["POST", /^\/oauth2\/authorize$/, (call) => this.consent(call), open],
      ["GET POST", /^\/login$/, (call) => this.login(call)],
      ["POST", /^\/oauth2\/token$/, (call) => this.tokens.answer(call), open],
      ["POST", /^\/oauth2\/introspect$/, (call) => this.tokens.introspect(call), open],
      ["POST", /^\/oauth2\/revoke$/, (call) => this.tokens.revoke(call), open],
      ["GET POST", /^(\/api\/2\.0)?\/oauth2\/userinfo$/, (call) => this.tokens.userInfo(call), open],
      ...portalApi({ ...this, access: this.tokens.access }),
    ];
  }

  metadata() {
    const at = (path) => `${this.origin}${path}`;
    return {
      issuer: this.origin,
      authorization_endpoint: at("/oauth2/authorize"),
      token_endpoint: at("/oauth2/token"),
      token_endpoint_auth_methods_supported: ["client_secret_post"],
      jwks_uri: at("/oauth2/jwks"),
      userinfo_endpoint: at("/oauth2/userinfo"),
      end_session_endpoint: at("/connect/logout"),
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code", "refresh_token", "personal_access_token"],
      revocation_endpoint: at("/oauth2/revoke"),
      introspection_endpoint: at("/oauth2/introspect"),
      code_challenge_methods_supported: ["S256"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      scopes_supported: ["openid", ...RIGHTS],
    };
  }

  authorize(call) {
    const { query } = call;
    const client = this.clients.find(({ clientId }) => clientId === query.get("client_id"));
    if (!client)
      return this.toLogin(call, query.has("client_id") ? "client_not_found_error" : "missing_client_id_error");
    if (client.disabled) return this.toLogin(call, "client_disabled_error");
    const user = this.userOf(call);
    if (!user) return this.toSignIn(call, client);
    if (!isRegistered(query.get("redirect_uri"), client)) return this.toLogin(call, "invalid_request");
    const fault = requestFault(query, client);
    if (fault) return this.back(call, query, { error: fault });
    const asked = query.get("scope")?.split(" ").filter(Boolean) ?? client.scopes;
    if (!this.flags.ask) return this.decide(call, query, user, this.flags.consent, this.flags.grant ?? asked);
    const state = random();
    this.pending.set(state, query);
    const returnTo = query.get("redirect_uri");
    const hidden = { client_id: client.clientId, state };
    sendQuestion(call, SYSTEM, {
      app: client.clientId,
      user,
      scopes: asked,
      hidden,
      action: "/oauth2/authorize",
      returnTo,
    });
  }

  /** The consent page's form. */
  async consent(call) {
    const form = (await call.form()) ?? new URLSearchParams();
    const query = this.pending.get(form.get("state"));
    const user = this.userOf(call);
    if (!query || !user) return this.toLogin(call, "something_went_wrong_error");
    this.pending.delete(form.get("state"));
    this.decide(call, query, user, form.get("answer"), form.getAll("scope"));
  }

  decide(call, query, user, answer, scopes) {
    if (answer !== "allow" || scopes.length === 0) return this.back(call, query, { error: "access_denied" });
    const grant = {
      id: randomUUID(),
      clientId: query.get("client_id"),
      redirectUri: query.get("redirect_uri"),
      challenge: query.get("code_challenge"),
      nonce: query.get("nonce"),
      scopes,
      user,
    };
    const code = random(96);
    this.back(call, query, {
      code: this.tokens.codes.issue(grant, CODE_SEC, this.flags.region ? `${this.flags.region}:${code}` : code),
    });
  }

  /** Back to the app, as that server writes it: a query of one's own is not expected, `state` comes as it is. */
  back(call, query, parameters) {
    const state = query.get("state");
    const text = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
    if (state !== null) text.push(`state=${state}`);
    this.go(call, `${query.get("redirect_uri")}?${text.join("&")}`);
  }

  toLogin(call, error) {
    const client = encodeURIComponent(call.query.get("client_id") ?? "");
    this.go(call, `/login?type=oauth2&client_id=${client}&error=${error}`);
  }

  /** To the portal's page, which takes the request up again once somebody is signed in. */
  toSignIn(call, client) {
    if (isRegistered(call.query.get("redirect_uri"), client)) {
      const id = random();
      this.pending.set(id, call.query);
      call.setCookie(PENDING, id, ["Path=/", "HttpOnly", "SameSite=Lax"]);
    }
    this.toLogin(call, NOT_SIGNED_IN);
  }

  go(call, url) {
    if (call.header("x-disable-redirect")) return call.empty(200, { "X-Redirect-URI": url });
    call.redirect(url);
  }

  /** The portal's own page. */
  async login(call) {
    const query = this.pending.get(call.cookie(PENDING));
    if (!query || call.query.get("error") !== NOT_SIGNED_IN) {
      return sendNotice(
        call,
        SYSTEM,
        "This sign-in cannot go on.",
        `The portal says: ${call.query.get("error") ?? "nothing"}.`,
      );
    }
    const form = call.method === "POST" ? ((await call.form()) ?? new URLSearchParams()) : undefined;
    const returnTo = query.get("redirect_uri");
    if (!form)
      return sendQuestion(call, SYSTEM, { app: query.get("client_id"), words: ["Sign in", "Cancel"], returnTo });
    if (form.get("answer") !== "allow" || !form.get("username"))
      return this.back(call, query, { error: "access_denied" });
    this.sessions.setCookie(call, this.sessions.begin(form.get("username")));
    call.redirect(`/oauth2/authorize?${query}`);
  }

  /** Who is signed in at the portal. Where nobody is asked, that is alice. */
  userOf(call) {
    const known = this.sessions.ofCookie(call)?.user;
    if (known || this.flags.ask) return known;
    this.sessions.setCookie(call, this.sessions.begin("alice"));
    return "alice";
  }
}

/** Exactly one of the registered, but for the port of a loopback address (RFC 8252 7.3); `localhost` is none. */
function isRegistered(uri, { redirectUris }) {
  if (!URL.canParse(uri ?? "") || uri.includes("#")) return false;
  const portless = (text) => text.replace(/^(http:\/\/(?:127\.0\.0\.1|\[::1\])):\d+/, "$1");
  return redirectUris.some((known) => portless(known) === portless(uri));
}

/** The error of an authorization request, if there is one. */
function requestFault(query, client) {
  if (query.get("response_type") !== "code") return "invalid_request";
  const asked = query.get("scope")?.split(" ").filter(Boolean) ?? [];
  if (asked.some((scope) => !client.scopes.includes(scope))) return "invalid_scope";
  const wantsProof = query.has("code_challenge") || query.has("code_challenge_method");
  return wantsProof && !hasChallenge(query) ? "invalid_request" : undefined;
}
